"""Threat model, section H: what is on disk."""

import os
import signal
import sqlite3
import threading
import time

import pytest
import system
from harness import OTHER, TEMPORARY
from system import is_running, wait_for
from test_g_restart import check_history, outcome_of_fire
from wire import WireError


@pytest.mark.root
@pytest.mark.strace
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_h1_what_cannot_be_synced_is_refused(faf, error):
    """H1: the error at every fsync and fdatasync of fafd: refused by name, and `mark` never ran."""
    faf.unit("t", ExecStart=faf.marker())
    with faf.traced("-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:error={error}"):
        for _ in range(3):
            number, refusal = outcome_of_fire(faf)
            assert number is None
            if refusal is not None:
                assert refusal.error == "StoreFailed", refusal
                assert refusal.parameters["message"] and refusal.parameters["remedy"]
    assert faf.marks() == []
    # A failed fsync is never retried into success: fafd recovers by itself, or stops.
    if not faf.daemon.is_alive():
        faf.start()
    wait_for(lambda: outcome_of_fire(faf)[0], 10, "fires work again")
    wait_for(lambda: len(faf.marks()) >= 1, 5)
    faf.restart()
    runs = check_history(faf, [])
    assert len(faf.marks()) == len([run for run in runs.values() if run["state"] == "succeeded"])


@pytest.mark.root
@pytest.mark.strace
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("k", range(1, 5))
def test_h1_an_error_at_the_kth_sync(faf, error, k):
    """H1: refused means it has not run and will not; acknowledged means that it did."""
    faf.unit("t", ExecStart=faf.marker())
    acknowledged = []
    with faf.traced("-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:error={error}:when={k}"):
        for _ in range(4):
            number, _ = outcome_of_fire(faf)
            if number:
                acknowledged.append(number)
    ran = {int(line.split()[0]) for line in faf.marks()}
    for number in acknowledged:
        faf.wait(number)
    if not faf.daemon.is_alive():
        faf.start()
    else:
        faf.restart()
    check_history(faf, acknowledged)
    assert {int(line.split()[0]) for line in faf.marks()} == set(acknowledged) | ran
    assert set(acknowledged) == {int(line.split()[0]) for line in faf.marks()}, "what was refused never ran"


@pytest.mark.root
@pytest.mark.strace
def test_h1_the_script_waits_for_its_row(faf):
    """H1: while the commit takes its time, the shim is ready and the script has not begun."""
    faf.unit("t", ExecStart=faf.marker())
    faf.ends(faf.fire("t"), "succeeded")
    wait_for(faf.is_clean, 5)
    result = {}
    with faf.traced("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=600000"):
        thread = threading.Thread(target=lambda: result.update(number=outcome_of_fire(faf)[0]))
        thread.start()
        wait_for(faf.live_records, 10, "a shim is at its gate")
        (name,) = faf.live_records()
        assert faf.record(name).get("passed") is None
        assert len(faf.marks()) == 1 and "number" not in result
        thread.join()
    faf.ends(result["number"], "succeeded")
    assert len(faf.marks()) == 2


@pytest.mark.root
@pytest.mark.strace
def test_h1_a_slow_disk_stops_only_fires(faf):
    """K, F5 in spirit: while a commit takes 3 s, show, list, kill and what runs go on."""
    faf.puppet_unit()
    faf.unit("t", ExecStart="/bin/true")
    puppet = faf.puppet()
    faf.task("s", "exec sleep 300", TimeoutStopSec="1s")
    sleeping = faf.fire("s")
    main = faf.main_pid(sleeping)
    with faf.traced("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=3000000"):
        thread = threading.Thread(target=outcome_of_fire, args=(faf,))
        thread.start()
        wait_for(lambda: len(faf.live_records()) == 3, 5)
        began = time.monotonic()
        puppet.notify("STATUS=on the way")
        assert faf.run(puppet.run)["status"] == "on the way"
        assert {run["number"] for run in faf.runs()} >= {puppet.run, sleeping}
        faf.call("Kill", {"run": sleeping})
        wait_for(lambda: not is_running(main), 5)
        assert time.monotonic() - began < 1.5, "nothing waited for the disk"
        thread.join()
    faf.ends(sleeping, "killed")


@pytest.mark.root
def test_h3_numbers_rise_strictly_over_fifty_crashes(faf):
    """H3: 50 crashes; numbers are never used twice."""
    faf.unit("t", ExecStart="/bin/true")
    numbers = []
    for _ in range(50):
        numbers += [faf.call("Fire", {"task": "t"})["run"]["number"] for _ in range(2)]
        faf.restart()
    assert numbers == sorted(set(numbers)) and len(numbers) == 100
    assert set(numbers) <= {run["number"] for run in faf.runs()}


