"""Threat model, section G: restart and adoption; and the suite "crash points"."""

import os
import pathlib
import signal
import stat
import threading
import time

import harness
import pytest
import system
import wire
from harness import ALICE, BOB
from system import is_running, wait_for
from wire import Closed, WireError


def test_g1_a_restart_is_not_noticed(faf):
    """G1: kill -9, any number of times: no signal, no lost status, time or timer."""
    faf.puppet_unit()
    puppet = faf.puppet()
    puppet("""
caught = []
for one in set(range(1, 65)) - {9, 19, 17, 32, 33}:
    signal.signal(one, lambda number, frame: caught.append(number))
""")
    before = faf.run(puppet.run)
    for number in range(5):
        faf.kill9()
        puppet.notify(f"STATUS=down {number}")
        faf.start()
        run = faf.run(puppet.run)
        assert run["status"] == f"down {number}"
        for key in ("number", "task", "state", "queuedAt", "startedAt", "parameters", "uid", "script"):
            assert run[key] == before[key], key
        assert run["attempts"][0]["invocationId"] == before["attempts"][0]["invocationId"]
        assert run["attempts"][0]["shimPid"] == before["attempts"][0]["shimPid"]
        assert len(run["attempts"]) == 1
    assert puppet("result = caught") == []
    puppet.tell("os._exit(9)")
    faf.ends(puppet.run, "failed", "exit-code", 9)


def test_g1_a_clean_stop_touches_no_task(faf):
    """Design 1: `systemctl restart fafd`: SIGTERM, then a new one; tasks go on."""
    faf.puppet_unit()
    puppet = faf.puppet()
    pid = faf.main_pid(puppet.run)
    faf.stop()
    assert is_running(pid) and puppet("result = 1") == 1
    faf.start()
    assert faf.main_pid(puppet.run) == pid


def test_g1_ends_while_fafd_is_down_are_known(faf):
    """G1: exit status, signal and times of what ended meanwhile."""
    faf.puppet_unit()
    first, second = faf.puppet(), faf.puppet()
    faf.kill9()
    before = time.time() * 1e6
    first.notify("STATUS=last")
    first.tell("os._exit(4)")
    second.tell("os.kill(os.getpid(), 11)")
    wait_for(lambda: len(faf.ends_on_disk()) == 2, 10, "both ends are on disk")
    after = time.time() * 1e6
    faf.start()
    run = faf.ends(first.run, "failed", "exit-code", 4)
    assert before <= run["endedAt"] <= after + 1e6 and run["status"] == "last"
    run = faf.wait(second.run)
    assert run["attempts"][0]["signal"] == "SIGSEGV" and run["reason"]["kind"] in ("signal", "core-dump")
    wait_for(faf.is_clean, 5)


def test_h5_the_store_has_the_end_and_no_file(faf):
    """H5: an end that a living fafd stores costs no file: nothing was made in ends/ or removed from it. A disk or a
    machine that is busy for longer than the shim waits costs one."""
    faf.task("t", "exit 3")
    for _ in range(20):
        before = os.stat(faf.state + "/ends").st_mtime_ns
        faf.ends(faf.fire("t"), "failed", "exit-code", 3)
        wait_for(faf.is_clean, 5)
        if os.stat(faf.state + "/ends").st_mtime_ns == before:
            return
    raise AssertionError("each end was a file")


def test_h5_an_end_that_fafd_does_not_store_is_durable(faf):
    """H5: fafd stands still when the script ends, and dies without having stored it. All that is left is the file."""
    faf.puppet_unit()
    puppet = faf.puppet()
    attempt = faf.attempt(puppet.run)
    faf.pause()
    puppet.tell("os._exit(6)")
    wait_for(faf.ends_on_disk, 10, "the end is on disk")
    wait_for(lambda: not is_running(attempt["shimPid"]), 10)
    faf.kill9()
    os.unlink(faf.record_path(attempt["invocationId"]))
    faf.start()
    faf.ends(puppet.run, "failed", "exit-code", 6)
    wait_for(faf.is_clean, 5)


