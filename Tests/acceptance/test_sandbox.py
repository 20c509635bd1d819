"""What a unit keeps from its script, and what it shows to it alone: each forbidden thing is done twice, once without the
setting (it works) and once with it (it fails), as an ordinary user, under a real fafd."""

import hashlib
import json
import os
import pathlib
import secrets
import shutil
import socket
import stat
import subprocess
import time

import pytest
import system
from harness import ALICE, BOB, REFUSED
from system import wait_for

pytestmark = [pytest.mark.root, pytest.mark.mount]

# Run by a task: does what it is told and says how that ended, one line each.
TRY = r"""
import errno, json, os, socket, stat, subprocess, sys
def attempt(name, action):
    try:
        result = action()
        print(json.dumps([name, "ok", result]), flush=True)
    except OSError as error:
        print(json.dumps([name, errno.errorcode.get(error.errno, str(error.errno)), None]), flush=True)
def write(path):
    with open(path, "a") as file:
        file.write("x")
def read(path):
    with open(path, "rb") as file:
        return file.read().decode("latin-1")
"""


@pytest.fixture(autouse=True)
def nothing_stays_mounted():
    """No test leaves a mount on the host, whatever happens to its runs."""
    before = system.read("/proc/self/mountinfo")
    yield
    assert system.read("/proc/self/mountinfo") == before


@pytest.fixture
def tries(faf):
    """Fires a script of attempts (Python) as bob under these settings; gives {name: (outcome, result)}."""

    def run(code, name="t", **settings):
        path = faf.script(name, "#!/usr/bin/python3\n" + TRY + code)
        faf.unit(name, **{"ExecStart": path, "User": BOB, "Group": BOB, **settings})
        number = faf.fire(name)
        run = faf.wait(number)
        output = faf.faf("logs", str(number), check=0).stdout
        assert run["state"] == "succeeded", f"{run}\n{output}"
        lines = [json.loads(line) for line in output.splitlines()]
        return {name: (outcome, result) for name, outcome, result in lines}

    return run


def secret_file(faf, name, content, mode=0o400, owner=0):
    path = pathlib.Path(faf.base, name)
    path.write_bytes(content)
    path.chmod(mode)
    os.chown(path, owner, owner)
    return str(path)


def refusal(faf, name="t"):
    """The text with which a fire is refused."""
    return faf.refused("fire", name, code=(65, 70, 75, REFUSED))


# ---------------------------------------------------------------- credentials

LOOK = """
directory = os.environ["CREDENTIALS_DIRECTORY"]
attempt("names", lambda: sorted(os.listdir(directory)))
for name in sorted(os.listdir(directory)):
    attempt(name, lambda: read(directory + "/" + name))
attempt("mode", lambda: [oct(os.stat(path).st_mode & 0o7777) for path in (directory, directory + "/" + name)])
attempt("owner", lambda: [os.stat(path).st_uid for path in (directory, directory + "/" + name)])
attempt("change", lambda: write(directory + "/" + name))
attempt("chmod", lambda: os.chmod(directory, 0o777))
attempt("add", lambda: write(directory + "/more"))
"""


def test_a_secret_is_handed_over_in_a_file(faf, tries):
    """LoadCredential=: what the run's user cannot read himself, read by fafd; his alone, read-only, in memory."""
    path = secret_file(faf, "secret", b"hush\0\xff\n")
    assert tries(f'attempt("read", lambda: read("{path}"))')["read"] == ("EACCES", None)
    found = tries(LOOK, LoadCredential=[f"token:{path}"], SetCredential="plain:a\\n\\x00b:%n")
    assert found["names"] == ("ok", ["plain", "token"])
    assert found["token"] == ("ok", "hush\0\u00ff\n")
    assert found["plain"] == ("ok", "a\n\0b:%n")
    assert found["mode"] == ("ok", ["0o500", "0o400"]) and found["owner"] == ("ok", [BOB, BOB])
    assert [found[name][0] for name in ("change", "chmod", "add")] == ["EACCES", "EROFS", "EROFS"]


def test_a_secret_is_nobody_elses(faf):
    """Not in another run of the same user, not on the host, not in any file of faf's, not in the shim's memory."""
    secret = secrets.token_hex(24)
    path = secret_file(faf, "secret", secret.encode())
    faf.puppet_unit(User=BOB, Group=BOB, LoadCredential=f"token:{path}")
    faf.puppet_unit("other", User=BOB, Group=BOB, LoadCredential=f"token:{secret_file(faf, 'second', b'2')}")
    faf.puppet_unit("none", User=BOB, Group=BOB)
    puppet, other, none = faf.puppet(), faf.puppet("other"), faf.puppet("none")
    look = "result = open(os.environ['CREDENTIALS_DIRECTORY'] + '/token').read()"
    assert puppet(look) == secret and other(look) == "2"
    assert none("result = os.environ.get('CREDENTIALS_DIRECTORY')") is None
    assert none(f"result = os.access('{faf.runtime}/credentials/token', os.R_OK)") is False
    assert os.listdir(faf.runtime + "/credentials") == []

    shown = faf.faf("show", str(puppet.run), "--json", check=0).stdout + faf.log_text()
    shown += "".join(system.read(f"/proc/{pid}/environ") for pid in faf.processes())
    assert secret not in shown
    for directory in (faf.runtime, faf.state, faf.logs):
        for name in pathlib.Path(directory).rglob("*"):
            assert not name.is_file() or secret.encode() not in name.read_bytes(), name
    assert not holds(faf.shim_pid(puppet.run), secret.encode())
    assert holds(puppet("result = os.getpid()"), secret.encode()), "the search finds what is there"
    faf.kill(puppet.run)
    faf.ends(puppet.run, "killed")


