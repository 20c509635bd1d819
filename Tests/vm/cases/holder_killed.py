"""the holder of the tasks' cgroups dies: no task is signalled, new ones start, stop still stops all"""

import pathlib

from vm import (attempt_cgroup, case, check, equal, fire, is_alive, kill, main_pid, processes, show, start, state,
                systemctl, task, tasks_cgroup, wait_end, wait_for, wait_processes)


def body():
    task("sleeper", "exec sleep 1000", "User=alice")
    start()
    equal(str(tasks_cgroup()), "/sys/fs/cgroup/faf.slice/faf-tasks.service", "the subtree")
    runs = [fire("sleeper") for _ in range(3)]
    pids = {number: wait_processes(number)[0] for number in runs}
    limits = {number: attempt_cgroup(number) / "memory.max" for number in runs}
    limits[runs[0]].write_text("123456789\n")
    before = {number: path.read_text() for number, path in limits.items()}
    systemctl("restart", "fafd.service")

    holder = main_pid("faf-tasks.service")
    equal(processes(tasks_cgroup() / "hold"), [holder], "processes of hold/")
    equal(pathlib.Path(f"/proc/{holder}/oom_score_adj").read_text().strip(), "-1000", "the holder's oom_score_adj")
    kill(holder)
    wait_for(lambda: show("faf-tasks.service", "MainPID") == "0", 20, "systemd has seen it")
    equal(show("faf-tasks.service", "ActiveState"), "active", "faf-tasks.service")
    for number, pid in pids.items():
        check(is_alive(pid), f"run {number} is gone")
        equal(limits[number].read_text(), before[number], f"memory.max of run {number}")
    late = fire("sleeper")
    pids[late] = wait_processes(late)[0]
    systemctl("restart", "fafd.service")
    last = fire("sleeper")
    pids[last] = wait_processes(last)[0]
    for number, pid in pids.items():
        check(is_alive(pid), f"run {number} is gone after another restart of fafd")
        equal(state(number), "running", f"run {number}")

    systemctl("stop", "faf-tasks.service")
    for number in pids:
        end = wait_end(number)
        equal((end["state"], end["reason"]["kind"]), ("killed", "shutdown"), f"run {number}")
        check(not is_alive(pids[number]), f"run {number} goes on")
    systemctl("start", "faf-tasks.service")
    again = fire("sleeper")
    wait_processes(again)
    return f"{len(pids)} tasks untouched, all of them stopped by systemctl stop, new ones start"


case(body)