@pytest.mark.strace
def test_h5_an_end_that_comes_late_does_not_stay(faf):
    """H5: fafd stores the end while its shim, whose time was over, is just writing it: it goes all the same."""
    faf.puppet_unit()
    puppet = faf.puppet()
    attempt = faf.attempt(puppet.run)
    with system.Strace(attempt["shimPid"], "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=1000000:when=1"):
        faf.pause()
        puppet.tell("os._exit(6)")
        wait_for(lambda: system.listdir(faf.state + "/ends"), 10, "the end is being written")
        faf.go_on()
        faf.ends(puppet.run, "failed", "exit-code", 6)
        wait_for(lambda: not is_running(attempt["shimPid"]), 10)
    wait_for(lambda: system.listdir(faf.state + "/ends") == [], 5)
    assert faf.is_clean()


def outcome_of_fire(faf, **options):
    """(number, None): acknowledged; (None, error): refused; (None, None): the connection was lost."""
    try:
        with faf.wire(**options) as wire:
            return wire.call("Fire", {"task": "t"})["run"]["number"], None
    except WireError as error:
        return None, error
    except (Closed, OSError):
        return None, None


def check_history(faf, acknowledged, refused=()):
    """No acknowledged run is forgotten, doubled or without an end; a refused one never ran; else at most once."""
    runs = {run["number"]: run for run in faf.runs()}
    assert set(acknowledged) <= set(runs), f"forgotten: {set(acknowledged) - set(runs)}"
    for number in runs:
        faf.wait(number, 20)
    runs = {run["number"]: run for run in faf.runs()}
    executed = [int(line.split()[0]) for line in faf.marks()]
    assert len(executed) == len(set(executed)), f"executed twice: {executed}"
    for number, run in runs.items():
        assert run["state"] in ("succeeded", "lost", "failed"), run
        if number in acknowledged:
            assert run["state"] == "succeeded" and number in executed, run
        if run["state"] == "succeeded":
            assert number in executed
    assert set(executed) <= set(runs), "what ran is known"
    return runs


def fire_until_killed(faf, count, calls, k):
    """Acknowledged fires until fafd is killed at its k-th of these calls (of one thread); True if it was."""
    acknowledged, was_killed = [], False
    with faf.traced("-e", f"trace={calls}", "-e", f"inject={calls}:signal=SIGKILL:when={k}"):
        for _ in range(count):
            number, error = outcome_of_fire(faf, timeout=10)
            if number is None and error is None:
                was_killed = True
                break
            acknowledged += [number] if number else []
    if not was_killed:
        faf.daemon.process.kill()
    faf.daemon.process.wait(10)
    return acknowledged, was_killed


@pytest.mark.root
@pytest.mark.strace
@pytest.mark.parametrize("k", range(1, 10))
def test_g1_killed_at_the_kth_sync_of_a_fire(faf, k):
    """G1: SIGKILL of fafd at its k-th fsync or fdatasync during fires."""
    faf.unit("t", ExecStart=faf.marker())
    acknowledged, was_killed = fire_until_killed(faf, 60, "fsync,fdatasync", k)
    assert was_killed, f"{len(acknowledged)} fires took fewer than {k} syncs of any thread"
    faf.start()
    number, error = outcome_of_fire(faf)
    assert number, error
    check_history(faf, [*acknowledged, number])
    wait_for(faf.is_clean, 10, lambda: (faf.live_records(), faf.ends_on_disk(), faf.notify_sockets()))


CLASSES = {
    "write": "write,pwrite64,writev",
    "send": "sendmsg,sendto",
    "open": "openat",
    "rename": "rename,renameat,renameat2,unlink,unlinkat",
    "read": "recvmsg,recvfrom,read",
    "process": "pidfd_open,socketpair,close,fcntl",
}