def holds(pid, needle):
    """The private memory of a process has these bytes."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in system.read(f"/proc/{pid}/maps").splitlines():
            span, permissions = line.split()[:2]
            if "r" not in permissions or "[v" in line:
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            memory.seek(start)
            if needle in memory.read(end - start):
                return True
    return False


def test_a_large_secret_and_many(faf, tries):
    """More than a message holds goes the other way; the sum has a limit."""
    big = os.urandom(300_000)
    found = tries(
        'import hashlib\nd = os.environ["CREDENTIALS_DIRECTORY"]\n'
        'attempt("big", lambda: hashlib.sha256(open(d + "/big", "rb").read()).hexdigest())\n'
        'attempt("count", lambda: len(os.listdir(d)))\nattempt("empty", lambda: read(d + "/empty"))',
        LoadCredential=[f"big:{secret_file(faf, 'big', big)}", f"empty:{secret_file(faf, 'empty', b'')}"],
        SetCredential=[f"c{number}:x" for number in range(50)],
    )
    assert found["big"] == ("ok", hashlib.sha256(big).hexdigest())
    assert found["count"] == ("ok", 52) and found["empty"] == ("ok", "")
    path = secret_file(faf, "huge", b"x" * 600_000)
    faf.unit("t", ExecStart="/bin/true", User=BOB, LoadCredential=[f"a:{path}", f"b:{path}"])
    assert "1048576 bytes together" in refusal(faf)


def test_where_a_secret_is_looked_for(stopped_faf):
    """A name instead of a path: what fafd was given itself, before the credential stores; SetCredential= where nothing is."""
    faf = stopped_faf
    store = pathlib.Path(faf.base, "store")
    store.mkdir(mode=0o700)
    (store / "own").write_text("from fafd")
    faf.start(environment={"CREDENTIALS_DIRECTORY": str(store)})
    text = 'echo "$A $(cat "$A") $(cat "$1") $(cat $CREDENTIALS_DIRECTORY/gone)"'
    faf.unit(
        "t",
        ExecStart=faf.script("t", text) + " ${CREDENTIALS_DIRECTORY}/mine",
        User=BOB,
        Environment="A=%d/own",
        LoadCredential=["own", "mine:own", "gone"],
        SetCredential=["gone:literal", "own:unused"],
    )
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    path = f"{faf.runtime}/credentials/own"
    assert faf.faf("logs", str(run), check=0).stdout == f"{path} from fafd from fafd literal\n"
    faf.unit("t", ExecStart="/bin/true", User=BOB, LoadCredential="nowhere-at-all")
    text = refusal(faf)
    assert "LoadCredential=nowhere-at-all" in text and "credstore" in text or str(store) in text


def test_a_file_that_others_could_exchange_is_no_secret(faf, tries):
    """Root reads only what root alone could have put there; else no more than the run could read itself."""
    shadow = secret_file(faf, "shadow", b"root's")
    home = pathlib.Path(faf.base, "home")
    home.mkdir()
    os.chown(home, BOB, BOB)
    own = home / "own"
    own.write_text("bob's own")
    os.chown(own, BOB, BOB)
    (home / "link").symlink_to(shadow)
    os.lchown(home / "link", BOB, BOB)
    assert tries(LOOK, LoadCredential=f"own:{own}")["own"] == ("ok", "bob's own")
    faf.unit("t", ExecStart="/bin/true", User=BOB, LoadCredential=f"x:{home}/link")
    assert str(home) in refusal(faf)
    assert tries(LOOK, LoadCredential=f"own:{own}", User=ALICE, Group=ALICE)["own"] == ("ok", "bob's own")
    own.chmod(0o600)
    faf.unit("t", ExecStart="/bin/true", User=ALICE, LoadCredential=f"x:{own}")
    assert "belongs to uid" in refusal(faf)


def test_without_root_a_sandbox_is_refused_by_name(make_faf):
    """Never silently weaker: a supervisor that cannot make namespaces says which line asks for one."""
    faf = make_faf(user_mode=True, uid=BOB)
    faf.start()
    faf.task("t", "exit 0", SetCredential="a:b")
    text = refusal(faf)
    assert "SetCredential=" in text and "not root" in text and "system's supervisor" in text
    faf.task("t", "exit 0", PrivateTmp="yes", CapabilityBoundingSet="CAP_KILL")
    assert "CapabilityBoundingSet=, PrivateTmp= cannot be enforced" in refusal(faf)
    assert "sandbox" in [one["kind"] for one in faf.call("GetInfo")["missing"]]


def test_by_hand_a_missing_sandbox_is_named(faf):
    """faf run --foreground has none, and says of which settings."""
    unit = faf.unit("t", ExecStart="/usr/bin/env", SetCredential="a:b")
    done = faf.faf("run", "--foreground", unit, check=0)
    assert "not in effect are SetCredential=" in done.stderr and "CREDENTIALS_DIRECTORY" not in done.stdout


# ---------------------------------------------------------------- capabilities


def test_no_new_privileges_is_the_default(faf, tries):
    """A setuid program gives nothing, unless the unit says so."""
    suid = pathlib.Path(faf.base, "id")
    suid.write_bytes(pathlib.Path("/usr/bin/id").read_bytes())
    suid.chmod(0o4755)
    code = f'attempt("euid", lambda: subprocess.run(["{suid}", "-u"], capture_output=True, text=True).stdout)'
    assert tries(code, NoNewPrivileges="no")["euid"] == ("ok", "0\n")
    assert tries(code)["euid"] == ("ok", f"{BOB}\n")


CHOWN = 'attempt("chown", lambda: os.chown("{0}", 1, 1))'


def test_the_bounding_set_takes_rights_from_root(faf, tries):
    """CapabilityBoundingSet=: what is not in it even root cannot do, and a setuid program does not bring it back."""
    faf.output("file").touch()
    code = CHOWN.format(faf.out + "/file")
    root = {"User": 0, "Group": 0}
    assert tries(code, **root)["chown"] == ("ok", None)
    for bounding in ("~CAP_CHOWN", "CAP_KILL cap_dac_override", "", ["CAP_CHOWN CAP_KILL", "~CAP_CHOWN"]):
        assert tries(code, CapabilityBoundingSet=bounding, **root)["chown"][0] == "EPERM", bounding
    for bounding in ("CAP_CHOWN CAP_DAC_OVERRIDE", "~CAP_KILL", "~", ["", "CAP_CHOWN"]):
        assert tries(code, CapabilityBoundingSet=bounding, **root)["chown"][0] == "ok", bounding
    suid = pathlib.Path(faf.base, "python")
    suid.write_bytes(pathlib.Path(os.path.realpath("/usr/bin/python3")).read_bytes())
    suid.chmod(0o4755)
    again = f"""
