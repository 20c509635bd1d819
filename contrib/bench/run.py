#!/usr/bin/python3
"""faf beside what people use instead: `contrib/bench/run.py [--quick] [--programs DIR] [NEIGHBOUR...]`, as root, on a
quiet machine.

Every neighbour runs the same tiny static program. After every single fire the same program is spawned directly; all
figures are ratios to that ("limit"), taken in rounds in which each neighbour has its turn, so that all share the drift of
the machine. Prints one table, and writes it to RESULTS.md beside this file unless --quick.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import neighbours  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
# Fires that lie so far apart and so close together, in microseconds.
SPACED, CLOSE = 30000, 2000
BY_NAME = {"faf-old" if kind is neighbours.FafOld else kind.__name__.lower(): kind for kind in neighbours.ALL}


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, round((len(values) - 1) * share))] if values else float("nan")


class Bench:
    """Where all of it happens: compiled programs, a FIFO, a cgroup if there is a unified hierarchy."""

    def __init__(self, faf, older):
        self.faf, self.older = faf, older
        # Below /var/lib and only root's: fafd runs nothing that somebody else could replace.
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="faf-bench.", dir="/var/lib"))
        self.place.chmod(0o755)
        self.programs = self.place / "bin"
        self.programs.mkdir(mode=0o755)
        self.fifo = self.place / "fifo"
        os.mkfifo(self.fifo)
        for name in ("mark", "sleeper", "probe", "drive", "kept"):
            # What drives has no part in the figures; the rest is as small as can be.
            static = [] if name in ("drive", "kept") else ["-static"]
            source = HERE / f"src/{name}.c"
            subprocess.run(["cc", "-O2", "-Wall", *static, "-o", self.programs / name, source], check=True)
        self.cgroup = None
        for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
            if os.path.exists(f"{root}/cgroup.procs") and os.access(root, os.W_OK):
                self.cgroup = pathlib.Path(root, self.place.name)
                self.cgroup.mkdir()
                break

    def close(self):
        if self.cgroup:
            self.cgroup.rmdir()
        shutil.rmtree(self.place, ignore_errors=True)

    def program(self, name, *arguments, environment):
        done = subprocess.run([self.programs / name, *map(str, arguments)], env=environment, check=True, text=True,
                              stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def one_by_one(self, neighbour, count, pause):
        return self.program("drive", "seq", "-n", count, "-f", self.fifo, "-m", self.programs / "mark", "-p", pause,
                            "-b", neighbour.first(count + 5), "--", *neighbour.fire, environment=neighbour.environment)

    def rate(self, neighbour, count, clients):
        return self.program("drive", "rate", "-n", count, "-f", self.fifo, "-c", clients, "-b", neighbour.first(count),
                            "--", *neighbour.fire, environment=neighbour.environment)

    def kept(self, neighbour, count, clients):
        flags = ["-p"] if neighbour.kept[0] == "-p" else []
        words = neighbour.kept[len(flags):]
        return self.program("kept", *flags, "-n", count, "-c", clients, "-f", self.fifo, *words,
                            environment=neighbour.environment)

    def memory(self, neighbour, count):
        """`resident` of all its processes without a sleeper, and what each of `count` of them adds; they are left out."""
        idle = resident(neighbour.pids() - self.sleepers())
        for number in range(count):
            command = [str(word).replace("@ID@", str(number)) for word in neighbour.sleep]
            try:
                subprocess.run(command, env=neighbour.environment, check=False, timeout=20, **neighbours.QUIET)
            except subprocess.TimeoutExpired:
                # It takes no more: task-spooler stops short of 1 000.
                break
        deadline = time.monotonic() + 20
        while len(self.sleepers()) < number + 1 and time.monotonic() < deadline:
            time.sleep(0.2)
        sleepers = self.sleepers()
        full = resident(neighbour.pids() - sleepers)
        neighbours.end(sleepers)
        neighbours.until(lambda: not self.sleepers())
        per_task = [(after - before) / max(1, len(sleepers)) for before, after in zip(idle, full)]
        return idle, per_task, len(sleepers)

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


class Samples:
    """Fires of one neighbour, in rounds: microseconds."""

    def __init__(self):
        self.rounds = []

    def all(self, key):
        return [value for one in self.rounds for value in one.get(key, [])]

    def ratio(self, key, limit):
        """The median of all, and the smallest and greatest of the rounds, each as a ratio to the limit."""
        of = [percentile(one[key], .5) / percentile(one[limit], .5) for one in self.rounds if one[key]]
        if not of:
            return "–"
        return f"{percentile(self.all(key), .5) / percentile(self.all(limit), .5):.1f} ({min(of):.1f}–{max(of):.1f})"


def measure(bench, chosen, rounds, count, rates, memory):
    """What the table shows, by neighbour."""
    found = {neighbour: {"spaced": Samples(), "close": Samples(), "kept": Samples(), "rates": [[], []], "kept_rate": []}
             for neighbour in chosen}
    for turn in range(rounds):
        for neighbour, results in found.items():
            fires = max(8, count // neighbour.slowness)
            results["spaced"].rounds.append(bench.one_by_one(neighbour, fires, SPACED))
            results["close"].rounds.append(bench.one_by_one(neighbour, fires, CLOSE))
            for place, clients in enumerate((1, 8)):
                results["rates"][place].append(bench.rate(neighbour, max(16, rates // neighbour.slowness), clients))
            if neighbour.kept:
                results["kept"].rounds.append(bench.kept(neighbour, fires, 1))
                results["kept_rate"].append(bench.kept(neighbour, rates, 8))
            print(f"round {turn + 1} of {rounds}: {neighbour.name}", file=sys.stderr, flush=True)
    for neighbour, results in found.items():
        results["memory"] = bench.memory(neighbour, min(memory, neighbour.sleepers))
        print(f"memory: {neighbour.name}", file=sys.stderr, flush=True)
    return found


def cells(neighbour, results, limit):
    spaced, close, kept = results["spaced"], results["close"], results["kept"]
    lost = sum(one["lost"] for samples in (spaced, close) for one in samples.rounds)
    lost += sum(one["n"] - one["arrived"] for one in [*sum(results["rates"], []), *results["kept_rate"]])
    (anonymous, pss, _), (_, _, per_task), ran = results["memory"]
    rates = [f"{percentile([one['per_s'] for one in rounds], .5):.0f}" for rounds in results["rates"]]
    answer = start = "–"
    if kept.rounds:
        answer, start = (f"{percentile(kept.all(key), .5) / limit:.1f}" for key in ("answer", "start"))
        rates.append(f"{percentile([one['per_s'] for one in results['kept_rate']], .5):.0f}")
    else:
        rates.append("–")
    return [neighbour.name, spaced.ratio("start", "limit"), close.ratio("start", "limit"),
            f"{percentile(spaced.all('start'), .99) / 1000:.1f}", f"{percentile(close.all('start'), .99) / 1000:.1f}",
            spaced.ratio("cli", "wall"), close.ratio("cli", "wall"), answer, start, *rates,
            f"{anonymous / 1024:.1f} / {pss / 1024:.1f}", f"{per_task:.0f} ({ran})", str(len(close.all("start"))), str(lost)]


HEAD = ["neighbour", "start, spaced", "start, close", "p99 ms, spaced", "p99 ms, close", "CLI, spaced", "CLI, close",
        "kept: answer", "kept: start", "1 CLI /s", "8 CLIs /s", "8 kept /s", "idle MB, anonymous / PSS",
        "kB private per task", "n", "lost"]


def table(found, rounds):
    limits = [value for results in found.values() for samples in (results["spaced"], results["close"])
              for value in samples.all("limit")]
    limit = percentile(limits, .5)
    rows = [HEAD, ["---"] * len(HEAD), *(cells(*item, limit) for item in found.items())]
    return "\n".join([
        f"{datetime.date.today()}, Linux {platform.release()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{rounds} rounds; the limit is {limit / 1000:.2f} ms until the first instruction.", "",
        *("| " + " | ".join(row) + " |" for row in rows), "",
        "Ratios are medians, to a posix_spawn of the same program taken after every fire, with the least and the greatest "
        "of the rounds. Start: from the CLI's spawn to the task's first instruction. CLI: until it has exited. Spaced: 30 ms "
        "between a fire and the next; close: 2 ms. Kept: over one kept connection, from the send.", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="in under two minutes, and nothing is written")
    parser.add_argument("--programs", metavar="DIR", help="another build of faf, measured beside this one as faf-old")
    parser.add_argument("neighbours", nargs="*", metavar="NEIGHBOUR", help=", ".join(BY_NAME))
    arguments = parser.parse_args()
    unknown = set(arguments.neighbours) - set(BY_NAME)
    if unknown:
        parser.error(f"there is no neighbour {' '.join(unknown)}; there are {', '.join(BY_NAME)}")
    if os.geteuid() != 0:
        parser.error("it takes root: cgroups, and a fafd that serves everybody")
    # Whoever stops it must not be left with seven daemons.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    wanted = [BY_NAME[name] for name in dict.fromkeys(arguments.neighbours)] or [*neighbours.ALL]
    if neighbours.FafOld in wanted and not arguments.programs:
        if arguments.neighbours:
            parser.error("faf-old is what --programs names")
        wanted.remove(neighbours.FafOld)
    elif arguments.programs and neighbours.FafOld not in wanted:
        wanted.append(neighbours.FafOld)
    bench = Bench(os.environ.get("FAF_BUILD") or str(CHECKOUT / ".build/programs"),
                  arguments.programs and os.path.abspath(arguments.programs))
    running = []
    try:
        for kind in wanted:
            absent = [program for program in kind.needs if not shutil.which(program)]
            if absent:
                print(f"left out: {kind.name}, for want of {' and '.join(absent)}", file=sys.stderr)
                continue
            running.append(kind(bench))
            running[-1].start()
        rounds, count, rates, memory = (3, 25, 100, 50) if arguments.quick else (5, 100, 400, 1000)
        text = table(measure(bench, running, rounds, count, rates, memory), rounds)
    finally:
        for neighbour in running:
            neighbour.stop()
        bench.close()
    print(text)
    if not arguments.quick:
        (HERE / "RESULTS.md").write_text("# faf and its neighbours\n\n" + text)


if __name__ == "__main__":
    main()
