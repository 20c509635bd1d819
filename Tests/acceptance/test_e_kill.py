"""Threat model, section E: cgroups, kill, limits."""

import os
import pathlib
import random
import select
import signal
import time

import pytest
import records
import system
from harness import ALICE, BOB, NOT_FOUND, for_each
from system import is_running, wait_for
from wire import WireError

# Leaves children that setsid, double-fork and ignore TERM; each writes its pid.
DAEMONISES = """
: > {out}/pids
trap '' HUP
: >> {out}/pids
(setsid sh -c 'echo $$ >> {out}/pids; trap "" TERM; while :; do sleep 1; done' &)
( (sh -c 'echo $$ >> {out}/pids; exec sleep 300' &) & )
setsid sh -c 'sh -c "setsid sleep 300 & echo \\$! >> {out}/pids" & wait' &
while [ "$(wc -l < {out}/pids)" -lt 3 ]; do sleep 0.02; done
"""


def left_pids(faf):
    return [int(pid) for pid in system.read(f"{faf.out}/pids").split()]


@pytest.mark.cgroup
@pytest.mark.parametrize("settings", [{}, {"User": BOB, "Group": BOB}], ids=["root", "bob"])
def test_e1_kill_leaves_no_process(faf, settings):
    """E1: fork, setsid and double fork do not leave the cgroup; after the kill all are gone, the directory too."""
    faf.task("t", DAEMONISES.format(out=faf.out) + "exec sleep 300", TimeoutStopSec="500ms", **settings)
    run = faf.fire("t")
    faf.running(run)
    wait_for(lambda: len(left_pids(faf)) == 3, 10)
    pids = left_pids(faf) + [faf.main_pid(run)]
    cgroup = faf.attempt_cgroup(run)
    assert all(system.cgroup_of(pid) == cgroup for pid in pids)
    faf.kill(run)
    faf.ends(run, "killed")
    assert not [pid for pid in pids if is_running(pid)], "when the end is told, nothing is left"
    wait_for(lambda: not os.path.exists(cgroup), 5, "the cgroup is removed")
    wait_for(faf.is_clean, 5)


@pytest.mark.cgroup
def test_e1_the_scripts_own_end_leaves_no_process(faf):
    """E1: leftovers of a script that ends by itself are stopped, then the end is told, with the script's status."""
    faf.task("t", DAEMONISES.format(out=faf.out) + "exit 3", TimeoutStopSec="500ms")
    run = faf.fire("t")
    faf.ends(run, "failed", "exit-code", 3)
    assert len(left_pids(faf)) == 3
    assert not [pid for pid in left_pids(faf) if is_running(pid)]
    wait_for(faf.is_clean, 5)


@pytest.mark.cgroup
def test_e1_the_end_is_told_once_after_it_is_empty(faf):
    """E1: `stopping` between the script's end and the emptiness; one end in a stream."""
    faf.task(
        "t",
        f"""
sh -c 'trap "" TERM; echo $$ >> {faf.out}/pids; while [ ! -e {faf.out}/go ]; do sleep 0.02; done' &
while [ ! -s {faf.out}/pids ]; do sleep 0.02; done
exit 0""",
        TimeoutStopSec="60s",
    )
    run = faf.fire("t")
    with faf.wire() as wire:
        states = []
        for reply in wire.stream("Watch", {"run": run}):
            states.append(reply["run"]["state"])
            if states[-1] == "stopping" and states.count("stopping") == 1:
                (pid,) = left_pids(faf)
                assert is_running(pid)
                assert reply["run"]["attempts"][-1]["exitStatus"] == 0
                faf.output("go").touch()
            if states[-1] == "succeeded":
                assert not is_running(pid)
    assert states.count("succeeded") == 1 and states[-1] == "succeeded"
    assert "stopping" in states


@pytest.mark.cgroup
def test_e1_a_zombie_does_not_keep_the_run(faf):
    """E1: a child that its daemonised parent never waits for does not keep the end back."""
    faf.task("t", "(exec sh -c 'true & exec sleep 300') & sleep 0.1", TimeoutStopSec="500ms")
    run = faf.fire("t")
    faf.ends(run, "succeeded", timeout=5)


