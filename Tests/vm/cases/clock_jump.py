"""the clock is set a day forward, then a day back: limits, a watchdog, a grace period and a retry keep their time"""
# alone
# timeout: 300

import pathlib
import time

from vm import PATIENCE, case, check, equal, faf, fire, run, show_run, start, task, wait_for

PLACE = pathlib.Path("/var/tmp/case")
# Deaf to whatever stops it, so that each step can be seen; the file says that it is.
DEAF = "trap '' TERM ABRT\n: >{place}/$FAF_RUN\nwhile :; do sleep 0.1; done\n"
# Seconds; the clock is set within them.
SPAN = 30
LATE = 20


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def fire_deaf(name):
    """The run, and between which times it began."""
    before = now()
    number = fire(name)
    wait_for((PLACE / str(number)).exists, 60, f"{name} runs")
    return number, before, now()


def stop_cause(number):
    return show_run(number)["attempts"][-1].get("stop", {}).get("cause")


def jump(days):
    """Sets the clock, with four clocks running, and says how late each of them was."""
    runtime, watchdog, retry = fire_deaf("runtime"), fire_deaf("watchdog"), None
    grace, _, _ = fire_deaf("grace")
    asked = now()
    faf("kill", grace)
    grace = (grace, asked, now())
    before = now()
    number = fire("retry")
    wait_for(lambda: show_run(number)["state"] == "queued", 60, "a run waits for its retry")
    retry = (number, before, now())

    facts = {
        "RuntimeMaxSec=": (runtime, lambda: stop_cause(runtime[0]) == "runtime"),
        "WatchdogSec=": (watchdog, lambda: stop_cause(watchdog[0]) == "watchdog"),
        "TimeoutStopSec=": (grace, lambda: show_run(grace[0])["state"] == "killed"),
        "RetrySec=": (retry, lambda: len(show_run(retry[0])["attempts"]) == 2),
    }
    early = [what for what, (_, is_over) in facts.items() if is_over()]
    check(not early, f"over before the clock was set, the machine is too slow: {early}")
    wall, up = time.time(), now()
    run("date", "-s", f"@{wall + days * 86400:.3f}")
    check(abs(time.time() - wall - days * 86400 - (now() - up)) < 5, "the clock was not set")
    seen = {}
    while len(seen) < len(facts):
        for what, ((number, _, until), is_over) in facts.items():
            if what in seen:
                continue
            # Looked at before the clock is, so that what is not over was not over then.
            over, at = is_over(), now()
            if over:
                seen[what] = at
            check(at < until + SPAN + LATE * PATIENCE, f"{what} is late: run {number}, {show_run(number)}")
        time.sleep(0.1)
    for what, ((number, since, _), _) in facts.items():
        check(seen[what] >= since + SPAN, f"{what} of run {number} fired {since + SPAN - seen[what]:.3f} s early")
    for number, _, _ in (runtime, watchdog):
        faf("kill", number, "-s", "KILL")
    return ", ".join(f"{what} {seen[what] - until - SPAN:+.1f} s" for what, ((_, _, until), _) in facts.items())


def body():
    PLACE.mkdir(exist_ok=True)
    deaf = DEAF.format(place=PLACE)
    task("runtime", deaf, f"RuntimeMaxSec={SPAN}", "TimeoutStopSec=10min")
    task("watchdog", deaf, f"WatchdogSec={SPAN}", "TimeoutStopSec=10min")
    task("grace", deaf, f"TimeoutStopSec={SPAN}")
    task("retry", "exit 3\n", "Retry=on-failure", f"RetrySec={SPAN}", "RetryLimit=1")
    task("untouched", "exec sleep 1000\n", "RuntimeMaxSec=1h", "SilenceSec=1h", "WatchdogSec=1h")
    start()
    untouched = fire("untouched")
    wait_for(lambda: show_run(untouched)["state"] == "running", 60, "a run without a hurry")
    forward = jump(1)
    back = jump(-1)
    equal(show_run(untouched)["state"], "running", "the run that had an hour")
    return f"a day forward: {forward}; a day back: {back}"


case(body)
