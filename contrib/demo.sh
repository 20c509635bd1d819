#!/bin/bash
# A real task, fired through a real fafd that is one's own, in a directory that is gone afterwards: fire, watch, wait,
# log, kill. Ends only the fafd that it starts. Exits non-zero, with fafd's log, if anything is not as it should be.
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
if [[ ! -t 1 || -n ${NO_COLOR:-} ]]; then say() { printf '\n== %s\n' "$*"; }; fi

# Shows a command as it would be typed, and runs it.
show() {
    printf '$ %s\n' "$*"
    "$@"
}

place=
fafd_pid=
clean_up() {
    local status=$? cgroup
    trap - EXIT
    if [[ -n $fafd_pid ]]; then
        # Tasks go on when fafd stops: that is the point of it. So they are ended first.
        for task in count noop; do faf kill --wait "$task" >/dev/null 2>&1 || true; done
        kill "$fafd_pid" 2>/dev/null || true
        wait "$fafd_pid" 2>/dev/null || true
        # fafd leaves the tasks' cgroup for the next fafd; here there is none. What is not empty stays.
        if [[ -d $XDG_STATE_HOME/faf ]]; then
            cgroup=$(find /sys/fs/cgroup -maxdepth 8 -type d -name "faf-$(stat -c %d-%i "$XDG_STATE_HOME/faf")" || true)
            for _ in {1..20}; do
                [[ -d $cgroup ]] || break
                rmdir "$cgroup"/t/* "$cgroup"/{t,shims,hold} "$cgroup" 2>/dev/null || sleep 0.1
            done
        fi
    fi
    if [[ $status -ne 0 && -n $place ]]; then
        printf '\nThe demo failed at line %s (status %s). What fafd said:\n' "$failed_at" "$status" >&2
        cat "$place/fafd.log" >&2 || true
    fi
    [[ -z $place ]] || rm -rf "$place"
    exit "$status"
}
failed_at=
trap 'failed_at=$LINENO' ERR
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "Building faf, fafd and faf-shim (once, about a minute and a half)"
$swift build

say "A unit file"
# Short: the path of a socket has at most 107 bytes.
place=$(mktemp -d /tmp/faf-demo.XXXXXX)
export HOME=$place XDG_CONFIG_HOME=$place/config XDG_STATE_HOME=$place/state XDG_DATA_HOME=$place/data
export XDG_RUNTIME_DIR=$place/run FAF_USER=1
unset FAF_SOCKET NOTIFY_SOCKET
mkdir -p "$place"/{bin,run,state,data,config/faf/units,scripts}
chmod 700 "$place/run"
cp .build/debug/{faf,fafd,faf-shim} "$place/bin"
export PATH=$place/bin:$PATH
cp units/scripts/* "$place/scripts"
chmod 755 "$place"/scripts/*
for unit in units/*.task; do
    sed "s|/usr/local/share/faf/units/scripts|$place/scripts|" "$unit" >"$place/config/faf/$unit"
done
show cat "$XDG_CONFIG_HOME/faf/units/count.task"

say "fafd, one's own"
printf '$ fafd --user &\n'
fafd --user >"$place/fafd.log" 2>&1 </dev/null &
fafd_pid=$!
for _ in {1..100}; do
    [[ -S $XDG_RUNTIME_DIR/faf/fafd.sock ]] && faf >/dev/null 2>&1 && break
    kill -0 "$fafd_pid" # it has given up if this fails
    sleep 0.1
done
show faf tasks

say "Fire a task, and look at it"
label='a b"c'
printf '$ faf fire count --to=5 --label=%q\n' "$label"
run=$(faf fire count --to=5 --label="$label")
printf '%s\n' "$run"
for _ in {1..4}; do
    sleep 1.1
    show faf status "$run"
done
show faf wait "$run"
show faf show "$run"
[[ $(faf show "$run" --json) == *'"state":"succeeded"'* ]]

say "What it has written"
show faf logs "$run"
faf logs "$run" | grep -qxF "counting $label"

say "Fire another one, and kill it"
run=$(faf fire count --to=1000)
printf '$ faf fire count --to=1000\n%s\n' "$run"
sleep 2
show faf kill --wait "$run"
[[ $(faf show "$run" --json) == *'"state":"killed"'* ]]

say "A restart of fafd in the middle of a run"
printf '$ faf fire count --to=4\n'
run=$(faf fire count --to=4)
printf '%s\n$ kill -9 %s; fafd --user &\n' "$run" "$fafd_pid"
kill -9 "$fafd_pid"
wait "$fafd_pid" 2>/dev/null || true
fafd --user >>"$place/fafd.log" 2>&1 </dev/null &
fafd_pid=$!
for _ in {1..100}; do
    faf >/dev/null 2>&1 && break
    kill -0 "$fafd_pid"
    sleep 0.1
done
show faf wait "$run"

say "Everything that was fired"
show faf list
show faf

say "The demo is over: its fafd is stopped, its directory is removed."
