"""a script has PID 1's namespaces, /tmp and capabilities: nothing of fafd's own hardening is passed on"""

import os
import pathlib

from vm import case, check, equal, fire, is_alive, start, systemctl, task, wait_for, wait_processes

LOOK = r"""
{
    for name in cgroup ipc mnt net pid user uts time; do echo "$name=$(readlink /proc/self/ns/$name)"; done
    grep -E '^(CapBnd|CapAmb|CapInh|Seccomp|SigBlk|SigIgn):' /proc/self/status | tr -d '\t' | tr : =
    echo "oom=$(cat /proc/self/oom_score_adj)"
    echo "umask=$(umask)"
    echo "nofile=$(ulimit -Sn)"
} >/var/tmp/case/look.new
echo mine >/tmp/of-a-task
mv /var/tmp/case/look.new /var/tmp/case/look
exec sleep 1000
"""


def body():
    place = pathlib.Path("/var/tmp/case")
    place.mkdir(exist_ok=True)
    task("look", LOOK)
    start()
    number = fire("look")
    wait_for(lambda: (place / "look").exists(), 30, "the task has looked")
    pid = wait_processes(number)[0]
    seen = dict(line.split("=", 1) for line in (place / "look").read_text().splitlines())
    for name in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts", "time"):
        equal(seen[name], os.readlink(f"/proc/1/ns/{name}"), f"{name} namespace")
    lines = pathlib.Path("/proc/1/status").read_text().splitlines()
    first = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    equal(seen["CapBnd"], first["CapBnd"], "bounding set")
    for name in ("CapAmb", "CapInh", "SigBlk", "SigIgn"):
        equal(int(seen[name], 16), 0, name)
    equal(seen["Seccomp"], "0", "seccomp")
    equal((seen["oom"], seen["umask"], seen["nofile"]), ("0", "0022", "1024"), "oom_score_adj, umask, open files")
    equal(pathlib.Path("/tmp/of-a-task").read_text(), "mine\n", "the task's file in /tmp, seen from outside")
    systemctl("restart", "fafd.service")
    check(is_alive(pid), "the task is gone")
    equal(pathlib.Path(f"/proc/{pid}/root/tmp/of-a-task").read_text(), "mine\n", "the file in /tmp after a restart")
    return "all eight of them, before and after a restart of fafd"


case(body)
