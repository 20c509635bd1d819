"""Suite 4 of the threat model: clients and faults at random; afterwards the history is right.

Ten seconds by default; FAF_HISTORY_SECONDS makes it longer, FAF_HISTORY_SEED repeats the choices of a run.
"""

import os
import random
import threading
import time

import pytest
import system
from harness import FINAL
from system import is_running, wait_for
from wire import Closed, WireError

SCRIPT = """#!/bin/sh
echo "$FAF_RUN" >> {out}/m.mark
for argument; do
    case $argument in
    --status=*) status=${{argument#*=}} ;;
    --sleep=*) sleep=${{argument#*=}} ;;
    --leave=*) (setsid sleep 300 &) ;;
    esac
done
sleep $sleep
exit $status
"""


class World:
    """What clients and faults did to one fafd, as they saw it."""

    def __init__(self, faf, seed):
        self.faf = faf
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.expected = {}  # number: exit status, of acknowledged fires
        self.asked_to_stop = set()
        self.victims = set()  # runs whose shim was killed
        self.strange = []
        self.stop = threading.Event()

    def pick(self, *choices):
        with self.lock:
            return self.chance.choice(choices)

    def call(self, method, parameters=None):
        """The reply; None if there was no connection or it was lost."""
        try:
            return self.faf.call(method, parameters)
        except (Closed, OSError):
            return None

    def fires(self):
        while not self.stop.is_set():
            status = self.pick(0, 0, 0, 1, 7, 255)
            parameters = {"status": status, "sleep": self.pick(0, 0, 0.01, 0.1, 0.5, 2)}
            if self.pick(False, False, True):
                parameters["leave"] = 1
            try:
                reply = self.call("Fire", {"task": "t", "parameters": parameters})
            except WireError as error:
                # A shim or a mother that is killed while it is made ready.
                if error.error not in ("LaunchFailed", "Unavailable", "LimitReached"):
                    self.strange.append(error)
                continue
            if reply:
                with self.lock:
                    self.expected[reply["run"]["number"]] = status
            time.sleep(self.pick(0, 0.005, 0.02))

    def kills(self):
        while not self.stop.is_set():
            with self.lock:
                numbers = list(self.expected)[-20:]
            if numbers:
                number = self.pick(*numbers)
                self.asked_to_stop.add(number)
                parameters = self.pick(
                    {}, {}, {"signal": "TERM"}, {"signal": "KILL"}, {"signal": "KILL", "whom": "main"}
                )
                try:
                    self.call("Kill", {"run": number, **parameters})
                except WireError as error:
                    if error.error not in ("NotActive", "NoSuchRun"):
                        self.strange.append(error)
            time.sleep(self.pick(0.01, 0.05, 0.1))

    def breaks(self):
        """One fault after another; the only thread that starts and ends fafd."""
        while not self.stop.is_set():
            time.sleep(self.pick(0.05, 0.2, 0.5))
            what = self.pick("fafd", "fafd", "fafd and mother", "mother", "shim", "shim", "pause", "clean stop")
            mother = self.faf.mother()
            if what in ("mother", "fafd and mother") and mother:
                system.kill_quietly(mother)
            if what in ("fafd", "fafd and mother"):
                self.faf.kill9()
                time.sleep(self.pick(0, 0.1, 0.3))
                self.faf.start()
            elif what == "clean stop":
                self.faf.stop()
                self.faf.start()
            elif what == "shim":
                self.kill_a_shim()
            elif what == "pause":
                self.faf.pause()
                time.sleep(self.pick(0.05, 0.3))
                self.faf.go_on()

    def kill_a_shim(self):
        active = [run for run in self.faf.runs(limit=0) if run["attempts"] and run["attempts"][-1].get("shimPid")]
        if active:
            run = self.pick(*active)
            self.victims.add(run["number"])
            system.kill_quietly(run["attempts"][-1]["shimPid"])


@pytest.mark.root
@pytest.mark.cgroup
def test_history(faf):
    """No acknowledged run is forgotten, doubled or without an end; no status is made up; nothing is left."""
    seed = int(os.environ.get("FAF_HISTORY_SEED") or random.randrange(1 << 30))
    seconds = float(os.environ.get("FAF_HISTORY_SECONDS") or 10)
    print(f"FAF_HISTORY_SEED={seed}")
    faf.task("t", SCRIPT.format(out=faf.out), TimeoutStopSec="1s")
    world = World(faf, seed)
    threads = [threading.Thread(target=one) for one in (world.fires, world.fires, world.fires, world.kills)]
    for thread in threads:
        thread.start()
    stopper = threading.Timer(seconds, world.stop.set)
    stopper.start()
    try:
        world.breaks()
    finally:
        world.stop.set()
        for thread in threads:
            thread.join()
        stopper.cancel()
    assert world.strange == []
    wait_for(
        lambda: all(run["state"] in FINAL for run in faf.runs()),
        30,
        every=0.2,
        what=lambda: [run for run in faf.runs() if run["state"] not in FINAL][:3],
    )
    runs = {run["number"]: run for run in faf.runs()}
    executed = [int(line) for line in faf.marks()]
    print(
        f"{len(runs)} runs, {len(world.expected)} acknowledged, {len(faf.daemons)} fafds, {len(world.victims)} shims killed"
    )
    assert set(world.expected) <= set(runs), "forgotten"
    assert len(executed) == len(set(executed)), "executed twice"
    assert set(executed) <= set(runs), "executed and not known"
    for number, run in runs.items():
        attempt = run["attempts"][-1]
        if run["state"] == "lost":
            assert number in world.victims, run
            assert attempt.get("exitStatus") is None and attempt.get("signal") is None, run
        elif run["state"] == "killed":
            assert number in world.asked_to_stop, run
        elif number in world.expected:
            assert number in executed, run
            if attempt.get("exitStatus") is not None:
                assert attempt["exitStatus"] == world.expected[number], run
            assert run["state"] == ("failed" if attempt.get("exitStatus") != 0 else "succeeded"), run
            # The script's own command may have been ended by a signal to all of the run.
            assert attempt.get("exitStatus") == world.expected[number] or number in world.asked_to_stop, run
    everything = (faf.live_records, faf.ends_on_disk, faf.notify_sockets, faf.attempt_cgroups)
    wait_for(faf.is_clean, 15, lambda: [one() for one in everything])
    assert not [pid for pid in system.cgroup_pids(faf.cgroup + "/t") if is_running(pid)]
    before = [(number, run["state"], run["reason"], run["endedAt"]) for number, run in sorted(runs.items())]
    faf.restart()
    after = [(run["number"], run["state"], run["reason"], run["endedAt"]) for run in reversed(faf.runs())]
    assert before == after, "history does not change"
