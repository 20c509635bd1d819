"""Drives faf-shim as fafd does: a mother, gates, launch specifications, stop requests. Layout: faf_record.h."""

import array
import ctypes
import fcntl
import os
import pathlib
import resource
import secrets
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import zlib

import system
from records import KILL, LEFTOVERS, SHUTDOWN, SIGNAL, STOPPING, STORED, TIMEOUT_START, Record

BUILD = pathlib.Path(os.environ.get("FAF_BUILD") or pathlib.Path(__file__).resolve().parents[2] / ".build/debug")
LIBC = ctypes.CDLL(None, use_errno=True)

CORE, RECORDS, ENDS, NOTIFY, CGROUP, SCRIPT, REAL, ARGUMENT, ENVIRONMENT, CWD, GROUP, LIMIT, ALLOWED, STDOUT, STDERR, \
    ORIGIN, IO = range(1, 18)
CGROUP_LIMIT, OOM_POLICY = 50, 51
INFINITY = 2**64 - 1
SEND_SIGKILL, NO_NEW_PRIVILEGES, CHANGE_USER, CWD_OPTIONAL, SET_NICE, DEATH_SIGNAL = (1 << n for n in range(6))
MAIN, ALL = 1, 2
READY, FAILED = 1, 2
STEPS = dict(specification=1, record=2, notify=3, cgroup=4, directory=5, clone=6, setsid=7, check=8, stdin=9, stdout=10,
             stderr=11, signals=12, limits=13, nice=14, oom=15, groups=16, gid=17, uid=18, capabilities=19, chdir=20,
             nnp=21, close_range=22, exec=23,
             cgroup_limit=50)
HEADER = struct.Struct("<QIIQ")
MAGIC = 0x43455053464146


def find_shim():
    for path in (BUILD / "faf-shim", BUILD / "libexec/faf/faf-shim"):
        if path.exists():
            return str(path)
    raise AssertionError(f"no faf-shim in {BUILD}")


def item(tag, payload):
    return struct.pack("<II", tag, len(payload)) + payload + bytes(-len(payload) % 8)


def specification(items, magic=MAGIC, version=1, crc=None):
    body = b"".join(item(tag, payload) for tag, payload in items)
    return HEADER.pack(magic, version, zlib.crc32(body) if crc is None else crc, HEADER.size + len(body)) + body


class Place:
    """A directory with everything that shims need, and one mother."""

    def __init__(self, mother=True, owner=0):
        # Not below /tmp of a user's own mode: the script check looks at every directory above.
        self.base = tempfile.mkdtemp(prefix="faft-shim.", dir="/var/lib" if os.geteuid() == 0 else None)
        os.chmod(self.base, 0o711)
        for name, mode in (("runs", 0o700), ("ends", 0o700), ("notify", 0o711), ("io", 0o711), ("s", 0o755),
                           ("out", 0o777)):
            os.mkdir(f"{self.base}/{name}")
            os.chmod(f"{self.base}/{name}", mode)
            os.chown(f"{self.base}/{name}", owner, owner)
        self.out = self.base + "/out"
        self.cgroup = None
        if system.cgroup2_root() and os.geteuid() == 0:
            self.cgroup = f"{system.cgroup2_root()}/{os.path.basename(self.base)}"
            os.mkdir(self.cgroup)
        self.attempts = []
        self.mother = self.mother_pid = None
        self.runs = 0
        if mother:
            self.start_mother()

    def start_mother(self, before=None, inherit=(), **options):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

        def place():
            if before:
                before()
            if theirs.fileno() == 3:
                os.set_inheritable(3, True)
            else:
                os.dup2(theirs.fileno(), 3)

        self.process = subprocess.Popen([find_shim(), "--mother"], pass_fds=[3, theirs.fileno(), *inherit], preexec_fn=place,
                                        **options)
        theirs.close()
        self.mother = ours

    def script(self, text, name=None, mode=0o755, owner=0):
        path = f"{self.base}/s/{name or secrets.token_hex(4)}"
        with open(path, "w") as file:
            file.write(text if text.startswith("#!") or not text else "#!/bin/sh\n" + text + "\n")
        os.chmod(path, mode)
        os.chown(path, owner, owner)
        return path

    def attempt(self, script, **options):
        made = Attempt(self, script, **options)
        self.attempts.append(made)
        return made

    def run(self, script, **options):
        return self.attempt(script, **options).go()

    def clean_up(self):
        for attempt in self.attempts:
            attempt.clean_up()
        if self.mother:
            self.mother.close()
            self.process.wait(10)
        if self.cgroup:
            system.wait_for(lambda: remove_cgroup(self.cgroup), 10, "the cgroups are empty")
        shutil.rmtree(self.base)


