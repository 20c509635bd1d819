"""Threat model, section M: without systemd or root."""

import os
import signal
import stat

import pytest
import system
from harness import ALICE, BOB
from system import is_running, wait_for
from wire import connect


@pytest.fixture
def own(make_faf):
    """`fafd --user` as bob (as whoever runs the tests, if that is not root)."""
    faf = make_faf(user_mode=True, uid=BOB if os.geteuid() == 0 else None)
    faf.start()
    return faf


def test_m_every_directory_is_0700(own):
    """M: in user mode only the own uid is served and every directory is 0700."""
    own.task("t", "echo hello")
    own.ends(own.fire("t"), "succeeded")
    for path in (own.runtime, own.state, own.logs, own.runtime + "/runs", own.state + "/ends", own.state + "/io"):
        if os.path.exists(path):
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o700, path
            assert os.stat(path).st_uid == (BOB if own.root else os.geteuid())


@pytest.mark.root
def test_m_alice_cannot_connect(own):
    """M: `fafd --user` as bob; as alice: cannot connect, even if the directory were open; nor can she list anything."""
    with pytest.raises(PermissionError):
        connect(own.socket_path, ALICE)
    assert own.faf("list", uid=ALICE).returncode not in (0,)
    os.chmod(own.runtime, 0o755)
    os.chmod(own.base, 0o755)
    for name in ("fafd.sock",):
        os.chmod(f"{own.runtime}/{name}", 0o777)
    own.unit("t", ExecStart="/bin/true")
    done = own.faf("fire", "t", uid=ALICE)
    assert done.returncode != 0 and own.runs() == []


def test_m_missing_protections_are_named(own):
    """M: each missing protection is named by `faf status`."""
    info = own.call("GetInfo")
    assert info["mode"] == "user"
    kinds = {one["kind"] for one in info["missing"]}
    assert "private-records" in kinds or "other-users" in kinds
    text = own.faf("status", check=0).stdout
    for one in info["missing"]:
        assert one["kind"] in text or one["text"] in text, one


def test_m_a_task_runs_as_oneself(own):
    """M: the same promises: argv, status, ends, restart."""
    own.task("t", f'printf "%s\\0" "$@" > {own.out}/argv; cat /proc/self/status > {own.out}/status')
    run = own.fire("t", "--a=x y")
    own.ends(run, "succeeded")
    assert own.output("argv").read_bytes() == b"--a=x y\0"
    fields = dict(line.split(":", 1) for line in own.output("status").read_text().splitlines())
    assert set(fields["Uid"].split()) == {str(BOB if own.root else os.geteuid())}
    own.restart()
    own.ends(run, "succeeded")


def test_m_a_restart_is_not_noticed(own):
    """M: kill -9 of fafd: the task goes on, its status is there."""
    own.puppet_unit()
    puppet = own.puppet()
    own.kill9()
    puppet.notify("STATUS=alone")
    own.start()
    assert own.run(puppet.run)["status"] == "alone"
    puppet.tell("os._exit(3)")
    own.ends(puppet.run, "failed", "exit-code", 3)


def test_m_other_users_are_refused_in_units(own):
    """M: User= of somebody else cannot be had without root: refused, nothing runs."""
    own.unit("t", ExecStart=own.marker(), User=4242)
    done = own.faf("fire", "t")
    if done.returncode == 0:
        assert own.wait(int(done.stdout))["state"] == "failed"
    assert own.marks() == []


DAEMONISES = """
: > {out}/pids
(setsid sh -c 'echo $$ >> {out}/pids; trap "" TERM; while :; do sleep 1; done' &)
( (sh -c 'echo $$ >> {out}/pids; exec sleep 300' &) & )
while [ "$(wc -l < {out}/pids)" -lt 2 ]; do sleep 0.02; done
"""


@pytest.mark.parametrize("end", ["kill", "exit"])
def test_m_without_a_cgroup_descendants_are_found(own, end):
    """M: the shim's subreaper role stands in: no descendant is left, after a kill and after the script's own end."""
    own.task(
        "t", DAEMONISES.format(out=own.out) + ("exec sleep 300" if end == "kill" else "exit 3"), TimeoutStopSec="500ms"
    )
    run = own.fire("t")
    wait_for(lambda: system.read(f"{own.out}/pids").count("\n") == 2, 5)
    pids = [int(pid) for pid in system.read(f"{own.out}/pids").split()]
    if end == "kill":
        own.running(run)
        own.kill(run)
        own.ends(run, "killed")
    else:
        own.ends(run, "failed", "exit-code", 3)
    assert not [pid for pid in pids if is_running(pid)]


def test_m_without_a_cgroup_the_script_dies_with_its_shim(own):
    """M: the script has PDEATHSIG=KILL: a killed shim leaves no main process; the run is lost."""
    own.task("t", "exec sleep 300", TimeoutStopSec="1s")
    run = own.fire("t")
    main, shim = own.main_pid(run), own.shim_pid(run)
    os.kill(shim, signal.SIGKILL)
    own.ends(run, "lost", "lost")
    wait_for(lambda: not is_running(main), 5)


def test_m_fafd_reaps_what_is_left_to_it(own):
    """M: in a container whose PID 1 reaps nothing, fafd is the subreaper: no zombie stays with it."""
    own.unit("t", ExecStart="/bin/true")
    for _ in range(20):
        own.fire("t")
    own.task("u", "exec sleep 300", TimeoutStopSec="1s")
    run = own.fire("u")
    shim, mother = own.shim_pid(run), own.mother()
    os.kill(mother, signal.SIGKILL)
    wait_for(lambda: not is_running(mother), 5)
    assert system.parent(shim) == own.pid, "fafd inherits the orphans of its mother"
    own.kill(run)
    own.ends(run, "killed")
    wait_for(lambda: system.process_state(shim) is None, 5, "the shim is reaped")
    wait_for(lambda: not system.zombies_of(own.pid), 5)


def test_m_the_second_one_stops(own):
    """M, A3: also in user mode the lock decides."""
    second = own.spawn()
    assert second.process.wait(10) == 1
    own.daemons.remove(second)
    second.ready.close()
    assert own.call("GetInfo")["pid"] == own.pid
