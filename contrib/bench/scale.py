#!/usr/bin/python3
"""What fafd costs idle, per task and with very many of them: `contrib/bench/scale.py [PART...]`, as root.

Real programs ($FAF_BUILD, or .build/programs of this checkout), directories of its own below /var/lib and /run, a
cgroup of its own; whatever it starts it ends. Prints a row per line with what must and what should be reached. PART:
idle status conditions crowd; without one all, in some five minutes. $FAF_SCALE_RUNS (10000) and $FAF_SCALE_HISTORY
(100000) make the crowd smaller.
"""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path.insert(0, str(CHECKOUT / "Tests/acceptance"))

sys.path.insert(0, str(HERE))

import system  # noqa: E402
from harness import Faf  # noqa: E402
from table import Row, at_most, goals, percentile  # noqa: E402

RUNS = int(os.environ.get("FAF_SCALE_RUNS", 10000))
HISTORY = int(os.environ.get("FAF_SCALE_HISTORY", 100000))
TASKS = 1000
TICK = os.sysconf("SC_CLK_TCK")


def middle(values):
    return percentile(values, .5)


def row(line, value, unit, n, must=None, aim=None, **more):
    """One line; less is better, and `None` promises nothing."""
    return Row(line, value, unit, n, *(at_most(bound) if bound is not None else None for bound in (must, aim)), **more)


