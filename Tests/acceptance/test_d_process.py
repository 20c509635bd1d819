"""Threat model, section D: what the script starts with."""

import ctypes
import fcntl
import os
import platform
import pty
import pwd
import resource
import signal
import termios
import threading

import pytest
import system
from harness import ALICE
from system import wait_for
from wire import connect

DOCUMENTED = {
    "NOTIFY_SOCKET",
    "FAF_TASK",
    "FAF_RUN",
    "FAF_ATTEMPT",
    "FAF_SOCKET",
    "FAF_SCRIPT",
    "FAF_INPUT",
    "FAF_RESULT",
    "INVOCATION_ID",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PATH",
    "LANG",
}
# Set by the shell of a script itself.
OF_SH = {"PWD", "OLDPWD", "SHLVL", "_"}


def status_of_task(faf, **settings):
    """/proc/self/status of a task, field by field."""
    faf.task("t", f"cat /proc/self/status > {faf.out}/status.$FAF_RUN", **settings)
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    text = faf.output(f"status.{run}").read_text()
    return dict(line.split(":", 1) for line in text.splitlines())


def test_d1_descriptors_are_zero_one_two(stopped_faf):
    """D1: with 20 clients connected, and with open descriptors that fafd itself has inherited."""
    faf = stopped_faf
    leak = os.open("/etc/passwd", os.O_RDONLY)
    other = os.dup2(leak, 47)
    os.set_inheritable(leak, True)
    os.set_inheritable(other, True)
    try:
        faf.start(pass_fds=[leak, other])
    finally:
        os.close(leak)
        os.close(other)
    held = [connect(faf.socket_path) for _ in range(20)]
    faf.unit("t", ExecStart="/bin/ls -l /proc/self/fd")
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    lines = [line.split(" -> ") for line in faf.faf("logs", str(run), check=0).stdout.splitlines() if " -> " in line]
    found = {int(left.split()[-1]): target for left, target in lines}
    assert set(found) <= {0, 1, 2, 3}, found
    assert found.pop(3, "/proc/x/fd").startswith("/proc/"), "the listing's own"
    assert found[0] == "/dev/null"
    assert found[1] == found[2] and found[1] != "/dev/null"
    for one in held:
        one.close()


