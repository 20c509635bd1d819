"""The shim alone, driven through its gate as fafd does it: G2, H5 and what a damaged specification does."""

import fcntl
import os
import random
import signal
import socket
import struct
import subprocess
import zlib

import pytest
import records
import system
from system import is_running, wait_for

READY, FAILED = 1, 2
MAGIC = 0x43455053464146
(
    CORE,
    RECORDS,
    ENDS,
    NOTIFY,
    CGROUP,
    SCRIPT,
    REAL,
    ARGUMENT,
    ENVIRONMENT,
    CWD,
    GROUP,
    LIMIT,
    ALLOWED,
    STDOUT,
    STDERR,
    ORIGIN,
    IO_DIR,
) = range(1, 18)
SEND_SIGKILL, NO_NEW_PRIVILEGES, DEATH_SIGNAL = 1, 2, 32


def specification(items):
    body = b""
    for tag, payload in items:
        body += struct.pack("<II", tag, len(payload)) + payload + bytes(-len(payload) % 8)
    return struct.pack("<QIIQ", MAGIC, 1, zlib.crc32(body), 24 + len(body)) + body


class Mother:
    """`faf-shim --mother` with the tests in fafd's place."""

    def __init__(self, faf):
        self.faf = faf
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket = ours

        def become():
            # Descriptor 3 is the mother's end.
            os.dup2(theirs.fileno(), 3, inheritable=True)

        self.process = subprocess.Popen(
            [faf.programs + "/faf-shim", "--mother"], preexec_fn=become, close_fds=False, stdin=subprocess.DEVNULL
        )
        faf.children.append(self.process)
        theirs.close()
        os.makedirs(faf.runtime + "/runs", mode=0o700, exist_ok=True)
        os.makedirs(faf.runtime + "/notify", mode=0o711, exist_ok=True)
        os.makedirs(faf.state + "/ends", mode=0o700, exist_ok=True)
        self.boot = open("/proc/sys/kernel/random/boot_id").read().strip().replace("-", "")
        self.count = 0

    def close(self):
        self.socket.close()
        self.process.wait(5)

    def items(self, script, invocation=None, arguments=(), stop_us=1_000_000):
        invocation = invocation or os.urandom(16).hex()
        self.invocation = invocation
        self.count += 1
        found = os.stat(script)
        core = struct.pack(
            "<QQQQqIIIIIiIIIIQQQQII",
            int(invocation[:16], 16),
            int(invocation[16:], 16),
            int(self.boot[:16], 16),
            int(self.boot[16:], 16),
            self.count,
            1,
            SEND_SIGKILL | NO_NEW_PRIVILEGES | DEATH_SIGNAL,
            os.getuid(),
            os.getgid(),
            0o022,
            0,
            0,
            3,
            0,
            15,
            2**64 - 1,
            stop_us,
            found.st_dev,
            found.st_ino,
            os.getuid(),
            0,
        )
        text = [
            (CORE, core),
            (RECORDS, self.faf.runtime + "/runs"),
            (ENDS, self.faf.state + "/ends"),
            (NOTIFY, f"{self.faf.runtime}/notify/{invocation}"),
            (SCRIPT, script),
            (REAL, script),
            (ARGUMENT, script),
            *((ARGUMENT, one) for one in arguments),
            (ENVIRONMENT, f"FAF_RUN={self.count}"),
            (ENVIRONMENT, "FAF_ATTEMPT=1"),
            (ENVIRONMENT, f"INVOCATION_ID={invocation}"),
            (ENVIRONMENT, "PATH=/usr/bin:/bin"),
            (CWD, "/"),
            (ORIGIN, "row"),
        ]
        return [(tag, value if isinstance(value, bytes) else value.encode()) for tag, value in text]

    def fork(self):
        """A shim's gate."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        socket.send_fds(self.socket, [b"f"], [theirs.fileno()])
        theirs.close()
        ours.settimeout(10)
        return ours

    def prepare(self, data):
        """Gate and reply (kind, step, errno, pid); the reply is None if the shim left without one."""
        gate = self.fork()
        gate.send(data)
        reply = gate.recv(100)
        return gate, struct.unpack("<IIii", reply) if reply else None


@pytest.fixture
def mother(stopped_faf):
    mother = Mother(stopped_faf)
    yield mother
    mother.close()


def record_path(mother):
    return mother.faf.record_path(mother.invocation)


def test_h5_the_record_precedes_the_script(mother):
    """H5: at the gate a record without `passed`; after the go it tells all; the end is durable before the shim goes."""
    faf = mother.faf
    script = faf.marker(more="exit 6\n")
    gate, reply = mother.prepare(specification(mother.items(script)))
    assert reply[0] == READY
    shim = reply[3]
    record = faf.record(mother.invocation)
    assert record.invocation == mother.invocation and record.payload("origin") == b"row"
    assert record.get("passed") is None and faf.marks() == []
    gate.send(b"g")
    wait_for(lambda: not is_running(shim), 10)
    record = faf.record(mother.invocation)
    assert record.get("exited")["status"] == 6 and record.get("emptied")["flags"] == 0
    for one, other in (("passed", "started"), ("started", "exited"), ("exited", "emptied")):
        assert record.get(one)["boottime"] <= record.get(other)["boottime"]
    with open(faf.end_path(mother.invocation), "rb") as end:
        assert records.Record(end.read()).data == record.data
    assert len(faf.marks()) == 1


def test_g2_without_a_go_nothing_runs(mother):
    """G2: end of file instead of the go: the script does not run; record and socket are removed."""
    faf = mother.faf
    gate, reply = mother.prepare(specification(mother.items(faf.marker())))
    assert reply[0] == READY and os.path.exists(record_path(mother))
    gate.close()
    wait_for(lambda: not is_running(reply[3]), 5)
    assert faf.live_records() == [] and faf.notify_sockets() == [] and faf.marks() == []


def test_g2_a_wrong_word_is_no_go(mother):
    """G2: only the go is one."""
    gate, reply = mother.prepare(specification(mother.items(mother.faf.marker())))
    gate.send(b"xg")
    wait_for(lambda: not is_running(reply[3]), 5)
    assert mother.faf.marks() == [] and mother.faf.live_records() == []


def test_g2_an_attempt_starts_once(mother):
    """G2: its record is created exclusively: a late shim that finds it taken exits and touches nothing of the first."""
    faf = mother.faf
    script = faf.marker(more="exec sleep 300\n")
    items = mother.items(script)
    gate, first = mother.prepare(specification(items))
    late, second = mother.prepare(specification(items))
    assert first[0] == READY and second[0] == FAILED
    gate.send(b"g")
    wait_for(lambda: len(faf.marks()) == 1, 5)
    again, third = mother.prepare(specification(items))
    assert third[0] == FAILED
    assert is_running(first[3]) and os.path.exists(record_path(mother))
    assert faf.record(mother.invocation).get("started") and len(faf.marks()) == 1
    os.kill(faf.record(mother.invocation).get("started")["main_pid"], signal.SIGKILL)
    wait_for(lambda: not is_running(first[3]), 5)


def test_g2_shims_outlive_their_mother(mother):
    """Design 3: a mother leaves when fafd's end of her socket closes; her shims stay, and hear their go."""
    faf = mother.faf
    gate, reply = mother.prepare(specification(mother.items(faf.marker(more="exec sleep 300\n"))))
    mother.close()
    assert is_running(reply[3])
    gate.send(b"g")
    wait_for(lambda: len(faf.marks()) == 1, 5)
    os.kill(wait_for(lambda: faf.record(mother.invocation).get("started"), 5)["main_pid"], signal.SIGTERM)
    wait_for(lambda: os.path.exists(faf.end_path(mother.invocation)), 5)