program = "import os; os.chown('{faf.out}/file', 2, 2)"
attempt("status", lambda: subprocess.run(["{suid}", "-Ic", program], stderr=subprocess.DEVNULL).returncode)"""
    assert tries(again, NoNewPrivileges="no")["status"] == ("ok", 0)
    assert tries(again, NoNewPrivileges="no", CapabilityBoundingSet="~CAP_CHOWN")["status"] == ("ok", 1)


def test_ambient_capabilities_give_a_user_one_right(faf, tries):
    """AmbientCapabilities=: this one and no other, inherited by what the script starts."""
    bind = """
def bind():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 77))
attempt("bind", bind)
attempt("chown", lambda: os.chown(sys.argv[0], 1, 1))
attempt("child", lambda: subprocess.run(["grep", "Cap", "/proc/self/status"], capture_output=True, text=True).stdout)"""
    assert tries(bind)["bind"][0] == "EACCES"
    found = tries(bind, AmbientCapabilities="CAP_NET_BIND_SERVICE")
    assert found["bind"] == ("ok", None) and found["chown"][0] == "EPERM"
    sets = dict(line.split(":\t") for line in found["child"][1].splitlines())
    bit = 1 << 10
    assert [int(sets[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [bit] * 4
    found = tries(bind, AmbientCapabilities="CAP_NET_BIND_SERVICE", CapabilityBoundingSet="CAP_NET_BIND_SERVICE")
    assert found["bind"] == ("ok", None)
    assert dict(line.split(":\t") for line in found["child"][1].splitlines())["CapBnd"] == f"{bit:016x}"
    assert system.status_field(faf.pid, "CapBnd") == system.status_field(os.getpid(), "CapBnd")


def test_capabilities_that_cannot_be_given_refuse(make_faf):
    """A name that is none, an ambient one outside of the bounding set, one that fafd itself has not."""
    faf = make_faf()
    faf.start(prefix=["setpriv", "--bounding-set", "-sys_time,-setpcap", "--inh-caps", "-sys_time,-setpcap"])
    path = faf.script("t", "exit 0")
    faf.unit("t", ExecStart=path, User=BOB, AmbientCapabilities="CAP_NET_TALK")
    assert "CAP_NET_TALK" in refusal(faf)
    faf.unit("t", ExecStart=path, User=BOB, AmbientCapabilities="CAP_KILL", CapabilityBoundingSet="CAP_CHOWN")
    assert "CAP_KILL is not in the bounding set" in refusal(faf)
    faf.unit("t", ExecStart=path, User=BOB, AmbientCapabilities="CAP_SYS_TIME")
    text = refusal(faf)
    assert "AmbientCapabilities=" in text and "no CAP_SYS_TIME" in text
    faf.unit("t", ExecStart=path, User=BOB, CapabilityBoundingSet="CAP_CHOWN")
    text = refusal(faf)
    assert "CapabilityBoundingSet=" in text and "no CAP_SETPCAP" in text


# ---------------------------------------------------------------- paths


def open_directory(faf, name, mode=0o777, owner=0):
    """A directory that everybody may write, with a file that everybody may write."""
    path = pathlib.Path(faf.base, name)
    path.mkdir(parents=True)
    path.chmod(mode)
    (path / "file").write_text("here")
    (path / "file").chmod(0o666)
    os.chown(path, owner, owner)
    return str(path)


WRITE = 'attempt("{0}", lambda: write("{1}/file"))\n'


def test_read_only_paths(faf, tries):
    """ReadOnlyPaths= with ReadWritePaths= within, files as well as directories, whatever a symlink calls them."""
    top, inner, single = (open_directory(faf, name) for name in ("top", "top/inner", "single"))
    closed = open_directory(faf, "top/inner/closed")
    link = pathlib.Path(faf.base, "link")
    link.symlink_to(top)
    code = "".join(WRITE.format(*pair) for pair in (("top", top), ("inner", inner), ("closed", closed), ("link", link)))
    code += WRITE.format("single", single) + f'attempt("read", lambda: read("{top}/file")[:4])\n'
    code += 'attempt("result", lambda: write(os.environ["FAF_RESULT"]))\n'
    assert {outcome for outcome, _ in tries(code).values()} == {"ok"}
    settings = {
        "ReadOnlyPaths": [f"{link} -/no/such/path", f"{closed} {single}/file"],
        "ReadWritePaths": f"-/nothing {faf.base}/link/inner",
    }
    found = {name: outcome for name, (outcome, _) in tries(code, **settings).items()}
    assert found == {
        "top": "EROFS",
        "inner": "ok",
        "closed": "EROFS",
        "link": "EROFS",
        "single": "EROFS",
        "read": "ok",
        "result": "ok",
    }
    # An empty line takes the list back.
    assert tries(code, ReadOnlyPaths=[top, ""])["top"][0] == "ok"


def test_what_is_mounted_below_is_read_only_too(faf, tries):
    """Recursive; and ReadWritePaths= gives back what there was, not more: a read-only mount stays one."""
    top = open_directory(faf, "top")
    for name, options in (("tmpfs", "mode=777"), ("closed", "ro")):
        os.mkdir(f"{top}/{name}")
        faf.mount_tmpfs(f"{top}/{name}", options)
    code = WRITE.format("top", top) + WRITE.format("tmpfs", top + "/tmpfs") + WRITE.format("closed", top + "/closed")
    try:
        assert [tries(code)[name][0] for name in ("tmpfs", "closed")] == ["ok", "EROFS"]
        found = tries(code, ReadOnlyPaths=top)
        assert [found[name][0] for name in ("top", "tmpfs")] == ["EROFS", "EROFS"]
        found = tries(code, ReadOnlyPaths="/", ReadWritePaths=top)
        assert [found[name][0] for name in ("top", "tmpfs", "closed")] == ["ok", "ok", "EROFS"]
    finally:
        system.unmount_below(top)


def test_inaccessible_paths(faf, tries):
    """InaccessiblePaths=: empty and closed, for root as well; single files too."""
    top, single = open_directory(faf, "top"), open_directory(faf, "single")
    code = f"""