@pytest.mark.cgroup
def test_e2_the_shim_is_outside_of_the_attempts_cgroup(faf):
    """E2: script and all that it starts in t/RUN.ATTEMPT, the shim in shims/, with oom_score_adj −1000."""
    faf.task("t", "sleep 300 & exec sleep 301", TimeoutStopSec="1s")
    run = faf.fire("t")
    main, shim = faf.main_pid(run), faf.shim_pid(run)
    wait_for(lambda: len(system.cgroup_pids(faf.attempt_cgroup(run))) == 2, 5)
    inside = system.cgroup_pids(faf.attempt_cgroup(run))
    assert main in inside and shim not in inside
    assert system.cgroup_of(shim) == faf.cgroup + "/shims"
    assert system.cgroup_of(faf.pid) not in (faf.attempt_cgroup(run), faf.cgroup + "/shims")
    assert system.parent(main) == shim
    if system.has_capability(system.CAP_SYS_RESOURCE):
        assert system.read(f"/proc/{shim}/oom_score_adj").strip() == "-1000"
    else:
        assert "oom-protection" in [one["kind"] for one in faf.call("GetInfo")["missing"]], "and said to be missing"
    for pid in inside:
        assert system.read(f"/proc/{pid}/oom_score_adj").strip() == "0"


@pytest.mark.cgroup
def test_e2_fafd_is_no_shims_parent(faf):
    """Design 3: shims are the mother's children, and stay when she leaves."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    run = faf.fire("t")
    shim = faf.shim_pid(run)
    mother = faf.mother()
    assert mother and system.parent(shim) == mother
    assert system.cgroup_of(mother) == faf.cgroup + "/shims"
    faf.kill9()
    wait_for(lambda: not is_running(mother), 5, "the mother leaves with fafd")
    assert is_running(shim)
    faf.start()
    assert faf.run(run)["state"] == "running"


FORK_BOMB = """#!/usr/bin/python3
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.001)
"""


@pytest.mark.cgroup
def test_e3_a_fork_bomb_is_killed(faf):
    """E3: LimitNPROC=20 as a user of its own; after the kill it is empty within 2 s."""
    uid = random.randrange(1_000_000, 2_000_000)  # RLIMIT_NPROC counts per uid
    faf.script("bomb", FORK_BOMB)
    faf.unit("t", ExecStart=faf.scripts + "/bomb", User=uid, Group=uid, LimitNPROC="20", TimeoutStopSec="500ms")
    run = faf.fire("t")
    cgroup = faf.attempt_cgroup(run)
    wait_for(lambda: len(system.cgroup_pids(cgroup)) > 10, 10)
    began = time.monotonic()
    faf.kill(run)
    faf.ends(run, "killed")
    assert time.monotonic() - began < 2.5
    assert system.cgroup_pids(cgroup) == []


SESSIONS = """#!/usr/bin/python3
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        open("{out}/full", "w").close()
        time.sleep(0.1)
