"""power cuts at random moments under load: acknowledged fires are known, recorded ends stand, the rest is lost"""
# alone
# timeout: 600

import json
import os
import random
import subprocess
import threading
import time

from vm import (FINAL, NOTES, PHASE, case, check, check_journal, cut_power, equal, faf, note, run, show, systemctl,
                task, wait_for)

CUTS = int(os.environ.get("VM_CUTS", "3"))


def runs_by_number():
    """All runs, from the database through fafd."""
    found = json.loads(faf("list", "--json", "--all"))
    return {run["number"]: run for run in found}


def end(run):
    return run["state"], run["reason"]["kind"]


def up():
    """Seconds from fafd's start job, when all that it comes after is there, to READY=1, and of processor time. And how
    fast this machine is at present: seconds that `faf version` takes; natively it is less than 5 ms."""
    wait_for(lambda: show("fafd.service", "ActiveState") == "active", 60, "fafd is up by itself")
    took = (int(show("fafd.service", "ActiveEnterTimestampMonotonic"))
            - int(show("fafd.service", "InactiveExitTimestampMonotonic"))) / 1e6
    used = int(show("fafd.service", "CPUUsageNSec")) / 1e9
    began = time.monotonic()
    run("faf", "version")
    return took, used, time.monotonic() - began


def verify():
    fired, ended = NOTES.get("fired", []), NOTES.get("ended", [])
    wait_for(lambda: all(run["state"] in FINAL for run in runs_by_number().values()), 60, "all runs of before are over")
    known = runs_by_number()
    equal(len(fired), len(set(fired)), "numbers that were given once")
    for number in fired:
        check(number in known, f"run {number} was acknowledged and is not known")
    for number, state, kind in ended:
        equal(end(known[number]), (state, kind), f"run {number}, whose end was recorded")
    lost = 0
    for number, found in known.items():
        is_lost = end(found) == ("lost", "reboot")
        check(is_lost or found["task"] == "quick" and end(found) == ("succeeded", "success"), f"run {number}: {found}")
        lost += is_lost
    equal(run("sqlite3", "-readonly", "/var/lib/faf/faf.db", "PRAGMA integrity_check").strip(), "ok", "the database")
    check_journal()
    return len(known), len(ended), lost


def load():
    """Returns once it has begun: a fire has been acknowledged."""
    has_begun = threading.Event()

    def worker():
        while True:
            name = random.choice(["quick", "quick", "slow"])
            done = subprocess.run(["faf", "fire", name], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                note(fired=int(done.stdout.split()[0]))
                has_begun.set()
            else:
                print(f"refused: {done.stderr.strip()}")

    def watcher():
        told = set()
        while True:
            for number, run in runs_by_number().items():
                if run["state"] in FINAL and number not in told:
                    told.add(number)
                    note(ended=[number, *end(run)])
            time.sleep(0.3)

    for body in (worker, worker, watcher):
        threading.Thread(target=body, daemon=True).start()
    has_begun.wait()


def body():
    if PHASE == 1:
        task("quick", "exit 0", "User=alice")
        task("slow", "exec sleep 1000", "User=bob")
        systemctl("enable", "--now", "fafd.service")
        subprocess.run(["sync"], check=True)
    else:
        seconds, used, pace = up()
        known, ended, lost = verify()
        print(f"after cut {PHASE - 1}: fafd is up in {seconds:.2f} s ({used:.2f} s of the processor; "
              f"{pace:.2f} s for faf version), {known} runs, {ended} ends seen before, {lost} lost")
        note(up=[seconds, pace])
        # The rule is 2 s. This machine is emulated, and may have to share the computer: then it may take in proportion.
        check(seconds < max(2, 40 * pace), f"fafd took {seconds:.1f} s to be up ({pace:.2f} s for faf version)")
        if PHASE > CUTS:
            check(len(NOTES["fired"]) >= CUTS, f"there was no load: {len(NOTES['fired'])} fires")
            times = sorted([pair[0] for pair in NOTES.get("up", [])] + [seconds])
            return (f"{CUTS} cuts, {len(NOTES['fired'])} acknowledged fires known, {ended} recorded ends stand, "
                    f"{lost} lost, fafd up in {times[0]:.1f} to {times[-1]:.1f} s")
    load()
    cut_power(0, 8)
    time.sleep(300)
    check(False, "the power was not cut")


case(body)
