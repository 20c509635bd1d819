"""Threat model, section C: which file runs."""

import os
import shutil
import struct
import subprocess
import threading

import pytest
import system
from harness import ALICE, BAD_INPUT, BOB, NOT_FOUND, OTHER, REFUSED
from system import wait_for
from wire import WireError

pytestmark = pytest.mark.root


def fire_error(faf, task="t"):
    """The error that firing gets; fails if the task was taken."""
    with pytest.raises(WireError) as error:
        run = faf.call("Fire", {"task": task})["run"]["number"]
        pytest.fail(f"it was taken, and then: {faf.wait(run)}")
    return error.value


def script_is_refused(faf, path, at=None, **settings):
    """The script at `path` is refused by name, before anything is numbered; `at` is the path at fault."""
    faf.unit("t", ExecStart=path, **settings)
    before = len(faf.runs())
    error = fire_error(faf)
    assert error.error == "ScriptRefused", error
    assert error.parameters["message"] and error.parameters["remedy"]
    if at is not None:
        assert error.parameters["path"] == at, error
    # Root's own command line says the same, and which file it is.
    assert (at or os.path.basename(path)) in faf.refused("fire", "t", code=(REFUSED, BAD_INPUT, OTHER))
    assert len(faf.runs()) == before and faf.marks() == []


def script_runs(faf, path, **settings):
    faf.unit("t", ExecStart=path, **settings)
    before = len(faf.marks())
    run = faf.ends(faf.fire("t"), "succeeded")
    assert len(faf.marks()) == before + 1
    return run


def directory(faf, *parts, mode=0o755, owner=0, group=0):
    path = os.path.join(faf.base, *parts)
    os.mkdir(path)
    os.chown(path, owner, group)
    os.chmod(path, mode)
    return path


# ---------------------------------------------------------------- C1: layouts that are accepted


def test_c1_a_plain_script_of_root_runs(faf):
    """C1, layout 1: root's script in root's directories."""
    path = faf.marker()
    run = script_runs(faf, path)
    assert run["script"] == path


def test_c1_a_script_of_the_runs_user_runs(faf):
    """C1, layout 2: owned by User=, in a directory of that user."""
    own = directory(faf, "home", owner=ALICE, group=ALICE)
    script_runs(faf, faf.marker(directory=own, owner=ALICE), User=ALICE, Group=ALICE)


def test_c1_a_script_of_scriptowner_runs(faf):
    """C1, layout 3: ScriptOwner= names somebody else than User=."""
    own = directory(faf, "home", owner=BOB, group=BOB)
    script_runs(faf, faf.marker(directory=own, owner=BOB), User=ALICE, Group=ALICE, ScriptOwner=BOB)


def test_c1_a_link_to_a_release_runs_the_real_path(faf):
    """C1, layout 4: `current` is a link; what is executed is the release, $FAF_SCRIPT is the path as configured."""
    release = directory(faf, "releases")
    first = directory(faf, "releases", "1")
    faf.marker(directory=first, more=f'echo "$0 $FAF_SCRIPT" > {faf.out}/paths\n')
    os.symlink("releases/1", faf.base + "/current")
    configured = faf.base + "/current/mark"
    run = script_runs(faf, configured)
    assert run["script"] == f"{release}/1/mark"
    assert run["release"] == f"{release}/1"
    assert faf.output("paths").read_text().split() == [f"{release}/1/mark", configured]


def test_c1_a_deploy_does_not_change_the_code_under_a_run(faf):
    """Design 5: moving `current` while a task runs leaves its path and its children on the old release."""
    for number in ("1", "2"):
        faf_dir = directory(faf, f"r{number}")
        faf.script("t", f'while [ ! -e {faf.out}/go ]; do sleep 0.05; done; "$(dirname "$0")/child"', directory=faf_dir)
        faf.script("child", f"echo {number} > {faf.out}/release", directory=faf_dir)
    os.symlink("r1", faf.base + "/current")
    faf.unit("t", ExecStart=faf.base + "/current/t")
    run = faf.fire("t")
    faf.running(run)
    os.symlink("r2", faf.base + "/next")
    os.rename(faf.base + "/next", faf.base + "/current")
    faf.output("go").touch()
    faf.ends(run, "succeeded")
    assert faf.output("release").read_text() == "1\n"