"""


@pytest.mark.cgroup
@pytest.mark.root
def test_e3_a_bomb_of_sessions_is_gone_within_100_ms_of_the_final_kill(faf):
    """E3: 100 processes that ignore TERM, each in a session of its own; SIGKILL when the grace is over, then `populated 0`.

    What the kernel needs for as many of them is measured beside, and comes on top. A busy machine may hold up one of the two,
    so there are several tries; what faf does too late it does too late in all of them.
    """
    uid = random.randrange(1_000_000, 2_000_000)  # RLIMIT_NPROC counts per uid
    os.chmod(faf.out, 0o777)
    faf.script("bomb", SESSIONS.format(out=faf.out))
    faf.unit("t", ExecStart=faf.scripts + "/bomb", User=uid, Group=uid, LimitNPROC="100", TimeoutStopSec="200ms")

    def bomb():
        faf.output("full").unlink(missing_ok=True)
        run = faf.fire("t")
        wait_for(faf.output("full").exists, 30)
        cgroup = faf.attempt_cgroup(run)
        assert 90 < len(system.cgroup_pids(cgroup)) <= 100
        return run, cgroup

    def by_hand():
        run, cgroup = bomb()
        with open(cgroup + "/cgroup.events", encoding="ascii") as events:
            poll = select.poll()
            poll.register(events, select.POLLPRI)
            began = time.monotonic()
            pathlib.Path(cgroup, "cgroup.kill").write_text("1")
            while "populated 1" in events.read():
                poll.poll(1000)
                events.seek(0)
            took = time.monotonic() - began
        faf.wait(run)
        return took * 1000

    def by_faf():
        run, cgroup = bomb()
        end = pathlib.Path(faf.end_path(faf.attempt(run)["invocationId"]))
        faf.kill(run)
        faf.kill9()  # the shim alone does it, and its end stays where it is
        wait_for(end.exists, 10)
        record = records.Record.read(end)
        faf.start()
        assert faf.ends(run, "killed")["attempts"][-1]["stop"]["killed"] and system.cgroup_pids(cgroup) == []
        return (record.get("emptied")["boottime"] - record.get("stop")["deadline"]) / 1000

    tries = []
    for _ in range(5):
        tries.append((by_hand(), by_faf()))
        print("by hand {:.1f} ms, by faf {:.1f} ms after the grace".format(*tries[-1]))
        if tries[-1][1] <= tries[-1][0] + 100:
            return
    raise AssertionError(f"by hand and by faf, in ms: {tries}")


@pytest.mark.cgroup
def test_e3_a_forking_task_gets_no_chance(faf):
    """E3: SIGKILL to all is cgroup.kill, which no fork can outrun."""
    faf.task("t", "f() { sh -c 'sleep 0.02' & f2; }\nf2() { :; }\nwhile :; do f; done", TimeoutStopSec="300s")
    run = faf.fire("t")
    faf.running(run)
    faf.kill(run, "-s", "KILL")
    run = faf.ends(run, "killed", "signal", timeout=5)
    assert run["attempts"][-1]["signal"] == "SIGKILL"
    assert system.cgroup_pids(faf.attempt_cgroup(run["number"])) == []


@pytest.mark.cgroup
def test_e3_a_stopped_run_can_be_killed(faf):
    """E3: TERM, then CONT: a stopped script ends by its TERM, not by the KILL at the end of the grace."""
    faf.task(
        "t", f"trap 'echo term >> {faf.out}/trap; exit 0' TERM\nwhile :; do sleep 0.05; done", TimeoutStopSec="60s"
    )
    run = faf.fire("t")
    pid = faf.main_pid(run)
    wait_for(lambda: int(system.status_field(pid, "SigCgt"), 16) & 1 << 14, 5, "the trap is set")
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: system.process_state(pid) == "T", 5)
    faf.kill(run)
    faf.ends(run, "killed", timeout=5)
    assert faf.output("trap").read_text() == "term\n"


@pytest.mark.cgroup
def test_e3_a_frozen_run_can_be_killed(faf):
    """E3: a frozen cgroup does not keep the run alive."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    run = faf.fire("t")
    faf.running(run)
    with open(faf.attempt_cgroup(run) + "/cgroup.freeze", "w") as file:
        file.write("1")
    wait_for(lambda: "frozen 1" in system.read(faf.attempt_cgroup(run) + "/cgroup.events"), 5)
    faf.kill(run)
    faf.ends(run, "killed", timeout=8)


def test_e3_a_kill_right_after_the_fire_is_not_lost(faf):
    """E3: between go and `started` only the shim may stop an attempt: a kill at any moment ends the run."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    numbers = []
    with faf.wire() as wire:
        for _ in range(60):
            number = wire.call("Fire", {"task": "t"})["run"]["number"]
            wire.call("Kill", {"run": number})
            numbers.append(number)
    for number in numbers:
        assert faf.wait(number, 10)["state"] == "killed"
    wait_for(faf.is_clean, 5)


def test_e3_a_sigkill_right_after_the_fire_is_not_lost(faf):
    """E3: the same with the signal that is sent through the cgroup."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    numbers = []
    with faf.wire() as wire:
        for _ in range(60):
            number = wire.call("Fire", {"task": "t"})["run"]["number"]
            wire.call("Kill", {"run": number, "signal": "SIGKILL"})
            numbers.append(number)
    for number in numbers:
        assert faf.wait(number, 10)["state"] == "killed"
    wait_for(faf.is_clean, 5)