def remove_cgroup(path):
    try:
        with open(path + "/cgroup.kill", "w") as file:
            file.write("1")
        for name in os.listdir(path):
            if os.path.isdir(f"{path}/{name}"):
                remove_cgroup(f"{path}/{name}")
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


class Attempt:
    def __init__(self, place, script, arguments=None, environment=(), cgroup=True, uid=0, gid=None, groups=(), flags=None,
                 umask=0o022, nice=0, kind=0, access=3, mode=0, kill_signal=15, start=INFINITY, stop=90.0, cwd=None,
                 stdout=None, stderr=None, limits=(), allowed=(), origin=b"{}", io=False, owner=None, device=None,
                 inode=None, invocation=None, notify=True, extra=(), real=None, raw=None, memfd=None, send=True):
        self.place = place
        place.runs += 1
        self.number = place.runs
        self.invocation = invocation or secrets.token_hex(16)
        self.record_path = f"{place.base}/runs/{self.invocation}"
        self.end_path = f"{place.base}/ends/{self.invocation}"
        self.notify_path = f"{place.base}/notify/{self.invocation}"
        self.io_path = f"{place.base}/io/{self.number}.1"
        self.cgroup = f"{place.cgroup}/{self.number}.1" if cgroup and place.cgroup else None
        if script and not script.startswith("/"):
            script = place.script(script)
        found = os.stat(script) if script and os.path.exists(script) else None
        if flags is None:
            flags = SEND_SIGKILL | NO_NEW_PRIVILEGES | CHANGE_USER
            if not self.cgroup:
                flags |= DEATH_SIGNAL
        if os.geteuid() != 0:
            flags &= ~CHANGE_USER
            uid, gid = os.geteuid(), os.getegid()
        boot = int(pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().replace("-", ""), 16)
        micro = lambda seconds: seconds if seconds == INFINITY else int(seconds * 1e6)
        core = struct.pack(
            "<QQQQqIIIIIiIIIIQQQQII", int(self.invocation[:16], 16), int(self.invocation[16:], 16), boot >> 64,
            boot & (2**64 - 1), self.number, 1, flags, uid, uid if gid is None else gid, umask, nice, kind, access, mode,
            kill_signal, micro(start), micro(stop), found.st_dev if device is None and found else device or 0,
            found.st_ino if inode is None and found else inode or 0, uid if owner is None else owner, 0)
        items = [(CORE, core), (RECORDS, f"{place.base}/runs".encode()), (ENDS, f"{place.base}/ends".encode())]
        if notify:
            items.append((NOTIFY, self.notify_path.encode()))
            environment = [*environment, f"NOTIFY_SOCKET={self.notify_path}"]
        if self.cgroup:
            items.append((CGROUP, self.cgroup.encode()))
        if script:
            items += [(SCRIPT, script.encode()), (REAL, (real or script).encode())]
        for argument in ([script] if arguments is None and script else arguments or []):
            items.append((ARGUMENT, argument if isinstance(argument, bytes) else argument.encode()))
        for value in ["PATH=/usr/local/bin:/usr/bin:/bin", f"OUT={place.out}", *environment]:
            items.append((ENVIRONMENT, value.encode()))
        for tag, value in ((CWD, cwd), (STDOUT, stdout), (STDERR, stderr), (IO, self.io_path if io else None)):
            if value is not None:
                items.append((tag, value.encode()))
        items += [(GROUP, struct.pack("<I", group)) for group in groups]
        items += [(LIMIT, struct.pack("<IIQQ", number, 0, soft, hard)) for number, soft, hard in limits]
        items += [(ALLOWED, path.encode()) for path in allowed]
        if origin is not None:
            items.append((ORIGIN, origin))
        items += list(extra)
        self.specification = specification(items) if raw is None else raw
        self.gate, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.gate.settimeout(10)
        self.reply = None
        self.shim = None
        place.mother.sendmsg([b"f"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))])
        theirs.close()
        if send:
            self.send_specification(memfd)

    def send_specification(self, memfd=None):
        if memfd is None:
            memfd = len(self.specification) > 65536
        if not memfd:
            self.gate.send(self.specification)
            return
        fd = os.memfd_create("spec", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.write(fd, self.specification)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)
        self.gate.sendmsg([self.specification[:HEADER.size]],
                          [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
        os.close(fd)

    def ready(self):
        if self.reply is None:
            self.reply = struct.unpack("<IIii", self.gate.recv(64))
            if self.reply[0] == READY:
                self.shim = self.reply[3]
                self.pidfd = os.pidfd_open(self.shim)
        assert self.reply[0] == READY, self.reply
        return self

    def failed(self):
        """(step, errno) of a FAILED reply."""
        self.reply = struct.unpack("<IIii", self.gate.recv(64))
        assert self.reply[0] == FAILED, self.reply
        return self.reply[1], self.reply[2]

    def go(self):
        self.ready()
        self.gate.send(b"g")
        return self

    @property
    def record(self):
        try:
            return Record.read(self.record_path)
        except FileNotFoundError:
            return None

    def get(self, slot):
        record = self.record
        return record and record.get(slot)

    def until(self, slot, timeout=10, fact=lambda value: True):
        def look():
            value = self.get(slot)
            return value is not None and fact(value) and (value or True)
        return system.wait_for(look, timeout, lambda: f"{slot} of {vars(self.record) and describe(self.record)}")

    def started(self):
        return self.until("started")["main_pid"]

    def leaves(self, timeout=10):
        """Waits until the shim is gone."""
        assert select.select([self.pidfd], [], [], timeout)[0], f"the shim is still there: {describe(self.record)}"

    def end(self, timeout=10):
        """Waits for the end; its record, which is the same as the durable one."""
        self.leaves(timeout)
        live = self.record
        assert live.get("emptied") is not None, describe(live)
        assert Record.read(self.end_path).data == live.data
        assert os.stat(self.end_path).st_mode & 0o777 == 0o600
        return live

    def result(self, timeout=10):
        """(kind, status or (step, errno)) of its end."""
        exited = self.end(timeout).get("exited")
        return (exited["kind"], (exited["step"], exited["error"]) if exited["kind"] == 4 else exited["status"])

    def request(self, cause, number=0, whom=ALL, uid=0):
        value = cause | number << 8 | whom << 16 | uid << 32
        info = ctypes.create_string_buffer(128)
        struct.pack_into("<iii", info, 0, signal.SIGRTMIN + 1, 0, -1)
        struct.pack_into("<iIQ", info, 16, os.getpid(), os.getuid(), value)
        if LIBC.syscall(424, self.pidfd, signal.SIGRTMIN + 1, info, 0) < 0:
            raise OSError(ctypes.get_errno(), "pidfd_send_signal")

    def is_stored(self):
        """The word that the end is in the store."""
        self.request(STORED, whom=0, uid=int(self.invocation[24:], 16))

    def lock_holder(self):
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        with open(self.record_path, "r+b") as file:
            kind, _, _, _, pid = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, lock))
        return None if kind == fcntl.F_UNLCK else pid

    def processes(self):
        """Pids of the attempt's cgroup."""
        return [int(pid) for pid in system.read(self.cgroup + "/cgroup.procs").split()]

    def output(self, name):
        return pathlib.Path(self.place.out, name)

    def clean_up(self):
        self.gate.close()
        if self.shim:
            if self.cgroup:
                system.wait_for(lambda: remove_cgroup(self.cgroup), 10, "the attempt's cgroup is empty")
            elif not select.select([self.pidfd], [], [], 0)[0]:
                self.request(SIGNAL, 9)
            select.select([self.pidfd], [], [], 5)
            os.close(self.pidfd)


def describe(record):
    names = ("head passed started exited emptied stop signal said progress clocks status result").split()
    return record and {name: record.get(name) for name in names if record.get(name) is not None}
