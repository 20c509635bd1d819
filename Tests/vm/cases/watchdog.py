"""fafd hangs: systemd's watchdog kills it and starts it anew; a kill of everything; new tasks start after both"""
# timeout: 240

import contextlib
import pathlib
import subprocess

from vm import (case, check, equal, faf, fire, is_alive, journal, main_pid, show, start, systemctl, task, wait_end,
                wait_for, wait_processes)


def settings(*more):
    place = pathlib.Path("/run/systemd/system/fafd.service.d")
    place.mkdir(parents=True, exist_ok=True)
    lines = ["[Service]", "WatchdogSec=15s", "TimeoutAbortSec=2s", "TimeoutStopSec=5s", *more]
    (place / "vm.conf").write_text("\n".join(lines) + "\n")
    systemctl("daemon-reload")


def body():
    task("sleeper", "exec sleep 1000", "User=alice")
    task("hello", "exit 3")
    settings()
    start()
    number = fire("sleeper")
    pid = wait_processes(number)[0]
    for _ in range(3):
        last = show("fafd.service", "WatchdogTimestampMonotonic")
        wait_for(lambda: show("fafd.service", "WatchdogTimestampMonotonic") != last, 60, "it feeds the watchdog")
    equal(show("fafd.service", "NRestarts"), "0", "restarts of a fafd that is well")

    before = main_pid()
    # Nothing of it runs, and only SIGKILL gets through to it: after a SIGSTOP systemd's SIGCONT would.
    freezer = pathlib.Path("/sys/fs/cgroup/system.slice/fafd.service/cgroup.freeze")
    freezer.write_text("1")
    wait_for(lambda: main_pid() not in (0, before), 60, "the watchdog has seen it")
    with contextlib.suppress(FileNotFoundError):
        freezer.write_text("0")
    wait_for(lambda: show("fafd.service", "SubState") == "running", 60, "fafd is back")
    check("Watchdog timeout" in journal("-u", "fafd.service"), "the journal does not speak of the watchdog")
    check(is_alive(pid), "the task is gone after the watchdog")
    equal(wait_end(fire("hello"))["attempts"][-1].get("exitStatus"), 3, "a task after the watchdog")

    # A stop that takes too long: systemd kills the whole cgroup of fafd.
    settings("KillSignal=SIGWINCH")  # which fafd ignores
    systemctl("restart", "fafd.service")
    settings()
    check("State 'stop-sigterm' timed out" in journal("-u", "fafd.service"), "the journal speaks of no timeout")
    check(is_alive(pid), "the task is gone after a stop with SIGKILL")
    equal(wait_end(fire("hello"))["attempts"][-1].get("exitStatus"), 3, "a task after a stop with SIGKILL")

    # Reload.
    systemctl("reload", "fafd.service")
    task("later", "exit 4")
    systemctl("reload", "fafd.service")
    wait_for(lambda: "later" in faf("tasks"), 20, "the new unit is read")
    equal(wait_end(fire("later"))["attempts"][-1].get("exitStatus"), 4, "a task of the new unit")
    wait_for(lambda: show("fafd.service", "SubState") == "running", 20, "the reload has ended")

    # Everything is killed at once, shims too: their runs are lost, and nothing else is.
    systemctl("kill", "--signal=KILL", "faf-tasks.service")
    equal(wait_end(number)["state"], "lost", "the run whose shim was killed")
    check(not is_alive(pid), "its process goes on")
    # systemd takes the cgroup away when nobody is left in it, so the unit has to be started again.
    done = subprocess.run(["faf", "fire", "hello"], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        check("systemctl restart faf-tasks.service" in done.stderr, f"the remedy: {done.stderr}")
        systemctl("restart", "faf-tasks.service")
    equal(wait_end(fire("hello"))["attempts"][-1].get("exitStatus"), 3, "a task after systemctl kill")
    systemctl("restart", "fafd.service")
    equal(wait_end(fire("hello"))["attempts"][-1].get("exitStatus"), 3, "a task after that and a restart of fafd")
    return "watchdog, a hanging stop, reloads, systemctl kill of all tasks"


case(body, warnings=[r"fafd\.service: (Watchdog timeout|State 'stop-\w+' timed out|Main process exited, code=killed)",
                     r"fafd\.service: Failed with result '(watchdog|timeout)'"])
