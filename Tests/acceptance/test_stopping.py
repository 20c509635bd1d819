"""How a run is stopped: systemd's sequence, all of it in the shim (systemd.kill(5))."""

import os
import signal
import time

import pytest
import system
from harness import ALICE, BOB, OTHER, REFUSED
from records import FROZEN, KILL, RUNTIME
from system import is_running, wait_for
from test_time import Load, dies, fires, record_of, slot

# Notes each signal by its name; ends `ENDS_AFTER` seconds after the first TERM, with 5.
NOTES = """#!/usr/bin/python3
import os, signal, subprocess, sys, time
out, name = os.environ["OUT"], sys.argv[1] if len(sys.argv) > 1 else "main"
ends_at = None
def note(number, frame):
    global ends_at
    with open(f"{out}/signals.{name}", "a") as file:
        file.write(signal.Signals(number).name + "\\n")
    if number == signal.SIGTERM and os.environ.get("ENDS_AFTER"):
        ends_at = time.monotonic() + float(os.environ["ENDS_AFTER"])
for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGCONT):
    signal.signal(one, note)
if name == "main" and os.environ.get("CHILD"):
    subprocess.Popen([sys.argv[0], "child"], env={**os.environ, "ENDS_AFTER": ""})
open(f"{out}/ready.{name}", "w").close()
while ends_at is None or time.monotonic() < ends_at:
    time.sleep(0.02)
sys.exit(5)
"""


@pytest.fixture
def load():
    with Load() as load:
        yield load


def noting(faf, child=False, ends_after="", **settings):
    """Fires a script that notes its signals; its run, once it and its child listen."""
    path = faf.script("notes", NOTES)
    environment = f"OUT={faf.out} ENDS_AFTER={ends_after} CHILD={'1' if child else ''}"
    faf.unit("t", ExecStart=path, Environment=environment, **settings)
    names = ["main", "child"] if child else ["main"]
    for name in names:
        faf.output(f"ready.{name}").unlink(missing_ok=True)  # of an earlier run
    run = faf.fire("t")
    for name in names:
        wait_for(faf.output(f"ready.{name}").exists, 10)
    return run


def noted(faf, name="main"):
    """Without SIGCONT, which every signal of a stop is followed by."""
    return [line for line in system.read(f"{faf.out}/signals.{name}").split() if line != "SIGCONT"]


def stop_process(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: system.process_state(pid) == "T", 5)


# ---------------------------------------------------------------- the grace

STOPPED = pytest.mark.parametrize("is_stopped", [False, True], ids=["running", "SIGSTOPped"])


@STOPPED
def test_who_ignores_term_is_killed_after_the_grace(faf, load, is_stopped):
    """TimeoutStopSec= to the end, not less and not more, and without fafd."""
    run = noting(faf, TimeoutStopSec="1200ms")
    read, pid = record_of(faf, run), faf.main_pid(run)
    if is_stopped:
        stop_process(pid)
    faf.kill(run)
    stop = slot(read, "stop")
    faf.kill9()
    assert (stop["cause"], stop["deadline"] - stop["boottime"]) == (KILL, 1_200_000)
    slot(read, "emptied")
    dies(read().get("exited"), stop["deadline"], load)
    faf.start()
    found = faf.ends(run, "killed", "signal")
    assert found["attempts"][-1]["signal"] == "SIGKILL" and "did not stop in time" in found["reason"]["text"]
    assert noted(faf) == ["SIGTERM"]


@STOPPED
def test_who_needs_two_seconds_is_given_them(faf, is_stopped):
    """A script that traps TERM and takes 2 s ends by itself, with its own status."""
    run = noting(faf, ends_after="2", TimeoutStopSec="30s")
    if is_stopped:
        stop_process(faf.main_pid(run))
    faf.kill(run)
    found = faf.ends(run, "killed", "signal", exit_status=5)
    assert "did not stop in time" not in found["reason"]["text"]
    assert noted(faf) == ["SIGTERM"]


# ---------------------------------------------------------------- signals


