"""fafd hangs: systemd's watchdog kills it and starts it anew; a kill of everything; new tasks start after both"""
# timeout: 240

import os
import pathlib
import signal
import subprocess
import time

from vm import (case, check, equal, faf, fire, is_alive, journal, main_pid, show, start, systemctl, task, wait_end, wait_for,
                wait_processes)


def body():
    task("sleeper", "exec sleep 1000", "User=alice")
    task("hello", "exit 3")
    place = pathlib.Path("/run/systemd/system/fafd.service.d")
    place.mkdir(parents=True)
    (place / "vm.conf").write_text("[Service]\nWatchdogSec=5s\nTimeoutAbortSec=2s\nTimeoutStopSec=2s\n")
    systemctl("daemon-reload")
    start()
    number = fire("sleeper")
    pid = wait_processes(number)[0]
    time.sleep(12)
    equal(show("fafd.service", "NRestarts"), "0", "restarts of a fafd that is well")

    # A hang: SIGABRT cannot be taken while it is stopped, so SIGKILL follows.
    before = main_pid()
    os.kill(before, signal.SIGSTOP)
    wait_for(lambda: main_pid() not in (0, before) and show("fafd.service", "SubState") == "running", 60, "fafd is back")
    check("watchdog" in journal("-u", "fafd.service").lower(), "the journal does not speak of the watchdog")
    check(is_alive(pid), "the task is gone after the watchdog")
    equal(wait_end(fire("hello"))["attempts"][-1].get("exitStatus"), 3, "a task after the watchdog")

    # A stop that takes too long: systemd kills the whole cgroup of fafd.
    before = main_pid()
    os.kill(before, signal.SIGSTOP)
    systemctl("restart", "fafd.service")
    check(main_pid() != before and is_alive(pid), "restart of a hanging fafd")
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


case(body)
