"""The main job: every "Done when" line of its issue, and the verbs of faf that the other files do not use."""

import json
import os
import pathlib
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pytest
import system
from conftest import CHECKOUT
from harness import ALICE, BAD_INPUT, BOB, FINAL, NOT_FOUND, USAGE
from system import is_running, wait_for
from wire import WireError, connect

COUNT = r"""#!/bin/sh
printf '%s\0' "$0" "$@" > {out}/argv.$FAF_RUN
to=30
for argument; do case $argument in --to=*) to=${{argument#--to=}};; esac; done
i=0
while [ $i -lt $to ]; do
    i=$((i+1))
    systemd-notify "X_FAF_PROGRESS=$i/$to" --status="$i of $to"
    while [ ! -e {out}/go.$i ]; do sleep 0.02; done
done
echo done
"""

SAY = """#!/usr/bin/python3
import os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
    sender.sendto(sys.argv[1].encode(), os.environ["NOTIFY_SOCKET"])
"""

needs_systemd_notify = pytest.mark.skipif(not system.has("systemd-notify"), reason="needs systemd-notify(1)")


@needs_systemd_notify
def test_count_shows_three_of_five(faf):
    """`faf fire count --to=5 --label="a b\\"c" && faf status` shows `3 of 5`; argv is exact and sorted."""
    faf.task("count", COUNT.format(out=faf.out))
    for number in (1, 2, 4, 5):
        faf.output(f"go.{number}").touch()
    run = faf.fire("count", "--to=5", '--label=a b"c')
    wait_for(lambda: faf.run(run).get("status") == "3 of 5", 10)
    assert "3 of 5" in faf.faf("status", check=0).stdout
    assert "3 of 5" in faf.faf("status", str(run), check=0).stdout
    assert "3 of 5" in faf.faf("status", "count", check=0).stdout
    assert faf.json("show", str(run))["progress"] == {"done": 3, "total": 5}
    assert faf.output(f"argv.{run}").read_bytes().split(b"\0")[1:-1] == [b'--label=a b"c', b"--to=5"]
    faf.output("go.3").touch()
    run = faf.ends(run, "succeeded")
    assert run["status"] == "5 of 5" and run["progress"] == {"done": 5, "total": 5}
    assert run["parameters"] == {"label": 'a b"c', "to": "5"}


@needs_systemd_notify
def test_systemd_notify_returns_at_once(faf):
    """`systemd-notify --status=hello --ready` inside a script returns at once and `faf status` shows it."""
    faf.task(
        "t",
        f"systemd-notify --status=hello --ready && echo $? > {faf.out}/returned\nexec sleep 300",
        Type="notify",
        TimeoutStopSec="1s",
    )
    began = time.monotonic()
    run = faf.fire("t")
    faf.running(run)
    wait_for(lambda: faf.output("returned").exists(), 3)
    assert time.monotonic() - began < 2, "it waits 5 s for an unanswered barrier"
    assert "hello" in faf.faf("status", check=0).stdout
    assert faf.run(run)["status"] == "hello"


@pytest.mark.root
def test_alice_bob_and_root(faf):
    """A task User=alice: bob is refused by a setting's name; alice and root may; it runs as alice."""
    faf.task(
        "t",
        f"cat /proc/self/status > {faf.out}/status.$FAF_RUN; ls -l /proc/self/fd > {faf.out}/fd.$FAF_RUN\n"
        f"cut -d' ' -f6 /proc/$$/stat > {faf.out}/sid.$FAF_RUN; echo $$ >> {faf.out}/sid.$FAF_RUN",
        User=ALICE,
        Group=ALICE,
        SupplementaryGroups="3000",
    )
    text = faf.refused("fire", "t", uid=BOB)
    assert "AllowUsers=" in text and "t" in text
    for run in (faf.fire("t", uid=ALICE), faf.fire("t")):
        faf.ends(run, "succeeded")
        status = dict(line.split(":", 1) for line in faf.output(f"status.{run}").read_text().splitlines())
        assert status["Uid"].split() == [str(ALICE)] * 4 and status["Gid"].split() == [str(ALICE)] * 4
        assert set(status["Groups"].split()) - {str(ALICE)} == {"3000"}
        assert int(status["SigBlk"], 16) == 0 and int(status["SigIgn"], 16) & ~(1 << 12) == 0
        session, pid = faf.output(f"sid.{run}").read_text().split()
        assert session == pid
    assert faf.run(1)["uid"] == ALICE and faf.run(2)["uid"] == 0


