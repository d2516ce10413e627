"""`apt install ./liuhen_*.deb` in a fresh Debian: users, folders, units and a program that tells how it is.

The Debians in one folder, each made once. arm64 runs under qemu-user.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pi.debian import OWN, build_deb, do, enter

DEVICE = "LH-000001"
SYSTEMS = [
    pytest.param((debian, architecture), id=f"{debian}-{architecture}")
    for debian in ("12", "13")
    for architecture in ("amd64", "arm64")
]
ENROL = f"""
liuhen dock init /var/lib/liuhen-dock
liuhen device provision /var/lib/liuhen/identity --id {DEVICE}
liuhen dock enrol /var/lib/liuhen-dock /var/lib/liuhen/identity/request.pem --out /var/lib/liuhen/identity
systemd-tmpfiles --create liuhen-recorder.conf
"""

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a Debian"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="both Debians are tried from either Python"),
]


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, debians: Callable[[str, str], tuple[Path, Path]]) -> tuple[Path, Path]:
    """A Debian with the package in it, and the package."""
    return debians(*request.param)


def test_the_program_runs_on_its_own_architecture(system: tuple[Path, Path]) -> None:
    root, deb = system
    machine = {"amd64": "x86_64", "arm64": "aarch64"}[deb.stem.rpartition("_")[2]]
    asked = "import platform, av, numpy, PIL, cryptography.hazmat.primitives.hpke; print(platform.machine())"
    assert do(root, f"/usr/lib/liuhen/bin/python3 -s -c '{asked}'") == machine
    assert "health" in do(root, "liuhen --help")


def test_users_folders_and_units_are_there(system: tuple[Path, Path]) -> None:
    root, _ = system
    for user in ("liuhen-recorder", "liuhen-uplink", "liuhen-health", "liuhen-dock"):
        do(root, f"id {user}")
    assert do(root, "stat -c '%a %U %G' /var/lib/liuhen/identity") == "1770 root liuhen"
    assert do(root, "stat -c '%a %U %G' /var/lib/liuhen/state") == "700 liuhen-recorder liuhen"
    units = do(root, "dpkg -L liuhen | grep -E '/systemd/system/.*\\.(service|socket|timer)$'").splitlines()
    do(root, f"systemd-analyze verify --recursive-errors=no {' '.join(units)}")


def test_health_is_up(system: tuple[Path, Path]) -> None:
    root, _ = system
    if not (root / "var/lib/liuhen/identity/dock.toml").exists():
        do(root, f"set -e {ENROL}")
    told = enter(root, "liuhen health --json")
    assert told.stderr == ""
    assert json.loads(told.stdout)["device"] == DEVICE
    # As its unit runs it: another user, and no key.
    line = enter(root, "runuser -u liuhen-health -g liuhen -- liuhen health --nagios").stdout
    assert line.startswith("LIUHEN CRITICAL")
    assert enter(root, "runuser -u liuhen-uplink -g liuhen -- cat /var/lib/liuhen/identity/signing.key").returncode != 0


def test_nothing_that_was_installed_has_changed(system: tuple[Path, Path]) -> None:
    """Nor does a start write bytecode: all of it was written at once."""
    root, _ = system
    assert do(root, "dpkg --verify liuhen") == ""
    written = "find /usr/lib/liuhen -name '*.pyc' | sort"
    before = do(root, written)
    assert before
    enter(root, "liuhen --help; liuhen health")
    assert do(root, written) == before


def test_no_package_manager_destroys_evidence(system: tuple[Path, Path], tmp_path: Path) -> None:
    root = tmp_path / "root"
    subprocess.run(["cp", "-a", system[0], root], check=True)
    evidence = root / "var/lib/liuhen/spool/segments/evidence.mp4"
    evidence.write_bytes(b"what was filmed")
    do(root, "dpkg --purge liuhen")
    assert evidence.read_bytes() == b"what was filmed"
    assert (root / "var/lib/liuhen/identity/signing.key").exists()
    assert not (root / "usr/lib/liuhen").exists()
    assert not (root / "etc/liuhen").exists()


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = (build_deb("12", OWN, tmp_path / name) for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
