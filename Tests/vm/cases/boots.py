"""the machine: systemd is up, with every controller, and nothing has failed"""

from vm import case, check, equal, run, wait_for


def body():
    controllers = set(open("/sys/fs/cgroup/cgroup.controllers", encoding="ascii").read().split())
    check({"cpu", "memory", "io", "pids"} <= controllers, f"controllers are missing: {controllers}")
    equal(run("systemctl", "--failed", "--plain", "--no-legend").strip(), "", "failed units")
    wait_for(lambda: run("systemctl", "is-system-running", status=None).strip() == "running", 60, "boot is finished")
    return run("systemd-analyze").splitlines()[0]


case(body)
