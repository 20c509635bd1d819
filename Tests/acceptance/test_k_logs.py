"""threat-model.md, section K, and design.md 8: where output goes, and how it is found again."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import threading
import time

import pytest
import system
from harness import ALICE, BOB
from system import wait_for


class FakeJournald:
    """Listens as journald does, and keeps what it is told: one entry for each stream."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(directory + "/stdout")
        os.chmod(directory + "/stdout", 0o666)
        self.listener.listen(1)
        self.streams = []

    def serve(self):
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            stream = {"data": b"", "over": False, "peer": struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))}
            self.streams.append(stream)
            threading.Thread(target=self._read, args=(connection, stream), daemon=True).start()

    @staticmethod
    def _read(connection, stream):
        while data := connection.recv(65536):
            stream["data"] += data
        stream["over"] = True

    def close(self):
        self.listener.close()


@pytest.fixture
def fake_journald(stopped_faf):
    fake = FakeJournald(stopped_faf.base + "/journal")
    yield fake
    fake.close()


def start_with(faf, fake):
    faf.start("--journal-directory", fake.directory)


def mark(faf, run, attempt=1):
    return f"run {run}, attempt {attempt}, invocation {faf.run(run)['attempts'][attempt - 1]['invocationId']}"


def test_journal_stream(stopped_faf, fake_journald):
    """the shim connects, with the header that systemd sends, the unit of all tasks, and a mark that names the attempt"""
    faf = stopped_faf
    fake_journald.serve()
    start_with(faf, fake_journald)
    user = {"User": ALICE} if faf.root else {}
    faf.task("count", 'echo out; echo err >&2; echo $$ > "$OUT/pid"; sleep 0.3\n', StandardOutput="journal",
             Environment=f"OUT={faf.out}", **user)
    run = faf.fire("count")
    faf.ends(run, "succeeded")
    wait_for(lambda: fake_journald.streams and fake_journald.streams[0]["over"], 5, "the stream is over")
    (stream,) = fake_journald.streams
    unit = "faf-tasks.service" if faf.root else ""
    assert stream["data"] == f"count\n{unit}\n30\n1\n0\n0\n0\n{mark(faf, run)}\nout\nerr\n".encode()
    assert stream["peer"][0] != int(system.read(faf.output("pid")))
    assert not os.path.exists(f"{faf.logs}/{run}.log")


def test_journal_settings(stopped_faf, fake_journald):
    """SyslogIdentifier=, SyslogLevelPrefix=, and standard error on a stream of its own"""
    faf = stopped_faf
    fake_journald.serve()
    start_with(faf, fake_journald)
    faf.task("t", "echo out; echo err >&2\n", StandardOutput="null", StandardError="journal",
             SyslogIdentifier="mine-%p", SyslogLevelPrefix="no")
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    wait_for(lambda: fake_journald.streams and fake_journald.streams[0]["over"], 5, "the stream is over")
    unit = "faf-tasks.service" if faf.root else ""
    expected = f"mine-t\n{unit}\n30\n0\n0\n0\n0\n{mark(faf, run)}\nerr\n".encode()
    assert [stream["data"] for stream in fake_journald.streams] == [expected]


def test_no_journal(stopped_faf):
    """a script whose output cannot go to the journal does not run, and its run says which step failed"""
    faf = stopped_faf
    faf.start("--journal-directory", faf.base + "/nothing")
    faf.unit("t", ExecStart=faf.marker(), StandardOutput="journal")
    run = faf.fire("t")
    reason = faf.ends(run, "failed")["reason"]
    assert "step stdout failed" in reason["text"] and "ENOENT" in reason["text"]
    assert faf.marks() == []


