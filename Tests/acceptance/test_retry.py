"""A run whose attempt has failed gets another one: when, how often, and what it keeps (faf.task(5), Retry=)."""

import contextlib
import os
import re
import time

import pytest
import system
from harness import ALICE, BOB, OTHER, REFUSED, STRANGER
from system import wait_for
from test_g_restart import outcome_of_fire
from test_l_systemd import Tasks
from wire import Closed

HOUR = 3600 * 1_000_000
# Fails until somebody says otherwise.
FAILS = "test -e {out}/mended || exit 3"


def failing(faf, script=FAILS, **settings):
    """Fires a task that marks each execution and goes on with the script."""
    path = faf.marker(more=script.format(out=faf.out))
    faf.unit("t", ExecStart=path, **settings)
    return faf.fire("t")


def waits(faf, run, attempts=1):
    """The run, once it waits after its so many attempts."""
    def reached():
        found = faf.run(run)
        return found if found["state"] == "queued" and len(found["attempts"]) == attempts else None

    return wait_for(reached, 20, lambda: f"waits after {attempts} attempts: {faf.run(run)}")


def delay(run):
    """µs from the end of the latest attempt until the next."""
    return run["dueAt"] - run["attempts"][-1]["endedAt"]


def executed(faf, run):
    """The attempts whose script was executed."""
    return [int(line.split()[1]) for line in faf.marks() if int(line.split()[0]) == run]


# ---------------------------------------------------------------- whether


def test_a_failed_run_is_tried_again_after_a_delay_and_keeps_each_attempt(faf):
    run = failing(
        faf, 'systemd-notify --status="try $FAF_ATTEMPT"; test $FAF_ATTEMPT = 3 || exit $((FAF_ATTEMPT + 10))',
        Retry="on-failure", RetrySec="300ms")
    end = faf.ends(run, "succeeded", timeout=30)
    assert executed(faf, run) == [1, 2, 3] and end["status"] == "try 3" and "dueAt" not in end
    first, second, third = end["attempts"]
    assert [one["exitStatus"] for one in end["attempts"]] == [11, 12, 0]
    assert [one["state"] for one in end["attempts"]] == ["failed", "failed", "succeeded"]
    assert [one["number"] for one in end["attempts"]] == [1, 2, 3]
    assert first["reason"]["kind"] == "exit-code" and "11" in first["reason"]["text"]
    assert len({one["invocationId"] for one in end["attempts"]}) == 3
    for earlier, later in ((first, second), (second, third)):
        assert later["startedAt"] - earlier["endedAt"] >= 300_000, "it did not wait"
    for one in end["attempts"]:
        assert one["startedAt"] < one["endedAt"] and one["usage"]["maxResidentBytes"] > 0
    assert (end["startedAt"], end["endedAt"]) == (first["startedAt"], third["endedAt"])
    shown = faf.faf("show", run, check=0).stdout
    assert all(f"attempt {number}" in shown for number in (1, 2, 3)) and "exit status 12" in shown
    wait_for(faf.is_clean, 5)


def test_it_says_when_it_is_tried_again_and_how_often_it_was(faf):
    run = failing(faf, Retry="on-failure", RetrySec="1h", RetryLimit=2)
    found = waits(faf, run)
    assert delay(found) == HOUR and found["reason"]["text"] == "exit status 3; retry 1 of 2"
    assert "endedAt" not in found and found["attempts"][0]["reason"]["text"] == "exit status 3"
    for verb in (["list"], ["status"], ["status", run], ["show", run]):
        shown = faf.faf(*verb, check=0).stdout
        assert "queued" in shown and re.search(r"in (1 h|59 min)", shown), shown
    wait_for(faf.is_clean, 5)


def test_the_limit_ends_it_and_is_named(faf):
    run = failing(faf, Retry="on-failure", RetrySec="0", RetryLimit=2)
    end = faf.ends(run, "failed", "exit-code", 3, timeout=30)
    assert executed(faf, run) == [1, 2, 3] and "RetryLimit=2 is reached" in end["reason"]["text"]
    assert faf.faf("wait", run).returncode == 1
    wait_for(faf.is_clean, 5)