def test_c1_below_a_sticky_root_directory_runs(faf):
    """C1, layout 5: /tmp may be an ancestor if the next directory is safe."""
    directory(faf, "sticky", mode=0o1777)
    own = directory(faf, "sticky", "own")
    script_runs(faf, faf.marker(directory=own))


def test_c1_a_chain_of_links_runs(faf):
    """C1, layout 6: absolute and relative links, one after another."""
    target = faf.marker()
    links = directory(faf, "links")
    os.symlink(target, links + "/a")
    os.symlink("a", links + "/b")
    os.symlink("../links/b", links + "/c")
    assert script_runs(faf, links + "/c")["script"] == target


# ---------------------------------------------------------------- C1: layouts that are refused


def test_c1_a_script_of_somebody_else_is_refused(faf):
    """C1, layout 7: owned by bob, who is neither root nor User=."""
    path = faf.marker(owner=BOB)
    script_is_refused(faf, path, path)
    script_is_refused(faf, path, path, User=ALICE, Group=ALICE)


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o722])
def test_c1_a_writable_script_is_refused(faf, mode):
    """C1, layout 8: no write for group or others."""
    path = faf.marker(mode=mode)
    script_is_refused(faf, path, path)


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_c1_a_script_that_is_not_executable_is_refused(faf, mode):
    """C1, layout 9: executable."""
    path = faf.marker(mode=mode)
    script_is_refused(faf, path, path)


@pytest.mark.parametrize("mode,owner", [(0o775, 0), (0o757, 0), (0o1777, 0), (0o755, BOB)])
def test_c1_a_directory_that_others_write_is_refused(faf, mode, owner):
    """C1, layout 10: the script's own directory, sticky or not, belongs to others or is writable by them."""
    own = directory(faf, "dir", mode=mode, owner=owner)
    script_is_refused(faf, faf.marker(directory=own), own)


@pytest.mark.parametrize("mode,owner", [(0o775, 0), (0o757, 0), (0o755, BOB)])
def test_c1_an_ancestor_that_others_write_is_refused(faf, mode, owner):
    """C1, layout 11: any directory from / on."""
    above = directory(faf, "above", mode=mode, owner=owner)
    own = directory(faf, "above", "dir")
    script_is_refused(faf, faf.marker(directory=own), above)


def test_c1_a_links_directory_that_others_write_is_refused(faf):
    """C1, layout 12: the directory of a link on the way counts, though the real path is safe."""
    target = faf.marker()
    links = directory(faf, "links", mode=0o777)
    os.symlink(target, links + "/a")
    script_is_refused(faf, links + "/a", links)
    safe = directory(faf, "safe")
    os.symlink(links + "/a", safe + "/b")
    script_is_refused(faf, safe + "/b", links)


def test_c1_a_links_target_directory_counts(faf):
    """C1: the real path's directories count, though the configured path is safe."""
    wild = directory(faf, "wild", mode=0o777)
    target = faf.marker(directory=wild)
    os.symlink(target, faf.scripts + "/a")
    script_is_refused(faf, faf.scripts + "/a", wild)
    # And the directories that `..` goes through.
    inner = directory(faf, "wild", "inner")
    faf.marker()
    os.symlink(inner + "/../../s/mark", faf.scripts + "/b")
    script_is_refused(faf, faf.scripts + "/b", wild)


def test_c1_below_sticky_the_next_directory_counts(faf):
    """C1: sticky helps only if the next component is root's or the owner's and nobody else may write it."""
    directory(faf, "sticky", mode=0o1777)
    theirs = directory(faf, "sticky", "theirs", owner=BOB)
    script_is_refused(faf, faf.marker(directory=theirs), theirs)
    open_one = directory(faf, "sticky", "open", mode=0o777)
    script_is_refused(faf, faf.marker(directory=open_one), open_one)
    # A link of bob's in there: he may exchange it.
    target = faf.marker()
    link = faf.base + "/sticky/link"
    os.symlink(target, link)
    os.lchown(link, BOB, BOB)
    script_is_refused(faf, link, faf.base + "/sticky")
    # A script of root's directly in there.
    script_is_refused(faf, faf.marker(directory=faf.base + "/sticky"), faf.base + "/sticky")


