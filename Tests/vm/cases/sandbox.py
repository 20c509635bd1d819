"""sandboxes under systemd, whose mounts are shared: each setting holds, no mount reaches the host, output and status do"""
# timeout: 240

import json
import os
import pathlib
import socket
import subprocess

from vm import case, check, equal, faf, fire, run, show_run, start, unit, wait_end, wait_for

PLACE = pathlib.Path("/srv/case")
LOOK = r"""#!/usr/bin/python3
import json, os, socket, subprocess
def attempt(action):
    try:
        action()
        return True
    except OSError:
        return False
def write(path):
    with open(path, "w") as file:
        file.write("x")
def connect():
    with socket.create_connection(("127.0.0.1", 22022), 5):
        pass
os.umask(0)
seen = {
    "ProtectSystem": attempt(lambda: write("/usr/local/share/case/x")),
    "ProtectHome": attempt(lambda: os.listdir("/home/alice")),
    "PrivateTmp": attempt(lambda: os.stat("/tmp/case-of-the-host")),
    "PrivateDevices": attempt(lambda: os.stat("/dev/kmsg")),
    "PrivateNetwork": attempt(connect),
    "ReadOnlyPaths": attempt(lambda: write("/srv/case/only/x")),
    "InaccessiblePaths": attempt(lambda: os.listdir("/srv/case/hidden")),
    "RestrictSUIDSGID": attempt(lambda: (write("/srv/case/open/s"), os.chmod("/srv/case/open/s", 0o4755))),
    "NoNewPrivileges": subprocess.run(["/srv/case/id", "-u"], capture_output=True, text=True).stdout == "0\n",
    "CapabilityBoundingSet": int([line for line in open("/proc/self/status") if line.startswith("CapBnd")][0].split()[1], 16) != 0,
}
credential = os.environ.get("CREDENTIALS_DIRECTORY")
print(json.dumps([seen, open(credential + "/token").read() if credential else None]), flush=True)
subprocess.run(["systemd-notify", "--status=looked"], check=True)
while not os.path.exists("/srv/case/open/end"):
    import time
    time.sleep(0.1)
print(sorted(os.listdir("/srv/case/below")), flush=True)
"""
SETTINGS = ["ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes", "PrivateNetwork=yes",
            "ReadOnlyPaths=/srv/case/only", "ReadWritePaths=/srv/case/open", "InaccessiblePaths=/srv/case/hidden",
            "RestrictSUIDSGID=yes", "CapabilityBoundingSet=", "LoadCredential=token:/root/token"]


def mounts():
    return pathlib.Path("/proc/1/mountinfo").read_text()


def prepare():
    for name in ("only", "open", "hidden", "below"):
        path = PLACE / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o777)
    share = pathlib.Path("/usr/local/share/case")
    share.mkdir(exist_ok=True)
    share.chmod(0o777)
    pathlib.Path("/home/alice").chmod(0o755)
    pathlib.Path("/tmp/case-of-the-host").touch()
    pathlib.Path("/root/token").write_text("hush")
    pathlib.Path("/root/token").chmod(0o600)
    (PLACE / "id").write_bytes(pathlib.Path("/usr/bin/id").read_bytes())
    (PLACE / "id").chmod(0o4755)


def looked(name):
    """What the task saw, and its run, which goes on."""
    number = fire(name)
    wait_for(lambda: show_run(number).get("status") == "looked", 60, f"{name} has looked")
    line = wait_for(lambda: faf("logs", number).strip(), 30, "its output")
    return number, *json.loads(line)


def finish(number):
    (PLACE / "open/end").touch()
    end = wait_end(number)
    (PLACE / "open/end").unlink()
    equal(end["state"], "succeeded", f"{end}")
    return faf("logs", number).splitlines()[-1]


def body():
    prepare()
    script = pathlib.Path("/opt/scripts/look")
    script.parent.mkdir(mode=0o755, exist_ok=True)
    script.write_text(LOOK)
    script.chmod(0o755)
    unit("plain", f"ExecStart={script}", "User=alice", "NoNewPrivileges=no")
    unit("closed", f"ExecStart={script}", "User=alice", "Environment=TMPDIR=/tmp", *SETTINGS)
    start()
    check("shared:" in mounts().splitlines()[0] or " shared:" in mounts(), "the mounts of this machine are not shared")
    server = subprocess.Popen(["python3", "-c", """
import socket
with socket.create_server(("127.0.0.1", 22022)) as one:
    while True:
        one.accept()[0].close()
"""])
    try:
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", 22022)) == 0, 30, "the listener")
        before = mounts()
        number, seen, credential = looked("plain")
        equal((seen, credential), ({name: True for name in seen}, None), "without a sandbox everything works")
        finish(number)
        number, seen, credential = looked("closed")
        equal((seen, credential), ({name: False for name in seen}, "hush"), "with it nothing of that does")
        equal(mounts(), before, "the host's mounts while a sandboxed run goes on")
        # What the host mounts later reaches it; that is what sharing is for.
        run("mount", "-t", "tmpfs", "case", PLACE / "below")
        (PLACE / "below/later").touch()
        equal(finish(number), "['later']", "what was mounted on the host meanwhile")
        run("umount", PLACE / "below")
        equal(mounts(), before, "the host's mounts afterwards")
        left = [name for top in ("/tmp", "/var/tmp") for name in os.listdir(top) if name.startswith("faf-private-")]
        wait_for(lambda: not [name for top in ("/tmp", "/var/tmp") for name in os.listdir(top)
                              if name.startswith("faf-private-")], 30, f"what PrivateTmp= has made is gone: {left}")
    finally:
        server.kill()
        server.wait()
    return f"{len(seen)} settings, each allowed without and refused with it; no mount left"


case(body)