MATRIX = {
    # Script, then which of no, on-failure, on-abnormal and always try it again.
    "exit 0": "always",
    "exit 3": "on-failure always",
    "kill -SEGV $$": "on-failure on-abnormal always",
    "exec sleep 60": "on-failure on-abnormal always",
}


@pytest.mark.parametrize("mode", ["no", "on-failure", "on-abnormal", "always"])
def test_which_ends_are_tried_again(faf, mode):
    runs = {}
    for index, script in enumerate(MATRIX):
        settings = {"RuntimeMaxSec": "200ms"} if "sleep" in script else {}
        faf.task(f"t{index}", script, Retry=mode, RetrySec="1h", **settings)
        runs[script] = faf.fire(f"t{index}")
    for script, run in runs.items():
        wait_for(lambda: faf.attempt(run)["state"] in ("succeeded", "failed", "timed-out"), 20)
        state = faf.wait_state(run, "queued", "succeeded", "failed", "timed-out")["state"]
        assert (state == "queued") == (mode in MATRIX[script].split()), (mode, script, state)


def test_exit_statuses_decide_before_the_mode(faf):
    faf.script("t", 'exit "${1#--code=}"')
    faf.unit("prevented", ExecStart=f"{faf.scripts}/t", Retry="always", RetrySec="1h", RetryPreventExitStatus="4 SIGUSR1")
    faf.unit("forced", ExecStart=f"{faf.scripts}/t", RetrySec="1h", RetryForceExitStatus="4 5", RetryPreventExitStatus="5")
    faf.unit("fine", ExecStart=f"{faf.scripts}/t", Retry="on-failure", RetrySec="1h", SuccessExitStatus="4")
    expected = {
        ("prevented", 4): "failed", ("prevented", 5): "queued", ("forced", 4): "queued", ("forced", 5): "failed",
        ("forced", 6): "failed", ("fine", 4): "succeeded", ("fine", 5): "queued",
    }
    runs = {case: faf.fire(case[0], f"--code={case[1]}") for case in expected}
    for case, state in expected.items():
        assert faf.wait_state(runs[case], "failed", "queued", "succeeded")["state"] == state, case
    assert "RetryPreventExitStatus= names it" in faf.run(runs["prevented", 4])["reason"]["text"]


def test_a_script_that_cannot_spin_does_not(faf):
    """threat-model.md, I3: RetrySec=0 is 100 ms still."""
    run = failing(faf, "exit 1", Retry="always", RetrySec="0", RetryLimit=5)
    end = faf.ends(run, "failed", timeout=30)
    for earlier, later in zip(end["attempts"], end["attempts"][1:]):
        assert later["startedAt"] - earlier["endedAt"] >= 100_000


# ---------------------------------------------------------------- when


def test_the_delay_grows_in_steps(faf):
    """Each wait is cut short by hand, which begins the count anew; so one is waited for in earnest."""
    run = failing(faf, Retry="on-failure", RetrySec="200ms", RetrySteps=2, RetryMaxDelaySec="2h")
    found = waits(faf, run, attempts=2)
    # 0.2 s * (7200 s / 0.2 s) ^ (1/2), cut to µs.
    assert delay(found) == 37_947_331


def test_jitter_adds_up_to_its_share(faf):
    faf.task("t", "exit 3", Retry="on-failure", RetrySec="1h", RetryJitter="50%")
    runs = [faf.fire("t") for _ in range(8)]
    delays = [delay(waits(faf, run)) for run in runs]
    assert all(HOUR <= one < 1.5 * HOUR for one in delays) and len(set(delays)) > 1, delays


def test_a_script_asks_for_its_own_delay(faf):
    faf.task("t", 'systemd-notify "X_FAF_RETRY_AFTER=${1#--after=}"; exit 3', Retry="on-failure", RetrySec="1h")
    runs = {text: faf.fire("t", f"--after={text}") for text in ("90min", "2h 30s", "0", "soon", "infinity")}
    assert delay(waits(faf, runs["90min"])) == 1.5 * HOUR
    assert delay(waits(faf, runs["2h 30s"])) == 2 * HOUR + 30_000_000
    # What makes no sense is as if it had not been said.
    assert delay(waits(faf, runs["soon"])) == HOUR and delay(waits(faf, runs["infinity"])) == HOUR
    end = wait_for(lambda: len((run := faf.run(runs["0"]))["attempts"]) > 1 and "startedAt" in run["attempts"][1] and run, 10)
    assert end["attempts"][1]["startedAt"] - end["attempts"][0]["endedAt"] >= 100_000


