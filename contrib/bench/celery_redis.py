"""celery with redis: a queue in memory, and workers that run the program."""

import importlib.util
import os
import pathlib
import sys

from neighbour import Neighbour, until

HERE = pathlib.Path(__file__).resolve().parent


class Celery(Neighbour):
    key = "celery"
    name = "celery + redis"
    needs = ("redis-server",)
    # `celery call` takes half a second to load: nobody fires with it. From an application it is what many use.
    by_cli = False
    # As many run at once as there are workers, the others wait.
    sleepers = 0

    @classmethod
    def absent(cls):
        modules = [name for name in ("celery", "redis") if not importlib.util.find_spec(name)]
        return super().absent() + [f"python3-{name}" for name in modules]

    def start(self):
        super().start()
        socket = self.runtime / "redis"
        self.environment.update(BENCH_BROKER=f"redis+socket://{socket}", BENCH_FIFO=str(self.bench.fifo),
                                BENCH_MARK=str(self.bench.programs / "mark"), PYTHONPATH=str(HERE),
                                PYTHONDONTWRITEBYTECODE="1")
        # Nothing is written to disk: as fast as redis can be.
        self.spawn("redis-server", "--port", "0", "--unixsocket", socket, "--dir", self.place, "--save", "",
                   "--appendonly", "no")
        until(socket.exists, "the socket of redis")
        self.spawn(sys.executable, "-m", "celery", "-A", "celery_tasks", "--workdir", HERE, "worker", "--pool=prefork",
                   f"--concurrency={os.cpu_count()}", "--loglevel=error", "--without-gossip", "--without-mingle",
                   "--without-heartbeat")
        self.keeper = [sys.executable, HERE / "celery_kept.py"]
        self.kept = []
        until(lambda: self.bench.kept(self, 1, 1)["arrived"], "a worker", 40)
