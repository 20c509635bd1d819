"""systemctl --user: alice's own fafd, with cgroups of her own, restarted under a running task"""

import pathlib
import subprocess

from vm import case, check, equal, is_alive, processes, run, wait_for


def as_alice(line, status=0):
    done = subprocess.run(["sudo", "-u", "alice", "-i", "env", "XDG_RUNTIME_DIR=/run/user/2001", "bash", "-c", line],
                          check=False, capture_output=True, text=True, timeout=120)
    print("$", line, done.stdout, done.stderr)
    if status is not None:
        equal(done.returncode, status, f"exit status of {line}")
    return done.stdout.strip()


def body():
    run("loginctl", "enable-linger", "alice")
    wait_for(lambda: pathlib.Path("/run/user/2001/systemd/private").exists(), 60, "alice's systemd")
    as_alice("mkdir -p ~/.config/faf/units && printf '#!/bin/sh\\nexec sleep 1000\\n' >~/sleeper && "
             "chmod 755 ~/sleeper && printf '[Task]\\nExecStart=%s/sleeper\\n' ~ >~/.config/faf/units/sleeper.task")
    as_alice("systemctl --user enable --now fafd")
    number = int(as_alice("faf fire --user sleeper").split()[0])
    tree = pathlib.Path(pathlib.Path("/run/user/2001/faf/tasks").read_text().strip())
    check("faf-tasks.service" in str(tree), f"the subtree is {tree}")
    pid = wait_for(lambda: processes(tree / f"t/{number}.1"), 20, "it runs")[0]
    as_alice("systemctl --user restart fafd")
    check(is_alive(pid), "the task is gone")
    check("running" in as_alice(f"faf show --user {number}"), "the run is not known to be running")
    as_alice("systemctl --user stop faf-tasks")
    check(not is_alive(pid), "the task goes on")
    check("shutdown" in as_alice(f"faf show --user --json {number}"), "the run does not say shutdown")
    run("loginctl", "disable-linger", "alice")
    return f"in {tree}"


case(body)