def test_d_stop_requests_only_by_their_signal(mother):
    """Design 3: SIGTERM, SIGHUP, SIGINT, SIGUSR1 and SIGPIPE to a shim stop nothing."""
    faf = mother.faf
    gate, reply = mother.prepare(specification(mother.items(faf.marker(more="exec sleep 300\n"))))
    gate.send(b"g")
    wait_for(lambda: faf.record(mother.invocation).get("started"), 5)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGPIPE, signal.SIGRTMIN + 5):
        os.kill(reply[3], number)
    main = faf.record(mother.invocation).get("started")["main_pid"]
    assert is_running(reply[3]) and is_running(main)
    assert faf.record(mother.invocation).get("stop") is None
    os.kill(main, signal.SIGKILL)
    wait_for(lambda: not is_running(reply[3]), 5)


def refused(mother, data):
    gate, reply = mother.prepare(data)
    with gate:
        assert reply is not None, "it says what is wrong"
        assert reply[0] == FAILED and reply[1] != 0, reply
    wait_for(lambda: mother.faf.live_records() == [], 5)
    assert mother.faf.notify_sockets() == [] and mother.faf.marks() == []
    return reply


@pytest.mark.parametrize(
    "change", ["empty", "magic", "version", "crc", "length", "short", "overlong item", "no core", "noise"]
)
def test_a_damaged_specification_is_refused(mother, change):
    """A specification that does not fit is a failed step with its errno; nothing is left, nothing runs."""
    data = bytearray(specification(mother.items(mother.faf.marker())))
    if change == "empty":
        data = b"\0"
    elif change == "magic":
        data[0] ^= 1
    elif change == "version":
        data[8] = 9
    elif change == "crc":
        data[-1] ^= 0x40
    elif change == "length":
        data[16] ^= 1
    elif change == "short":
        data = data[:-8]
    elif change == "overlong item":
        body = bytes(data[24:]) + struct.pack("<II", ARGUMENT, 1 << 20)
        data = struct.pack("<QIIQ", MAGIC, 1, zlib.crc32(body), 24 + len(body)) + body
    elif change == "no core":
        data = specification(mother.items(mother.faf.scripts + "/mark")[1:])
    else:
        data = os.urandom(500)
    refused(mother, bytes(data))


