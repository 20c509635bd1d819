"""an orderly reboot ends tasks as shutdown; a sudden one leaves them lost, reason reboot; recorded ends stand"""
# alone
# timeout: 300

from vm import (NOTES, PHASE, case, check, equal, fire, note, reboot, reset, show, systemctl, task, wait_end, wait_for,
                wait_processes)


def prepare():
    done = {}
    for code in (0, 3):
        number = fire("ends", f"--code={code}")
        end = wait_end(number)
        done[number] = [end["state"], code]
    active = [fire("sleeper") for _ in range(3)]
    for number in active:
        wait_processes(number)
    note(done={str(number): end for number, end in done.items()}, active=active)


def check_done(round):
    for number, (state, code) in NOTES["done"][round].items():
        end = wait_end(int(number))
        equal((end["state"], end["attempts"][-1]["exitStatus"]), (state, code), f"run {number}, which ended before")


def body():
    if PHASE == 1:
        task("ends", "exit ${1#--code=}")
        task("sleeper", "exec sleep 1000", "User=alice")
        systemctl("enable", "--now", "fafd.service")
        prepare()
        reboot()
    wait_for(lambda: show("fafd.service", "ActiveState") == "active", 60, "fafd is up by itself")
    if PHASE == 2:
        check_done(0)
        for number in NOTES["active"][0]:
            end = wait_end(number)
            seen = end["state"], end["reason"]["kind"]
            equal(seen, ("killed", "shutdown"), f"run {number} after an orderly reboot")
        prepare()
        reset()
    check_done(0)
    check_done(1)
    for number in NOTES["active"][1]:
        end = wait_end(number)
        equal((end["state"], end["reason"]["kind"]), ("lost", "reboot"), f"run {number} after a sudden reboot")
    numbers = [number for group in NOTES["active"] for number in group]
    check(fire("sleeper") > max(numbers), "a number was used twice")
    return "3 runs shutdown, 3 lost by reboot, 4 ends stand"


case(body)