TRAPS = """#!/usr/bin/python3
import os, signal, sys, time
out = os.environ["OUT"]
def note(number, frame):
    with open(out + "/signals", "a") as file:
        file.write(signal.Signals(number).name + " " + str(time.clock_gettime(time.CLOCK_BOOTTIME)) + "\\n")
    if os.environ.get("LEAVES_ON") == signal.Signals(number).name:
        sys.exit(0)
for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGCONT):
    signal.signal(one, note)
open(out + "/trapped", "w").close()
while True:
    time.sleep(0.05)
"""


def trapping(faf, name="t", leaves_on="", **settings):
    path = faf.script(name, TRAPS)
    faf.unit(name, ExecStart=path, Environment=f"OUT={faf.out} LEAVES_ON={leaves_on}", **settings)
    run = faf.fire(name)
    faf.running(run)
    wait_for(lambda: faf.output("trapped").exists(), 10)
    return run


def signals(faf):
    return [line.split()[0] for line in system.read(f"{faf.out}/signals").splitlines()]


def signal_time(faf, name):
    return [float(line.split()[1]) for line in system.read(f"{faf.out}/signals").splitlines() if line.startswith(name)][
        0
    ]


@pytest.mark.parametrize("moment", ["during", "killed"])
def test_e6_a_grace_period_needs_no_fafd(faf, moment):
    """E6: kill -9 of fafd in a grace of 3 s: KILL comes 3 s after the TERM, no second TERM, restarted or not."""
    run = trapping(faf, TimeoutStopSec="3s")
    pid = faf.main_pid(run)
    faf.kill(run)
    wait_for(lambda: "SIGTERM" in signals(faf), 5)
    faf.kill9()
    if moment == "during":
        faf.start()
        assert faf.run(run)["state"] == "stopping"
    wait_for(lambda: not is_running(pid), 10)
    ended = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert 2.8 < ended - signal_time(faf, "SIGTERM") < 4
    if moment == "killed":
        faf.start()
    found = faf.ends(run, "killed")
    assert found["attempts"][-1]["signal"] == "SIGKILL"
    assert signals(faf).count("SIGTERM") == 1


def test_e6_a_second_kill_does_not_restart_the_grace(faf):
    """E6: one stop sequence per attempt."""
    run = trapping(faf, TimeoutStopSec="2s")
    pid = faf.main_pid(run)
    faf.kill(run)
    wait_for(lambda: "SIGTERM" in signals(faf), 5)
    time.sleep(1)  # half of the grace
    faf.kill(run)
    wait_for(lambda: not is_running(pid), 10)
    assert time.clock_gettime(time.CLOCK_BOOTTIME) - signal_time(faf, "SIGTERM") < 2.8
    assert signals(faf).count("SIGTERM") == 1


def test_e6_the_start_timeout_needs_no_fafd(faf):
    """E6: Type=notify with TimeoutStartSec=1s, fafd dead: stopped by the shim, `timed-out`."""
    run_name = "t"
    faf.task(run_name, "exec sleep 300", Type="notify", TimeoutStartSec="1s", TimeoutStopSec="1s")
    run = faf.fire(run_name)
    pid = wait_for(lambda: faf.attempt(run).get("mainPid"), 5)
    faf.kill9()
    wait_for(lambda: not is_running(pid), 10)
    faf.start()
    faf.ends(run, "timed-out", "timeout")


