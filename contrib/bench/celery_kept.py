"""`kept` for celery: the same arguments, the same answer; an application that keeps its connection to the broker."""

import argparse
import json
import os
import select
import struct
import time

import celery_tasks

# As in src/measure.h, in seconds.
PATIENCE = 5


def mark(fifo, seconds):
    """The clock of the next task that starts, in nanoseconds."""
    return struct.unpack("QII", os.read(fifo, 16))[0] if select.select([fifo], [], [], seconds)[0] else None


def one_by_one(arguments, fifo):
    found = {"answer": [], "start": [], "limit": []}
    for _ in range(arguments.n):
        while mark(fifo, 0):
            pass
        sent = time.time_ns()
        celery_tasks.spawn.delay()
        answered = time.time_ns()
        started = mark(fifo, PATIENCE)
        time.sleep(arguments.p / 1e6)
        if not started:
            continue
        began = time.time_ns()
        pid = os.posix_spawn(arguments.m, [arguments.m, arguments.f], os.environ)
        spawned = mark(fifo, PATIENCE)
        os.waitpid(pid, 0)
        time.sleep(arguments.p / 1e6)
        for name, from_to in (("answer", answered - sent), ("start", started - sent), ("limit", spawned - began)):
            found[name].append(from_to / 1e3)
    return {"n": arguments.n, "arrived": len(found["start"]), **found}


def at_once(arguments, fifo):
    ready, go = os.pipe(), os.pipe()
    clients = []
    for client in range(arguments.c):
        clients.append(os.fork())
        if not clients[-1]:
            os.close(go[1])
            with celery_tasks.app.producer_pool.acquire() as producer:
                producer.connection.default_channel.client.ping()
            os.write(ready[1], b"\0")
            os.read(go[0], 1)
            for _ in range(client, arguments.n, arguments.c):
                celery_tasks.spawn.delay()
            os._exit(0)
    for _ in clients:
        os.read(ready[0], 1)
    began = last = time.time_ns()
    os.close(go[1])
    arrived = 0
    while arrived < arguments.n and (started := mark(fifo, PATIENCE)):
        arrived, last = arrived + 1, max(last, started)
    for pid in clients:
        os.waitpid(pid, 0)
    return {"n": arguments.n, "arrived": arrived, "per_s": arrived / ((last - began) / 1e9) if arrived else 0}


def main():
    parser = argparse.ArgumentParser()
    for letter, kind in (("-n", int), ("-c", int), ("-f", str), ("-m", str), ("-p", int)):
        parser.add_argument(letter, type=kind)
    arguments = parser.parse_args()
    fifo = os.open(arguments.f, os.O_RDWR | os.O_CLOEXEC)
    while mark(fifo, 0):
        pass
    print(json.dumps((one_by_one if arguments.c == 1 else at_once)(arguments, fifo)))


if __name__ == "__main__":
    main()
