"""Every row of the start-up table (design 3), produced on purpose."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

import harness
import pytest
import system
from harness import FINAL
from records import Record
from system import is_running, wait_for
from test_g_restart import outcome_of_fire

pytestmark = pytest.mark.root


@pytest.fixture
def table(faf):
    """`t`: marks its execution, then is a puppet; `q` is over at once."""
    faf.puppet_unit()
    with open(faf.scripts + "/t", "w") as file:
        file.write(
            f'#!/bin/sh\necho "$FAF_RUN $FAF_ATTEMPT $INVOCATION_ID" >> {faf.out}/m.mark\n'
            f"export PUPPET_OUT={faf.out}\nexec {faf.scripts}/puppet\n"
        )
    os.chmod(faf.scripts + "/t", 0o755)
    faf.unit("t", ExecStart=faf.scripts + "/t", TimeoutStopSec="20s")
    faf.unit("q", ExecStart="/bin/true")
    faf.ends(faf.fire("q"), "succeeded")
    wait_for(faf.is_clean, 5)
    return faf


def crash(faf, puppet, shim=False, script=False):
    """Ends fafd and, if asked for, the shim and then the script of a run, all by SIGKILL."""
    attempt = faf.attempt(puppet.run)
    faf.kill9()
    if shim:
        os.kill(attempt["shimPid"], signal.SIGKILL)
        wait_for(lambda: not is_running(attempt["shimPid"]), 5)
    if script:
        system.kill_quietly(attempt["mainPid"])
        wait_for(lambda: not is_running(attempt["mainPid"]), 5)
        if faf.cgroup:
            cgroup = faf.attempt_cgroup(puppet.run)
            wait_for(lambda: not [pid for pid in system.cgroup_pids(cgroup) if is_running(pid)], 5)
    return attempt


def all_is_settled(faf):
    """Nothing of the run is left on disk; another restart changes nothing; other fires work."""
    wait_for(
        faf.is_clean, 5, lambda: (faf.live_records(), faf.ends_on_disk(), faf.notify_sockets(), faf.attempt_cgroups())
    )
    before = [(run["number"], run["state"]) for run in faf.runs()]
    faf.restart()
    assert [(run["number"], run["state"]) for run in faf.runs()] == before
    faf.ends(faf.fire("q"), "succeeded")


def start_on_another_boot(faf):
    """Starts a fafd that sees another boot id."""
    other = faf.base + "/boot_id"
    with open(other, "w") as file:
        file.write("01234567-89ab-4cde-8f01-23456789abcd\n")
    faf.start(
        prefix=[
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            f'mount --bind {other} /proc/sys/kernel/random/boot_id && exec "$@"',
            "sh",
        ]
    )
    # The prefix execs: the pid is fafd's.
    assert "fafd" in system.read(f"/proc/{faf.pid}/cmdline").split("\0")[0]


# ---------------------------------------------------------------- active, other boot id


@pytest.mark.mount
def test_row_1_other_boot_id_with_a_durable_end(table):
    """active, other boot id: its durable end counts."""
    faf = table
    puppet = faf.puppet("t")
    attempt = crash(faf, puppet)
    puppet.notify("STATUS=the last")
    puppet.tell("os._exit(12)")
    wait_for(faf.ends_on_disk, 5)
    # The machine restarts: what lay on tmpfs is gone.
    shutil.rmtree(faf.runtime)
    start_on_another_boot(faf)
    run = faf.ends(puppet.run, "failed", "exit-code", 12)
    assert run["status"] == "the last" and run["attempts"][0]["invocationId"] == attempt["invocationId"]
    assert len(faf.marks()) == 1
    all_is_settled(faf)


@pytest.mark.mount
@pytest.mark.parametrize("record", ["gone", "left"])
def test_row_1_other_boot_id_without_an_end(table, record):
    """active, other boot id, no end: `lost` (reboot); no pid of that boot is looked at."""
    faf = table
    puppet = faf.puppet("t")
    attempt = crash(faf, puppet, shim=True, script=True)
    innocent = faf.helper("sleep", "300")
    if record == "gone":
        shutil.rmtree(faf.runtime)
    else:
        # /run outlived the boot, and the pids in it belong to somebody else now.
        found = faf.record(attempt["invocationId"])
        found.change("started", main_pid=innocent.pid)
        found.write(faf.record_path(attempt["invocationId"]))
    start_on_another_boot(faf)
    run = faf.ends(puppet.run, "lost", "reboot")
    assert run["attempts"][0].get("exitStatus") is None
    assert innocent.poll() is None and len(faf.marks()) == 1
    all_is_settled(faf)


def test_row_1_other_boot_id_in_the_record(table):
    """active, other boot id (a changed record): `lost`, and the pids in it are not looked at."""
    faf = table
    puppet = faf.puppet("t")
    attempt = crash(faf, puppet, shim=True, script=True)
    innocent = faf.helper("sleep", "300")
    found = faf.record(attempt["invocationId"])
    found.change("head", boot_high=1, boot_low=2)
    found.change("started", main_pid=innocent.pid)
    found.write(faf.record_path(attempt["invocationId"]))
    faf.start()
    faf.ends(puppet.run, "lost")
    assert innocent.poll() is None and len(faf.marks()) == 1
    all_is_settled(faf)


# ---------------------------------------------------------------- active, at the gate

HOLDER = """
import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


