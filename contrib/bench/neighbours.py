"""faf and what people use instead of it."""

import json
import os
import pathlib
import subprocess
import time

from celery_redis import Celery
from neighbour import QUIET, Neighbour, descendants, end, remove_cgroup, until
from systemd_run import SystemdRun


class Faf(Neighbour):
    key = "faf"
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
        self.socket = self.runtime / "fafd.sock"
        self.spawn_fafd()
        until(self.socket.exists, "the socket of fafd")
        call = {"method": "io.faf.Supervisor.Fire",
                "parameters": {"task": "mark", "parameters": {"fifo": str(self.bench.fifo)}}}
        self.kept = [str(self.socket), json.dumps(call)]

    def spawn_fafd(self):
        faf, place = self.programs, self.place
        return self.spawn(f"{faf}/fafd", "--runtime-directory", self.runtime, "--state-directory", f"{place}/state",
                          "--logs-directory", f"{place}/log", "--units", f"{place}/units", "--shim", f"{faf}/faf-shim")

    def command(self, program):
        return [f"{self.programs}/faf", "fire", program.name, f"--socket={self.socket}", f"--fifo={self.bench.fifo}"]

    def pids(self):
        """Also the shims, whose environment is not that of fafd."""
        return descendants(super().pids())

    def stop(self):
        # The shims outlive fafd.
        everybody = self.pids()
        state = self.place / "state"
        cgroup = self.bench.cgroup and state.exists() and f"faf-{state.stat().st_dev}-{state.stat().st_ino}"
        super().stop()
        end(everybody)
        if cgroup:
            remove_cgroup(self.bench.cgroup.parent / cgroup)


class FafOld(Faf):
    """Another build of faf, to compare with."""

    key = "faf-old"
    name = "faf-old"

    def __init__(self, bench):
        super().__init__(bench)
        self.programs = bench.older


class Probe(Neighbour):
    key = "probe"
    name = "probe: durable, cgroup, in C"

    def start(self):
        super().start()
        self.socket = self.runtime / "socket"
        more = {"PROBE_SYNC": "1"}
        self.cgroup = self.bench.cgroup and self.bench.cgroup / "probe"
        if self.cgroup:
            self.cgroup.mkdir()
            more["PROBE_CG"] = str(self.cgroup)
        self.spawn(f"{self.bench.programs}/probe", "daemon", str(self.socket), f"{self.place}/runs", **more)
        until(self.socket.exists, "its socket")
        self.kept = ["-q", str(self.socket), f"{self.bench.programs}/mark", str(self.bench.fifo)]

    def command(self, program):
        return [f"{self.bench.programs}/probe", "fire", str(self.socket), str(program), str(self.bench.fifo)]

    def stop(self):
        super().stop()
        if self.cgroup:
            remove_cgroup(self.cgroup)


class TaskSpooler(Neighbour):
    key = "task-spooler"
    name = "task-spooler"
    needs = ("tsp",)

    def start(self):
        super().start()
        self.environment.update(TS_SOCKET=f"{self.runtime}/socket", TMPDIR=str(self.place), TS_SLOTS="2000",
                                TS_MAXFINISHED="100000", TS_MAXCONN="2000")
        subprocess.run(["tsp"], env=self.environment, check=True, **QUIET)

    def command(self, program):
        return ["tsp", "-n", str(program), str(self.bench.fifo)]


class Nq(Neighbour):
    key = "nq"
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
    key = "at"
    name = "at now"
    needs = ("at", "/usr/sbin/atd")
    slowness = 3
    sleepers = 300

    def start(self):
        super().start()
        for name in ("mark", "sleeper"):
            (self.place / name).write_text(f"exec {self.bench.programs}/{name} {self.bench.fifo}\n")
        self.spawn("/usr/sbin/atd", "-f", "-l", "1000", "-b", "1")
        time.sleep(1)

    def command(self, program):
        return ["at", "-M", "-f", f"{self.place}/{program.name}", "now"]

    def stop(self):
        super().stop()
        # What it was asked for and has not begun would be tried by the next atd.
        for job in pathlib.Path("/var/spool/cron/atjobs").glob("a*"):
            if str(self.bench.place) in job.read_text(errors="replace"):
                job.unlink()


class Supervisor(Neighbour):
    """Programs are declared beforehand; a fire is the start of one that is not running."""

    key = "supervisor"
    name = "supervisor"
    needs = ("supervisord", "supervisorctl")
    slowness = 40
    sleepers = 20
    names = 400

    def start(self):
        super().start()
        programs = "".join(
            f"[program:{name}]\ncommand={self.bench.programs}/{name} {self.bench.fifo}\nprocess_name=%(process_num)d\n"
            f"numprocs={number}\nautostart=false\nautorestart=false\nstartsecs=0\nstdout_logfile=NONE\n"
            "stderr_logfile=NONE\n" for name, number in (("mark", self.names), ("sleeper", self.sleepers)))
        (self.place / "conf").write_text(
            f"[unix_http_server]\nfile={self.runtime}/socket\n[supervisord]\nlogfile={self.place}/log\n"
            f"pidfile={self.place}/pid\nchildlogdir={self.place}\nminfds=8192\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[supervisorctl]\nserverurl=unix://{self.runtime}/socket\n" + programs)
        self.spawn("supervisord", "-n", "-c", f"{self.place}/conf")
        until((self.runtime / "socket").exists, "its socket")

    def command(self, program):
        return ["supervisorctl", "-c", f"{self.place}/conf", "start", f"{program.name}:@ID@"]


class Conmon(Neighbour):
    key = "conmon"
    name = "conmon"
    needs = ("conmon",)
    slowness = 2
    sleepers = 300
    names = 1000

    def start(self):
        super().start()
        # Compiled into Debian's conmon: without it every launch exits 1 and says nothing.
        os.makedirs("/run/crio", exist_ok=True)
        # A bundle for each, as podman makes them beforehand: conmon makes and removes FIFOs there, and with one bundle
        # for all it lost up to one fire in fifty, saying nothing.
        for name, count in (("mark", self.names), ("sleeper", self.sleepers)):
            for number in range(count):
                bundle = self.place / f"{name}{number}"
                bundle.mkdir()
                (bundle / "command").write_text(f"{self.bench.programs}/{name} {self.bench.fifo}")

    def command(self, program):
        name = f"{program.name}@ID@"
        return ["conmon", "-c", name, "-u", name, "-n", name, "-r", f"{self.bench.programs}/runtime", "-b",
                f"{self.place}/{name}", "-p", f"{self.runtime}/{name}.pid", "--log-path", f"k8s-file:{self.place}/log",
                "--exit-dir", self.runtime]


ALL = [Faf, FafOld, Probe, TaskSpooler, Nq, At, Conmon, Supervisor, SystemdRun, Celery]