@pytest.mark.parametrize("loss", ["database", "database and next", "older database"])
def test_h3_numbers_survive_a_lost_database(faf, loss):
    """H3: the database is gone, or an older one is restored: the next number is higher than any before."""
    faf.unit("t", ExecStart="/bin/true")
    faf.puppet_unit()
    faf.ends(faf.fire("t"), "succeeded")
    wait_for(faf.is_clean, 5)
    faf.stop()
    old = faf.copy_store("old")
    faf.start()
    for _ in range(5):
        last = faf.fire("t")
    puppet = faf.puppet()  # the highest number, and its record is there
    faf.kill9()
    if loss == "older database":
        faf.restore_store(old)
    else:
        faf.restore_store(faf.base + "/nothing")
        if loss == "database and next":
            os.unlink(faf.state + "/next")
    faf.start()
    assert puppet.run > last
    new = faf.fire("t")
    assert new > puppet.run
    assert faf.run(puppet.run)["state"] == "running", "its row is restored from its record"
    faf.kill(puppet.run)
    faf.ends(puppet.run, "killed")


@pytest.mark.cgroup
def test_h4_unknown_stays_unknown(faf):
    """H4: no exit code is made up: neither 0 nor anything else for a run whose shim was killed."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    run = faf.fire("t")
    os.kill(faf.shim_pid(run), signal.SIGKILL)
    found = faf.ends(run, "lost", "lost")
    attempt = found["attempts"][-1]
    assert attempt["state"] == "lost" and attempt.get("exitStatus") is None and attempt.get("signal") is None
    done = faf.faf("wait", str(run))
    assert done.returncode != 0, "whoever waits does not take it for a success"
    text = faf.faf("show", str(run), check=0).stdout
    assert "lost" in text


@pytest.fixture
def small_disk(make_faf):
    """fafd with its state on a file system of 6 MB."""
    faf = make_faf()
    faf.mount_tmpfs(faf.state, "size=6m,mode=700")
    faf.start()
    return faf


def fill(faf):
    with open(faf.state + "/filler", "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65536)
        except OSError:
            pass
    # The last bytes, too.
    with open(faf.state + "/filler2", "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            pass


def free(faf):
    for name in ("filler", "filler2"):
        os.unlink(f"{faf.state}/{name}")


@pytest.mark.mount
@pytest.mark.root
def test_h6_a_full_disk(small_disk):
    """H6: fires are refused by name, runs end with their status, fafd restarts, list and kill work, all recovers."""
    faf = small_disk
    faf.unit("t", ExecStart=faf.marker())
    faf.puppet_unit()
    ending, killed, going = faf.puppet(), faf.puppet(), faf.puppet()
    faf.ends(faf.fire("t"), "succeeded")
    fill(faf)
    # Room that the database had reserved may take a few; then fires are refused by name.
    acknowledged = []
    for _ in range(400):
        number, error = outcome_of_fire(faf)
        if error is not None:
            break
        acknowledged.append(number)
        fill(faf)
    assert error is not None and error.error in ("StoreFailed", "LaunchFailed"), error
    text = faf.refused("fire", "t", code=(OTHER, TEMPORARY))
    assert "space" in text.lower() or "full" in text.lower() or "room" in text.lower(), text
    before = len(faf.marks())
    # What runs goes on, says, and ends.
    ending.notify("STATUS=full house\nX_FAF_PROGRESS=2/2")
    assert faf.run(ending.run)["status"] == "full house"
    ending.tell("os._exit(7)")
    wait_for(lambda: faf.run(ending.run)["attempts"][-1].get("exitStatus") == 7, 10)
    assert str(ending.run) in faf.faf("list", check=0).stdout
    # A restart on a full disk works.
    faf.kill9()
    faf.start()
    assert faf.run(going.run)["state"] == "running"
    assert faf.run(ending.run)["attempts"][-1]["exitStatus"] == 7
    faf.faf("list", check=0)
    faf.kill(killed.run)
    wait_for(lambda: faf.attempt(killed.run).get("signal") == "SIGTERM", 10)
    assert len(faf.marks()) == before
    # Room again: everything recovers without a restart.
    free(faf)
    wait_for(lambda: outcome_of_fire(faf)[0], 15, "fires work again")
    run = faf.ends(ending.run, "failed", "exit-code", 7, timeout=20)
    assert run["status"] == "full house" and run["progress"] == {"done": 2, "total": 2}
    faf.ends(killed.run, "killed", timeout=20)
    assert faf.run(going.run)["state"] == "running"
    for number in acknowledged:
        faf.ends(number, "succeeded", timeout=20)
    faf.restart()
    faf.ends(ending.run, "failed", "exit-code", 7)
    faf.ends(killed.run, "killed")


@pytest.mark.mount
@pytest.mark.root
def test_h6_a_disk_that_is_full_from_the_start(stopped_faf):
    """H6: fafd does not start on a disk where it cannot store anything, or starts and refuses; nothing is damaged."""
    faf = stopped_faf
    faf.mount_tmpfs(faf.state, "size=6m,mode=700")
    fill(faf)
    daemon = faf.spawn()
    wait_for(lambda: not daemon.is_alive() or os.path.exists(faf.socket_path), 10)
    if daemon.is_alive():
        faf.kill9()
    else:
        assert "space" in system.read(daemon.log).lower() or "full" in system.read(daemon.log).lower()
    free(faf)
    faf.start()
    faf.unit("t", ExecStart="/bin/true")
    faf.ends(faf.fire("t"), "succeeded")


@pytest.mark.mount
@pytest.mark.root
def test_h6_no_room_for_live_records(make_faf):
    """H6: the tmpfs of the live records is full: fires are refused by name, nothing ran, and it recovers."""
    faf = make_faf()
    faf.mount_tmpfs(faf.runtime, "size=400k,mode=755")
    faf.start()
    faf.unit("t", ExecStart=faf.marker())
    faf.ends(faf.fire("t"), "succeeded")
    wait_for(faf.is_clean, 5)
    with open(faf.runtime + "/filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    with pytest.raises(WireError) as error:
        faf.call("Fire", {"task": "t"})
    assert error.value.error == "LaunchFailed" and error.value.parameters["errno"] == 28
    assert len(faf.marks()) == 1
    os.unlink(faf.runtime + "/filler")
    faf.ends(faf.fire("t"), "succeeded")
    wait_for(faf.is_clean, 5, lambda: (faf.live_records(), faf.ends_on_disk(), faf.notify_sockets()))


def test_h7_no_handle_of_the_store_crosses_a_fork(faf):
    """H7: neither mother nor shim nor script has the database, the lock or a client's connection open."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    run = faf.fire("t")
    with faf.wire():
        run = faf.fire("t")
        for pid in (faf.mother(), faf.shim_pid(run), faf.main_pid(run)):
            found = list(system.descriptors(pid).values())
            assert not [path for path in found if path.startswith(faf.state) and "/ends" not in path], found
        shim = system.descriptors(faf.shim_pid(run))
        assert len(shim) < 16, shim


