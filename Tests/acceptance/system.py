"""What the tests ask the kernel: processes, cgroups, mounts, and strace's faults. Waits for facts, never for time."""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_CHILD_SUBREAPER = 36


def wait_for(fact, timeout=10, what=None, every=0.01):
    """The first true value of `fact()`; fails with `what` (text, or a function that gives it) after `timeout` s."""
    deadline = time.monotonic() + timeout
    while True:
        value = fact()
        if value:
            return value
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise AssertionError(f"not so after {timeout} s: {text or getattr(fact, '__name__', fact)}")
        time.sleep(every)


def read(path, default=""):
    """The text of a file of /proc or a cgroup; `default` if it is gone."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return default


def process_state(pid):
    """The letter of /proc/PID/stat (R, S, T, Z ...); None: no such process."""
    text = read(f"/proc/{pid}/stat")
    return text.rpartition(")")[2].split()[0] if text else None


def is_running(pid):
    """It is there, and no zombie."""
    return process_state(pid) not in (None, "Z", "X")


def parent(pid):
    text = read(f"/proc/{pid}/stat")
    return int(text.rpartition(")")[2].split()[1]) if text else None


def start_ticks(pid):
    text = read(f"/proc/{pid}/stat")
    return int(text.rpartition(")")[2].split()[19]) if text else None


def children(pid):
    found = []
    for task in listdir(f"/proc/{pid}/task"):
        found += [int(child) for child in read(f"/proc/{pid}/task/{task}/children").split()]
    return found


def zombies_of(pid):
    return [child for child in children(pid) if process_state(child) == "Z"]


def all_pids():
    return [int(name) for name in listdir("/proc") if name.isdigit()]


def listdir(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def status_field(pid, name):
    """A field of /proc/PID/status, as text."""
    match = re.search(rf"^{name}:\s*(.*)$", read(f"/proc/{pid}/status"), re.M)
    return match.group(1) if match else None


def descriptors(pid):
    """What the descriptors of a process point to, by number."""
    found = {}
    for name in listdir(f"/proc/{pid}/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
    return found


def cpu_seconds(pid):
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kill_quietly(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def become_subreaper():
    """Orphans of what the tests start come to the tests: a container's PID 1 may reap nothing."""
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(known):
    """Takes the status of dead children that no Popen of ours waits for."""
    for pid in zombies_of(os.getpid()):
        if pid not in known:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


# ---------------------------------------------------------------- cgroups


def cgroup2_root():
    """Where the v2 hierarchy is mounted (also of a hybrid one); None: nowhere, or it may not be written."""
    for line in read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        if right.startswith("cgroup2 ") and os.access(left.split()[4], os.W_OK) and os.geteuid() == 0:
            return left.split()[4]
    return None


def cgroup_of(pid):
    """The absolute path of a process's v2 cgroup."""
    match = re.search(r"^0::(.*)$", read(f"/proc/{pid}/cgroup"), re.M)
    return cgroup2_root() + match.group(1).removesuffix(" (deleted)").rstrip("/") if match else None


def cgroup_pids(path):
    """All processes of a cgroup and of those below it."""
    found = []
    for directory, _, _ in os.walk(path):
        found += [int(pid) for pid in read(directory + "/cgroup.procs").split()]
    return found


def remove_cgroup(path):
    """Kills and removes a cgroup with all below it."""
    if not os.path.isdir(path):
        return
    try:
        with open(path + "/cgroup.freeze", "w") as file:
            file.write("0")
        with open(path + "/cgroup.kill", "w") as file:
            file.write("1")
    except OSError:
        pass
    wait_for(lambda: not [pid for pid in cgroup_pids(path) if is_running(pid)], 10, f"{path} is empty")
    for directory, _, _ in os.walk(path, topdown=False):
        for _ in range(100):
            try:
                os.rmdir(directory)
                break
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.01)


# ---------------------------------------------------------------- mounts


def mounts_below(path):
    found = []
    for line in read("/proc/self/mountinfo").splitlines():
        target = line.split()[4].encode().decode("unicode_escape")
        if target == path or target.startswith(path + "/"):
            found.append(target)
    return list(reversed(found))


def unmount_below(path):
    for target in mounts_below(path):
        subprocess.run(["umount", "-l", target], check=False, stderr=subprocess.DEVNULL)


# ---------------------------------------------------------------- strace


class Strace:
    """strace(1) on processes that run already. Leaving the block detaches; the traced go on.

    `threads` traces the existing threads of each process and nothing that they start; `follow` traces what they start,
    too. Its counters (when=K) are per traced thread.
    """

    def __init__(self, pids, *arguments, follow=False, threads=True, log=None):
        self.pids = [pids] if isinstance(pids, int) else list(pids)
        self.follow = follow
        self.threads = threads
        self.arguments = list(arguments)
        self.log = log

    def __enter__(self):
        targets = []
        for pid in self.pids:
            tasks = listdir(f"/proc/{pid}/task") if self.threads and not self.follow else [str(pid)]
            for task in tasks:
                targets += ["-p", task]
        expected = len(targets) // 2
        self.output = self.log or "/dev/null"
        self.process = subprocess.Popen(
            ["strace", *(["-f"] if self.follow else []), "-o", self.output, *self.arguments, *targets],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        attached = 0
        lines = []
        while attached < expected:
            line = self.process.stderr.readline()
            if not line:
                raise AssertionError(f"strace could not attach: {lines}")
            lines.append(line)
            attached += b"attached" in line
        if self.follow:
            for pid in self.pids:
                wait_for(
                    lambda: all(
                        status_field(f"{pid}/task/{task}", "TracerPid") not in (None, "0")
                        for task in listdir(f"/proc/{pid}/task")
                    ),
                    5,
                    "all threads are traced",
                )
        return self

    def __exit__(self, *_):
        if not any(is_running(pid) for pid in self.pids):
            # Nothing to detach from; and it would wait until somebody takes the status of the dead.
            self.process.kill()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stderr.close()


def has_capability(number):
    """This process has the capability (capabilities(7)); containers often withhold CAP_SYS_RESOURCE."""
    return bool(int(status_field("self", "CapEff"), 16) & 1 << number)


CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_NICE, CAP_SYS_RESOURCE = 12, 21, 23, 24


def can_trace():
    """strace(1) is there, and this container lets it work."""
    return (
        has("strace")
        and subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0
    )


def has(program):
    return shutil.which(program) is not None
