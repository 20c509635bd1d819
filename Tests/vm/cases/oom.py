"""one task runs out of memory: it is tried again, and the others, their shims, the holder and fafd go on"""

import pathlib

from vm import (attempt_cgroup, case, check, equal, fire, is_alive, main_pid, processes, show, start, state, systemctl,
                task, tasks_cgroup, wait_end, wait_processes)

# Waits for its limit, then takes more memory than it has.
EATER = r"""
while test ! -e /var/tmp/case/eat; do sleep 0.1; done
exec python3 -c 'x = [bytearray(1 << 20) for _ in range(4000)]'
"""


# By its unit's own limit, once.
GLUTTON = r"""
test "$FAF_ATTEMPT" = 2 && exit 0
exec python3 -c 'x = [bytearray(1 << 20) for _ in range(4000)]'
"""


def body():
    place = pathlib.Path("/var/tmp/case")
    place.mkdir(exist_ok=True)
    place.chmod(0o755)
    task("eater", EATER, "User=alice")
    task("glutton", GLUTTON, "User=alice", "MemoryMax=48M", "MemorySwapMax=0", "Retry=on-failure", "RetrySec=1s")
    task("sleeper", "exec sleep 1000", "User=bob")
    start()
    sleepers = [fire("sleeper") for _ in range(3)]
    pids = {number: wait_processes(number)[0] for number in sleepers}
    shims = sorted(processes(tasks_cgroup() / "shims"))
    fafd, holder = main_pid(), main_pid("faf-tasks.service")

    # By its unit, and its retry.
    tried = wait_end(fire("glutton"), 120)
    equal((tried["state"], len(tried["attempts"])), ("succeeded", 2), f"the glutton: {tried}")
    first, second = tried["attempts"]
    equal((first["state"], first["reason"]["kind"]), ("failed", "oom-kill"), f"its first attempt: {first}")
    check(40 << 20 <= first["usage"]["memoryPeakBytes"] <= 48 << 20, f"its peak: {first['usage']}")
    check(second["startedAt"] - first["endedAt"] >= 1_000_000, f"its retry came too early: {tried}")

    # Its own limit.
    eater = fire("eater")
    wait_processes(eater)
    (attempt_cgroup(eater) / "memory.max").write_text(str(48 << 20))
    (place / "eat").touch()
    own = wait_end(eater, 120)
    equal(own["state"], "failed", f"the eater: {own}")

    # The limit of all tasks together.
    (place / "eat").unlink()
    eater = fire("eater")
    wait_processes(eater)
    systemctl("set-property", "--runtime", "faf-tasks.service", "MemoryMax=96M", "MemorySwapMax=0")
    (place / "eat").touch()
    outer = wait_end(eater, 120)
    equal(outer["state"], "failed", f"the eater below the common limit: {outer}")

    for number, pid in pids.items():
        check(is_alive(pid), f"run {number} is gone")
        equal(state(number), "running", f"run {number}")
    check(set(shims) <= set(processes(tasks_cgroup() / "shims")), "a shim is gone")
    equal((main_pid(), main_pid("faf-tasks.service")), (fafd, holder), "fafd and the holder")
    equal(show("faf-tasks.service", "ActiveState"), "active", "faf-tasks.service")
    systemctl("set-property", "--runtime", "faf-tasks.service", "MemoryMax=infinity")
    wait_processes(fire("sleeper"))
    return f"own limit: {own['reason']['kind']}, common limit: {outer['reason']['kind']}; 3 others untouched"


case(body)
