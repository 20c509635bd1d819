"""reasons that need a memory controller, and what `faf explain` says of them: oom-kill, memory-pressure"""
# timeout: 240

import re

from vm import case, check, equal, faf, fire, start, task, wait_end

EATER = "exec python3 -c 'x = [bytearray(1 << 20) for _ in range(4000)]'\n"
# Beyond MemoryHigh= the kernel looks for memory of it that could go, finds none, and holds it up.
PRESSED = "exec python3 -c '\nx = []\nwhile True:\n    x.append(bytearray(1 << 20))\n'\n"


def explained(number, kind, *expected):
    """The end's reason, and each line of its explanation as these patterns have it."""
    end = wait_end(number, 120)
    equal((end["state"], end["reason"]["kind"]), ("failed", kind), f"{end}")
    lines = [line.strip() for line in faf("explain", number).splitlines()]
    print(*lines, sep="\n")
    equal(len(lines), len(expected), f"the lines of {lines}")
    for line, pattern in zip(lines, expected):
        check(re.fullmatch(pattern, line), f"{line!r} is not {pattern!r}")
    return lines[1]


def body():
    task("eater", EATER, "User=alice", "MemoryMax=48M", "MemorySwapMax=0")
    task("pressed", PRESSED, "User=alice", "MemoryHigh=24M", "MemorySwapMax=0", "PressureAbove=5%", "PressureTimes=1",
         "PressureIntervalSec=1s", "PressureAction=kill", "TimeoutStopSec=5s")
    start()
    # Exits with 0: nothing is bad, as systemd sets it all up.
    doctor = faf("doctor")
    print(doctor)
    for line in (r"ok +memory-controller .*", r"ok +sandbox .*", r"ok +oom-protection .*", r"ok +journal .*", r"ok +socket .*"):
        check(re.search(f"^{line}$", doctor, re.MULTILINE), f"no {line!r} in {doctor}")
    over = r"next: nothing: it ended at .*, after .*"
    use = r"raise the limit in its unit, or let it use less"
    eater = explained(
        fire("eater"), "oom-kill", r"run \d+ of eater: failed \(oom-kill\)",
        r"why: the kernel killed one of its processes because it had reached its own limit "
        r"\(MemoryMax=48\.0 MiB, peak 4\d\.\d MiB\)", r"who: OOMPolicy=stop stopped it, .*: SIGTERM was sent", over,
        rf"try: `faf show \d+` tells what it used; {use}")
    pressed = explained(
        fire("pressed"), "memory-pressure", r"run \d+ of pressed: failed \(memory-pressure\)",
        r"why: PressureAbove=5\.0% was exceeded by 1 of \d samples: .*\*[\d.]+% \(ended by SIG.*\)",
        r"who: PressureAbove=5% stopped it, .*: SIGTERM was sent.*", over, rf"try: `faf show \d+` tells what it used; {use}")
    return f"{eater}; {pressed}"


case(body, warnings=["PressureAbove=", "Memory cgroup out of memory", "oom"])
