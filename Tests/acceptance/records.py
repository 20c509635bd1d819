"""Reads and changes an attempt's record: the layout of Sources/CRecord/include/faf_record.h."""

import os
import struct
import zlib

SLOT = struct.Struct("<IIQII")  # tag, length, sequence, crc, reserved

# tag, offsets of its copies, layout and names of the fields (None: text)
SLOTS = {
    "head": (
        1,
        (0,),
        "<QIIQQQQqIIIIQQ",
        "magic major minor invocation_high invocation_low boot_high boot_low run attempt uid kill_signal type "
        "realtime boottime",
    ),
    "passed": (2, (256,), "<QQ", "realtime boottime"),
    "started": (3, (320,), "<iIQQ", "main_pid reserved realtime boottime"),
    "exited": (
        4,
        (448,),
        "<IiIiQQQQQQQQQQQ",
        "kind status step error realtime boottime user system max_resident minor_faults major_faults "
        "blocks_in blocks_out voluntary involuntary",
    ),
    "emptied": (5, (704,), "<QQQQIi", "realtime boottime cgroup memory_peak flags end_error"),
    "stop": (6, (896, 1024), "<IIIIQQQII", "cause signal whom uid realtime boottime deadline kill_sent reserved"),
    "signal": (7, (1152, 1280), "<IIIIQQQII", "cause signal whom uid realtime boottime deadline kill_sent reserved"),
    "rest": (31, (1920, 3104), "<IIIIQQQII", "cause signal whom uid realtime boottime deadline kill_sent reserved"),
    "said": (8, (1408, 1536), "<IiiiQQ", "flags error exit_status main_pid realtime boottime"),
    "progress": (9, (1664, 1792), "<QQ", "done total"),
    "cgroup": (10, (2048,), None, ""),
    "counters": (40, (3200,), "<12Q", "cpu_user cpu_system cpu_throttled memory_max oom_kills oom_group_kills oom_own "
                 "io_read io_written io_reads io_writes refused_forks"),
    "clocks": (30, (3840, 3968), "<IIQQQ", "flags frozen_by frozen silent limit"),
    "asked": (21, (3712,), "<IIQQ", "cause uid realtime boottime"),
    "retry_after": (20, (3456, 3584), None, ""),
    "status": (11, (4096, 8448), None, ""),
    "result": (12, (12800, 17152), None, ""),
    "origin": (13, (21504,), None, ""),
}

NEVER = 2**64 - 1
# enum faf_stop_cause
KILL, SIGNAL, TIMEOUT_START, LEFTOVERS, SHUTDOWN, STOPPING = range(1, 7)
STORED = 16
RUNTIME, WATCHDOG, SILENCE, RESTART, FREEZE, THAW = range(10, 16)
FROZEN, SILENT = 1, 2

EXIT_CODE, EXIT_SIGNAL, EXIT_CORE, EXIT_NOT_STARTED, EXIT_UNKNOWN = 1, 2, 3, 4, 5


class Record:
    """The bytes of one record. Changes are made in memory; `write` puts them into a file."""

    def __init__(self, data):
        self.data = bytearray(data)

    @classmethod
    def read(cls, path):
        # A POSIX lock belongs to a process: reading here never drops the shim's.
        with open(path, "rb") as file:
            return cls(file.read())

    def write(self, path):
        with open(path, "wb") as file:
            file.write(self.data)
        os.chmod(path, 0o600)

    def copy(self):
        return Record(self.data)

    def _valid(self, tag, at):
        if len(self.data) < at + SLOT.size:
            return None
        found, length, sequence, crc, reserved = SLOT.unpack_from(self.data, at)
        end = at + SLOT.size + length
        if found != tag or sequence == 0 or end > len(self.data):
            return None
        body = SLOT.pack(found, length, sequence, 0, reserved) + bytes(self.data[at + SLOT.size : end])
        if zlib.crc32(body) != crc:
            return None
        return sequence, body[SLOT.size :]

    def payload(self, name):
        """The bytes of a slot's newest valid copy; None: there is none."""
        tag, places, _, _ = SLOTS[name]
        copies = [copy for copy in (self._valid(tag, at) for at in places) if copy]
        return max(copies)[1] if copies else None

    def get(self, name):
        """The fields of a slot by name, or its text; None: never written, or damaged."""
        payload = self.payload(name)
        _, _, layout, fields = SLOTS[name]
        if payload is None or layout is None:
            return payload
        return dict(zip(fields.split(), struct.unpack(layout, payload[: struct.calcsize(layout)])))

    def put(self, name, values):
        """Writes a slot with the right checksum (into its first copy; the other one is forgotten)."""
        tag, places, layout, fields = SLOTS[name]
        payload = values if layout is None else struct.pack(layout, *(values[field] for field in fields.split()))
        old = self._valid(tag, places[0])
        sequence = (old[0] if old else 0) + 1
        self.forget(name)
        head = SLOT.pack(tag, len(payload), sequence, 0, 0)
        body = SLOT.pack(tag, len(payload), sequence, zlib.crc32(head + payload), 0) + payload
        end = places[0] + len(body)
        if len(self.data) < end:
            self.data.extend(bytes(end - len(self.data)))
        self.data[places[0] : end] = body

    def change(self, name, **values):
        self.put(name, {**self.get(name), **values})

    def forget(self, *names):
        """Makes slots look as if they had never been written."""
        for name in names:
            tag, places, layout, _ = SLOTS[name]
            for at in places:
                length = SLOT.size + (struct.calcsize(layout) if layout else 4096)
                end = min(at + length, len(self.data))
                if at < end:
                    self.data[at:end] = bytes(end - at)

    def damage(self, name):
        """Flips one bit of a slot's payload: its checksum no longer fits."""
        for at in SLOTS[name][1]:
            if at + SLOT.size < len(self.data):
                self.data[at + SLOT.size] ^= 0x10

    def back_to_gate(self):
        """As it was before the shim had its go."""
        self.forget(
            "passed", "started", "exited", "emptied", "stop", "rest", "signal", "said", "progress", "clocks", "status", "result"
        )

    @property
    def invocation(self):
        head = self.get("head")
        return f"{head['invocation_high']:016x}{head['invocation_low']:016x}"

    @property
    def run(self):
        return self.get("head")["run"]
