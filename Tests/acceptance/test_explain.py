"""Every reason that a run may have is produced by the real fafd, and `faf explain` says it as a person would.

Those that need a memory controller (oom-kill, memory-pressure) are produced in the virtual machine: Tests/vm/cases.
"""

import os
import pathlib
import re
import signal
import subprocess

import pytest
import system
from harness import ALICE, NOT_FOUND
from system import wait_for
from test_l_systemd import Tasks
from test_startup_table import start_on_another_boot

STAYS = "trap '' TERM\n: > {out}/ready\nwhile :; do sleep 0.05; done"
HOLDS = "exec python3 -c 'x = bytearray(60 << 20); import time; time.sleep(300)'"


def explain(faf, run):
    """What is printed, without what differs from time to time."""
    text = faf.faf("explain", str(run), check=0).stdout
    print(text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \([^)]*\)", "WHEN", text)
    text = re.sub(r"(after|for) [\d.]+ (ms|s)\b", r"\1 SPAN", text)
    text = re.sub(r"of \d samples: [^(\n]*[%B]", "of N samples: SAMPLES", text)
    text = re.sub(r"coredumpctl info \d+", "coredumpctl info PID", text)
    return [line.strip() for line in text.splitlines()]


def fire(faf, script, **settings):
    faf.task("t", script, **settings)
    return faf.fire("t")


def fire_until_ready(faf, script=STAYS, **settings):
    run = fire(faf, script.format(out=faf.out), **settings)
    wait_for(faf.output("ready").exists, 10)
    return run


def success(faf):
    return fire(faf, "exit 0")


def exit_code(faf):
    return fire(faf, "exit 3")


def killed(faf):
    run = fire_until_ready(faf, AllowUsers=ALICE, TimeoutStopSec="300ms")
    faf.kill(run, uid=ALICE)
    return run


def one_signal(faf):
    run = fire(faf, "exec sleep 300", AllowUsers=ALICE)
    faf.running(run)
    faf.kill(run, "-s", "INT", uid=ALICE)
    return run


def crash(faf):
    return fire(faf, "kill -KILL $$")


def core_dump(faf):
    return fire(faf, "ulimit -c unlimited; kill -ABRT $$", WorkingDirectory=faf.out, LimitCORE="infinity")


def runtime(faf):
    return fire_until_ready(faf, RuntimeMaxSec="500ms", TimeoutStopSec="300ms")


def start(faf):
    return fire(faf, "exec sleep 300", Type="notify", TimeoutStartSec="300ms")


def says_stopping(faf):
    faf.puppet_unit(TimeoutStopSec="300ms")
    puppet = faf.puppet()
    puppet.tell("notify('STOPPING=1')")
    return puppet.run


def watchdog(faf):
    return fire(faf, "exec sleep 300", WatchdogSec="300ms", TimeoutAbortSec="20s")


def silence(faf):
    return fire(faf, "exec sleep 300", SilenceSec="300ms", SilenceAction="kill")


def protocol(faf):
    return fire(faf, "exit 0", Type="notify")


def no_room(faf):
    """The kernel refuses another cgroup with EAGAIN."""
    faf.ends(fire(faf, "exit 0"), "succeeded")
    limit = pathlib.Path(faf.cgroup, "t/cgroup.max.descendants")
    wait_for(faf.is_clean, 5)
    limit.write_text("0")
    faf.refused("fire", "t", code=set(range(1, 256)))
    limit.write_text("max")
    return max(run["number"] for run in faf.runs())


def no_interpreter(faf):
    faf.unit("t", ExecStart=faf.script("t", "#!/nowhere/sh\n"))
    return faf.fire("t")


def memory(faf):
    return fire(faf, HOLDS, MemoryAbove="40M", MemoryTimes="2/3", MemoryIntervalSec="100ms", MemoryAction="kill")


def cpu(faf):
    return fire(faf, "while :; do :; done", CPUAbove="10%", CPUTimes="2/2", CPUIntervalSec="200ms", CPUAction="kill")


def lost(faf):
    run = fire(faf, "exec sleep 300")
    os.kill(faf.shim_pid(run), signal.SIGKILL)
    return run


