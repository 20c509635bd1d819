"""restarts, SIGKILLs and upgrades of fafd under load: no task signalled, no end lost"""
# timeout: 900

import os
import pathlib
import random
import shutil
import subprocess
import threading
import time

from vm import (case, check, equal, faf, fire, is_alive, journal, kill, main_pid, show, show_run, start, systemctl,
                task, wait_end, wait_for, wait_processes)

ROUNDS = int(os.environ.get("VM_ROUNDS", "30"))
LONG = 8
PLACE = pathlib.Path("/var/tmp/case")

# Writes down every signal that it gets, and says how far it is.
STEADY = """
for signal in HUP INT QUIT USR1 USR2 PIPE ALRM TERM CHLD; do trap "echo $signal >>/var/tmp/case/signals.$FAF_RUN" $signal; done
trap - CHLD
n=0
while test ! -e /var/tmp/case/finish; do
    n=$((n + 1)); echo $n >/var/tmp/case/step.$FAF_RUN
    systemd-notify --status="step $n" 2>>/var/tmp/case/errors.$FAF_RUN
    sleep 0.5
done
exit $((FAF_RUN % 100 + 1))
"""
QUICK = """
echo "$FAF_RUN" >>/var/tmp/case/marks
exit ${1#--code=}
"""


class Load(threading.Thread):
    """Fires all the time; remembers what was acknowledged, and with which exit status it is to end."""

    def __init__(self):
        super().__init__(daemon=True)
        self.acknowledged = {}
        self.refused = []
        self.kills = []
        self.stop = threading.Event()

    def run(self):
        while not self.stop.is_set():
            code = random.randint(0, 99)
            done = subprocess.run(["faf", "fire", "quick", f"--code={code}"], capture_output=True, text=True, timeout=120)
            if done.returncode == 0:
                self.acknowledged[int(done.stdout.split()[0])] = code
            else:
                self.refused.append((done.returncode, done.stderr.strip()))
            time.sleep(0.1)


def restart(how):
    before = main_pid()
    if how == "restart":
        systemctl("restart", "fafd.service")
    elif how == "kill":
        kill(before)
    else:
        # As a package does it: another file under the same name.
        program = pathlib.Path("/usr/local/sbin/fafd")
        shutil.copy2(program, "/usr/local/sbin/fafd.new")
        os.rename("/usr/local/sbin/fafd.new", program)
        systemctl("restart", "fafd.service")
    wait_for(lambda: main_pid() not in (0, before) and show("fafd.service", "SubState") == "running", 60,
             f"fafd is back after {how}")


def body():
    PLACE.mkdir(mode=0o777, exist_ok=True)
    PLACE.chmod(0o777)
    task("steady", STEADY, "User=alice")
    task("quick", QUICK)
    task("sleeper", "exec sleep 1000", "User=bob")
    start()
    steady = [fire("steady") for _ in range(LONG)]
    pids = {number: wait_processes(number)[0] for number in steady}
    load = Load()
    load.start()
    ways = ["kill", "restart", "upgrade"]
    killed = []
    began = time.monotonic()
    for turn in range(ROUNDS):
        sleeper = fire("sleeper")
        wait_processes(sleeper)
        faf("kill", sleeper)
        killed.append(sleeper)
        restart(ways[turn % 3])
        print(f"{time.monotonic() - began:.1f} s: round {turn}, {ways[turn % 3]}, {len(load.acknowledged)} fires, "
              f"{len(load.refused)} without an answer")
        for number, pid in pids.items():
            check(is_alive(pid), f"round {turn}: run {number}'s process {pid} is gone")
    load.stop.set()
    load.join(60)
    for refusal in load.refused:
        print(refusal)
    for number in steady:
        seen = int((PLACE / f"step.{number}").read_text())
        wait_for(lambda: int((show_run(number)["status"] or "0").split()[-1]) >= seen, 20, f"the last status of run {number}")
    check(not list(PLACE.glob("signals.*")), f"signals: {[(p.name, p.read_text()) for p in PLACE.glob('signals.*')]}")
    (PLACE / "finish").touch()
    for number in steady:
        equal(wait_end(number)["attempts"][-1].get("exitStatus"), number % 100 + 1, f"exit status of run {number}")
    marks = (PLACE / "marks").read_text().split()
    for number, code in load.acknowledged.items():
        equal(wait_end(number)["attempts"][-1].get("exitStatus"), code, f"exit status of run {number}")
        equal(marks.count(str(number)), 1, f"executions of run {number}")
    for number in killed:
        equal(wait_end(number)["state"], "killed", f"run {number}")
    check(not [number for number in set(marks) if marks.count(number) > 1], "a run was executed twice")
    errors = [path.read_text() for path in PLACE.glob("errors.*")]
    check(not any(errors), f"systemd-notify: {errors}")
    for text in ("left-over", "Left-over", "219/CGROUP", "Failed with result 'watchdog'"):
        check(text not in journal("-u", "fafd.service", "-u", "faf-tasks.service"), f"the journal says {text}")
    # A connection that is lost in the middle is no refusal: it ran once at most, as the marks have shown.
    return (f"{ROUNDS} restarts, {LONG} tasks untouched, {len(load.acknowledged)} fires with their exit status, "
            f"{len(load.refused)} without an answer {sorted({code for code, _ in load.refused})}, {len(killed)} kills")


case(body)
