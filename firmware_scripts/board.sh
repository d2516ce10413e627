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

# make_writable FOLDER: until this script ends its file system can be written to; then it is as it was.
was_read_only=()
make_writable() {
    local point
    point=$(findmnt --noheadings --output TARGET --target "$1" 2>/dev/null) || return 0
    if ! $dry && findmnt --noheadings --output OPTIONS "$point" | tr , '\n' | grep -qx ro; then
        mount -o remount,rw "$point" || fail "$point cannot be made writable"
        was_read_only+=("$point")
    fi
}

to_remove=()
leave() {
    local thing
    for thing in ${to_remove[@]+"${to_remove[@]}"}; do rm -rf "$thing"; done
    for thing in ${was_read_only[@]+"${was_read_only[@]}"}; do
        mount -o remount,ro "$thing" 2>/dev/null || say "$thing stays writable until the next start"
    done
}
trap leave EXIT
