"""Threat model, E7: conditions on what all processes of an attempt use, looked at by fafd."""

import pytest
import system
from harness import BOB
from system import wait_for

HOLDS = "exec python3 -c 'import time; x = bytearray({megabytes} << 20); open(\"{out}/there\", \"w\").close(); time.sleep(300)'"


@pytest.mark.cgroup
def test_e7_memory_of_a_grandchild_counts(faf):
    """Held by a process that has left its session and its parent; the samples are told."""
    hold = HOLDS.format(megabytes=60, out=faf.out)
    faf.task("t", f"( setsid sh -c '{hold.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}' & )\nexec sleep 300",
             User=BOB, Group=BOB, MemoryAbove="40M", MemoryTimes="3/5", MemoryIntervalSec="200ms", MemoryAction="kill")
    run = faf.fire("t")
    end = faf.ends(run, "failed", "memory-limit", timeout=60)
    (met,) = end["attempts"][0]["conditions"]
    assert met["setting"] == "MemoryAbove" and met["above"] == 40 << 20 and met["action"] == "kill"
    over = [sample for sample in met["samples"] if sample > 40 << 20]
    assert len(over) == 3 and 60 << 20 <= max(over) < 100 << 20 and len(met["samples"]) <= 5
    assert "was exceeded by 3 of" in end["reason"]["text"] and end["reason"]["text"].count("*") == 3
    assert met["text"] in faf.faf("show", str(run), check=0).stdout
    wait_for(faf.is_clean, 5)


@pytest.mark.cgroup
def test_cpu_between_two_samples_and_a_condition_that_only_notifies(faf):
    faf.task("t", "while :; do :; done", CPUAbove="20%", CPUTimes="2/2", CPUIntervalSec="200ms", CPUAction="notify",
             TimeoutStopSec="1s")
    run = faf.fire("t")
    wait_for(lambda: faf.attempt(run).get("conditions"), 60, "the condition is met")
    assert faf.run(run)["state"] == "running"
    (met,) = faf.attempt(run)["conditions"]
    assert met["setting"] == "CPUAbove" and len(met["samples"]) == 2 and min(met["samples"]) > 2000
    wait_for(lambda: "CPUAbove=20.0% was exceeded by 2 of 2 samples" in faf.log_text(), 5)
    faf.kill(run)
    faf.ends(run, "killed")


@pytest.mark.cgroup
def test_a_crash_of_fafd_keeps_the_reason(faf):
    """The shim's record has the cause; the samples are gone, and that is said."""
    # Takes the memory when it ignores the signal already.
    faf.task("t", "trap '' TERM\n" + HOLDS.format(megabytes=60, out=faf.out), TimeoutStopSec="5s",
             MemoryAbove="40M", MemoryTimes="1", MemoryIntervalSec="200ms")
    run = faf.fire("t")
    wait_for(lambda: faf.run(run)["state"] == "stopping", 30)
    faf.kill9()
    faf.start()
    end = faf.ends(run, "failed", "memory-limit", timeout=30)
    assert "MemoryAbove= was exceeded; fafd was restarted before the end" in end["reason"]["text"]
    assert end["attempts"][0]["signal"] == "SIGKILL" and not end["attempts"][0].get("conditions")


@pytest.mark.cgroup
def test_a_leaker_is_restarted_and_looked_at_anew(faf):
    """MemoryAction=restart: RestartKillSignal=, another attempt whatever Retry= says, within RetryLimit=."""
    hold = HOLDS.format(megabytes=60, out=faf.out)
    faf.task("t", f"test $FAF_ATTEMPT = 3 && exit 0\n{hold}", MemoryAbove="40M", MemoryTimes="3/5", RetryLimit=2,
             MemoryIntervalSec="200ms", MemoryAction="restart", RetrySec="0", RestartKillSignal="SIGUSR1")
    run = faf.fire("t")
    end = faf.ends(run, "succeeded", timeout=60)
    assert [one["state"] for one in end["attempts"]] == ["failed", "failed", "succeeded"]
    for one in end["attempts"][:2]:
        assert one["reason"]["kind"] == "memory-limit" and one["signal"] == "SIGUSR1" and one["stop"]["cause"] == "memory"
        (met,) = one["conditions"]
        assert met["action"] == "restart" and len([sample for sample in met["samples"] if sample > 40 << 20]) == 3
    assert "conditions" not in end["attempts"][2]
    faf.task("t", hold, MemoryAbove="40M", MemoryTimes="1", RetryLimit=1, MemoryIntervalSec="100ms",
             MemoryAction="restart", RetrySec="0")
    end = faf.ends(faf.fire("t"), "failed", "memory-limit", timeout=60)
    assert len(end["attempts"]) == 2 and "RetryLimit=1 is reached" in end["reason"]["text"]


@pytest.mark.cgroup
def test_a_crash_of_fafd_between_the_stop_and_the_end_keeps_the_restart(faf):
    faf.task("t", "test $FAF_ATTEMPT = 2 && exit 0\ntrap '' TERM\n" + HOLDS.format(megabytes=60, out=faf.out),
             TimeoutStopSec="5s", MemoryAbove="40M", MemoryTimes="1", MemoryIntervalSec="200ms", MemoryAction="restart")
    run = faf.fire("t")
    wait_for(lambda: faf.run(run)["state"] == "stopping", 30)
    faf.restart()
    end = faf.ends(run, "succeeded", timeout=30)
    assert end["attempts"][0]["reason"]["kind"] == "memory-limit"


@pytest.mark.cgroup
def test_a_condition_freezes_until_the_thaw(faf):
    faf.task("t", HOLDS.format(megabytes=60, out=faf.out), MemoryAbove="40M", MemoryTimes="2/2", MemoryIntervalSec="200ms",
             MemoryAction="freeze")
    run = faf.fire("t")
    wait_for(lambda: "frozen" in faf.attempt(run), 60, "it is frozen")
    attempt = faf.attempt(run)
    assert "uid" not in attempt["frozen"] and attempt["conditions"][0]["action"] == "freeze"
    assert "frozen" in faf.faf("show", run, check=0).stdout
    first = attempt["conditions"][0]["at"]
    faf.faf("thaw", run, check=0)
    # It holds what it held, so two samples later it stands still again.
    wait_for(lambda: faf.attempt(run)["conditions"][0]["at"] > first and "frozen" in faf.attempt(run), 30)
    faf.kill(run)
    faf.ends(run, "killed")