def test_stuck_journal(stopped_faf, fake_journald):
    """a journald that accepts nothing holds a start up for a second, not for ever"""
    faf = stopped_faf
    start_with(faf, fake_journald)
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            # The queue of connections is full.
            client = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            client.setblocking(False)
            client.connect(fake_journald.directory + "/stdout")
        faf.unit("t", ExecStart=faf.marker(), StandardOutput="journal")
        before = time.monotonic()
        reason = faf.ends(faf.fire("t"), "failed")["reason"]
        assert "step stdout failed" in reason["text"] and "ETIMEDOUT" in reason["text"]
        assert 0.8 < time.monotonic() - before < 5
        assert faf.marks() == []


def test_files(faf):
    """file:, append: and truncate: as systemd has them; the file is the user's, with the unit's umask"""
    directory = pathlib.Path(faf.out)
    for kind, expected in (("file", "out\nOLD-OLD\n"), ("append", "old-OLD-OLD\nout\n"), ("truncate", "out\n")):
        path = directory / kind
        path.write_text("old-OLD-OLD\n")
        path.chmod(0o666)
        faf.task(kind, "echo out\n", StandardOutput=f"{kind}:{path}")
        run = faf.fire(kind)
        faf.ends(run, "succeeded")
        assert path.read_text() == expected, kind
    user = {"User": ALICE} if faf.root else {}
    faf.task("new", "echo out; echo err >&2\n", StandardOutput=f"append:{faf.out}/new", UMask="077", **user)
    faf.ends(faf.fire("new"), "succeeded")
    status = (directory / "new").stat()
    assert (directory / "new").read_text() == "out\nerr\n"
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert not faf.root or status.st_uid == ALICE


@pytest.mark.root
def test_file_rights(faf):
    """C7: a file of StandardOutput= is opened with the run's rights, links or not"""
    secret = pathlib.Path(faf.base, "secret")
    secret.write_text("root's\n")
    secret.chmod(0o600)
    link = pathlib.Path(faf.out, "link")
    link.symlink_to(secret)
    for name, path in (("direct", secret), ("link", link)):
        for kind in ("file", "append", "truncate"):
            faf.unit(f"{name}-{kind}", ExecStart=faf.marker(), User=ALICE, StandardOutput=f"{kind}:{path}")
            reason = faf.ends(faf.fire(f"{name}-{kind}"), "failed")["reason"]
            assert "step stdout failed" in reason["text"] and "EACCES" in reason["text"]
    fifo = pathlib.Path(faf.base, "fifo")
    os.mkfifo(fifo)
    fifo.chmod(0o666)
    faf.unit("fifo", ExecStart=faf.marker(), User=ALICE, StandardError=f"append:{fifo}")
    reason = faf.ends(faf.fire("fifo"), "failed")["reason"]
    assert "step stderr failed" in reason["text"] and "ENXIO" in reason["text"]
    assert secret.read_text() == "root's\n"
    assert faf.marks() == []


