"""Threat model, section A: who is calling."""

import json
import os
import pathlib
import select
import threading
import time

import pytest
import system
from harness import ALICE, BOB, for_each
from system import wait_for
from wire import Closed, WireError, connect

pytestmark = pytest.mark.root

SECRET = "cafe-parameter-4711"


def sleeper(faf, name="t", **settings):
    """A unit that sleeps until it is killed."""
    return faf.task(name, "exec sleep 300", TimeoutStopSec="2s", **settings)


def test_a1_groups_come_from_the_kernel(faf):
    """A1: SO_PEERGROUPS decides; 2000 needs no entry in /etc/group."""
    faf.unit("g", ExecStart="/bin/true", AllowGroups=2000)
    faf.fire("g", uid=ALICE, groups=[2000])
    faf.fire("g", uid=ALICE, gid=2000)
    text = faf.refused("fire", "g", uid=ALICE)
    assert "AllowGroups=" in text or "AllowUsers=" in text
    assert len(faf.runs()) == 2


def test_a1_no_field_of_a_message_decides(faf):
    """A1: a uid in a message is an unknown parameter, or without meaning outside of them."""
    faf.unit("t", ExecStart="/bin/true")
    with faf.wire(uid=ALICE) as wire:
        for more in ({"uid": 0}, {"user": "root"}, {"credentials": {"uid": 0}}):
            with pytest.raises(WireError) as error:
                wire.call("Fire", {"task": "t", **more})
            assert error.value.error in ("PermissionDenied", "InvalidParameter")
        message = {"method": "io.faf.Supervisor.Fire", "parameters": {"task": "t"}, "uid": 0}
        wire.send_bytes(json.dumps(message).encode() + b"\0")
        with pytest.raises(WireError) as error:
            wire.receive()
        assert error.value.error == "PermissionDenied"
    assert faf.runs() == []


def test_a1_the_peers_socket_address_decides_nothing(faf):
    """A1: snapd CVE-2019-7304: a client that binds its socket to a name with uid=0 in it stays what it is."""
    faf.unit("t", ExecStart="/bin/true")
    for address in (f"{faf.out}/x;uid=0;", "\0faft;uid=0;pid=1;" + faf.base):
        with faf.wire(uid=ALICE, bind=address) as wire, pytest.raises(WireError) as error:
            wire.call("Fire", {"task": "t"})
        assert error.value.error == "PermissionDenied"


def test_a1_credentials_are_those_at_connect(faf):
    """A1: a connection made as alice stays alice's, whoever writes to it."""
    faf.unit("t", ExecStart="/bin/true")
    with faf.wire(uid=ALICE) as wire:  # connected as alice, written to by root
        with pytest.raises(WireError) as error:
            wire.call("Fire", {"task": "t"})
        assert error.value.error == "PermissionDenied"


def test_a2_bob_sees_nothing_of_alices_run(faf):
    """A2: every verb on alice's run is refused, and no text holds its parameter."""
    sleeper(faf, User=ALICE, Group=ALICE)
    run = faf.fire("t", f"--key={SECRET}", uid=ALICE)
    faf.running(run)
    for arguments in (
        ("fire", "t"),
        ("status", run),
        ("show", run),
        ("logs", run),
        ("wait", run),
        ("kill", run),
        ("kill", "t"),
        ("kill", run, "-s", "USR1"),
        ("show", run, "--json"),
        ("reload",),
    ):
        text = faf.refused(*map(str, arguments), uid=BOB)
        assert SECRET not in text
        assert "AllowUsers=" in text or "root" in text, f"names what would allow it: {text}"
    for arguments in (("list",), ("list", "--all"), ("status",), ("list", "--json"), ()):
        done = faf.faf(*arguments, uid=BOB)
        assert SECRET not in done.stdout + done.stderr
    with faf.wire(uid=BOB) as wire:
        for method, parameters in (
            ("Fire", {"task": "t"}),
            ("GetRun", {"run": run}),
            ("Kill", {"run": run}),
            ("Kill", {"task": "t"}),
            ("Wait", {"runs": [run]}),
            ("ReadLog", {"run": run}),
            ("Reload", {}),
        ):
            with pytest.raises(WireError) as error:
                wire.call(method, parameters)
            assert error.value.error == "PermissionDenied", method
            assert SECRET not in str(error.value)
        assert wire.call("ListRuns")["runs"] == []
    with faf.wire(uid=BOB) as wire, pytest.raises(WireError) as error:
        next(wire.stream("Watch", {"run": run}))
    assert error.value.error == "PermissionDenied"
    assert faf.run(run)["state"] == "running"