def test_changed_specifications_never_crash_the_shim(mother):
    """300 specifications with changed bytes and a right checksum: ready or refused, never ended by a signal."""
    faf = mother.faf
    chance = random.Random(5)
    script = faf.marker()
    os.makedirs(faf.base + "/x")
    for _ in range(300):
        items = mother.items(script)
        index = chance.randrange(len(items))
        tag, payload = items[index]
        payload = bytearray(payload)
        for _ in range(chance.choice([1, 1, 2, 8])):
            if payload:
                payload[chance.randrange(len(payload))] = chance.randrange(256)
        what = chance.randrange(6)
        if what == 0:
            tag = chance.randrange(25)
        elif what == 1:
            payload = payload[: chance.randrange(len(payload) + 1)]
        elif what == 2:
            items.insert(chance.randrange(len(items)), items[chance.randrange(len(items))])
        if tag in (RECORDS, ENDS, NOTIFY) and what != 1:
            continue  # it would write elsewhere
        items[index] = (tag, bytes(payload))
        gate, reply = mother.prepare(specification(items))
        gate.close()
        assert reply is not None and reply[0] in (READY, FAILED), (items[index], reply)
        if reply[0] == READY:
            wait_for(lambda: not is_running(reply[3]), 5)
    assert mother.process.poll() is None and faf.marks() == []
    # Without its go every one of them has cleaned up.
    wait_for(lambda: system.listdir(faf.runtime + "/runs") == [], 5, lambda: system.listdir(faf.runtime + "/runs"))


def test_the_mother_survives_garbage(mother):
    """Words that are no request, descriptors that are no gate: she goes on."""
    with open("/dev/null") as null:
        for word, descriptors in (
            (b"x", []),
            (b"f", []),
            (b"f" * 100, []),
            (b"x", [null.fileno()]),
            (b"f", [null.fileno()] * 5),
            (b"f", [null.fileno()]),
        ):
            socket.send_fds(mother.socket, [word], descriptors)
    gate, reply = mother.prepare(specification(mother.items(mother.faf.marker())))
    assert reply[0] == READY
    gate.close()
    assert len(system.descriptors(mother.process.pid)) <= 5


def test_large_arguments_come_by_memfd(mother):
    """A specification over 64 KiB: a header alone with one sealed memfd; unsealed or of another size it is refused."""
    faf = mother.faf
    script = faf.script("t", f'printf "%s\\0" "$@" > {faf.out}/argv')
    for kind in ("unsealed", "size", "good"):
        data = specification(mother.items(script, arguments=["x" * 100_000, "y" * 120_000]))
        memory = os.memfd_create("specification", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.write(memory, data + (b"more" if kind == "size" else b""))
        if kind != "unsealed":
            fcntl.fcntl(memory, 1033, 0x1 | 0x2 | 0x4 | 0x8)  # F_ADD_SEALS: seal, shrink, grow, write
        gate = mother.fork()
        socket.send_fds(gate, [data[:24]], [memory])
        os.close(memory)
        reply = struct.unpack("<IIii", gate.recv(100))
        assert reply[0] == (READY if kind == "good" else FAILED), kind
    gate.send(b"g")
    wait_for(lambda: os.path.exists(faf.end_path(mother.invocation)), 10)
    assert faf.output("argv").read_bytes() == b"x" * 100_000 + b"\0" + b"y" * 120_000 + b"\0"


@pytest.mark.mount
@pytest.mark.root
def test_h6_an_end_that_finds_no_room_stays_in_the_live_record(mother):
    """H6: a full disk: the end is kept in the live record, with the errno, and the shim goes all the same."""
    faf = mother.faf
    faf.mount_tmpfs(faf.state + "/ends", "size=16k,mode=700")
    with open(faf.state + "/ends/filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    gate, reply = mother.prepare(specification(mother.items(faf.marker(more="exit 4\n"))))
    gate.send(b"g")
    wait_for(lambda: not is_running(reply[3]), 10)
    record = faf.record(mother.invocation)
    assert record.get("exited")["status"] == 4
    assert record.get("emptied")["flags"] == 1 and record.get("emptied")["end_error"] == 28
    assert system.listdir(faf.state + "/ends") == ["filler"]


def test_memory_of_a_waiting_shim_is_small(mother):
    """Design 13: a waiting shim has tens of kilobytes of its own."""
    faf = mother.faf
    gate, reply = mother.prepare(specification(mother.items(faf.marker(more="exec sleep 300\n"))))
    gate.send(b"g")
    wait_for(lambda: faf.record(mother.invocation).get("started"), 5)
    text = system.read(f"/proc/{reply[3]}/smaps_rollup")
    own = sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(("Private_Dirty", "Private_Clean")))
    assert own < 200, f"{own} kB"
    os.kill(faf.record(mother.invocation).get("started")["main_pid"], signal.SIGKILL)
    wait_for(lambda: not is_running(reply[3]), 5)