def test_e_kill_signal_and_cont_come_in_order(faf):
    """systemd.kill(5): KillSignal=, then always SIGCONT; SendSIGKILL after the grace."""
    run = trapping(faf, KillSignal="SIGINT", TimeoutStopSec="500ms")
    faf.kill(run)
    found = faf.ends(run, "killed")
    assert signals(faf)[:2] == ["SIGINT", "SIGCONT"] or signals(faf)[:2] == ["SIGCONT", "SIGINT"]
    assert "SIGTERM" not in signals(faf)
    assert found["attempts"][-1]["signal"] == "SIGKILL"


def test_e_a_single_signal_starts_no_stop(faf):
    """`faf kill -s USR1`: just that signal; the run goes on."""
    run = trapping(faf, TimeoutStopSec="1s")
    faf.kill(run, "-s", "USR1")
    wait_for(lambda: signals(faf) == ["SIGUSR1"], 5)
    faf.kill(run, "-s", "SIGHUP", "--whom=main")
    wait_for(lambda: signals(faf) == ["SIGUSR1", "SIGHUP"], 5)
    faf.kill(run, "-s", "10")
    wait_for(lambda: signals(faf) == ["SIGUSR1", "SIGHUP", "SIGUSR1"], 5)
    assert faf.run(run)["state"] == "running"


@pytest.mark.cgroup
def test_e_whom_is_main_or_all(faf):
    """`--whom=main` reaches the main process only; all is the default."""
    faf.task(
        "t",
        f"""
sh -c 'trap "echo child >> {faf.out}/who" USR1; echo >> {faf.out}/ready; while :; do sleep 0.05; done' &
trap "echo main >> {faf.out}/who" USR1
echo >> {faf.out}/ready
while :; do sleep 0.05; done""",
        TimeoutStopSec="1s",
    )
    run = faf.fire("t")
    wait_for(lambda: system.read(f"{faf.out}/ready").count("\n") == 2, 5)
    faf.kill(run, "-s", "CONT")
    faf.kill(run, "-s", "USR1", "--whom=main")
    wait_for(lambda: system.read(f"{faf.out}/who"), 5)
    assert system.read(f"{faf.out}/who") == "main\n"


@pytest.mark.cgroup
def test_e_kill_mode_process_spares_the_rest_until_the_end(faf):
    """systemd.kill(5): KillMode=process: TERM goes to the main process only; what it leaves is not killed by a stop."""
    faf.task(
        "t",
        f"""
sh -c 'trap "echo term >> {faf.out}/child" TERM; echo $$ > {faf.out}/pids; while :; do sleep 0.05; done' &
while [ ! -s {faf.out}/pids ]; do sleep 0.02; done
exec sleep 300""",
        KillMode="process",
        TimeoutStopSec="1s",
    )
    run = faf.fire("t")
    wait_for(lambda: left_pids(faf), 5)
    main = faf.main_pid(run)
    faf.kill(run)
    wait_for(lambda: not is_running(main), 5)
    assert system.read(f"{faf.out}/child") == ""
    assert is_running(left_pids(faf)[0])


@pytest.mark.cgroup
def test_e_kill_mode_mixed(faf):
    """systemd.kill(5): KillMode=mixed: the rest gets only the final KILL, when the main process has ended."""
    faf.task(
        "t",
        f"""
sh -c 'trap "echo term >> {faf.out}/child" TERM; echo $$ > {faf.out}/pids; while :; do sleep 0.05; done' &
while [ ! -s {faf.out}/pids ]; do sleep 0.02; done
exec sleep 300""",
        KillMode="mixed",
        TimeoutStopSec="30s",
    )
    run = faf.fire("t")
    wait_for(lambda: left_pids(faf), 5)
    faf.running(run)
    faf.kill(run)
    faf.ends(run, "killed", timeout=5)
    assert system.read(f"{faf.out}/child") == ""
    assert not is_running(left_pids(faf)[0])


@pytest.mark.cgroup
def test_e_kill_mode_none_sends_nothing(faf):
    """systemd.kill(5): KillMode=none: a stop sends no signal, neither at once nor after the grace; single signals go."""
    run = trapping(faf, KillMode="none", TimeoutStopSec="300ms")
    faf.kill(run)
    faf.wait_state(run, "stopping", timeout=5)
    time.sleep(0.8)  # more than the grace
    assert signals(faf) == [] and faf.run(run)["state"] == "stopping"
    faf.kill(run, "-s", "KILL")
    faf.ends(run, "killed")


