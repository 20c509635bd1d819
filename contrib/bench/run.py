#!/usr/bin/python3
"""faf beside what people use instead: `contrib/bench/run.py [--quick] [--programs DIR] [NEIGHBOUR...]`, as root, on a
quiet machine. README.md beside this file says what is measured and how to read it.
"""

import argparse
import datetime
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import goals  # noqa: E402
import neighbours  # noqa: E402
import results  # noqa: E402
from bench import CLOSE, SPACED, Bench, Dropped, resident, settle  # noqa: E402
from table import goals as table_of_goals, percentile  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
# Seconds from the start of the full run until its last measurement is to be over.
ALL = 690
BY_NAME = {kind.key: kind for kind in neighbours.ALL}


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


def alone(left_out, end):
    """What scale.py measures of faf alone, until `end`; what fails or would take longer is left out."""
    def too_long(*_):
        raise TimeoutError("there was no more time")
    rows = []
    try:
        import scale
    except ImportError as error:
        left_out.append(("scale.py", str(error)))
        return rows
    signal.signal(signal.SIGALRM, too_long)
    for part in scale.PARTS:
        here = time.monotonic()
        if end - here < 10:
            left_out.append((part, "there was no more time"))
            continue
        signal.alarm(int(end - here))
        try:
            for row in scale.rows([part]):
                rows.append(row)
        except Exception as error:  # pylint: disable=broad-except
            left_out.append((f"the rest of {part}", f"{type(error).__name__}: {error}"))
        finally:
            signal.alarm(0)
        print(f"{part}: {time.monotonic() - here:.0f} s", file=sys.stderr, flush=True)
    return rows


def report(found, rows, rounds, load, left_out):
    shown = list(found.values())
    limits = [value for one in shown for kind in ("spaced", "close") for value in one.times(kind, "limit")]
    limit = percentile(limits, .5) / 1000
    cores = os.cpu_count()
    parts = [f"{datetime.datetime.now():%Y-%m-%d %H:%M}, Linux {platform.release()}, {cores} cores, load {load:.1f} at "
             f"the start, {rounds} rounds; the limit is {limit:.2f} ms.\n"]
    if load > cores / 2:
        parts.append("**The machine was busy when this began: only ratios mean something, and not much.**\n")
    if "faf" in found and not found["faf"].dropped:
        rows = goals.rows({key: one for key, one in found.items() if not one.dropped}) + rows
    if rows:
        parts.append(table_of_goals(rows))
    parts += filter(None, (table(shown) for table in results.TABLES))
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
    began = time.monotonic()
    load = os.getloadavg()[0]
    if load > os.cpu_count() / 2:
        print(f"The machine is busy (load {load:.1f}): figures will say little.", file=sys.stderr)
    # Whoever stops it must not be left with ten daemons.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    bench = Bench(os.environ.get("FAF_BUILD") or str(CHECKOUT / ".build/programs"),
                  arguments.programs and os.path.abspath(arguments.programs))
    running, left_out, rows = [], [], []
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
        how = (3, 20, 100, 50, 60) if arguments.quick else (5, 50, 300, 1000, 260)
        found, rounds = measure(bench, running, *how)
    finally:
        ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        for neighbour in running:
            stop(neighbour)
        bench.close()
    for number, handler in ignored.items():
        signal.signal(number, handler)
    # Without the neighbours, which would share the machine.
    if not arguments.quick and not arguments.neighbours:
        rows = alone(left_out, began + ALL)
    text = report(found, rows, rounds, load, left_out)
    print(text)
    if not arguments.quick and not arguments.neighbours:
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