def damage(faf, invocation, how):
    path = faf.record_path(invocation)
    if how == "truncated":
        os.truncate(path, 100)
    elif how == "empty":
        os.truncate(path, 0)
    elif how == "bit":
        record = faf.record(invocation)
        record.damage("head")
        record.write(path)
    elif how == "garbage":
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            file.write(os.urandom(size))


@pytest.mark.cgroup
@pytest.mark.parametrize("how", ["truncated", "empty", "bit", "garbage"])
def test_h8_a_damaged_record_stops_nothing_else(faf, how):
    """H8: set aside and named; `lost`, never launched again, its processes are gone; the other runs are right."""
    faf.unit("t", ExecStart=faf.marker(more="exec sleep 300"), TimeoutStopSec="1s")
    faf.puppet_unit()
    run, other = faf.fire("t"), faf.puppet()
    main, shim = faf.main_pid(run), faf.shim_pid(run)
    invocation = faf.attempt(run)["invocationId"]
    faf.kill9()
    other.notify("STATUS=right")
    os.kill(shim, signal.SIGKILL)
    wait_for(lambda: not is_running(shim), 5)
    damage(faf, invocation, how)
    faf.start()
    faf.ends(run, "lost")
    assert faf.run(other.run)["status"] == "right" and faf.run(other.run)["state"] == "running"
    assert len(faf.marks()) == 1
    assert not is_running(main)
    assert [name for name in system.listdir(faf.state + "/damaged") if invocation in name], "it is set aside"
    assert invocation in faf.log_text(), "and named"
    faf.restart()
    assert faf.run(run)["state"] == "lost" and len(faf.marks()) == 1


@pytest.mark.cgroup
def test_h8_a_damaged_record_of_a_living_shim(faf):
    """H8: the same while its shim lives on: nothing of the run is left in the end, no other run is touched."""
    faf.unit("t", ExecStart=faf.marker(more="exec sleep 300"), TimeoutStopSec="1s")
    faf.puppet_unit()
    run, other = faf.fire("t"), faf.puppet()
    main = faf.main_pid(run)
    invocation = faf.attempt(run)["invocationId"]
    faf.kill9()
    damage(faf, invocation, "bit")
    faf.start()
    faf.ends(run, "lost")
    wait_for(lambda: not is_running(main), 5)
    assert faf.run(other.run)["state"] == "running" and len(faf.marks()) == 1