@pytest.mark.cgroup
def test_sighup_follows_kill_signal(faf):
    """SendSIGHUP=: to everybody, after KillSignal=, once."""
    run = noting(faf, child=True, SendSIGHUP="yes", TimeoutStopSec="1s")
    faf.kill(run)
    faf.ends(run, "killed")
    # Python hands on those that came together by their numbers.
    assert sorted(noted(faf)) == sorted(noted(faf, "child")) == ["SIGHUP", "SIGTERM"]


@pytest.mark.cgroup
@pytest.mark.parametrize("action, signals", [("restart", ["SIGTERM"]), ("kill", ["SIGHUP", "SIGTERM"])])
def test_no_sighup_before_a_restart(faf, action, signals):
    """As systemd has it: SendSIGHUP= is for stops, and RestartKillSignal= (or KillSignal=) goes alone."""
    # Takes the memory when it notes signals already, and ends a while after the TERM.
    faf.task("t", f"note() {{ echo $1 >> {faf.out}/signals.main; }}\ntrap 'note SIGTERM; ends=1' TERM; trap 'note SIGHUP' HUP\n"
             "held=$(head -c 60000000 /dev/zero | tr '\\0' x)\n"
             "n=0; while [ $n -lt 5 ]; do sleep 0.05; n=$((n + ${ends:-0})); done; exit 5",
             SendSIGHUP="yes", RetrySec="1h", MemoryAbove="40M", MemoryTimes="1", MemoryIntervalSec="100ms", MemoryAction=action)
    run = faf.fire("t")
    attempt = faf.wait_state(run, "queued" if action == "restart" else "failed")["attempts"][0]
    assert attempt["reason"]["kind"] == "memory-limit" and attempt["stop"]["signal"] == "SIGTERM"
    assert sorted(noted(faf)) == signals


@pytest.mark.cgroup
@pytest.mark.parametrize("mode", ["mixed", "process"])
def test_sighup_goes_where_kill_signal_goes(faf, mode):
    """KillMode=mixed and process: the main process alone."""
    run = noting(faf, child=True, SendSIGHUP="yes", KillMode=mode, KillSignal="SIGINT", TimeoutStopSec="500ms")
    faf.kill(run)
    wait_for(lambda: not is_running(faf.attempt(run)["mainPid"]), 10)
    assert sorted(noted(faf)) == ["SIGHUP", "SIGINT"] and noted(faf, "child") == []
    if mode == "process":
        faf.kill(run)  # for what is left
    faf.wait(run)


@pytest.mark.cgroup
@pytest.mark.parametrize("mode", ["control-group", "mixed"])
def test_the_final_signal_can_be_another_one(faf, load, mode):
    """FinalKillSignal=, to all; what outlives it for as long again is killed: nothing is left behind."""
    run = noting(faf, child=True, FinalKillSignal="SIGQUIT", KillMode=mode, TimeoutStopSec="600ms")
    read = record_of(faf, run)
    faf.kill(run)
    first = slot(read, "stop")
    second = slot(read, "stop", fact=lambda stop: stop["kill_sent"] == 2)
    # From the moment that the final signal went out.
    assert 0 <= second["deadline"] - first["deadline"] - 600_000 <= 100_000 + load.worst
    pid = read().get("started")["main_pid"]
    wait_for(lambda: not is_running(pid), 10)
    found = faf.ends(run, "killed")
    assert found["attempts"][-1]["signal"] == "SIGKILL"
    assert noted(faf) == ["SIGTERM", "SIGQUIT"]
    assert noted(faf, "child") == (["SIGTERM", "SIGQUIT"] if mode == "control-group" else ["SIGQUIT"])


def test_the_final_signal_can_leave_a_trace(faf):
    """FinalKillSignal=SIGABRT ends what it is made for: who ignores TERM and does not know the other."""
    faf.task(
        "t",
        f"trap '' TERM; : > {faf.out}/ready; while :; do sleep 0.05; done",
        FinalKillSignal="SIGABRT",
        TimeoutStopSec="300ms",
    )
    run = faf.fire("t")
    wait_for(faf.output("ready").exists, 10)
    faf.kill(run)
    found = faf.ends(run, "killed")
    assert found["attempts"][-1]["signal"] == "SIGABRT" and "SIGABRT" in found["reason"]["text"]


# ---------------------------------------------------------------- freezing