def shutdown(faf):
    run = fire_until_ready(faf, TimeoutStopSec="300ms")
    subprocess.run([faf.programs + "/faf-shim", "--stop-all", faf.runtime], stderr=subprocess.PIPE, timeout=20, check=True)
    return run


def reboot(faf):
    run = fire(faf, "exec sleep 300")
    main, shim = faf.main_pid(run), faf.shim_pid(run)
    faf.kill9()
    for pid in (shim, main):
        os.kill(pid, signal.SIGKILL)
    start_on_another_boot(faf)
    return run


def cancelled(faf):
    run = fire(faf, "exit 3", Retry="on-failure", RetrySec="1h")
    faf.wait_state(run, "queued")
    faf.faf("cancel", str(run), check=0)
    return run


OVER = "next: nothing: it ended at WHEN, after SPAN"
UNSTARTED = "next: nothing: it ended at WHEN"
AGAIN = "try: `faf retry 1` tries it again"
LAST = "try: `faf logs 1` shows what it wrote last"
TIME = "try: give it more time in its unit, or let it ask for more with EXTEND_TIMEOUT_USEC="
USED = "try: `faf show 1` tells what it used; "

REASONS = [
    (success, "success", ["run 1 of t: succeeded (success)", "why: exit status 0", OVER]),
    (
        exit_code,
        "exit-code",
        [
            "run 1 of t: failed (exit-code)",
            "why: exit status 3",
            "its script ended by itself; only 0 and what SuccessExitStatus= names are success",
            OVER,
            LAST,
        ],
    ),
    (
        killed,
        "signal",
        [
            "run 1 of t: killed (signal)",
            "why: stopped by uid 2001; it did not stop in time and was killed (ended by SIGKILL)",
            "who: uid 2001 stopped it with faf kill, WHEN: SIGTERM was sent; "
            "it had not ended when TimeoutStopSec=300ms was over, and was killed",
            OVER,
            AGAIN,
        ],
    ),
    (one_signal, "signal", ["run 1 of t: killed (signal)", "why: uid 2001 sent SIGINT", OVER, AGAIN]),
    (
        crash,
        "signal",
        [
            "run 1 of t: failed (signal)",
            "why: ended by SIGKILL",
            "nobody asked faf for it: the script crashed, or something else than faf killed it",
            OVER,
            "try: `journalctl -k` tells whether the kernel ran out of memory; `faf logs 1` shows what it wrote",
        ],
    ),
    (
        core_dump,
        "core-dump",
        [
            "run 1 of t: failed (core-dump)",
            "why: ended by SIGABRT, core dumped",
            "its main process crashed and left a core dump",
            OVER,
            "try: `coredumpctl info PID` shows where; `faf logs 1` shows what it wrote",
        ],
    ),
    (
        runtime,
        "timeout",
        [
            "run 1 of t: timed-out (timeout)",
            "why: it ran longer than RuntimeMaxSec=; it did not stop in time and was killed (ended by SIGKILL)",
            "who: RuntimeMaxSec=500ms stopped it, WHEN: SIGTERM was sent; "
            "it had not ended when TimeoutStopSec=300ms was over, and was killed",
            OVER,
            TIME,
        ],
    ),
    (
        start,
        "timeout",
        [
            "run 1 of t: timed-out (timeout)",
            "why: it did not say READY=1 within TimeoutStartSec= (ended by SIGTERM)",
            "who: TimeoutStartSec=300ms stopped it, WHEN: SIGTERM was sent",
            OVER,
            TIME,
        ],
    ),
    (
        says_stopping,
        "timeout",
        [
            "run 1 of puppet: timed-out (timeout)",
            "why: it said STOPPING=1 and did not end within TimeoutStopSec=; it did not stop in time and was killed "
            "(ended by SIGKILL)",
            "who: it said itself that it stops (STOPPING=1), WHEN; "
            "it had not ended when TimeoutStopSec=300ms was over, and was killed",
            OVER,
            TIME,
        ],
    ),
    (
        watchdog,
        "watchdog",
        [
            "run 1 of t: timed-out (watchdog)",
            "why: it did not say WATCHDOG=1 within WatchdogSec=, or said WATCHDOG=trigger (ended by SIGABRT)",
            "who: WatchdogSec=300ms stopped it, WHEN: SIGABRT was sent",
            OVER,
            LAST,
        ],
    ),
    (
        silence,
        "silence",
        [
            "run 1 of t: timed-out (silence)",
            "why: no output, status or progress came from it for SilenceSec= (ended by SIGKILL)",
            "who: SilenceSec=300ms stopped it, WHEN; it was killed",
            OVER,
            LAST,
        ],
    ),
    (
        protocol,
        "protocol",
        [
            "run 1 of t: failed (protocol)",
            "why: it ended before it said READY=1, which Type=notify asks for",
            OVER,
            "try: let its script say READY=1 (systemd-notify --ready), or write Type=simple in its unit",
        ],
    ),
    (
        no_room,
        "resources",
        [
            "run 2 of t: failed (resources)",
            "why: the attempt's cgroup could not be made: Resource temporarily unavailable (EAGAIN)",
            "the machine, not the task, stood in the way",
            UNSTARTED,
            "try: `faf doctor` shows what this machine lacks; then `faf retry 2` tries it again",
        ],
    ),
    (
        no_interpreter,
        "exec",
        [
            "run 1 of t: failed (exec)",
            "why: the script did not start: step exec failed: No such file or directory (ENOENT)",
            "its script has not run at all",
            UNSTARTED,
            "try: `faf run --foreground t` tries it in this terminal",
        ],
    ),
    (
        memory,
        "memory-limit",
        [
            "run 1 of t: failed (memory-limit)",
            "why: MemoryAbove=40.0 MiB was exceeded by 2 of N samples: SAMPLES (ended by SIGTERM)",
            "who: MemoryAbove=40M stopped it, WHEN: SIGTERM was sent",
            OVER,
            USED + "raise the limit in its unit, or let it use less",
        ],
    ),
    (
        cpu,
        "cpu-limit",
        [
            "run 1 of t: failed (cpu-limit)",
            "why: CPUAbove=10.0% was exceeded by 2 of N samples: SAMPLES (ended by SIGTERM)",
            "who: CPUAbove=10% stopped it, WHEN: SIGTERM was sent",
            OVER,
            USED + "CPUQuota= would hold it back instead",
        ],
    ),
    (
        lost,
        "lost",
        [
            "run 1 of t: lost (lost)",
            "why: its shim vanished without leaving an end",
            "nobody was there to see how it ended, so nobody knows how much of its work is done",
            OVER,
            AGAIN,
        ],
    ),
    (
        cancelled,
        "cancelled",
        [
            "run 1 of t: cancelled (cancelled)",
            "why: cancelled by uid 0 before attempt 2",
            OVER,
            AGAIN,
        ],
    ),
    (
        reboot,
        "reboot",
        [
            "run 1 of t: lost (reboot)",
            "why: the machine restarted while it ran",
            "it was not stopped in order: a power cut, a reset or a crash of the kernel",
            UNSTARTED,
            AGAIN,
        ],
    ),
    (
        shutdown,
        "shutdown",
        [
            "run 1 of t: killed (shutdown)",
            "why: stopped because the tasks' unit was stopped; it did not stop in time and was killed (ended by SIGKILL)",
            "who: the tasks' unit was stopped, by hand or because the machine goes down, WHEN: SIGTERM was sent; "
            "it had not ended when TimeoutStopSec=300ms was over, and was killed",
            OVER,
            "try: `systemctl start faf-tasks` lets tasks run again; then `faf retry 1` tries it again",
        ],
    ),
]


