"""Threat model, section F: notify."""

import os
import signal
import socket
import stat
import time

import pytest
import system
from harness import ALICE, BOB, for_each
from system import wait_for
from wire import as_ids

needs_systemd_notify = pytest.mark.skipif(not system.has("systemd-notify"), reason="needs systemd-notify(1)")


@pytest.fixture
def puppet(faf):
    faf.puppet_unit()
    return faf.puppet()


def notify_path(faf, number):
    return f"{faf.runtime}/notify/{faf.attempt(number)['invocationId']}"


@needs_systemd_notify
def test_f1_systemd_notify_two_hundred_times(faf):
    """F1: helpers that are gone before anybody looks at them count; the last status is shown."""
    faf.task(
        "t",
        """
i=0
while [ $i -lt 200 ]; do i=$((i+1)); systemd-notify --status="step $i"; done
exec sleep 300""",
        TimeoutStopSec="1s",
    )
    run = faf.fire("t")
    wait_for(lambda: faf.run(run).get("status") == "step 200", 60, lambda: faf.run(run).get("status"))


@needs_systemd_notify
@pytest.mark.root
def test_f1_systemd_notify_of_a_plain_user(faf):
    """F1: the same as alice, whose helper is a child of the script."""
    faf.task("t", "systemd-notify --status=hello\nexec sleep 300", TimeoutStopSec="1s", User=ALICE, Group=ALICE)
    run = faf.fire("t")
    wait_for(lambda: faf.run(run).get("status") == "hello", 10)


def test_f1_one_datagram_and_gone(faf):
    """F1: a script that sends one datagram and exits at once: the status is there."""
    script = """#!/usr/bin/python3
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"STATUS=last words\\nX_FAF_PROGRESS=3/5\\nX_FAF_RESULT=42", os.environ["NOTIFY_SOCKET"])
os._exit(0)
"""
    faf.task("t", script)
    for _ in range(10):
        run = faf.ends(faf.fire("t"), "succeeded")
        assert run["status"] == "last words"
        assert run["progress"] == {"done": 3, "total": 5}
        assert run["result"] == "42"


@pytest.mark.root
def test_f1_directory_and_socket_have_the_right_modes(faf):
    """F1: the directory 0711 of root, the socket 0600 of the run's uid."""
    faf.puppet_unit(User=ALICE, Group=ALICE)
    puppet = faf.puppet()
    place = os.stat(faf.runtime + "/notify")
    assert (place.st_uid, stat.S_IMODE(place.st_mode)) == (0, 0o711)
    path = puppet("result = os.environ['NOTIFY_SOCKET']")
    assert os.path.dirname(path) == faf.runtime + "/notify"
    found = os.stat(path)
    assert stat.S_ISSOCK(found.st_mode)
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (ALICE, 0o600)
    puppet.notify("STATUS=mine")
    assert faf.run(puppet.run)["status"] == "mine"


@pytest.mark.root
def test_f1_others_cannot_send(faf):
    """F1: bob cannot write to alice's socket; another run of alice's, which can, is not believed."""
    faf.puppet_unit(User=ALICE, Group=ALICE)
    first, second = faf.puppet(), faf.puppet()
    path = first("result = os.environ['NOTIFY_SOCKET']")

    def send():
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"STATUS=forged", path)

    with pytest.raises(PermissionError):
        as_ids(BOB, BOB, [], send)
    if faf.cgroup:
        second(f"notify('STATUS=forged', path={path!r})")
    first.notify("X_FAF_PROGRESS=1/2")
    assert faf.run(first.run)["progress"] == {"done": 1, "total": 2}
    assert faf.run(first.run).get("status") is None


def test_f1_access_none_gives_no_socket(faf):
    """F1: NotifyAccess=none: nothing to send to."""
    faf.puppet_unit(NotifyAccess="none")
    puppet = faf.puppet()
    assert puppet("result = os.environ.get('NOTIFY_SOCKET')") is None


CHILD_SENDS = """
import subprocess
subprocess.run([sys.executable, "-c", "import os,socket,time; s=socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
    "s.sendto({text!r}, os.environ['NOTIFY_SOCKET']); time.sleep(0.3)"], check=True)
"""