class Journald:
    """Debian's systemd-journald as a plain process, with /run/systemd and its journal in a mount namespace of its own."""

    PROGRAM = "/lib/systemd/systemd-journald"
    CONFIGURATION = "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nForwardToSyslog=no\nForwardToWall=no\n" \
        "RateLimitIntervalSec=0\n"
    SETUP = """set -e
mkdir -p /run/systemd /run/log
mount -t tmpfs -o mode=755 tmpfs /run/systemd
mount -t tmpfs -o mode=755 tmpfs /run/log
mkdir -p /run/systemd/journald.conf.d /run/systemd/journal /run/log/journal
printf '%s' "$1" >/run/systemd/journald.conf.d/test.conf
echo ready
exec sleep infinity
"""

    def __init__(self):
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", self.SETUP, "sh", self.CONFIGURATION],
            stdout=subprocess.PIPE,
        )
        assert self.holder.stdout.readline() == b"ready\n"
        self.prefix = ("nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", "--")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([*self.prefix, self.PROGRAM], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for(lambda: self.path("/run/systemd/journal/stdout").exists(), 10, "journald listens")
        wait_for(lambda: self.journalctl("--sync") is not None, 10, "journald answers")

    def path(self, path):
        return pathlib.Path(f"/proc/{self.holder.pid}/root{path}")

    def journalctl(self, *arguments):
        done = subprocess.run([*self.prefix, "journalctl", "--no-pager", "-q", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", timeout=20)
        return done.stdout if done.returncode == 0 else None

    def close(self):
        for process in (self.process, self.holder):
            if process is not None:
                process.kill()
                process.wait()


@pytest.fixture
def journald():
    if not os.path.exists(Journald.PROGRAM) or not system.has("unshare") or not os.path.exists("/etc/machine-id"):
        pytest.skip("needs Debian's systemd-journald, unshare and /etc/machine-id")
    journald = Journald()
    yield journald
    journald.close()


@pytest.fixture
def journal_faf(stopped_faf, journald):
    """A fafd on a machine with a journal."""
    stopped_faf.start("--journal-directory", "/run/systemd/journal", prefix=journald.prefix)
    return stopped_faf


@pytest.mark.root
@pytest.mark.cgroup
def test_logs_from_the_journal(journal_faf, journald):
    """by default output goes to the journal, with trusted fields; its owner reads it through fafd, others do not"""
    faf = journal_faf
    faf.task("count", 'for i in 1 2 3 4 5; do echo "line $i"; done; echo err >&2; printf "no newline"\n', User=ALICE,
             AllowUsers=ALICE)
    first = faf.fire("count", uid=ALICE)
    faf.ends(first, "succeeded")
    second = faf.fire("count", uid=ALICE)
    faf.ends(second, "succeeded")
    expected = [f"line {i}" for i in range(1, 6)] + ["err", "no newline"]
    for run in (first, second):
        assert faf.faf("logs", str(run), uid=ALICE, check=0).stdout.splitlines() == expected
        assert faf.faf("logs", str(run), "-n", "2", uid=ALICE, check=0).stdout.splitlines() == expected[-2:]
        assert faf.faf("logs", str(run), "-n", "100", uid=ALICE, check=0).stdout.splitlines() == expected
        assert faf.faf("logs", str(run), "-n", "0", uid=ALICE, check=0).stdout == ""
        assert faf.faf("logs", str(run), "-f", uid=ALICE, check=0).stdout.splitlines() == expected
    assert faf.faf("logs", str(first), uid=BOB).returncode != 0
    fields = journald.journalctl("SYSLOG_IDENTIFIER=count", "_UID=2001", "-o", "cat").splitlines()
    assert fields == expected * 2
    assert os.listdir(faf.logs) == []


@pytest.mark.root
@pytest.mark.cgroup
def test_short_lines_of_many(journal_faf, journald):
    """what a child wrote that is gone before journald comes to it is neither lost nor another run's"""
    faf = journal_faf
    faf.task("short", "/bin/echo $FAF_RUN a; /bin/echo $FAF_RUN b\n", User=ALICE, AllowUsers=ALICE)
    # Nobody can be looked at: all are gone before journald is there.
    os.kill(journald.process.pid, signal.SIGSTOP)
    runs = [faf.fire("short") for _ in range(10)]
    for run in runs:
        faf.ends(run, "succeeded")
    os.kill(journald.process.pid, signal.SIGCONT)
    runs += [faf.fire("short") for _ in range(10)]
    expected = {run: [f"{run} a", f"{run} b"] for run in runs}
    for run in runs:
        faf.ends(run, "succeeded")
        assert faf.faf("logs", str(run), uid=ALICE, check=0).stdout.splitlines() == expected[run]
    by_unit = journald.journalctl("_SYSTEMD_UNIT=faf-tasks.service", "SYSLOG_IDENTIFIER=short", "-o", "cat").splitlines()
    assert {line for run in runs[:10] for line in expected[run]} <= set(by_unit)
    # The task's log has all of them, in the order in which journald took them.
    of_task = faf.faf("logs", "short", uid=ALICE, check=0).stdout.splitlines()
    assert sorted(of_task) == sorted(sum(expected.values(), []))
    assert faf.faf("logs", "short", "-n", "1", uid=ALICE, check=0).stdout.splitlines() == of_task[-1:]
    assert faf.faf("logs", "short", uid=BOB).returncode == 77


@pytest.mark.root
@pytest.mark.cgroup
def test_follow_the_journal(journal_faf):
    """a run that counts is followed to its end"""
    faf = journal_faf
    faf.task("count", "for i in $(seq 300); do echo $i; sleep 0.01; done\n", User=ALICE, AllowUsers=ALICE)
    run = faf.fire("count", uid=ALICE)
    assert faf.faf("logs", str(run), "-f", uid=ALICE, check=0).stdout.split() == [str(i) for i in range(1, 301)]


@pytest.mark.root
@pytest.mark.cgroup
def test_events(stopped_faf, journald):
    """fafd's words about a run are in the journal with fields, if standard error is; a stopped journald holds up nothing"""
    faf = stopped_faf
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.connect(str(journald.path("/run/systemd/journal/stdout")))
    stream.sendall(b"fafd\n\n30\n1\n0\n0\n0\n")
    inode = os.fstat(stream.fileno())
    faf.start("--journal-directory", "/run/systemd/journal", prefix=journald.prefix, stderr=stream,
              environment={"JOURNAL_STREAM": f"{inode.st_dev}:{inode.st_ino}"})
    faf.task("count", "exit 3\n", User=ALICE, AllowUsers=ALICE)
    os.kill(journald.process.pid, signal.SIGSTOP)
    try:
        runs = [faf.fire("count", uid=ALICE) for _ in range(100)]
        for run in runs:
            faf.ends(run, "failed")
    finally:
        os.kill(journald.process.pid, signal.SIGCONT)
    runs.append(faf.fire("count", uid=ALICE))
    faf.ends(runs[-1], "failed")
    ends = f"FAF_RUN={runs[-1]}", "FAF_STATE=failed"
    wait_for(lambda: journald.journalctl("--sync") is not None and journald.journalctl(*ends), 10, "the last entry is there")
    for run in runs:
        found = [json.loads(line) for line in journald.journalctl(f"FAF_RUN={run}", "-o", "json").splitlines()]
        assert [entry["FAF_STATE"] for entry in found] == ["starting", "failed"], run
        last = found[-1]
        invocation = faf.run(run)["attempts"][-1]["invocationId"]
        assert last["MESSAGE"] == f"run {run} of count: failed (exit status 3)"
        assert (last["FAF_TASK"], last["FAF_ATTEMPT"], last["FAF_REASON"]) == ("count", "1", "exit-code")
        assert (last["FAF_UID"], last["FAF_FIRED_BY"], last["INVOCATION_ID"]) == (str(ALICE), str(ALICE), invocation)
        assert last["SYSLOG_IDENTIFIER"] == "fafd" and last["PRIORITY"] == "6" and len(last["MESSAGE_ID"]) == 32
    stream.close()


def test_catalog(tmp_path):
    """journalctl takes the catalog, and each id in the code has its text"""
    if not system.has("journalctl"):
        pytest.skip("needs journalctl(1)")
    checkout = pathlib.Path(__file__).resolve().parents[2]
    place = tmp_path / "usr/lib/systemd/catalog"
    place.mkdir(parents=True)
    shutil.copy(checkout / "contrib/systemd/faf.catalog", place)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    subprocess.run(["journalctl", "--update-catalog", f"--root={tmp_path}"], check=True)
    shown = subprocess.run(["journalctl", "--dump-catalog", f"--root={tmp_path}"], check=True, stdout=subprocess.PIPE,
                           encoding="utf-8").stdout
    code = (checkout / "Sources/Supervisor/RunReport.swift").read_text()
    assert set(re.findall(r'"([0-9a-f]{32})"', code)) == set(re.findall(r"^-- ([0-9a-f]{32})$", shown, re.MULTILINE))


@pytest.mark.root
@pytest.mark.cgroup
def test_long_lines(journal_faf):
    """what journald cuts is joined again; the last lines are followed"""
    faf = journal_faf
    faf.task("long", "sleep 1; printf 'a%.0s' $(seq 60000); echo; echo b; sleep 1; echo c\n")
    run = faf.fire("long")
    assert faf.faf("logs", str(run), "-f", check=0).stdout == "a" * 60000 + "\nb\nc\n"
    assert faf.faf("logs", str(run), "-n", "2", "-f", check=0).stdout == "b\nc\n"
    assert json.loads(faf.faf("logs", str(run), "-n", "1", "--json", check=0).stdout) == ["c"]


@pytest.mark.root
@pytest.mark.cgroup
def test_formats_and_times(journal_faf, journald):
    """-o and --since as journalctl has them"""
    faf = journal_faf
    faf.task("steps", f"""echo one; echo '<3>two' >&2; while ! test -e {faf.out}/go; do sleep 0.05; done; echo three\n""")
    run = faf.fire("steps")
    wait_for(lambda: len(logs(faf, run)) == 2, 10, "two lines")
    between = time.time()
    faf.output("go").touch()
    faf.ends(run, "succeeded")
    entries = [json.loads(line) for line in logs(faf, run, "-o", "json")]
    assert [entry["MESSAGE"] for entry in entries] == ["one", "two", "three"]
    theirs = [json.loads(line) for line in journald.journalctl("SYSLOG_IDENTIFIER=steps", "-o", "json").splitlines()]
    assert theirs[0]["MESSAGE"] == mark(faf, run)
    for ours, entry in zip(entries, theirs[1:]):
        assert {name: ours[name] for name in ours if not name.startswith("FAF_")}.items() <= entry.items()
        assert (ours["FAF_RUN"], ours["FAF_ATTEMPT"]) == (str(run), "1")
    assert entries[1]["PRIORITY"] == "3"
    for form in ("short", "short-iso", "short-precise"):
        by_journalctl = journald.journalctl("SYSLOG_IDENTIFIER=steps", "-o", form).splitlines()[1:]
        assert logs(faf, run, "-o", form) == by_journalctl, form
    for target in (run, "steps"):
        assert logs(faf, target, "--since", f"@{between:.6f}") == ["three"]
        assert logs(faf, target, "--since", "1 hour ago") == ["one", "two", "three"]
        assert logs(faf, target, "--since", "1 hour ago", "-n", "1") == ["three"]
        assert logs(faf, target, "--since", "+1h") == []
    assert logs(faf, run, "--attempt", "1") == ["one", "two", "three"]
    assert "no attempt 2" in faf.refused("logs", run, "--attempt", 2, code=65)


@pytest.mark.root
@pytest.mark.cgroup
def test_follow_over_a_restart(journal_faf, journald):
    """a log that is followed has each line once, whatever becomes of fafd; that of a task has its new runs, too"""
    faf = journal_faf
    faf.task("count", "for i in $(seq 60); do /bin/echo $i; sleep 0.1; done\n", User=ALICE, AllowUsers=ALICE)
    run = faf.fire("count", uid=ALICE)
    wait_for(lambda: logs(faf, run), 10, "a line")
    with faf.spawn_faf("logs", run, "-f", uid=ALICE) as following:
        for _ in range(3):
            seen = len(logs(faf, run))
            wait_for(lambda seen=seen: len(logs(faf, run)) > seen, 10, "more lines")
            faf.kill9()
            faf.start("--journal-directory", "/run/systemd/journal", prefix=journald.prefix)
        out, err = following.communicate(timeout=60)
    assert following.returncode == 0, err
    assert out.split() == [str(i) for i in range(1, 61)], err


@pytest.mark.root
@pytest.mark.cgroup
def test_follow_a_task(journal_faf):
    """the runs of a task, old and new, as far as one may see them"""
    faf = journal_faf
    faf.task("one", "echo $FAF_RUN\n", SyslogIdentifier="same", User=ALICE, AllowUsers=ALICE)
    faf.task("other", "echo other; echo $FAF_RUN\n", SyslogIdentifier="same", User=BOB, AllowUsers=BOB)
    first = faf.fire("one")
    faf.ends(first, "succeeded")
    with faf.spawn_faf("logs", "one", "-f", uid=ALICE) as following:
        lines = [following.stdout.readline()]
        faf.ends(faf.fire("other"), "succeeded")
        second = faf.fire("one")
        lines.append(following.stdout.readline())
        following.terminate()
    assert lines == [f"{first}\n", f"{second}\n"]
    assert logs(faf, "one") == [str(first), str(second)]


def logs(faf, *arguments):
    return faf.faf("logs", *map(str, arguments), check=0).stdout.splitlines()


def test_logs_in_files(faf):
    """-n, -f and -o for what is in files; what would need the journal is refused by name"""
    faf.task("count", f"echo $FAF_RUN a; echo $FAF_RUN b; while ! test -e {faf.out}/$FAF_RUN; do sleep 0.05; done; echo c\n")
    runs = [faf.fire("count") for _ in range(3)]
    for run in runs:
        wait_for(lambda run=run: len(logs(faf, run)) == 2, 10, "two lines")
    expected = [f"{run} {letter}" for run in runs for letter in "ab"]
    assert logs(faf, "count") == expected
    assert logs(faf, "count", "-n", "3") == expected[-3:]
    assert [json.loads(line) for line in logs(faf, runs[0], "-o", "json")] == [
        {"FAF_RUN": str(runs[0]), "MESSAGE": line} for line in expected[:2]]
    for arguments, text in ((("--since", "today"), "the time of each line"), (("--attempt", "1"), "the attempt of each line")):
        refusal = faf.refused("logs", runs[0], *arguments, code=65)
        assert arguments[0][2:] in refusal and text in refusal and "StandardOutput=journal" in refusal
    assert "in a file" in faf.refused("logs", runs[0], "-o", "short", code=65)
    with faf.spawn_faf("logs", runs[0], "-f") as one, faf.spawn_faf("logs", runs[1], "-f", "-n", "1") as last:
        assert [one.stdout.readline() for _ in range(2)] == [line + "\n" for line in expected[:2]]
        assert last.stdout.readline() == expected[3] + "\n"
        faf.kill9()
        faf.start()
        faf.output(str(runs[0])).touch()
        assert one.communicate(timeout=30)[0] == "c\n" and one.returncode == 0
        faf.output(str(runs[1])).touch()
        assert last.communicate(timeout=30)[0] == "c\n" and last.returncode == 0
    with faf.spawn_faf("logs", "count", "-f", "-n", "1") as task:
        assert task.stdout.readline() == expected[-1] + "\n"
        faf.kill9()
        faf.start()
        # How far it is in each of several files is not told, so it does not go on as if nothing were missing.
        assert task.wait(30) == 70
    faf.output(str(runs[2])).touch()
    for run in runs:
        faf.ends(run, "succeeded")


def test_follow_a_task_in_files(faf):
    faf.task("count", "echo $FAF_RUN\n")
    first = faf.fire("count")
    faf.ends(first, "succeeded")
    with faf.spawn_faf("logs", "count", "-f") as following:
        lines = [following.stdout.readline()]
        new = [faf.fire("count") for _ in range(5)]
        lines += [following.stdout.readline() for _ in new]
        following.terminate()
    assert lines[0] == f"{first}\n" and sorted(lines[1:]) == sorted(f"{run}\n" for run in new)
