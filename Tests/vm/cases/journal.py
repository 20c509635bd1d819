"""a task's output and fafd's words in the journal, for journalctl and for faf logs; journald restarted and killed meanwhile"""
# timeout: 600

import json
import pathlib
import pwd
import re
import signal
import subprocess
import time

from vm import (case, check, equal, faf, fire, kill, main_pid, run, show_run, start, systemctl, task, wait_end, wait_for)

PLACE = pathlib.Path("/var/tmp/case")
MARK = re.compile(r"run \d+, attempt \d+, invocation [0-9a-f]{32}")
JOURNALD = "systemd-journald.service"
# Where journald waits for what comes: epoll_wait, epoll_pwait, epoll_pwait2 of x86-64.
IDLE = {"232", "281", "441"}

# By the shell itself, and by a process that is gone at once.
COUNT = """
n=0
while test ! -e /var/tmp/case/finish; do
    n=$((n + 1)); echo "$n shell"; /bin/echo "$n echo"; sleep 0.1
done
"""


def lines(*arguments):
    """Of the journal, without the marks, after a look at whether there are any."""
    run("journalctl", "--sync")
    found = run("journalctl", "--no-pager", "-b", "-o", "cat", *arguments, status=None).splitlines()
    return [line for line in found if not MARK.fullmatch(line)]


def logs(number, *arguments, user="alice"):
    return faf("logs", number, *arguments, user=user).splitlines()


