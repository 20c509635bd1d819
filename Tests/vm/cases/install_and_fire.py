"""README's lines put fafd on a machine, and an ordinary user fires a task: 3 commands, a unit of 6 lines at most"""

import pathlib
import re
import subprocess

from vm import case, check, equal, faf, processes, attempt_cgroup, run, state, systemctl, wait_end, wait_for


def lines_of_readme():
    text = pathlib.Path("/usr/local/share/doc/faf/README.md").read_text(encoding="utf-8")
    found = re.search(r"^### Under systemd\n.*?```sh\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    check(found, "README has no code below '### Under systemd'")
    return [line for line in found.group(1).splitlines() if line]


def body():
    lines = lines_of_readme()
    check(len(lines) <= 3, f"README asks for {len(lines)} commands")
    for line in lines:
        print("$", line)
        done = subprocess.run(["sudo", "-u", "alice", "-i", "bash", "-c", line], check=False, capture_output=True,
                              text=True)
        print(done.stdout, done.stderr)
        equal(done.returncode, 0, f"exit status of {line}")
    number = re.search(r"^(\d+)$", done.stdout, re.MULTILINE)
    check(number, f"no number in {done.stdout!r}")
    number = int(number.group(1))

    unit = pathlib.Path("/etc/faf/units/hello.task").read_text(encoding="utf-8")
    check(len(unit.splitlines()) <= 6, f"the unit has {len(unit.splitlines())} lines")
    pids = wait_for(lambda: processes(attempt_cgroup(number)), 20, "the task runs")
    uid = int(re.search(r"^Uid:\s+(\d+)", pathlib.Path(f"/proc/{pids[0]}/status").read_text(), re.MULTILINE).group(1))
    equal(uid, 2001, "the task's uid")
    equal(state(number), "running", "the state")
    check("of 30" in wait_for(lambda: "of 30" in faf("status", user="alice") and faf("status", user="alice"), 20,
                              "a status line"), "no status line")
    for name in ("fafd.service", "fafd.socket", "faf-tasks.service"):
        equal(systemctl("is-active", name).strip(), "active", name)
    for name in ("fafd.service", "fafd.socket"):
        equal(systemctl("is-enabled", name).strip(), "enabled", name)
    equal(run("systemctl", "--failed", "--plain", "--no-legend").strip(), "", "failed units")
    faf("kill", number, user="alice")
    equal(wait_end(number)["state"], "killed", "the end")
    return f"{len(lines)} commands, a unit of {len(unit.splitlines())} lines"


case(body)