@pytest.mark.parametrize("access,counts", [("main", False), ("exec", False), ("all", True)])
def test_f1_access_decides_whose_messages_count(faf, access, counts):
    """F1: main and exec: the main process; all: every process of the attempt."""
    faf.puppet_unit(NotifyAccess=access)
    puppet = faf.puppet()
    puppet.notify("STATUS=of main")
    assert faf.run(puppet.run)["status"] == "of main"
    puppet(CHILD_SENDS.format(text=b"STATUS=of a child"))
    puppet.notify("X_FAF_PROGRESS=1/1")
    assert faf.run(puppet.run)["status"] == ("of a child" if counts else "of main")


def test_f1_type_notify_runs_once_ready(faf):
    """Type=notify: `starting` until READY=1; an exit before it is `protocol`."""
    faf.puppet_unit(Type="notify", TimeoutStartSec="30s")
    puppet = faf.puppet()
    assert faf.run(puppet.run)["state"] == "starting"
    puppet.notify("READY=1")
    faf.wait_state(puppet.run, "running", timeout=5)
    faf.task("t", "exit 0", Type="notify")
    faf.ends(faf.fire("t"), "failed", "protocol", 0)


def test_f1_stopping_is_a_state(faf, puppet):
    """STOPPING=1: `stopping` at once, no TERM; the end by itself is judged as usual."""
    puppet.notify("STOPPING=1\nSTATUS=bye")
    run = faf.wait_state(puppet.run, "stopping", timeout=5)
    assert run["status"] == "bye"
    puppet.tell("os._exit(0)")
    faf.ends(puppet.run, "succeeded")


def test_f1_stopping_has_the_stop_timeout(faf):
    """STOPPING=1 and then nothing: SIGKILL after TimeoutStopSec=."""
    faf.puppet_unit(TimeoutStopSec="1s")
    puppet = faf.puppet()
    puppet.notify("STOPPING=1")
    run = faf.ends(puppet.run, "timed-out", "timeout", timeout=8)
    assert run["attempts"][-1]["signal"] == "SIGKILL"


# ---------------------------------------------------------------- F2


def unchanged_by(faf, puppet, *datagrams):
    """None of these changes the status that stands, and the socket still works afterwards."""
    puppet.notify("STATUS=before")
    for data in datagrams:
        puppet.notify(data)
        assert faf.run(puppet.run)["status"] == "before", data[:40]
    puppet.notify("STATUS=after")
    assert faf.run(puppet.run)["status"] == "after"


def test_f2_a_datagram_over_4096_bytes_is_dropped(faf, puppet):
    """F2: ≤ 4096 bytes; exactly 4096 is taken whole."""
    unchanged_by(faf, puppet, b"STATUS=" + b"x" * 4090, b"STATUS=" + b"x" * 60000, b"STATUS=small\n" + b"x" * 4090)
    whole = "y" * (4096 - len("STATUS="))
    puppet.notify("STATUS=" + whole)
    assert faf.run(puppet.run)["status"] == whole


def test_f2_an_inner_nul_drops_the_datagram(faf, puppet):
    """F2: no inner NUL; one at the very end is tolerated."""
    unchanged_by(faf, puppet, b"STATUS=a\0b", b"\0STATUS=a", b"STATUS=a\0\nREADY=1")
    puppet.notify(b"STATUS=with an end\0")
    assert faf.run(puppet.run)["status"] == "with an end"


def test_f2_empty_datagrams_are_survived(faf, puppet):
    """F2: systemd CVE-2016-7795."""
    unchanged_by(faf, puppet, b"", b"\n", b"=", b"\n\n\n")


def test_f2_what_is_no_utf8_is_ignored(faf, puppet):
    """F2: a status is UTF-8."""
    unchanged_by(faf, puppet, b"STATUS=\xff\xfe", b"STATUS=\xed\xa0\x80", b"STATUS=\xc0\x80")


def test_f2_only_exact_lines_count(faf, puppet):
    """conformance.md: exact lines; the first of equal keys; unknown keys, and bad values, drop only their line."""
    unchanged_by(faf, puppet, "STATUS", " STATUS=x", "status=x", "STATUS =x", "XSTATUS=x", "X_FAF_PROGRESS=5")
    puppet.notify("NONSENSE\nFDSTORE=1\nX_FAF_PROGRESS=x/y\nERRNO=abc\nSTATUS=first\nSTATUS=second\nX_OTHER=1")
    run = faf.run(puppet.run)
    assert run["status"] == "first" and run.get("progress") is None
    puppet.notify("STATUS=")
    assert not faf.run(puppet.run).get("status"), "an empty status clears it"