def test_d1_no_child_inherits_more(faf):
    """D1: the same seen by a program of its own, whose descriptors are counted from outside."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    run = faf.fire("t")
    pid = faf.main_pid(run)
    wait_for(lambda: system.read(f"/proc/{pid}/comm").strip() == "sleep", 5)
    # The dynamic loader has a library open for a moment.
    wait_for(lambda: set(system.descriptors(pid)) == {0, 1, 2}, 5, lambda: system.descriptors(pid))


@pytest.mark.root
def test_d2_ids_and_groups_are_exact(faf):
    """D2: uid and gid fourfold, exact supplementary groups."""
    status = status_of_task(faf, User=ALICE, Group=2010, SupplementaryGroups="3001 3000")
    assert status["Uid"].split() == [str(ALICE)] * 4
    assert status["Gid"].split() == ["2010"] * 4
    assert set(status["Groups"].split()) - {"2010"} == {"3000", "3001"}


@pytest.mark.root
def test_d2_no_groups_of_fafd_are_left(stopped_faf):
    """D2: the groups that fafd itself was started with do not reach a script."""
    faf = stopped_faf
    faf.start(extra_groups=[4711, 4712])
    status = status_of_task(faf, User=ALICE, Group=ALICE)
    assert set(status["Groups"].split()) <= {str(ALICE)}


@pytest.mark.root
def test_d2_no_capabilities_are_left(faf):
    """D2: ambient and inheritable empty; a plain user has none at all; no_new_privs on."""
    status = status_of_task(faf, User=ALICE, Group=ALICE)
    for field in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[field], 16) == 0, field
    assert status["NoNewPrivs"].strip() == "1"


@pytest.mark.root
def test_d2_ambient_capabilities_of_fafd_are_dropped(stopped_faf):
    """D2: even if fafd was started with inheritable and ambient ones."""
    faf = stopped_faf
    if not (system.has_capability(system.CAP_SYS_ADMIN) and system.has_capability(system.CAP_NET_ADMIN)):
        pytest.skip("needs capabilities to hand over")
    faf.start(prefix=["setpriv", "--inh-caps", "+net_admin,+sys_admin", "--ambient-caps", "+net_admin,+sys_admin"])
    for settings in ({"User": ALICE, "Group": ALICE}, {}):
        status = status_of_task(faf, **settings)
        assert int(status["CapInh"], 16) == 0 and int(status["CapAmb"], 16) == 0, settings


@pytest.mark.root
def test_d2_new_privileges_if_the_unit_says_so(faf):
    """D2: NoNewPrivileges=no is heard."""
    assert status_of_task(faf, NoNewPrivileges="no")["NoNewPrivs"].strip() == "0"


def test_d3_signals_are_as_new(stopped_faf):
    """D3: mask empty, dispositions default, even if fafd was started with signals ignored and blocked."""
    faf = stopped_faf
    ignored = [
        signal.SIGCHLD,
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGTTOU,
        signal.SIGRTMIN + 3,
    ]

    def strange():
        for one in ignored:
            signal.signal(one, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {9, 19, 32, 33})

    faf.start(preexec_fn=strange)
    faf.unit("t", ExecStart="/bin/cat /proc/self/status")
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    text = faf.faf("logs", str(run), check=0).stdout
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    assert int(fields["SigBlk"], 16) == 0
    assert int(fields["SigCgt"], 16) == 0
    # SIGPIPE is ignored as IgnoreSIGPIPE= has it in systemd, or default.
    assert int(fields["SigIgn"], 16) in (0, 1 << (signal.SIGPIPE - 1)), fields["SigIgn"]
    faf.stop()  # on SIGTERM, whatever it was started with


def test_d4_a_session_of_its_own_without_a_terminal(stopped_faf):
    """D4: own session; no controlling terminal, though fafd has one; stdin is no terminal."""
    faf = stopped_faf
    master, slave = pty.openpty()

    def with_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    try:
        faf.start(stdin=slave, preexec_fn=with_terminal)
        assert int(system.read(f"/proc/{faf.pid}/stat").rpartition(")")[2].split()[4]) != 0, "fafd has a terminal"
        faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
        run = faf.fire("t")
        pid = faf.main_pid(run)
        fields = system.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        _, _, group, session, terminal = fields[:5]
        assert (group, session, terminal) == (str(pid), str(pid), "0")
        assert system.descriptors(pid)[0] == "/dev/null"
        shim = faf.shim_pid(run)
        assert system.read(f"/proc/{shim}/stat").rpartition(")")[2].split()[4] == "0", "nor has the shim"
    finally:
        os.close(master)
        os.close(slave)


def environment_of_task(faf, **settings):
    faf.unit("t", **{"ExecStart": "/bin/cat /proc/self/environ", **settings})
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    text = faf.faf("logs", str(run), check=0).stdout.rstrip("\n")
    return run, dict(one.split("=", 1) for one in text.split("\0") if one)


@pytest.mark.root
def test_d5_the_environment_is_exactly_the_documented_one(stopped_faf):
    """D5: nothing of fafd's own."""
    faf = stopped_faf
    faf.start(
        environment={
            "FAFD_SECRET": "x",
            "LD_LIBRARY_PATH_X": "y",
            "HOME": "/root",
            "WATCHDOG_USEC": "1",
            "LISTEN_FDS_X": "1",
            "INVOCATION_ID": "0" * 32,
            "JOURNAL_STREAM": "1:2",
            "TERM": "xterm",
        }
    )
    run, found = environment_of_task(faf, User=ALICE, Group=ALICE)
    # Which of the user's are known depends on whether 2001 has an entry in the user database.
    assert set(found) <= DOCUMENTED, set(found) - DOCUMENTED
    assert set(found) >= DOCUMENTED - {"HOME", "USER", "LOGNAME", "SHELL"}, DOCUMENTED - set(found)
    attempt = faf.run(run)["attempts"][0]
    assert found["FAF_TASK"] == "t" and found["FAF_RUN"] == str(run) and found["FAF_ATTEMPT"] == "1"
    assert found["FAF_SOCKET"] == faf.socket_path
    assert found["INVOCATION_ID"] == attempt["invocationId"]
    assert found["NOTIFY_SOCKET"].startswith(faf.runtime + "/notify/")
    assert found["FAF_SCRIPT"] == "/bin/cat"
    assert "/usr/bin" in found["PATH"].split(":")


@pytest.mark.root
def test_d5_the_units_environment_is_added(stopped_faf):
    """D5: Environment= and PassEnvironment= of the unit, and nothing else."""
    faf = stopped_faf
    faf.start(environment={"PASSED": "p v", "NOTPASSED": "x"})
    _, found = environment_of_task(faf, Environment=['A="1 2" B=%n', "C=$A"], PassEnvironment="PASSED MISSING")
    assert set(found) - DOCUMENTED == {"A", "B", "C", "PASSED"}
    assert (found["A"], found["B"], found["C"], found["PASSED"]) == ("1 2", "t.task", "$A", "p v")


def test_d5_what_faf_sets_cannot_be_overridden(faf):
    """D5: a unit's Environment= does not replace what tells the task about itself."""
    run, found = environment_of_task(faf, Environment="FAF_RUN=1000 INVOCATION_ID=x")
    assert found["FAF_RUN"] == str(run)
    assert len(found["INVOCATION_ID"]) == 32


@pytest.mark.root
def test_d5_a_real_user_has_home_and_shell(faf):
    """D5: HOME, USER, LOGNAME, SHELL as systemd gives them for a user with an entry."""
    entry = pwd.getpwnam("nobody")
    _, found = environment_of_task(faf, User="nobody")
    assert (found["HOME"], found["USER"], found["LOGNAME"], found["SHELL"]) == (
        entry.pw_dir,
        "nobody",
        "nobody",
        entry.pw_shell,
    )