@pytest.mark.cgroup
class TestFreezing:
    TICKS = "trap 'echo term >> {out}/term; exit 0' TERM\nwhile :; do echo x >> {out}/ticks; sleep 0.02; done"

    def ticking(self, faf, **settings):
        faf.task("t", self.TICKS.format(out=faf.out), **{"TimeoutStopSec": "20s", **settings})
        run = faf.fire("t")
        wait_for(lambda: system.read(f"{faf.out}/ticks"), 10)
        return run

    def is_frozen(self, faf, run):
        return "frozen 1" in system.read(faf.attempt_cgroup(run) + "/cgroup.events")

    def ticks(self, faf):
        return len(system.read(f"{faf.out}/ticks"))

    def test_a_frozen_run_does_nothing_until_it_is_thawed(self, faf):
        """When faf freeze returns all of its processes stand still; show and status say so, and since when."""
        run = self.ticking(faf)
        done = faf.faf("freeze", str(run), check=0)
        assert done.stdout == f"run {run} is frozen\n"
        assert self.is_frozen(faf, run)
        before = self.ticks(faf)
        shown = faf.run(run)
        assert shown["state"] == "running" and shown["attempts"][-1]["frozen"]["uid"] == 0
        assert "frozen" in faf.faf("show", str(run), check=0).stdout
        assert "frozen" in faf.faf("list", check=0).stdout
        faf.restart()
        assert faf.attempt(run)["frozen"]["since"] == shown["attempts"][-1]["frozen"]["since"]
        assert self.ticks(faf) == before
        assert faf.faf("thaw", str(run), check=0).stdout == f"run {run} goes on\n"
        assert not self.is_frozen(faf, run) and "frozen" not in faf.attempt(run)
        wait_for(lambda: self.ticks(faf) > before, 5)
        faf.kill(run)
        faf.ends(run, "killed")

    @pytest.mark.parametrize("mode", ["control-group", "mixed", "process"])
    def test_a_frozen_run_is_stopped_in_order(self, faf, mode):
        """It is thawed to hear its TERM, whatever KillMode= says."""
        run = self.ticking(faf, KillMode=mode)
        faf.faf("freeze", str(run), check=0)
        faf.kill(run)
        faf.ends(run, "killed", timeout=10)
        assert system.read(f"{faf.out}/term") == "term\n"

    def test_a_frozen_run_is_killed(self, faf):
        """SIGKILL needs no thawing."""
        run = self.ticking(faf)
        faf.faf("freeze", str(run), check=0)
        faf.kill(run, "-s", "KILL")
        faf.ends(run, "killed", timeout=10)

    def test_a_signal_waits_for_the_thaw(self, faf):
        """A single signal does not thaw: it is delivered with the thaw."""
        run = self.ticking(faf)
        faf.faf("freeze", str(run), check=0)
        faf.kill(run, "-s", "TERM")
        # Frozen tasks look at a signal and go on standing still: for that moment the kernel says `frozen 0`.
        wait_for(lambda: self.is_frozen(faf, run), 5)
        assert system.read(f"{faf.out}/term") == ""
        faf.faf("thaw", str(run), check=0)
        faf.wait(run)
        assert system.read(f"{faf.out}/term") == "term\n"

    def test_limits_go_on_and_the_watchdog_rests(self, faf, load):
        """A frozen task can neither ping nor write, so WatchdogSec= and SilenceSec= wait; RuntimeMaxSec= does not."""
        # Deaf to TERM: fafd deletes the record with the end, and nothing would be left to look at.
        faf.task("t", f"trap '' TERM\n: > {faf.out}/ready\nwhile :; do sleep 0.02; done", RuntimeMaxSec="2s", SilenceSec="500ms")
        run = faf.fire("t")
        wait_for(faf.output("ready").exists, 10)
        read = record_of(faf, run)
        started = slot(read, "started")["boottime"]
        faf.faf("freeze", str(run), check=0)
        fires(read, RUNTIME, started + 2_000_000, load)
        wait_for(lambda: not self.is_frozen(faf, run), 5)
        faf.kill(run, "-s", "KILL")
        faf.ends(run, "timed-out", "timeout")

    def test_the_watchdog_begins_anew_with_the_thaw(self, faf, load):
        """Also when an operator froze the cgroup by hand: who did it makes no difference."""
        faf.puppet_unit(WatchdogSec="600ms", TimeoutStopSec="5s")
        puppet = faf.puppet()
        read, freezer = record_of(faf, puppet.run), faf.attempt_cgroup(puppet.run) + "/cgroup.freeze"
        puppet("signal.signal(signal.SIGABRT, signal.SIG_IGN)")
        puppet.notify("WATCHDOG=1")
        write(freezer, "1")
        frozen = slot(read, "clocks", fact=lambda clocks: clocks["flags"] & FROZEN)
        assert frozen["frozen_by"] == 2**32 - 1 and "uid" not in faf.attempt(puppet.run)["frozen"]
        time.sleep(1)  # more than the watchdog's time
        assert read().get("stop") is None
        thawed = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1e6)
        write(freezer, "0")
        stop = slot(read, "stop")
        assert 600_000 - 1000 <= stop["boottime"] - thawed <= 700_000 + 2 * load.worst

    def test_what_cannot_be_frozen(self, faf):
        """A run that is over, one that is stopping, one that is not there: refused by name."""
        faf.task("t", "trap '' TERM; : > $OUT; while :; do sleep 0.05; done", Environment=f"OUT={faf.out}/ready")
        run = faf.fire("t")
        wait_for(faf.output("ready").exists, 10)
        faf.kill(run)
        faf.wait_state(run, "stopping")
        assert "stopping" in faf.refused("freeze", str(run), code=OTHER)
        faf.kill(run, "-s", "KILL")
        faf.wait(run)
        assert "over already" in faf.refused("freeze", str(run), code=OTHER)
        assert "over already" in faf.refused("thaw", str(run), code=OTHER)
        faf.refused("freeze", "4711", code=66)

    @pytest.mark.root
    def test_who_may_kill_may_freeze(self, faf):
        """Rights as for kill: AllowUsers=."""
        faf.task("t", "exec sleep 300", TimeoutStopSec="1s", AllowUsers=ALICE)
        run = faf.fire("t", uid=ALICE)
        faf.running(run)
        for verb in ("freeze", "thaw"):
            faf.refused(verb, str(run), uid=BOB)
            faf.faf(verb, str(run), uid=ALICE, check=0)
        assert "uid 2001 froze run" in faf.log_text()

    def test_frozen_twice_is_frozen_once(self, faf):
        """Both verbs say what is, not what was done."""
        run = self.ticking(faf)
        for verb in ("freeze", "freeze", "thaw", "thaw"):
            faf.faf(verb, str(run), check=0)
        assert faf.run(run)["state"] == "running"


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