@pytest.mark.root
@pytest.mark.strace
@pytest.mark.parametrize("error", ["EMFILE", "EIO", "ENOMEM"])
def test_h4_a_record_that_cannot_be_read_for_now_says_nothing(faf, error):
    """H4: "could not look" is no damage: the run is not lost, its record stays, and all is right when it can be read."""
    faf.puppet_unit()
    puppet, ending = faf.puppet(), faf.puppet()
    paths = [faf.record_path(faf.attempt(one.run)["invocationId"]) for one in (puppet, ending)]
    filters = [word for path in paths for word in ("-P", path)]
    with faf.traced(*filters, "-e", "trace=openat", "-e", f"inject=openat:error={error}"):
        puppet.notify("STATUS=unseen")
        ending.tell("os._exit(8)")
        wait_for(lambda: len(faf.ends_on_disk()) == 1, 5)
        assert faf.run(puppet.run).get("status") is None, "it cannot be read now"
        for _ in range(20):
            assert faf.run(puppet.run)["state"] in ("starting", "running")
            assert faf.run(ending.run)["state"] != "lost"
    assert faf.run(puppet.run)["status"] == "unseen" and faf.run(puppet.run)["state"] == "running"
    faf.ends(ending.run, "failed", "exit-code", 8)
    assert system.listdir(faf.state + "/damaged") == []
    assert puppet("result = 3") == 3


@pytest.mark.parametrize("how", ["garbage", "truncated", "zeros"])
def test_h8_a_damaged_database_is_named(faf, how):
    """H8: set aside and named, or fafd stops and names it; nobody kills what runs."""
    faf.puppet_unit()
    faf.unit("t", ExecStart=faf.marker())
    puppet = faf.puppet()
    for _ in range(3):
        faf.ends(faf.fire("t"), "succeeded")
    faf.stop()
    path = faf.state + "/faf.db"
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        if how == "truncated":
            file.truncate(size // 2)
        else:
            file.write(os.urandom(size) if how == "garbage" else bytes(size))
    for end in ("-wal", "-shm"):
        if os.path.exists(path + end):
            os.unlink(path + end)
    daemon = faf.spawn()
    wait_for(lambda: not daemon.is_alive() or os.path.exists(faf.socket_path) and can_list(faf), 15)
    assert "faf.db" in system.read(daemon.log)
    assert puppet("result = 3") == 3
    if daemon.is_alive():

        def is_back():
            return (puppet.run, "running") in [(run["number"], run["state"]) for run in faf.runs()]

        wait_for(is_back, 5, "its row comes back from its record")
        assert faf.fire("t") > puppet.run
    else:
        assert daemon.process.returncode != 0
        faf.restore_store(faf.base + "/nothing")
        faf.start()
        assert faf.run(puppet.run)["state"] == "running"


def can_list(faf):
    try:
        faf.runs()
        return True
    except (OSError, WireError):
        return False


def test_h8_a_newer_schema_stops_fafd(faf):
    """Design 3: a store with a newer schema makes fafd refuse to start and name it."""
    faf.unit("t", ExecStart="/bin/true")
    faf.ends(faf.fire("t"), "succeeded")
    faf.stop()
    database = sqlite3.connect(faf.state + "/faf.db")
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    (migrations,) = [name for name in tables if "migration" in name]
    database.execute(f"INSERT INTO {migrations} VALUES ('v999')")
    database.commit()
    database.close()
    daemon = faf.spawn()
    assert daemon.process.wait(10) != 0
    assert "faf.db" in system.read(daemon.log) or "v999" in system.read(daemon.log)


@pytest.mark.parametrize("text", ["", "abc\n", "-5\n", "99999999999999999999999\n"])
def test_h8_a_damaged_next_file_repeats_no_number(faf, text):
    """H8, H3: what `next` says is checked; numbers go on rising."""
    faf.unit("t", ExecStart="/bin/true")
    last = faf.fire("t")
    faf.ends(last, "succeeded")
    faf.stop()
    with open(faf.state + "/next", "w") as file:
        file.write(text)
    daemon = faf.spawn()
    wait_for(lambda: not daemon.is_alive() or os.path.exists(faf.socket_path) and can_list(faf), 10)
    if daemon.is_alive():
        assert faf.fire("t") > last
    else:
        assert "next" in system.read(daemon.log)
