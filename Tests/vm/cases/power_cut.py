"""power cuts at random moments under load: acknowledged fires are known, recorded ends stand, the rest is lost"""
# alone
# timeout: 600

import json
import os
import pathlib
import random
import subprocess
import threading
import time

from vm import FINAL, NOTES, PHASE, case, check, cut_power, equal, faf, note, show, systemctl, task, wait_for

CUTS = int(os.environ.get("VM_CUTS", "3"))


def runs_by_number():
    """All runs, from the database through fafd."""
    found = json.loads(faf("list", "--json", "--all"))
    return {run["number"]: run for run in found}


def verify():
    wait_for(lambda: show("fafd.service", "ActiveState") == "active", 60, "fafd is up by itself")
    up = int(show("fafd.service", "ActiveEnterTimestampMonotonic")) - int(show("fafd.service", "InactiveExitTimestampMonotonic"))
    known = wait_for(lambda: (runs := runs_by_number()) and all(run["state"] in FINAL for run in runs.values()) and runs,
                     60, "all runs of before are over")
    for number in NOTES.get("fired", []):
        check(number in known, f"run {number} was acknowledged and is not known")
    for number, state, kind in NOTES.get("ended", []):
        run = known[number]
        equal((run["state"], run["reason"]["kind"]), (state, kind), f"run {number}, whose end was recorded")
    seen = {number for number, _, _ in NOTES.get("ended", [])}
    lost = 0
    for number, run in known.items():
        if run["state"] == "lost":
            equal(run["reason"]["kind"], "reboot", f"reason of run {number}")
            lost += 1
        else:
            check(run["state"] in ("succeeded", "failed", "killed"), f"run {number} is {run['state']}")
    equal(len(NOTES.get("fired", [])), len(set(NOTES.get("fired", []))), "numbers that were given once")
    return up / 1e6, len(known), len(seen), lost


def load():
    def worker():
        while True:
            name = random.choice(["quick", "quick", "slow"])
            done = subprocess.run(["faf", "fire", name], capture_output=True, text=True)
            if done.returncode == 0:
                note(fired=int(done.stdout.split()[0]))
            else:
                print(f"refused: {done.stderr.strip()}")

    def watcher():
        told = set()
        while True:
            for number, run in runs_by_number().items():
                if run["state"] in FINAL and number not in told:
                    told.add(number)
                    note(ended=[number, run["state"], run["reason"]["kind"]])
            time.sleep(0.3)

    for body in (worker, worker, watcher):
        threading.Thread(target=body, daemon=True).start()


def body():
    if PHASE == 1:
        task("quick", "exit 0", "User=alice")
        task("slow", "exec sleep 1000", "User=bob")
        systemctl("enable", "--now", "fafd.service")
        subprocess.run(["sync"], check=True)
    else:
        seconds, known, ended, lost = verify()
        print(f"after cut {PHASE - 1}: fafd up in {seconds:.2f} s, {known} runs, {ended} ends seen before, {lost} lost")
        note(up=seconds, lost=lost)
        if PHASE > CUTS:
            check(seconds < 5, f"fafd took {seconds:.1f} s to be up")
            worst = max(NOTES.get("up", []) + [seconds])
            check(len(NOTES["fired"]) > CUTS, f"there was no load: {len(NOTES['fired'])} fires")
            return (f"{CUTS} cuts, {len(NOTES['fired'])} acknowledged fires known, {ended} recorded ends stand, {lost} lost, "
                    f"fafd up {worst:.1f} s after its start")
    load()
    cut_power(1, 8)
    time.sleep(300)
    check(False, "the power was not cut")


case(body)