def test_fifty_runs_over_a_crash(faf):
    """kill -9 of fafd while 50 runs go on; 20 end, 10 say something; all of it is there, 30 can be killed."""
    marker = faf.marker()
    faf.script("say", SAY)
    faf.script(
        "t",
        f"""
{marker}
trap 'exit 0' TERM
while :; do
    if [ -e {faf.out}/end.$FAF_RUN ]; then exit $(cat {faf.out}/end.$FAF_RUN); fi
    if [ -e {faf.out}/say.$FAF_RUN ]; then
        rm -f {faf.out}/say.$FAF_RUN
        {faf.scripts}/say "STATUS=said by $FAF_RUN"
        touch {faf.out}/said.$FAF_RUN
    fi
    sleep 0.2
done""",
    )
    faf.unit("t", ExecStart=faf.scripts + "/t", TimeoutStopSec="10s")
    with faf.wire() as wire:
        numbers = [wire.call("Fire", {"task": "t"})["run"]["number"] for _ in range(50)]
    for number in numbers:
        faf.running(number)
    wait_for(lambda: len(faf.marks()) == 50, 10)
    before = {number: faf.run(number) for number in numbers}
    faf.kill9()
    ending, saying = numbers[:20], numbers[20:30]
    down = time.time() * 1e6
    for number in saying:
        faf.output(f"say.{number}").touch()
    for index, number in enumerate(ending):
        faf.output(f"end.{number}.new").write_text(str(index))
        faf.output(f"end.{number}.new").rename(faf.output(f"end.{number}"))
    wait_for(lambda: len(faf.ends_on_disk()) == 20, 20, lambda: f"{len(faf.ends_on_disk())} ends")
    wait_for(lambda: all(faf.output(f"said.{number}").exists() for number in saying), 20)
    up = time.time() * 1e6
    faf.start()
    for index, number in enumerate(ending):
        run = faf.ends(number, "succeeded" if index == 0 else "failed", None, index)
        assert down - 1e6 < run["endedAt"] < up + 1e6
        assert run["startedAt"] == before[number]["startedAt"]
    for number in saying:
        assert faf.run(number)["status"] == f"said by {number}"
    for number in numbers[20:]:
        run = faf.run(number)
        assert run["state"] == "running" and run["attempts"][0]["shimPid"] == before[number]["attempts"][0]["shimPid"]
    # The shim of one: that run is lost, no other is touched, its processes are gone.
    victim = numbers[30]
    os.kill(before[victim]["attempts"][0]["shimPid"], signal.SIGKILL)
    faf.ends(victim, "lost")
    if faf.cgroup:
        assert not is_running(before[victim]["attempts"][0]["mainPid"])
    rest = [number for number in numbers[20:] if number != victim]
    assert all(faf.run(number)["state"] == "running" for number in rest)
    for number in rest:
        faf.call("Kill", {"run": number})
    for number in rest:
        assert faf.ends(number, "killed")["attempts"][-1]["exitStatus"] == 0
    assert len(faf.marks()) == 50, "none ran twice"
    wait_for(faf.is_clean, 10)


# ---------------------------------------------------------------- a Varlink client that nobody here wrote


@pytest.fixture(scope="session")
def python_with_varlink():
    """A Python that has PyPI's `varlink`: this one, or a venv made here."""
    if subprocess.run([sys.executable, "-c", "import varlink"], stderr=subprocess.DEVNULL).returncode == 0:
        yield sys.executable
        return
    with tempfile.TemporaryDirectory(prefix="faft-venv.") as directory:
        made = subprocess.run([sys.executable, "-m", "venv", directory], capture_output=True, text=True)
        if made.returncode != 0:
            pytest.skip("no varlink package, and no venv can be made: install python3-venv")
        requirements = pathlib.Path(__file__).with_name("requirements.txt")
        installed = subprocess.run(
            [
                directory + "/bin/pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--retries",
                "1",
                "--timeout",
                "10",
                "-r",
                requirements,
            ],
            capture_output=True,
            text=True,
        )
        if installed.returncode != 0:
            pytest.skip("no varlink package, and PyPI is out of reach: " + installed.stderr.strip()[-200:])
        yield directory + "/bin/python"