# ---------------------------------------------------------------- what faf kill says


def test_kill_tells_what_it_did(faf):
    """The signal, to whom, and when the final one follows; --wait tells the end."""
    run = noting(faf, TimeoutStopSec="60s")
    assert faf.faf("kill", str(run), check=0).stdout == f"stopping run {run}: SIGTERM sent; SIGKILL follows in 1 min\n"
    again = faf.faf("kill", str(run), check=0).stdout
    assert again.startswith(f"stopping run {run}: SIGTERM sent; SIGKILL follows in "), again
    assert faf.faf("kill", str(run), "-s", "USR1", check=0).stdout == f"sent USR1 to run {run}\n"
    shown = faf.attempt(run)["stop"]
    assert (shown["cause"], shown["signal"], shown["uid"], shown["killed"]) == ("kill", "SIGTERM", 0, False)
    assert shown["finalAt"] - shown["since"] == 60_000_000
    assert "SIGKILL follows" in faf.faf("show", str(run), check=0).stdout
    done = faf.faf("kill", str(run), "-s", "KILL", "--wait", check=0)
    assert done.stdout.startswith(f"run {run} of t killed after")
    assert faf.attempt(run)["stop"]["cause"] == "kill", "kept with the run"
    quiet = noting(faf, SendSIGKILL="no")
    assert faf.faf("kill", str(quiet), check=0).stdout == f"stopping run {quiet}: SIGTERM sent\n"
    faf.kill(quiet, "-s", "KILL")