attempt("list", lambda: os.listdir("{top}"))
attempt("read", lambda: read("{top}/file"))
attempt("single", lambda: read("{single}/file"))
attempt("write", lambda: write("{single}/file"))
attempt("make", lambda: os.mkdir("{top}/x"))
"""
    assert tries(code)["read"] == ("ok", "here")
    settings = {"InaccessiblePaths": f"{top} {single}/file -/nothing", "ReadWritePaths": f"{top}/file"}
    found = tries(code, **settings)
    assert {outcome for outcome, _ in found.values()} == {"EACCES"}, found
    found = tries(code, **settings, User=0, Group=0)
    assert found["list"] == ("ok", []) and found["read"][0] == "ENOENT" and found["single"] == ("ok", "")
    assert found["write"][0] == "EROFS" and found["make"][0] == "EROFS"


def test_what_a_run_needs_is_still_there(faf):
    """With /run and /var hidden or read-only: status, result and credentials work as ever (threat-model F1)."""
    for settings in (
        {"ProtectSystem": "strict"},
        {"InaccessiblePaths": f"/run {faf.state}"},
        {"InaccessiblePaths": f"{faf.runtime} {faf.state}/io", "ReadOnlyPaths": "/"},
        {"ReadOnlyPaths": f"{faf.runtime} {faf.state}"},
    ):
        faf.task(
            "t",
            'systemd-notify --status="hello" && echo done >"$FAF_RESULT" && cat "$CREDENTIALS_DIRECTORY/a" && id -u\n'
            f"ls {faf.runtime}/fafd.sock {faf.state}/faf.db",
            User=BOB,
            Group=BOB,
            SetCredential="a:secret\\n",
            **settings,
        )
        run = faf.fire("t")
        ended = faf.wait(run)
        output = faf.faf("logs", str(run), check=0).stdout
        assert ended.get("status") == "hello", (settings, ended, output)
        assert output.startswith(f"secret\n{BOB}\n"), (settings, output)
        result = pathlib.Path(faf.state, "io", f"{run}.1", "result")
        assert result.read_text() == "done\n" and result.stat().st_uid == BOB
        hides = "InaccessiblePaths" in settings
        assert ("fafd.sock\n" in output.split("\n", 2)[2].replace(": No such", "")) == (not hides) or hides


def test_protect_system(faf, tries):
    """ProtectSystem=: no, yes, full and strict, as root, who may write everywhere else."""
    places = ["/usr", "/etc", faf.base, "/root", "/dev/shm", "/proc/self"]
    code = "".join(f'attempt("{place}", lambda: os.utime("{place}"))\n' for place in places[:-1])
    code += 'attempt("/proc/self", lambda: open("/proc/self/comm", "w").write("x") and None)\n'

    def read_only(**settings):
        found = tries(code, User=0, Group=0, **settings)
        assert {outcome for outcome, _ in found.values()} <= {"ok", "EROFS"}, found
        return {name for name, (outcome, _) in found.items() if outcome == "EROFS"}

    assert read_only() == set() == read_only(ProtectSystem="no")
    assert read_only(ProtectSystem="yes") == {"/usr"}
    assert read_only(ProtectSystem="full") == {"/usr", "/etc"}
    assert read_only(ProtectSystem="strict") == {"/usr", "/etc", faf.base}
    assert read_only(ProtectSystem="strict", ReadWritePaths=faf.base) == {"/usr", "/etc"}
    assert read_only(ProtectSystem="strict", ProtectHome="read-only") == {"/usr", "/etc", faf.base, "/root"}


def test_protect_home(faf, tries):
    """ProtectHome=: /root closed, read-only, or empty."""
    code = 'attempt("list", lambda: os.listdir("/root"))\nattempt("touch", lambda: os.utime("/root"))'
    root = {"User": 0, "Group": 0}
    assert tries(code, **root)["list"][1] == os.listdir("/root") != []
    found = tries(code, ProtectHome="read-only", **root)
    assert found["list"][1] == os.listdir("/root") and found["touch"][0] == "EROFS"
    found = tries(code, ProtectHome="yes", **root)
    assert found["list"] == ("ok", []) and found["touch"][0] == "EROFS"
    mode = 'attempt("mode", lambda: oct(os.stat("/root").st_mode & 0o7777))'
    assert tries(mode, ProtectHome="yes")["mode"] == ("ok", "0o0")
    assert tries(mode, ProtectHome="tmpfs")["mode"] == ("ok", "0o755")
    assert tries('attempt("list", lambda: os.listdir("/root"))', ProtectHome="tmpfs")["list"] == ("ok", [])
    assert tries('attempt("list", lambda: os.listdir("/root"))', ProtectHome="yes")["list"][0] == "EACCES"


@pytest.mark.parametrize("place", ["/home", "/run/user"])
def test_protect_home_of_users(faf, tries, place):
    """ProtectHome=: /home and /run/user, of which a user may read and write his own: closed, read-only, or empty."""
    made = [path for path in (place,) if not os.path.exists(path)]
    os.makedirs(place, exist_ok=True)
    own = pathlib.Path(place, "faft-" + secrets.token_hex(8))
    own.mkdir()
    os.chown(own, BOB, BOB)
    code = f"""
