#!/usr/bin/python3
"""Hot paths of fafd, one at a time: `contrib/bench/micro/run.py [--count]`. Instructions by callgrind, which a busy
machine does not change; then time, and instructions where the machine counts them, by the package Benchmark (not with
--count).
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {**os.environ, "FAF_BENCH_MICRO": "1"}
SWIFT = os.environ.get("SWIFT", "swift").split()


def swift(*words):
    subprocess.run([*SWIFT, *words], cwd=HERE, env=ENVIRONMENT, check=True)


def counted(program, name, factor):
    """All instructions of a process, and how often it did what it was asked to do."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, name, str(factor)],
        check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    total = next(line for line in done.stderr.splitlines() if "Collected" in line)
    return int(total.rpartition(":")[2]), int(done.stdout)


def main():
    swift("build", "--configuration", "release", "--product", "count")
    with tempfile.TemporaryDirectory(prefix="faf-micro.") as place:
        program = f"{place}/count"
        # valgrind 3.19 stumbles over Swift's debugging information.
        subprocess.run(["strip", "-o", program, HERE / ".build/release/count"], check=True)
        names = subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
        print("| hot path | instructions |\n| --- | --- |")
        for name in names:
            # What starting costs falls out.
            (once, times), (twice, more) = counted(program, name, 1), counted(program, name, 2)
            print(f"| {name} | {(twice - once) / (more - times):,.0f} |", flush=True)
    if "--count" not in sys.argv[1:]:
        swift("package", "benchmark", "--no-progress")


main()
