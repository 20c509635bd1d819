"""faf doctor: what works here, what is missing, what to do; a line each."""

import json
import os

import pytest
import system
from harness import ALICE, NO_FAFD


def doctor(faf, code, **options):
    """state and text of each finding by what it is about, as JSON and as lines: both say the same."""
    done = faf.faf("doctor", check=code, **options)
    print(done.stdout)
    found = faf.faf("doctor", "--json", check=code, **options)
    findings = json.loads(found.stdout)
    lines = done.stdout.splitlines()
    assert len(lines) == len(findings)
    for line, finding in zip(lines, findings):
        assert line.startswith(finding["state"]) and finding["what"] in line and finding["text"] in line
        assert line.endswith(" -> " + finding["remedy"]) if "remedy" in finding else " -> " not in line
        # Whatever is not as it should be comes with something to do.
        assert finding["state"] == "ok" or finding["remedy"], finding
    return findings


def of(findings, what):
    return [(finding["state"], finding["text"]) for finding in findings if finding["what"] == what]


@pytest.mark.cgroup
@pytest.mark.root
def test_a_machine_that_works(faf):
    """Nothing is bad; what the kernel does not give is told with the settings that need it."""
    faf.task("t", "exit 0")
    findings = doctor(faf, 0)
    assert of(findings, "socket") == [("ok", f"{faf.socket_path}, mode 666")]
    assert of(findings, "cgroup") == [("ok", f"each attempt has its own below {faf.cgroup}/t")]
    assert of(findings, "units") == [("ok", f"{faf.units}, owned by uid 0, mode 755")]
    assert of(findings, "unit") == [("ok", "1 of 1 can be used")]
    there = system.read(faf.cgroup + "/t/cgroup.subtree_control").split()
    for name, setting in [("memory", "MemoryMax="), ("cpu", "CPUQuota="), ("io", "IOWeight="), ("pids", "TasksMax="), ("cpuset", "AllowedCPUs=")]:
        ((state, text),) = of(findings, name + "-controller")
        assert state == ("ok" if name in there else "weak") and setting in text
    exists = os.path.exists(faf.cgroup + "/t/cgroup.kill")
    assert of(findings, "cgroup.kill")[0][0] == ("ok" if exists else "weak")
    assert {finding["what"] for finding in findings} >= {"fafd", "kernel", "cgroup.freeze", "pressure", "journal", "sandbox", "oom-protection", "process-io"}


def test_units_that_cannot_be_used(faf):
    """The task, what is wrong with its unit, and how to see the rest of it; a directory that others may write."""
    faf.unit("broken", ExecStart="relative", TimeoutStopSec="soon")
    findings = doctor(faf, 1)
    (text,) = [text for state, text in of(findings, "unit") if state == "bad"]
    assert text.startswith("broken cannot be fired: ") and text.endswith("(and 1 more)")
    os.chmod(faf.units, 0o777)
    assert of(doctor(faf, 1), "units") == [("bad", f"{faf.units} has mode 777: others may write it, so its units are not followed")]


def test_without_fafd(stopped_faf):
    """What can be said without it, and its own exit code."""
    findings = doctor(stopped_faf, NO_FAFD)
    assert of(findings, "fafd")[0][0] == "bad" and of(findings, "socket") == [("bad", f"there is nothing at {stopped_faf.socket_path}")]
    assert of(findings, "kernel")[0][0] == "ok"
    assert of(findings, "units") == []


@pytest.mark.root
def test_what_a_user_mode_lacks(make_faf):
    """Without root most protections are missing; that is weak, not bad."""
    faf = make_faf(user_mode=True, uid=ALICE)
    faf.start()
    findings = doctor(faf, 0)
    for kind in ("sandbox", "private-records", "other-users"):
        assert of(findings, kind)[0][0] == "weak", kind
    assert of(findings, "units") == [("ok", f"{faf.units}, owned by uid {ALICE}, mode 755")]


@pytest.mark.cgroup
def test_without_a_cgroup(make_faf):
    """The subtree that a holder names is not there."""
    faf = make_faf()
    faf.start(prefix=["unshare", "--mount", "--propagation", "private", "sh", "-c",
                      f'umount -l {system.cgroup2_root()} && exec "$@"', "sh"])
    findings = doctor(faf, 0)
    assert of(findings, "cgroup")[0][0] == "weak"
    assert of(findings, "cgroup.kill") == [] and of(findings, "memory-controller") == []


@pytest.mark.root
def test_what_may_not_be_looked_at(faf):
    """Whoever may not enter a directory is not told that nothing is there."""
    os.chmod(faf.base, 0o700)
    try:
        findings = doctor(faf, 0, uid=ALICE)
    finally:
        os.chmod(faf.base, 0o755)
    assert of(findings, "units") == [("weak", f"{faf.units} cannot be looked at: Permission denied")]