@pytest.mark.root
@pytest.mark.strace
@pytest.mark.parametrize("name", CLASSES)
def test_crash_points_of_fafd(faf, name):
    """Suite 1: for each class of system calls, fafd (existing threads) is killed at the k-th call of a fire."""
    faf.unit("t", ExecStart=faf.marker())
    acknowledged, kills = [], 0
    for k in (1, 2, 3, 5, 8, 13):
        number, _ = outcome_of_fire(faf)
        more, was_killed = fire_until_killed(faf, 6, CLASSES[name], k)
        acknowledged += [number, *more]
        kills += was_killed
        faf.start()
    assert kills >= 2, f"fafd was killed at {kills} of the points"
    check_history(faf, acknowledged)
    wait_for(faf.is_clean, 10, lambda: (faf.live_records(), faf.ends_on_disk(), faf.notify_sockets()))


SHIM_CLASSES = {
    "write": "pwrite64,pwritev,write",
    "open": "openat,linkat,link",
    "rename": "rename,renameat,renameat2,unlink,unlinkat",
    "socket": "bind,sendmsg,sendto,recvmsg,recvfrom,read",
    "clone": "clone3,clone,waitid,wait4,pidfd_open",
    "poll": "poll,ppoll",
    "sync": "fsync,fdatasync",
}


@pytest.mark.root
@pytest.mark.strace
@pytest.mark.cgroup
@pytest.mark.parametrize("name", SHIM_CLASSES)
def test_crash_points_of_the_shim(faf, name):
    """Suite 1: the shim is killed at its k-th call: relaunched, lost or ended; never doubled, never made up."""
    # Long enough for the shim to wait for it.
    faf.unit("t", ExecStart=faf.marker(more="sleep 0.03\n"))
    faf.ends(faf.fire("t"), "succeeded")
    mother = wait_for(faf.mother, 5)
    acknowledged, refusals = [], 0
    for k in (1, 2, 3, 4, 6, 9):
        # strace counts per process, so each shim has its own k-th call; scripts are left alone from their execve on.
        with system.Strace(
            mother,
            *("-b", "execve", "-e", f"trace=execve,{SHIM_CLASSES[name]}"),
            *("-e", f"inject={SHIM_CLASSES[name]}:signal=SIGKILL:when={k}"),
            follow=True,
        ):
            for _ in range(2):
                number, error = outcome_of_fire(faf, timeout=15)
                acknowledged += [number] if number else []
                refusals += error is not None
            for number in acknowledged:
                faf.wait(number, 15)
        if not is_running(mother):
            faf.ends(faf.fire("t"), "succeeded")
            mother = wait_for(faf.mother, 5)
    runs = {run["number"]: faf.wait(run["number"], 15) for run in faf.runs()}
    executed = [int(line.split()[0]) for line in faf.marks()]
    assert len(executed) == len(set(executed)), f"executed twice: {sorted(executed)}"
    for number, run in runs.items():
        if run["state"] == "succeeded":
            assert number in executed
        elif run["state"] == "lost":
            assert run["attempts"][-1].get("exitStatus") is None
    assert set(acknowledged) <= set(runs) and set(executed) <= set(runs)
    # A shim that is killed while it writes the end has recorded how the script ended: that is kept.
    assert (
        name == "sync" or refusals or [run for run in runs.values() if run["state"] != "succeeded"]
    ), "nothing was killed"
    faf.ends(faf.fire("t"), "succeeded")
    everything = (faf.live_records, faf.ends_on_disk, faf.notify_sockets, faf.attempt_cgroups)
    wait_for(faf.is_clean, 10, lambda: [one() for one in everything])