@pytest.mark.parametrize("kind", ["directory", "fifo", "device", "socket", "missing", "loop", "dangling"])
def test_c1_what_is_no_regular_file_is_refused(faf, kind):
    """C1: regular; opening it never blocks."""
    path = faf.scripts + "/x"
    if kind == "directory":
        os.mkdir(path)
    elif kind == "fifo":
        os.mkfifo(path, 0o755)
        os.chmod(path, 0o755)
    elif kind == "device":
        os.mknod(path, 0o020755, os.makedev(1, 3))
        os.chmod(path, 0o755)
    elif kind == "socket":
        os.mknod(path, 0o140755)
        os.chmod(path, 0o755)
    elif kind == "loop":
        os.symlink("x", path)
    elif kind == "dangling":
        os.symlink("nowhere", path)
    script_is_refused(faf, path, faf.scripts + "/nowhere" if kind == "dangling" else path)


def test_c1_an_acl_that_lets_others_write_is_refused(faf):
    """C1: an ACL's write shows as group write."""
    path = faf.marker()
    # user::rwx user:BOB:rwx group::r-x mask::rwx other::r-x
    entries = [(1, 7, 0xFFFFFFFF), (2, 7, BOB), (4, 5, 0xFFFFFFFF), (16, 7, 0xFFFFFFFF), (32, 5, 0xFFFFFFFF)]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", value)
    except OSError as error:
        pytest.skip(f"no ACLs on this file system: {error}")
    script_is_refused(faf, path, path)


# ---------------------------------------------------------------- C2 and C3


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6755])
def test_c2_setuid_and_setgid_are_refused(faf, mode):
    """C2: scripts and binaries."""
    path = faf.marker(mode=mode)
    script_is_refused(faf, path, path)
    binary = faf.scripts + "/true"
    shutil.copy("/bin/true", binary)
    os.chmod(binary, mode)
    script_is_refused(faf, binary, binary)


