#!/bin/sh
# deploy-hook.sh: a release goes live, for those who deploy without Capistrano. See usage below; contrib/capistrano/README.md
# says what a release is and who may do this.
set -eu

usage() {
    cat <<'END'
usage: deploy-hook.sh [--user] [--units DIR] [--keep N] [--link] .../releases/NAME
       deploy-hook.sh [--user] [--keep N] --prune .../releases

Makes a release that is complete the current one:
  1. verifies its units (config/faf/units/*.task); an error ends it here, with nothing changed
  2. moves the link `current` beside `releases` to it
  3. installs its units (or links them, with --link) into the unit directory
  4. has fafd read them again
  5. removes old releases: all but the last N by name, `current`, and those that a run still uses

  --units DIR  where fafd reads units: /etc/faf/units, with --user ~/.config/faf/units
  --keep N     5 if missing
  --user       for your own fafd (fafd --user); else run it as root: only root sees every run
  --prune      step 5 alone

Environment: FAF (faf) is the command to call, with options if need be.
END
}

say() { printf '%s\n' "deploy-hook: $*"; }
die() { printf '%s\n' "deploy-hook: $*" >&2; exit "${code:-70}"; }

mode=
units=
keep=5
link=
prune=
release=
while test $# -gt 0; do
    case $1 in
    --user) mode=--user ;;
    --units) units=${2:?--units DIR}; shift ;;
    --keep) keep=${2:?--keep N}; shift ;;
    --link) link=1 ;;
    --prune) prune=1 ;;
    -h | --help) usage; exit ;;
    -*) usage >&2; exit 64 ;;
    *) test -z "$release" || { usage >&2; exit 64; }; release=$1 ;;
    esac
    shift
done
test -n "$release" || { usage >&2; exit 64; }
case $keep in '' | *[!0-9]* | 0*) code=64 die "--keep takes a number from 1 on, not '$keep'" ;; esac
test -n "$mode" || test "$(id -u)" = 0 || code=77 die "run it as root, or with --user for your own fafd"
if test -z "$units"; then
    units=/etc/faf/units
    test -z "$mode" || units=${XDG_CONFIG_HOME:-$HOME/.config}/faf/units
fi

# Words: FAF="faf --socket PATH" is allowed.
faf() { command ${FAF:-faf} $mode "$@"; }

publish() {
    # Before anything is changed. A pattern that nothing matches stays as it is.
    set -- "$release"/config/faf/units/*.task
    test ! -e "$1" || faf verify "$@" || code=65 die "the units of $release are not right; nothing was changed"

    ln -sfn "$release" "$app/.current.new"
    mv -fT "$app/.current.new" "$app/current"
    say "current is $release"

    for unit in "$release"/config/faf/units/*.task "$release"/config/faf/units/*.task.d/*.conf; do
        test -f "$unit" || continue
        name=${unit#"$release/config/faf/units/"}
        place=$units/$name
        if test "$(readlink "$place" || :)" = /dev/null; then
            say "$place is masked and stays so"
            continue
        fi
        mkdir -p "${place%/*}"
        new=${place%/*}/.${place##*/}.new
        if test -n "$link"; then
            ln -sfn "$app/current/config/faf/units/$name" "$new"
        else
            install -m 644 "$unit" "$new"
        fi
        # Renamed: fafd sees the old unit or the new one, never a part.
        mv -fT "$new" "$place"
    done

    status=0
    faf reload || status=$?
    # 65: a unit of somebody else is bad, and was named; ours are verified.
    test "$status" = 0 || test "$status" = 65 || code=$status die "fafd did not read the units again"
}

remove_old() {
    # Nothing is removed unless fafd can say what is in use: this comes before the first rm, and ends the script if it fails.
    used=$(faf releases --json --in "$releases") || die "it is not known which releases are in use: none is removed"
    current=$(readlink -f "$app/current" || :)
    count=0
    # Newest first; release names are letters, digits, dots, hyphens and underscores, and others are left alone.
    for name in $(LC_ALL=C ls -1r "$releases" | grep -E '^[A-Za-z0-9][A-Za-z0-9._-]*$'); do
        test -d "$releases/$name" || continue
        count=$((count + 1))
        test "$count" -gt "$keep" || continue
        test "$releases/$name" != "$current" || continue
        line=$(printf '%s\n' "$used" | grep -F "/$name\",\"runs\":" || :)
        if test -n "$line"; then
            runs=$(printf '%s\n' "$line" | grep -o '"number":[0-9]*' | cut -d: -f2 | tr '\n' ' ')
            say "keeping $releases/$name: used by run ${runs% }"
            continue
        fi
        say "removing $releases/$name"
        rm -rf "${releases:?}/$name"
    done
}

test -d "$release" || code=66 die "$release is not there"
# As fafd knows it: scripts are known by their real paths.
release=$(readlink -f "$release")
if test -n "$prune"; then
    releases=$release
    app=${releases%/*}
else
    releases=${release%/*}
    app=${releases%/*}
    test "${releases##*/}" = releases || code=64 die "$release does not lie in a directory named releases"
    publish
fi
remove_old