attempt("write", lambda: write("{own}/file"))
attempt("read", lambda: read("{own}/file"))
attempt("names", lambda: len(os.listdir("{place}")))
"""

    def outcomes(**settings):
        found = tries(code, **settings)
        return found["write"][0], found["read"][0], found["names"][1]

    try:
        assert outcomes()[:2] == outcomes(ProtectHome="no")[:2] == ("ok", "ok")
        assert outcomes(ProtectHome="read-only")[:2] == ("EROFS", "ok")
        assert outcomes(ProtectHome="yes") == ("EACCES", "EACCES", None)
        assert outcomes(ProtectHome="tmpfs") == ("ENOENT", "ENOENT", 0)
    finally:
        shutil.rmtree(own)
        for path in made:
            os.rmdir(path)


def test_a_path_that_is_missing_refuses_by_name(faf):
    faf.unit("t", ExecStart="/bin/true", User=BOB, ReadOnlyPaths="/usr /no/such/path")
    assert "ReadOnlyPaths=/no/such/path: there is no such file" in refusal(faf)
    faf.unit("t", ExecStart="/bin/true", User=BOB, PrivateTmp="yes", ReadWritePaths="/tmp")
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    inner = pathlib.Path("/tmp/faft-" + secrets.token_hex(8))
    inner.mkdir()
    try:
        faf.unit("t", ExecStart="/bin/true", User=BOB, PrivateTmp="yes", ReadWritePaths=inner)
        assert f"ReadWritePaths={inner}" in refusal(faf)
    finally:
        inner.rmdir()


def test_a_hidden_script_does_not_run(faf):
    """The check is made where the script will be executed: what is not there is refused, by the step's name."""
    for settings in ({"InaccessiblePaths": faf.scripts}, {"ReadOnlyPaths": "/", "InaccessiblePaths": faf.base}):
        faf.task("t", f"touch {faf.out}/ran", User=BOB, **settings)
        run = faf.fire("t")
        ended = faf.ends(run, "failed", "exec")
        assert "script-check" in ended["reason"]["text"]
    assert not faf.output("ran").exists()


def test_output_files_are_those_of_the_host(faf):
    """StandardOutput=append: is opened as outside, with the run's rights, also where the script itself may not write."""
    path = open_directory(faf, "output")
    faf.task("t", "echo hello; id -u >&2", User=BOB, ProtectSystem="strict", StandardOutput=f"append:{path}/file")
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    assert pathlib.Path(path, "file").read_text() == f"herehello\n{BOB}\n"


# ---------------------------------------------------------------- PrivateTmp=