@pytest.mark.cgroup
@pytest.mark.root
@pytest.mark.mount
@pytest.mark.parametrize("produce, kind, said", REASONS, ids=[produce.__name__ for produce, _, _ in REASONS])
def test_each_reason_is_explained(faf, produce, kind, said):
    """The reason as design.md 2 has it, then who or what it was with its value, what comes next and what to do."""
    if produce is core_dump and system.read("/proc/sys/kernel/core_pattern").startswith("|"):
        pytest.skip("needs a kernel.core_pattern that writes files")
    run = produce(faf)
    assert faf.wait(run, 30)["reason"]["kind"] == kind
    assert explain(faf, run) == said


def test_no_reason_is_left_out():
    """All words of the interface, here or where there is a memory controller."""
    checkout = pathlib.Path(__file__).resolve().parents[2]
    text = (checkout / "Sources/FafAPI/io.faf.Supervisor.varlink").read_text()
    words = set(re.findall(r"[a-z-]+", re.search(r"One word, stable: ([^.]*)\.", text).group(1)))
    machine = set(re.findall(r'fire\("\w+"\), "([a-z-]+)"', (checkout / "Tests/vm/cases/reasons.py").read_text()))
    assert machine == {"oom-kill", "memory-pressure"}
    assert {kind for _, kind, _ in REASONS} | machine == words


