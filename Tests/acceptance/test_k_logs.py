"""threat-model.md, section K, and design.md 8: where output goes, and how it is found again."""

import contextlib
import os
import pathlib
import socket
import stat
import struct
import threading
import time

import pytest
import system
from harness import ALICE
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
            stream["cgroup"] = system.read(f"/proc/{stream['peer'][0]}/cgroup")
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


def test_journal_stream(stopped_faf, fake_journald):
    """the script's own process connects, as its user and in its cgroup, with the header that systemd sends"""
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
    assert stream["data"] == b"count\n\n30\n1\n0\n0\n0\nout\nerr\n"
    assert stream["peer"][0] == int(system.read(faf.output("pid")))
    if faf.root:
        assert stream["peer"][1] == ALICE
        if system.cgroup2_root():
            assert f"/t/{run}.1" in stream["cgroup"]
    assert not os.path.exists(f"{faf.logs}/{run}.log")


def test_journal_settings(stopped_faf, fake_journald):
    """SyslogIdentifier=, SyslogLevelPrefix=, and standard error on a stream of its own"""
    faf = stopped_faf
    fake_journald.serve()
    start_with(faf, fake_journald)
    faf.task("t", "echo out; echo err >&2\n", StandardOutput="null", StandardError="journal",
             SyslogIdentifier="mine-%p", SyslogLevelPrefix="no")
    faf.ends(faf.fire("t"), "succeeded")
    wait_for(lambda: fake_journald.streams and fake_journald.streams[0]["over"], 5, "the stream is over")
    assert [stream["data"] for stream in fake_journald.streams] == [b"mine-t\n\n30\n0\n0\n0\n0\nerr\n"]


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