def resident(pids):
    """Anonymous memory, PSS and private pages of them, kB."""
    sums = [0, 0, 0]
    for pid in pids:
        sizes = {}
        for line in system.read(f"/proc/{pid}/smaps_rollup").splitlines()[1:]:
            name, _, rest = line.partition(":")
            sizes[name] = int(rest.split()[0])
        if sizes:
            here = (sizes["Anonymous"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"])
            sums = [before + more for before, more in zip(sums, here)]
    return sums


def cpu(pid):
    """Seconds that a process has used."""
    fields = system.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Stage(Faf):
    """A fafd with the tasks of this bench."""

    def __init__(self):
        super().__init__(os.environ.get("FAF_BUILD") or str(CHECKOUT / ".build/programs"))
        self.fifo = self.base + "/fifo"
        os.mkfifo(self.fifo)
        try:
            for name, more in (("mark", "-static"), ("ticker", "-static"), ("kept", "-lsystemd")):
                subprocess.run(["cc", "-O2", "-Wall", "-o", f"{self.scripts}/{name}", HERE / f"src/{name}.c", more],
                               check=True)
        except BaseException:
            super().clean_up()
            raise
        quiet = "StandardOutput=null\nStandardError=null\n"
        for name, text in {
            "sleeper": f"ExecStart={self.scripts}/ticker\n",
            "ticker": f"ExecStart={self.scripts}/ticker 1000\n",
            "watched": f"ExecStart={self.scripts}/ticker\nMemoryAbove=1G\nMemoryIntervalSec=5s\nCPUAbove=500%\n"
                       "CPUIntervalSec=5s\n",
            "mark": f"ExecStart={self.scripts}/mark {self.fifo}\n",
        }.items():
            self.unit(name, f"[Task]\n{text}{quiet}")

    def helpers(self):
        """fafd and the mother of its shims."""
        children = system.read(f"/proc/{self.pid}/task/{self.pid}/children").split()
        for task in system.listdir(f"/proc/{self.pid}/task"):
            children += system.read(f"/proc/{self.pid}/task/{task}/children").split()
        return {self.pid, *map(int, children)}

    def everybody(self):
        return set(system.cgroup_pids(self.cgroup))

    def fire_many(self, task, count):
        """Their numbers, once all of them have said their first status."""
        with self.wire(timeout=120) as wire:
            numbers = [wire.call("Fire", {"task": task, "parameters": {}})["run"]["number"] for _ in range(count)]
        system.wait_for(lambda: sum("status" in run for run in self.active()) >= count, 120, lambda: "all have begun")
        return numbers

    def active(self):
        with self.wire(timeout=120) as wire:
            return [run for reply in wire.stream("ListRuns", {"limit": 0}) for run in reply["runs"]]

    def kept(self, count):
        """Microseconds of fires over a kept connection: until the answer, until the script's first instruction."""
        call = {"method": "io.faf.Supervisor.Fire", "parameters": {"task": "mark", "parameters": {}}}
        done = subprocess.run([f"{self.scripts}/kept", "-n", str(count), "-c", "1", "-f", self.fifo, "-m",
                               f"{self.scripts}/mark", self.socket_path, json.dumps(call)], check=True, text=True, stdout=subprocess.PIPE)
        found = json.loads(done.stdout)
        assert found["arrived"] == count, found
        return found["answer"], found["start"]

    def settle(self):
        """Nothing is under way any more, not even the tidying after some quiet seconds, and nothing waits to be written:
        pages of a fresh binary count as dirty."""
        os.sync()
        before = None
        while before != (before := cpu(self.pid)):
            time.sleep(8)

    def share_of_core(self, seconds):
        """CPU of fafd over a while, in per cent of a core."""
        before, began = cpu(self.pid), time.monotonic()
        time.sleep(seconds)
        return 100 * (cpu(self.pid) - before) / (time.monotonic() - began)

    def clean_up(self):
        for daemon in self.daemons:
            system.kill_quietly(daemon.pid)
        if self.cgroup:
            pathlib.Path(self.cgroup, "cgroup.kill").write_text("1")
            system.wait_for(lambda: "populated 0" in system.read(self.cgroup + "/cgroup.events"), 120)
        system.reap_orphans(set())
        return super().clean_up()


@contextlib.contextmanager
def stage():
    faf = Stage()
    try:
        faf.start()
        yield faf
    finally:
        faf.clean_up()


def idle():
    with stage() as faf:
        faf.kept(1)
        faf.settle()
        fresh = resident(faf.helpers())
        faf.kept(2000)
        faf.settle()
        used = resident(faf.helpers())
        before = resident(faf.everybody())[2], resident([faf.pid])[2]
        faf.fire_many("sleeper", TASKS)
        faf.settle()
        after = resident(faf.everybody())[2], resident([faf.pid])[2]
        sleepers = sum(resident([pid])[2] for pid in system.cgroup_pids(faf.cgroup + "/t"))
        per_task = (after[0] - before[0] - sleepers) / TASKS, (after[1] - before[1]) / TASKS
    for name, sizes in (("one fire", fresh), ("2 000 fires", used)):
        yield row(f"fafd idle after {name}: anonymous", sizes[0] / 1024, "MB", 1, 5, 3, note="with the shims' mother")
        yield row(f"fafd idle after {name}: PSS", sizes[1] / 1024, "MB", 1, 22, 18)
    yield row("per running task: private pages of its shim, and what fafd grows", sum(per_task), "kB", TASKS, 90, 40,
              note=f"{per_task[0]:.0f} of its shim, {per_task[1]:.0f} of fafd")


def status():
    with stage() as faf:
        faf.fire_many("ticker", TASKS)
        time.sleep(2)
        yield row(f"CPU of fafd, {TASKS} tasks with a status per second", faf.share_of_core(20), "% of a core", 1, 5, 2)


def conditions():
    with stage() as faf:
        faf.fire_many("watched", TASKS)
        time.sleep(6)
        yield row(f"CPU of fafd, conditions on memory and CPU of {TASKS} tasks every 5 s", faf.share_of_core(30),
                  "% of a core", 1, 2)


def restart(faf, numbers):
    """Milliseconds from the exec of a new fafd: until it has answered, and until it knows all, by listing them."""
    faf.kill9()
    os.unlink(faf.socket_path)
    began = time.monotonic()
    faf.spawn()
    while True:
        try:
            faf.call("GetInfo")
            break
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.0005)
    answered = time.monotonic() - began
    with faf.wire(timeout=120) as wire:
        wire.send("ListRuns", {"limit": 0}, more=True)
        goes_on, parts = True, []
        while goes_on:
            parts.append(wire.receive_bytes())
            goes_on = b'"continues":true' in parts[-1]
    listed = time.monotonic() - began
    states = [run["state"] for part in parts for run in json.loads(part)["parameters"]["runs"]]
    assert states.count("running") == len(numbers), f"{states.count('running')} of {len(numbers)} are running"
    return answered * 1000, listed * 1000


def remember(faf, count):
    """So many rows of history, copies of the last run that is over; no fafd may run."""
    with contextlib.closing(sqlite3.connect(faf.state + "/faf.db")) as database, database:
        (model, last), = database.execute("SELECT max(id) FILTER (WHERE isFinal), max(id) FROM runs")
        first = last + 1
        for table, key in (("runs", "id"), ("attempts", "run")):
            columns = [column[1] for column in database.execute(f"PRAGMA table_info({table})")]
            values = ["value" if column == key else
                      "printf('%032x', value)" if column == "invocation" else column for column in columns]
            database.execute(
                f"WITH RECURSIVE n(value) AS (VALUES({first}) UNION ALL SELECT value + 1 FROM n "
                f"WHERE value < {first + count - 1}) INSERT INTO {table} ({', '.join(columns)}) "
                f"SELECT {', '.join(values)} FROM n, {table} WHERE {table}.{key} = {model}")


def crowd():
    with stage() as empty:
        empty.kept(100)
        alone = [middle(times) for times in empty.kept(400)]
        with stage() as faf:
            faf.kept(10)
            began = time.monotonic()
            numbers = faf.fire_many("sleeper", RUNS)
            print(f"{RUNS} fired and running after {time.monotonic() - began:.1f} s", file=sys.stderr)
            began = time.monotonic()
            runs = faf.active()
            said = sum(run.get("status") == "1 of many" for run in runs)
            print(f"listed after {(time.monotonic() - began) * 1000:.0f} ms, {said} with their status", file=sys.stderr)
            faf.settle()
            anonymous, pss, _ = resident([faf.pid])
            yield row(f"{RUNS} sleeping runs: fafd, PSS", pss / 1024, "MB", 1, 80, 50, lost=RUNS - said,
                      note=f"anonymous {anonymous / 1024:.1f} MB; lost: not listed with their status")
            rounds = [restart(faf, numbers) for _ in range(5)]
            print("restarts: " + ", ".join(f"{a:.0f}/{b:.0f}" for a, b in rounds), file=sys.stderr)
            for name, times, must, aim in zip(("answers", "has listed all"), zip(*rounds), (100, 2000), (50, 1000)):
                yield row(f"fafd SIGKILLed with {RUNS} runs: {name}", max(times), "ms", len(times), must, aim,
                          note=f"the slowest; the median is {middle(times):.0f}")
            faf.settle()
            faf.kept(100)
            pairs = [(faf.kept(100), empty.kept(100)) for _ in range(4)]
            live = [middle(sum((mine[part] for mine, _ in pairs), [])) for part in (0, 1)]
            faf.kill9()
            remember(faf, HISTORY)
            faf.start()
            faf.settle()
            faf.kept(100)
            pairs = [(faf.kept(100), empty.kept(100)) for _ in range(4)]
            mine, beside = ([middle(sum((pair[side][part] for pair in pairs), [])) for part in (0, 1)]
                            for side in (0, 1))
            print(f"µs until the answer and the start: empty {alone}, {RUNS} live {live}, and {HISTORY} rows {mine}, "
                  f"empty at that time {beside}", file=sys.stderr)
            for name, one, other in zip(("the answer", "the script's start"), mine, beside):
                yield row(f"growth: {name} with {RUNS} runs and {HISTORY} rows, to an empty fafd beside", one / other,
                          "×", 400, 1.5, 1.1)
            anonymous, pss, _ = resident([faf.pid])
            print(f"fafd then: {anonymous / 1024:.1f} / {pss / 1024:.1f} MB", file=sys.stderr)
            began = time.monotonic()
            with faf.wire(timeout=120) as wire:
                for number in numbers:
                    wire.call("Kill", {"run": number})
            asked = time.monotonic() - began
            system.wait_for(lambda: not faf.active(), 300, lambda: "all are killed")
            with contextlib.closing(sqlite3.connect(faf.state + "/faf.db")) as database:
                (killed,), = database.execute("SELECT count(*) FROM runs WHERE state = 'killed'")
            left = RUNS - killed
            yield row(f"{RUNS} kills: all have ended and are stored", time.monotonic() - began, "s", 1, lost=left,
                      note=f"asked for within {asked:.1f} s")
            at_once = resident([faf.pid])[0]
            faf.settle()
            anonymous, pss, _ = resident([faf.pid])
            yield row(f"{RUNS} kills: fafd anonymous, some quiet seconds later", anonymous / 1024, "MB", 1,
                      note=f"PSS {pss / 1024:.1f}; {at_once / 1024:.1f} anonymous at once")


PARTS = {"idle": idle, "status": status, "conditions": conditions, "crowd": crowd}


def rows(names=()):
    """What these parts measure, or all of them, one after another."""
    system.become_subreaper()
    for name in names or PARTS:
        yield from PARTS[name]()


def main():
    if os.geteuid() != 0:
        sys.exit("it takes root: cgroups, and a fafd that serves everybody")
    unknown = [name for name in sys.argv[1:] if name not in PARTS]
    if unknown:
        sys.exit(f"there is no line {unknown[0]}; there are {' '.join(PARTS)}")
    found = []
    for one in rows(sys.argv[1:]):
        print(f"{one.line}: {one.value:.3g} {one.unit}", file=sys.stderr, flush=True)
        found.append(one)
    print(goals(found))


if __name__ == "__main__":
    main()