def test_a_flapping_run_pauses_until_its_window_is_over_and_then_gives_up(faf):
    run = failing(faf, Retry="on-failure", RetrySec="0", RetryLimit=1, RetryWindowSec="3s")
    found = waits(faf, run, attempts=2)
    assert "pause 1 of 1" in found["reason"]["text"] and "RetryWindowSec=" in found["reason"]["text"]
    # The window began with the end of the first attempt; it is measured by another clock, read a moment later.
    assert abs(found["dueAt"] - found["attempts"][0]["endedAt"] - 3_000_000) < 10_000
    end = faf.ends(run, "failed", timeout=30)
    assert executed(faf, run) == [1, 2, 3] and "RetryLimit=1 was reached 2 times in a row" in end["reason"]["text"]
    assert end["attempts"][2]["startedAt"] >= found["dueAt"]


# ---------------------------------------------------------------- over a restart of fafd


def test_the_time_holds_while_fafd_is_killed(faf):
    run = failing(faf, 'test "$FAF_ATTEMPT" = 2 || exit 3', Retry="on-failure", RetrySec="4s")
    before = waits(faf, run)
    faf.restart()
    assert faf.run(run)["dueAt"] == before["dueAt"] and faf.run(run)["state"] == "queued"
    faf.restart()
    end = faf.ends(run, "succeeded", timeout=30)
    assert executed(faf, run) == [1, 2]
    assert end["attempts"][1]["startedAt"] >= before["dueAt"], "it came too early"


def test_what_came_due_while_fafd_was_away_is_launched_once_when_it_is_back(faf):
    run = failing(faf, 'test "$FAF_ATTEMPT" = 2 || exit 3', Retry="on-failure", RetrySec="300ms")
    due = waits(faf, run)["dueAt"]
    faf.kill9()
    wait_for(lambda: time.time() * 1e6 > due + 500_000, 10)
    assert executed(faf, run) == [1]
    faf.start()
    faf.ends(run, "succeeded")
    faf.restart()
    assert executed(faf, run) == [1, 2] and faf.run(run)["state"] == "succeeded"


def test_an_attempt_that_fails_while_fafd_is_away_is_tried_again_when_it_is_back(faf):
    """The delay counts from its end, however late that is read."""
    path = faf.marker(more=f'test "$FAF_ATTEMPT" = 2 && exit 0; while ! test -e {faf.out}/go; do sleep 0.05; done; exit 3')
    faf.unit("t", ExecStart=path, Retry="on-failure", RetrySec="1h")
    run = faf.fire("t")
    faf.running(run)
    faf.kill9()
    faf.output("go").touch()
    wait_for(lambda: faf.ends_on_disk(), 10, "the end is on disk")
    time.sleep(0.3)
    faf.start()
    assert delay(waits(faf, run)) == HOUR
    faf.faf("retry", run, check=0)
    faf.ends(run, "succeeded")


@pytest.mark.strace
@pytest.mark.root
@pytest.mark.parametrize("k", range(1, 9))
def test_a_kill_at_any_sync_runs_no_attempt_twice(faf, k):
    """G1 for retries: fafd is killed at the k-th sync of three attempts."""
    path = faf.marker(more='test "$FAF_ATTEMPT" = 3 || exit 3')
    faf.unit("t", ExecStart=path, Retry="on-failure", RetrySec="0")
    with faf.traced("-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:signal=SIGKILL:when={k}"):
        run, _ = outcome_of_fire(faf)

        def is_through():
            with contextlib.suppress(Closed, OSError):
                return run and faf.run(run)["state"] == "succeeded"

        wait_for(lambda: not faf.daemon.is_alive() or is_through(), 20)
    if faf.daemon.is_alive():
        faf.kill9()
    faf.start()
    for found in faf.runs():
        end = faf.ends(found["number"], "succeeded", timeout=30)
        assert [one["number"] for one in end["attempts"]] == [1, 2, 3]
        assert executed(faf, found["number"]) == [1, 2, 3]
    wait_for(faf.is_clean, 10)


