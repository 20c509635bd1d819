"""systemctl stop faf-tasks: each task by its own settings, runs say shutdown, a fire meanwhile is refused"""

import pathlib
import subprocess
import time

from vm import (case, check, equal, faf, fire, show, start, systemctl, task, tasks_cgroup, wait_end, wait_for,
                wait_status)

PLACE = pathlib.Path("/var/tmp/case")

POLITE = """
trap 'echo bye; exit 7' TERM
systemd-notify --status=ready
while :; do sleep 0.1; done
"""
STUBBORN = """
trap '' TERM
systemd-notify --status=ready
while :; do sleep 0.1; done
"""
# Takes as long as the case wants to look at a stop.
SLOW = """
trap 'while test ! -e /var/tmp/case/go; do sleep 0.1; done; exit 8' TERM
systemd-notify --status=ready
while :; do sleep 0.1; done
"""
INTERRUPTED = """
trap 'exit 9' INT
trap 'exit 1' TERM
systemd-notify --status=ready
while :; do sleep 0.1; done
"""


def refused(text):
    done = subprocess.run(["faf", "fire", "polite"], capture_output=True, text=True, timeout=60)
    check(done.returncode != 0, "a fire is taken while the tasks' unit is stopped")
    check(text in done.stderr and "start faf-tasks" in done.stderr, f"the refusal says: {done.stderr}")


def fire_all():
    runs = {name: fire(name) for name in ("polite", "stubborn", "slow", "interrupted")}
    for number in runs.values():
        wait_status(number, "ready")
    return runs


def check_ends(runs):
    ends = {name: wait_end(number) for name, number in runs.items()}
    for name, end in ends.items():
        equal((end["state"], end["reason"]["kind"]), ("killed", "shutdown"), name)
    equal(ends["polite"]["attempts"][-1].get("exitStatus"), 7, "polite's exit status")
    equal(ends["slow"]["attempts"][-1].get("exitStatus"), 8, "slow's exit status")
    equal(ends["interrupted"]["attempts"][-1].get("exitStatus"), 9, "interrupted's exit status")
    check(ends["stubborn"]["attempts"][-1].get("signal") in (9, "SIGKILL"), f"stubborn: {ends['stubborn']}")


def body():
    task("polite", POLITE, "User=alice")
    task("stubborn", STUBBORN, "TimeoutStopSec=5s")
    task("slow", SLOW, "TimeoutStopSec=10min")
    task("interrupted", INTERRUPTED, "KillSignal=SIGINT")
    start()
    runs = fire_all()
    began = time.monotonic()
    stopping = subprocess.Popen(["systemctl", "stop", "faf-tasks.service"])
    limit = tasks_cgroup() / "t/cgroup.max.descendants"
    wait_for(lambda: limit.read_text() == "0\n", 20, "the unit is being stopped")
    equal(show("faf-tasks.service", "ActiveState"), "deactivating", "the unit")
    refused("is being stopped")
    PLACE.mkdir(exist_ok=True)
    (PLACE / "go").touch()
    equal(stopping.wait(120), 0, "systemctl stop")
    took = time.monotonic() - began
    check(took >= 4, f"stubborn's TimeoutStopSec= was not waited for: {took:.1f} s")
    check_ends(runs)
    equal(show("faf-tasks.service", "Result"), "success", "the unit's result")
    equal(show("fafd.service", "ActiveState"), "active", "fafd")
    refused("")

    systemctl("start", "faf-tasks.service")
    runs = fire_all()
    systemctl("stop", "fafd.socket", "fafd.service")
    systemctl("stop", "faf-tasks.service")
    done = subprocess.run(["faf", "list"], capture_output=True, text=True, timeout=60)
    equal(done.returncode, 69, f"faf list without a socket ({done.stderr.strip()})")
    systemctl("start", "fafd.service")
    check_ends(runs)
    number = fire("polite")
    wait_status(number, "ready")
    faf("kill", number)
    equal(wait_end(number)["attempts"][-1].get("exitStatus"), 7, "the exit status after a plain kill")
    return f"with fafd ({took:.1f} s) and without; refused meanwhile and afterwards, by name"


case(body)
