"""What a neighbour is: something that is started in a place of its own and asked to run the same two programs."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

TAG = "FAF_BENCH_TAG"
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.01)


def end(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def remove_cgroup(path):
    """With all that is in it."""
    if path.exists():
        if (path / "cgroup.kill").exists():
            (path / "cgroup.kill").write_text("1")
            until(lambda: "populated 0" in (path / "cgroup.events").read_text(), f"{path} is empty")
        for directory, _, _ in os.walk(path, topdown=False):
            os.rmdir(directory)


def processes():
    """Parents of all processes, by process."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return parents


def descendants(ancestors):
    """They and all that descends from them."""
    found, parents = set(ancestors), processes()
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


class Neighbour:
    """One of them. `fire` and `sleep` are command lines that lead to `mark FIFO`, or `sleeper FIFO`, being run."""

    # What the table calls it, and what the command line does.
    name = key = ""
    # Programs without which it cannot be measured.
    needs = ()
    # A fire takes so many times as long as the quick ones: it is fired so many times less.
    slowness = 1
    # Whether there is a command line for a fire.
    by_cli = True
    # How many sleepers it is asked for.
    sleepers = 1000
    # So many names it has for its programs; 0: as many as it is asked for.
    names = 0
    # What its command lines are run with: a way to where they lead to something.
    inside = ()
    # Arguments of `keeper` for fires over a kept connection; without them it is not asked for any.
    kept = None

    def __init__(self, bench):
        self.bench = bench
        self.place, self.runtime = bench.place / self.key, bench.runtime / self.key
        self.processes = []
        self.number = 0
        self.environment = {**os.environ, TAG: self.key}
        self.keeper = [bench.programs / "kept"]

    @classmethod
    def absent(cls):
        return [program for program in cls.needs if not shutil.which(program)]

    def first(self, count):
        """The first of `count` numbers for @ID@ that no fire of the last time has had."""
        if self.names and self.number + count > self.names:
            self.number = 0
        self.number += count
        return self.number - count

    def spawn(self, *command, **environment):
        self.environment.update(environment)
        process = subprocess.Popen(command, env=self.environment, cwd="/", start_new_session=True, **QUIET)
        self.processes.append(process)
        return process

    def start(self):
        for place in (self.place, self.runtime):
            place.mkdir(mode=0o755)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        end(self.pids())
        for place in (self.place, self.runtime):
            shutil.rmtree(place, ignore_errors=True)

    def pids(self):
        """Its processes, and those that it started."""
        mark = f"{TAG}={self.key}".encode()
        found = {process.pid for process in self.processes if process.poll() is None}
        for pid in processes():
            try:
                if mark in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    found.add(pid)
            except OSError:
                continue
        return found

    @property
    def fire(self):
        return self.command(self.bench.programs / "mark")

    @property
    def sleep(self):
        return self.command(self.bench.programs / "sleeper")

    def command(self, program):
        raise NotImplementedError