# ---------------------------------------------------------------- people


def test_kill_and_cancel_end_a_run_that_waits(faf):
    for verb in ("kill", "cancel"):
        run = failing(faf, Retry="always", RetrySec="1h")
        waits(faf, run)
        done = faf.faf(verb, run, check=0)
        assert f"run {run} of t cancelled" in done.stdout and "before attempt 2" in done.stdout, done.stdout
        end = faf.ends(run, "cancelled", "cancelled")
        assert len(end["attempts"]) == 1 and end["attempts"][0]["state"] == "failed"
        assert "uid 0" in end["reason"]["text"] if os.geteuid() == 0 else True
        assert "is over" in faf.refused("cancel", run, code=OTHER)
    faf.restart()
    assert [run["state"] for run in faf.runs()] == ["cancelled", "cancelled"]
    wait_for(faf.is_clean, 5)


def test_kill_of_all_runs_of_a_task_reaches_those_that_wait(faf):
    first = failing(faf, "test -e {out}/stay && exec sleep 1000; exit 3", Retry="always", RetrySec="1h")
    waits(faf, first)
    faf.output("stay").touch()
    second = faf.fire("t")
    faf.running(second)
    faf.faf("kill", "t", "--wait", check=0)
    assert (faf.run(first)["state"], faf.run(second)["state"]) == ("cancelled", "killed")


def test_a_run_that_was_killed_is_not_tried_again(faf):
    run = failing(faf, "exec sleep 1000", Retry="always", RetrySec="0")
    faf.running(run)
    faf.kill(run)
    end = faf.ends(run, "killed")
    assert len(end["attempts"]) == 1
    # One signal is an end like any other.
    run = failing(faf, "test $FAF_ATTEMPT = 2 || exec sleep 1000", Retry="on-abnormal", RetrySec="0")
    faf.running(run)
    faf.kill(run, "-s", "KILL")
    assert faf.ends(run, "succeeded")["attempts"][0]["signal"] == "SIGKILL"


@pytest.mark.strace
@pytest.mark.parametrize("disk", [0, 30], ids=["fast", "slow"])
def test_an_acknowledged_kill_is_the_end_at_whatever_moment_it_comes(faf, disk):
    """While an attempt is launched, runs, ends, is stored or waits: none begins that was not running when it was acknowledged."""
    failing(faf, "exit 3", Retry="on-failure", RetryLimit="infinity", RetrySec="1ms")
    with contextlib.ExitStack() as stack:
        if disk:
            # Each change takes so many ms: as often as not one is being stored.
            stack.enter_context(faf.traced(
                "-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:delay_enter={disk}000"))
        kill_at_any_moment(faf, 0.0007 + disk * 0.0001)


def kill_at_any_moment(faf, pause):
    runs = [1]
    for step in range(40):
        run = runs[-1]
        wait_for(lambda: len(executed(faf, run)) > step % 3, 20)
        time.sleep(step * pause)  # another moment each time
        faf.kill(run)
        end = faf.wait(run)
        assert end["state"] in ("killed", "cancelled", "failed"), end
        if end["state"] == "failed":
            # Its last attempt had failed when it was asked to end.
            assert end["attempts"][-1]["exitStatus"] == 3 and "next" not in end["reason"]["text"], end
        runs.append(faf.fire("t"))
    faf.kill(runs[-1])
    faf.wait(runs[-1])
    counts = [len(executed(faf, run)) for run in runs]
    wait_for(faf.is_clean, 10)
    for run, count in zip(runs, counts):
        state = faf.run(run)
        assert state["state"] != "queued" and len(executed(faf, run)) == count
        # Of very many the latest are kept; the numbers tell how many there were.
        assert state["attempts"][-1]["number"] - count in (0, 1), "an attempt that was stopped before its script ran, at most"