@pytest.mark.root
def test_crash_at_random_moments_under_load(faf):
    """Suite 4, short: four clients fire, fafd is killed again and again: the history is right."""
    faf.unit("t", ExecStart=faf.marker())
    acknowledged, stop = [], threading.Event()

    def client():
        while not stop.is_set():
            number, _ = outcome_of_fire(faf, timeout=10)
            if number:
                acknowledged.append(number)
            else:
                time.sleep(0.02)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for round in range(8):
            goal = len(acknowledged) + 5 + round * 3
            wait_for(lambda: len(acknowledged) >= goal, 20, lambda: f"{len(acknowledged)} of {goal} acknowledged")
            faf.restart()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(set(acknowledged)) == len(acknowledged)
    check_history(faf, acknowledged)
    wait_for(faf.is_clean, 20)


def test_a_clean_stop_under_load_loses_nothing(faf):
    """SIGTERM while four clients fire: it ends in time, with 0; what was acknowledged runs, what was refused does not."""
    faf.unit("t", ExecStart=faf.marker())
    acknowledged, refused, stop = [], [], threading.Event()

    def client():
        while not stop.is_set():
            number, error = outcome_of_fire(faf, timeout=10)
            if number:
                acknowledged.append(number)
            else:
                refused.append(error)
                time.sleep(0.02)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for round in range(5):
            goal = len(acknowledged) + 10
            wait_for(lambda: len(acknowledged) >= goal, 20)
            began = time.monotonic()
            faf.stop()
            assert time.monotonic() - began < 5
            faf.start()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {error.error for error in refused if error} <= {"Unavailable", "LimitReached"}
    check_history(faf, acknowledged)
    wait_for(faf.is_clean, 20)


def test_g2_the_mother_is_replaced(faf):
    """Design 3: a mother that is killed takes nothing with her; the next fire has a new one."""
    faf.puppet_unit()
    puppet = faf.puppet()
    mother = wait_for(faf.mother, 5)
    os.kill(mother, signal.SIGKILL)
    wait_for(lambda: not is_running(mother), 5)
    faf.unit("t", ExecStart="/bin/true")
    faf.ends(faf.fire("t"), "succeeded")
    assert faf.run(puppet.run)["state"] == "running"
    assert wait_for(faf.mother, 5) != mother


@pytest.mark.root
@pytest.mark.strace
def test_g2_a_shim_without_its_go_never_runs(faf):
    """G2, H1: fafd dies while the shim waits at its gate: the script does not run, the record goes."""
    faf.unit("t", ExecStart=faf.marker())
    faf.ends(faf.fire("t"), "succeeded")
    wait_for(faf.is_clean, 5)
    with faf.traced("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=5000000"):
        thread = threading.Thread(target=outcome_of_fire, args=(faf,))
        thread.start()
        wait_for(faf.live_records, 10, "a shim is at its gate")
        faf.kill9()
    thread.join()
    wait_for(lambda: not faf.live_records(), 10, "the shim removes its record")
    assert len(faf.marks()) == 1
    faf.start()
    # Its row may have been written, or not; if so it never ran and runs now, once.
    check_history(faf, [])
    wait_for(faf.is_clean, 5)


@pytest.mark.root
def test_g3_nobody_else_opens_what_is_on_disk(faf):
    """G3: as bob no record, end, database or log can be opened or listed."""
    faf.task("t", "echo secret; exec sleep 300", TimeoutStopSec="1s", User=ALICE, Group=ALICE)
    faf.running(faf.fire("t", "--key=value"))
    record = faf.record_path(faf.live_records()[0])
    assert stat.S_IMODE(os.stat(record).st_mode) == 0o600 and os.stat(record).st_uid == 0
    for directory in ("runs",):
        found = os.stat(f"{faf.runtime}/{directory}")
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (0, 0o700)
    paths = [
        str(path) for root in (faf.state, faf.runtime + "/runs", faf.logs) for path in pathlib.Path(root).rglob("*")
    ]
    assert len(paths) > 5

    def try_all(uid, own):
        opened = []
        for path in paths:
            if own and (path.endswith(own) or own + "/" in path):
                continue
            try:
                if os.path.isdir(path):
                    os.listdir(path)
                else:
                    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                opened.append(path)
            except OSError:
                continue
        return opened

    for uid in (BOB, ALICE):
        # Alice may enter what is made for her run, and nothing else.
        assert wire.as_ids(uid, uid, [], lambda: try_all(uid, "/io/1.1" if uid == ALICE else None)) == []
        for directory in (faf.state, faf.runtime + "/runs", faf.runtime + "/notify", faf.state + "/ends", faf.logs):
            with pytest.raises(PermissionError):
                wire.as_ids(uid, uid, [], lambda: os.listdir(directory))


