# shellcheck shell=bash
# What the scripts for a board share: to say, to fail, and to change a file so that a second time changes nothing.
# Whoever sources it sets $help. --root DIR works on a tree that is not running; --dry-run says what would be done.

root="" dry=false

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$(basename "$0"): $*"
    exit 2
}

# Prints the help when it is asked for: wants_help "$@".
wants_help() {
    case ${1-} in
    -h | --help)
        printf '%s\n' "${help:?}"
        exit
        ;;
    esac
}

need_root() {
    $dry || [ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "has to be run by root (or with --dry-run, or --root DIR)"
}

# act COMMAND...: does it, or says that it would.
act() {
    if $dry; then
        say "would run: $*"
    else
        "$@"
    fi
}

# put FILE: writes standard input to FILE, whole or not at all, unless FILE is that already.
put() {
    local file=$root$1 new
    new=$(cat && printf x)
    new=${new%x}
    if [ -f "$file" ] && cmp -s "$file" <(printf %s "$new"); then
        return
    fi
    if $dry; then
        say "would write $file:"
        diff -u "$(if [ -f "$file" ]; then printf %s "$file"; else printf /dev/null; fi)" <(printf %s "$new") | tail -n +3 >&2 || true
        return
    fi
    mkdir -p "$(dirname "$file")"
    printf %s "$new" >"$file.new"
    sync "$file.new"
    mv "$file.new" "$file"
    say "wrote $file"
}

# keep FILE: remembers how it was, the first time. put_back FILE: as it was then. take_away FILE: one of ours.
keep() {
    [ ! -f "$root$1" ] || [ -e "$root$1.before-liuhen" ] || act cp -p "$root$1" "$root$1.before-liuhen"
}

put_back() { [ ! -e "$root$1.before-liuhen" ] || act mv "$root$1.before-liuhen" "$root$1"; }

take_away() { [ ! -e "$root$1" ] || act rm "$root$1"; }

# units VERB UNIT...: systemctl on files, so that it works where nothing runs. A unit that is not there is no error.
units() {
    local verb=$1 unit
    shift
    for unit in "$@"; do
        [ "$verb" = mask ] || [ "$verb" = unmask ] || has_unit "$unit" || continue
        act systemctl --quiet --root="${root:-/}" "$verb" "$unit"
    done
}

has_unit() {
    [ -e "$root/usr/lib/systemd/system/$1" ] || [ -e "$root/lib/systemd/system/$1" ] || [ -e "$root/etc/systemd/system/$1" ]
}

running() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

is_active() { running && systemctl --quiet is-active "$1"; }

# writable FOLDER COMMAND...: runs it with the file system of FOLDER writable, and leaves that as it was.
writable() {
    local place=$1 point
    shift
    point=$(findmnt --noheadings --output TARGET --target "$place" 2>/dev/null) || point=
    if [ -z "$point" ] || ! findmnt --noheadings --output OPTIONS "$point" | tr , '\n' | grep -qx ro; then
        "$@"
        return
    fi
    mount -o remount,rw "$point" || fail "$point cannot be made writable"
    local code=0
    "$@" || code=$?
    mount -o remount,ro "$point" || say "$point stays writable until the next start"
    return "$code"
}