def hold_lock(faf, path):
    """A process that holds a record's lock, as its shim would, until its stdin is closed."""
    holder = faf.helper(sys.executable, "-c", HOLDER, path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"locked\n"
    return holder


def at_the_gate(faf, puppet):
    """Row active; the record as it was before the go."""
    attempt = crash(faf, puppet, shim=True, script=True)
    path = faf.record_path(attempt["invocationId"])
    record = faf.record(attempt["invocationId"])
    record.back_to_gate()
    record.write(path)
    os.unlink(f"{faf.out}/p.{puppet.run}")
    return attempt, path


def test_row_2_at_the_gate_and_held(table):
    """active, at the gate, held: wait; when the shim leaves at its end of file, the run is launched."""
    faf = table
    puppet = faf.puppet("t")
    attempt, path = at_the_gate(faf, puppet)
    holder = hold_lock(faf, path)
    faf.start()
    for _ in range(20):
        run = faf.run(puppet.run)
        assert run["state"] == "starting" and len(faf.marks()) == 1, run
    assert run["attempts"][-1]["invocationId"] == attempt["invocationId"]
    # What a shim does at its end of file: it removes its record and leaves.
    os.unlink(path)
    holder.stdin.close()
    holder.wait(5)
    run = faf.running(puppet.run)
    assert len(run["attempts"]) == 1
    assert run["attempts"][0]["invocationId"] != attempt["invocationId"]
    wait_for(lambda: len(faf.marks()) == 2, 5)


@pytest.mark.strace
@pytest.mark.cgroup
def test_row_2_a_shim_that_has_its_go(table):
    """active, at the gate, held: a shim that has its go runs, exactly once, though fafd died right after sending it."""
    faf = table
    result = {}
    with faf.traced("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=700000"):
        thread = threading.Thread(target=lambda: result.update(number=outcome_of_fire(faf)[0]))
        thread.start()
        (name,) = wait_for(faf.live_records, 10)
        (shim,) = [
            pid
            for pid in system.cgroup_pids(faf.cgroup + "/shims")
            if any(name in path for path in system.descriptors(pid).values())
        ]
        os.kill(shim, signal.SIGSTOP)
        thread.join()
    number = result["number"]
    assert number, "it is acknowledged: the go is on its way"
    assert faf.run(number)["state"] == "starting"
    faf.restart()
    assert faf.run(number)["state"] == "starting" and faf.marks() == []
    os.kill(shim, signal.SIGCONT)
    run = faf.running(number)
    assert run["attempts"][0]["invocationId"] == name and run["attempts"][0]["shimPid"] == shim
    assert [int(line.split()[0]) for line in faf.marks()] == [number]


@pytest.mark.parametrize("record", ["gate", "none"])
def test_row_3_at_the_gate_or_none_and_free(table, record):
    """active, at the gate or no record, free: it never ran: a new invocation id is committed, and it is launched."""
    faf = table
    puppet = faf.puppet("t")
    attempt, path = at_the_gate(faf, puppet)
    if record == "none":
        os.unlink(path)
    faf.start()
    run = faf.running(puppet.run)
    (new,) = run["attempts"]
    assert new["number"] == 1 and new["invocationId"] != attempt["invocationId"]
    wait_for(lambda: len(faf.marks()) == 2, 5)
    assert faf.marks()[1] == f"{puppet.run} 1 {new['invocationId']}"
    assert faf.live_records() == [new["invocationId"]]
    faf.restart()
    assert faf.running(puppet.run)["attempts"] == run["attempts"], "committed: the same after one more crash"
    assert len(faf.marks()) == 2
    faf.kill(puppet.run)
    faf.ends(puppet.run, "killed")
    all_is_settled(faf)


# ---------------------------------------------------------------- active, passed


def test_row_4_passed_and_held(table):
    """active, passed, no exited, held: running or stopping: watch."""
    faf = table
    running, stopping = faf.puppet("t"), faf.puppet("t")
    stopping("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    faf.kill(stopping.run)
    faf.wait_state(stopping.run, "stopping", timeout=5)
    attempt = crash(faf, running)
    faf.start()
    assert faf.run(running.run)["state"] == "running" and faf.run(stopping.run)["state"] == "stopping"
    assert faf.attempt(running.run)["shimPid"] == attempt["shimPid"]
    with faf.wire() as wire:
        wire.send("Wait", {"runs": [running.run]})
        running.tell("os._exit(3)")
        assert wire.receive()[0]["runs"][0]["state"] == "failed"
    stopping.tell("os._exit(0)")
    faf.ends(stopping.run, "killed")
    assert len(faf.marks()) == 2
    all_is_settled(faf)


@pytest.mark.cgroup
def test_row_5_passed_and_free(table):
    """active, passed, no exited, free: `lost` (shim killed); the cgroup is emptied first."""
    faf = table
    puppet = faf.puppet("t")
    child = puppet("import subprocess; result = subprocess.Popen(['sleep', '300'], start_new_session=True).pid")
    attempt = crash(faf, puppet, shim=True)
    assert is_running(attempt["mainPid"]) and is_running(child), "without its shim, and still there"
    faf.start()
    run = faf.ends(puppet.run, "lost", "lost")
    assert not is_running(attempt["mainPid"]) and not is_running(child)
    assert run["attempts"][0].get("exitStatus") is None and run["attempts"][0].get("signal") is None
    assert len(faf.marks()) == 1
    all_is_settled(faf)


def leave_something(faf, puppet, status):
    """The script ends; a child that ignores TERM keeps the attempt from being empty."""
    child = puppet("""
import subprocess
child = subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
result = child.pid
""")
    wait_for(lambda: int(system.status_field(child, "SigIgn"), 16) & 1 << 14, 5)
    puppet.tell(f"os._exit({status})")
    wait_for(lambda: faf.attempt(puppet.run).get("exitStatus") == status, 5)
    assert faf.run(puppet.run)["state"] == "stopping"
    return child


@pytest.mark.cgroup
def test_row_6_exited_and_free(table):
    """active, exited, no emptied, free: the cgroup is emptied, the recorded status is kept."""
    faf = table
    puppet = faf.puppet("t")
    child = leave_something(faf, puppet, 7)
    crash(faf, puppet, shim=True)
    assert is_running(child)
    faf.start()
    faf.ends(puppet.run, "failed", "exit-code", 7)
    assert not is_running(child) and len(faf.marks()) == 1
    all_is_settled(faf)


def test_row_6_exited_and_held(table):
    """active, exited, no emptied, held: its shim is stopping the rest: watch, `stopping`."""
    faf = table
    puppet = faf.puppet("t")
    child = leave_something(faf, puppet, 0)
    crash(faf, puppet)
    faf.start()
    assert faf.run(puppet.run)["state"] == "stopping"
    os.kill(child, signal.SIGKILL)
    faf.ends(puppet.run, "succeeded")
    all_is_settled(faf)


@pytest.mark.parametrize("left", ["both", "record", "end"])
def test_row_7_emptied_or_a_durable_end(table, left):
    """active, emptied or a durable end: commit the end."""
    faf = table
    puppet = faf.puppet("t")
    puppet.notify("STATUS=done\nX_FAF_PROGRESS=4/4\nX_FAF_RESULT=r")
    attempt = crash(faf, puppet)
    puppet.tell("os._exit(5)")
    wait_for(faf.ends_on_disk, 5)
    wait_for(lambda: not is_running(attempt["shimPid"]), 5)
    record, end = faf.record_path(attempt["invocationId"]), faf.end_path(attempt["invocationId"])
    assert Record.read(record).get("emptied") and Record.read(end).get("emptied")
    if left == "record":
        os.unlink(end)
    elif left == "end":
        os.unlink(record)
    faf.start()
    run = faf.ends(puppet.run, "failed", "exit-code", 5)
    assert (run["status"], run["progress"], run["result"]) == ("done", {"done": 4, "total": 4}, "r")
    usage = run["attempts"][0]["usage"]
    assert usage["userUSec"] + usage["systemUSec"] > 0
    assert len(faf.marks()) == 1
    all_is_settled(faf)


def test_row_8_damaged(table):
    """active, damaged: `lost`, never launched again; the file is set aside and named."""
    faf = table
    puppet = faf.puppet("t")
    attempt = crash(faf, puppet, shim=True)
    path = faf.record_path(attempt["invocationId"])
    record = faf.record(attempt["invocationId"])
    record.damage("head")
    record.write(path)
    faf.start()
    faf.ends(puppet.run, "lost")
    assert not is_running(attempt["mainPid"]) and len(faf.marks()) == 1
    assert not os.path.exists(path)
    assert [name for name in system.listdir(faf.state + "/damaged") if attempt["invocationId"] in name]
    assert attempt["invocationId"] in faf.log_text()
    all_is_settled(faf)


def test_row_8_a_record_of_a_newer_version_is_kept(table):
    """Design 3: a record with a newer major version is shown, killable through its cgroup, never deleted."""
    faf = table
    puppet = faf.puppet("t")
    attempt = crash(faf, puppet)
    path = faf.record_path(attempt["invocationId"])
    record = faf.record(attempt["invocationId"])
    record.change("head", major=2)
    # Written in place: the shim that holds the lock goes on with the same file.
    with open(path, "r+b") as file:
        file.write(record.data)
    faf.start()
    assert faf.run(puppet.run)["state"] not in FINAL
    assert os.path.exists(path) and puppet("result = 5") == 5
    if faf.cgroup:
        faf.kill(puppet.run)
        wait_for(lambda: not is_running(attempt["mainPid"]), 10)
        assert os.path.exists(path)


# ---------------------------------------------------------------- no row, or a final one


@pytest.fixture
def before(table):
    """A copy of the store from before the fires of the test."""
    table.stop()
    path = table.copy_store("before")
    table.start()
    return path


def test_row_9_no_row_and_not_passed(table, before):
    """none, not passed: delete (that fire was refused or never acknowledged)."""
    faf = table
    puppet = faf.puppet("t")
    attempt, path = at_the_gate(faf, puppet)
    faf.restore_store(before)
    faf.start()
    wait_for(lambda: not os.path.exists(path), 5)
    assert puppet.run not in [run["number"] for run in faf.runs()]
    assert len(faf.marks()) == 1
    assert faf.fire("q") > puppet.run
    all_is_settled(faf)


def test_row_9_no_row_and_held_at_the_gate(table, before):
    """none, at the gate, held: it sees its end of file, and goes."""
    faf = table
    puppet = faf.puppet("t")
    attempt, path = at_the_gate(faf, puppet)
    faf.restore_store(before)
    holder = hold_lock(faf, path)
    faf.start()
    faf.ends(faf.fire("q"), "succeeded")
    holder.stdin.close()
    holder.wait(5)
    wait_for(lambda: not os.path.exists(path), 5)
    assert puppet.run not in [run["number"] for run in faf.runs()] and len(faf.marks()) == 1
    all_is_settled(faf)


@pytest.mark.parametrize("phase", ["running", "ended"])
def test_row_10_no_row_and_passed(table, before, phase):
    """none, passed: restore the row."""
    faf = table
    number = faf.call("Fire", {"task": "t", "parameters": {"a": "x y", "n": 5}})["run"]["number"]
    puppet = harness.Puppet(faf, number)
    faf.puppets.append(puppet)
    was = faf.run(number)
    faf.kill9()
    if phase == "ended":
        puppet.tell("os._exit(6)")
        wait_for(faf.ends_on_disk, 5)
    faf.restore_store(before)
    faf.start()
    run = wait_for(lambda: [run for run in faf.runs() if run["number"] == number], 5)[0]
    for key in ("task", "parameters", "uid", "script", "queuedAt", "priority"):
        assert run[key] == was[key], key
    if phase == "running":
        assert run["state"] == "running" and run["attempts"][0]["shimPid"] == was["attempts"][0]["shimPid"]
        faf.kill(number)
        faf.ends(number, "killed")
    else:
        faf.ends(number, "failed", "exit-code", 6)
    assert len(faf.marks()) == 1
    assert faf.fire("q") > number
    all_is_settled(faf)


def test_row_11_a_final_row(table):
    """final, any: record, end, socket and cgroup are deleted."""
    faf = table
    puppet = faf.puppet("t")
    invocation = faf.attempt(puppet.run)["invocationId"]
    live = faf.record(invocation)
    puppet.tell("os._exit(5)")
    faf.ends(puppet.run, "failed", "exit-code", 5)
    wait_for(faf.is_clean, 5)
    faf.kill9()
    live.write(faf.record_path(invocation))
    live.write(faf.end_path(invocation))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(f"{faf.runtime}/notify/{invocation}")
    if faf.cgroup:
        os.mkdir(faf.attempt_cgroup(puppet.run))
    faf.start()
    wait_for(
        faf.is_clean, 5, lambda: (faf.live_records(), faf.ends_on_disk(), faf.notify_sockets(), faf.attempt_cgroups())
    )
    run = faf.ends(puppet.run, "failed", "exit-code", 5)
    assert len(faf.marks()) == 1 and len(run["attempts"]) == 1
    all_is_settled(faf)


@pytest.mark.cgroup
def test_row_11_empty_cgroups_without_a_record(table):
    """Design 3: at start empty cgroups without a record are deleted, too."""
    faf = table
    faf.kill9()
    os.mkdir(f"{faf.cgroup}/t/123456.1")
    faf.start()
    wait_for(lambda: faf.attempt_cgroups() == [], 5)