@pytest.mark.cgroup
def test_a_restart_by_a_condition_is_explained_with_its_samples(faf):
    """Each attempt that MemoryAction=restart has ended tells what was seen of it, also when it is not the last."""
    settings = {"MemoryAbove": "40M", "MemoryTimes": "2/3", "MemoryIntervalSec": "100ms", "MemoryAction": "restart"}
    run = fire(faf, "echo $FAF_ATTEMPT\ntest $FAF_ATTEMPT = 2 && exit 0\n" + HOLDS, RetrySec="0", **settings)
    faf.ends(run, "succeeded", timeout=60)
    text = faf.faf("explain", str(run), check=0).stdout
    (before,) = re.findall(r"^ before: (attempt 1 .*)$", text, re.MULTILINE)
    seen = re.search(r"MemoryAbove=40\.0 MiB was exceeded by 2 of (\d) samples: (.*?)(?: \(ended by SIGTERM\)|$)", before)
    samples = seen.group(2).split(", ")
    assert len(samples) == int(seen.group(1)) <= 3 and [sample[0] for sample in samples].count("*") == 2, before
    (met,) = faf.run(run)["attempts"][0]["conditions"]
    assert len(met["samples"]) == len(samples) and met["text"] in before
    # The one that it gives up with.
    run = fire(faf, HOLDS, RetrySec="0", RetryLimit=1, **settings)
    faf.ends(run, "failed", "memory-limit", timeout=60)
    said = explain(faf, run)
    limit = "MemoryAbove=40.0 MiB was exceeded by 2 of N samples: SAMPLES"
    assert said[1].startswith(f"why: {limit}") and said[1].endswith("gave up: RetryLimit=1 is reached")
    assert sum(limit in line for line in said) == 2, said
    assert any(line.startswith("who: MemoryAbove=40M stopped it") and "SIGTERM was sent" in line for line in said), said


# ---------------------------------------------------------------- what is not over


def test_what_goes_on_is_explained(faf):
    """Until when it may run, and who may not see it."""
    run = fire_until_ready(faf, RuntimeMaxSec="1h")
    assert explain(faf, run) == [
        "run 1 of t: running",
        "why: its script runs for SPAN",
        "next: RuntimeMaxSec= stops it at WHEN, unless it ends before",
    ]
    faf.kill(run, "-s", "KILL")
    faf.wait(run)
    run = fire(faf, "exec sleep 300", Type="notify", TimeoutStartSec="infinity")
    faf.wait_state(run, "starting")
    wait_for(lambda: faf.attempt(run).get("mainPid"), 10)
    assert explain(faf, run) == [
        "run 2 of t: starting",
        "why: its script runs and has not said READY=1 yet, which Type=notify asks for",
        "next: no TimeoutStartSec= ends it: it goes on until its script ends or it is stopped",
    ]
    assert "no run 4711" in faf.refused("explain", "4711", code=NOT_FOUND)