TEMPORARY = """
import tempfile
for directory in ("/tmp", "/var/tmp"):
    attempt(directory, lambda: os.listdir(directory))
    attempt("write " + directory, lambda: write(directory + "/mine"))
    attempt("mode " + directory, lambda: oct(os.stat(directory).st_mode & 0o7777))
    attempt("type " + directory, lambda: subprocess.run(
        ["stat", "-f", "-c", "%T", directory], capture_output=True, text=True).stdout.strip())
"""


@pytest.mark.parametrize("value", ["yes", "disconnected"])
def test_private_tmp(faf, tries, value):
    """PrivateTmp=: nothing of the host's in it, nothing of it on the host, nothing left."""
    foreign = pathlib.Path("/tmp/faft-" + secrets.token_hex(8))
    foreign.write_text("host")
    try:
        code = TEMPORARY + f'attempt("foreign", lambda: read("{foreign}"))'
        assert tries(code)["foreign"] == ("ok", "host")
        found = tries(code, PrivateTmp=value)
        assert found["foreign"][0] == "ENOENT"
        for top in ("/tmp", "/var/tmp"):
            assert found[top] == ("ok", []) and found["write " + top] == ("ok", None)
            assert found["mode " + top] == ("ok", "0o1777")
            outside = subprocess.run(["stat", "-f", "-c", "%T", top], capture_output=True, text=True).stdout.strip()
            assert found["type " + top] == ("ok", outside if value == "yes" else "tmpfs")
    finally:
        foreign.unlink()
        for top in ("/tmp", "/var/tmp"):
            pathlib.Path(top, "mine").unlink(missing_ok=True)
    wait_for(lambda: not faf.private_directories(), 10, faf.private_directories)


def test_private_tmp_goes_with_whatever_is_in_it(faf):
    """Deep, wide, closed, linked and special; the attempt's own mounts are no obstacle, links lead nowhere."""
    outside = open_directory(faf, "outside")
    faf.puppet_unit(User=BOB, Group=BOB, PrivateTmp="yes", Environment=f"PUPPET_OUT={faf.out}")
    puppet = faf.puppet()
    puppet(
        f"""
os.chdir("/tmp")
for depth in range(1500):
    os.mkdir("d" * 50)
    os.chdir("d" * 50)
os.chdir("/var/tmp")
for name in range(500):
    open(f"f{{name}}", "w").close()
os.mkfifo("fifo")
os.symlink("{outside}", "link")
os.mkdir("closed")
open("closed/x", "w").close()
os.chmod("closed", 0)
os.chdir("/")
"""
    )
    made = faf.private_directories()
    assert len(made) == 2 and all(os.listdir(path + "/tmp") for path in made)
    assert all(os.stat(path).st_mode & 0o7777 == 0o700 for path in made)
    faf.kill(puppet.run)
    faf.ends(puppet.run, "killed")
    wait_for(lambda: not faf.private_directories(), 20, faf.private_directories)
    assert os.listdir(outside) == ["file"]


def test_private_tmp_of_a_crash_is_found(stopped_faf):
    """fafd killed while a run goes on, the shim killed too: the next fafd removes what they left, and nobody else's."""
    faf = stopped_faf
    faf.start()
    foreign = pathlib.Path("/tmp/faf-private-1-1-" + "0" * 32)
    foreign.mkdir()
    try:
        faf.puppet_unit(User=BOB, Group=BOB, PrivateTmp="yes")
        gone, goes_on = faf.puppet(), faf.puppet()
        for puppet in (gone, goes_on):
            puppet("open('/tmp/x', 'w').close()")
        assert len(faf.private_directories()) == 4
        shim = faf.shim_pid(gone.run)
        faf.kill9()
        os.kill(shim, 9)
        faf.start()
        faf.ends(gone.run, "lost")
        wait_for(lambda: len(faf.private_directories()) == 2, 10, faf.private_directories)
        assert goes_on("result = os.path.exists('/tmp/x')") is True
        faf.kill(goes_on.run)
        faf.ends(goes_on.run, "killed")
        wait_for(lambda: not faf.private_directories(), 10, faf.private_directories)
        assert foreign.is_dir()
    finally:
        foreign.rmdir()


# ---------------------------------------------------------------- PrivateDevices=, PrivateNetwork=, RestrictSUIDSGID=


def test_private_devices(faf, tries):
    """PrivateDevices=: pseudo devices work, others are not there, nor anywhere else, and none can be made."""
    node = pathlib.Path(faf.base, "node")
    os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    kmsg = "/dev/kmsg"
    code = f"""
attempt("null", lambda: write("/dev/null"))
attempt("urandom", lambda: len(os.urandom(4)) and open("/dev/urandom", "rb").read(3) and None)
attempt("shm", lambda: write("/dev/shm/faft"))
attempt("shm gone", lambda: os.unlink("/dev/shm/faft"))
attempt("stdin", lambda: os.readlink("/dev/stdin"))
attempt("pty", lambda: os.openpty() and None)
attempt("kmsg", lambda: os.stat("{kmsg}") and None)
attempt("other", lambda: open("{node}", "rb").close())
attempt("mknod", lambda: os.mknod("{faf.out}/made", stat.S_IFCHR | 0o666, os.makedev(1, 3)))
attempt("add", lambda: write("/dev/new"))
"""
    root = {"User": 0, "Group": 0}
    plain = tries(code, **root)
    pathlib.Path(faf.out, "made").unlink(missing_ok=True)
    pathlib.Path("/dev/new").unlink(missing_ok=True)
    for name in ("other", "mknod", "add"):
        assert plain[name][0] == "ok", plain
    found = tries(code, PrivateDevices="yes", **root)
    for name in ("null", "urandom", "shm", "shm gone", "stdin"):
        assert found[name][0] == "ok", found
    assert found["pty"][0] == plain["pty"][0]
    assert found["kmsg"][0] == "ENOENT" and found["other"][0] == "EACCES"
    assert found["mknod"][0] == "EPERM" and found["add"][0] == "EROFS"