def test_e_without_sigkill_the_grace_has_no_end(faf):
    """systemd.kill(5): SendSIGKILL=no: after the grace nothing is killed; a single SIGKILL still ends it."""
    run = trapping(faf, SendSIGKILL="no", TimeoutStopSec="300ms")
    faf.kill(run)
    wait_for(lambda: "SIGTERM" in signals(faf), 5)
    time.sleep(0.8)  # more than the grace
    assert faf.run(run)["state"] == "stopping" and is_running(faf.attempt(run)["mainPid"])
    faf.kill(run, "-s", "KILL")
    faf.ends(run, "killed")


def test_e_a_grace_of_zero_is_infinite(faf):
    """conformance.md: TimeoutStopSec=0 means infinity; the end by itself is `killed`, with its own status."""
    run = trapping(faf, TimeoutStopSec="0")
    faf.kill(run)
    wait_for(lambda: "SIGTERM" in signals(faf), 5)
    time.sleep(0.3)  # long enough for a wrong kill
    assert faf.run(run)["state"] == "stopping"
    faf.kill(run, "-s", "KILL")
    faf.ends(run, "killed")


@pytest.mark.cgroup
def test_e_a_shim_that_does_not_answer_cannot_save_its_attempt(faf):
    """Design 3: fafd uses cgroup.kill itself when the grace is over by 5 s, though the shim holds its lock."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="200ms")
    run = faf.fire("t")
    main, shim = faf.main_pid(run), faf.shim_pid(run)
    os.kill(shim, signal.SIGSTOP)
    try:
        faf.kill(run)
        wait_for(lambda: not is_running(main), 10)
    finally:
        os.kill(shim, signal.SIGCONT)
    faf.ends(run, "killed")


def test_e_a_task_name_kills_all_of_its_runs(faf):
    """`faf kill TASK`: all of its runs that are not over, and no others."""
    for name in ("t", "u"):
        faf.task(name, "exec sleep 300", TimeoutStopSec="1s")
    first, second, other = faf.fire("t"), faf.fire("t"), faf.fire("u")
    faf.faf("kill", "t", check=0)
    faf.ends(first, "killed")
    faf.ends(second, "killed")
    assert faf.running(other)


def test_e_a_run_that_is_over_cannot_be_killed(faf):
    """NotActive is a typed error; an unknown run is not found."""
    faf.unit("t", ExecStart="/bin/true")
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    with pytest.raises(WireError) as error:
        faf.call("Kill", {"run": run})
    assert error.value.error == "NotActive" and error.value.parameters["run"] == run
    assert faf.faf("kill", str(run)).returncode not in (0,)
    faf.refused("kill", "999999", code=NOT_FOUND)
    with pytest.raises(WireError) as error:
        faf.call("GetRun", {"run": 999999})
    assert error.value.error == "NoSuchRun"


def test_e_ends_are_judged_as_type_oneshot(faf):
    """Design 2: only exit 0 (and SuccessExitStatus=) succeed; a signal by itself is a failure."""

    def check(text, state, kind, status, signal_name):
        faf.task("t", text)
        run = faf.ends(faf.fire("t"), state, kind)
        assert run["attempts"][-1].get("exitStatus") == status
        assert run["attempts"][-1].get("signal") == signal_name
        assert run["startedAt"] <= run["endedAt"] and run["queuedAt"] <= run["startedAt"]

    for_each(
        [
            ("exit 0", "succeeded", "success", 0, None),
            ("exit 3", "failed", "exit-code", 3, None),
            ("exit 255", "failed", "exit-code", 255, None),
            ("kill -TERM $$", "failed", "signal", None, "SIGTERM"),
            ("kill -KILL $$", "failed", "signal", None, "SIGKILL"),
            ("kill -HUP $$", "failed", "signal", None, "SIGHUP"),
            ("kill -USR1 $$", "failed", "signal", None, "SIGUSR1"),
        ],
        check,
    )


def test_e_success_exit_status(faf):
    """SuccessExitStatus= by number, name and signal."""
    faf.unit("t", ExecStart=faf.script("t", "exit 3"), SuccessExitStatus="3 TEMPFAIL SIGUSR1")
    faf.unit("u", ExecStart=faf.script("u", "exit 75"), SuccessExitStatus="3 TEMPFAIL SIGUSR1")
    faf.unit("v", ExecStart=faf.script("v", "kill -USR1 $$"), SuccessExitStatus="3 TEMPFAIL SIGUSR1")
    faf.unit("w", ExecStart=faf.script("w", "exit 4"), SuccessExitStatus="3 TEMPFAIL SIGUSR1")
    for name in ("t", "u", "v"):
        faf.ends(faf.fire(name), "succeeded")
    faf.ends(faf.fire("w"), "failed")


def test_e_usage_is_recorded(faf):
    """The end knows times and usage."""
    faf.task("t", "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done")
    run = faf.ends(faf.fire("t"), "succeeded")
    usage = run["attempts"][0]["usage"]
    assert usage["userUSec"] + usage["systemUSec"] > 1000
    assert usage["maxResidentBytes"] > 100_000
    if faf.cgroup:
        assert usage["cpuUSec"] > 1000


@pytest.mark.cgroup
@pytest.mark.root
def test_e3_a_script_held_up_before_exec_can_be_killed(faf):
    """E3: what does not get as far as its first instruction is stopped by the shim all the same."""
    faf.task("t", f"echo ran > {faf.out}/ran", TimeoutStopSec="500ms")
    pathlib.Path(faf.cgroup, "t/cgroup.freeze").write_text("1")
    run = faf.fire("t")
    wait_for(lambda: system.cgroup_pids(faf.attempt_cgroup(run)), 5)
    faf.kill(run)
    faf.ends(run, "killed")
    pathlib.Path(faf.cgroup, "t/cgroup.freeze").write_text("0")
    assert not faf.output("ran").exists()


@pytest.mark.cgroup
def test_e3_what_kill_mode_process_leaves_can_be_killed(faf):
    """E3: KillMode=process spares it when the script ends; a kill does not, and the script's own end stays as it was."""
    faf.task("t", "setsid sleep 300 &\nexit 3", KillMode="process", TimeoutStopSec="500ms")
    run = faf.fire("t")
    wait_for(lambda: faf.run(run)["attempts"][-1].get("exitStatus") == 3, 5)
    wait_for(lambda: len(system.cgroup_pids(faf.attempt_cgroup(run))) == 1, 5)
    faf.kill(run)
    faf.ends(run, "failed", "exit-code", 3)


