"""Where neighbours are measured, and with what."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from neighbour import QUIET, end, remove_cgroup, until

HERE = pathlib.Path(__file__).resolve().parent
# Fires that lie so far apart and so close together, in microseconds.
SPACED, CLOSE = 30000, 2000
# Seconds that one call of a driving program may take, and the sleepers of one neighbour: what takes longer is dropped.
PATIENCE, SLEEPERS_PATIENCE = 60, 20


class Dropped(Exception):
    """A neighbour that is not measured any further; the text says why."""


class Bench:
    """Where all of it happens: compiled programs, a FIFO, a cgroup if there is a unified hierarchy."""

    def __init__(self, faf, older):
        self.faf, self.older = faf, older
        self.cgroup = None
        # Below /var/lib and only root's: fafd runs nothing that somebody else could replace.
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="faf-bench.", dir="/var/lib"))
        self.place.chmod(0o755)
        self.programs, self.fifo = self.place / "bin", self.place / "fifo"
        # Sockets and what lives no longer than its task, which everybody keeps below /run.
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="faf-bench.", dir=in_memory()))
        self.runtime.chmod(0o755)

    def prepare(self):
        self.programs.mkdir(mode=0o755)
        os.mkfifo(self.fifo)
        for name in ("mark", "sleeper", "probe", "runtime", "drive", "kept"):
            self.compile(name, name, "-static")
        for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
            if os.path.exists(f"{root}/cgroup.procs") and os.access(root, os.W_OK):
                self.cgroup = pathlib.Path(root, self.place.name)
                self.cgroup.mkdir()
                break

    def compile(self, source, name, *options):
        command = ["cc", "-O2", "-Wall", "-o", self.programs / name, HERE / f"src/{source}.c", *options]
        subprocess.run(command, check=True)
        return self.programs / name

    def close(self):
        if self.cgroup:
            remove_cgroup(self.cgroup)
        for place in (self.place, self.runtime):
            shutil.rmtree(place, ignore_errors=True)

    def program(self, neighbour, *command):
        """What a driving program prints. It and its clients are a group: none of them is left, whatever happens."""
        driving = subprocess.Popen([str(word) for word in command], env=neighbour.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
        try:
            printed, _ = driving.communicate(timeout=PATIENCE)
            return json.loads(printed)
        except subprocess.TimeoutExpired:
            raise Dropped(f"it took more than {PATIENCE} s") from None
        except json.JSONDecodeError:
            raise Dropped(f"{command[0]} ended with exit status {driving.returncode}") from None
        finally:
            try:
                os.killpg(driving.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            driving.wait()

    def one_by_one(self, neighbour, count, pause):
        # Slow ones get few fires: they are warm after one.
        warm = 5 if neighbour.slowness == 1 else 1
        return self.program(neighbour, *neighbour.inside, self.programs / "drive", "seq", "-n", count, "-f", self.fifo,
                            "-m", self.programs / "mark", "-p", pause, "-w", warm, "-b", neighbour.first(count + warm),
                            "--", *neighbour.fire)

    def rate(self, neighbour, count, clients):
        return self.program(neighbour, *neighbour.inside, self.programs / "drive", "rate", "-n", count, "-f", self.fifo,
                            "-c", clients, "-b", neighbour.first(count), "--", *neighbour.fire)

    def kept(self, neighbour, count, clients):
        return self.program(neighbour, *neighbour.keeper, "-n", count, "-c", clients, "-f", self.fifo, "-m",
                            self.programs / "mark", "-p", CLOSE, *neighbour.kept)

    def memory(self, neighbour, count):
        """Anonymous memory and PSS of its processes, what each of `count` sleepers adds, and how many there were."""
        idle = resident(neighbour.pids())
        deadline = time.monotonic() + SLEEPERS_PATIENCE
        asked = 0
        while asked < count and time.monotonic() < deadline:
            command = [*neighbour.inside, *(str(word).replace("@ID@", str(asked)) for word in neighbour.sleep)]
            try:
                subprocess.run(command, env=neighbour.environment, check=False, timeout=5, **QUIET)
            except subprocess.TimeoutExpired:
                # It takes no more: task-spooler stops short of 1 000.
                break
            asked += 1
        try:
            until(lambda: len(self.sleepers()) >= asked, "all sleepers", 5)
        except TimeoutError:
            pass
        sleepers = self.sleepers()
        full = resident(neighbour.pids() - sleepers)
        end(sleepers)
        until(lambda: not self.sleepers(), "no sleepers")
        return idle[:2], (full[2] - idle[2]) / len(sleepers) if sleepers else float("nan"), len(sleepers)

    def sleepers(self):
        mark = f"{self.programs}/sleeper".encode()
        found = set()
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cmdline").read_bytes().split(b"\0")[0] == mark:
                    found.add(int(entry.name))
            except OSError:
                continue
        return found


def in_memory():
    """A directory of a tmpfs; containers have none on /run."""
    for place in ("/run", "/dev/shm"):
        kind = subprocess.run(["findmnt", "--noheadings", "--output", "FSTYPE", "--target", place], check=False,
                              text=True, stdout=subprocess.PIPE).stdout
        if kind.strip() == "tmpfs":
            return place
    return "/run"


def resident(pids):
    """Anonymous memory, PSS and private pages of them, kB."""
    sums = [0, 0, 0]
    for pid in pids:
        try:
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue
        sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        here = (sizes["Anonymous"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"])
        sums = [before + more for before, more in zip(sums, here)]
    return sums


def settle(seconds=0.5):
    """Until the machine has nothing more to do of what the last neighbour left behind, or for so long."""
    def idle():
        fields = [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
        return fields[3] + fields[4], sum(fields)
    deadline = time.monotonic() + seconds
    before = idle()
    while time.monotonic() < deadline:
        time.sleep(0.1)
        now = idle()
        if now[0] - before[0] > 0.9 * (now[1] - before[1]):
            return
        before = now
