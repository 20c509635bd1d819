"""Acceptance tests: real programs, one fafd for each test.

The programs are taken from the directory $FAF_BUILD (default: .build/debug of this checkout). As root everything runs;
as somebody else fafd runs in user mode and what needs root is skipped, with the reason.
"""

import contextlib
import os
import pathlib
import shutil
import tempfile

import harness
import pytest
import system

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def pytest_configure(config):
    system.become_subreaper()


def pytest_collection_modifyitems(items):
    missing = {
        "root": None if os.geteuid() == 0 else "needs root",
        "cgroup": None if system.cgroup2_root() else "needs a writable cgroup v2 hierarchy",
        "strace": None if system.can_trace() else "needs strace(1), and to be allowed to trace",
        "mount": None if system.has_capability(system.CAP_SYS_ADMIN) else "needs CAP_SYS_ADMIN, to mount",
    }
    for item in items:
        for mark, reason in missing.items():
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def programs():
    """A directory that every user may enter, with fafd, faf and faf-shim."""
    build = pathlib.Path(os.environ.get("FAF_BUILD") or CHECKOUT / ".build/debug")
    places = {name: build / name for name in ("fafd", "faf", "faf-shim")}
    if os.environ.get("FAF_BUILD"):
        # An installed tree: PREFIX/bin, PREFIX/sbin and PREFIX/libexec/faf.
        for name, folder in (("fafd", "sbin"), ("faf", "bin"), ("faf-shim", "libexec/faf")):
            if not places[name].exists() and (build / folder / name).exists():
                places[name] = build / folder / name
    for name, path in places.items():
        if not path.exists():
            pytest.exit(f"{path} is missing: build it first, or say where it is with FAF_BUILD", returncode=2)
    directory = tempfile.mkdtemp(prefix="faft-programs.", dir="/var/lib" if os.geteuid() == 0 else None)
    os.chmod(directory, 0o755)
    for name, path in places.items():
        shutil.copy(path, directory)
        os.chmod(f"{directory}/{name}", 0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def directories_of_daemons():
    """What sshd and journald need to be there, and a container may lack, goes again with the last test."""
    missing = [path for path in ("/run/sshd", "/run/systemd", "/run/log") if not os.path.exists(path)]
    yield
    for path in missing:
        # Somebody else may have made it meanwhile, and use it.
        with contextlib.suppress(OSError):
            os.rmdir(path)


@pytest.fixture
def make_faf(programs, request):
    """Makes harness.Faf objects that are cleaned up with the test, however it ends."""
    made = []

    def make(**options):
        made.append(harness.Faf(programs, **options))
        return made[-1]

    yield make
    failed = getattr(request.node, "outcome_of_call", None) != "passed"
    try:
        if not failed:
            for faf in made:
                no_zombie_left(faf)
    finally:
        left = []
        for faf in made:
            if failed:
                request.node.add_report_section("teardown", "log of fafd", faf.log_text()[-8000:])
            left += faf.clean_up()
    assert not left, f"left behind: {left}"


@pytest.fixture
def stopped_faf(make_faf):
    """Everything but a running fafd."""
    return make_faf()


@pytest.fixture
def faf(stopped_faf):
    """A running fafd."""
    stopped_faf.start()
    return stopped_faf


def no_zombie_left(faf):
    """fafd reaps its children: after every test that passed, a living fafd has no zombie."""
    if faf.daemons and faf.daemon.is_alive():
        state = system.process_state(faf.pid)
        if state not in ("T", "t"):
            system.wait_for(lambda: not system.zombies_of(faf.pid), 5, "fafd has no zombie")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.outcome_of_call = outcome.get_result().outcome
