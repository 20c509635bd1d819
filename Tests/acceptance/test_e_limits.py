"""Threat model, section E: what the kernel is to enforce. Where it can is tried in Tests/vm; here is where it cannot."""

import os
import re

import pytest
import system
from harness import OTHER, for_each

CONTROLLERS = {"MemoryMax": "memory", "MemoryHigh": "memory", "MemoryLow": "memory", "MemorySwapMax": "memory",
               "TasksMax": "pids", "CPUQuota": "cpu", "CPUWeight": "cpu", "AllowedCPUs": "cpuset", "IOWeight": "io"}
ALL = [("MemoryMax", "48M"), ("MemoryHigh", "10%"), ("MemoryLow", "infinity"), ("MemorySwapMax", "0"),
       ("TasksMax", "10%"), ("CPUQuota", "20%"), ("CPUWeight", "idle"), ("AllowedCPUs", "0"), ("IOWeight", "10"),
       ("OOMPolicy", "kill"), ("OOMPolicy", "stop")]


@pytest.mark.cgroup
def test_e3_a_limit_that_cannot_be_set_refuses_the_fire_by_name(faf):
    """A limit that is written down and not there is worse than none: nothing runs, and the error says which and why."""
    there = system.read(faf.cgroup + "/t/cgroup.controllers").split()
    marker = faf.marker()

    def check(key, value):
        controller = CONTROLLERS.get(key, "memory")
        if controller in there:
            return
        faf.unit("t", ExecStart=marker, **{key: value})
        error = faf.refused("fire", "t", code=OTHER)
        assert f"{key}= cannot be enforced here: attempts' cgroups have no {controller} controller" in error
        assert "remove the line from the unit" in error
        assert not faf.marks()

    for_each(ALL, check)
    assert not os.listdir(faf.state + "/ends") and not faf.attempt_cgroups()


@pytest.mark.cgroup
def test_e3_what_asks_for_nothing_needs_no_controller(faf):
    def check(key, value):
        faf.task("t", "exit 0", **{key: value})
        faf.ends(faf.fire("t"), "succeeded")

    for_each([("MemoryMax", "infinity"), ("MemoryLow", "0"), ("TasksMax", "infinity"), ("OOMPolicy", "continue")], check)


@pytest.mark.cgroup
def test_usage_of_the_whole_cgroup_is_kept(faf):
    """Also of a child that nobody waited for (it outlives the shell), and also once the cgroup has gone."""
    faf.task("t", "(i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; : > {out}/done; exec sleep 300) &\n"
             "while [ ! -e {out}/done ]; do sleep 0.02; done".format(out=faf.out))
    run = faf.fire("t")
    usage = faf.ends(run, "succeeded")["attempts"][0]["usage"]
    assert 0 < usage["cpuUserUSec"] + usage["cpuSystemUSec"] <= usage["cpuUSec"]
    assert usage["cpuUSec"] > usage["userUSec"] + usage["systemUSec"]
    for name, controller in (("oomKills", "memory"), ("readBytes", "io"), ("refusedForks", "pids")):
        known = controller in system.read(faf.cgroup + "/t/cgroup.controllers").split()
        assert (name in usage) == known, name
    assert re.search(r"used: .* of CPU time", faf.faf("show", str(run), check=0).stdout)
