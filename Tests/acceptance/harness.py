"""A fafd of its own in a directory of its own, and the few verbs that the tests need."""

import contextlib
import glob
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest
import records
import system
import wire
from system import wait_for

ALICE, BOB, STRANGER = 2001, 2002, 2003

# Exit codes of faf.
USAGE, BAD_INPUT, NOT_FOUND, NO_FAFD, OTHER, TEMPORARY, REFUSED = 64, 65, 66, 69, 70, 75, 77

FINAL = {"succeeded", "failed", "killed", "timed-out", "cancelled", "lost"}

MARK = """#!/bin/sh
echo "$FAF_RUN $FAF_ATTEMPT $INVOCATION_ID" >> "{path}"
"""

# Runs what a test tells it, inside the task: see Puppet.
PUPPET = r'''#!/usr/bin/python3
import json, os, signal, socket, sys, time
path = os.path.join(os.path.dirname(os.environ["PUPPET_OUT"] + "/"), "p." + os.environ["FAF_RUN"])
try:
    os.unlink(path)
except FileNotFoundError:
    pass
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(path + ".new")
os.chmod(path + ".new", 0o777)
listener.listen(5)
os.rename(path + ".new", path)
names = {"os": os, "sys": sys, "socket": socket, "signal": signal, "time": time, "json": json}
exec("""
def notify(text, descriptors=(), path=None):
    data = text if isinstance(text, bytes) else text.encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(path or os.environ["NOTIFY_SOCKET"])
        if descriptors:
            socket.send_fds(sender, [data], list(descriptors))
        else:
            sender.send(data)
def barrier(timeout=5):
    import select
    reader, writer = os.pipe()
    notify("BARRIER=1", [writer])
    os.close(writer)
    ready = select.select([reader], [], [], timeout)[0]
    ended = bool(ready) and os.read(reader, 1) == b""
    os.close(reader)
    return ended
""", names)
while True:
    connection, _ = listener.accept()
    with connection, connection.makefile("rwb") as file:
        for line in file:
            names["result"] = None
            try:
                exec(json.loads(line), names)
                reply = {"result": names["result"]}
            except Exception as error:
                reply = {"error": repr(error)}
            file.write(json.dumps(reply).encode() + b"\n")
            file.flush()
'''


def for_each(cases, check):
    """Checks all cases with one fafd, and fails with the list of those that are not as they should be."""
    failures = []
    for case in cases:
        try:
            check(*case) if isinstance(case, tuple) else check(case)
        except (Exception, pytest.fail.Exception) as error:
            failures.append(f"{case!r}: {type(error).__name__}: {error}")
    assert not failures, "\n".join(failures)


class Daemon:
    """One fafd process."""

    def __init__(self, process, log):
        self.process = process
        self.pid = process.pid
        self.log = log
        self.cgroup = None

    def is_alive(self):
        return self.process.poll() is None

    def descriptors(self):
        return system.descriptors(self.pid)


class Puppet:
    """A running task that does what it is told: `puppet("result = os.getpid()")` gives the result."""

    def __init__(self, faf, run):
        self.faf = faf
        self.run = run
        path = f"{faf.out}/p.{run}"
        wait_for(lambda: os.path.exists(path), 10, lambda: f"the puppet listens; its run is {faf.run(run)}")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.file = self.socket.makefile("rwb")

    def tell(self, code):
        """Sends and does not wait for the answer."""
        self.file.write(json.dumps(code).encode() + b"\n")
        self.file.flush()

    def __call__(self, code):
        self.tell(code)
        line = self.file.readline()
        if not line:
            raise AssertionError("the puppet is gone")
        reply = json.loads(line)
        if "error" in reply:
            raise AssertionError(f"in the task: {reply['error']}")
        return reply["result"]

    def notify(self, data, barrier=True):
        """Sends one datagram; with `barrier` it is in the record when this returns."""
        text = f"bytes.fromhex('{data.hex()}')" if isinstance(data, bytes) else repr(data)
        after = "; result = barrier()" if barrier else ""
        answered = self(f"notify({text}){after}")
        assert answered or not barrier, "BARRIER=1 was not answered"

    def close(self):
        self.file.close()
        self.socket.close()