def test_c2_file_capabilities_are_refused(faf):
    """C2: cap_net_raw=ep on a binary."""
    binary = faf.scripts + "/true"
    shutil.copy("/bin/true", binary)
    try:
        os.setxattr(binary, "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))
    except OSError as error:
        pytest.skip(f"no file capabilities on this file system: {error}")
    script_is_refused(faf, binary, binary)


def test_c3_allowed_directories_go_by_component(faf):
    """C3: /srv/job does not allow /srv/jobs-evil; the real path counts."""
    job = directory(faf, "job")
    evil = directory(faf, "jobs-evil")
    inner = directory(faf, "job", "deep")
    allowed = {"AllowedDirectories": job}
    script_runs(faf, faf.marker(directory=job), **allowed)
    script_runs(faf, faf.marker(directory=inner), **allowed)
    script_is_refused_after(faf, faf.marker(directory=evil), **allowed)
    os.symlink(evil + "/mark", job + "/link")
    script_is_refused_after(faf, job + "/link", **allowed)
    script_is_refused_after(faf, job + "/../jobs-evil/mark", **allowed)
    # A link from outside into the allowed directory is fine: the real path is below it.
    os.symlink(job + "/mark", evil + "/in")
    script_runs(faf, evil + "/in", **allowed)
    # One of several; with a slash at the end.
    script_runs(faf, evil + "/mark", AllowedDirectories=f"{job} {evil}/")


def script_is_refused_after(faf, path, **settings):
    marks = faf.marks()
    faf.unit("t", ExecStart=path, **settings)
    assert fire_error(faf).error == "ScriptRefused"
    assert faf.marks() == marks


def test_c3_the_allowed_directorys_ancestors_are_checked(faf):
    """C3: allowing a directory does not make those above it safe."""
    above = directory(faf, "above", mode=0o777)
    own = directory(faf, "above", "dir")
    script_is_refused(faf, faf.marker(directory=own), above, AllowedDirectories=own)


# ---------------------------------------------------------------- C4


def fails_at_exec(faf, run, *words):
    """The run is over, `failed` with reason `exec`, and its text names the step."""
    found = faf.ends(run, "failed", "exec")
    text = found["reason"]["text"]
    assert all(any(word in text for word in (one if isinstance(one, tuple) else (one,))) for one in words), text
    assert found["attempts"][-1].get("exitStatus") is None, "no exit status is made up"
    assert faf.marks() == []
    return found


def test_c4_a_script_that_its_user_cannot_enter_does_not_run(faf):
    """C4: in a 0700 directory of root with User=bob: an error, not run."""
    closed = directory(faf, "closed", mode=0o700)
    faf.unit("t", ExecStart=faf.marker(directory=closed), User=BOB, Group=BOB)
    try:
        run = faf.call("Fire", {"task": "t"})["run"]["number"]
    except WireError as error:
        assert error.error in ("ScriptRefused", "LaunchFailed")
    else:
        fails_at_exec(faf, run, "Permission denied")
    assert faf.marks() == []


@pytest.mark.strace
@pytest.mark.parametrize("change", ["replaced", "writable", "gone", "directory"])
def test_c4_the_check_is_made_again_before_exec(faf, change):
    """C4: what changes between fafd's check and the exec is found by the shim's child."""
    own = directory(faf, "dir")
    path = faf.marker(directory=own)
    faf.unit("t", ExecStart=path)
    other = faf.script("other", f"echo evil >> {faf.out}/m.mark", directory=own)
    outcome = {}
    with faf.traced("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=700000"):
        thread = threading.Thread(target=lambda: outcome.update(done=faf.faf("fire", "t")))
        thread.start()
        # The shim is ready and waits for the commit, which takes its time.
        wait_for(faf.live_records, 10)
        if change == "replaced":
            os.rename(other, path)
        elif change == "writable":
            os.chmod(path, 0o777)
        elif change == "gone":
            os.unlink(path)
        else:
            os.chmod(own, 0o777)
        thread.join()
    done = outcome["done"]
    if done.returncode == 0:
        fails_at_exec(faf, int(done.stdout))
    assert faf.marks() == []


def test_c4_dollar_zero_is_the_real_path(faf):
    """C4: execve of the path, not of a descriptor: $0 is no /dev/fd/N."""
    path = faf.script("t", f'echo "$0" > {faf.out}/zero')
    faf.unit("t", ExecStart=path)
    faf.ends(faf.fire("t"), "succeeded")
    assert faf.output("zero").read_text() == path + "\n"


# ---------------------------------------------------------------- C5


def test_c5_a_file_without_an_interpreter_line(faf):
    """C5: no ENOEXEC fallback to sh; step and errno are the reason."""
    path = faf.scripts + "/t"
    with open(path, "w") as file:
        file.write(f"echo >> {faf.out}/m.mark\n")
    os.chmod(path, 0o755)
    faf.unit("t", ExecStart=path)
    fails_at_exec(faf, faf.fire("t"), ("Exec format error", "ENOEXEC"))


def test_c5_a_missing_interpreter(faf):
    """C5: ENOENT of the interpreter is told as such."""
    faf.unit("t", ExecStart=faf.script("t", f"#!/nowhere/sh\necho >> {faf.out}/m.mark\n"))
    fails_at_exec(faf, faf.fire("t"), ("No such file", "ENOENT"))


@pytest.mark.mount
def test_c5_a_noexec_mount(faf):
    """C5: a script on a file system mounted noexec."""
    place = faf.mount_tmpfs(faf.base + "/noexec", "noexec,mode=755,size=1m")
    faf.unit("t", ExecStart=faf.marker(directory=place))
    try:
        run = faf.call("Fire", {"task": "t"})["run"]["number"]
    except WireError as error:
        assert error.error == "ScriptRefused"
    else:
        fails_at_exec(faf, run, ("Permission denied", "EACCES"))
    assert faf.marks() == []


def test_c5_a_busy_text(faf):
    """C5: a binary that somebody writes to."""
    binary = faf.scripts + "/true"
    shutil.copy("/bin/true", binary)
    faf.unit("t", ExecStart=binary)
    with open(binary, "ab"):
        fails_at_exec(faf, faf.fire("t"), ("Text file busy", "ETXTBSY"))
    faf.ends(faf.fire("t"), "succeeded")


def test_c5_there_is_no_path_search(stopped_faf):
    """C5: a bare name never finds a script through fafd's PATH, nor through the unit's."""
    faf = stopped_faf
    faf.marker("mark")
    faf.unit("t", ExecStart="mark", Environment=f"PATH={faf.scripts}")
    faf.start(environment={"PATH": faf.scripts + ":/usr/bin:/bin"})
    faf.refused("fire", "t", code=(BAD_INPUT, NOT_FOUND, REFUSED, OTHER))
    assert faf.marks() == []


# ---------------------------------------------------------------- C6


@pytest.mark.parametrize("mode,owner", [(0o664, 0), (0o646, 0), (0o644, BOB)])
def test_c6_a_unit_that_others_may_write_is_refused(faf, mode, owner):
    """C6: refused, others load."""
    marker = faf.marker()
    path = faf.unit("bad", ExecStart=marker)
    os.chown(path, owner, owner)
    os.chmod(path, mode)
    faf.unit("good", ExecStart="/bin/true")
    faf.faf("reload")
    text = faf.refused("fire", "bad", code=(BAD_INPUT, NOT_FOUND, REFUSED, OTHER))
    assert "bad" in text
    assert faf.marks() == []
    faf.ends(faf.fire("good"), "succeeded")


@pytest.mark.parametrize("mode,owner", [(0o664, 0), (0o644, BOB)])
def test_c6_a_drop_in_that_others_may_write_is_refused(faf, mode, owner):
    """C6: drop-ins likewise: the unit is not used without one of its files."""
    marker = faf.marker()
    faf.unit("bad", ExecStart="/bin/true")
    path = faf.unit("bad.task.d/x.conf", f"[Task]\nExecStart=\nExecStart={marker}\n")
    os.chown(path, owner, owner)
    os.chmod(path, mode)
    faf.unit("good", ExecStart="/bin/true")
    faf.faf("reload")
    faf.refused("fire", "bad", code=(BAD_INPUT, NOT_FOUND, REFUSED, OTHER))
    assert faf.marks() == [] and faf.runs() == []
    faf.ends(faf.fire("good"), "succeeded")


def test_c6_a_directory_that_others_may_write_is_refused(faf):
    """C6: directories likewise: a drop-in directory, and the unit directory itself."""
    marker = faf.marker()
    faf.unit("bad", ExecStart="/bin/true")
    faf.unit("bad.task.d/x.conf", f"[Task]\nExecStart=\nExecStart={marker}\n")
    os.chmod(faf.units + "/bad.task.d", 0o777)
    faf.unit("good", ExecStart="/bin/true")
    faf.faf("reload")
    faf.refused("fire", "bad", code=(BAD_INPUT, NOT_FOUND, REFUSED, OTHER))
    faf.ends(faf.fire("good"), "succeeded")
    os.chmod(faf.units, 0o777)
    faf.faf("reload")
    faf.refused("fire", "good", code=(BAD_INPUT, NOT_FOUND, REFUSED, OTHER))
    assert faf.marks() == []


@pytest.mark.parametrize("kind", ["fifo", "directory", "large", "device"])
def test_c6_a_unit_that_is_no_plain_file_is_refused_without_blocking(faf, kind):
    """C6: regular, size limit, opened without blocking."""
    path = faf.units + "/bad.task"
    if kind == "fifo":
        os.mkfifo(path)
        os.chmod(path, 0o644)
    elif kind == "directory":
        os.mkdir(path)
    elif kind == "device":
        os.mknod(path, 0o020644, os.makedev(1, 5))  # /dev/zero
        os.chmod(path, 0o644)
    else:
        with open(path, "w") as file:
            file.write("[Task]\nExecStart=/bin/true\n")
            for _ in range(64):
                file.write(("# " + "x" * 1000 + "\n") * 1000)
    faf.unit("good", ExecStart="/bin/true")
    faf.faf("reload", timeout=20)
    faf.refused("fire", "bad", code=(BAD_INPUT, NOT_FOUND, REFUSED, OTHER))
    faf.ends(faf.fire("good"), "succeeded")
    faf.stop()
    faf.start()
    faf.ends(faf.fire("good"), "succeeded")


@pytest.mark.parametrize("mode,owner", [(0o664, 0), (0o646, 0), (0o644, BOB)])
def test_c6_a_configuration_that_others_may_write_stops_fafd(stopped_faf, mode, owner):
    """C6: fafd.conf: fafd does not start with it, and says why."""
    faf = stopped_faf
    if "--config" not in subprocess.run([faf.programs + "/fafd", "--help"], capture_output=True, text=True).stdout:
        pytest.skip("this fafd reads no configuration file")
    path = faf.base + "/fafd.conf"
    with open(path, "w") as file:
        file.write("# nothing\n")
    os.chown(path, owner, owner)
    os.chmod(path, mode)
    daemon = faf.spawn("--config", path)
    assert daemon.process.wait(10) not in (0, None)
    assert "fafd.conf" in system.read(daemon.log)
    os.chown(path, 0, 0)
    os.chmod(path, 0o644)
    faf.start("--config", path)


# ---------------------------------------------------------------- C7


def refused_or_failed(faf, *words):
    """The fire is refused, or the run fails before its script runs; the text holds the words."""
    done = faf.faf("fire", "t")
    if done.returncode == 0:
        found = faf.wait(int(done.stdout))
        assert found["state"] == "failed", found
        text = found["reason"]["text"]
    else:
        text = done.stderr
    assert all(word in text for word in words), text
    assert faf.marks() == []
    return text


@pytest.mark.parametrize("kind", ["closed", "link", "fifo", "directory", "device", "missing"])
def test_c7_an_environment_file_is_read_with_the_runs_rights(faf, kind):
    """C7: regular, non-blocking, and nothing that the run's user may not read."""
    secret = faf.base + "/secret"
    with open(secret, "w") as file:
        file.write("SECRET=hush-7411\n")
    os.chmod(secret, 0o600)
    path = faf.base + "/env"
    if kind == "closed":
        path = secret
    elif kind == "link":
        os.symlink(secret, path)
    elif kind == "fifo":
        os.mkfifo(path)
        os.chmod(path, 0o644)
    elif kind == "directory":
        os.mkdir(path)
    elif kind == "device":
        os.mknod(path, 0o020644, os.makedev(1, 5))
        os.chmod(path, 0o644)
    faf.unit("t", ExecStart=faf.marker(), EnvironmentFile=path, User=ALICE, Group=ALICE)
    text = refused_or_failed(faf, os.path.basename(path))
    assert "hush-7411" not in text
    assert faf.call("GetInfo")["pid"] == faf.pid


def test_c7_an_optional_environment_file_may_be_missing(faf):
    """conformance.md: a leading `-` tolerates a missing file; files are read at each start, later ones win."""
    faf.task(
        "t",
        f'echo "$A $B" > {faf.out}/env.$FAF_RUN',
        EnvironmentFile=["-/nowhere/x", faf.base + "/e1", faf.base + "/e2"],
        Environment="A=0 B=0",
    )
    for name, text in (("e1", "A=1\nB=1\n"), ("e2", "B=2\n")):
        with open(f"{faf.base}/{name}", "w") as file:
            file.write(text)
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    assert faf.output(f"env.{run}").read_text() == "1 2\n"
    with open(faf.base + "/e2", "w") as file:
        file.write("B=3\n")
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    assert faf.output(f"env.{run}").read_text() == "1 3\n"


def test_c7_a_working_directory_is_entered_with_the_runs_rights(faf):
    """C7: WorkingDirectory= of root's alone is an error for alice; a missing one, too."""
    closed = directory(faf, "closed", mode=0o700)
    faf.unit("t", ExecStart=faf.marker(), User=ALICE, Group=ALICE, WorkingDirectory=closed)
    refused_or_failed(faf, "Permission denied")
    faf.unit("t", ExecStart=faf.marker(), User=ALICE, Group=ALICE, WorkingDirectory=faf.base + "/nowhere")
    refused_or_failed(faf, "No such file")


def test_c7_results_lie_in_a_directory_of_the_runs_user(faf):
    """C7, design 6: input and results in a 0700 directory of the run's uid that only root could have made."""
    faf.puppet_unit(User=ALICE, Group=ALICE)
    puppet = faf.puppet()
    result, given = puppet("result = [os.environ['FAF_RESULT'], os.environ['FAF_INPUT']]")
    place = os.path.dirname(result)
    assert os.path.dirname(given) == place == f"{faf.state}/io/{puppet.run}.1"
    found = os.stat(place)
    assert found.st_uid == ALICE and found.st_mode & 0o777 == 0o700
    assert os.stat(faf.state + "/io").st_uid == 0
    puppet("open(os.environ['FAF_RESULT'], 'w').write('x')")


@pytest.mark.parametrize("kind", ["directory", "link", "fifo", "large"])
def test_c7_a_strange_result_harms_nobody(faf, kind):
    """C7: $FAF_RESULT a directory, a link to root's file, a fifo, too large: the run ends, nothing is read through."""
    secret = faf.base + "/secret"
    with open(secret, "w") as file:
        file.write("top-secret")
    os.chmod(secret, 0o600)
    make = {
        "directory": 'mkdir "$FAF_RESULT"',
        "link": f'ln -s {secret} "$FAF_RESULT"',
        "fifo": 'mkfifo "$FAF_RESULT"',
        "large": 'truncate -s 100G "$FAF_RESULT"',
    }[kind]
    faf.task("t", make, User=ALICE, Group=ALICE)
    run = faf.wait(faf.fire("t"))
    assert run["state"] in ("succeeded", "failed")
    assert "top-secret" not in str(run)
    assert faf.call("GetInfo")["pid"] == faf.pid