def test_a2_alice_and_root_may(faf):
    """A2: whoever fired it, root, and whom the unit allowed may see and kill a run."""
    sleeper(faf, User=ALICE, Group=ALICE, AllowUsers=BOB)
    first = faf.fire("t", uid=BOB)
    second = faf.fire("t")
    faf.running(first)
    faf.running(second)
    assert faf.json("show", str(first), uid=BOB)["uid"] == BOB
    faf.kill(second, uid=BOB)
    faf.kill(first)
    faf.ends(first, "killed")
    faf.ends(second, "killed")


def test_a2_the_overflow_user_matches_no_allow_list(faf):
    """A2: 65534 means "not mapped here"; it never matches."""
    faf.unit("t", ExecStart="/bin/true", AllowUsers=65534, AllowGroups=65534)
    faf.unit("v", ExecStart="/bin/true", AllowUsers=[65534, ALICE], AllowGroups=65534)
    for name in ("t", "v"):
        for ids in ({"uid": 65534}, {"uid": BOB, "groups": [65534]}, {"uid": BOB, "gid": 65534}):
            with faf.wire(**ids) as wire, pytest.raises(WireError) as error:
                wire.call("Fire", {"task": name})
            assert error.value.error in ("PermissionDenied", "BadUnit")
    assert faf.runs() == []


def test_a2_an_unknown_task_and_a_forbidden_one_start_nothing(faf):
    """A2: default is no: a unit that allows nobody is root's alone."""
    faf.unit("t", ExecStart="/bin/true")
    assert "AllowUsers=" in faf.refused("fire", "t", uid=ALICE)
    faf.ends(faf.fire("t"), "succeeded")


def test_a3_a_second_fafd_stops_and_the_first_still_answers(faf):
    """A3: the second one on the same state directory exits 1; nothing of the first is touched."""
    before = os.stat(faf.socket_path).st_ino
    for options in ({}, {"runtime": faf.base + "/other"}, {"state": faf.base + "/state2"}):
        second = faf.spawn(command=faf.command(**options))
        assert second.process.wait(10) == 1, options
        faf.daemons.remove(second)
        second.ready.close()
        assert os.stat(faf.socket_path).st_ino == before
        assert faf.call("GetInfo")["pid"] == faf.pid
    faf.unit("t", ExecStart="/bin/true")
    faf.ends(faf.fire("t"), "succeeded")


def test_a2_a_broken_unit_tells_strangers_its_place_alone(faf):
    """A2: what is wrong with a line may quote it, and a line may hold a secret."""
    faf.unit("t", f'[Task]\nExecStart=/bin/true\nUMask={SECRET}\n')
    assert SECRET in faf.refused("fire", "t", code=65)
    text = faf.refused("fire", "t", code=65, uid=BOB)
    assert SECRET not in text and "t.task:3" in text
    with faf.wire(uid=BOB) as wire:
        assert SECRET not in json.dumps(wire.call("ListTasks"))


def test_a3_one_runtime_directory_has_one_fafd(stopped_faf):
    """A3: with state directories of their own as well: the other one's records would be orphans to each."""
    faf = stopped_faf
    both = [faf.spawn(command=faf.command(state=f"{faf.base}/state{number}")) for number in range(4)]
    wait_for(lambda: sum(daemon.is_alive() for daemon in both) == 1, 15, "one is left")
    faf.daemons.sort(key=lambda daemon: daemon.is_alive())
    assert [daemon.process.returncode for daemon in faf.daemons[:-1]] == [1, 1, 1]


def test_a3_two_at_once_leave_one(stopped_faf):
    """A3: `fafd & fafd`: a lock decides, so one of them serves."""
    faf = stopped_faf
    both = [faf.spawn() for _ in range(4)]
    wait_for(lambda: sum(daemon.is_alive() for daemon in both) == 1, 15, "one is left")
    faf.daemons.sort(key=lambda daemon: daemon.is_alive())
    wait_for(lambda: os.path.exists(faf.socket_path), 10)
    assert wait_for(lambda: faf.call("GetInfo"), 5)["pid"] == faf.pid
    assert [daemon.process.returncode for daemon in faf.daemons[:-1]] == [1, 1, 1]