def test_the_stop_of_an_attempt_is_not_that_of_the_next(faf):
    """Who looks whether a stop has worked looks at the attempt that was stopped, 5 s after its grace."""
    faf.task("limited", "test $FAF_ATTEMPT = 2 && systemd-notify WATCHDOG_USEC=0; exec sleep 9", WatchdogSec="2s",
             TimeoutStopSec="1s", Retry="on-failure", RetrySec="0")
    faf.task("stopped", "exec sleep 9", TimeoutStopSec="1s")
    limited, stopped = faf.fire("limited"), faf.fire("stopped")
    faf.running(stopped)
    faf.kill(stopped)
    faf.ends(stopped, "killed")
    faf.faf("retry", stopped, check=0)
    for run in (limited, stopped):
        end = faf.ends(run, "succeeded", timeout=40)
        assert len(end["attempts"]) == 2, end
    assert "did not kill it in time" not in faf.log_text()


def test_what_does_not_wait_is_not_cancelled_and_what_waits_gets_no_signal(faf):
    run = failing(faf, "exec sleep 1000")
    faf.running(run)
    text = faf.refused("cancel", run, code=OTHER)
    assert "is running" in text and f"faf kill {run}" in text
    text = faf.refused("retry", run, code=OTHER)
    assert "is running" in text and f"faf kill --wait {run}" in text
    run = failing(faf, Retry="always", RetrySec="1h")
    waits(faf, run)
    for arguments in (["kill", run, "-s", "TERM"], ["freeze", run]):
        text = faf.refused(*arguments, code=OTHER)
        assert "waits for its retry" in text and f"faf cancel {run}" in text
    assert waits(faf, run)["attempts"][0]["state"] == "failed"


def test_retry_of_a_run_that_waits_does_not_wait_any_longer(faf):
    run = failing(faf, Retry="on-failure", RetrySec="1h", RetryLimit=1)
    waits(faf, run)
    assert faf.faf("retry", run, check=0).stdout == f"run {run} of t: attempt 2\n"
    # Counted anew: there is a first retry again.
    assert waits(faf, run, attempts=2)["reason"]["text"].endswith("retry 1 of 1")
    faf.output("mended").touch()
    assert faf.json("retry", run)["number"] == run
    end = faf.ends(run, "succeeded")
    assert executed(faf, run) == [1, 2, 3] and len(end["attempts"]) == 3


def test_retry_of_a_run_that_is_over(faf):
    run = failing(faf, Retry="on-failure", RetrySec="0", RetryLimit=1)
    first = faf.ends(run, "failed")
    faf.output("mended").touch()
    faf.faf("retry", run, check=0)
    end = faf.ends(run, "succeeded")
    assert end["attempts"][:2] == first["attempts"] and [one["number"] for one in end["attempts"]] == [1, 2, 3]
    assert end["queuedAt"] == first["queuedAt"]
    # Of one that has succeeded, too; and again after a restart.
    faf.restart()
    faf.faf("retry", run, check=0)
    faf.wait_state(run, "succeeded")
    wait_for(lambda: executed(faf, run) == [1, 2, 3, 4], 10)
    faf.ends(run, "succeeded")
    assert faf.refused("retry", 4711, code=66)
    wait_for(faf.is_clean, 5)


def test_retry_with_wait_follows_the_run_to_its_last_attempt(faf):
    """`fire --wait` and `wait` are not over before the run is."""
    faf.task("t", 'test "$FAF_ATTEMPT" = 3 || exit 3; exit 0', Retry="on-failure", RetrySec="200ms")
    assert faf.faf("fire", "t", "--wait").returncode == 0
    run = faf.fire("t")
    assert faf.faf("wait", run).returncode == 0 and len(faf.run(run)["attempts"]) == 3


@pytest.mark.root
def test_another_user_may_neither_retry_nor_cancel(faf):
    """A2: who may not fire the task sees nothing of its runs. One whom the unit allows may do both."""
    run = failing(faf, Retry="on-failure", RetrySec="1h", AllowUsers=[ALICE, BOB])
    waits(faf, run)
    for verb in ("retry", "cancel", "kill"):
        faf.refused(verb, run, uid=STRANGER, code=REFUSED)
    assert waits(faf, run)["attempts"][0]["state"] == "failed"
    faf.faf("retry", run, uid=ALICE, check=0)
    waits(faf, run, attempts=2)
    faf.faf("cancel", run, uid=BOB, check=0)
    end = faf.ends(run, "cancelled")
    assert f"uid {BOB}" in end["reason"]["text"]
    for verb in ("retry", "cancel"):
        faf.refused(verb, run, uid=STRANGER, code=REFUSED)


