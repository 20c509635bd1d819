"""faf-shim by itself: its mother, the gate, what the script starts with, the record, notify, and the stop sequence.

Nothing of fafd is needed: the tests play its part (shimdriver.py). What needs root or a cgroup says so.
"""

import contextlib
import ctypes
import errno
import os
import pathlib
import platform
import re
import resource
import secrets
import select
import signal
import socket
import subprocess
import time

import pytest
import system
from records import EXIT_CODE, EXIT_CORE, EXIT_NOT_STARTED, EXIT_SIGNAL, EXIT_UNKNOWN, Record
from shimdriver import (ALL, CGROUP_LIMIT, CHANGE_USER, CWD_OPTIONAL, DEATH_SIGNAL, INFINITY, KILL, LEFTOVERS, MAIN,
                        NO_NEW_PRIVILEGES, SEND_SIGKILL, SET_NICE, SHUTDOWN, SIGNAL, STEPS, STOPPING, STORED, TIMEOUT_START,
                        Place, describe, find_shim, item, specification)
from system import wait_for

ALICE, BOB = 2001, 2002
RT_SIGACTION = {"x86_64": 13, "aarch64": 134}
pytestmark = pytest.mark.root


@pytest.fixture
def place():
    made = Place()
    yield made
    made.clean_up()


def failed_step(attempt):
    """(name of the step, errno) of an attempt whose script never ran."""
    kind, (step, error) = attempt.result()
    assert kind == EXIT_NOT_STARTED and attempt.get("started") is None
    return {number: name for name, number in STEPS.items()}[step], error


# dash blocks all signals while it starts a program: only the shell itself can look at its own state.
STATUS = 'while IFS= read -r line; do echo "$line"; done < /proc/$$/status > $OUT/status\n'


def status_of(attempt):
    return dict(line.split(":\t", 1) for line in attempt.output("status").read_text().splitlines())


def ignores_term(more=""):
    return f"trap '' TERM; touch $OUT/ready; {more} while :; do sleep 0.05; done"


def wait_ready(attempt):
    wait_for(attempt.output("ready").exists, 10, lambda: describe(attempt.record))


# ---------------------------------------------------------------- the program


def shim(*arguments, **options):
    return subprocess.run([find_shim(), *arguments], capture_output=True, text=True, timeout=10, **options)


