# shellcheck shell=bash
# What ./sim/run and ./tests/run need: made when it is missing, left alone when it is there.
# Sourced with $root set to the project's folder. Standard output stays clean; everything said here goes to standard error.

: "${root:?}"

# Debian keeps mosquitto and sshd where an ordinary user does not look; Homebrew has its own place.
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin:/opt/homebrew/sbin

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 2
}

# need_packages NAME=PROBE...: installs each Debian package NAME whose PROBE, a command or a file, is missing.
need_packages() {
    local need missing=()
    for need in "$@"; do
        [ -e "${need#*=}" ] || command -v "${need#*=}" >/dev/null || missing+=("${need%%=*}")
    done
    [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

install_packages() {
    local sudo=
    command -v apt-get >/dev/null || fail "Missing: $*. Install it and run this again (for example: brew install $*)."
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "Missing: $*. Run as root: apt-get install $*"
        sudo=sudo
    fi
    say "installing $* with ${sudo:+sudo }apt-get ..."
    # A list that cannot be refreshed may still be good enough, so only the installation decides.
    $sudo apt-get update -qq >&2 || say "apt-get update failed; trying with the lists that are here"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" |
        awk '/^Setting up/ {print "  " $3; fflush()}' >&2 || fail "apt-get could not install $*; see above, then run this again."
}

# need_python_packages LOCK: the project and the packages of LOCK in .venv.
need_python_packages() {
    local lock=$1 stamp wanted
    make_venv
    stamp=$root/.venv/installed-${lock//\//-}
    wanted=$(cat "$root/$lock" "$root/pyproject.toml" | cksum)
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    touch "$root/.venv/unfinished"
    say "installing the Python packages of $lock into .venv ..."
    pip_install --require-hashes -r "$root/$lock"
    pip_install --no-deps --no-build-isolation -e "$root"
    printf '%s\n' "$wanted" >"$stamp"
    rm "$root/.venv/unfinished"
}

# A virtual environment does not survive being moved, half an installation, or the end of its Python.
make_venv() {
    local python
    if [ ! -e "$root/.venv/unfinished" ] && "$root/.venv/bin/python" -c 'import pip' 2>/dev/null &&
        grep -qF " $root/.venv" "$root/.venv/pyvenv.cfg"; then
        return
    fi
    python=$(find_python) || fail "Python 3.11 or later is needed; install it and run this again (for example: apt-get install python3)."
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
    say "making .venv with $("$python" --version) ..."
    "$python" -m venv --clear "$root/.venv" || fail "$python could not make $root/.venv; see above."
}

find_python() {
    local python
    for python in python3 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$python"
            return
        fi
    done
    return 1
}

# Of pip's many lines only the names are progress; its errors come on standard error as they are.
pip_install() {
    "$root/.venv/bin/python" -m pip install --no-input --disable-pip-version-check --progress-bar off "$@" |
        awk '/^Collecting/ {print "  " $2; fflush()}' >&2 || fail "pip failed; see above, then run this again."
}