@pytest.mark.root
def test_what_is_over_runs_again_only_for_whom_the_unit_allows_it_now(faf):
    run = failing(faf, AllowUsers=[ALICE, BOB])
    faf.ends(run, "failed")
    faf.unit("t", ExecStart=f"{faf.scripts}/mark", AllowUsers=[ALICE])
    # He may see it still, by the settings that it was fired with.
    assert faf.faf("show", run, uid=BOB, check=0)
    faf.refused("retry", run, uid=BOB, code=REFUSED)
    assert executed(faf, run) == [1]
    faf.faf("retry", run, uid=ALICE, check=0)
    faf.ends(run, "failed")
    os.unlink(f"{faf.units}/t.task")
    faf.reload()
    faf.refused("retry", run, uid=ALICE, code=(REFUSED, 66))
    faf.faf("retry", run, check=0)
    faf.ends(run, "failed")
    assert executed(faf, run) == [1, 2, 3]


@pytest.mark.root
@pytest.mark.parametrize("change", [
    {"User": ALICE, "Group": ALICE}, {"NoNewPrivileges": "yes"}, {"Environment": "A=1"}, {"ProtectSystem": "yes"},
    {"ExecStart": "/bin/true"}, {"MemoryAbove": "1M"}, {"AcceptParameters": "no"}], ids=lambda change: next(iter(change)))
def test_an_old_run_is_no_way_around_a_unit_that_was_tightened(faf, change):
    """With the rights that it was fired with, it runs again for root alone."""
    settings = {"ExecStart": faf.marker(more="exit 3"), "AllowUsers": ALICE, "NoNewPrivileges": "no"}
    faf.unit("t", **settings)
    run = faf.fire("t", uid=ALICE)
    faf.ends(run, "failed")
    faf.unit("t", **{**settings, **change})
    text = faf.refused("retry", run, uid=ALICE, code=OTHER)
    assert f"the unit of t has changed since run {run} was fired" in text and "faf fire t" in text
    assert executed(faf, run) == [1] and faf.run(run)["state"] == "failed"
    faf.faf("retry", run, check=0)
    faf.ends(run, "failed")
    # What only tells of it, and who may fire it, is not what it does.
    faf.unit("t", "[Unit]\nDescription=Cuts\n[Task]\n" + "".join(
        f"{key}={value}\n" for key, value in {**settings, "AllowUsers": f"{ALICE} {BOB}"}.items()))
    faf.faf("retry", run, uid=ALICE, check=0)
    faf.ends(run, "failed")
    assert executed(faf, run) == [1, 2, 3]


# ---------------------------------------------------------------- the script and the settings


@pytest.mark.root
@pytest.mark.parametrize("change", ["vanished", "writable", "owner", "setuid"])
def test_the_script_is_checked_again_at_each_attempt(faf, change):
    """C4: what may no longer run is refused by name, and is a failure like any other."""
    run = failing(faf, Retry="on-failure", RetrySec="1h", RetryLimit=1)
    waits(faf, run)
    path = f"{faf.scripts}/mark"
    {
        "vanished": lambda: os.unlink(path),
        "writable": lambda: os.chmod(path, 0o777),
        "owner": lambda: os.chown(path, ALICE, ALICE),
        "setuid": lambda: os.chmod(path, 0o4755),
    }[change]()
    text = faf.refused("retry", run, code=(REFUSED, OTHER))
    assert path in text
    found = waits(faf, run, attempts=2)
    assert found["attempts"][1]["reason"]["kind"] == "exec" and path in found["attempts"][1]["reason"]["text"]
    assert executed(faf, run) == [1]
    wait_for(faf.is_clean, 5)


@pytest.mark.root
def test_a_script_that_was_mended_is_run(faf):
    """Written anew, as editors do it: another inode, which the check has seen."""
    run = failing(faf, Retry="on-failure", RetrySec="1h")
    waits(faf, run)
    os.rename(faf.marker("new"), f"{faf.scripts}/mark")
    faf.faf("retry", run, check=0)
    faf.ends(run, "succeeded")
    assert len(faf.marks("new")) == 1