def test_a_foreign_varlink_client(faf, python_with_varlink):
    """PyPI `varlink` lists the interfaces, fires and streams."""
    faf.task(
        "t",
        """#!/usr/bin/python3
import os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
s.send(b"STATUS=one"); time.sleep(0.3); s.send(b"STATUS=two"); time.sleep(0.3)
""",
    )
    done = subprocess.run(
        [python_with_varlink, pathlib.Path(__file__).with_name("varlink_client.py"), faf.socket_path, "t"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"org.varlink.service", "io.faf.Supervisor"} <= set(found["interfaces"])
    source = (CHECKOUT / "Sources/FafAPI/io.faf.Supervisor.varlink").read_text()
    assert found["description"].strip() == source.strip(), "the file is the only source"
    assert found["states"][-1][0] == "succeeded"
    assert ["running", "one"] in found["states"] and "two" in [status for _, status in found["states"]]
    assert found["run"] in found["listed"]
    assert found["error"] == "io.faf.Supervisor.NoSuchTask"


def test_org_varlink_service(faf):
    """conformance.md: the service interface, in its own list, with its standard errors."""
    with faf.wire() as wire:
        info = wire.call("org.varlink.service.GetInfo")
        assert {"vendor", "product", "version", "url", "interfaces"} <= set(info)
        assert {"org.varlink.service", "io.faf.Supervisor"} <= set(info["interfaces"])
        for name in info["interfaces"]:
            text = wire.call("org.varlink.service.GetInterfaceDescription", {"interface": name})["description"]
            assert f"interface {name}" in text and "\r" not in text
        for method, parameters, error, key in (
            ("org.varlink.service.GetInterfaceDescription", {"interface": "no.such"}, "InterfaceNotFound", "interface"),
            ("no.such.Method", {}, "InterfaceNotFound", "interface"),
            ("io.faf.Supervisor.Nothing", {}, "MethodNotFound", "method"),
            ("io.faf.Supervisor.GetRun", {}, "InvalidParameter", "parameter"),
            ("io.faf.Supervisor.GetRun", {"run": "x"}, "InvalidParameter", "parameter"),
            ("io.faf.Supervisor.GetRun", {"run": 1, "more": 2}, "InvalidParameter", "parameter"),
            ("io.faf.Supervisor.Watch", {}, "ExpectedMore", None),
        ):
            with pytest.raises(WireError) as raised:
                wire.call(method, parameters)
            assert raised.value.full == "org.varlink.service." + error, (method, raised.value)
            if key:
                assert raised.value.parameters.get(key), raised.value
        assert wire.call("GetInfo", None)["pid"] == faf.pid, "an error ends the call, not the connection"


def test_pipelining_fragments_and_oneway(faf):
    """conformance.md: any fragmentation, any pipelining, in order; oneway is never answered."""
    faf.unit("t", ExecStart=faf.marker())
    call = b'{"method":"io.faf.Supervisor.GetInfo"}\0'
    unknown = b'{"method":"io.faf.Supervisor.GetRun","parameters":{"run":99}}\0'
    with faf.wire() as wire:
        for byte in call:
            wire.send_bytes(bytes([byte]))
        assert wire.receive()[0]["pid"] == faf.pid
        wire.send_bytes((call + unknown) * 20)
        for _ in range(20):
            assert wire.receive()[0]["pid"] == faf.pid
            with pytest.raises(WireError):
                wire.receive()
        wire.send("Fire", {"task": "t"}, oneway=True)
        wire.send("Fire", {"task": "there-is-none"}, oneway=True)
        wire.send_bytes(call)
        assert wire.receive()[0].get("pid") == faf.pid
        wire.send_bytes(b'{"method":"io.faf.Supervisor.GetInfo","parameters":null,"vendor":1,"more":true}\0')
        reply = json.loads(wire.receive_bytes())
        assert set(reply) <= {"parameters", "continues"}
    wait_for(lambda: len(faf.marks()) == 1, 5)


def test_garbage_half_messages_and_two_mebibytes(faf):
    """Garbage, half messages, 2 MiB messages: typed errors or a closed connection, fafd goes on serving."""
    held = []
    for data in (
        b"\0" * 1000,
        os.urandom(4096),
        b'{"method":"io.faf.Superv',
        b"{" * 500_000,
        b"x" * (2 << 20),
        b'{"method":"' + b"x" * (2 << 20),
        b'"' * 100_000 + b"\0",
        b"\xf0\x9f\x92" * 1000 + b"\0",
    ):
        wire = faf.wire()
        held.append(wire)
        wire.socket.settimeout(2)
        try:
            wire.send_bytes(data)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        assert faf.call("GetInfo")["pid"] == faf.pid
    for wire in held:
        wire.close()
    faf.unit("t", ExecStart="/bin/true")
    faf.ends(faf.fire("t"), "succeeded")
    assert int(system.status_field(faf.pid, "VmRSS").split()[0]) < 200_000


@pytest.mark.root
def test_ten_thousand_connections(faf):
    """10 000 connections at once: limits are typed errors or a closed connection; root is served all the while."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (12_000, max(12_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    held = []
    uids = list(range(30_000, 30_050))
    try:
        for index in range(10_000):
            for _ in range(200):
                try:
                    held.append(connect(faf.socket_path, uids[index % len(uids)], timeout=5))
                    break
                except (BlockingIOError, ConnectionRefusedError, TimeoutError):
                    time.sleep(0.005)  # the backlog is full
            if index % 1000 == 999:
                began = time.monotonic()
                faf.faf("list", check=0)
                assert time.monotonic() - began < 3
        assert len(held) > 9_000
        assert faf.call("GetInfo")["pid"] == faf.pid
    finally:
        for one in held:
            one.close()
    faf.unit("t", ExecStart="/bin/true")
    faf.ends(faf.fire("t"), "succeeded")
    wait_for(lambda: len(faf.daemon.descriptors()) < 100, 20, lambda: len(faf.daemon.descriptors()))


def test_clients_that_leave_cost_nothing(faf):
    """A half-open client, or one that leaves in the middle of a stream, costs nothing to others."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    run = faf.fire("t")
    faf.running(run)
    # A run's shim is watched only when it goes on for longer than many do: the mother's pidfd, and its own.
    wait_for(lambda: sum("pidfd" in target for target in faf.daemon.descriptors().values()) == 2, 10)
    before = len(faf.daemon.descriptors())
    for _ in range(100):
        with faf.wire() as wire:
            wire.send("Watch", {"run": run}, more=True)
            wire.receive()
            wire.send("Wait", {"runs": [run]})
    wait_for(lambda: len(faf.daemon.descriptors()) <= before, 10, lambda: len(faf.daemon.descriptors()))
    faf.kill(run)
    faf.ends(run, "killed")


# ---------------------------------------------------------------- faf verify


MISTAKES = """[Unit]
Description=five mistakes

[Task]
ExecStart=relative/path --x
TimeoutStopSec=soon
KillSignal=SIGNOTHING
User=4294967295
UMask=99
"""


def test_verify_reports_all_five_mistakes(stopped_faf):
    """`faf verify` on a file with five different mistakes reports all five with line and column."""
    faf = stopped_faf
    path = faf.unit("bad", MISTAKES)
    done = faf.faf("verify", path)
    assert done.returncode == BAD_INPUT, (done.returncode, done.stdout, done.stderr)
    text = done.stdout + done.stderr
    found = {
        (int(line), key)
        for line, _, key in re.findall(
            rf"^{re.escape(path)}:(\d+):(\d+):.*?\b(ExecStart|TimeoutStopSec|KillSignal|User|UMask)\b", text, re.M
        )
    }
    assert found == {(5, "ExecStart"), (6, "TimeoutStopSec"), (7, "KillSignal"), (8, "User"), (9, "UMask")}, text
    problems = json.loads(faf.faf("verify", path, "--json").stdout)
    problems = problems.get("problems", problems) if isinstance(problems, dict) else problems
    if problems and "problems" in problems[0]:
        problems = [one for file in problems for one in file["problems"]]
    assert [(one["line"], one["key"]) for one in problems if one["severity"] == "error"] == sorted(found)
    assert all(one["column"] >= 1 and one["message"] and one["remedy"] for one in problems)


def test_verify_needs_no_fafd_and_accepts_good_units(stopped_faf):
    """`faf verify` reads files by itself; a warning is no failure."""
    faf = stopped_faf
    good = faf.unit("good", ExecStart=faf.script("x", "exit 0"))
    faf.faf("verify", good, check=0)
    warned = faf.unit("warned", f"[Task]\nExecStart={faf.scripts}/x\nNoSuchKey=1\n")
    done = faf.faf("verify", warned)
    assert "NoSuchKey" in done.stdout + done.stderr
    names = faf.unit("names", f"[Unit]\nOnFailure=good god\n[Task]\nExecStart={faf.scripts}/x\n")
    done = faf.faf("verify", names, check=0)
    assert f"{names}:2:1: warning: OnFailure=: there is no task god in {faf.units}" in done.stdout and "did you mean good?" in done.stdout
    assert faf.faf("verify", good, faf.unit("bad", MISTAKES)).returncode == BAD_INPUT
    assert faf.faf("verify", faf.units + "/nowhere.task").returncode in (NOT_FOUND, BAD_INPUT)


# ---------------------------------------------------------------- 1000 fires


@pytest.mark.parametrize("clients", [1, 8])
def test_a_thousand_fires(faf, clients):
    """1 000 fires of /bin/true one after another and 8 at a time: all recorded, none lost, nothing left in fafd."""
    faf.unit("t", ExecStart="/bin/true")
    faf.ends(faf.fire("t"), "succeeded")
    wait_for(faf.is_clean, 5)
    before = len(faf.daemon.descriptors())
    numbers, errors = [], []

    def client():
        try:
            # As the command line does: one connection for each fire.
            for _ in range(1000 // clients):
                numbers.append(faf.call("Fire", {"task": "t"})["run"]["number"])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    wait_for(lambda: all(run["state"] in FINAL for run in faf.runs()), 30, every=0.2)
    runs = {run["number"]: run for run in faf.runs()}
    assert len(set(numbers)) == 1000 and set(numbers) | {min(runs)} == set(runs)
    assert {run["state"] for run in runs.values()} == {"succeeded"}
    assert all(run["attempts"][0]["exitStatus"] == 0 and len(run["attempts"]) == 1 for run in runs.values())
    wait_for(faf.is_clean, 10)
    wait_for(lambda: len(faf.daemon.descriptors()) <= before, 5, lambda: faf.daemon.descriptors())
    assert system.zombies_of(faf.pid) == []
    faf.restart()
    assert len(faf.runs()) == 1001


# ---------------------------------------------------------------- faf


def test_fire_wait_exits_as_the_script_did(faf):
    """`fire --wait` exits with the script's own status, 128+signal as a shell does."""
    for name, text, status in (
        ("a", "exit 0", 0),
        ("b", "exit 3", 3),
        ("c", "kill -TERM $$", 143),
        ("d", "kill -KILL $$", 137),
    ):
        faf.task(name, text)
        assert faf.faf("fire", name, "--wait").returncode == status


@needs_systemd_notify
def test_fire_status_to_stdout(faf):
    """`--status-to-stdout` shows the statuses as they come."""
    faf.task("t", "systemd-notify --status=one; sleep 0.3; systemd-notify --status=two; sleep 0.3")
    text = faf.faf("fire", "t", "--wait", "--status-to-stdout", check=0).stdout
    assert re.search(r"one\n(.*\n)*.*two", text), text


def test_wait_waits_for_all(faf):
    """`faf wait RUN...` returns when all are over; its exit code tells a failure."""
    faf.puppet_unit()
    first, second = faf.puppet(), faf.puppet()
    waiting = faf.helper(
        faf.programs + "/faf",
        "wait",
        str(first.run),
        str(second.run),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"FAF_SOCKET": faf.socket_path, "LANG": "C.UTF-8"},
    )
    first.tell("os._exit(0)")
    faf.ends(first.run, "succeeded")
    assert waiting.poll() is None
    second.tell("os._exit(0)")
    assert waiting.wait(10) == 0
    assert faf.faf("wait", str(first.run)).returncode == 0
    faf.task("f", "exit 9")
    run = faf.fire("f")
    assert faf.faf("wait", str(run)).returncode != 0
    faf.refused("wait", "99999", code=NOT_FOUND)


def test_the_wait_method_streams_in_order_of_ends(faf):
    """Wait with `more`: one reply for each run as it ends."""
    faf.puppet_unit()
    first, second, third = (faf.puppet() for _ in range(3))
    with faf.wire() as wire:
        stream = wire.stream("Wait", {"runs": [first.run, second.run, third.run]})
        for puppet in (second, third, first):
            puppet.tell("os._exit(0)")
            assert [run["number"] for run in next(stream)["runs"]] == [puppet.run]
        assert [reply for reply in stream if reply.get("runs")] == []


def test_logs_and_logs_follow(faf):
    """`faf logs RUN [-f]` shows the output; -f goes on until the run is over."""
    faf.task("t", f"echo first; while [ ! -e {faf.out}/go ]; do sleep 0.05; done; echo second")
    run = faf.fire("t")
    wait_for(lambda: faf.faf("logs", str(run), check=0).stdout == "first\n", 5)
    following = faf.helper(
        faf.programs + "/faf",
        "logs",
        str(run),
        "-f",
        stdout=subprocess.PIPE,
        env={"FAF_SOCKET": faf.socket_path, "LANG": "C.UTF-8"},
    )
    assert select.select([following.stdout], [], [], 5)[0]
    assert following.stdout.readline() == b"first\n"
    faf.output("go").touch()
    assert following.stdout.readline() == b"second\n"
    assert following.wait(10) == 0


def test_list_and_show_in_json(faf):
    """`faf list --json` is one array; field names are those of the wire."""
    faf.unit("t", ExecStart="/bin/true")
    numbers = [faf.fire("t") for _ in range(25)]
    for number in numbers:
        faf.ends(number, "succeeded")
    listed = faf.json("list")
    assert isinstance(listed, list) and len(listed) == 20
    assert [run["number"] for run in faf.json("list", "--all")] == numbers[::-1]
    run = faf.json("show", str(numbers[0]))
    assert run == faf.run(numbers[0])
    assert {
        "number",
        "task",
        "state",
        "reason",
        "parameters",
        "uid",
        "script",
        "priority",
        "queuedAt",
        "startedAt",
        "endedAt",
        "attempts",
    } <= set(run)
    assert {"number", "invocationId", "state", "exitStatus", "reason", "startedAt", "endedAt", "usage"} <= set(
        run["attempts"][0]
    )
    assert [task["name"] for task in faf.json("tasks")] == ["t"]


def test_exit_codes_are_distinct(faf):
    """Distinct exit codes for usage, not found, bad parameter; what is wrong is said on stderr, with a remedy."""
    faf.unit("t", "[Task]\nExecStart=/bin/true\n[Parameters]\nn=integer\n")
    for arguments, code in (
        (("nonsense",), USAGE),
        (("fire",), USAGE),
        (("fire", "t", "nonsense"), USAGE),
        (("kill", "x y"), (USAGE, NOT_FOUND)),
        (("fire", "there-is-none"), NOT_FOUND),
        (("show", "99999"), NOT_FOUND),
        (("cat", "there-is-none"), NOT_FOUND),
        (("fire", "t", "--n=x"), BAD_INPUT),
        (("kill", "1", "-s", "NOTASIGNAL"), (USAGE, BAD_INPUT)),
    ):
        done = faf.faf(*arguments)
        codes = code if isinstance(code, tuple) else (code,)
        assert done.returncode in codes, (arguments, done.returncode, done.stderr)
        assert done.stderr and not done.stdout, arguments


def test_colour_only_on_a_terminal(faf):
    """No escape sequence reaches a pipe."""
    faf.puppet_unit()
    puppet = faf.puppet()
    puppet.notify("STATUS=x\nX_FAF_PROGRESS=1/2")
    for arguments in (("status",), ("list",), ("show", str(puppet.run)), ()):
        assert "\x1b" not in faf.faf(*arguments, check=0, environment={"TERM": "xterm-256color"}).stdout


def test_run_in_the_foreground(faf):
    """`run --foreground TASK`: the same checks and environment, the caller's own rights; no run is recorded."""
    faf.task("t", f'printf "%s\\0" "$@" > {faf.out}/argv; echo "task $FAF_TASK"; exit 3')
    own = [] if faf.root else ["--user", "--socket", faf.socket_path]
    done = faf.faf("run", "--foreground", *own, "t", "--b=2", "--a=x y")
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert "task t" in done.stdout
    assert faf.output("argv").read_bytes() == b"--a=x y\0--b=2\0"
    assert faf.runs() == []
    os.chmod(faf.scripts + "/t", 0o777)
    faf.output("argv").unlink()
    assert faf.faf("run", "--foreground", *own, "t").returncode not in (0, 3)
    assert not faf.output("argv").exists()


def test_cat_shows_files_and_effective_values(faf):
    """`faf cat TASK`: the unit with its drop-ins, and the effective value of each setting."""
    path = faf.unit("t", "[Task]\nExecStart=/bin/true\nNice=3\n")
    faf.unit("t.task.d/x.conf", "[Task]\nNice=5\n")
    faf.faf("reload", check=0)
    text = faf.faf("cat", "t", check=0).stdout
    assert path in text and "x.conf" in text and "Nice=3" in text and "Nice=5" in text
    reply = faf.call("GetTask", {"task": "t"})
    settings = {one["key"]: one for one in reply["settings"]}
    assert settings["Nice"]["value"] == "5" and settings["Nice"]["source"].endswith("x.conf:2")
    assert settings["TimeoutStopSec"]["source"] == "default"


def test_analyze(stopped_faf):
    """`faf analyze KIND VALUE` and `--json-lines`: how faf reads a value."""
    faf = stopped_faf
    assert (
        "5min" in faf.faf("analyze", "timespan", "300", check=0).stdout
        or "300" in faf.faf("analyze", "timespan", "300").stdout
    )
    lines = [
        ({"kind": "timespan", "case": {"input": "5min"}}, 300_000_000),
        ({"kind": "boolean", "case": {"input": "on"}}, True),
        ({"kind": "size", "case": {"input": "1K"}}, 1024),
        ({"kind": "signal", "case": {"input": "TERM"}}, 15),
    ]
    done = subprocess.run(
        [faf.programs + "/faf", "analyze", "--json-lines"],
        text=True,
        capture_output=True,
        timeout=20,
        input="".join(json.dumps(line) + "\n" for line, _ in lines)
        + '{"kind": "timespan", "case": {"input": "5 lightyears"}}\n{"kind": "nothing", "case": {}}\n',
    )
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reply.get("value") for reply in replies[:4]] == [value for _, value in lines]
    assert "error" in replies[4] and ("unsupported" in replies[5] or "error" in replies[5])


SHIPPED = CHECKOUT / "units"


@pytest.mark.skipif(not list(SHIPPED.glob("*.task")), reason="no units in this checkout")
def test_the_shipped_units_are_valid(stopped_faf):
    """units/: every one of them passes `faf verify`, errors aside that tell of a script not installed here."""
    for path in sorted(SHIPPED.glob("*.task")):
        done = stopped_faf.faf("verify", str(path))
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.strace
def test_a_plain_fire_goes_the_short_way_and_nothing_else_does(faf):
    """The short way looks at the answer without taking it: one that is no run is for the ordinary way."""
    faf.task("t", "exit 0")

    def looks(*arguments):
        command, how = faf.cli(arguments)
        log = pathlib.Path(faf.out, "strace")
        done = subprocess.run(["strace", "-o", log, "-e", "trace=recvfrom", *command], timeout=30, **how)
        calls = [line for line in log.read_text().splitlines() if line.startswith("recvfrom")]
        return done.returncode, ["MSG_PEEK" in line for line in calls]

    assert looks("fire", "t", "--text=a b") == (0, [True])
    assert looks("fire", "t", "--json") == (0, [False])
    assert looks("fire", "nosuch") == (NOT_FOUND, [True, False])
