"""Threat model, section I: units and reload."""

import os
import re

import pytest
import system
from harness import ALICE, BAD_INPUT, BOB, NOT_FOUND, REFUSED, for_each
from system import is_running, wait_for
from wire import WireError


def test_i1_a_deleted_unit_takes_nothing_from_its_runs(faf):
    """I1: delete the unit, kill the run; by whom the unit as fired allowed, too."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s", **({"AllowUsers": ALICE} if faf.root else {}))
    first, second = faf.fire("t"), faf.fire("t")
    faf.running(first)
    main = faf.main_pid(second)
    os.unlink(faf.units + "/t.task")
    faf.faf("reload", check=0)
    faf.refused("fire", "t", code=NOT_FOUND)
    assert faf.run(first)["state"] == "running"
    faf.kill(first, **({"uid": ALICE} if faf.root else {}))
    faf.ends(first, "killed")
    faf.restart()
    assert is_running(main)
    faf.kill(second)
    faf.ends(second, "killed")


def test_i1_a_run_keeps_the_settings_it_was_fired_with(faf):
    """I1: KillSignal= and TimeoutStopSec= of the day it was fired, also after a restart of fafd."""
    text = "trap 'exit 11' USR1; trap '' TERM; echo >> {}/up; while :; do sleep 0.05; done".format(faf.out)
    faf.task("t", text, KillSignal="SIGUSR1", TimeoutStopSec="30s")
    first, second = faf.fire("t"), faf.fire("t")
    wait_for(lambda: system.read(f"{faf.out}/up").count("\n") == 2, 5)
    faf.task("t", text, KillSignal="SIGTERM", TimeoutStopSec="1h")
    faf.faf("reload", check=0)
    faf.kill(first)
    assert faf.ends(first, "killed")["attempts"][-1]["exitStatus"] == 11
    faf.restart()
    faf.kill(second)
    assert faf.ends(second, "killed")["attempts"][-1]["exitStatus"] == 11


@pytest.mark.root
def test_i1_rights_are_those_of_the_fire(faf):
    """I1: whom the unit allows later may not touch earlier runs; whom it allowed then still may."""
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s", AllowUsers=ALICE)
    run = faf.fire("t")
    faf.running(run)
    faf.task("t", "exec sleep 300", TimeoutStopSec="1s", AllowUsers=BOB)
    faf.faf("reload", check=0)
    faf.refused("kill", str(run), uid=BOB, code=REFUSED)
    faf.refused("fire", "t", uid=ALICE, code=REFUSED)
    faf.kill(run, uid=ALICE)
    faf.ends(run, "killed")
    faf.running(faf.fire("t", uid=BOB))


BROKEN = """[Unit]
Description=broken

[Task]
ExecStart={path}
TimeoutStopSec=soon
"""


def test_i2_a_broken_unit_refuses_with_file_line_and_key(faf):
    """I2: new fires are refused with file, line, key; others load."""
    marker = faf.marker()
    path = faf.unit("bad", BROKEN.format(path=marker))
    faf.unit("good", ExecStart="/bin/true")
    faf.faf("reload")
    text = faf.refused("fire", "bad", code=BAD_INPUT)
    assert path in text and "TimeoutStopSec" in text and re.search(r"\b6\b", text), text
    with pytest.raises(WireError) as error:
        faf.call("Fire", {"task": "bad"})
    assert error.value.error == "BadUnit"
    (problem,) = [one for one in error.value.parameters["problems"] if one["severity"] == "error"]
    assert (problem["path"], problem["line"], problem["key"], problem["section"]) == (path, 6, "TimeoutStopSec", "Task")
    assert problem["message"] and problem["remedy"] and problem["column"] >= 1
    assert faf.marks() == []
    faf.ends(faf.fire("good"), "succeeded")
    tasks = {task["name"]: task for task in faf.call("ListTasks")["tasks"]}
    assert tasks["bad"]["loadState"] == "bad-setting" and tasks["good"]["loadState"] == "loaded"


def test_i2_a_reload_is_all_of_one_file_or_none(faf):
    """I2: a file that breaks refuses new fires (nobody runs with a setting that is not in the file)."""
    marker = faf.marker()
    faf.unit("t", ExecStart=marker)
    faf.faf("reload", check=0)
    faf.ends(faf.fire("t"), "succeeded")
    faf.unit("t", BROKEN.format(path=marker))
    faf.faf("reload")
    faf.refused("fire", "t", code=BAD_INPUT)
    faf.unit("t", ExecStart=marker)
    faf.faf("reload", check=0)
    faf.ends(faf.fire("t"), "succeeded")
    assert len(faf.marks()) == 2


def test_i2_reload_is_told_what_is_wrong(faf):
    """I2: `faf reload` names the problems; SIGHUP reloads, too."""
    faf.unit("bad", BROKEN.format(path="/bin/true"))
    reply = faf.call("Reload")
    assert [one["key"] for one in reply["problems"] if one["severity"] == "error"] == ["TimeoutStopSec"]
    faf.unit("late", ExecStart="/bin/true")
    os.kill(faf.pid, 1)
    wait_for(lambda: "late" in [task["name"] for task in faf.call("ListTasks")["tasks"]], 5)
    faf.ends(faf.fire("late"), "succeeded")
    assert faf.daemon.is_alive()


def test_i2_a_setting_that_is_not_enforced_is_not_ignored(stopped_faf):
    """Issue 2: a setting that is known but not enforced is refused by name, or it is warned about by name."""
    faf = stopped_faf
    marker = faf.marker()

    def check(line):
        path = faf.unit("t", f"[Task]\nExecStart={marker}\n{line}\n")
        done = faf.faf("verify", path)
        assert line.split("=")[0] in done.stdout + done.stderr
        assert done.returncode != 0

    for_each(["OOMScoreAdjust=5", "SystemCallFilter=write", "MaxRunning=1", "IOSchedulingClass=idle"], check)


def test_i2_drop_ins_and_masks(faf):
    """Design 4: drop-ins are merged over all; a link to /dev/null masks."""
    faf.unit("t@", ExecStart=faf.script("t", f'echo "$A $B $C" > {faf.out}/env.$FAF_RUN'), Environment="A=1 B=1 C=1")
    faf.unit("t@.task.d/10.conf", "[Task]\nEnvironment=B=2\n")
    faf.unit("t@x.task.d/20.conf", "[Task]\nEnvironment=C=3\n")
    os.symlink("/dev/null", faf.units + "/masked.task")
    faf.faf("reload", check=0)
    for name, expected in (("t@x", "1 2 3\n"), ("t@y", "1 2 1\n")):
        run = faf.fire(name)
        faf.ends(run, "succeeded")
        assert faf.output(f"env.{run}").read_text() == expected
    faf.refused("fire", "masked", code=(BAD_INPUT, NOT_FOUND))
    faf.refused("fire", "t@", code=(BAD_INPUT, NOT_FOUND))
    text = faf.faf("cat", "t@x", check=0).stdout
    assert "10.conf" in text and "20.conf" in text and "Environment" in text


def test_i2_a_unit_is_found_without_a_reload_or_after_one(faf):
    """A new unit can be fired after `faf reload` at the latest."""
    faf.unit("new", ExecStart="/bin/true")
    faf.faf("reload", check=0)
    faf.ends(faf.fire("new"), "succeeded")