def test_private_network(faf, tries):
    """PrivateNetwork=: the host's listeners and abstract sockets are out of reach; lo is up, files' sockets are reached."""
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as abstract:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        name = "faft-" + secrets.token_hex(8)
        abstract.bind("\0" + name)
        abstract.listen()
        code = f"""
def connect(family, address):
    with socket.socket(family) as one:
        one.connect(address)
attempt("tcp", lambda: connect(socket.AF_INET, ("127.0.0.1", {tcp.getsockname()[1]})))
attempt("abstract", lambda: connect(socket.AF_UNIX, chr(0) + "{name}"))
attempt("file", lambda: connect(socket.AF_UNIX, os.environ["FAF_SOCKET"]))
attempt("names", lambda: [name for _, name in socket.if_nameindex()])
def own():
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect(socket.AF_INET, server.getsockname())
attempt("own", own)
attempt("notify", lambda: subprocess.run(["systemd-notify", "--status=hello"]).returncode)
"""
        plain = tries(code)
        assert [plain[name][0] for name in ("tcp", "abstract", "file", "own")] == ["ok"] * 4
        found = tries(code, PrivateNetwork="yes")
    assert found["tcp"][0] == found["abstract"][0] == "ECONNREFUSED"
    assert found["file"][0] == found["own"][0] == "ok"
    assert found["names"] == ("ok", ["lo"]) and found["notify"] == ("ok", 0)


SUID = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    result = libc.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return None
os.umask(0)
os.chdir(sys.argv[1])
open("f", "w").close()
os.chmod("f", 0o755)
def opened(flags, mode):
    os.close(os.open("new", flags, mode))
    os.unlink("new")
attempt("plain chmod", lambda: os.chmod("f", 0o644))
attempt("plain open", lambda: opened(os.O_CREAT | os.O_WRONLY, 0o644))
attempt("open without creating", lambda: os.close(os.open("f", os.O_RDONLY, 0o4755)))
attempt("chmod", lambda: os.chmod("f", 0o4755))
attempt("setgid", lambda: os.chmod("f", 0o2755))
attempt("directory", lambda: os.chmod(".", 0o2777))
attempt("fchmod", lambda: os.fchmod(os.open("f", os.O_RDONLY), 0o4755))
attempt("fchmodat", lambda: call(268, -100, b"f", 0o4755))
attempt("open", lambda: opened(os.O_CREAT | os.O_WRONLY, 0o4755))
attempt("creat", lambda: call(85, b"c", 0o4755))
attempt("tmpfile", lambda: os.close(os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o4755)))
attempt("mkdir", lambda: os.mkdir("d", 0o2755))
attempt("mknod", lambda: os.mknod("n", 0o4755))
attempt("openat2", lambda: call(437, -100, b"f", (ctypes.c_uint64 * 3)(0, 0, 0), 24))
attempt("io_uring", lambda: call(425, 1, (ctypes.c_char * 120)()))
"""


def test_restrict_suid_sgid(faf, tries):
    """RestrictSUIDSGID=: no call gives a file such a bit, a program that tries it fails, and all else works."""
    plain = tries(SUID.replace("sys.argv[1]", f'"{open_directory(faf, "a", owner=BOB)}"'))
    assert {outcome for name, (outcome, _) in plain.items() if name != "io_uring"} == {"ok"}, plain
    found = tries(SUID.replace("sys.argv[1]", f'"{open_directory(faf, "b", owner=BOB)}"'), RestrictSUIDSGID="yes")
    allowed = {"plain chmod", "plain open", "open without creating"}
    assert {name for name, (outcome, _) in found.items() if outcome == "ok"} == allowed
    assert found["openat2"][0] == found["io_uring"][0] == "ENOSYS"
    others = {name: outcome for name, (outcome, _) in found.items() if name not in allowed | {"openat2", "io_uring"}}
    assert set(others.values()) == {"EPERM"}, others
    root = tries(SUID.replace("sys.argv[1]", f'"{open_directory(faf, "c", owner=BOB)}"'), RestrictSUIDSGID="yes", User=0, Group=0)
    assert root["chmod"][0] == "EPERM"


def test_restrict_suid_sgid_needs_no_root(make_faf):
    """In user mode too; it implies NoNewPrivileges= there."""
    faf = make_faf(user_mode=True, uid=BOB)
    faf.start()
    faf.task("t", f"touch {faf.out}/f; chmod 4755 {faf.out}/f; grep NoNewPrivs /proc/self/status; stat -c %a {faf.out}/f",
             RestrictSUIDSGID="yes", NoNewPrivileges="no")
    run = faf.fire("t")
    faf.ends(run, "succeeded")
    output = faf.faf("logs", str(run), check=0).stdout
    assert "NoNewPrivs:\t1\n644\n" in output, output


# ---------------------------------------------------------------- all together

EVERYTHING = {
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateNetwork": "yes",
    "RestrictSUIDSGID": "yes",
    "CapabilityBoundingSet": "",
    "SetCredential": "a:b",
}


def test_a_run_cannot_undo_it(faf, tries):
    """Neither by remounting nor by unmounting, nor from within a user namespace of its own."""
    top = open_directory(faf, "top")
    hidden = open_directory(faf, "hidden")
    code = f"""