def idle_journald():
    """Its pid, while it is stopped with nothing in its hands: what it has taken from a stream would be gone with it."""
    while True:
        pid = main_pid(JOURNALD)
        if pid:
            kill(pid, signal.SIGSTOP)
            wait_for(lambda: pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", 20, "it stops")
            if pathlib.Path(f"/proc/{pid}/syscall").read_text().split()[0] in IDLE:
                return pid
            kill(pid, signal.SIGCONT)
        time.sleep(0.01)


def look_at_the_entries(number):
    shown = run("journalctl", "--no-pager", "-b", f"FAF_RUN={number}", "-o", "verbose")
    invocation = show_run(number)["attempts"][0]["invocationId"]
    for field in ("MESSAGE_ID=299d75f803394d6ab5ec01309beddca6", "MESSAGE_ID=b0fa15e9631147c2985b739f84d0d36d",
                  "FAF_TASK=count", "FAF_STATE=starting", "FAF_STATE=succeeded", "FAF_UID=2001", "FAF_FIRED_BY=2001",
                  "FAF_ATTEMPT=1", f"INVOCATION_ID={invocation}", "_SYSTEMD_UNIT=fafd.service"):
        check(re.search(f"^ +{re.escape(field)}$", shown, re.MULTILINE), f"FAF_RUN={number} -o verbose lacks {field}: {shown}")
    explained = run("journalctl", "--no-pager", "-b", "-x", f"FAF_RUN={number}")
    for text in (f"Subject: Run {number} of task count has been fired", "The user with uid 2001 has fired the task count.",
                 f"Subject: Run {number} of task count has succeeded", "is over, and nothing of it is left"):
        check(text in explained, f"journalctl -x lacks {text!r}: {explained}")


def disturb(number):
    """journald is restarted, killed and stopped under the task; fafd answers all the time."""
    fafd = main_pid()
    for way in ("restart", "kill", "stop") * 2:
        before = len(logs(number))
        pid = main_pid(JOURNALD)
        if way == "restart":
            systemctl("restart", JOURNALD)
        else:
            pid = idle_journald()
            # More than fafd says is kept for journald, and nobody waits.
            for _ in range(5):
                equal(wait_end(fire("quick", user="alice"))["state"], "succeeded", "a run while journald is stopped")
            kill(pid, signal.SIGKILL if way == "kill" else signal.SIGCONT)
        if way != "stop":
            wait_for(lambda: main_pid(JOURNALD) not in (0, pid), 60, f"journald is back after {way}")
        wait_for(lambda: len(logs(number)) > before, 60, f"lines after {way}")
    equal(main_pid(), fafd, "fafd's pid")


def unlimited(number):
    """The limit for lines is that of faf-tasks.service, which has none, also for writers that journald cannot look at."""
    settings = pathlib.Path("/run/systemd/journald.conf.d/case.conf")
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("[Journal]\nRateLimitIntervalSec=1h\nRateLimitBurst=20\n", encoding="utf-8")
    systemctl("restart", JOURNALD)
    task("many", "for i in $(seq 200); do /bin/echo $i; done", "User=alice", "AllowUsers=alice")
    faf("reload")
    pid = idle_journald()
    number = fire("many", user="alice")
    wait_end(number)
    kill(pid, signal.SIGCONT)
    expected = [str(i) for i in range(1, 201)]
    equal(logs(number), expected, "faf logs of writers that are gone")
    equal(lines("-u", "faf-tasks", "SYSLOG_IDENTIFIER=many"), expected, "journalctl -u faf-tasks of the same")
    gone = [entry for entry in map(json.loads, run(
        "journalctl", "--no-pager", "-b", "-o", "json", "SYSLOG_IDENTIFIER=many").splitlines()) if "_SYSTEMD_CGROUP" not in entry]
    check(len(gone) > 190, f"journald could look at {201 - len(gone)} of 201 writers")
    settings.unlink()
    systemctl("restart", JOURNALD)


def last_lines():
    """Each attempt keeps its own, also those of writers that journald could not look at, and after the journal is gone."""
    task("tries", "for i in $(seq 12); do /bin/echo $FAF_ATTEMPT.$i; done; printf rest; exit 3", "User=alice", "AllowUsers=alice",
         "Retry=on-failure", "RetryLimit=1", "RetrySec=0")
    faf("reload")
    number = fire("tries", user="alice")
    wait_end(number)

    def kept():
        return [attempt.get("output", {}).get("lines") for attempt in show_run(number)["attempts"]]

    expected = [[f"{attempt}.{i}" for i in range(4, 13)] + ["rest"] for attempt in (1, 2)]
    wait_for(lambda: None not in kept(), 60, "the last lines are kept")
    equal(kept(), expected, "the last lines of both attempts")
    check("  wrote: 2.4\n" in faf("explain", number, user="alice"), f"faf explain lacks them: {faf('explain', number)}")
    run("journalctl", "--rotate")
    run("journalctl", "--vacuum-time=1us")
    equal(logs(number), [], "what the journal has after it was emptied")
    equal(kept(), expected, "the last lines after the journal was emptied")


def body():
    PLACE.mkdir(mode=0o755, exist_ok=True)
    task("count", COUNT, "User=alice", "AllowUsers=alice")
    task("quick", "/bin/echo $FAF_RUN", "User=alice", "AllowUsers=alice")
    start()
    run("journalctl", "--update-catalog")
    check("systemd-journal" not in run("id", "-nG", "alice").split(), "alice may read the journal")
    equal(run("journalctl", "--no-pager", "-b", "-q", "SYSLOG_IDENTIFIER=count", user="alice", status=None), "",
          "journalctl as alice")
    alice = pwd.getpwnam("alice")
    number = fire("count", user="alice")
    wait_for(lambda: len(logs(number)) > 10, 60, "lines")
    following = subprocess.Popen(["faf", "logs", str(number), "-f"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True, user=alice.pw_uid, group=alice.pw_gid, extra_groups=[])
    refused = subprocess.run(["setpriv", "--reuid=2002", "--regid=2002", "--clear-groups", "faf", "logs", str(number)],
                             capture_output=True, text=True, check=False)
    equal((refused.returncode, refused.stdout), (77, ""), f"faf logs as bob ({refused.stderr.strip()})")
    disturb(number)
    (PLACE / "finish").touch()
    equal(wait_end(number)["state"], "succeeded", "the end")

    told, errors = following.communicate(timeout=60)
    equal((following.returncode, errors), (0, ""), "faf logs -f as alice")
    last = len(told.splitlines()) // 2
    expected = [f"{n} {who}" for n in range(1, last + 1) for who in ("shell", "echo")]
    equal(told.splitlines(), expected, "what alice has followed")
    equal(lines("-u", "faf-tasks", "SYSLOG_IDENTIFIER=count"), expected, "journalctl -u faf-tasks")
    equal(logs(number), expected, "faf logs afterwards")
    equal(logs("count", "-n", "7"), expected[-7:], "faf logs count -n 7")
    quick = lines("-u", "faf-tasks", "SYSLOG_IDENTIFIER=quick")
    equal(logs("quick"), quick, "faf logs quick")
    equal(len(set(quick)), 20, "runs of quick with their line")
    look_at_the_entries(number)
    unlimited(number)
    last_lines()
    # Those of a machine that begins with 1 again are others.
    systemctl("stop", "fafd.service", "fafd.socket")
    for name in ("faf.db", "faf.db-wal", "faf.db-shm", "next"):
        pathlib.Path("/var/lib/faf", name).unlink(missing_ok=True)
    start()
    again = fire("quick", user="alice")
    wait_end(again)
    equal((again, logs(again)), (1, ["1"]), "run 1 of a new installation")
    entries = len(expected)
    return f"{entries} lines over 2 restarts, 2 SIGKILLs and 2 stops of journald, none missing; 200 of 200 beyond its limit"


case(body, warnings=[r"systemd-journald\.service: Main process exited, code=killed, status=9/KILL",
                     r"systemd-journald\.service: Failed with result 'signal'"])