@pytest.mark.root
def test_a_deploy_changes_nothing_for_a_run_that_waits(faf):
    """What waits runs the release that it was fired from; what is over and asked for again runs the present one."""
    for name in ("1", "2"):
        os.makedirs(f"{faf.base}/releases/{name}")
        faf.marker(f"mark{name}", "exit 3", directory=f"{faf.base}/releases/{name}")
        os.rename(f"{faf.base}/releases/{name}/mark{name}", f"{faf.base}/releases/{name}/job")
    os.symlink("releases/1", faf.base + "/current")
    faf.unit("t", ExecStart=faf.base + "/current/job", Retry="on-failure", RetrySec="1h")
    run = faf.fire("t")
    waits(faf, run)
    assert faf.base + "/releases/1" in faf.faf("releases", check=0).stdout
    os.symlink("releases/2", faf.base + "/new")
    os.rename(faf.base + "/new", faf.base + "/current")
    faf.faf("retry", run, check=0)
    waits(faf, run, attempts=2)
    assert (len(faf.marks("mark1")), len(faf.marks("mark2"))) == (2, 0)
    faf.faf("cancel", run, check=0)
    faf.faf("retry", run, check=0)
    assert waits(faf, run, attempts=3)["release"] == faf.base + "/releases/2"
    assert (len(faf.marks("mark1")), len(faf.marks("mark2"))) == (2, 1)


def test_the_settings_stay_those_it_was_fired_with(faf):
    """I1: to its last retry."""
    run = failing(faf, "test -e {out}/mended && test \"$WHICH\" = old || exit 3", Environment="WHICH=old",
                  Retry="on-failure", RetrySec="1h", RetryLimit=7)
    waits(faf, run)
    faf.unit("t", ExecStart="/bin/false", Environment="WHICH=new")
    faf.faf("retry", run, check=0)
    found = waits(faf, run, attempts=2)
    assert delay(found) == HOUR and "of 7" in found["reason"]["text"]
    faf.restart()
    faf.output("mended").touch()
    faf.faf("retry", run, check=0)
    faf.ends(run, "succeeded")


# ---------------------------------------------------------------- lost, and stopped with all others


@pytest.mark.root
@pytest.mark.cgroup
def test_a_lost_attempt_is_tried_again_once_nothing_is_left_of_it(faf):
    """G4: its shim was killed, so nobody knows how it ended."""
    run = failing(faf, "test $FAF_ATTEMPT = 2 || exec sleep 1000", Retry="on-failure", RetrySec="300ms")
    left = faf.main_pid(run)
    system.kill_quietly(faf.shim_pid(run))
    end = faf.ends(run, "succeeded")
    assert [one["state"] for one in end["attempts"]] == ["lost", "succeeded"]
    assert not system.is_running(left) and executed(faf, run) == [1, 2]


@pytest.mark.root
@pytest.mark.cgroup
def test_nothing_is_retried_into_tasks_that_are_being_stopped(stopped_faf):
    """`systemctl stop faf-tasks`: what was stopped is over, what waits goes on waiting until they are started again."""
    faf = stopped_faf
    tasks = Tasks(faf)
    try:
        path = faf.marker(more=FAILS.format(out=faf.out))
        faf.start()
        faf.unit("t", ExecStart=path, Retry="on-failure", RetrySec="1s")
        faf.task("sleeper", "exec sleep 1000", Retry="always", RetrySec="0")
        waiting, sleeper = faf.fire("t"), faf.fire("sleeper")
        waits(faf, waiting)
        faf.running(sleeper)
        stopping = tasks.stop_all()
        assert stopping.wait(20) == 0, stopping.stderr.read()
        end = faf.ends(sleeper, "killed", "shutdown")
        assert len(end["attempts"]) == 1 and end["attempts"][0]["stop"]["cause"] == "shutdown"
        # Due by now, and held.
        wait_for(lambda: "faf-tasks" in faf.run(waiting)["reason"]["text"], 15, lambda: faf.run(waiting))
        assert faf.run(waiting)["state"] == "queued" and executed(faf, waiting) == [1]
        faf.output("mended").touch()
        tasks.end_holder()
        tasks.hold()
        faf.ends(waiting, "succeeded", timeout=20)
        assert executed(faf, waiting) == [1, 2]
    finally:
        tasks.remove()
