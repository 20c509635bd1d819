"""fafd is stopped: the next connection starts it; without its socket the CLI says so; waits go on over a restart"""

import subprocess
import time

from vm import (case, check, equal, faf, fire, show, start, systemctl, task, wait_end, wait_for, wait_processes)


def body():
    task("sleeper", "exec sleep 1000", "User=alice")
    task("slow", "sleep 6; exit 5", "User=alice")
    systemctl("start", "fafd.socket")
    equal(show("fafd.service", "ActiveState"), "inactive", "fafd before the first connection")
    number = fire("sleeper", user="alice")
    equal(show("fafd.service", "ActiveState"), "active", "fafd after the first connection")
    wait_processes(number)

    systemctl("stop", "fafd.service", status=None)
    wait_for(lambda: show("fafd.service", "ActiveState") == "inactive", 20, "fafd is stopped")
    check(str(number) in faf("list", user="alice"), "the run is not listed")
    equal(show("fafd.service", "ActiveState"), "active", "fafd after faf list")

    waiting = [subprocess.Popen(["faf", "wait", str(number)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True),
               subprocess.Popen(["faf", "fire", "slow", "--wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)]
    time.sleep(1.5)
    systemctl("restart", "fafd.service")
    systemctl("kill", "--signal=KILL", "fafd.service")
    wait_for(lambda: show("fafd.service", "SubState") == "running", 30, "fafd is back")
    status = waiting[1].wait(60)
    equal((status, waiting[1].stderr.read() if status != 5 else ""), (5, ""), "faf fire --wait over two restarts")
    faf("kill", number)
    status = waiting[0].wait(60)
    equal((status, waiting[0].stderr.read() if status != 1 else ""), (1, ""), "faf wait over two restarts")
    check("killed" in waiting[0].stdout.read(), "faf wait does not tell the end")

    systemctl("stop", "fafd.socket", "fafd.service")
    done = subprocess.run(["faf", "list"], capture_output=True, text=True, timeout=60)
    equal(done.returncode, 69, f"exit status without a socket ({done.stderr.strip()})")
    check("systemctl start fafd" in done.stderr, f"the remedy: {done.stderr}")
    start()
    equal(wait_end(number)["state"], "killed", "the run afterwards")
    return "started by a connection, twice; waits survive a restart and a SIGKILL; exit status 69 without a socket"


case(body)