class Faf:
    """Programs, directories and daemons of one test."""

    def __init__(self, programs, user_mode=False, uid=None):
        self.programs = programs
        self.user_mode = user_mode
        self.uid = uid
        self.root = os.geteuid() == 0
        self.base = tempfile.mkdtemp(prefix="faft.", dir="/var/lib" if self.root else None)
        # Sockets have 107 bytes, and /run may be noexec: scripts and state lie elsewhere.
        self.runtime = tempfile.mktemp(prefix="faft.", dir="/run") if self.root else self.base + "/r"
        self.state = self.base + "/state"
        # All that a fafd of this test was started on.
        self.states = {self.state}
        self.logs = self.base + "/log"
        self.units = self.base + "/units"
        self.scripts = self.base + "/s"
        self.out = self.base + "/out"
        os.chmod(self.base, 0o755)
        for path, mode in ((self.units, 0o755), (self.scripts, 0o755), (self.out, 0o1777)):
            os.mkdir(path)
            os.chmod(path, mode)
        if uid is not None:
            # User mode as somebody else: all is his, and his runtime directory is his own.
            for path in (self.base, self.units, self.scripts):
                os.chown(path, uid, uid)
            os.mkdir(self.runtime, 0o700)
            os.chown(self.runtime, uid, uid)
        self.daemons = []
        self.puppets = []
        self.children = []
        self.started = 0

    # ------------------------------------------------------------ fafd

    @property
    def socket_path(self):
        return self.runtime + "/fafd.sock"

    @property
    def daemon(self):
        return self.daemons[-1]

    @property
    def pid(self):
        return self.daemon.pid

    def command(self, *more, runtime=None, state=None, units=None):
        mode = ["--user"] if self.user_mode or not self.root else []
        state = state or self.state
        self.states.add(state)
        return [
            self.programs + "/fafd",
            *mode,
            "--runtime-directory",
            runtime or self.runtime,
            "--state-directory",
            state,
            "--logs-directory",
            self.logs,
            "--units",
            units or self.units,
            # Logs are in files, whatever this machine has; what is tested with a journal says so in `more`.
            "--journal-directory",
            self.base + "/no-journal",
            *more,
        ]

    def environment(self):
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        if self.user_mode or not self.root:
            environment.update(HOME=self.base, XDG_RUNTIME_DIR=self.runtime)
        return environment

    def spawn(self, *more, environment=None, prefix=(), command=None, **popen):
        """Starts a fafd and does not wait for anything. Its NOTIFY_SOCKET is `daemon.ready`."""
        self.started += 1
        name = f"{self.base}/n{self.started}"
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ready.bind(name)
        os.chmod(name, 0o777)
        log = f"{self.base}/fafd.{self.started}.log"
        ids = {"user": self.uid, "group": self.uid, "extra_groups": []} if self.uid is not None else {}
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [*prefix, *(command or self.command(*more))],
                env={**self.environment(), "NOTIFY_SOCKET": name, **(environment or {})},
                **{"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, "cwd": "/", **ids, **popen},
            )
        daemon = Daemon(process, log)
        daemon.ready = ready
        self.daemons.append(daemon)
        return daemon

    def start(self, *more, timeout=20, **options):
        """Starts a fafd and waits for its READY=1."""
        daemon = self.spawn(*more, **options)
        deadline = time.monotonic() + timeout
        while True:
            if select.select([daemon.ready], [], [], 0.02)[0] and b"READY=1" in daemon.ready.recv(4096).split(b"\n"):
                daemon.cgroup = self.cgroup
                return daemon
            if daemon.process.poll() is not None:
                raise AssertionError(f"fafd ended with {daemon.process.returncode}: {self.log_text()[-2000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"fafd is not ready after {timeout} s: {self.log_text()[-2000:]}")

    def stop(self):
        """A clean stop: SIGTERM."""
        self.daemon.process.terminate()
        status = self.daemon.process.wait(15)
        assert status == 0, f"fafd ended with {status} after SIGTERM"

    def kill9(self):
        self.daemon.process.kill()
        self.daemon.process.wait(15)

    def restart(self, **options):
        self.kill9()
        return self.start(**options)

    def log_text(self):
        return "".join(system.read(daemon.log) for daemon in self.daemons)

    def pause(self):
        """SIGSTOP for fafd: nothing that the shims promise may need it."""
        os.kill(self.pid, signal.SIGSTOP)
        wait_for(lambda: system.process_state(self.pid) in ("T", "t"), 5)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    # ------------------------------------------------------------ units and scripts

    def unit(self, name, text=None, **settings):
        """Writes a unit (or, with a slash in the name, a drop-in): its text, or settings of [Task]; fafd reads it."""
        path = pathlib.Path(self.units, name if "/" in name or name.endswith(".task") else name + ".task")
        path.parent.mkdir(mode=0o755, exist_ok=True)
        if text is None:
            lines = ["[Task]"]
            for key, value in settings.items():
                lines += [f"{key}={one}" for one in (value if isinstance(value, list) else [value])]
            text = "\n".join(lines) + "\n"
        # Written aside and renamed: fafd may be reading.
        aside = path.with_name(".new." + path.name)
        aside.write_bytes(text if isinstance(text, bytes) else text.encode())
        aside.chmod(0o644)
        if self.uid is not None:
            os.chown(aside, self.uid, self.uid)
            os.chown(path.parent, self.uid, self.uid)
        aside.rename(path)
        self.reload()
        return str(path)

    def reload(self):
        """A running fafd reads its units again."""
        if self.daemons and self.daemon.is_alive() and os.path.exists(self.socket_path):
            self.call("Reload")

    def script(self, name, text, mode=0o755, owner=None, directory=None):
        """Writes a script and gives its path; without #! it is one of sh."""
        path = os.path.join(directory or self.scripts, name)
        if not text.startswith("#!"):
            text = "#!/bin/sh\n" + text
        with open(path, "w") as file:
            file.write(text)
        if owner is None:
            owner = self.uid
        if owner is not None:
            os.chown(path, owner, owner)
        os.chmod(path, mode)
        return path

    def task(self, name, script, **settings):
        """A unit with a script of the same name."""
        path = self.script(name, script)
        return self.unit(name, **{"ExecStart": path, **settings})

    def marker(self, name="mark", more="", **options):
        """A script that appends a line for each execution; `marks(name)` counts them."""
        return self.script(name, MARK.format(path=f"{self.out}/m.{name}") + more, **options)

    def marks(self, name="mark"):
        return system.read(f"{self.out}/m.{name}").splitlines()

    def puppet_unit(self, name="puppet", **settings):
        path = self.script(name, PUPPET)
        self.unit(
            name, **{"ExecStart": path, "Environment": f"PUPPET_OUT={self.out}", "TimeoutStopSec": "5s", **settings}
        )

    def puppet(self, name="puppet", **ids):
        """Fires a puppet (see `puppet_unit`) and waits until it listens."""
        puppet = Puppet(self, self.fire(name, **ids))
        self.puppets.append(puppet)
        return puppet

    def output(self, name):
        """What a script left in the out directory."""
        return pathlib.Path(self.out, name)

    # ------------------------------------------------------------ faf

    def faf(self, *arguments, uid=None, gid=None, groups=(), check=None, environment=None, timeout=30, **options):
        """Runs the CLI; `check` is the exit code that it must have."""
        command, how = self.cli(arguments, uid, gid, groups, environment)
        done = subprocess.run(command, timeout=timeout, **{**how, **options})
        if check is not None:
            assert (
                done.returncode == check
            ), f"faf {' '.join(map(str, arguments))} ended with {done.returncode}, not {check}\n{done.stdout}\n{done.stderr}"
        return done

    def cli(self, arguments, uid=None, gid=None, groups=(), environment=None):
        """How the CLI is called by this user."""
        if uid is None and self.uid is not None:
            uid = self.uid
        ids = {}
        if uid is not None:
            ids = {"user": uid, "group": uid if gid is None else gid, "extra_groups": list(groups)}
        variables = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "FAF_SOCKET": self.socket_path, **(environment or {})}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        how = {"encoding": "utf-8", "errors": "surrogateescape", "cwd": "/", "env": variables, **streams, **ids}
        return [self.programs + "/faf", *map(str, arguments)], how

    def spawn_faf(self, *arguments, **who):
        """Starts the CLI and does not wait for it."""
        command, how = self.cli(arguments, **who)
        return subprocess.Popen(command, **how)

    def fire(self, task, *arguments, **options):
        """The number of a new run."""
        done = self.faf("fire", task, *arguments, check=0, **options)
        lines = done.stdout.split("\n")
        assert len(lines) == 2 and lines[0].isdigit() and lines[1] == "", f"not a number alone: {done.stdout!r}"
        return int(lines[0])

    def refused(self, *arguments, code=REFUSED, **options):
        """The error text of a verb that must end with this exit code (or one of several)."""
        done = self.faf(*arguments, **options)
        codes = code if isinstance(code, (tuple, set, list)) else (code,)
        assert (
            done.returncode in codes
        ), f"faf {' '.join(map(str, arguments))} ended with {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def json(self, *arguments, **options):
        return json.loads(self.faf(*arguments, "--json", check=0, **options).stdout)

    # ------------------------------------------------------------ the wire

    def wire(self, uid=None, gid=None, groups=(), **options):
        if uid is None and self.uid is not None:
            uid = self.uid
        return wire.Wire(self.socket_path, uid, gid, groups, **options)

    def call(self, method, parameters=None, **ids):
        with self.wire(**ids) as connection:
            return connection.call(method, parameters)

    def run(self, number):
        return self.call("GetRun", {"run": number})["run"]

    def attempt(self, number):
        """The latest attempt of a run."""
        return self.run(number)["attempts"][-1]

    def runs(self, limit=-1):
        with self.wire() as connection:
            return [run for reply in connection.stream("ListRuns", {"limit": limit}) for run in reply["runs"]]

    def traced(self, *arguments):
        """strace(1) on fafd's threads. Only those that are there are traced: a look at the database makes those on which
        it is read and written."""
        self.runs()
        return system.Strace(self.pid, *arguments)

    def wait_state(self, number, *states, timeout=15):
        """The run, once it is in one of these states."""
        seen = {}

        def reached():
            seen["run"] = self.run(number)
            return seen["run"] if seen["run"]["state"] in states else None

        return wait_for(reached, timeout, lambda: f"run {number} is {states}; it is {seen['run']}")

    def wait(self, number, timeout=15):
        """The run, once it is over."""
        return self.wait_state(number, *FINAL, timeout=timeout)

    def ends(self, number, state, kind=None, exit_status=None, timeout=15):
        """The run, over, as it must have ended."""
        run = self.wait(number, timeout)
        assert run["state"] == state, run
        if kind is not None:
            assert run["reason"]["kind"] == kind, run
        if exit_status is not None:
            assert run["attempts"][-1].get("exitStatus") == exit_status, run
        return run

    def running(self, number, timeout=10):
        """The run, once its script runs."""
        seen = {}

        def reached():
            run = seen["run"] = self.run(number)
            assert run["state"] not in FINAL, f"already over: {run}"
            return run if run["state"] == "running" and run["attempts"][-1].get("mainPid") else None

        return wait_for(reached, timeout, lambda: f"runs: {seen['run']}")

    def main_pid(self, number):
        return self.running(number)["attempts"][-1]["mainPid"]

    def shim_pid(self, number):
        return self.running(number)["attempts"][-1]["shimPid"]

    def kill(self, number, *arguments, **ids):
        self.faf("kill", str(number), *arguments, check=0, **ids)

    # ------------------------------------------------------------ what lies on disk

    def record_path(self, invocation):
        return f"{self.runtime}/runs/{invocation}"

    def end_path(self, invocation):
        return f"{self.state}/ends/{invocation}"

    def record(self, invocation):
        return records.Record.read(self.record_path(invocation))

    def live_records(self):
        return [name for name in system.listdir(self.runtime + "/runs") if len(name) == 32]

    def ends_on_disk(self):
        return [name for name in system.listdir(self.state + "/ends") if len(name) == 32]

    def notify_sockets(self):
        return system.listdir(self.runtime + "/notify")

    def is_clean(self):
        """Nothing of any attempt is left: no record, end, socket or cgroup."""
        return not (self.live_records() or self.ends_on_disk() or self.notify_sockets() or self.attempt_cgroups())

    def copy_store(self, name):
        """A copy of the database, made while no fafd runs."""
        directory = f"{self.base}/{name}"
        os.mkdir(directory, 0o700)
        for path in glob.glob(self.state + "/faf.db*"):
            shutil.copy2(path, directory)
        return directory

    def restore_store(self, directory):
        for path in glob.glob(self.state + "/faf.db*"):
            os.unlink(path)
        for path in glob.glob(directory + "/faf.db*"):
            shutil.copy2(path, self.state)

    # ------------------------------------------------------------ cgroups

    @property
    def cgroup(self):
        """The subtree of this fafd's tasks: named by a holder, or after the state directory; None without one."""
        return self.cgroup_of(self.state)

    def cgroup_of(self, state):
        path = system.read(self.runtime + "/tasks").strip()
        if not path and system.cgroup2_root() and os.path.isdir(state):
            found = os.stat(state)
            path = f"{system.cgroup2_root()}/faf-{found.st_dev}-{found.st_ino}"
        return path if path and os.path.isdir(path) else None

    def attempt_cgroups(self):
        """The attempts' cgroups that are there, by name (RUN.ATTEMPT)."""
        return [name for name in system.listdir(f"{self.cgroup}/t") if name[:1].isdigit()] if self.cgroup else []

    def attempt_cgroup(self, run, attempt=1):
        return f"{self.cgroup}/t/{run}.{attempt}"

    def private_directories(self):
        """What PrivateTmp=yes has made for runs of this test; a fafd that is killed cleans up at its next start."""
        found = []
        for state in self.states:
            if os.path.isdir(state):
                mark = f"faf-private-{os.stat(state).st_dev}-{os.stat(state).st_ino}-"
                found += [f"{top}/{name}" for top in ("/tmp", "/var/tmp") for name in os.listdir(top) if mark in name]
        return found

    def mother(self):
        """The mother of the shims, as fafd's child; None: there is none now.

        Shims have her command line; those of an earlier mother are fafd's children, too, and have a record open.
        """
        for pid in system.children(self.pid):
            if system.is_running(pid) and "--mother" in system.read(f"/proc/{pid}/cmdline"):
                if not any(self.runtime in path for path in system.descriptors(pid).values()):
                    return pid
        return None

    # ------------------------------------------------------------ other things that a test starts

    def helper(self, *command, **options):
        """A process beside faf; it is ended with the test."""
        process = subprocess.Popen(command, **{"stdin": subprocess.DEVNULL, **options})
        self.children.append(process)
        return process

    def mount_tmpfs(self, path, options):
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "faft", path], check=True)
        return path

    # ------------------------------------------------------------ the end

    def processes(self):
        """Every process that belongs to this test: by its cgroup, or by what it has open or was started with."""
        found = set(system.cgroup_pids(self.cgroup)) if self.cgroup else set()
        keys = (self.base + "/", self.runtime + "/")
        for pid in system.all_pids():
            if pid in found or pid == os.getpid() or pid in [daemon.pid for daemon in self.daemons]:
                continue
            texts = [
                system.read(f"/proc/{pid}/environ"),
                system.read(f"/proc/{pid}/cmdline"),
                *system.descriptors(pid).values(),
            ]
            if any(key in text for key in keys for text in texts):
                found.add(pid)
        return {pid for pid in found if system.is_running(pid)}

    def clean_up(self):
        """Ends whatever is left, by pid and by this test's own cgroup, and removes all of its files.

        Gives what could not be removed.
        """
        for puppet in self.puppets:
            with contextlib.suppress(OSError):
                puppet.close()
        for process in [daemon.process for daemon in self.daemons] + self.children:
            if process.poll() is None:
                process.kill()
            process.wait(15)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        for daemon in self.daemons:
            daemon.ready.close()
        # A mount over the state directory goes first: the cgroup has the name of what was there at the start.
        cgroups = {daemon.cgroup for daemon in self.daemons} | {self.cgroup_of(state) for state in self.states}
        cgroups.discard(None)
        for _ in range(50):
            for cgroup in cgroups:
                system.remove_cgroup(cgroup)
            left = self.processes()
            if not left:
                break
            for pid in left:
                system.kill_quietly(pid)
            time.sleep(0.02)
        for path in self.private_directories():
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.base, self.runtime):
            system.unmount_below(path)
            shutil.rmtree(path, ignore_errors=True)
        system.reap_orphans({process.pid for process in self.children})
        return [path for path in (*cgroups, self.base, self.runtime) if os.path.exists(path)] + sorted(left)