@pytest.mark.cgroup
@pytest.mark.root
def test_e_what_kill_mode_process_leaves_has_a_stop_of_its_own(faf):
    """KillMode=process: a second kill ends what the first has left, and the run reads as killed by the first."""
    faf.task(
        "t",
        f"""
setsid sh -c 'trap "" TERM; echo $$ > {faf.out}/pids; while :; do sleep 0.05; done' &
while [ ! -s {faf.out}/pids ]; do sleep 0.02; done
exec sleep 300""",
        KillMode="process",
        TimeoutStopSec="2s",
        AllowUsers=f"{ALICE} {BOB}",
    )
    run = faf.fire("t")
    wait_for(lambda: left_pids(faf), 5)
    faf.kill(run, uid=ALICE)
    first = wait_for(lambda: faf.attempt(run)["stop"] if faf.attempt(run).get("signal") else None, 5)
    faf.kill(run, uid=BOB)
    # While it goes on, the stop that goes on is shown.
    assert (first["uid"], faf.attempt(run)["stop"]["uid"]) == (ALICE, BOB)
    assert faf.attempt(run)["stop"]["finalSignal"] == "SIGKILL"
    faf.restart()
    found = faf.ends(run, "killed", "signal")
    assert f"uid {ALICE}" in found["reason"]["text"] and found["attempts"][-1]["stop"] == first