def test_a3_a_dead_socket_is_replaced(faf):
    """A3: a socket that a killed fafd left behind does not stop the next one."""
    faf.kill9()
    assert os.path.exists(faf.socket_path)
    faf.start()
    assert faf.call("GetInfo")["pid"] == faf.pid


def test_a3_what_is_no_socket_is_not_unlinked(stopped_faf):
    """A3: fafd unlinks only a dead socket of its own."""
    faf = stopped_faf
    faf.start()
    faf.stop()
    if os.path.exists(faf.socket_path):
        os.unlink(faf.socket_path)
    with open(faf.socket_path, "w") as file:
        file.write("precious")
    assert faf.spawn().process.wait(10) != 0
    assert system.read(faf.socket_path) == "precious"


def test_a3_the_sockets_directory_is_roots(faf):
    """A3: only root can write where the socket lies."""
    path = os.path.dirname(faf.socket_path)
    while True:
        found = os.stat(path)
        assert found.st_uid == 0 and not found.st_mode & 0o022, path
        if path == "/":
            break
        path = os.path.dirname(path)


VALID = json.dumps({"method": "io.faf.Supervisor.Fire", "parameters": {"task": "t"}}).encode() + b"\0"


GARBAGE = [
    b"garbage\0",
    b"\0",
    b"[1]\0",
    b"{}\0",
    b'{"method":\0',
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\0",
    b"\xff\xfe\0",
    b'{"method": 5}\0',
    b'{"method":"io.faf.Supervisor.Fire","method":"io.faf.Supervisor.Fire"}\0',
    b'{"method":"io.faf.Supervisor.Fire"} x\0',
    b"null\0",
    b'"text"\0',
]


def test_a4_after_a_malformed_frame_nothing_more_is_read(faf):
    """A4: garbage + NUL + a valid Fire: closed, and no run."""
    faf.unit("t", ExecStart=faf.marker())

    def check(garbage):
        for pieces in ([garbage + VALID], [garbage, VALID]):
            with faf.wire() as wire:
                try:
                    for piece in pieces:
                        wire.send_bytes(piece)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                assert wire.is_closed(), "the connection is closed"
        assert faf.runs() == [] and faf.marks() == []

    for_each(GARBAGE, check)


def test_a5_idle_connections_do_not_stop_root(stopped_faf):
    """A5: `prlimit --nofile=64` and 200 idle connections of bob: `faf list` as root < 1 s, fafd idle."""
    faf = stopped_faf
    faf.start(prefix=["prlimit", "--nofile=64:64"])
    held = []
    try:
        for _ in range(200):
            try:
                held.append(connect(faf.socket_path, BOB, timeout=0.05))
            except OSError:
                continue
        began = time.monotonic()
        faf.faf("list", check=0)
        assert time.monotonic() - began < 1
        before = system.cpu_seconds(faf.pid)
        time.sleep(1)  # the time over which CPU is measured
        assert system.cpu_seconds(faf.pid) - before < 0.2
    finally:
        for one in held:
            one.close()
    faf.unit("t", ExecStart="/bin/true")
    faf.ends(faf.fire("t"), "succeeded")


@pytest.mark.root
def test_a5_runs_and_connections_leave_descriptors_for_root(stopped_faf):
    """A5: at the descriptor limit fires and callers are refused by name; root lists and kills, and no run is harmed."""
    faf = stopped_faf
    faf.start(prefix=["prlimit", "--nofile=64:64"])
    faf.task("t", "exec sleep 300", AllowUsers=str(BOB), TimeoutStopSec="1s")
    runs = []
    refused = None
    while refused is None and len(runs) < 64:
        fired = faf.faf("fire", "t", check=None)
        if fired.returncode == 0:
            runs.append(int(fired.stdout))
        else:
            refused = fired.stderr
    assert runs and "LimitNOFILE=" in refused, refused
    held = []
    try:
        for _ in range(60):
            try:
                held.append(connect(faf.socket_path, BOB, timeout=0.05))
            except OSError:
                continue
        began = time.monotonic()
        assert {run["number"] for run in faf.runs() if run["state"] == "running"} == set(runs)
        faf.kill(runs[0])
        faf.ends(runs[0], "killed")
        assert time.monotonic() - began < 3
    finally:
        for one in held:
            one.close()
    assert {run["number"] for run in faf.runs() if run["state"] == "running"} == set(runs[1:])