def test_f2_a_bad_progress_is_ignored(faf, puppet):
    """F2: progress is done/total, two numbers."""
    puppet.notify("X_FAF_PROGRESS=2/7")

    def check(text):
        puppet.notify("X_FAF_PROGRESS=" + text)
        assert faf.run(puppet.run)["progress"] == {"done": 2, "total": 7}

    for_each(
        ["-1/5", "1/-5", "1/2/3", "1", "1/", "/5", "a/b", "1.5/2", "99999999999999999999/5", "+1/2", " 1/2", "1/2 "],
        check,
    )


def test_f2_descriptors_are_closed(faf, puppet):
    """F2: floods of descriptors, with good and with dropped messages: the shim keeps none."""
    shim = faf.shim_pid(puppet.run)
    before = len(system.descriptors(shim))
    puppet("""
null = os.open("/dev/null", os.O_RDONLY)
several = (b"STATUS=many", b"", b"STATUS=a\\0b", b"x" * 5000, b"FDSTORE=1\\nFDNAME=x", b"BARRIER=1\\nSTATUS=x")
for text in several:
    for count in (1, 5, 253):
        while True:
            try:
                notify(text, [null] * count)
                break
            except OSError as error:
                # Without privileges only so many may be under way: until the shim has taken some.
                if error.errno != 109:  # ETOOMANYREFS
                    raise
                time.sleep(0.002)
os.close(null)
""")
    puppet.notify("STATUS=done")
    assert faf.run(puppet.run)["status"] == "done"
    wait_for(lambda: len(system.descriptors(shim)) == before, 5, lambda: system.descriptors(shim))


def test_f2_a_barrier_is_answered_after_what_came_before(faf, puppet):
    """F2: BARRIER closes its one descriptor once all before it is in the record."""
    for number in range(50):
        puppet(f"notify('STATUS={number}'); result = barrier()")
        assert faf.run(puppet.run)["status"] == str(number)


def test_f2_a_malformed_barrier_is_closed_too(faf, puppet):
    """conformance.md: with other lines, or more descriptors: closed all the same."""
    for text, count in (("BARRIER=1\nSTATUS=x", 1), ("BARRIER=1", 3), ("STATUS=x\nBARRIER=1", 1), ("BARRIER=2", 1)):
        assert puppet(f"""
import select
reader, writer = os.pipe()
notify({text!r}, [writer] * {count})
os.close(writer)
result = bool(select.select([reader], [], [], 5)[0]) and os.read(reader, 1) == b""
os.close(reader)
"""), text


def test_f2_a_flood_is_survived(faf, puppet):
    """F2: 20 000 messages; the last status is shown, and the shim stays small."""
    shim = faf.shim_pid(puppet.run)
    puppet("""
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
    sender.connect(os.environ["NOTIFY_SOCKET"])
    for number in range(20000):
        sender.send(b"STATUS=" + str(number).encode())
result = barrier()
""")
    assert faf.run(puppet.run)["status"] == "19999"
    assert int(system.status_field(shim, "VmRSS").split()[0]) < 4096


# ---------------------------------------------------------------- F3


def test_f3_a_foreign_main_pid_is_ignored(faf, puppet):
    """F3: MAINPID=1, the shim's, fafd's and nonsense change nothing: the script's end is the run's."""
    main, shim = faf.main_pid(puppet.run), faf.shim_pid(puppet.run)
    innocent = faf.helper("sleep", "300")
    for pid in (1, 0, -1, shim, faf.pid, innocent.pid, 2**31, 4194304, "x"):
        puppet.notify(f"MAINPID={pid}")
        assert faf.attempt(puppet.run)["mainPid"] == main, pid
    puppet.tell("os._exit(5)")
    faf.ends(puppet.run, "failed", "exit-code", 5)
    assert innocent.poll() is None


@pytest.mark.cgroup
def test_f3_a_main_pid_of_the_attempt_is_followed(faf, puppet):
    """F3: a process of the attempt becomes the main one; the run goes on when the script leaves."""
    child = puppet("""
import subprocess
child = subprocess.Popen(["sleep", "300"])
notify("MAINPID=%d" % child.pid)
barrier()
result = child.pid
""")
    wait_for(lambda: faf.attempt(puppet.run)["mainPid"] == child, 5)
    puppet.tell("os._exit(0)")
    time.sleep(0.3)  # long enough for a wrong end
    assert faf.run(puppet.run)["state"] == "running" and system.is_running(child)
    os.kill(child, signal.SIGTERM)
    run = faf.wait(puppet.run)
    # The subreaper inherits it, so its status is known; otherwise it is said to be unknown, and never made up.
    attempt = run["attempts"][-1]
    assert (run["state"], attempt.get("signal")) in (("failed", "SIGTERM"), ("lost", None)), run


