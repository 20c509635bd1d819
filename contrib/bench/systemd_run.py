"""systemd-run, inside a Debian of its own that systemd-nspawn boots."""

import os
import pathlib
import subprocess
import sys

from neighbour import QUIET, Neighbour, descendants, processes, remove_cgroup, until

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
# The same tree as that of `make test-vm`, kept between runs.
sys.path.insert(0, str(CHECKOUT / "Tests/vm"))

import image  # noqa: E402


class SystemdRun(Neighbour):
    key = name = "systemd-run"
    needs = ("systemd-nspawn", "nsenter", "mmdebstrap")
    slowness = 4
    sleepers = 300

    def start(self):
        super().start()
        # Both hierarchies, where there are two: nspawn makes groups where it is itself.
        roots = [self.bench.cgroup.parent, *pathlib.Path("/sys/fs/cgroup").glob("systemd")] if self.bench.cgroup else []
        self.cgroups = [root / f"{self.bench.place.name}.systemd" for root in roots]
        for cgroup in self.cgroups:
            cgroup.mkdir()
        tree = image.base_tree()
        # Nothing is written to the tree: what the machine changes is in memory and gone with it.
        nspawn = self.spawn(
            "sh", "-c", 'for group in $GROUPS_OF_ALL; do echo $$ >"$group/cgroup.procs"; done; exec "$@"', "sh",
            "systemd-nspawn", "--quiet", f"--directory={tree}", "--volatile=overlay", "--boot", "--register=no",
            "--keep-unit", "--console=pipe", f"--bind={self.bench.place}",
            GROUPS_OF_ALL=" ".join(map(str, self.cgroups)), SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1")
        until(lambda: self.first_of(nspawn.pid), "an init in the container")
        self.init = self.first_of(nspawn.pid)
        self.inside = ["nsenter", "--target", str(self.init), "--all", "--"]
        until(self.is_up, "multi-user.target", 60)
        # Not over /proc/PID/root: it takes nobody whose process it cannot see.
        # There is no static libsystemd; the container has the shared one.
        self.keeper = [*self.inside, self.bench.compile("kept", "kept-systemd", "-DSYSTEMD", "-lsystemd")]
        self.kept = ["-s", "/run/systemd/private", self.bench.programs / "mark", self.bench.fifo]

    @staticmethod
    def first_of(nspawn):
        for pid, parent in processes().items():
            if parent == nspawn and command_name(pid) == "systemd":
                return pid
        return None

    def is_up(self):
        ask = [*self.inside, "systemctl", "is-active", "--quiet", "multi-user.target"]
        return subprocess.run(ask, env=self.environment, check=False, **QUIET).returncode == 0

    def command(self, program):
        return ["systemd-run", "--no-block", "--collect", "--quiet", str(program), str(self.bench.fifo)]

    def pids(self):
        """What makes a systemd: PID 1, its journal, its bus."""
        return {pid for pid in descendants({process.pid for process in self.processes if process.poll() is None})
                if command_name(pid) in ("systemd", "systemd-journal", "dbus-daemon")}

    def stop(self):
        super().stop()
        for cgroup in self.cgroups:
            remove_cgroup(cgroup)


def command_name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
