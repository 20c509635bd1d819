"""A raw Varlink connection: JSON objects ended by a NUL byte over AF_UNIX, also as somebody else."""

import ctypes
import json
import platform
import socket
import threading

CALLS = {"x86_64": (116, 119, 117), "aarch64": (159, 149, 147)}  # setgroups, setresgid, setresuid


class WireError(Exception):
    """An error reply."""

    def __init__(self, error, parameters):
        super().__init__(f"{error} {parameters}")
        self.error = error.rsplit(".", 1)[-1]
        self.full = error
        self.parameters = parameters


class Closed(Exception):
    """The other side closed the connection."""


def as_ids(uid, gid, groups, action):
    """What `action` returns, done with these ids: only of one thread, by the raw system calls, so that nothing else of
    this process changes and SO_PEERCRED and SO_PEERGROUPS are the kernel's own."""
    outcome = {}

    def body():
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.argtypes = None
        setgroups, setresgid, setresuid = CALLS[platform.machine()]
        array = (ctypes.c_uint32 * max(1, len(groups)))(*groups)
        for number, arguments in (
            (setgroups, (ctypes.c_long(len(groups)), array)),
            (setresgid, (ctypes.c_uint32(gid),) * 3),
            (setresuid, (ctypes.c_uint32(uid),) * 3),
        ):
            if libc.syscall(ctypes.c_long(number), *arguments) != 0:
                outcome["error"] = OSError(ctypes.get_errno(), "changing ids")
                return
        try:
            outcome["value"] = action()
        except BaseException as error:  # handed over to the caller's thread
            outcome["error"] = error

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def connect(path, uid=None, gid=None, groups=(), timeout=15, bind=None):
    """A connected socket; with `uid`, one whose peer credentials are those ids."""

    def open_one():
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            if bind is not None:
                connection.bind(bind)
            connection.connect(path)
        except BaseException:
            connection.close()
            raise
        return connection

    if uid is None:
        return open_one()
    return as_ids(uid, uid if gid is None else gid, list(groups), open_one)


class Wire:
    """One connection. `call` gives the reply's parameters or raises WireError."""

    def __init__(self, path, uid=None, gid=None, groups=(), timeout=15, bind=None):
        self.socket = connect(path, uid, gid, groups, timeout, bind)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, method, parameters=None, **flags):
        if "." not in method:
            method = "io.faf.Supervisor." + method
        message = {"method": method, **({"parameters": parameters} if parameters is not None else {}), **flags}
        self.send_bytes(json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\0")

    def receive_bytes(self):
        """The next message as it came, without its NUL."""
        while b"\0" not in self.buffer:
            try:
                data = self.socket.recv(1 << 16)
            except (ConnectionResetError, BrokenPipeError):
                data = b""
            if not data:
                raise Closed()
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return message

    def receive(self):
        """The next reply as (parameters, continues)."""
        message = json.loads(self.receive_bytes())
        if "error" in message:
            raise WireError(message["error"], message.get("parameters") or {})
        return message.get("parameters") or {}, bool(message.get("continues"))

    def call(self, method, parameters=None):
        self.send(method, parameters)
        return self.receive()[0]

    def stream(self, method, parameters=None):
        """The replies of a call with `more`, one by one."""
        self.send(method, parameters, more=True)
        while True:
            reply, goes_on = self.receive()
            yield reply
            if not goes_on:
                return

    def send_with_descriptors(self, data, descriptors):
        socket.send_fds(self.socket, [data], descriptors)

    def is_closed(self, timeout=5):
        """The other side closes (within the time), whatever it says before."""
        self.socket.settimeout(timeout)
        try:
            while True:
                if not self.socket.recv(1 << 16):
                    return True
        except (ConnectionResetError, BrokenPipeError):
            return True
        except (TimeoutError, socket.timeout):
            return False
