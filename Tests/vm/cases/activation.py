"""fafd is stopped: the next connection starts it; without its socket the CLI says so; waits go on over a restart"""

import pathlib
import subprocess

from vm import (FAFD_KILLED, case, check, connections, equal, faf, fire, main_pid, show, start, systemctl, task,
                wait_end, wait_for, wait_processes)


def body():
    task("sleeper", "exec sleep 1000", "User=alice")
    place = pathlib.Path("/var/tmp/case")
    place.mkdir(mode=0o755, exist_ok=True)
    task("slow", f"while test ! -e {place}/go; do sleep 0.1; done; exit 5", "User=alice")
    systemctl("start", "fafd.socket")
    equal(show("fafd.service", "ActiveState"), "inactive", "fafd before the first connection")
    number = fire("sleeper", user="alice")
    equal(show("fafd.service", "ActiveState"), "active", "fafd after the first connection")
    wait_processes(number)

    systemctl("stop", "fafd.service", status=None)
    wait_for(lambda: show("fafd.service", "ActiveState") == "inactive", 20, "fafd is stopped")
    check(str(number) in faf("list", user="alice"), "the run is not listed")
    equal(show("fafd.service", "ActiveState"), "active", "fafd after faf list")

    waiting = [subprocess.Popen(["faf", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for arguments in (["wait", str(number)], ["fire", "slow", "--wait"])]
    wait_for(lambda: connections() == 2, 20, "both wait")
    systemctl("restart", "fafd.service")
    wait_for(lambda: connections() == 2, 60, "both wait again after the restart")
    before = main_pid()
    systemctl("kill", "--signal=KILL", "fafd.service")
    wait_for(lambda: main_pid() not in (0, before) and connections() == 2, 60, "both wait again after the SIGKILL")
    (place / "go").touch()
    status = waiting[1].wait(60)
    equal(status, 5, f"faf fire --wait over two restarts ({waiting[1].stderr.read()})")
    faf("kill", number)
    status = waiting[0].wait(60)
    equal(status, 1, f"faf wait over two restarts ({waiting[0].stderr.read()})")
    check("killed" in waiting[0].stdout.read(), "faf wait does not tell the end")

    systemctl("stop", "fafd.socket", "fafd.service")
    done = subprocess.run(["faf", "list"], capture_output=True, text=True, timeout=60)
    equal(done.returncode, 69, f"exit status without a socket ({done.stderr.strip()})")
    check("systemctl start fafd" in done.stderr, f"the remedy: {done.stderr}")
    start()
    equal(wait_end(number)["state"], "killed", "the run afterwards")
    return "started by a connection, twice; waits survive a restart and a SIGKILL; exit status 69 without a socket"


case(body, warnings=FAFD_KILLED)
