#!/usr/bin/python3
"""How long a new fafd takes after a `kill -9` with many tasks running: `contrib/bench/adopt.py [TASKS] [ROUNDS]`.

Prints, in milliseconds from its exec: until it says READY=1, until it has answered a caller (a `GetInfo` sent the moment
that the socket is there), until it has listed every run as running, and until a signal has gone to one of them. The last
line holds the answer of the slowest round against the promise: 1 000 running tasks, an answer within a second. Programs:
$FAF_BUILD, or .build/programs of this checkout. A directory and a cgroup of its own; needs nothing but root for the cgroup.
"""

import os
import pathlib
import sys
import time

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(CHECKOUT / "Tests/acceptance"))

import system  # noqa: E402
from harness import Faf  # noqa: E402

PROMISE = 1.0


def round_of(faf, numbers):
    faf.kill9()
    os.unlink(faf.socket_path)
    began = time.monotonic()
    faf.spawn()
    while not os.path.exists(faf.socket_path):
        time.sleep(0.0005)
    while True:
        try:
            faf.call("GetInfo")
            break
        except ConnectionRefusedError:
            pass  # bound, but not listened on yet
    answered = time.monotonic() - began
    states = {run["number"]: run["state"] for run in faf.runs()}
    listed = time.monotonic() - began
    assert states == dict.fromkeys(numbers, "running"), "a run is missing or not running"
    faf.call("Kill", {"run": numbers[0], "signal": "SIGCONT"})
    killed = time.monotonic() - began
    return answered, listed, killed


def main():
    tasks, rounds = (int(text) for text in (sys.argv[1:] + ["1000", "5"][len(sys.argv) - 1:]))
    system.become_subreaper()
    faf = Faf(os.environ.get("FAF_BUILD") or str(CHECKOUT / ".build/programs"))
    try:
        faf.task("sleeper", "exec sleep 100000")
        faf.start()
        wire = faf.wire()
        numbers = [wire.call("Fire", {"task": "sleeper", "parameters": {}})["run"]["number"] for _ in range(tasks)]
        system.wait_for(lambda: all(run["state"] == "running" for run in faf.runs()), 60)
        worst = 0
        for _ in range(rounds):
            times = round_of(faf, numbers)
            print(f"{tasks} tasks: " + ", ".join(f"{name} after {seconds * 1000:.0f} ms" for name, seconds in zip(
                ("an answer", "all listed as running", "a signal delivered"), times)), flush=True)
            worst = max(worst, times[0])
        print(f"{'PASS' if worst < PROMISE else 'FAIL'}: an answer after {worst * 1000:.0f} ms at most, {rounds} rounds")
        return worst >= PROMISE
    finally:
        faf.clean_up()


sys.exit(main())
