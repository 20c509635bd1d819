"""Tasks that are fired when a run ends: OnSuccess=, OnFailure=, OnAttemptFailure= (faf.task(5))."""

import contextlib

import pytest
import system
from harness import ALICE, BOB
from system import wait_for
from test_g_restart import outcome_of_fire
from wire import Closed

HOOK = 'env | grep -E "MONITOR|^FAF_TASK=" | sort > {out}/hook.$FAF_RUN.new; mv {out}/hook.$FAF_RUN.new {out}/hook.$FAF_RUN'


def unit(faf, name, script, text="", **settings):
    """A task with these lines in [Unit]."""
    path = faf.script(name, script)
    lines = "".join(f"{key}={value}\n" for key, value in {"ExecStart": path, **settings}.items())
    faf.unit(name, f"[Unit]\n{text}\n[Task]\n{lines}")


@pytest.fixture
def hooks(faf):
    """Three tasks that tell what they were told."""
    for name in ("good", "bad", "attempt"):
        faf.task(name, HOOK.format(out=faf.out))
    return faf


def followers(faf, run, count):
    """The runs that follow on this one, over, lowest number first; exactly so many."""
    def found():
        runs = [one for one in faf.runs() if one.get("trigger", {}).get("run") == run]
        return sorted(runs, key=lambda one: one["number"]) if len(runs) >= count else None

    runs = wait_for(found, 20, lambda: f"{count} runs follow on {run}: {faf.runs()}")
    assert len(runs) == count, runs
    return [faf.wait(one["number"]) for one in runs]


def told(faf, run):
    return dict(line.split("=", 1) for line in system.read(f"{faf.out}/hook.{run}").splitlines())


TEXT = "OnSuccess=good\nOnFailure=bad.task\nOnAttemptFailure=attempt"

ENDS = {
    "exit 0": ("good", "success", "exited", "0"),
    "exit 3": ("bad", "exit-code", "exited", "3"),
    "kill -USR1 $$": ("bad", "signal", "killed", "USR1"),
    "exec sleep 60": ("bad", "timeout", "killed", "TERM"),
}


def test_who_follows_and_what_it_is_told(hooks):
    """The words are systemd's (systemd.exec(5), $MONITOR_SERVICE_RESULT)."""
    faf = hooks
    runs = {}
    for index, script in enumerate(ENDS):
        unit(faf, f"t{index}", script, TEXT, RuntimeMaxSec="300ms" if "sleep" in script else "infinity")
        runs[script] = faf.fire(f"t{index}")
    for index, (script, (task, result, code, status)) in enumerate(ENDS.items()):
        run = runs[script]
        end = faf.wait(run)
        following = followers(faf, run, 1 if task == "good" else 2)
        assert [one["task"] for one in following] == (["good"] if task == "good" else ["attempt", "bad"])
        for one in following:
            assert one["state"] == "succeeded" and (one["uid"] == 0 or not faf.root)
            assert one["trigger"]["run"] == run and one["trigger"]["attempt"] == 1
            assert told(faf, one["number"]) == {
                "FAF_TASK": one["task"], "MONITOR_SERVICE_RESULT": result, "MONITOR_EXIT_CODE": code,
                "MONITOR_EXIT_STATUS": status, "MONITOR_INVOCATION_ID": end["attempts"][0]["invocationId"],
                "MONITOR_UNIT": f"t{index}.task", "FAF_MONITOR_RUN": str(run), "FAF_MONITOR_ATTEMPT": "1"}
            setting = {"good": "OnSuccess", "bad": "OnFailure", "attempt": "OnAttemptFailure"}[one["task"]]
            assert f"by {setting}= of run {run}" in faf.faf("show", one["number"], check=0).stdout
    assert "MONITOR" not in faf.faf("logs", runs["exit 0"]).stdout
    wait_for(faf.is_clean, 5)


def test_each_attempt_and_the_end_are_told_apart(hooks):
    faf = hooks
    unit(faf, "t", 'exit $((FAF_ATTEMPT + 10))', TEXT, Retry="on-failure", RetrySec="0", RetryLimit=2)
    run = faf.fire("t")
    faf.ends(run, "failed")
    following = followers(faf, run, 4)
    assert sorted(one["task"] for one in following) == ["attempt", "attempt", "attempt", "bad"]
    seen = sorted((one["task"], told(faf, one["number"])["MONITOR_EXIT_STATUS"]) for one in following)
    assert seen == [("attempt", "11"), ("attempt", "12"), ("attempt", "13"), ("bad", "13")]
    # Asked for again, it ends again.
    faf.faf("retry", run, check=0)
    wait_for(lambda: len(faf.run(run)["attempts"]) == 6, 20)
    faf.ends(run, "failed")
    assert len(followers(faf, run, 8)) == 8


