"""conditions on memory, where there is a memory controller: a slow leaker is restarted at its third sample over"""
# timeout: 300

from vm import case, check, equal, faf, fire, start, state, task, wait_end, wait_processes

# 10 MiB each second, held by a grandchild in a session of its own; and 200 MiB of page cache, which does not count.
LEAKER = """test "$FAF_ATTEMPT" = 2 && exit 0
head -c 200M /dev/zero >/var/tmp/leak.$$
cat /var/tmp/leak.$$ >/dev/null
rm -f /var/tmp/leak.$$
(setsid python3 -c '
import time
held = []
while True:
    held.append(bytearray(10 << 20))
    time.sleep(1)
' &)
exec sleep 1000
"""


def body():
    task("leaker", LEAKER, "User=alice", "MemoryAbove=60M", "MemoryTimes=3/5", "MemoryIntervalSec=1s", "MemoryAction=restart")
    task("sleeper", "exec sleep 1000", "User=bob", "MemoryAbove=60M", "MemoryIntervalSec=1s", "PressureAbove=90%")
    start()
    sleeper = fire("sleeper")
    wait_processes(sleeper)
    end = wait_end(fire("leaker"), 180)
    equal((end["state"], len(end["attempts"])), ("succeeded", 2), f"the leaker: {end}")
    first = end["attempts"][0]
    equal((first["state"], first["reason"]["kind"]), ("failed", "memory-limit"), f"its first attempt: {first}")
    (met,) = first["conditions"]
    equal(met["action"], "restart", "what was done")
    over = [sample > 60 << 20 for sample in met["samples"]]
    # Fewer than five if the machine was too busy to take one each second.
    check((sum(over), over[-1]) == (3, True) and 3 <= len(over) <= 5, f"the samples: {met}")
    check(met["samples"] == sorted(met["samples"]) and max(met["samples"]) < 190 << 20, f"page cache counts: {met}")
    equal(state(sleeper), "running", "another run")
    shown = faf("show", end["number"])
    check(met["text"] in shown, shown)
    return met["text"]


case(body, warnings=["MemoryAbove="])
