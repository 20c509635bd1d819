#!/bin/sh
# deps.sh build|test|vm|bench|bench-micro ...: installs what building or testing needs and is not there, and says so.
# Debian and its kin; elsewhere it says what is missing.
set -eu

packages=
need() { # PROGRAM-OR-FILE PACKAGE
    case $1 in
    /*) test -e "$1" && return ;;
    *) command -v "$1" >/dev/null && return ;;
    esac
    packages="$packages $2"
}

header() { # HEADER PACKAGE: wherever the C compiler may look
    for directory in /usr/include /usr/local/include; do
        test -e "$directory/$1" && return
    done
    packages="$packages $2"
}

for purpose; do
    case $purpose in
    build)
        swift=${SWIFT:-swift}
        if ! command -v "${swift%% *}" >/dev/null; then
            echo "There is no Swift toolchain here (looked for '$swift' in PATH). faf needs Swift 6.3:" >&2
            echo "https://www.swift.org/install/linux/" >&2
            exit 1
        fi
        header sqlite3.h libsqlite3-dev
        need perl perl-base
        ;;
    test)
        need strace strace
        need systemd-notify systemd
        need setpriv util-linux
        need pgrep procps
        need man man-db
        need git git
        need cap capistrano
        need ssh-keygen openssh-client
        # On a machine with an init system the package opens port 22 there and then: that is for its owner to decide. The
        # tests that need sshd say so.
        test -d /run/systemd/system || need /usr/sbin/sshd openssh-server
        need sudo sudo
        /usr/bin/python3 -c 'import pytest' 2>/dev/null || packages="$packages python3 python3-pytest"
        /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || packages="$packages python3-venv"
        ;;
    vm)
        need qemu-system-x86_64 qemu-system-x86
        need mmdebstrap mmdebstrap
        need mke2fs e2fsprogs
        need /usr/share/seabios/bios-256k.bin seabios
        ;;
    bench)
        need cc gcc
        need tsp task-spooler
        need nq nq
        need conmon conmon
        need systemd-nspawn systemd-container
        need mmdebstrap mmdebstrap
        header systemd/sd-bus.h libsystemd-dev
        /usr/bin/python3 -c 'import celery, redis' 2>/dev/null || packages="$packages python3-celery python3-redis"
        # On a machine with an init system these packages start daemons there and then: that is for its owner to decide.
        test -d /run/systemd/system || need at at
        test -d /run/systemd/system || need supervisord supervisor
        test -d /run/systemd/system || need redis-server redis-server
        ;;
    bench-micro)
        need valgrind valgrind
        need strip binutils
        ;;
    *)
        echo "deps.sh: build, test, vm, bench or bench-micro, not '$purpose'" >&2
        exit 2
        ;;
    esac
done

test -z "$packages" && exit 0

if ! command -v apt-get >/dev/null; then
    echo "Missing here, by the names of their Debian packages:$packages. Install them and try again." >&2
    exit 1
fi
root=
if test "$(id -u)" != 0; then
    if ! command -v sudo >/dev/null; then
        echo "Missing:$packages. Install them as root: apt-get install$packages" >&2
        exit 1
    fi
    root=sudo
fi
echo "Installing what is missing:$packages"
export DEBIAN_FRONTEND=noninteractive
install="$root apt-get install --yes --no-install-recommends -qq$packages"
# Lists that are missing or old name packages that the mirror no longer has.
$install </dev/null >/dev/null 2>&1 || {
    $root apt-get update -qq </dev/null
    $install </dev/null >/dev/null
}
