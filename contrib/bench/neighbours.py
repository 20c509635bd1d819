"""faf and what people use instead of it, each started in a place of its own and asked to run the same two programs."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

TAG = "FAF_BENCH_TAG"
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it does not come up")
        time.sleep(0.01)


def end(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def remove_cgroup(path):
    if path.exists():
        until(lambda: "populated 0" in (path / "cgroup.events").read_text())
        for directory, _, _ in os.walk(path, topdown=False):
            os.rmdir(directory)


class Neighbour:
    """One of them. `fire` and `sleep` are command lines that lead to `mark FIFO`, or `sleeper FIFO`, being run."""

    name = ""
    # Programs without which it cannot be measured.
    needs = ()
    # A fire takes so many times as long as the quick ones: it is fired so many times less.
    slowness = 1
    # How many sleepers it is asked for.
    sleepers = 1000
    # So many names it has for its programs; 0: as many as it is asked for.
    names = 0
    # Arguments of `kept` for fires over a kept connection.
    kept = None

    def __init__(self, bench):
        self.bench = bench
        self.place = bench.place / type(self).__name__.lower()
        self.processes = []
        self.number = 0
        self.environment = {**os.environ, TAG: type(self).__name__}

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
        self.place.mkdir(mode=0o755)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        end(self.pids())
        shutil.rmtree(self.place, ignore_errors=True)

    def pids(self):
        """Its processes, and those that it started."""
        mark = f"{TAG}={type(self).__name__}".encode()
        found = {process.pid for process in self.processes if process.poll() is None}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.add(int(entry.name))
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


class Faf(Neighbour):
    name = "**faf**"

    def __init__(self, bench):
        super().__init__(bench)
        self.programs = bench.faf

    def start(self):
        super().start()
        (self.place / "units").mkdir(mode=0o755)
        for program in ("mark", "sleeper"):
            unit = self.place / f"units/{program}.task"
            unit.write_text(f"[Task]\nExecStart={self.bench.programs}/{program}\n\n[Parameters]\nfifo=string\n")
            unit.chmod(0o644)
        self.socket = self.place / "run/fafd.sock"
        self.spawn_fafd()
        until(self.socket.exists)
        call = {"method": "io.faf.Supervisor.Fire",
                "parameters": {"task": "mark", "parameters": {"fifo": str(self.bench.fifo)}}}
        self.kept = [str(self.socket), json.dumps(call)]

    def spawn_fafd(self):
        faf, place = self.programs, self.place
        return self.spawn(f"{faf}/fafd", "--runtime-directory", f"{place}/run", "--state-directory", f"{place}/state",
                          "--logs-directory", f"{place}/log", "--units", f"{place}/units", "--shim", f"{faf}/faf-shim")

    def command(self, program):
        return [f"{self.programs}/faf", "fire", program.name, f"--socket={self.socket}", f"--fifo={self.bench.fifo}"]

    def pids(self):
        """Also the shims, whose environment is not that of fafd."""
        found = super().pids()
        children = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
        waiting = list(found)
        while waiting:
            for pid in children.get(waiting.pop(), []):
                if pid not in found:
                    found.add(pid)
                    waiting.append(pid)
        return found

    def stop(self):
        # The shims outlive fafd.
        everybody = self.pids()
        for process in self.processes:
            process.terminate()
            process.wait()
        end(everybody)
        state = (self.place / "state").stat()
        if self.bench.cgroup:
            remove_cgroup(self.bench.cgroup.parent / f"faf-{state.st_dev}-{state.st_ino}")
        super().stop()


class FafOld(Faf):
    """Another build of faf, to compare with."""

    name = "faf-old"

    def __init__(self, bench):
        super().__init__(bench)
        self.programs = bench.older


class Probe(Neighbour):
    name = "probe: durable, cgroup, in C"

    def start(self):
        super().start()
        self.socket = self.place / "socket"
        more = {"PROBE_SYNC": "1"}
        self.cgroup = self.bench.cgroup and self.bench.cgroup / "probe"
        if self.cgroup:
            self.cgroup.mkdir()
            more["PROBE_CG"] = str(self.cgroup)
        self.spawn(f"{self.bench.programs}/probe", "daemon", str(self.socket), f"{self.place}/runs", **more)
        until(self.socket.exists)
        self.kept = ["-p", str(self.socket), f"{self.bench.programs}/mark", str(self.bench.fifo)]

    def command(self, program):
        return [f"{self.bench.programs}/probe", "fire", str(self.socket), str(program), str(self.bench.fifo)]

    def stop(self):
        super().stop()
        if self.cgroup:
            remove_cgroup(self.cgroup)


class TaskSpooler(Neighbour):
    name = "task-spooler"
    needs = ("tsp",)

    def start(self):
        super().start()
        self.environment.update(TS_SOCKET=f"{self.place}/socket", TMPDIR=str(self.place), TS_SLOTS="2000",
                                TS_MAXFINISHED="100000", TS_MAXCONN="2000")
        subprocess.run(["tsp"], env=self.environment, check=True, **QUIET)

    def command(self, program):
        return ["tsp", "-n", str(program), str(self.bench.fifo)]


class Nq(Neighbour):
    name = "nq"
    needs = ("nq",)

    def start(self):
        super().start()
        self.environment["NQDIR"] = str(self.place)

    def command(self, program):
        # A queue has one job at a time: each sleeper needs one of its own.
        directory = [] if program.name == "mark" else ["env", f"NQDIR={self.place}/@ID@"]
        return [*directory, "nq", "-c", "-q", str(program), str(self.bench.fifo)]


class At(Neighbour):
    name = "at now"
    needs = ("at", "/usr/sbin/atd")
    slowness = 3

    def start(self):
        super().start()
        for name in ("mark", "sleeper"):
            (self.place / name).write_text(f"exec {self.bench.programs}/{name} {self.bench.fifo}\n")
        self.spawn("/usr/sbin/atd", "-f", "-l", "1000", "-b", "1")
        time.sleep(1)

    def command(self, program):
        return ["at", "-M", "-f", f"{self.place}/{program.name}", "now"]


class Supervisor(Neighbour):
    """Programs are declared beforehand; a fire is the start of one that is not running."""

    name = "supervisor"
    needs = ("supervisord", "supervisorctl")
    slowness = 10
    sleepers = 100
    names = 400

    def start(self):
        super().start()
        programs = "".join(
            f"[program:{name}]\ncommand={self.bench.programs}/{name} {self.bench.fifo}\nprocess_name=%(process_num)d\n"
            f"numprocs={number}\nautostart=false\nautorestart=false\nstartsecs=0\nstdout_logfile=NONE\n"
            "stderr_logfile=NONE\n" for name, number in (("mark", self.names), ("sleeper", self.sleepers)))
        (self.place / "conf").write_text(
            f"[unix_http_server]\nfile={self.place}/socket\n[supervisord]\nlogfile={self.place}/log\n"
            f"pidfile={self.place}/pid\nchildlogdir={self.place}\nminfds=8192\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[supervisorctl]\nserverurl=unix://{self.place}/socket\n" + programs)
        self.spawn("supervisord", "-n", "-c", f"{self.place}/conf")
        until((self.place / "socket").exists)

    def command(self, program):
        return ["supervisorctl", "-c", f"{self.place}/conf", "start", f"{program.name}:@ID@"]


class Conmon(Neighbour):
    name = "conmon"
    needs = ("conmon",)
    slowness = 2

    def start(self):
        super().start()
        # Compiled into Debian's conmon: without it every launch exits 1 and says nothing.
        os.makedirs("/run/crio", exist_ok=True)
        # conmon runs `RUNTIME create --bundle B --pid-file P ID`: the stand-in starts the program of the bundle.
        runtime = self.place / "runtime"
        runtime.write_text(
            "#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in --bundle) b=$2; shift;; --pid-file) p=$2; shift;; create) c=1;;"
            " esac; shift; done\n[ -n \"$c\" ] || exit 0\n$(cat $b/command) </dev/null >/dev/null 2>&1 &\n"
            "echo -n $! >$p\n")
        runtime.chmod(0o755)
        (self.place / "exit").mkdir()
        for name in ("mark", "sleeper"):
            (self.place / name).mkdir()
            (self.place / name / "command").write_text(f"{self.bench.programs}/{name} {self.bench.fifo}")

    def command(self, program):
        name = f"{program.name}@ID@"
        return ["conmon", "-c", name, "-u", name, "-n", name, "-r", f"{self.place}/runtime", "-b",
                f"{self.place}/{program.name}", "-p", f"{self.place}/{name}.pid", "--log-path",
                f"k8s-file:{self.place}/log", "--exit-dir", f"{self.place}/exit"]


ALL = [Faf, FafOld, Probe, TaskSpooler, Nq, At, Conmon, Supervisor]