def test_it_is_static_and_says_its_version():
    assert "statically linked" in subprocess.run(["file", find_shim()], capture_output=True, text=True).stdout
    done = shim("--version")
    assert done.returncode == 0 and re.fullmatch(r"faf-shim \d+\.\d+\.\d+, records \d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("arguments", [[], ["--nonsense"], ["--mother", "x"], ["--hold"], ["-h"]])
def test_anything_else_is_a_usage_error(arguments):
    done = shim(*arguments)
    assert done.returncode == 64 and done.stdout == "" and done.stderr.startswith("usage: faf-shim")


@pytest.mark.cgroup
def test_the_holder_makes_the_subtree(place):
    socket_path = place.base + "/manager"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(socket_path)
        manager.settimeout(10)
        holder = subprocess.Popen([find_shim(), "--hold", place.base + "/tasks", place.cgroup],
                                  env={"NOTIFY_SOCKET": socket_path})
        try:
            assert b"READY=1" in manager.recv(4096).split(b"\n")
            assert pathlib.Path(place.base + "/tasks").read_text() == place.cgroup + "\n"
            assert {"hold", "shims", "t"} <= set(os.listdir(place.cgroup))
            assert system.read(place.cgroup + "/hold/cgroup.procs").split() == [str(holder.pid)]
            assert holder.poll() is None
        finally:
            holder.terminate()
            assert holder.wait(10) == -signal.SIGTERM


def test_the_mother_leaves_at_end_of_file_and_her_shims_stay(place):
    attempt = place.run("while [ ! -e $OUT/go ]; do sleep 0.02; done; exit 7")
    attempt.started()
    place.mother.close()
    attempt.gate.close()
    assert place.process.wait(10) == 0
    assert system.is_running(attempt.shim)
    attempt.output("go").touch()
    assert attempt.result() == (EXIT_CODE, 7)


def test_the_mother_reaps_her_shims(place):
    for _ in range(5):
        place.run("exit 0").end()
    wait_for(lambda: not system.zombies_of(place.process.pid), 5, "the mother has no zombie")


def test_the_mother_closes_what_she_inherited(place):
    read, write = os.pipe()
    other = None
    try:
        other = Place(mother=False)
        other.start_mother(inherit=[write])
        attempt = other.attempt("sleep 1000").ready()
        os.close(write)
        assert select.select([read], [], [], 5)[0], "a shim or the mother holds a descriptor of fafd"
        assert set(system.descriptors(other.process.pid)) == {0, 1, 2, 3}
        attempt.gate.close()
        attempt.leaves()
    finally:
        os.close(read)
        if other:
            other.clean_up()


# ---------------------------------------------------------------- the gate


def test_ready_makes_everything_and_runs_nothing(place):
    attempt = place.attempt("touch $OUT/ran", io=True, uid=ALICE, origin=b"row").ready()
    assert attempt.get("head")["run"] == attempt.number and attempt.get("passed") is None
    assert attempt.get("origin") == b"row"
    assert attempt.get("cgroup") == (attempt.cgroup or "").encode()
    assert os.listdir(place.base + "/runs") == [attempt.invocation], "no temporary name is left"
    assert os.stat(attempt.record_path).st_mode & 0o7777 == 0o600
    assert attempt.lock_holder() == attempt.shim
    found = os.stat(attempt.notify_path)
    assert (found.st_uid, found.st_mode & 0o7777) == (ALICE, 0o600)
    found = os.stat(attempt.io_path)
    assert (found.st_uid, found.st_mode & 0o7777) == (ALICE, 0o700)
    assert not attempt.output("ran").exists()


def test_without_a_go_everything_goes_away(place):
    attempt = place.attempt("touch $OUT/ran", io=True).ready()
    attempt.gate.close()
    attempt.leaves()
    for path in (attempt.record_path, attempt.notify_path, attempt.io_path, attempt.cgroup, attempt.end_path):
        assert path is None or not os.path.exists(path)
    assert not attempt.output("ran").exists()


@pytest.mark.parametrize("word", [b"x", b"gg", b""])
def test_another_word_than_go_is_no_go(place, word):
    attempt = place.attempt("touch $OUT/ran").ready()
    attempt.gate.send(word)
    attempt.leaves()
    assert attempt.record is None and not attempt.output("ran").exists()


def test_end_of_file_instead_of_a_specification(place):
    attempt = place.attempt("exit 0", send=False)
    attempt.gate.shutdown(socket.SHUT_WR)
    assert attempt.gate.recv(64) == b""
    assert os.listdir(place.base + "/runs") == []


def test_a_go_with_a_living_script_is_recorded_in_order(place):
    attempt = place.run("exit 3")
    record = attempt.end()
    times = [record.get(slot)["boottime"] for slot in ("head", "passed", "started", "exited", "emptied")]
    assert times == sorted(times) and times[0] > 0
    assert (record.get("exited")["kind"], record.get("exited")["status"]) == (EXIT_CODE, 3)
    assert record.get("exited")["max_resident"] > 100_000
    assert record.get("stop") is None and record.get("signal") is None
    assert record.get("emptied")["flags"] == 0
    if attempt.cgroup:
        assert 0 < record.get("emptied")["cgroup"] < 10_000_000
    assert attempt.lock_holder() is None
    assert os.listdir(place.base + "/ends") == [attempt.invocation]


def test_a_taken_record_is_left_alone(place):
    first = place.attempt("exit 0", io=True).ready()
    before = pathlib.Path(first.record_path).read_bytes()
    second = place.attempt("touch $OUT/ran", invocation=first.invocation)
    assert second.failed() == (STEPS["record"], errno.EEXIST)
    assert pathlib.Path(first.record_path).read_bytes() == before
    assert first.lock_holder() == first.shim and os.path.exists(first.notify_path)
    assert first.go().result() == (EXIT_CODE, 0)


def test_a_failed_step_undoes_the_ones_before(place):
    os.mkdir(place.base + "/io/1.1")
    attempt = place.attempt("exit 0", io=True, uid=ALICE)
    assert attempt.failed() == (STEPS["directory"], errno.EEXIST)
    assert os.listdir(place.base + "/runs") == os.listdir(place.base + "/notify") == []
    assert attempt.cgroup is None or not os.path.exists(attempt.cgroup)
    assert os.path.exists(attempt.io_path), "it was there before"


@pytest.mark.parametrize("name,step,error", [
    ("runs", "record", errno.ENOENT), ("notify", "notify", errno.ENOENT), ("io", "directory", errno.ENOENT)])
def test_a_missing_directory_is_told_by_step(place, name, step, error):
    os.rmdir(f"{place.base}/{name}")
    assert place.attempt("exit 0", io=True).failed() == (STEPS[step], error)
    assert name == "runs" or os.listdir(place.base + "/runs") == []
    os.mkdir(f"{place.base}/{name}")


@pytest.mark.cgroup
def test_e3_limits_are_set_before_the_script_is_there(place):
    """E3: in the cgroup at the script's first instruction."""
    limits = [(CGROUP_LIMIT, b"cgroup.max.depth=3"), (CGROUP_LIMIT, b"cgroup.max.descendants=7")]
    attempt = place.attempt('cat "$CGROUP/cgroup.max.depth" "$CGROUP/cgroup.max.descendants" > $OUT/limits',
                            environment=[f"CGROUP={place.cgroup}/1.1"], extra=limits)
    attempt.ready()
    assert pathlib.Path(f"{attempt.cgroup}/cgroup.max.descendants").read_text() == "7\n", "already at the gate"
    assert attempt.go().result() == (EXIT_CODE, 0)
    assert attempt.output("limits").read_text() == "3\n7\n"


@pytest.mark.cgroup
def test_e3_a_limit_that_is_not_taken_is_told_and_nothing_is_left(place):
    good = (CGROUP_LIMIT, b"cgroup.max.depth=3")
    for bad, error in ((b"cgroup.max.depth=many", errno.EINVAL), (b"memory.nonsense=1", errno.ENOENT)):
        attempt = place.attempt("touch $OUT/ran", extra=[good, (CGROUP_LIMIT, bad), good])
        assert attempt.failed() == (STEPS["cgroup_limit"], error)
        assert attempt.reply[3] == 1, "which one"
        for path in (attempt.cgroup, attempt.record_path, attempt.notify_path):
            assert not os.path.exists(path)
    assert not pathlib.Path(place.out, "ran").exists()


@pytest.mark.cgroup
def test_what_the_cgroup_counted_is_kept_and_the_rest_is_unknown(place):
    end = place.run("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done").end()
    counters = end.get("counters")
    assert counters["cpu_user"] + counters["cpu_system"] <= end.get("emptied")["cgroup"]
    assert counters["cpu_user"] > 0
    controllers = system.read(place.cgroup + "/cgroup.subtree_control").split()
    for name, controller in (("oom_kills", "memory"), ("io_read", "io"), ("refused_forks", "pids")):
        assert (counters[name] == INFINITY) == (controller not in controllers), name


@pytest.mark.cgroup
def test_an_empty_cgroup_left_by_a_killed_shim_is_used_again_a_busy_one_not(place):
    os.mkdir(f"{place.cgroup}/1.1")
    assert place.run("exit 5").result() == (EXIT_CODE, 5)
    os.mkdir(f"{place.cgroup}/2.1")
    with subprocess.Popen(["sleep", "1000"]) as sleeper:
        pathlib.Path(f"{place.cgroup}/2.1/cgroup.procs").write_text(str(sleeper.pid))
        assert place.attempt("exit 0").failed() == (STEPS["cgroup"], errno.EEXIST)
        assert sleeper.poll() is None
        sleeper.kill()


def damaged(place):
    good = place.attempt("exit 0", send=False).specification
    yield good[:10]
    yield good[:-8]
    yield good + bytes(8)
    yield b"X" + good[1:]
    yield good[:-1] + bytes([good[-1] ^ 1])
    body = [(tag, payload) for tag, payload in items_of(good)]
    yield specification(body, version=2)
    yield specification(body[1:])
    yield specification(body + body[:1])
    for tag in (2, 3, 7, 8):
        yield specification([one for one in body if one[0] != tag])
    yield specification(body + [(8, b"a\0b")])
    yield specification(body + [(10, b"relative")])
    yield specification(body + [(11, b"abc")])
    yield good[:24] + item(9, b"x=y")[:-1]


def items_of(bytes_):
    at = 24
    while at < len(bytes_):
        tag, length = int.from_bytes(bytes_[at:at + 4], "little"), int.from_bytes(bytes_[at + 4:at + 8], "little")
        yield tag, bytes_[at + 8:at + 8 + length]
        at += 8 + (length + 7) // 8 * 8


def test_a_damaged_specification_runs_nothing(place):
    for bytes_ in damaged(place):
        attempt = place.attempt("touch $OUT/ran", raw=bytes_)
        assert attempt.failed() == (STEPS["specification"], errno.EBADMSG), bytes_
    assert os.listdir(place.base + "/runs") == [] and not os.path.exists(place.out + "/ran")


def test_a_large_specification_comes_in_a_sealed_memfd(place):
    values = ["x" * 100_000, "", "-n", "a b\nc\t$(id)'\"\\", "é"] + [str(n) for n in range(2000)]
    script = place.script('for a; do printf "%s\\0" "$a"; done > $OUT/arguments')
    attempt = place.run(script, arguments=["zero", *values])
    assert attempt.result() == (EXIT_CODE, 0)
    assert attempt.output("arguments").read_bytes().decode().split("\0")[:-1] == values


def test_an_unsealed_memfd_is_refused(place):
    attempt = place.attempt("exit 0", send=False)
    fd = os.memfd_create("spec")
    os.write(fd, attempt.specification)
    socket.send_fds(attempt.gate, [attempt.specification[:24]], [fd])
    os.close(fd)
    assert attempt.failed() == (STEPS["specification"], errno.EPERM)


def test_closing_everything_of_fafd_leaves_the_script_running(place):
    attempt = place.run("while [ ! -e $OUT/go ]; do sleep 0.02; done; systemd-notify --status=late; exit 4")
    main = attempt.started()
    attempt.gate.close()
    place.mother.close()
    place.process.kill()
    place.process.wait()
    time.sleep(0.2)
    assert system.is_running(main)
    attempt.output("go").touch()
    assert attempt.result() == (EXIT_CODE, 4) and attempt.get("status") == b"late"


def test_an_end_without_room_is_kept_in_the_live_record(place):
    os.rmdir(place.base + "/ends")
    attempt = place.run("exit 6")
    attempt.leaves()
    emptied = attempt.get("emptied")
    assert (emptied["flags"], emptied["end_error"]) == (1, errno.ENOENT)
    assert attempt.get("exited")["status"] == 6
    os.mkdir(place.base + "/ends")


@pytest.mark.strace
def test_a_shim_makes_its_end_durable_before_it_leaves(place):
    """H5: fafd learns of the end, and says nothing."""
    attempt = place.attempt("exit 0").ready()
    log = place.out + "/trace"
    with system.Strace(attempt.shim, "-y", "-e", "trace=pwritev,fsync,rename,write", log=log):
        attempt.go()
        attempt.end()
    text = attempt.output("trace").read_text()
    order = [text.rindex("pwritev("), text.index("fsync("), text.index("rename("), text.rindex("fsync(")]
    assert order == sorted(order), text


def test_an_end_that_is_stored_is_not_written(place):
    """It has 200 ms to be told: on a busy machine not every one hears it in time."""
    for _ in range(20):
        attempt = place.run("exit 3")
        attempt.until("emptied")
        with contextlib.suppress(ProcessLookupError):
            attempt.is_stored()
        attempt.leaves()
        assert attempt.get("exited")["status"] == 3 and attempt.get("emptied")["flags"] == 0
        if attempt.invocation not in os.listdir(place.base + "/ends"):
            return
    raise AssertionError("each end was written")


@pytest.mark.parametrize("wrong", ["attempt", "cause", "time"])
def test_a_wrong_word_does_not_count_as_stored(place, wrong):
    attempt = place.run("while [ ! -e $OUT/go ]; do sleep 0.02; done; exit 3")
    attempt.started()
    if wrong == "time":
        attempt.is_stored()
        attempt.request(SIGNAL, signal.SIGCONT)
        attempt.until("signal")
    attempt.output("go").touch()
    attempt.until("emptied")
    mine = int(attempt.invocation[24:], 16)
    with contextlib.suppress(ProcessLookupError):
        if wrong == "attempt":
            attempt.request(STORED, whom=0, uid=mine ^ 1)
        if wrong == "cause":
            attempt.request(KILL, whom=0, uid=mine)
    assert attempt.result() == (EXIT_CODE, 3)


def test_the_lock_is_held_until_the_end(place):
    attempt = place.run("while [ ! -e $OUT/go ]; do sleep 0.02; done")
    attempt.started()
    assert attempt.lock_holder() == attempt.shim
    attempt.output("go").touch()
    attempt.end()
    assert attempt.lock_holder() is None


@pytest.mark.strace
def test_a_shim_killed_at_any_system_call_leaves_a_record_that_is_true(place):
    script = place.script("echo >> $OUT/ran.$NUMBER; systemd-notify --status=x; exit 3")
    seen = set()
    calls = "close mmap pipe2 clone3 openat read pwritev munmap recvmsg waitid poll pread64 unlink write fsync rename"
    for call in calls.split():
        for count in range(1, 40):
            attempt = place.attempt(script, environment=[f"NUMBER={place.runs + 1}"], io=True).ready()
            with system.Strace(attempt.shim, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={count}"):
                # It waits in a call that starts again when strace attaches; that may be its last.
                with contextlib.suppress(BrokenPipeError):
                    attempt.gate.send(b"g")
                attempt.leaves()
            seen.add(outcome := what_is_left(attempt))
            if outcome == (4, True):
                break  # it lived to its end: there is no such call
    # `exited` comes with `emptied`: nothing else is left.
    assert {(1, False), (2, False), (4, False), (4, True)} <= seen, seen


def what_is_left(attempt):
    """(how many of the slots passed, started, exited, emptied are there, is there an end) of a killed shim."""
    if attempt.cgroup:
        pathlib.Path(attempt.cgroup + "/cgroup.kill").write_text("1")
        wait_for(lambda: "populated 0" in system.read(attempt.cgroup + "/cgroup.events"), 5)
    record = attempt.record
    assert attempt.lock_holder() is None and record.get("head")["run"] == attempt.number
    slots = [slot for slot in ("passed", "started", "exited", "emptied") if record.get(slot)]
    assert slots == ["passed", "started", "exited", "emptied"][:len(slots)]
    assert "passed" in slots or not attempt.output(f"ran.{attempt.number}").exists(), "it never runs before `passed`"
    if "exited" in slots:
        assert (record.get("exited")["kind"], record.get("exited")["status"]) == (EXIT_CODE, 3)
    has_end = os.path.exists(attempt.end_path)
    if has_end:
        assert "emptied" in slots, "fafd is told first, so that the file is seldom needed"
        end = Record.read(attempt.end_path)
        assert end.get("exited")["status"] == 3 and end.get("emptied") and end.get("status") == b"x"
    return len(slots), has_end


# ---------------------------------------------------------------- what the script starts with


def test_descriptors_signals_and_session(place):
    attempt = place.run(STATUS + """
        ls -l /proc/self/fd > $OUT/fds; cat /proc/$$/stat > $OUT/stat
        umask > $OUT/umask; cat /proc/$$/oom_score_adj > $OUT/oom; cat /proc/$$/limits > $OUT/limits
        pwd > $OUT/pwd; cat /proc/$$/cgroup > $OUT/cgroup; cat /proc/$$/timerslack_ns > $OUT/slack || :""")
    attempt.end()
    links = re.findall(r" (\d+) -> (.*)", attempt.output("fds").read_text())
    assert [target for number, target in links if int(number) <= 2][0] == "/dev/null"
    assert {int(number) for number, _ in links} <= {0, 1, 2, 3}  # 1: the file, 3: ls itself
    status = status_of(attempt)
    assert int(status["SigBlk"], 16) == int(status["SigIgn"], 16) == 0
    assert status["CapInh"] == status["CapAmb"] == "0" * 16
    assert status["NoNewPrivs"] == "1" and status["Groups"].split() == []
    fields = attempt.output("stat").read_text().rpartition(")")[2].split()
    pid = int(attempt.get("started")["main_pid"])
    assert (int(fields[2]), int(fields[3]), int(fields[4])) == (pid, pid, 0)  # group, session, terminal
    assert attempt.output("umask").read_text() == "0022\n" and attempt.output("oom").read_text() == "0\n"
    assert re.search(r"Max open files\s+1024 ", attempt.output("limits").read_text())
    assert attempt.output("pwd").read_text() == "/\n"
    # Only CAP_SYS_NICE lets another process read it.
    slack = "50000\n" if system.has_capability(system.CAP_SYS_NICE) else ""
    assert attempt.output("slack").read_text() == slack
    if attempt.cgroup:
        assert attempt.output("cgroup").read_text().splitlines()[-1].endswith(os.path.basename(attempt.cgroup))


def test_ids_groups_umask_nice_and_limits_as_given(place):
    attempt = place.run(
        STATUS + "id -u > $OUT/ids; id -g >> $OUT/ids; umask > $OUT/umask; nice > $OUT/nice; "
        "ulimit -n > $OUT/files; ulimit -c > $OUT/core; pwd > $OUT/pwd",
        uid=ALICE, gid=BOB, groups=[BOB, 70000, 4_000_000_000], umask=0o077, nice=7, owner=0, cwd="/usr",
        flags=SEND_SIGKILL | CHANGE_USER | SET_NICE, limits=[(resource.RLIMIT_NOFILE, 99, 100), (resource.RLIMIT_CORE, 0, 0)])
    attempt.end()
    assert attempt.output("ids").read_text().split() == [str(ALICE), str(BOB)]
    status = status_of(attempt)
    assert status["Groups"].split() == [str(BOB), "70000", "4000000000"]
    assert status["Uid"].split() == [str(ALICE)] * 4 and status["Gid"].split() == [str(BOB)] * 4
    assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0 and status["NoNewPrivs"] == "0"
    assert attempt.output("umask").read_text() == "0077\n" and attempt.output("nice").read_text() == "7\n"
    assert attempt.output("files").read_text() == "99\n" and attempt.output("core").read_text() == "0\n"
    assert attempt.output("pwd").read_text() == "/usr\n"


def test_dispositions_are_default_even_if_the_mother_ignored_signals():
    other = Place(mother=False)
    try:
        def ignore():
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP, signal.SIGUSR1):
                signal.signal(number, signal.SIG_IGN)
            # glibc keeps these two to itself and lets nobody change them; a program without it may have.
            ignored = (ctypes.c_uint64 * 8)(1)
            for number in (32, 33):
                assert ctypes.CDLL(None).syscall(RT_SIGACTION[platform.machine()], number, ignored, None, 8) == 0
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        other.start_mother(restore_signals=False, before=ignore)
        attempt = other.run(STATUS)
        attempt.end()
        status = status_of(attempt)
        assert int(status["SigBlk"], 16) == int(status["SigIgn"], 16) == 0
    finally:
        other.clean_up()


def test_output_is_appended_to_a_private_file(place):
    path = place.base + "/log"
    place.run("echo one; echo two >&2", stdout=path).end()
    place.run("echo three; echo four >&2", stdout=path, stderr=path + ".errors").end()
    assert pathlib.Path(path).read_text() == "one\ntwo\nthree\n"
    assert pathlib.Path(path + ".errors").read_text() == "four\n"
    assert os.stat(path).st_mode & 0o7777 == 0o600


def test_output_never_goes_through_somebody_elses_link(place):
    target = place.base + "/target"
    pathlib.Path(target).write_text("")
    theirs = place.base + "/theirs"
    os.mkdir(theirs)
    os.symlink(target, theirs + "/link")
    os.symlink(place.base, theirs + "/directory")
    os.chown(theirs, BOB, BOB)
    assert failed_step(place.run("echo x", stdout=theirs + "/link")) == ("stdout", errno.ELOOP)
    assert failed_step(place.run("echo x", stderr=theirs + "/directory/target")) == ("stderr", errno.ELOOP)
    os.link(target, place.base + "/second")
    assert failed_step(place.run("echo x", stdout=target))[0] == "stdout", "a file with a second name"
    os.mkfifo(place.base + "/fifo")
    assert failed_step(place.run("echo x", stdout=place.base + "/fifo"))[0] == "stdout"
    assert failed_step(place.run("echo x", stdout=place.base))[0] == "stdout"
    assert pathlib.Path(target).read_text() == ""


def test_output_may_go_through_a_link_that_only_root_can_set(place):
    os.mkdir(place.base + "/disk")
    os.symlink(place.base + "/disk", place.base + "/logs")
    place.run("echo x", stdout=place.base + "/logs/t").end()
    assert pathlib.Path(place.base + "/disk/t").read_text() == "x\n"


# ---------------------------------------------------------------- steps that fail


def test_exec_failures_are_told_by_step_and_errno(place):
    assert failed_step(place.run("#!/nowhere/sh\n")) == ("exec", errno.ENOENT)
    no_line = place.script("")
    pathlib.Path(no_line).write_text("echo\n")
    assert failed_step(place.run(no_line)) == ("exec", errno.ENOEXEC)
    assert failed_step(place.run("exit 0", cwd=place.base + "/none")) == ("chdir", errno.ENOENT)
    assert failed_step(place.run("exit 0", uid=2**32 - 1, gid=1, owner=0)) == ("uid", errno.EINVAL)
    assert failed_step(place.run("exit 0", gid=2**32 - 1)) == ("gid", errno.EINVAL)
    assert failed_step(place.run("exit 0", arguments=["x" * 131_072, "y" * 131_072])) == ("exec", errno.E2BIG)
    assert failed_step(place.run("exit 0", limits=[(99, 1, 1)])) == ("limits", errno.EINVAL)


def test_the_directory_is_entered_as_the_runs_user(place):
    closed = place.base + "/closed"
    os.mkdir(closed, 0o700)
    assert failed_step(place.run("exit 0", uid=BOB, owner=0, cwd=closed)) == ("chdir", errno.EACCES)


def test_an_optional_directory_may_be_missing(place):
    flags = SEND_SIGKILL | CHANGE_USER | CWD_OPTIONAL
    attempt = place.run("pwd > $OUT/pwd", cwd=place.base + "/none", flags=flags)
    assert attempt.result() == (EXIT_CODE, 0) and attempt.output("pwd").read_text() == "/\n"


def test_the_script_is_checked_again_before_exec(place):
    script = place.script("touch $OUT/ran")
    attempt = place.attempt(script).ready()
    os.chmod(script, 0o777)
    assert failed_step(attempt.go()) == ("check", errno.EPERM)
    other = place.script("touch $OUT/ran", name="other")
    attempt = place.attempt(script := place.script("touch $OUT/ran")).ready()
    os.rename(other, script)
    assert failed_step(attempt.go()) == ("check", errno.ESTALE)
    attempt = place.attempt(script).ready()
    os.unlink(script)
    assert failed_step(attempt.go()) == ("check", errno.ENOENT)
    attempt = place.attempt("touch $OUT/ran", allowed=["/srv/nothing"])
    assert failed_step(attempt.go()) == ("check", errno.EPERM)
    assert not os.path.exists(place.out + "/ran")


def test_a_script_that_its_user_cannot_reach_does_not_run(place):
    closed = place.base + "/s/closed"
    os.mkdir(closed, 0o700)
    script = place.script("exit 0")
    os.rename(script, closed + "/t")
    assert failed_step(place.run(closed + "/t", uid=BOB, owner=0)) == ("exec", errno.EACCES)


# ---------------------------------------------------------------- how it ended


def test_a_signal_is_told_as_such(place):
    assert place.run("kill -USR1 $$").result() == (EXIT_SIGNAL, signal.SIGUSR1)


def test_a_core_is_told_as_such(place):
    if not pathlib.Path("/proc/sys/kernel/core_pattern").read_text().startswith("core"):
        pytest.skip("core dumps go elsewhere")
    attempt = place.run("kill -ABRT $$", cwd=place.out, limits=[(resource.RLIMIT_CORE, 2**64 - 1, 2**64 - 1)])
    assert attempt.result() == (EXIT_CORE, signal.SIGABRT)


@pytest.mark.cgroup
def test_processes_that_outlive_the_script_are_stopped(place):
    attempt = place.run("setsid sh -c '(trap \"echo term > $OUT/term; exit\" TERM; touch $OUT/up; while :; do sleep 0.05; "
                        "done) &' & while [ ! -e $OUT/up ]; do sleep 0.02; done; exit 9")
    assert attempt.result() == (EXIT_CODE, 9)
    assert attempt.get("stop")["cause"] == LEFTOVERS and attempt.get("stop")["kill_sent"] == 0
    assert attempt.output("term").read_text() == "term\n"


@pytest.mark.cgroup
def test_leftovers_that_ignore_it_are_killed(place):
    attempt = place.run("setsid sh -c \"trap '' TERM; touch $OUT/up; sleep 1000\" & "
                        "while [ ! -e $OUT/up ]; do sleep 0.02; done; exit 1", stop=0.3)
    record = attempt.end()
    assert record.get("exited")["status"] == 1 and record.get("stop")["kill_sent"] == 1
    assert record.get("emptied")["boottime"] - record.get("exited")["boottime"] >= 300_000


# ---------------------------------------------------------------- notify


def test_status_and_the_rest_by_systemd_notify(place):
    attempt = place.run("""
        systemd-notify --ready --status="18 of 30" && systemd-notify X_FAF_PROGRESS=18/30 ERRNO=2 EXIT_STATUS=77 &&
        systemd-notify X_FAF_RESULT="$OUT/x y" && touch $OUT/said; while [ ! -e $OUT/go ]; do sleep 0.02; done""", kind=1)
    wait_for(attempt.output("said").exists, 10, "all were answered")
    # A barrier is answered when all before it is in the record: nothing has to be waited for.
    assert attempt.get("status") == b"18 of 30" and attempt.get("result") == f"{place.out}/x y".encode()
    assert attempt.get("progress") == {"done": 18, "total": 30}
    said = attempt.get("said")
    assert said["flags"] == 1 | 8 | 16 and (said["error"], said["exit_status"]) == (2, 77) and said["boottime"] > 0
    attempt.output("go").touch()
    attempt.end()


def test_systemd_notify_many_times_as_another_user(place):
    attempt = place.run('n=0; while [ $n -lt 100 ]; do n=$((n+1)); systemd-notify --status=$n || exit 1; done',
                        uid=BOB, owner=0)
    assert attempt.result(60) == (EXIT_CODE, 0) and attempt.get("status") == b"100"


def test_the_delay_before_a_retry_is_kept_as_it_was_said(place):
    record = place.run("systemd-notify X_FAF_RETRY_AFTER=5; systemd-notify X_FAF_RETRY_AFTER='1min 30s'; exit 3").end()
    assert record.get("retry_after") == b"1min 30s"
    assert place.run("exit 3").end().get("retry_after") is None


SAY = """#!/usr/bin/python3 -I
import array, os, socket, sys, time
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
to.connect(os.environ["NOTIFY_SOCKET"])
out = os.environ["OUT"]
def barrier():
    read, write = os.pipe()
    to.sendmsg([b"BARRIER=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write]))])
    os.close(write)
    os.read(read, 1)
    os.close(read)
def wait(name):
    while not os.path.exists(f"{out}/{name}"): time.sleep(0.01)
def done(name): open(f"{out}/{name}", "w").close()
"""


def say(place, text, **options):
    return place.run(SAY + text, **options)


def test_messages_that_are_dropped_and_lines_that_are(place):
    attempt = say(place, r"""
for bad in (b"", b"STATUS=a\0b", b"STATUS=" + b"x" * 4090, b"STATUS=\xff", b"STATUS=\xed\xa0\x80", b" STATUS=x",
            b"status=x", b"X_FAF_PROGRESS=1", b"X_FAF_PROGRESS=-1/2", b"READY=true", b"READY=11", b"ERRNO=x",
            b"EXIT_STATUS=256", b"MAINPID=0", b"MAINPID=-5", b"X_FAF_PROGRESS=18446744073709551616/1"):
    to.send(bad)
barrier()
done("bad"); wait("seen")
to.send(b"STATUS=first\nSTATUS=second\nERRNO=nonsense\nWHATEVER=1\nX_FAF_PROGRESS=1/3\nREADY=1\0")
barrier()
done("good"); wait("seen2")
to.send(b"STATUS=")
barrier()
done("empty"); wait("seen3")
""")
    wait_for(attempt.output("bad").exists)
    record = attempt.record
    assert all(record.get(slot) is None for slot in ("status", "said", "progress", "result")), describe(record)
    attempt.output("seen").touch()
    wait_for(attempt.output("good").exists)
    record = attempt.record
    assert record.get("status") == b"first" and record.get("said")["flags"] == 1
    assert record.get("progress") == {"done": 1, "total": 3}
    attempt.output("seen2").touch()
    wait_for(attempt.output("empty").exists)
    assert attempt.get("status") == b""
    attempt.output("seen3").touch()
    attempt.end()


def test_4000_bytes_of_status_are_the_same_4000_bytes(place):
    text = ("é\x1b[31m" * 600)[:2000].encode()[:3999] + b"x"
    attempt = say(place, f"to.send(b'STATUS=' + {text!r})\nto.send(b'READY=1')")
    record = attempt.end()
    assert record.get("status") == text and record.get("said")["flags"] == 1
    assert record.get("result") is None


def test_a_flood_is_written_at_most_20_times_a_second_and_the_last_one_always(place):
    attempt = say(place, """
start = time.monotonic()
n = 0
while time.monotonic() - start < 1:
    n += 1
    to.send(b"STATUS=%d\\nX_FAF_PROGRESS=%d/0" % (n, n))
open(out + "/n", "w").write(str(n))
""")
    record = attempt.end()
    count = int(attempt.output("n").read_text())
    assert count > 500
    assert record.get("status") == str(count).encode() and record.get("progress")["done"] == count
    sequence = max(int.from_bytes(record.data[at + 8:at + 16], "little") for at in (4096, 8448))
    assert sequence <= 24, f"{sequence} of {count} were written"


def test_the_last_status_is_written_without_a_barrier_and_without_an_end(place):
    attempt = say(place, "for n in range(5): to.send(b'STATUS=%d' % n)\nwait('go')")
    attempt.until("status", fact=lambda text: text == b"4")
    attempt.output("go").touch()
    attempt.end()


def test_barriers_are_answered_malformed_or_not_and_descriptors_closed(place):
    attempt = say(place, r"""
def send(text, count):
    ends = [os.pipe() for _ in range(count)]
    to.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write for _, write in ends]))])
    for read, write in ends:
        os.close(write)
        os.read(read, 1)
        os.close(read)
for text, count in ((b"BARRIER=1", 1), (b"BARRIER=1", 2), (b"BARRIER=1\nSTATUS=x", 1), (b"STATUS=y", 3),
                    (b"", 1), (b"a\0b", 1), (b"x" * 5000, 1), (b"BARRIER=1", 200), (b"FDSTORE=1", 7)):
    send(text, count)
done("all"); wait("go")
""")
    wait_for(attempt.output("all").exists)
    assert attempt.get("status") == b"y"
    before = system.descriptors(attempt.shim)
    assert not [target for target in before.values() if target.startswith("pipe:")]
    attempt.output("go").touch()
    attempt.end()


def test_who_may_notify(place):
    # As root systemd-notify gives its parent's pid as its own.
    child = "systemd-notify --status=child; exit 0"
    assert place.run(child, access=3, uid=BOB, owner=0).end().get("status") == b"child"
    assert place.run(child, access=1, uid=BOB, owner=0).end().get("status") is None
    assert say(place, "to.send(b'STATUS=main')", access=1).end().get("status") == b"main"
    assert say(place, "to.send(b'STATUS=main')", access=2).end().get("status") == b"main"
    assert place.run("exit 0", access=0, notify=False).end().get("status") is None


def test_a_sender_that_has_gone_counts_for_all(place):
    attempt = say(place, """
import subprocess
for n in range(50):
    if os.fork() == 0:
        to.send(b"STATUS=gone %d" % n)
        os._exit(0)
    os.wait()
""")
    assert attempt.end().get("status") == b"gone 49"


def test_a_stranger_with_the_right_uid_does_not_count(place):
    attempt = place.run("while [ ! -e $OUT/go ]; do sleep 0.02; done")
    attempt.started()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.connect(attempt.notify_path)
        to.send(b"STATUS=stranger\nREADY=1")
        # The next one is answered after it.
        read, write = os.pipe()
        socket.send_fds(to, [b"BARRIER=1"], [write])
        os.close(write)
        assert select.select([read], [], [], 5)[0], "every sender's barrier is answered"
        os.close(read)
    assert attempt.get("status") is None and attempt.get("said") is None
    attempt.output("go").touch()
    attempt.end()


def test_another_user_cannot_reach_the_socket(place):
    attempt = place.run("while [ ! -e $OUT/go ]; do sleep 0.02; done", uid=ALICE, owner=0)
    attempt.started()
    done = subprocess.run(["setpriv", "--reuid", str(BOB), "--regid", str(BOB), "--clear-groups", "systemd-notify",
                           "--status=x"], env={"NOTIFY_SOCKET": attempt.notify_path, "PATH": os.environ["PATH"]})
    assert done.returncode != 0 and attempt.get("status") is None
    attempt.output("go").touch()
    attempt.end()


def test_notifications_are_read_before_the_end(place):
    for n in range(20):
        attempt = say(place, f"to.send(b'STATUS={n}\\nREADY=1'); os._exit(3)", kind=1)
        record = attempt.end()
        assert record.get("status") == str(n).encode() and record.get("said")["flags"] == 1


@pytest.mark.parametrize("message,flags", [
    ("READY=1\\nRELOADING=1", 1), ("STOPPING=1\\nREADY=1", 2), ("RELOADING=1", 4), ("READY=1\\r\\nSTATUS=x", 1)])
def test_stopping_beats_ready_beats_reloading(place, message, flags):
    record = say(place, f"to.send(b'{message}')").end()
    assert record.get("said")["flags"] == flags


def test_mainpid_of_a_stranger_is_ignored(place):
    attempt = say(place, f"to.send(b'MAINPID=1'); to.send(b'MAINPID={os.getpid()}'); barrier(); os._exit(5)")
    record = attempt.end()
    assert (record.get("exited")["kind"], record.get("exited")["status"]) == (EXIT_CODE, 5)
    assert record.get("said") is None


def test_mainpid_of_an_orphan_keeps_its_status(place):
    attempt = say(place, """
pid = os.fork()
if pid == 0:
    wait("go")
    os._exit(42)
to.send(b"MAINPID=%d" % pid)
barrier()
""")
    said = attempt.until("said")
    wait_for(lambda: system.parent(said["main_pid"]) == attempt.shim, 5, "the shim inherits it")
    assert attempt.get("exited") is None and said["flags"] == 32
    attempt.output("go").touch()
    assert attempt.result() == (EXIT_CODE, 42)


def test_mainpid_whose_parent_reaps_it_ends_unknown(place):
    attempt = say(place, """
pid = os.fork()
if pid == 0:
    wait("go")
    os._exit(42)
to.send(b"MAINPID=%d" % pid)
barrier()
os.waitpid(pid, 0)
time.sleep(1000)
""")
    attempt.until("said")
    attempt.output("go").touch()
    record = attempt.end()
    assert record.get("exited")["kind"] == EXIT_UNKNOWN and record.get("exited")["status"] == 0
    assert record.get("stop")["cause"] == LEFTOVERS


# ---------------------------------------------------------------- the stop sequence


@pytest.mark.parametrize("cause", [KILL, SHUTDOWN])
def test_a_stop_sends_the_stop_signal(place, cause):
    attempt = place.run("trap 'exit 8' USR2; touch $OUT/ready; while :; do sleep 0.02; done", kill_signal=signal.SIGUSR2)
    wait_ready(attempt)
    attempt.request(cause, uid=4_000_000_000)
    assert attempt.result() == (EXIT_CODE, 8)
    stop = attempt.get("stop")
    assert (stop["cause"], stop["signal"], stop["uid"], stop["kill_sent"]) == (cause, signal.SIGUSR2, 4_000_000_000, 0)
    assert stop["deadline"] - stop["boottime"] == 90_000_000 and abs(stop["realtime"] / 1e6 - time.time()) < 60


def test_a_task_that_ignores_it_is_killed_when_the_time_is_over(place):
    attempt = place.run(ignores_term(), stop=0.5)
    wait_ready(attempt)
    attempt.request(KILL)
    time.sleep(0.2)
    assert attempt.get("exited") is None
    attempt.request(KILL, uid=5)  # a second one moves nothing
    attempt.request(SHUTDOWN, uid=6)
    record = attempt.end()
    stop, exited = record.get("stop"), record.get("exited")
    assert (exited["kind"], exited["status"]) == (EXIT_SIGNAL, signal.SIGKILL)
    assert (stop["cause"], stop["uid"], stop["kill_sent"]) == (KILL, 0, 1)
    assert (record.get("asked")["cause"], record.get("asked")["uid"]) == (KILL, 0)
    assert 500_000 <= exited["boottime"] - stop["boottime"] < 1_500_000


def test_without_sendsigkill_it_is_never_killed(place):
    attempt = place.run(ignores_term(), stop=0.1, flags=CHANGE_USER)
    wait_ready(attempt)
    attempt.request(KILL)
    time.sleep(0.5)
    stop = attempt.get("stop")
    assert attempt.get("exited") is None and stop["kill_sent"] == 0 and stop["deadline"] == INFINITY
    attempt.request(SIGNAL, signal.SIGKILL)
    assert attempt.result() == (EXIT_SIGNAL, signal.SIGKILL)


def test_a_wish_to_end_is_kept_also_when_it_changes_nothing(place):
    attempt = place.run(f"({ignores_term()}) & while [ ! -e $OUT/ready ]; do sleep 0.02; done; exit 3", stop=1)
    attempt.until("exited")
    attempt.request(SIGNAL, signal.SIGUSR1)
    attempt.request(KILL, uid=5)
    record = attempt.end()
    assert record.get("stop")["cause"] == LEFTOVERS
    assert (record.get("asked")["cause"], record.get("asked")["uid"]) == (KILL, 5)
    assert place.run("exit 3").end().get("asked") is None


def test_without_a_time_limit_it_waits(place):
    attempt = place.run(ignores_term(), stop=INFINITY)
    wait_ready(attempt)
    attempt.request(KILL)
    assert attempt.until("stop")["deadline"] == INFINITY
    attempt.request(SIGNAL, signal.SIGKILL)
    assert attempt.result() == (EXIT_SIGNAL, signal.SIGKILL)


def test_all_processes_get_the_stop_signal(place):
    attempt = place.run("""
        for n in 1 2 3; do (trap "touch $OUT/term$n; exit" TERM; touch $OUT/up$n; while :; do sleep 0.02; done) & done
        while [ ! -e $OUT/up1 -o ! -e $OUT/up2 -o ! -e $OUT/up3 ]; do sleep 0.02; done
        trap 'touch $OUT/term0; exit' TERM; touch $OUT/ready; while :; do sleep 0.02; done""")
    wait_ready(attempt)
    attempt.request(KILL)
    attempt.end()
    wait_for(lambda: all(attempt.output(f"term{n}").exists() for n in range(4)), 5, "all four were told")


def test_a_stopped_task_can_be_stopped(place):
    attempt = place.run("trap 'exit 3' TERM; touch $OUT/ready; kill -STOP $$; while :; do sleep 0.02; done")
    wait_ready(attempt)
    main = attempt.started()
    wait_for(lambda: system.process_state(main) == "T", 5, "it is stopped")
    attempt.request(KILL)
    assert attempt.result() == (EXIT_CODE, 3)


@pytest.mark.cgroup
def test_a_frozen_task_can_be_stopped(place):
    attempt = place.run("trap 'exit 3' TERM; touch $OUT/ready; while :; do sleep 0.02; done")
    wait_ready(attempt)
    pathlib.Path(attempt.cgroup + "/cgroup.freeze").write_text("1")
    attempt.request(KILL)
    assert attempt.result() == (EXIT_CODE, 3)


@pytest.mark.cgroup
def test_a_mere_signal_does_not_thaw(place):
    attempt = place.run("trap 'exit 3' USR1; touch $OUT/ready; while :; do sleep 0.02; done")
    wait_ready(attempt)
    freeze = pathlib.Path(attempt.cgroup + "/cgroup.freeze")
    freeze.write_text("1")
    attempt.request(SIGNAL, signal.SIGUSR1)
    attempt.until("signal")
    time.sleep(0.1)
    assert freeze.read_text() == "1\n" and attempt.get("exited") is None
    freeze.write_text("0")
    assert attempt.result() == (EXIT_CODE, 3)


@pytest.mark.cgroup
def test_a_fork_bomb_is_stopped(place):
    attempt = place.run("#!/usr/bin/python3\n" + r"""
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(os.environ["OUT"] + "/ready", "w").close()
while True:
    try: os.fork()
    except OSError: pass
""", uid=BOB, owner=0, limits=[(resource.RLIMIT_NPROC, 60, 60)], stop=0.2)
    wait_ready(attempt)
    attempt.request(KILL)
    assert attempt.result() == (EXIT_SIGNAL, signal.SIGKILL)


def test_a_request_before_the_go_is_done_once_it_runs(place):
    attempt = place.attempt("trap 'exit 3' TERM; while :; do sleep 0.02; done").ready()
    attempt.request(KILL, uid=7)
    time.sleep(0.1)
    assert attempt.get("stop") is None
    record = attempt.go().end()
    assert record.get("stop")["uid"] == 7 and record.get("started") is not None
    assert record.get("exited")["kind"] in (EXIT_CODE, EXIT_SIGNAL)


def test_one_signal_starts_no_sequence(place):
    attempt = place.run("trap 'echo usr1 >> $OUT/got' USR1; touch $OUT/ready; while :; do sleep 0.02; done")
    wait_ready(attempt)
    attempt.request(SIGNAL, signal.SIGUSR1, MAIN, uid=9)
    wait_for(lambda: system.read(attempt.output("got")) == "usr1\n")
    sent = attempt.get("signal")
    assert (sent["cause"], sent["signal"], sent["whom"], sent["uid"]) == (SIGNAL, signal.SIGUSR1, MAIN, 9)
    assert attempt.get("stop") is None
    attempt.request(SIGNAL, 0, ALL)
    assert attempt.result() == (EXIT_SIGNAL, signal.SIGTERM)
    assert (attempt.get("stop") or {"cause": LEFTOVERS})["cause"] == LEFTOVERS  # a `sleep` may die a moment later


def test_only_queued_requests_count(place):
    attempt = place.run("while [ ! -e $OUT/go ]; do sleep 0.02; done")
    attempt.started()
    for number in [*range(1, 9), *range(10, 19), *range(20, 32), *range(34, 65)]:
        os.kill(attempt.shim, number)  # si_code SI_USER; SIGSTOP and SIGKILL are not to be refused by anybody
    for cause in (0, TIMEOUT_START, LEFTOVERS, STOPPING, 99):
        attempt.request(cause)
    attempt.request(KILL, 65)
    time.sleep(0.2)
    assert attempt.get("stop") is None and attempt.get("signal") is None and system.is_running(attempt.shim)
    attempt.output("go").touch()
    assert attempt.result() == (EXIT_CODE, 0)


def test_starting_takes_too_long(place):
    attempt = place.run("while :; do sleep 0.02; done", kind=1, start=0.3, stop=5)
    record = attempt.end()
    stop = record.get("stop")
    assert stop["cause"] == TIMEOUT_START and stop["boottime"] - record.get("started")["boottime"] >= 300_000
    assert record.get("exited")["status"] == signal.SIGTERM and record.get("said") is None


def test_ready_in_time_stops_that_clock(place):
    attempt = place.run("systemd-notify --ready; sleep 0.6; exit 2", kind=1, start=0.4)
    assert attempt.result() == (EXIT_CODE, 2) and attempt.get("stop") is None


def test_a_simple_task_has_no_start_clock(place):
    attempt = place.run("sleep 0.3; exit 2", kind=0, start=0.1)
    assert attempt.result() == (EXIT_CODE, 2) and attempt.get("stop") is None


def test_stopping_is_no_signal_but_a_time_limit(place):
    attempt = place.run("trap 'touch $OUT/term' TERM; systemd-notify STOPPING=1; touch $OUT/ready; "
                        "while :; do sleep 0.02; done", stop=0.4)
    wait_ready(attempt)
    record = attempt.end()
    assert record.get("stop")["cause"] == STOPPING and record.get("stop")["kill_sent"] == 1
    assert record.get("said")["flags"] == 2 and not attempt.output("term").exists()


def test_a_kill_after_stopping_signals_and_moves_no_clock(place):
    attempt = place.run("trap 'exit 3' TERM; systemd-notify STOPPING=1; touch $OUT/ready; while :; do sleep 0.02; done")
    wait_ready(attempt)
    first = attempt.until("stop")
    attempt.request(KILL, uid=3)
    assert attempt.result() == (EXIT_CODE, 3)
    stop = attempt.get("stop")
    assert (stop["cause"], stop["uid"], stop["deadline"]) == (KILL, 3, first["deadline"])


@pytest.mark.cgroup
def test_processes_in_cgroups_of_the_tasks_own_are_told_too(place):
    attempt = place.run(f"mkdir {place.cgroup}/1.1/own; "
                        "sh -c 'trap \"touch $OUT/term; exit\" TERM; echo $$ > " + place.cgroup + "/1.1/own/cgroup.procs; "
                        "touch $OUT/ready; while :; do sleep 0.02; done' & wait")
    wait_ready(attempt)
    attempt.request(KILL)
    attempt.end()
    assert attempt.output("term").exists()


# ---------------------------------------------------------------- without a cgroup


def test_without_a_cgroup_descendants_are_stopped_and_killed(place):
    attempt = place.run("setsid sh -c \"(trap '' TERM; touch $OUT/up; while :; do sleep 0.02; done) &\" & "
                        "while [ ! -e $OUT/up ]; do sleep 0.02; done; exit 4", cgroup=False, stop=0.3)
    record = attempt.end()
    assert record.get("exited")["status"] == 4 and record.get("cgroup") == b""
    assert record.get("stop")["cause"] == LEFTOVERS and record.get("stop")["kill_sent"] == 1
    assert record.get("emptied")["cgroup"] == record.get("emptied")["memory_peak"] == INFINITY


def test_without_a_cgroup_all_get_the_stop_signal(place):
    attempt = place.run("(trap 'touch $OUT/term1; exit' TERM; touch $OUT/up; while :; do sleep 0.02; done) & "
                        "while [ ! -e $OUT/up ]; do sleep 0.02; done; trap 'exit 5' TERM; touch $OUT/ready; "
                        "kill -STOP $$; while :; do sleep 0.02; done", cgroup=False)
    wait_ready(attempt)
    attempt.request(KILL)
    assert attempt.result() == (EXIT_CODE, 5)
    wait_for(attempt.output("term1").exists)


def test_without_a_cgroup_a_fork_bomb_is_stopped(place):
    attempt = place.run("#!/usr/bin/python3\n" + r"""
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(os.environ["OUT"] + "/ready", "w").close()
while True:
    try: os.fork()
    except OSError: pass
""", uid=BOB, owner=0, limits=[(resource.RLIMIT_NPROC, 60, 60)], stop=0.2, cgroup=False)
    wait_ready(attempt)
    attempt.request(KILL)
    assert attempt.result() == (EXIT_SIGNAL, signal.SIGKILL)


def test_without_a_cgroup_the_script_dies_with_its_shim(place):
    attempt = place.run("while :; do sleep 0.02; done", cgroup=False)
    main = attempt.started()
    os.kill(attempt.shim, signal.SIGKILL)
    wait_for(lambda: not system.is_running(main), 5, "it is gone")
    assert attempt.get("exited") is None and attempt.lock_holder() is None


def test_without_a_cgroup_strangers_do_not_notify(place):
    attempt = place.run("(systemd-notify --status=mine); while [ ! -e $OUT/go ]; do sleep 0.02; done", cgroup=False)
    attempt.until("status")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.sendto(b"STATUS=stranger", attempt.notify_path)
    time.sleep(0.1)
    attempt.output("go").touch()
    assert attempt.end().get("status") == b"mine"


# ---------------------------------------------------------------- an ordinary user, and what a shim costs


def test_an_ordinary_users_shim(place):
    other = Place(mother=False, owner=ALICE)
    try:
        other.start_mother(user=ALICE, group=ALICE, extra_groups=[])
        script = other.script("id -u > $OUT/id; systemd-notify --status=x; exit 3", owner=ALICE)
        flags = SEND_SIGKILL | NO_NEW_PRIVILEGES | DEATH_SIGNAL
        attempt = other.run(script, uid=ALICE, cgroup=False, flags=flags, io=True, stdout=other.out + "/log")
        assert attempt.result() == (EXIT_CODE, 3) and attempt.get("status") == b"x"
        assert attempt.output("id").read_text() == f"{ALICE}\n"
    finally:
        other.clean_up()


def test_a_waiting_shim_is_small(place):
    attempt = place.run("sleep 1000")
    attempt.started()
    os.sync()  # pages of a freshly linked program count as dirty until they are written back
    text = system.read(f"/proc/{attempt.shim}/smaps_rollup")
    private = sum(int(size) for size in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.M))
    assert private <= 64, text
    before = system.cpu_seconds(attempt.shim)
    time.sleep(0.5)
    assert system.cpu_seconds(attempt.shim) == before, "it sleeps"


def test_many_at_once(place):
    attempts = [place.attempt(f"exit {n % 50}") for n in range(100)]
    for attempt in attempts:
        attempt.go()
    for n, attempt in enumerate(attempts):
        assert attempt.result() == (EXIT_CODE, n % 50)
