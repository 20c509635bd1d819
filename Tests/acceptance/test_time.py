"""Limits of time: they are the shim's, so they hold whatever fafd does; measured on CLOCK_BOOTTIME by the record."""

import os
import threading
import time

import pytest
import system
from harness import BOB
from records import FROZEN, NEVER, RUNTIME, SILENCE, SILENT, TIMEOUT_START, WATCHDOG
from system import is_running, wait_for

# Stays through every signal that a stop may send, so that the record can be read; says and writes nothing.
STAYS = "trap '' TERM ABRT HUP QUIT USR1\n: > {out}/ready\nwhile :; do sleep 0.05; done"
CAUSES = {RUNTIME: "timeout", WATCHDOG: "watchdog", SILENCE: "silence", TIMEOUT_START: "timeout"}

# On an idle machine; what this machine itself adds under load is measured beside it.
TOLERANCE = 100_000


class Load:
    """How late this machine lets a process run that asked to be woken: the worst of what was seen meanwhile, in µs."""

    def __enter__(self):
        self.worst, self.is_over = 0, threading.Event()
        self.thread = threading.Thread(target=self.measure)
        self.thread.start()
        return self

    def measure(self):
        while not self.is_over.is_set():
            began = time.monotonic()
            time.sleep(0.005)
            self.worst = max(self.worst, int((time.monotonic() - began - 0.005) * 1e6))

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


@pytest.fixture
def load():
    with Load() as load:
        yield load


def record_of(faf, run):
    """Reads the run's record, now or later, without fafd."""
    invocation = faf.attempt(run)["invocationId"]

    def read():
        try:
            return faf.record(invocation)
        except FileNotFoundError:
            return None

    return read


def slot(read, name, timeout=15, fact=lambda value: True):
    """The slot, once it is written and as it should be. To be asked while the run goes on: fafd deletes the record with it."""
    seen = {}

    def look():
        seen[name] = value = (record := read()) and record.get(name)
        return value if value and fact(value) else None

    return wait_for(look, timeout, lambda: f"{name}: {seen}; the record is {'there' if read() else 'gone'}")


def fires(read, cause, due, load, early=0):
    """A stop with this cause begins at `due` (µs), or up to `early` before, and not more than TOLERANCE later."""
    stop = slot(read, "stop")
    assert stop["cause"] == cause
    late = stop["boottime"] - due
    print(f"cause {cause}: {late} µs late, this machine up to {load.worst} µs")
    assert -early <= late <= TOLERANCE + load.worst
    return stop


def dies(exited, due, load):
    """The main process ends by a SIGKILL that was due then: it and the shim need their turn after it."""
    late = exited["boottime"] - due
    print(f"dead {late} µs after the time of its kill, this machine up to {load.worst} µs")
    assert 0 <= late <= 3 * TOLERANCE + 2 * load.worst


LIMITS = [
    (RUNTIME, {"RuntimeMaxSec": "1500ms"}),
    (WATCHDOG, {"WatchdogSec": "1500ms"}),
    (SILENCE, {"SilenceSec": "1500ms"}),
    (TIMEOUT_START, {"Type": "notify", "TimeoutStartSec": "1500ms"}),
]


@pytest.mark.parametrize("cause, settings", LIMITS, ids=["runtime", "watchdog", "silence", "start"])
@pytest.mark.parametrize("fafd", ["alive", "dead", "restarted"])
def test_limits_fire_in_their_time_whatever_fafd_does(faf, load, cause, settings, fafd):
    """design.md 3, J: kill -9 of fafd, with or without another one, moves nothing."""
    faf.task("t", STAYS.format(out=faf.out), TimeoutStopSec="700ms", **settings)
    run = faf.fire("t")
    read = record_of(faf, run)
    started = slot(read, "started")["boottime"]
    if fafd != "alive":
        faf.kill9()
    if fafd == "restarted":
        faf.start()
    stop = fires(read, cause, started + 1_500_000, load)
    if fafd == "dead":
        exited = slot(read, "emptied") and read().get("exited")
        dies(exited, stop["boottime"] + 700_000, load)
        faf.start()
    found = faf.ends(run, "timed-out", CAUSES[cause])
    assert found["attempts"][-1]["signal"] == "SIGKILL"


