"""liuhen-update in a real Debian: only what is signed, never in a recording, back when it fails, nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.health.facts_file import write_facts
from tests.device.health_facts import well
from tests.pi.debian import OWN, do, enter

SYSTEMS = [pytest.param(("13", OWN), id="13"), pytest.param(("12", "arm64"), id="12-arm64")]
OLD, NEW, BROKEN = "0.1.0", "0.2.0", "0.3.0"
STORE = "var/lib/liuhen/packages"
# A chroot has no camera. Whatever a recorder's health is, the program can tell it.
TELLS = "--self-test 'liuhen health --json >/dev/null; [ $? -le 2 ]'"
PUT_TOGETHER = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build"]

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a Debian"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="both Debians are tried from either Python"),
]


@dataclass(frozen=True)
class Board:
    """A recorder with its first package, and beside it: new.deb and broken.deb, both signed."""

    root: Path
    key: Path

    def version(self) -> str:
        return do(self.root, "dpkg-query -W -f '${Version}' liuhen").partition("+")[0]

    def evidence(self) -> dict[str, bytes]:
        held = self.root / "var/lib/liuhen"
        return {
            str(path): path.read_bytes() for path in held.rglob("*") if path.is_file() and "packages" not in path.parts
        }

    def update(self, package: str, options: str = TELLS) -> subprocess.CompletedProcess[str]:
        return enter(self.root, f"liuhen-update {options} /srv/{package}.deb", timeout_s=1800)

    def refuses(self, package: str, because: str, options: str = TELLS) -> None:
        before, evidence = self.version(), self.evidence()
        done = self.update(package, options)
        assert (done.returncode, because in done.stderr) == (2, True), done.stderr
        assert (self.version(), self.evidence()) == (before, evidence)
        assert sorted(path.name for path in (self.root / STORE).iterdir()) == ["installed.deb"]

    def is_(self, state: str | None) -> None:
        (self.root / "run/liuhen").mkdir(exist_ok=True)
        write_facts(self.root / "run/liuhen", well(state=state))


@pytest.fixture(scope="module", params=SYSTEMS)
def board(
    request: pytest.FixtureRequest,
    debians: Callable[[str, str], tuple[Path, Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Board:
    root, deb = debians(*request.param)
    folder = tmp_path_factory.mktemp("release")
    key = folder / "release.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", root / "srv/release.pem"], check=True)
    shutil.copy(deb, root / "srv/old.deb")
    do(root, "liuhen-provision --root / --package /srv/old.deb --release-key /srv/release.pem")
    release(deb, folder / "tree", root / "srv", key)
    (root / "var/lib/liuhen/spool/segments/evidence.mp4").write_bytes(b"what was filmed")
    (root / "var/lib/liuhen/identity/own.key").write_bytes(b"what never leaves")
    return Board(root, key)


def release(deb: Path, tree: Path, out: Path, key: Path) -> None:
    subprocess.run(["dpkg-deb", "--raw-extract", deb, tree], check=True)
    control, program = tree / "DEBIAN/control", tree / "usr/lib/liuhen/bin/liuhen"
    first = control.read_text()
    for name, version in (("new", NEW), ("broken", BROKEN)):
        control.write_text(first.replace(f"Version: {OLD}", f"Version: {version}"))
        if name == "broken":
            program.write_text("#!/bin/sh\nexit 70\n")
        subprocess.run([*PUT_TOGETHER, tree, out / f"{name}.deb"], check=True, capture_output=True)
        sign(out / f"{name}.deb", key)
    shutil.rmtree(tree)


def sign(package: Path, key: Path) -> None:
    command = f"openssl pkeyutl -sign -rawin -inkey {key} -in {package} -out {package}.sig"
    subprocess.run(command.split(), check=True)


def test_a_package_that_nobody_signed_is_refused(board: Board) -> None:
    shutil.copy(board.root / "srv/new.deb", board.root / "srv/bare.deb")
    board.refuses("bare", "cannot be read")


def test_a_package_that_somebody_else_signed_is_refused(board: Board, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", foreign], check=True, capture_output=True)
    sign(board.root / "srv/bare.deb", foreign)
    board.refuses("bare", "not signed")


def test_a_package_with_one_byte_changed_is_refused(board: Board) -> None:
    changed = board.root / "srv/changed.deb"
    shutil.copy(board.root / "srv/new.deb", changed)
    shutil.copy(board.root / "srv/new.deb.sig", f"{changed}.sig")
    with changed.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    board.refuses("changed", "not signed")
    changed.unlink()


@pytest.mark.parametrize("state", ["recording", "interrupted", "paused", "standby", "starting", "fault"])
def test_a_recorder_on_duty_is_left_alone(board: Board, state: str) -> None:
    board.is_(state)
    board.refuses("new", f"the recorder is {state}")


def test_a_dry_run_installs_nothing(board: Board) -> None:
    board.is_("docked")
    done = board.update("new", "--dry-run")
    assert (done.returncode, board.version()) == (0, OLD), done.stderr
    assert f"would install {NEW}" in done.stderr


def test_a_package_that_does_not_work_is_taken_back(board: Board) -> None:
    board.is_("docked")
    evidence = board.evidence()
    done = board.update("broken")
    assert done.returncode == 1, done.stderr
    assert board.version() == OLD
    assert "health" in do(board.root, "liuhen --help")
    assert board.evidence() == evidence
    assert do(board.root, "dpkg --verify liuhen; dpkg --audit") == ""


def test_a_package_that_works_is_installed_and_is_the_next_way_back(board: Board) -> None:
    evidence = board.evidence()
    done = board.update("new")
    assert (done.returncode, board.version()) == (0, NEW), done.stderr
    assert (board.root / STORE / "installed.deb").read_bytes() == (board.root / "srv/new.deb").read_bytes()
    assert board.evidence() == evidence


def test_the_package_before_is_refused_afterwards(board: Board) -> None:
    sign(board.root / "srv/old.deb", board.key)
    board.refuses("old", f"{NEW}+")


def test_an_update_that_the_power_cut_short_is_taken_back(board: Board) -> None:
    """What dpkg leaves when it dies in the middle: half of a package, and its own word for it."""
    store = board.root / STORE
    (store / "updating").touch()
    do(board.root, "dpkg --unpack /srv/broken.deb")
    begun = board.update("new")
    assert (begun.returncode, "--recover" in begun.stderr) == (2, True)
    done = enter(board.root, "liuhen-update --recover", timeout_s=1800)
    assert (done.returncode, board.version()) == (1, NEW), done.stderr
    assert not (store / "updating").exists()
    assert do(board.root, "dpkg --verify liuhen; dpkg --audit") == ""
    assert enter(board.root, "liuhen-update --recover").returncode == 0
