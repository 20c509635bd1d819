"""One qemu process, and the serial line on which it and the tests talk: a JSON object per line."""

import json
import os
import selectors
import signal
import socket
import subprocess
import time

MEMORY = "1024"

# Never KVM: where these tests run it hangs. TCG boots in some 17 s of processor time.
# Each level of page tables costs it time. It goes with whoever started it.
QEMU = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off",
        "-smp", "2", "-m", MEMORY, "-nic", "none", "-display", "none", "-no-reboot", "-no-user-config"]
KERNEL = "root=/dev/nvme0n1 rw mitigations=off nowatchdog systemd.show_status=0 console=ttyS0 loglevel=4"


class Machine:
    def __init__(self, disk, kernel, console, shell=False):
        """`console`: the file that gets what the kernel says. `shell`: a login on this terminal instead of cases."""
        self.began = time.monotonic()
        command = [*QEMU, "-kernel", str(kernel),
                   # writeback: what the guest has flushed is in a file of the host, which outlives qemu.
                   "-drive", f"file={disk},format=raw,if=none,id=disk,cache=writeback",
                   "-device", "nvme,serial=faf,drive=disk"]
        if shell:
            command += ["-serial", "mon:stdio", "-append",
                        f"{KERNEL} systemd.mask=vm-agent.service systemd.wants=vm-shell.service"]
            self.process = subprocess.Popen(command)
            return
        ours, theirs = socket.socketpair()
        with theirs:
            command += ["-serial", f"file:{console}", "-append", KERNEL,
                        "-chardev", f"socket,id=line,fd={theirs.fileno()}", "-serial", "chardev:line"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        self.line = ours
        self.received = b""

    def messages(self, silence):
        """Yields what the guest says until it is off; None after `silence` seconds without a word."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.line, selectors.EVENT_READ)
            while True:
                while b"\n" in self.received:
                    line, self.received = self.received.split(b"\n", 1)
                    try:
                        yield json.loads(line)
                    except ValueError:
                        continue  # half a line: its power was cut
                if not selector.select(silence):
                    yield None
                    continue
                received = self.line.recv(65536)
                if not received:
                    return
                self.received += received

    def send(self, message):
        self.line.sendall(json.dumps(message).encode() + b"\n")

    def cut_power(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wait(self, timeout=60):
        """After the last word: until it is off, by force if need be."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.cut_power()

    def seconds(self):
        return time.monotonic() - self.began


def available():
    return all(any(os.access(f"{folder}/{program}", os.X_OK) for folder in ("/usr/bin", "/usr/sbin", "/sbin"))
               for program in ("qemu-system-x86_64", "mmdebstrap", "mke2fs", "debugfs", "e2fsck"))