@pytest.mark.root
def test_d5_attributes_are_the_defaults_and_not_fafds(stopped_faf):
    """D5: umask, cwd, nice, oom_score_adj, soft NOFILE, timer slack and scheduling are not inherited from fafd."""
    faf = stopped_faf
    if not system.has_capability(system.CAP_SYS_NICE):
        pytest.skip("needs CAP_SYS_NICE")

    def strange():
        os.umask(0o077)
        os.nice(-3)
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("-900" if system.has_capability(system.CAP_SYS_RESOURCE) else "300")
        resource.setrlimit(resource.RLIMIT_NOFILE, (9999, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        with open("/proc/self/timerslack_ns", "w") as file:
            file.write("1000000")

    faf.start(preexec_fn=strange, cwd=faf.scripts)
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    pid = faf.main_pid(faf.fire("t"))
    assert system.status_field(pid, "Umask") == "0022"
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    fields = system.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    assert fields[16] == "0", f"nice is {fields[16]}"
    assert system.read(f"/proc/{pid}/oom_score_adj").strip() == "0"
    limits = {line[:25].strip(): line[25:].split()[:2] for line in system.read(f"/proc/{pid}/limits").splitlines()}
    assert limits["Max open files"][0] == "1024"
    assert limits["Max core file size"] != [] and fields[38] == "0", "SCHED_OTHER"
    assert system.read(f"/proc/{pid}/timerslack_ns").strip() == "50000"


@pytest.mark.root
def test_d5_attributes_of_the_unit(faf):
    """D5: UMask=, Nice=, WorkingDirectory=, Limit*= of the unit, by their kernel's view."""
    place = faf.base + "/work"
    os.mkdir(place)
    faf.task(
        "t",
        "exec sleep 300",
        TimeoutStopSec="1s",
        UMask="0027",
        Nice="7",
        WorkingDirectory=place,
        LimitNOFILE="512:2048",
        LimitCORE="0",
        LimitCPU="10",
        LimitSTACK="16M",
        LimitFSIZE="infinity",
        LimitMEMLOCK="1M",
    )
    pid = faf.main_pid(faf.fire("t"))
    assert system.status_field(pid, "Umask") == "0027"
    assert os.readlink(f"/proc/{pid}/cwd") == place
    assert system.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[16] == "7"
    limits = {line[:25].strip(): line[25:].split()[:2] for line in system.read(f"/proc/{pid}/limits").splitlines()}
    assert limits["Max open files"] == ["512", "2048"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max cpu time"] == ["10", "10"]
    assert limits["Max stack size"] == [str(16 << 20)] * 2
    assert limits["Max file size"] == ["unlimited"] * 2
    assert limits["Max locked memory"] == [str(1 << 20)] * 2


def test_d5_output_goes_to_a_file_of_the_run(faf):
    """Design 8: without a journal stdout and stderr are in order in a file per run, that `faf logs` reads."""
    faf.task("t", 'echo out; echo err >&2; printf "no end"')
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    assert faf.faf("logs", str(run), check=0).stdout.split("\n")[:3] == ["out", "err", "no end"]
    log = f"{faf.logs}/{run}.log"
    assert os.path.exists(log)
    assert not os.stat(log).st_mode & 0o007, "not for everybody"


def test_d7_two_thousand_fires_of_eight_clients(faf):
    """D7: fork and exec in a process with busy threads: none is stuck in `starting`."""
    faf.unit("t", ExecStart="/bin/true")
    numbers, errors = [], []

    def client(count):
        try:
            with faf.wire(timeout=60) as wire:
                for index in range(count):
                    numbers.append(
                        wire.call("Fire", {"task": "t", "parameters": {"a": "x" * (index % 50 * 100)}})["run"]["number"]
                    )
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=client, args=(250,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(numbers)) == 2000
    wait_for(
        lambda: all(run["state"] in ("succeeded",) for run in faf.runs()),
        60,
        lambda: f"{[(run['number'], run['state']) for run in faf.runs() if run['state'] != 'succeeded'][:10]}",
        every=0.3,
    )
    assert {run["number"] for run in faf.runs()} == set(numbers)
    wait_for(faf.is_clean, 20)


def test_d5_session_keyring_is_its_own(stopped_faf):
    """D5: the keys of fafd's session are not for its tasks, nor those of one task for another (keyrings(7))."""
    libc = ctypes.CDLL(None)
    number = {"x86_64": 250, "aarch64": 219}.get(platform.machine())
    if number is None or libc.syscall(number, 0, -3, 0) < 0:
        pytest.skip("keyctl(2) is not to be had here")
    faf = stopped_faf
    # What systemd does for a service.
    faf.start(preexec_fn=lambda: libc.syscall(number, 1, None))
    ask = f"import ctypes; print(ctypes.CDLL(None).syscall({number}, 0, -3, 0))"
    faf.task("t", f"exec /usr/bin/python3 -c '{ask}' > {faf.out}/keyring.$FAF_RUN")
    rings = []
    for _ in range(2):
        run = faf.fire("t")
        faf.ends(run, "succeeded")
        rings.append(int(faf.output(f"keyring.{run}").read_text()))
    assert min(rings) > 0
    assert rings[0] != rings[1]