def test_nothing_follows_on_what_somebody_has_stopped(hooks):
    faf = hooks
    unit(faf, "t", "exec sleep 1000", TEXT, Retry="always")
    run = faf.fire("t")
    faf.running(run)
    faf.kill(run)
    faf.ends(run, "killed")
    unit(faf, "u", "exit 3", TEXT.replace("OnAttemptFailure=attempt", ""), Retry="always", RetrySec="1h")
    waiting = faf.fire("u")
    faf.wait_state(waiting, "queued")
    faf.faf("cancel", waiting, check=0)
    faf.restart()
    assert len(faf.runs()) == 2, faf.runs()


def test_a_chain_has_an_end(faf):
    """Two tasks that name each other, and one that names itself."""
    unit(faf, "ping", "exit 3", "OnFailure=pong")
    unit(faf, "pong", "exit 3", "OnFailure=ping")
    unit(faf, "self", "exit 3", "OnFailure=self")
    for name in ("ping", "self"):
        before = len(faf.runs())
        run = faf.fire(name)
        wait_for(lambda: len(faf.runs()) == before + 5, 20)
        for one in faf.runs():
            faf.wait(one["number"])
        wait_for(lambda: faf.log_text().count("4 runs have followed on one another already") == (1 if name == "ping" else 2), 5)
        assert len(faf.runs()) == before + 5 and run


def test_a_task_that_cannot_be_fired_costs_the_end_nothing(faf):
    unit(faf, "t", "exit 3", "OnFailure=nowhere broken picky")
    faf.unit("broken", ExecStart="relative")
    faf.unit("picky", f"[Task]\nExecStart={faf.script('picky', 'exit 0')}\n[Parameters]\nvideo=integer required\n")
    run = faf.fire("t")
    faf.ends(run, "failed", "exit-code", 3)
    for text in ("OnFailure=nowhere cannot be fired: there is no task nowhere", "OnFailure=broken cannot be fired",
                 "OnFailure=picky cannot be fired"):
        assert text in faf.log_text()
    assert len(faf.runs()) == 1


@pytest.mark.root
def test_who_follows_runs_as_its_own_unit_says_and_belongs_to_root(hooks):
    """Not with the rights of whoever fired the first; who may not fire the second sees nothing of it."""
    faf = hooks
    unit(faf, "t", "exit 3", "OnFailure=mine", User=ALICE, Group=ALICE, AllowUsers=ALICE)
    faf.task("mine", f"id -u > {faf.out}/uid", User=BOB, Group=BOB)
    run = faf.fire("t", uid=ALICE)
    (one,) = followers(faf, run, 1)
    assert one["state"] == "succeeded" and system.read(f"{faf.out}/uid").strip() == str(BOB) and one["uid"] == 0
    faf.faf("show", one["number"], uid=ALICE, check=77)
    faf.faf("show", one["number"], uid=BOB, check=0)


@pytest.mark.root
@pytest.mark.strace
@pytest.mark.parametrize("k", range(1, 9))
def test_each_follows_exactly_once_over_a_crash(faf, k):
    """fafd is killed at the k-th sync of a run with one retry and of those that follow on it."""
    mark = faf.marker()
    faf.unit("after", ExecStart=mark)
    unit(faf, "t", "test $FAF_ATTEMPT = 2 || exit 3", "OnSuccess=after\nOnAttemptFailure=after", Retry="on-failure",
         RetrySec="0")
    with faf.traced("-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:signal=SIGKILL:when={k}"):
        outcome_of_fire(faf)

        def is_through():
            with contextlib.suppress(Closed, OSError):
                return len([run for run in faf.runs() if run["state"] == "succeeded"]) == 3

        wait_for(lambda: not faf.daemon.is_alive() or is_through(), 20)
    if faf.daemon.is_alive():
        faf.kill9()
    faf.start()
    for run in faf.runs():
        if "trigger" not in run:
            faf.ends(run["number"], "succeeded", timeout=30)
            events = [one["trigger"]["setting"] for one in followers(faf, run["number"], 2)]
            assert events == ["OnAttemptFailure", "OnSuccess"]
            assert len(faf.marks()) == 2
    wait_for(faf.is_clean, 10)
