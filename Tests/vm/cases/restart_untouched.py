"""restarts, SIGKILLs and upgrades of fafd under load: no task signalled, no end, status or log line lost"""
# timeout: 900

import json
import os
import pathlib
import random
import shutil
import subprocess
import threading
import time
from collections import Counter

from vm import (FAFD_KILLED, FINAL, SCRIPTS, case, check, equal, faf, fire, journal, kill, main_pid, processes, show,
                start, systemctl, task, tasks_cgroup, wait_end, wait_for, wait_processes)

# A third of them each: SIGKILL, `systemctl restart`, another binary.
ROUNDS = int(os.environ.get("VM_ROUNDS", "6"))
LONG = 8
PLACE = pathlib.Path("/var/tmp/case")
PROGRAMS = [pathlib.Path("/usr/local") / name for name in ("sbin/fafd", "libexec/faf/faf-shim", "bin/faf")]

# Counts in its output and in its status, and writes down every signal that it gets.
STEADY = """
import os, pathlib, signal, socket, time
run = os.environ["FAF_RUN"]
def note(number, frame):
    with open(f"/var/tmp/case/signals.{run}", "a") as file:
        file.write(f"{signal.Signals(number).name}\\n")
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
    signal.signal(number, note)
status = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
n = 0
while not os.path.exists("/var/tmp/case/finish"):
    n += 1
    print(n, flush=True)
    status.sendto(f"STATUS=step {n}".encode(), os.environ["NOTIFY_SOCKET"])
    time.sleep(0.2)
pathlib.Path(f"/var/tmp/case/steps.{run}").write_text(str(n))
os._exit(int(run) % 100 + 1)
"""
QUICK = """
echo "$FAF_RUN" >>/var/tmp/case/marks
exit ${1#--code=}
"""