# ---------------------------------------------------------------- F4


def test_f4_a_long_status_survives_a_crash_byte_for_byte(faf, puppet):
    """F4: 4000 bytes of STATUS, kill -9 fafd: the same 4000 bytes."""
    text = ("aä☃𝄞 \t\"\\{}[]=,:'$%\x01\x1b[31m" * 200).encode()[:4000].decode(errors="ignore")
    puppet.notify("STATUS=" + text + "\nX_FAF_PROGRESS=1/3")
    faf.restart()
    run = faf.run(puppet.run)
    assert run["status"] == text
    assert run["progress"] == {"done": 1, "total": 3} and run["state"] == "running"
    assert run.get("result") is None


def test_f4_a_status_cannot_become_another_field(faf, puppet):
    """F4: systemd CVE-2018-15686: what looks like a record, a row or a line stays a status."""
    text = 'x\\nREADY=1\x0bMAINPID=1\u2028state=failed", "state": "failed'
    puppet.notify("STATUS=" + text)
    faf.restart()
    run = faf.run(puppet.run)
    assert run["status"] == text and run["state"] == "running"
    puppet.tell("os._exit(0)")
    run = faf.ends(puppet.run, "succeeded")
    assert run["status"] == text
    faf.restart()
    assert faf.run(puppet.run)["status"] == text, "and in the store"


def test_f4_output_for_terminals_escapes_control_characters(faf, puppet):
    """F4: no control character of a status, a parameter or a result reaches a terminal."""
    evil = "\x1b]0;owned\x07\x1b[31mred\x08\x9b31m"
    puppet.notify("STATUS=" + evil + "\nX_FAF_RESULT=" + evil)
    second = faf.fire("puppet", "--name=" + evil)
    for arguments in (("status",), ("list",), ("status", puppet.run), ("show", puppet.run), ("show", second), ()):
        text = faf.faf(*map(str, arguments), check=0, environment={"COLUMNS": "200"}).stdout
        assert not [one for one in text if (ord(one) < 32 and one not in "\n\t") or 0x7F <= ord(one) < 0xA0], repr(text)
    assert faf.json("show", str(puppet.run))["status"] == evil


# ---------------------------------------------------------------- F5


@pytest.mark.strace
@pytest.mark.root
def test_f5_a_slow_disk_does_not_stop_the_task(faf, puppet):
    """F5: with fsync of the shim delayed by 3 s, notify with barrier answers in < 100 ms (and a margin for strace)."""
    shim = faf.shim_pid(puppet.run)
    with system.Strace(shim, "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:delay_exit=3000000"):
        worst = puppet("""
worst = 0
for number in range(20):
    began = time.monotonic()
    notify("STATUS=%d\\nX_FAF_PROGRESS=%d/20" % (number, number))
    barrier()
    worst = max(worst, time.monotonic() - began)
result = worst
""")
    assert worst < 0.1
    assert faf.run(puppet.run)["status"] == "19"


def test_f5_a_dead_fafd_does_not_stop_the_task(faf, puppet):
    """F5: with fafd stopped, then killed, statuses are taken; they are there when it is back."""
    faf.pause()
    assert (
        puppet(
            "began = time.monotonic(); notify('STATUS=while stopped'); barrier(); " "result = time.monotonic() - began"
        )
        < 0.5
    )
    faf.go_on()
    wait_for(lambda: faf.run(puppet.run)["status"] == "while stopped", 5)
    faf.kill9()
    assert (
        puppet("began = time.monotonic(); notify('STATUS=while dead'); barrier(); " "result = time.monotonic() - began")
        < 0.5
    )
    faf.start()
    assert faf.run(puppet.run)["status"] == "while dead"


def test_f5_a_fast_talker_is_throttled_and_the_last_status_stays(faf, puppet):
    """Design 3: at most 20 status writes a second, the last one always."""
    puppet("""
for number in range(2000):
    notify("STATUS=%d" % number)
""")
    wait_for(lambda: faf.run(puppet.run)["status"] == "1999", 5)