def test_a5_connections_per_uid_are_limited(faf):
    """A5: 256 connections per uid; the next one is told so by a typed error, or closed; others are served."""
    held = [connect(faf.socket_path, BOB, timeout=5) for _ in range(300)]
    try:

        def refused():
            return [one for one in held if select.select([one], [], [], 0)[0]]

        wait_for(lambda: len(refused()) >= 44, 10, lambda: f"{len(refused())} of 300 were refused")
        assert len(refused()) <= 50
        for one in refused():
            data = one.recv(65536)
            assert data == b"" or b"LimitReached" in data
        faf.faf("list", check=0)
        assert faf.call("ListRuns", uid=ALICE)["runs"] == []
    finally:
        for one in held:
            one.close()
    wait_for(lambda: can_call(faf, BOB), 10, "bob is served again")


def can_call(faf, uid):
    try:
        faf.call("GetInfo", uid=uid)
        return True
    except (WireError, Closed, OSError):
        return False


def test_a5_requests_in_flight_are_limited(faf):
    """A5: 64 calls in flight on one connection; one more is LimitReached, or not read before there is room."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    run = faf.fire("t")
    faf.running(run)
    with faf.wire() as wire:
        message = {"method": "io.faf.Supervisor.Wait", "parameters": {"runs": [run]}}
        wire.socket.settimeout(2)
        try:
            wire.send_bytes((json.dumps(message).encode() + b"\0") * 200)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        assert faf.run(run)["state"] == "running", "others are served"
        assert len(faf.daemon.descriptors()) < 200
        faf.kill(run)
        wire.socket.settimeout(10)
        ended = refused = 0
        try:
            while ended + refused < 200:
                try:
                    wire.receive()
                    ended += 1
                except WireError as error:
                    assert error.error == "LimitReached"
                    refused += 1
        except Closed:
            pass
        assert ended >= 64 or refused, (ended, refused)
    assert faf.call("GetInfo")["pid"] == faf.pid


def test_a5_a_message_over_one_mebibyte_is_refused(faf):
    """A5: message size: a typed error or a closed connection, and fafd goes on."""

    def check(size):
        with faf.wire() as wire:
            try:
                wire.send_bytes(b'{"method":"io.faf.Supervisor.Fire","parameters":{"task":"' + b"t" * size + b'"}}\0')
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert wire.is_closed()
        assert faf.call("GetInfo")["pid"] == faf.pid

    for_each([(1 << 20) + 1, 2 << 20, 8 << 20], check)


def test_a5_a_message_below_one_mebibyte_is_read(faf):
    """A5: the limit is no smaller than it says."""
    with faf.wire() as wire, pytest.raises(WireError) as error:
        wire.call("Fire", {"task": "t" * ((1 << 20) - 200)})
    assert error.value.error in ("NoSuchTask", "InvalidParameter")


def test_a5_nesting_is_limited(faf):
    """A5: a value nested 100 000 deep does not end fafd."""
    faf.unit("t", ExecStart="/bin/true")
    deep = b"[" * 100_000 + b"]" * 100_000
    with faf.wire() as wire:
        try:
            wire.send_bytes(
                b'{"method":"io.faf.Supervisor.Fire","parameters":{"task":"t","parameters":{"a":' + deep + b"}}}\0"
            )
            with pytest.raises((WireError, Closed)):
                wire.receive()
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert faf.call("GetInfo")["pid"] == faf.pid
    assert faf.runs() == []


def test_a5_a_client_that_does_not_read_costs_little(faf):
    """A5: unsent output is limited: a stream that nobody reads does not grow fafd, nor stop others."""
    faf.puppet_unit()
    puppet = faf.puppet()
    with faf.wire() as wire:
        wire.send("Watch", {"run": puppet.run}, more=True)
        before = int(system.status_field(faf.pid, "VmRSS").split()[0])
        puppet("""
for index in range(400):
    notify("STATUS=" + str(index) * 900)