@pytest.mark.cgroup
def test_what_stands_still_is_explained(faf):
    run = fire_until_ready(faf)
    faf.faf("freeze", str(run), check=0)
    assert explain(faf, run) == [
        "run 1 of t: frozen",
        "why: its script runs for SPAN",
        "who: root (0) froze it, WHEN",
        "next: none of its processes does anything until `faf thaw 1`",
        "no RuntimeMaxSec= ends it: it goes on until its script ends or it is stopped",
    ]


@pytest.mark.cgroup
def test_what_is_stopping_is_explained(faf):
    """What follows and when; and what KillMode=process has left."""
    run = fire_until_ready(faf, TimeoutStopSec="1min")
    faf.kill(run)
    assert explain(faf, run) == [
        "run 1 of t: stopping",
        "who: root (0) stopped it with faf kill, WHEN: SIGTERM was sent",
        "next: SIGKILL goes to whatever is left at WHEN (TimeoutStopSec=1min)",
    ]
    faf.kill(run, "-s", "KILL")
    run = fire(faf, "setsid sleep 300 &\nexit 3", KillMode="process")
    wait_for(lambda: faf.attempt(run).get("exitStatus") == 3, 5)
    assert explain(faf, run) == [
        "run 2 of t: stopping",
        "why: its main process has ended (exit status 3), and others of its processes are left",
        "next: the run is over when they are; `faf kill 2` ends what KillMode= spares",
    ]
    faf.kill(run, "-s", "KILL")


def test_what_waits_is_explained(faf):
    """Why it waits for another attempt, and when that begins."""
    run = fire(faf, "exit 3", Retry="on-failure", RetrySec="1h", RetryLimit="2")
    faf.wait_state(run, "queued")
    assert explain(faf, run) == [
        "run 1 of t: queued",
        "why: attempt 1 failed: exit status 3; retry 1 of 2",
        "next: attempt 2 begins at WHEN",
        "try: `faf retry 1` begins it at once, `faf cancel 1` ends the run",
    ]


@pytest.mark.root
@pytest.mark.cgroup
def test_what_is_kept_from_its_retry_is_explained(stopped_faf):
    """How the last attempt went, and what keeps the next from beginning."""
    faf = stopped_faf
    tasks = Tasks(faf)
    try:
        faf.start()
        run = fire(faf, "exit 3", Retry="on-failure", RetrySec="1s")
        faf.wait_state(run, "queued")
        assert tasks.stop_all().wait(20) == 0
        wait_for(lambda: "faf-tasks" in faf.run(run)["reason"]["text"], 15, lambda: faf.run(run))
        said = explain(faf, run)
        assert said[:2] == ["run 1 of t: queued", "why: attempt 1 failed: exit status 3"]
        assert "faf-tasks" in said[2] and said[3] == "next: attempt 2 begins as soon as fafd can launch it"
    finally:
        tasks.remove()


@pytest.mark.cgroup
def test_what_a_condition_froze_is_explained(faf):
    run = fire(faf, HOLDS, MemoryAbove="40M", MemoryTimes="1", MemoryIntervalSec="100ms", MemoryAction="freeze")
    wait_for(lambda: "frozen" in faf.attempt(run), 30)
    assert "who: MemoryAbove= froze it, WHEN" in explain(faf, run)


def test_each_attempt_is_explained(faf):
    """Of a run that was given up."""
    run = fire(faf, "exit $((FAF_ATTEMPT + 2))", Retry="on-failure", RetrySec="100ms", RetryLimit="1")
    faf.ends(run, "failed", "exit-code")
    assert explain(faf, run)[:4] == [
        "run 1 of t: failed (exit-code)",
        "why: exit status 4; gave up: RetryLimit=1 is reached",
        "its script ended by itself; only 0 and what SuccessExitStatus= names are success",
        "before: attempt 1 failed after SPAN (exit-code): exit status 3",
    ]


def test_programs_are_told_the_same(faf):
    run = exit_code(faf)
    faf.wait(run)
    told = faf.json("explain", str(run))
    assert (told["number"], told["task"], told["state"], told["reason"]["kind"]) == (run, "t", "failed", "exit-code")
    assert told["sentences"][0] == {"about": "why", "text": "exit status 3"}
    assert {one["about"] for one in told["sentences"]} == {"why", "next", "try"}