class Load(threading.Thread):
    """Fires or asks all the time; remembers what was acknowledged, and what was said instead of an answer, and when."""

    way = "start"

    def __init__(self):
        super().__init__(daemon=True)
        self.acknowledged = {}
        self.answers = 0
        self.refused = []
        self.is_over = False

    def call(self, *arguments):
        # Its answer may have been lost at the restart before the one that goes on when that is noticed.
        before = Load.way
        done = subprocess.run(["faf", *arguments], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode == 0:
            self.answers += 1
            return done.stdout
        self.refused.append(({before, Load.way}, done.returncode, done.stderr.strip()))
        return None

    def run(self):
        while not self.is_over:
            code = random.randint(0, 99)
            if answer := self.call("fire", "quick", f"--code={code}"):
                self.acknowledged[int(answer.split()[0])] = code
            time.sleep(0.2)

    def end(self):
        self.is_over = True
        self.join(120)


class Questions(Load):
    def run(self):
        while not self.is_over:
            self.call(*random.choice([("status",), ("list",), ("show", "1")]))
            time.sleep(0.2)


def upgrade():
    """As a package does it: another file takes over the name. What lies at the other name is the same program."""
    for program in PROGRAMS:
        other, new = (program.with_name(f"{program.name}.{suffix}") for suffix in ("other", "new"))
        os.rename(other, new)
        os.link(program, other)
        os.rename(new, program)


def restart(how):
    before = main_pid()
    if how == "SIGKILL":
        kill(before)
    else:
        if how == "upgrade":
            upgrade()
        systemctl("restart", "fafd.service")
    wait_for(lambda: main_pid() not in (0, before) and show("fafd.service", "SubState") == "running", 60,
             f"fafd is back after {how}")


def runs(*arguments):
    return {run["number"]: run for run in json.loads(faf("list", "--json", *arguments))}


def steps(numbers):
    """How far each of them is, as fafd knows it."""
    known = runs()
    for number in numbers:
        equal(known[number]["state"], "running", f"run {number}")
    return {number: int((known[number].get("status") or "step 0").split()[1]) for number in numbers}


def body():
    PLACE.mkdir(mode=0o777, exist_ok=True)
    PLACE.chmod(0o777)
    task("steady", f"exec python3 {SCRIPTS}/steady.py", "User=alice")
    (SCRIPTS / "steady.py").write_text(STEADY, encoding="utf-8")
    task("quick", QUICK)
    task("sleeper", "exec sleep 1000", "User=bob")
    for program in PROGRAMS:
        shutil.copy2(program, f"{program}.other")
    start()
    steady = [fire("steady") for _ in range(LONG)]
    pids = {number: wait_processes(number) for number in steady}
    loads = fires, questions = Load(), Questions()
    for load in loads:
        load.start()
    ways = Counter()
    killed = []
    began = time.monotonic()
    for turn in range(ROUNDS):
        way = Load.way = ("SIGKILL", "restart", "upgrade")[turn % 3]
        sleeper = fire("sleeper")
        before = steps(steady)
        faf("kill", sleeper)
        killed.append(sleeper)
        restart(way)
        ways[way] += 1
        for number, step in steps(steady).items():
            check(step >= before[number], f"round {turn}: status of run {number}: first {before[number]}, then {step}")
            equal(wait_processes(number), pids[number], f"round {turn}: processes of run {number}")
        print(f"{time.monotonic() - began:.1f} s: round {turn}, {way}, {fires.answers} fires, {questions.answers} "
              f"questions, without an answer: {len(fires.refused)}, {len(questions.refused)}")
    for load in loads:
        load.end()
        print(*load.refused, sep="\n")

    check(not list(PLACE.glob("signals.*")), f"signals: {[(p.name, p.read_text()) for p in PLACE.glob('signals.*')]}")
    (PLACE / "finish").touch()
    lines = 0
    cgroup = "/" + str(tasks_cgroup().relative_to("/sys/fs/cgroup"))
    for number in steady:
        end = wait_end(number)
        equal(end["attempts"][-1].get("exitStatus"), number % 100 + 1, f"exit status of run {number}")
        last = int((PLACE / f"steps.{number}").read_text())
        equal(end["status"], f"step {last}", f"the last status of run {number}")
        expected = [str(n + 1) for n in range(last)]
        in_journal = journal(f"_SYSTEMD_CGROUP={cgroup}/t/{number}.1")
        for program, seen in (("faf logs", faf("logs", number)), ("journalctl", in_journal)):
            check(seen.splitlines() == expected, f"{program} of run {number}: {missing(seen.splitlines(), expected)}")
        lines += last

    wait_for(lambda: all(run["state"] in FINAL for run in runs("--all").values()), 60, "all runs are over")
    known = runs("--all")
    marks = Counter(map(int, (PLACE / "marks").read_text().split()))
    quick = {number for number, run in known.items() if run["task"] == "quick"}
    equal(set(marks.values()), {1}, "executions of each run")
    equal(set(marks), quick, "runs that were executed, and those that are known")
    for number, code in fires.acknowledged.items():
        equal(known[number]["attempts"][-1].get("exitStatus"), code, f"exit status of run {number}")
    for number in killed:
        equal(known[number]["state"], "killed", f"run {number}")
    left = [pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in processes(tasks_cgroup() / "shims")]
    check(all("--mother" in command for command in left), f"shims that are left: {left}")
    # Only a SIGKILL may take the answer to a fire away; it was executed at most once then, as the marks have shown.
    # Questions are asked again. On a busy machine a restart may take longer than callers wait.
    lost = fires.refused + questions.refused
    for ways_then, code, text in lost:
        is_killed_fire = "SIGKILL" in ways_then and code == 70 and "faf list tells" in text
        check(is_killed_fire or "does not answer in time" in text, f"at {ways_then}: {code}, {text}")
    check(len(lost) <= ROUNDS, f"{len(lost)} calls without an answer: {lost}")
    return (f"{ROUNDS} restarts of fafd ({', '.join(f'{count} {way}' for way, count in ways.items())}): {LONG} tasks "
            f"untouched, their {lines} log lines each there once, {len(fires.acknowledged)} fires with their exit "
            f"status, {len(killed)} kills, {questions.answers} questions; {len(lost)} calls without an "
            f"answer")


def missing(seen, expected):
    return (f"{len(seen)} lines instead of {len(expected)}; missing {sorted(set(expected) - set(seen), key=int)[:20]}, "
            f"twice {[line for line, count in Counter(seen).items() if count > 1][:20]}")


case(body, warnings=FAFD_KILLED)