def test_a_limit_that_is_kept_does_nothing(faf):
    """A run that ends in its time ends as it would without limits."""
    limits = dict(RuntimeMaxSec="20s", WatchdogSec="20s", SilenceSec="20s")
    faf.task("t", "sleep 0.2; exit 3", **limits)
    faf.ends(faf.fire("t"), "failed", "exit-code", 3)


def test_the_random_part_is_added_to_the_running_time(faf, load):
    """RuntimeRandomizedExtraSec=: the limit is drawn once, below the sum, and is kept."""
    faf.task("t", STAYS.format(out=faf.out), RuntimeMaxSec="100ms", RuntimeRandomizedExtraSec="1s", TimeoutStopSec="5s")
    drawn = []
    for _ in range(5):
        run = faf.fire("t")
        read = record_of(faf, run)
        started = slot(read, "started")["boottime"]
        limit = slot(read, "clocks")["limit"]
        assert 100_000 <= limit - started < 1_100_000
        fires(read, RUNTIME, limit, load)
        drawn.append(limit - started)
        faf.kill(run, "-s", "KILL")
    assert len(set(drawn)) > 1


def test_a_limit_from_ready_on(faf, load):
    """Type=notify: RuntimeMaxSec= and WatchdogSec= begin with READY=1."""
    faf.puppet_unit(Type="notify", TimeoutStartSec="30s", RuntimeMaxSec="1s", TimeoutStopSec="5s")
    puppet = faf.puppet()
    # What ends at once takes its record with it, before anybody looks.
    puppet("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    read = record_of(faf, puppet.run)
    time.sleep(1.2)  # longer than the running time
    assert read().get("stop") is None
    puppet.notify("READY=1")
    ready = slot(read, "said")["boottime"]
    fires(read, RUNTIME, ready + 1_000_000, load)
    faf.kill(puppet.run, "-s", "KILL")


# ---------------------------------------------------------------- the watchdog


def watched(faf, **settings):
    faf.puppet_unit(**{"TimeoutStopSec": "5s", **settings})
    puppet = faf.puppet()
    puppet("signal.signal(signal.SIGABRT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    return puppet, record_of(faf, puppet.run)


def test_the_watchdog_is_told_to_the_script(faf):
    """sd_watchdog_enabled(3): WATCHDOG_USEC and WATCHDOG_PID, which is the script's own pid; without one neither."""
    faf.puppet_unit(WatchdogSec="20s", Environment=[f"PUPPET_OUT={faf.out}", "WATCHDOG_PID=1"])
    puppet = faf.puppet()
    told = puppet("result = [os.environ.get('WATCHDOG_USEC'), os.environ.get('WATCHDOG_PID'), os.getpid()]")
    assert told == ["20000000", str(told[2]), told[2]]
    assert puppet("result = [line for line in open('/proc/self/environ').read().split('\\0') if 'WATCHDOG_PID' in line]") == [
        f"WATCHDOG_PID={told[2]}"
    ]
    faf.puppet_unit("plain")
    plain = faf.puppet("plain")
    assert plain("result = [name for name in os.environ if name.startswith('WATCHDOG')]") == []


def test_pings_keep_the_watchdog_quiet(faf, load):
    """WATCHDOG=1: the time counts anew from each."""
    puppet, read = watched(faf, WatchdogSec="600ms")
    for _ in range(6):
        time.sleep(0.2)
        before = time.clock_gettime(time.CLOCK_BOOTTIME)
        puppet.notify("WATCHDOG=1")
    assert read().get("stop") is None
    stop = fires(read, WATCHDOG, int(before * 1e6) + 600_000, load)
    assert stop["signal"] == 6
    faf.kill(puppet.run, "-s", "KILL")
    faf.ends(puppet.run, "timed-out", "watchdog")


def test_what_is_unhealthy_says_so(faf):
    """WATCHDOG=trigger: at once, without WatchdogSec=; WatchdogSignal= and TimeoutAbortSec= are its own."""
    puppet, read = watched(faf, WatchdogSignal="SIGUSR1", TimeoutAbortSec="300ms", TimeoutStopSec="60s")
    puppet("signal.signal(signal.SIGUSR1, lambda *_: None)")
    puppet.notify("WATCHDOG=trigger")
    stop = slot(read, "stop")
    assert (stop["cause"], stop["signal"]) == (WATCHDOG, 10)
    assert stop["deadline"] - stop["boottime"] == 300_000
    faf.ends(puppet.run, "timed-out", "watchdog")


def test_a_script_sets_its_own_watchdog(faf, load):
    """WATCHDOG_USEC= begins one where there was none, changes it, and ends it with 0."""
    puppet, read = watched(faf)
    puppet.notify("WATCHDOG_USEC=300000")
    puppet.notify("WATCHDOG_USEC=0")
    time.sleep(0.6)  # twice what it would have been
    assert read().get("stop") is None
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    puppet.notify("WATCHDOG_USEC=400000")
    fires(read, WATCHDOG, int(before * 1e6) + 400_000, load)


def test_the_watchdog_leaves_a_core(faf):
    """The default signal is SIGABRT, to all processes; how it ended is told."""
    faf.task("t", "exec sleep 300", WatchdogSec="200ms")
    found = faf.ends(faf.fire("t"), "timed-out", "watchdog")
    assert found["attempts"][-1]["signal"] == "SIGABRT"
    assert "WATCHDOG=1" in found["reason"]["text"]


# ---------------------------------------------------------------- EXTEND_TIMEOUT_USEC=


@pytest.mark.parametrize(
    "cause, settings",
    [
        (RUNTIME, {"RuntimeMaxSec": "800ms"}),
        (TIMEOUT_START, {"Type": "notify", "TimeoutStartSec": "800ms"}),
        (WATCHDOG, {"WatchdogSec": "800ms"}),
    ],
    ids=["runtime", "start", "watchdog"],
)
def test_a_script_asks_for_more_time(faf, load, cause, settings):
    """sd_notify(3): from the message on, never less than before, and it has to come again."""
    puppet, read = watched(faf, **settings)
    puppet.notify("EXTEND_TIMEOUT_USEC=1")
    puppet.notify("EXTEND_TIMEOUT_USEC=1500000")
    time.sleep(1)
    assert read().get("stop") is None, "the normal limit is over"
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    puppet.notify("EXTEND_TIMEOUT_USEC=1000000")
    after = time.clock_gettime(time.CLOCK_BOOTTIME)
    if cause != WATCHDOG:
        limit = slot(read, "clocks", fact=lambda clocks: clocks["limit"] >= before * 1e6 + 1_000_000)["limit"]
        assert limit <= after * 1e6 + 1_000_000
        fires(read, cause, limit, load)
    else:
        fires(read, cause, int(after * 1e6) + 1_000_000, load, early=int((after - before) * 1e6))


def test_a_stop_is_given_more_time(faf, load):
    """The grace, too: the final signal comes at the time that was asked for last; fafd, which watches, keeps still."""
    puppet, read = watched(faf, TimeoutStopSec="600ms")
    faf.kill(puppet.run)
    stop = slot(read, "stop")
    assert stop["deadline"] == stop["boottime"] + 600_000
    puppet.notify("EXTEND_TIMEOUT_USEC=1500000")
    extended = slot(read, "stop", fact=lambda now: now["deadline"] > stop["deadline"])
    pid = faf.attempt(puppet.run)["mainPid"]
    assert extended["boottime"] == stop["boottime"]
    wait_for(lambda: not is_running(pid), 10)
    exited = slot(read, "exited")["boottime"] if read() else None
    if exited is not None:
        assert 0 <= exited - extended["deadline"] <= TOLERANCE + load.worst
    faf.ends(puppet.run, "killed")


def test_a_flood_of_requests_for_time_is_not_a_flood_of_writes(faf):
    """The record is written at most 20 times a second, and the last request counts."""
    puppet, read = watched(faf, RuntimeMaxSec="5s")
    sequence = lambda: max(read()._valid(30, at)[0] for at in (3840, 3968) if read()._valid(30, at))
    before, began = sequence(), time.monotonic()
    puppet("for n in range(3000): notify(f'EXTEND_TIMEOUT_USEC={20000000 + n}')\nresult = barrier()")
    took = time.monotonic() - began
    assert sequence() - before <= took * 20 + 2
    now = time.clock_gettime(time.CLOCK_BOOTTIME) * 1e6
    slot(read, "clocks", fact=lambda clocks: now + 19_000_000 < clocks["limit"] < now + 21_000_000)


# ---------------------------------------------------------------- silence


SPEAKS = {
    "output": "echo {n}",
    "errors": "echo {n} >&2",
    "a child's output": "sh -c 'echo {n}'",
    "a file": "echo {n} > $OUT/file",
}


@pytest.mark.parametrize("user", [None, BOB], ids=["root", "bob"])
@pytest.mark.parametrize("what", SPEAKS)
def test_output_ends_silence(faf, load, what, user):
    """SilenceSec=: whatever a process of it writes; then the time counts from there, a twentieth later at most."""
    more = {"User": user, "Group": user} if user else {}
    faf.task(
        "t",
        f"trap '' TERM; OUT={faf.out}; n=0\n"
        f"while [ $n -lt 8 ]; do n=$((n+1)); : > $OUT/b$n; {SPEAKS[what].format(n='$n')}; : > $OUT/a$n; sleep 0.2; done\n"
        "while :; do sleep 0.05; done",
        SilenceSec="1s",
        TimeoutStopSec="5s",
        **more,
    )
    run = faf.fire("t")
    read = record_of(faf, run)
    stop = slot(read, "stop", timeout=30)
    assert (stop["cause"], stop["signal"]) == (SILENCE, 15)
    # The word that nothing followed for a second; on a very busy machine that need not be the last one. Files that are
    # made and not written are no output.
    started = read().get("started")
    files = {name: os.stat(faf.output(name)).st_mtime_ns // 1000 for name in os.listdir(faf.out) if name[0] in "ab"}
    words = [files[f"b{n}"] for n in range(1, 9) if f"b{n}" in files]
    last = next((n for n in range(len(words) - 1) if words[n + 1] - words[n] > 1_000_000), len(words) - 1)
    silent = stop["boottime"] - started["boottime"] + started["realtime"]
    print(f"word {last + 1} of {len(words)}, silent after {silent - words[last]} µs, this machine up to {load.worst} µs")
    tick = 10_000  # of the file system's clock
    assert words[last] + 1_000_000 - tick <= silent
    assert silent <= files[f"a{last + 1}"] + 1_050_000 + tick + TOLERANCE + load.worst
    faf.kill(run, "-s", "KILL")
    faf.ends(run, "timed-out", "silence")


@pytest.mark.parametrize("message", ["STATUS=x", "X_FAF_PROGRESS=1/2", "X_FAF_RESULT=y"])
def test_what_is_told_ends_silence(faf, load, message):
    """Status, progress and result are signs, also without a change; a ping is none."""
    puppet, read = watched(faf, SilenceSec="800ms", WatchdogSec="20s")
    for _ in range(5):
        time.sleep(0.3)
        puppet.tell(f"notify({message!r})")  # an answer on its socket is no write(2)
    assert read().get("stop") is None


def test_a_ping_is_no_word(faf, load):
    """WATCHDOG=1 says that it lives, not that it gets on."""
    script = """#!/usr/bin/python3
import os, signal, socket, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
    while True:
        sender.sendto(b"WATCHDOG=1", os.environ["NOTIFY_SOCKET"])
        time.sleep(0.1)
"""
    faf.script("pings", script)
    faf.unit("t", ExecStart=faf.scripts + "/pings", SilenceSec="1s", WatchdogSec="5s", TimeoutStopSec="5s")
    read = record_of(faf, faf.fire("t"))
    started = slot(read, "started")["boottime"]
    # Python writes nothing after its start, which takes a while.
    fires(read, SILENCE, started + 1_000_000, load, early=0)


def test_silence_kills_at_once(faf):
    """SilenceAction=kill: no KillSignal=, no grace."""
    faf.task("t", STAYS.format(out=faf.out), SilenceSec="500ms", SilenceAction="kill", TimeoutStopSec="60s")
    run = faf.fire("t")
    found = faf.ends(run, "timed-out", "silence", timeout=10)
    assert found["attempts"][-1]["signal"] == "SIGKILL" and "did not stop in time" not in found["reason"]["text"]


def test_silence_is_only_told(faf):
    """SilenceAction=continue: the run goes on, the record says since when, and the next word ends it."""
    faf.task(
        "t",
        f"while [ ! -e {faf.out}/speak ]; do sleep 0.05; done; echo a word; while :; do sleep 0.05; done",
        SilenceSec="500ms",
        SilenceAction="continue",
        TimeoutStopSec="1s",
    )
    run = faf.fire("t")
    read = record_of(faf, run)
    silent = slot(read, "clocks", fact=lambda clocks: clocks["flags"] & SILENT)
    started = read().get("started")
    assert abs(silent["silent"] - started["realtime"]) < TOLERANCE
    assert faf.run(run)["state"] == "running"
    faf.output("speak").touch()
    slot(read, "clocks", fact=lambda clocks: not clocks["flags"] & SILENT)
    slot(read, "clocks", fact=lambda clocks: clocks["flags"] & SILENT)
    assert faf.run(run)["state"] == "running"
    wait_for(lambda: faf.log_text().count("silent for longer than SilenceSec=") == 2, 5, "the log tells each time")
    faf.kill(run)
    faf.ends(run, "killed")


def test_no_limit_leaves_no_trace(faf):
    """Without limits the slot of the clocks is never written, and the shim is never woken."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s")
    run = faf.fire("t")
    faf.running(run)
    read, shim = record_of(faf, run), faf.shim_pid(run)
    assert read().get("clocks") is None
    switches = lambda: system.status_field(shim, "voluntary_ctxt_switches")
    before = switches()
    time.sleep(1)
    assert switches() == before


@pytest.mark.root
def test_without_the_right_to_look_nobody_is_silent(stopped_faf):
    """A container may withhold CAP_SYS_PTRACE: then output of other users cannot be seen, and that is said."""
    faf = stopped_faf
    faf.start(prefix=["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"])
    assert "process-io" in [one["kind"] for one in faf.call("GetInfo")["missing"]]
    faf.task("t", STAYS.format(out=faf.out), SilenceSec="300ms", User=BOB, Group=BOB, TimeoutStopSec="1s")
    run = faf.fire("t")
    read = record_of(faf, run)
    wait_for(lambda: faf.output("ready").exists(), 10)
    time.sleep(0.9)  # three times as long
    assert read().get("stop") is None
    # What runs as root may still be looked at.
    faf.task("own", STAYS.format(out=faf.out), SilenceSec="300ms", TimeoutStopSec="200ms")
    faf.ends(faf.fire("own"), "timed-out", "silence")
