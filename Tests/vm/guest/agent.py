"""Runs inside the machine: takes cases from the second serial line, one after another, and reports on it.

To the host: hello, next, begin, log, note, cut, reset, reboot, verdict. Its answers to next: {"name", "timeout", "boot",
"phase", "notes", "environment"} for a case, null when there is none left.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
import tty

HERE = pathlib.Path(__file__).resolve().parent
PASSED, SKIPPED, ENDED_BY_HOST = 0, 77, 78


class Line:
    def __init__(self):
        self.fd = os.open("/dev/ttyS1", os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd, termios.TCSANOW)
        self.lock = threading.Lock()
        self.file = os.fdopen(os.dup(self.fd), "rb", buffering=0)

    def say(self, **message):
        data = json.dumps(message).encode() + b"\n"
        with self.lock:
            while data:
                data = data[os.write(self.fd, data):]

    def hear(self):
        return json.loads(self.file.readline())

    def stay_in_touch(self):
        """So that the host can tell a case that takes its time from a machine that hangs."""
        while True:
            time.sleep(15)
            self.say(alive=True)


def quiet(*command):
    subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def clean_up():
    """What a case leaves must not decide the next one."""
    quiet("systemctl", "stop", "fafd.socket", "fafd.service")
    quiet("systemctl", "kill", "--signal=KILL", "faf-tasks.service")
    quiet("systemctl", "stop", "faf-tasks.service")
    for directory in ("/etc/faf/units", "/run/faf", "/var/lib/faf", "/var/log/faf", "/var/tmp/case"):
        shutil.rmtree(directory, ignore_errors=True)
    # systemd takes seconds to read everything again: only if there is something to forget.
    if any(pathlib.Path("/etc/systemd/system").glob("*.wants/fafd.*")):
        quiet("systemctl", "disable", "fafd.service", "fafd.socket")
    changed = [path for place in ("/etc/systemd/system", "/run/systemd/system", "/run/systemd/system.control")
               for path in pathlib.Path(place).glob("faf*.d")]
    for path in changed:
        shutil.rmtree(path)
    if changed:
        quiet("systemctl", "daemon-reload")
    quiet("systemctl", "reset-failed")
    quiet("systemd-tmpfiles", "--create")


def run_case(line, job):
    name = job["name"]
    line.say(begin=name)
    began = time.monotonic()
    environment = {**os.environ, **job["environment"], "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1",
                   "VM_PHASE": str(job["phase"]), "VM_NOTES": json.dumps(job["notes"])}
    process = subprocess.Popen([sys.executable, HERE / "cases" / f"{name}.py"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               env=environment, cwd="/var/tmp", start_new_session=True)
    is_late = threading.Event()

    def stop():
        is_late.set()
        # With whatever it has started and holds its output open.
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(job["timeout"], stop)
    # If the agent fails it is gone, and the host soon knows: no clock of a case keeps it.
    timer.daemon = True
    timer.start()
    reason = "no reason given"
    for text in process.stdout:
        text = text.rstrip("\n")
        kind, _, value = text.partition(" ")
        if kind == "::note":
            line.say(note=json.loads(value))
        elif kind == "::cut":
            line.say(cut=json.loads(value))
        elif kind == "::reset":
            line.say(reset=True)
        elif kind == "::reason":
            reason = value
        else:
            line.say(log=text)
    status = process.wait()
    timer.cancel()
    if status == ENDED_BY_HOST:
        # It goes on after the next boot: the machine restarts by itself, or its power is about to be cut.
        line.say(reboot=name)
        return False
    if is_late.is_set():
        reason = f"it took longer than {job['timeout']} s"
    verdict = {PASSED: "PASS", SKIPPED: "SKIP"}.get(status, "FAIL")
    line.say(verdict=verdict, case=name, reason=reason, seconds=round(time.monotonic() - began, 1))
    return True


def main():
    line = Line()
    uptime = float(pathlib.Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    line.say(hello=round(uptime, 1))
    threading.Thread(target=line.stay_in_touch, daemon=True).start()
    is_new = True
    while True:
        line.say(next=True)
        job = line.hear()
        if job is None:
            break
        if job["phase"] == 1 and not (is_new and job["boot"] == 1):
            clean_up()
        is_new = False
        if not run_case(line, job):
            subprocess.Popen(["systemctl", "reboot"])
            return
    subprocess.Popen(["systemctl", "poweroff"])


main()
