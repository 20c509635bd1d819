"""threat-model.md L, as far as it goes without systemd: what fafd and faf-shim do for the shipped units."""

import os
import select
import signal
import socket
import subprocess
import sys
import time

import pytest
import system
import wire
from system import wait_for

ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture
def faf(make_faf):
    """Not started: each test says how."""
    return make_faf()


def listen(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(64)
    return listener


def activate(faf, listener, count="1", start=True, **environment):
    """Starts fafd as a socket unit does: descriptor 3 listens."""
    options = {
        "prefix": [sys.executable, "-c", ACTIVATE, str(listener.fileno())],
        "pass_fds": [listener.fileno()],
        "environment": {"LISTEN_FDS": count, **environment},
    }
    return faf.start(**options) if start else faf.spawn(**options)


def words(daemon, timeout=10):
    """The next message to the service manager."""
    assert select.select([daemon.ready], [], [], timeout)[0], "nothing was said to the service manager"
    return daemon.ready.recv(4096).decode()


def words_until(daemon, start, timeout=10):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        text = words(daemon, timeout)
        if text.startswith(start):
            return text
    raise AssertionError(f"{start} was not said")


@pytest.fixture
def activated(faf):
    os.makedirs(faf.runtime, mode=0o755, exist_ok=True)
    with listen(faf.socket_path) as listener:
        yield listener


def test_a_caller_waits_on_the_socket_while_fafd_is_away(faf, activated):
    faf.task("hello", "exit 3")
    early = subprocess.Popen(
        [faf.programs + "/faf", "fire", "hello", "--wait"], env={"FAF_SOCKET": faf.socket_path}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    activate(faf, activated)
    assert early.wait(20) == 3, early.stderr.read()
    between = faf.fire("hello")
    faf.stop()
    assert os.path.exists(faf.socket_path), "the socket belongs to the service manager"
    late = subprocess.Popen(
        [faf.programs + "/faf", "fire", "hello", "--wait"], env={"FAF_SOCKET": faf.socket_path}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    time.sleep(0.3)
    assert late.poll() is None, "the caller did not wait"
    activate(faf, activated)
    assert late.wait(20) == 3, late.stderr.read()
    faf.ends(between, "failed", exit_status=3)


def test_waits_go_on_over_a_restart(faf, activated):
    faf.task("slow", f"while ! test -e {faf.out}/go; do sleep 0.05; done; exit 5")
    activate(faf, activated)
    number = faf.fire("slow")

    def follow(*arguments):
        return subprocess.Popen(
            [faf.programs + "/faf", *arguments], env={"FAF_SOCKET": faf.socket_path}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    waits = [follow("fire", "slow", "--wait"), follow("wait", str(number)), follow("fire", "slow", "--status-to-stdout")]
    wait_for(lambda: len([run for run in faf.runs() if run["state"] == "running"]) == 3, 10, "three runs")
    time.sleep(0.3)
    faf.stop()
    activate(faf, activated)
    time.sleep(0.5)
    faf.kill9()
    activate(faf, activated)
    faf.output("go").touch()
    for wait, status in zip(waits, (5, 1, 5)):
        assert wait.wait(20) == status, wait.stderr.read()
    assert f"run {number} of slow failed" in waits[1].stdout.read()


def test_a_stop_gives_nobody_half_an_answer(faf):
    """A call that waits when fafd is stopped gets no reply at all: an empty one would look like one."""
    faf.task("sleeper", "exec sleep 1000")
    faf.start()
    runs = [faf.fire("sleeper"), faf.fire("sleeper")]
    for number in runs:
        faf.running(number)
    with faf.wire() as once, faf.wire() as more, faf.wire() as watch:
        once.send("Wait", {"runs": runs})
        more.send("Wait", {"runs": runs}, more=True)
        watch.send("Watch", {"run": runs[0]}, more=True)
        assert watch.receive()[0]["run"]["number"] == runs[0]
        time.sleep(0.3)
        faf.stop()
        for connection in (once, more, watch):
            with pytest.raises(wire.Closed):
                connection.receive_bytes()
    faf.start()
    for number in runs:
        faf.kill(number)


def test_no_script_has_the_socket(faf, activated):
    faf.task("look", f'ls -l /proc/self/fd >{faf.out}/fds; env >{faf.out}/env')
    faf.unit("look", ExecStart=f"{faf.scripts}/look", PassEnvironment="LISTEN_FDS WATCHDOG_USEC LISTEN_PID")
    activate(faf, activated, WATCHDOG_USEC="60000000")
    faf.ends(faf.fire("look"), "succeeded")
    assert "socket" not in faf.output("fds").read_text()
    text = faf.output("env").read_text()
    assert "LISTEN_" not in text and "WATCHDOG_" not in text, text


def test_the_variables_of_somebody_else_count_for_nothing(faf):
    faf.task("hello", "exit 0")
    daemon = faf.start(
        environment={"LISTEN_FDS": "1", "LISTEN_PID": "1", "WATCHDOG_USEC": "300000", "WATCHDOG_PID": "1"})
    faf.ends(faf.fire("hello"), "succeeded")
    assert not select.select([daemon.ready], [], [], 1)[0], "it feeds a watchdog that is not its own"


@pytest.mark.parametrize("what", ["another path", "two sockets", "no listener", "a datagram socket"])
def test_a_socket_that_is_not_ours_is_refused_by_name(faf, what):
    os.makedirs(faf.runtime, mode=0o755, exist_ok=True)
    given, count, text = listen(faf.base + "/elsewhere"), "1", "elsewhere"
    if what == "two sockets":
        count, text = "2", "2 sockets"
    elif what == "no listener":
        given, text = socket.socket(socket.AF_UNIX), "no listening"
    elif what == "a datagram socket":
        given, text = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), "no listening"
    with given:
        daemon = activate(faf, given, count=count, start=False)
        assert daemon.process.wait(20) == 1
    assert text in faf.log_text() and "fafd.socket" in faf.log_text(), faf.log_text()


def test_the_watchdog_is_fed_until_fafd_hangs(faf):
    daemon = faf.start(environment={"WATCHDOG_USEC": "900000"})
    began = time.monotonic()
    for _ in range(4):
        words_until(daemon, "WATCHDOG=1")
    assert 0.5 < time.monotonic() - began < 5
    faf.pause()
    while select.select([daemon.ready], [], [], 0)[0]:
        daemon.ready.recv(4096)
    assert not select.select([daemon.ready], [], [], 1)[0]
    faf.go_on()


def test_a_reload_says_when_it_begins_and_ends(faf):
    daemon = faf.start()
    before = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    os.kill(daemon.pid, signal.SIGHUP)
    name, stamp = words_until(daemon, "RELOADING=1").split("\n")[1].split("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(stamp) <= time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    assert words(daemon) == "READY=1"


# ------------------------------------------------------------ faf-tasks.service

class Tasks:
    """A cgroup with its holder, as faf-tasks.service has it."""

    def __init__(self, faf):
        self.faf = faf
        self.tree = f"{system.cgroup2_root()}/{os.path.basename(faf.runtime)}-tasks"
        os.makedirs(faf.runtime, mode=0o755, exist_ok=True)
        self.hold()

    def hold(self):
        os.makedirs(self.tree, exist_ok=True)
        self.holder = subprocess.Popen([self.faf.programs + "/faf-shim", "--hold", self.faf.runtime + "/tasks", self.tree])
        wait_for(lambda: system.cgroup_pids(self.tree + "/hold") == [self.holder.pid], 10, "the holder holds")
        wait_for(lambda: system.read(self.faf.runtime + "/tasks").strip() == self.tree, 10, "it has said where")

    def stop_all(self, **options):
        return subprocess.Popen(
            [self.faf.programs + "/faf-shim", "--stop-all", self.faf.runtime], stderr=subprocess.PIPE, text=True, **options)

    def end_holder(self):
        self.holder.kill()
        self.holder.wait()


    def remove(self):
        self.end_holder()
        if self.faf.daemons and self.faf.daemon.is_alive():
            self.faf.kill9()
        for name in ("t", "shims"):
            system.remove_cgroup(f"{self.tree}/{name}")
        wait_for(lambda: not system.cgroup_pids(self.tree + "/hold"), 10, "the holder is gone")
        system.remove_cgroup(self.tree)


@pytest.fixture
def tasks(faf):
    made = Tasks(faf)
    yield made
    made.remove()


@pytest.mark.root
@pytest.mark.cgroup
def test_stop_all_stops_each_task_as_its_unit_says(faf, tasks):
    faf.task("polite", f"trap 'exit 7' TERM; touch {faf.out}/polite; while :; do sleep 0.05; done")
    faf.task(
        "stubborn", f"trap '' TERM; touch {faf.out}/stubborn; while :; do sleep 0.05; done", TimeoutStopSec="2s")
    faf.start()
    runs = {name: faf.fire(name) for name in ("polite", "stubborn")}
    for name in runs:
        wait_for(lambda path=faf.output(name): path.exists(), 10, f"{name} has its trap")
    began = time.monotonic()
    stopping = tasks.stop_all()
    faf.ends(runs["polite"], "killed", "shutdown", exit_status=7)
    text = faf.refused("fire", "polite", code=set(range(1, 256)))
    assert "is being stopped" in text and "systemctl start faf-tasks.service" in text, text
    assert stopping.wait(20) == 0, stopping.stderr.read()
    assert time.monotonic() - began > 1.8, "the grace period was cut short"
    assert stopping.stderr.read() == "faf-shim: tasks that were asked to stop: 2\n"
    faf.ends(runs["stubborn"], "killed", "shutdown")
    assert system.cgroup_pids(tasks.tree + "/shims") == []

    tasks.end_holder()
    tasks.hold()
    again = faf.fire("polite")
    faf.running(again)
    faf.kill(again)
    assert faf.wait(again)["reason"]["kind"] == "signal"


@pytest.mark.root
@pytest.mark.cgroup
def test_stop_all_needs_neither_fafd_nor_the_holder(faf, tasks):
    faf.task("sleeper", "exec sleep 1000")
    faf.task("ended", "exit 5")
    faf.start()
    runs = [faf.fire("sleeper") for _ in range(5)]
    orphan = faf.fire("sleeper")
    for number in [*runs, orphan]:
        faf.running(number)
    faf.ends(faf.fire("ended"), "failed", exit_status=5)
    # One has no shim any more: nobody could stop it in order, and it must not stay.
    left, shim = faf.main_pid(orphan), faf.shim_pid(orphan)
    faf.kill9()
    os.kill(shim, signal.SIGKILL)
    tasks.end_holder()
    stopping = tasks.stop_all()
    assert stopping.wait(20) == 0, stopping.stderr.read()
    assert not system.is_running(left)
    faf.start()
    for number in runs:
        faf.ends(number, "killed", "shutdown")
    faf.ends(orphan, "lost")


@pytest.mark.root
def test_stop_all_without_any_task(faf):
    faf.start()
    done = subprocess.run(
        [faf.programs + "/faf-shim", "--stop-all", faf.runtime], stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "faf-shim: tasks that were asked to stop: 0\n")


# ------------------------------------------------------------ cgroup.kill

@pytest.mark.root
@pytest.mark.cgroup
def test_tasks_start_after_a_cgroup_kill_of_all_tasks(faf):
    """What `systemctl kill --signal=KILL faf-tasks` may do. Newer kernels kill what is cloned out of such a cgroup."""
    faf.task("sleeper", "exec sleep 1000")
    faf.task("hello", "exit 3")
    faf.start()
    number = faf.fire("sleeper")
    faf.running(number)
    tree = os.path.dirname(system.cgroup_of(faf.shim_pid(number)))
    with open(tree + "/cgroup.kill", "w") as file:
        file.write("1")
    faf.ends(number, "lost")
    faf.ends(faf.fire("hello"), "failed", exit_status=3)
    faf.restart()
    faf.ends(faf.fire("hello"), "failed", exit_status=3)


@pytest.mark.root
@pytest.mark.cgroup
def test_tasks_start_from_a_fafd_in_a_cgroup_that_was_killed(faf):
    """What systemd does to a fafd.service that does not stop in time, before it starts it anew in the same cgroup."""
    faf.task("hello", "exit 3")
    place = f"{system.cgroup2_root()}/{os.path.basename(faf.runtime)}-own"
    os.mkdir(place)
    with open(place + "/cgroup.kill", "w") as file:
        file.write("1")
    enter = f"import os, sys; open('{place}/cgroup.procs', 'w').write('0'); os.execv(sys.argv[1], sys.argv[1:])"
    try:
        faf.start(prefix=[sys.executable, "-c", enter])
        assert system.cgroup_of(faf.pid) == place
        for _ in range(3):
            faf.ends(faf.fire("hello"), "failed", exit_status=3)
    finally:
        faf.kill9()
        wait_for(lambda: not system.cgroup_pids(place), 10, "the cgroup is empty")
        os.rmdir(place)