def in_shell(text, *prefix):
    return subprocess.run([*prefix, "sh", "-c", text], capture_output=True, text=True).stdout
script = "mount -o remount,rw,bind {top}; mount -o remount,rw /; umount {hidden}; umount -l {hidden}; " \\
    "umount /tmp; mount -t tmpfs x {hidden}/..; echo x >>{top}/file && echo written; cat {hidden}/file; " \\
    "nsenter -t 1 -m cat {hidden}/file; ls /dev/kmsg"
attempt("plain", lambda: in_shell(script))
attempt("own namespace", lambda: in_shell(script, "unshare", "-Urm", "--propagation", "unchanged"))
attempt("works at all", lambda: in_shell("echo yes", "unshare", "-Urm"))
"""
    settings = {"ReadOnlyPaths": "/", "InaccessiblePaths": hidden, "PrivateTmp": "yes", "PrivateDevices": "yes"}
    found = tries(code, ReadWritePaths="/proc", **settings)
    assert found == {"plain": ("ok", ""), "own namespace": ("ok", ""), "works at all": ("ok", "yes\n")}
    assert pathlib.Path(top, "file").read_text() == "here"


def test_kill_finds_all_of_a_sandboxed_run(faf):
    """Everything switched on; descriptors are 0 to 2; children that left the session are found."""
    faf.task(
        "t",
        "ls -l /proc/self/fd; setsid sleep 300 & setsid setsid sleep 301 & systemd-notify --status=up; wait",
        User=BOB,
        Group=BOB,
        TimeoutStopSec="2s",
        **EVERYTHING,
    )
    run = faf.fire("t")
    faf.running(run)
    wait_for(lambda: faf.run(run).get("status") == "up", 10)
    lines = [line.split(" -> ") for line in faf.faf("logs", str(run), check=0).stdout.splitlines() if " -> " in line]
    assert {int(left.split()[-1]) for left, _ in lines} <= {0, 1, 2, 3}, lines
    main = faf.main_pid(run)
    cgroup = system.cgroup_of(main) if system.cgroup2_root() else None
    faf.kill(run)
    faf.ends(run, "killed")
    assert cgroup is None or not system.cgroup_pids(cgroup)
    wait_for(lambda: not faf.private_directories(), 10, faf.private_directories)


def test_a_shim_killed_at_any_time_leaves_nothing(faf):
    """SIGKILL of the shim at each of its system calls, and of the script's process before it is one: no mount stays."""
    faf.task("t", "exec sleep 300", User=BOB, Group=BOB, **EVERYTHING)
    for delay in (0, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05):
        run = faf.fire("t")
        pid = faf.attempt(run).get("shimPid")
        time.sleep(delay)
        if pid:
            system.kill_quietly(pid)
        faf.ends(run, "lost")
    wait_for(lambda: not faf.private_directories(), 10, faf.private_directories)
    wait_for(faf.is_clean, 10)


def test_mounts_go_one_way_where_they_are_shared(stopped_faf):
    """Under systemd every mount is shared: none of a run's reaches the host, and what the host mounts reaches the run."""
    faf = stopped_faf
    top = open_directory(faf, "top/inner")
    # A host of its own, whose mounts are shared as systemd's are.
    faf.start(prefix=["unshare", "--mount", "--propagation", "shared"])
    wait_for(lambda: "shared:" in system.read(f"/proc/{faf.pid}/mountinfo"), 5)
    before = system.read(f"/proc/{faf.pid}/mountinfo")
    settings = {key: value for key, value in EVERYTHING.items() if key != "CapabilityBoundingSet"}
    faf.puppet_unit(User=BOB, Group=BOB, ReadWritePaths=faf.out, **settings)
    puppet = faf.puppet()
    assert system.read(f"/proc/{faf.pid}/mountinfo") == before
    inside = ["nsenter", "-t", str(faf.pid), "-m"]
    subprocess.run([*inside, "mount", "-t", "tmpfs", "faft", top], check=True)
    assert puppet(f"result = os.listdir('{top}')") == []
    subprocess.run([*inside, "umount", top], check=True)
    assert puppet(f"result = os.listdir('{top}')") == ["file"]
    faf.kill(puppet.run)
    faf.ends(puppet.run, "killed")
    assert system.read(f"/proc/{faf.pid}/mountinfo") == before


def test_output_to_the_journal_needs_no_way_out(stopped_faf):
    """The stream is opened before everything is hidden."""
    faf = stopped_faf
    directory = pathlib.Path(faf.base, "journal")
    directory.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(directory / "stdout"))
        listener.listen()
        listener.settimeout(10)
        faf.start("--journal-directory", str(directory))
        faf.task("t", "echo hello", User=BOB, StandardOutput="journal", InaccessiblePaths=str(directory), **EVERYTHING)
        run = faf.fire("t")
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            assert stream.read().endswith(b"hello\n")
        faf.ends(run, "succeeded")
