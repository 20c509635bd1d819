"""The disk of the machine: a Debian 12 tree, kept between runs, with faf installed into a copy of it."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "faf-vm"

# Seconds after which a tree that nobody asked for is removed.
UNUSED = 7 * 86400
MIRROR = "http://deb.debian.org/debian"

PACKAGES = ["systemd", "systemd-sysv", "dbus", "udev", "kmod", "linux-image-cloud-amd64", "python3", "python3-pytest",
            "libsqlite3-0", "procps", "util-linux", "strace", "sqlite3", "sudo",
            "libpam-systemd", "dbus-user-session"]

# What is big and never looked at. ext4 and NVMe are built into the cloud kernel: no initrd, and nearly no modules.
EXCLUDED = ["/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/info/*"] + [
    f"/lib/modules/*/kernel/{part}/*" for part in ("net", "arch", "sound", "virt", "crypto", "fs/nfs*", "fs/xfs",
                                                   "fs/btrfs", "fs/ocfs2", "drivers/[a-lo-z]*", "drivers/n*")]

# Runs once, when the tree is made, with its path.
CUSTOMIZE = HERE / "customize.sh"


class NoTree(Exception):
    """There is no tree here, and it cannot be had now; the text says why."""


def report(text):
    print(f"vm: {text}", flush=True)


def digest(*parts):
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


@contextlib.contextmanager
def only_one(name):
    """Two checkouts may run at once; the tree is made by one of them."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def base_tree():
    """The path of the tree without faf. Its name says what it was made of, so that a change here makes a new one."""
    name = "bookworm-" + digest(PACKAGES, EXCLUDED, CUSTOMIZE.read_text(encoding="utf-8"))
    tree = CACHE / name
    with only_one(name):
        if tree.exists():
            os.utime(tree)
            return tree
        report(f"making the Debian tree {tree}, once; later runs find it there")
        unfinished = CACHE / f"{name}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        done = subprocess.run(
            ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}",
             # Nobody needs what a power cut would leave of a half-made tree.
             "--dpkgopt=force-unsafe-io",
             # The line below comes before the package whose file it is.
             "--dpkgopt=force-confold",
             *(f"--dpkgopt=path-exclude={path}" for path in EXCLUDED),
             "--essential-hook=mkdir -p $1/etc/initramfs-tools; "
             "echo update_initramfs=no >$1/etc/initramfs-tools/update-initramfs.conf",
             f"--customize-hook={CUSTOMIZE}", "bookworm", str(unfinished), MIRROR],
            check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            try:
                urllib.request.urlopen(f"{MIRROR}/dists/bookworm/Release", timeout=30).close()
            except OSError as error:
                raise NoTree(f"there is no Debian tree here yet, and {MIRROR} is out of reach: {error}") from error
            raise SystemExit(f"vm: mmdebstrap failed with exit status {done.returncode}")
        os.utime(unfinished)
        unfinished.rename(tree)
        # Not those of other checkouts, which may be copying theirs right now.
        for old in CACHE.glob("bookworm-*"):
            if old.is_dir() and old.stat().st_mtime < time.time() - UNUSED:
                shutil.rmtree(old, ignore_errors=True)
    return tree


def kernel(tree):
    return max(tree.glob("boot/vmlinuz-*"))


def make_disk(work):
    """Installs faf into a copy of the tree and makes the disk of it; returns the disk and the kernel."""
    base = base_tree()
    tree = work / "tree"
    # Links instead of copies: install(1) and the lines below replace files and never write into them.
    subprocess.run(["cp", "-al", str(base), str(tree)], check=True)
    subprocess.run(["make", "--silent", "install", f"DESTDIR={tree}"], cwd=CHECKOUT, check=True)
    shutil.copytree(HERE / "guest", tree / "opt/vm")
    shutil.copytree(HERE / "cases", tree / "opt/vm/cases")
    for unit in (HERE / "guest").glob("*.service"):
        (tree / "etc/systemd/system" / unit.name).write_bytes(unit.read_bytes())
    (tree / "etc/systemd/system/multi-user.target.wants/vm-agent.service").symlink_to("../vm-agent.service")
    disk = work / "disk"
    with open(disk, "wb") as file:
        file.truncate(3 << 30)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=1,root_owner=0:0", "-d", str(tree),
                    str(disk)], check=True)
    shutil.rmtree(tree)
    return disk, kernel(base)


def read_files(disk, inside, outside):
    """Copies a directory out of a disk whose machine is off, also one whose power was cut."""
    # The journal of the file system is played first, as the next boot would do it.
    subprocess.run(["e2fsck", "-p", str(disk)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    outside.mkdir(parents=True, exist_ok=True)
    subprocess.run(["debugfs", "-R", f'rdump "{inside}" "{outside}"', str(disk)], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