@pytest.mark.root
def test_g3_a_lock_on_a_record_is_no_shim(faf):
    """G3: an unrelated process whose pid stands in a record is not signalled."""
    faf.puppet_unit()
    puppet = faf.puppet()
    faf.kill9()
    attempt_shim = system.parent(puppet("result = os.getpid()"))
    os.kill(attempt_shim, signal.SIGKILL)
    innocent = faf.helper("sleep", "300")
    (name,) = faf.live_records()
    record = faf.record(name)
    record.change("started", main_pid=innocent.pid)
    record.write(faf.record_path(name))
    faf.start()
    faf.ends(puppet.run, "lost", "lost")
    assert innocent.poll() is None


@pytest.mark.cgroup
@pytest.mark.parametrize("moment", ["alive", "dead"])
def test_g4_a_dead_shim_means_lost_and_empty(faf, moment):
    """G4: kill -9 of the shim, with fafd alive or dead: `lost`, its processes are gone, no other run is touched."""
    faf.task(
        "t",
        f"(setsid sh -c 'trap \"\" TERM; echo $$ > {faf.out}/child; while :; do sleep 1; done' &)\nexec sleep 300",
        TimeoutStopSec="30s",
    )
    run = faf.fire("t")
    faf.puppet_unit()
    other = faf.puppet()
    main, shim = faf.main_pid(run), faf.shim_pid(run)
    child = int(wait_for(lambda: system.read(f"{faf.out}/child").strip(), 5))
    if moment == "dead":
        faf.kill9()
    os.kill(shim, signal.SIGKILL)
    if moment == "dead":
        wait_for(lambda: not is_running(shim), 5)
        faf.start()
    found = faf.ends(run, "lost", "lost")
    assert not is_running(main) and not is_running(child)
    assert found["attempts"][-1].get("exitStatus") is None and found["attempts"][-1].get("signal") is None
    assert faf.run(other.run)["state"] == "running" and other("result = 7") == 7
    wait_for(lambda: not os.path.exists(faf.attempt_cgroup(run)), 5)
    wait_for(lambda: len(faf.live_records()) == 1 and len(faf.notify_sockets()) == 1, 5)


def test_g_streams_of_before_end_and_can_be_taken_up(faf):
    """A wait in a killed fafd loses its connection; a new one gets the end."""
    faf.puppet_unit()
    puppet = faf.puppet()
    with faf.wire() as wire:
        wire.send("Wait", {"runs": [puppet.run]})
        faf.kill9()
        with pytest.raises(Closed):
            wire.receive()
    faf.start()
    with faf.wire() as wire:
        wire.send("Wait", {"runs": [puppet.run]})
        puppet.tell("os._exit(6)")
        reply, _ = wire.receive()
        assert reply["runs"][0]["attempts"][-1]["exitStatus"] == 6


def test_g_faf_says_that_there_is_no_fafd(faf):
    """Exit code 69, a message with a remedy."""
    faf.stop()
    for arguments in (("list",), ("status",), ("fire", "t"), ("kill", "1"), ("wait", "1"), ()):
        text = faf.refused(*arguments, code=harness.NO_FAFD)
        assert "fafd" in text
