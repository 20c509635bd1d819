"""What a case of the machine needs: start faf, fire, look, fail with a reason."""

import contextlib
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import sys
import time
import traceback

# What is printed leaves line by line: nothing that another thread tells can come in between.
sys.stdout.reconfigure(line_buffering=True)

PHASE = int(os.environ.get("VM_PHASE", "1"))
PATIENCE = int(os.environ.get("VM_PATIENCE", "3"))
NOTES = json.loads(os.environ.get("VM_NOTES", "{}"))
UNITS = pathlib.Path("/etc/faf/units")
SCRIPTS = pathlib.Path("/opt/scripts")
# Where the journal of this case begins: at the last boot if it has restarted the machine.
SINCE = [f"--since=@{time.time():.6f}"] if PHASE == 1 else []
# What systemd says to a fafd that a case has killed.
FAFD_KILLED = [r"fafd\.service: Main process exited, code=killed, status=9/KILL",
               r"fafd\.service: Failed with result 'signal'"]
FINAL = {"succeeded", "failed", "killed", "timed-out", "cancelled", "lost"}


def tell(kind, text=""):
    """A word to the agent that runs the case: one write, for threads may do so at once."""
    os.write(1, f"::{kind} {text}\n".encode())


class Failed(Exception):
    """The case has failed; the text says what was expected and what was seen."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def equal(seen, expected, what):
    check(seen == expected, f"{what}: expected {expected!r}, seen {seen!r}")


def case(body, warnings=()):
    """Runs the case; what it returns is the reason of its PASS. `warnings`: patterns of those that it provokes; any
    other in the journal is a failure."""
    try:
        reason = body() or "as promised"
        check_journal(*warnings)
    except Failed as failure:
        traceback.print_exc()
        show_state()
        tell("reason", str(failure).replace("\n", " | "))
        sys.exit(1)
    except Exception as error:
        traceback.print_exc()
        show_state()
        tell("reason", f"{type(error).__name__}: {error}".replace("\n", " | "))
        sys.exit(1)
    tell("reason", reason)


def skip(reason):
    tell("reason", reason)
    sys.exit(77)


def show_state():
    """What whoever reads of a failure wants to know next."""
    for command in (["systemctl", "--no-pager", "-l", "status", "fafd.service", "fafd.socket", "faf-tasks.service"],
                    ["faf", "list", "--json"],
                    ["journalctl", "--no-pager", "-b", "-n", "60", "-o", "short-monotonic"]):
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        print(f"$ {' '.join(command)}\n{done.stdout[-6000:]}{done.stderr[-1000:]}", flush=True)


# ------------------------------------------------------------------ the host

def note(**values):
    """Tells the host something that the next phase, after a reboot or a power cut, gets in NOTES. Values for one name
    are collected in a list."""
    tell("note", json.dumps(values))


def reboot():
    """The machine restarts in good order; the case runs again with PHASE one higher."""
    sys.exit(78)


def reset():
    """The machine restarts at once; neither systemd nor any process is asked. The case runs again, as after
    `reboot`."""
    subprocess.run(["sync"], check=True)
    tell("reset")
    time.sleep(1)
    pathlib.Path("/proc/sysrq-trigger").write_text("b", encoding="ascii")
    time.sleep(60)
    raise Failed("the machine did not restart")


def cut_power(earliest, latest):
    """Asks the host to cut the power at a random moment between these seconds from now; the caller goes on."""
    tell("cut", json.dumps([earliest, latest]))


# ------------------------------------------------------------------ processes

def run(*command, user=None, status=0, timeout=120, **options):
    """Runs to the end; its output. `status` None: any."""
    if user:
        entry = pwd.getpwnam(user)
        command = ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups", *command)
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **options)
    if status is not None and done.returncode != status:
        raise Failed(f"{' '.join(map(str, command))}: exit status {done.returncode} instead of {status}: "
                     f"{done.stdout.strip()} {done.stderr.strip()}")
    return done.stdout


def systemctl(*arguments, **options):
    return run("systemctl", *arguments, **options)


def show(unit, name):
    return run("systemctl", "show", "--value", "-p", name, unit).strip()


def wait_for(condition, seconds, what):
    """The first true value of `condition`."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def is_alive(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def kill(pid, which=signal.SIGKILL):
    os.kill(pid, which)


def journal(*arguments):
    """What the journal says since the case began."""
    return run("journalctl", "--no-pager", "-q", "-o", "cat", "-b", *SINCE, *arguments, status=None)


def check_journal(*expected):
    """Nobody, neither faf nor systemd, has had anything to complain about but what these patterns match."""
    said = journal("-p", "warning", *(f"_TRANSPORT={name}" for name in ("journal", "syslog", "stdout"))).splitlines()
    said += [line for line in journal("-k").splitlines() if re.search(r"(traps|segfault).*faf", line)]
    said = [line for line in said if not any(re.search(pattern, line) for pattern in expected)]
    check(not said, f"the journal complains: {said}")


def main_pid(unit="fafd.service"):
    return int(show(unit, "MainPID"))


# ------------------------------------------------------------------ faf

def script(name, text):
    SCRIPTS.mkdir(mode=0o755, exist_ok=True)
    path = SCRIPTS / name
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)
    return path


def unit(name, *lines):
    UNITS.mkdir(mode=0o755, parents=True, exist_ok=True)
    path = UNITS / f"{name}.task"
    path.write_text("\n".join(("[Task]", *lines)) + "\n", encoding="utf-8")
    path.chmod(0o644)
    return path


def task(name, text, *lines):
    """A script with its unit."""
    path = script(name, text)
    return unit(name, f"ExecStart={path}", *lines)


def start():
    """fafd as it is installed, with the units that are there now."""
    systemctl("start", "fafd.service")


def faf(*arguments, **options):
    return run("faf", *arguments, **options)


def fire(name, *parameters, user=None):
    return int(faf("fire", name, *parameters, user=user).split()[0])


def show_run(number):
    return json.loads(faf("show", "--json", number))


def state(number):
    return show_run(number)["state"]


def wait_end(number, seconds=60):
    wait_for(lambda: state(number) in FINAL, seconds, f"run {number} is over")
    return show_run(number)


def attempt_cgroup(number, attempt=1):
    return tasks_cgroup() / "t" / f"{number}.{attempt}"


def tasks_cgroup():
    return pathlib.Path(pathlib.Path("/run/faf/tasks").read_text(encoding="utf-8").strip())


def processes(cgroup):
    with contextlib.suppress(FileNotFoundError):
        return [int(line) for line in (cgroup / "cgroup.procs").read_text(encoding="ascii").split()]
    return []


def wait_status(number, text, seconds=60):
    """The task has said how far it is."""
    wait_for(lambda: show_run(number).get("status") == text, seconds, f"the status of run {number} is {text!r}")


def connections():
    """How many clients fafd has."""
    lines = [line.split() for line in pathlib.Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()]
    return sum(line[5] == "03" and line[7:] == ["/run/faf/fafd.sock"] for line in lines)


def wait_processes(number, seconds=30):
    """The pids of the run's processes, as soon as there are any."""
    return wait_for(lambda: processes(attempt_cgroup(number)), seconds, f"run {number} has processes")
