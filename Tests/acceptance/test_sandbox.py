"""What a unit keeps from its script, and what it shows to it alone: each forbidden thing is done twice, once without the
setting (it works) and once with it (it fails), as an ordinary user, under a real fafd."""

import hashlib
import json
import os
import pathlib
import secrets

import pytest
import system
from harness import ALICE, BOB, REFUSED

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


def test_by_hand_a_missing_sandbox_is_named(faf):
    """faf run --foreground has none, and says of which settings."""
    unit = faf.unit("t", ExecStart="/usr/bin/env", SetCredential="a:b")
    done = faf.faf("run", "--foreground", unit, check=0)
    assert "not in effect are SetCredential=" in done.stderr and "CREDENTIALS_DIRECTORY" not in done.stdout
