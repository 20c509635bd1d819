#!/usr/bin/python3
"""faf beside what people use instead: `contrib/bench/run.py [--quick] [--programs DIR] [NEIGHBOUR...]`, as root, on a
quiet machine. README.md beside this file says what is measured and how to read it.
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

import goals  # noqa: E402
import neighbours  # noqa: E402
import results  # noqa: E402
from neighbour import QUIET, end, remove_cgroup, until  # noqa: E402
from table import goals as table_of_goals  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
# Fires that lie so far apart and so close together, in microseconds.
SPACED, CLOSE = 30000, 2000
# Seconds that one call of a driving program may take, and the sleepers of one neighbour: what takes longer is dropped.
PATIENCE, SLEEPERS_PATIENCE = 60, 40
BY_NAME = {kind.key: kind for kind in neighbours.ALL}


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


def measure_round(bench, neighbour, found, count, rates):
    fires, at_once = max(4, count // neighbour.slowness), max(8, rates // neighbour.slowness)
    if neighbour.by_cli:
        found["spaced"].append(bench.one_by_one(neighbour, fires, SPACED))
        found["close"].append(bench.one_by_one(neighbour, fires, CLOSE))
        for clients in (1, 8):
            settle()
            found[f"rate {clients}"].append(bench.rate(neighbour, at_once, clients))
        settle()
    if neighbour.kept is not None:
        found["kept"].append(bench.kept(neighbour, count, 1))
        settle()
        found["kept rate"].append(bench.kept(neighbour, rates, 8))
        settle()


def measure(bench, running, rounds, count, rates, sleepers, seconds):
    """The results by key, and how many rounds there were: no new one begins that would not be over in `seconds`."""
    found = {neighbour.key: results.Results(neighbour) for neighbour in running}
    began = time.monotonic()

    def attempt(neighbour, what, *arguments):
        one = found[neighbour.key]
        if one.dropped:
            return None
        try:
            return what(*arguments)
        except (Dropped, TimeoutError, OSError) as error:
            one.dropped = str(error)
            print(f"dropped: {neighbour.name}: {error}", file=sys.stderr, flush=True)
            return None

    for neighbour in running:
        found[neighbour.key].fresh = resident(neighbour.pids())[:2]
    turn = 0
    while turn < rounds and (time.monotonic() - began) * (turn + 1) / max(turn, 1) < seconds:
        # Each has each place in the order once in a while.
        for neighbour in running[turn % len(running):] + running[:turn % len(running)]:
            here = time.monotonic()
            attempt(neighbour, measure_round, bench, neighbour, found[neighbour.key].rounds, count, rates)
            print(f"round {turn + 1} of {rounds}: {neighbour.name}, {time.monotonic() - here:.0f} s", file=sys.stderr,
                  flush=True)
        turn += 1
    for neighbour in running:
        here, one = time.monotonic(), found[neighbour.key]
        memory = attempt(neighbour, bench.memory, neighbour, min(sleepers, neighbour.sleepers))
        if memory:
            one.after, one.per_task, one.ran = memory
        print(f"memory: {neighbour.name}, {time.monotonic() - here:.0f} s", file=sys.stderr, flush=True)
    return found, turn


def report(found, rounds, load, left_out):
    shown = list(found.values())
    limits = [value for one in shown for kind in ("spaced", "close") for value in one.times(kind, "limit")]
    limit = sorted(limits)[len(limits) // 2] / 1000 if limits else float("nan")
    cores = os.cpu_count()
    parts = [f"{datetime.datetime.now():%Y-%m-%d %H:%M}, Linux {platform.release()}, {cores} cores, load {load:.1f} at "
             f"the start, {rounds} rounds; the limit is {limit:.2f} ms.\n"]
    if load > cores / 2:
        parts.append("**The machine was busy when this began: only ratios mean something, and not much.**\n")
    if "faf" in found and not found["faf"].dropped:
        parts.append(table_of_goals(goals.rows({key: one for key, one in found.items() if not one.dropped})))
    parts += [table(shown) for table in results.TABLES]
    parts += [f"Left out: {name}, {why}.\n" for name, why in left_out]
    parts += [f"Dropped on the way: {one.name}, {one.dropped}.\n" for one in shown if one.dropped]
    parts.append(
        "Limit: a posix_spawn of the same tiny program, taken after every single fire; each fire is divided by the "
        "median limit of its round. Start: from the instant before the CLI is spawned, or the message sent, to the "
        "task's first instruction. CLI: until the CLI has exited. Spaced: 30 ms between a fire and the next; close: "
        "2 ms. In brackets: the quartiles of the rounds (of a p99: of each round's own, which few fires make small). "
        "Lost: did not arrive within 5 s, or was said to have failed.\n")
    return "\n".join(parts)


def words():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="in under two minutes, and nothing is written")
    parser.add_argument("--programs", metavar="DIR", help="another build of faf, measured beside this one as faf-old")
    parser.add_argument("neighbours", nargs="*", metavar="NEIGHBOUR", help=", ".join(BY_NAME))
    arguments = parser.parse_args()
    unknown = set(arguments.neighbours) - set(BY_NAME)
    if unknown:
        parser.error(f"there is no neighbour {' '.join(unknown)}; there are {', '.join(BY_NAME)}")
    chosen = [BY_NAME[name] for name in dict.fromkeys(arguments.neighbours)] or [*neighbours.ALL]
    if neighbours.FafOld in chosen and not arguments.programs:
        if arguments.neighbours:
            parser.error("faf-old is what --programs names")
        chosen.remove(neighbours.FafOld)
    elif arguments.programs and neighbours.FafOld not in chosen:
        chosen.append(neighbours.FafOld)
    if os.geteuid() != 0:
        parser.error("it takes root: cgroups, and a fafd that serves everybody")
    return arguments, chosen


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    arguments, chosen = words()
    load = os.getloadavg()[0]
    if load > os.cpu_count() / 2:
        print(f"The machine is busy (load {load:.1f}): figures will say little.", file=sys.stderr)
    # Whoever stops it must not be left with ten daemons.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    bench = Bench(os.environ.get("FAF_BUILD") or str(CHECKOUT / ".build/programs"),
                  arguments.programs and os.path.abspath(arguments.programs))
    running, left_out = [], []
    try:
        bench.prepare()
        # Pages of freshly linked programs count as private ones until they are written.
        os.sync()
        for kind in chosen:
            absent = kind.absent()
            if absent:
                left_out.append((kind.name, f"for want of {' and '.join(absent)}"))
                continue
            neighbour = kind(bench)
            try:
                neighbour.start()
                running.append(neighbour)
            except (Dropped, OSError, subprocess.SubprocessError, SystemExit, RuntimeError) as error:
                left_out.append((kind.name, f"it did not start: {error}"))
                stop(neighbour)
            except BaseException:
                stop(neighbour)
                raise
        for name, why in left_out:
            print(f"left out: {name}, {why}", file=sys.stderr, flush=True)
        settle()
        how = (3, 20, 100, 50, 60) if arguments.quick else (5, 80, 400, 1000, 480)
        found, rounds = measure(bench, running, *how)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for neighbour in running:
            stop(neighbour)
        bench.close()
    text = report(found, rounds, load, left_out)
    print(text)
    if not arguments.quick:
        (HERE / "RESULTS.md").write_text("# faf and its neighbours\n\n" + text)


def stop(neighbour):
    """One that cannot be stopped must not keep the others running."""
    try:
        neighbour.stop()
    except (OSError, TimeoutError) as error:
        print(f"{neighbour.name} was not stopped cleanly: {error}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; nothing is left running")