""")
        puppet.notify("STATUS=end")
        wait_for(lambda: faf.run(puppet.run)["status"] == "end", 10)
        assert int(system.status_field(faf.pid, "VmRSS").split()[0]) - before < 32_000
    assert faf.call("GetInfo")["pid"] == faf.pid


def test_a5_silent_connections_are_closed_in_time(faf):
    """A5: time for the first message: half a message does not hold a connection for ever, nor stop others."""
    with faf.wire(uid=BOB) as wire:
        wire.send_bytes(b'{"method":"io.faf')
        assert faf.call("ListRuns", uid=BOB)["runs"] == []
        assert wire.is_closed(timeout=60), "a half message is given up on within a minute"


def test_a5_fires_at_the_descriptor_limit_are_refused_or_run(stopped_faf):
    """A5: with 64 descriptors and hundreds of fires at once: each is refused by a typed error, or runs to its end."""
    faf = stopped_faf
    faf.start(prefix=["prlimit", "--nofile=64:64"])
    faf.unit("t", ExecStart=faf.marker())
    outcomes = []

    def client():
        for _ in range(25):
            try:
                outcomes.append(faf.call("Fire", {"task": "t"})["run"]["number"])
            except WireError as error:
                outcomes.append(error.error)
            except (Closed, OSError):
                outcomes.append("closed")

    threads = [threading.Thread(target=client) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [one for one in outcomes if isinstance(one, int)]
    # The script check needs descriptors, too.
    typed = {"LaunchFailed", "LimitReached", "StoreFailed", "ScriptRefused", "closed"}
    assert {one for one in outcomes if isinstance(one, str)} <= typed
    assert len(numbers) > 50, outcomes
    for number in numbers:
        faf.ends(number, "succeeded", timeout=30)
    assert sorted(int(line.split()[0]) for line in faf.marks()) == sorted(numbers)
    faf.ends(faf.fire("t"), "succeeded")


def test_a6_uninvited_descriptors_are_closed(faf):
    """A6: 10 descriptors with a request: the count of fafd's stays as it was."""
    faf.unit("t", ExecStart="/bin/true")
    faf.ends(faf.fire("t"), "succeeded")
    wait_for(faf.is_clean, 10)
    message = json.dumps({"method": "io.faf.Supervisor.GetInfo"}).encode() + b"\0"
    with faf.wire() as wire:
        wire.call("GetInfo")
        before = len(faf.daemon.descriptors())
        with open("/dev/null") as null:
            for count in (1, 10, 253):
                wire.send_with_descriptors(message, [null.fileno()] * count)
                assert wire.receive()[0]["pid"] == faf.pid
                # Also in the middle of a message, where the control message may be cut off.
                wire.send_with_descriptors(message[:7], [null.fileno()] * count)
                wire.send_bytes(message[7:])
                assert wire.receive()[0]["pid"] == faf.pid
        wait_for(
            # The pidfd of the run's shim may have gone since.
            lambda: len(faf.daemon.descriptors()) <= before,
            5,
            lambda: f"{before} descriptors; now {faf.daemon.descriptors()}",
        )


@pytest.mark.strace
def test_a_user_database_that_hangs_keeps_nobody_else_waiting(faf):
    """Names are looked up on a thread that may hang, once in a while: other calls are answered, and so is the same fire
    again a moment later."""
    faf.task("t", "exit 0")
    outcome = {}

    def stopped():
        return any(
            system.status_field(f"{faf.pid}/task/{task}", "State").startswith("t")
            for task in os.listdir(f"/proc/{faf.pid}/task")
        )

    hangs = ["-P", "/etc/passwd", "-e", "trace=openat", "-e", "inject=openat:delay_enter=4000000"]
    with system.Strace(faf.pid, *hangs, follow=True):
        thread = threading.Thread(target=lambda: outcome.update(done=faf.faf("fire", "t")))
        thread.start()
        wait_for(stopped, 10, "the look-up hangs")
        assert faf.runs() == []
        assert "done" not in outcome
        thread.join()
    assert outcome["done"].returncode == 0
    log = pathlib.Path(faf.out, "strace")
    with system.Strace(faf.pid, "-P", "/etc/passwd", "-e", "trace=openat", follow=True, log=log):
        faf.fire("t")
    assert "passwd" not in log.read_text()
