"""The scripts for a board, on trees of files: no mistakes that a linter sees, twice is once, and back is back.

Driven from here and not by bats: the worlds that they need (trees, packages, whole Debians) are made in Python already,
and a second runner would add a second report and nothing that could be said better.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pi.units import SYSTEMD, UNITS

SOURCE = Path(__file__).parents[2]
SCRIPTS = SOURCE / "firmware_scripts"
BOARD_SCRIPTS = ("provision", "first-boot", "update", "factory-test")
CONFIG = "# Raspberry Pi's own\ncamera_auto_detect=1\n[cm5]\ndtoverlay=dwc2\n"
CMDLINE = (
    "console=serial0,115200 console=tty1 root=PARTUUID=1-02 rootfstype=ext4 rootwait resize init=/usr/lib/firstboot\n"
)
FSTAB = """\
proc            /proc           proc    defaults          0       0
PARTUUID=1-01  /boot/firmware  vfat    defaults          0       2
PARTUUID=1-02  /               ext4    defaults,noatime  0       1
# a remark /  stays
"""


def shell_scripts() -> list[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listing = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=True)
    files = [SOURCE / name for name in listing.stdout.splitlines()]
    return [
        path
        for path in files
        if path.is_file()
        and path.read_bytes()[:100].startswith((b"#!/usr/bin/env bash", b"#!/bin/sh", b"# shellcheck"))
    ]


def run(script: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPTS / script, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment},
    )


def did(script: str, *arguments: str | Path) -> str:
    """What a script said that went well."""
    done = run(script, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def snapshot(root: Path) -> dict[str, bytes | str]:
    """Every file and link below a folder, with what is in it."""
    return {
        str(path.relative_to(root)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def words(path: Path) -> list[str]:
    return path.read_text().split()


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """The files of a Raspberry Pi OS that a provisioning looks at, with the package's units."""
    root = tmp_path / "card"
    for name, text in (
        ("boot/firmware/config.txt", CONFIG),
        ("boot/firmware/cmdline.txt", CMDLINE),
        ("etc/fstab", FSTAB),
        *((f"usr/lib/systemd/system/{unit}", (SYSTEMD / unit).read_text()) for unit in UNITS),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_no_script_has_a_mistake_that_shellcheck_sees() -> None:
    scripts = shell_scripts()
    assert len(scripts) > 8
    done = subprocess.run(["shellcheck", "-x", *scripts], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("script", [*BOARD_SCRIPTS, "build-deb", "build-image"])
def test_every_script_explains_itself_and_refuses_what_it_does_not_know(script: str) -> None:
    assert run(script, "--help").stdout.startswith("usage: ")
    unknown = run(script, "--no-such-option")
    assert unknown.returncode == 2
    assert "--no-such-option" in unknown.stderr


def test_a_dry_run_says_everything_and_does_nothing(card: Path) -> None:
    before = snapshot(card)
    said = did("provision", "--root", card, "--dry-run", "--sound", "wm8960-soundcard")
    assert snapshot(card) == before
    for promise in ("+dtoverlay=wm8960-soundcard", "LABEL=liuhen-data", "enable liuhen-recorder.service"):
        assert promise in said


def test_a_provisioned_card_has_what_a_recorder_needs(card: Path) -> None:
    did("provision", "--root", card, "--rtc", "pcf85063a", "--overlay", "i2c-sensor,max17040")
    firmware = words(card / "boot/firmware/config.txt")
    assert CONFIG.split() == firmware[: len(CONFIG.split())]
    # For every board, whatever section the file ended in.
    assert firmware.index("[cm5]") < firmware.index("[all]") < firmware.index("dtoverlay=i2c-rtc,pcf85063a")
    assert {"dtparam=watchdog=on", "dtparam=i2c_arm=on", "dtoverlay=i2c-sensor,max17040", "enable_uart=1"} <= set(
        firmware
    )
    kernel = words(card / "boot/firmware/cmdline.txt")
    assert {"cgroup_enable=memory", "panic=10", "root=PARTUUID=1-02", "console=tty1"} <= set(kernel)
    assert not {"console=serial0,115200", "resize", "init=/usr/lib/firstboot"} & set(kernel)
    assert len((card / "boot/firmware/cmdline.txt").read_text().splitlines()) == 1
    wanted = card / "etc/systemd/system/multi-user.target.wants"
    assert {path.name for path in wanted.iterdir()} >= {"liuhen-recorder.service", "liuhen-uplink.service"}
    assert (card / "etc/systemd/system/apt-daily.timer").readlink() == Path("/dev/null")


def test_the_system_is_read_only_and_the_evidence_has_a_partition(card: Path) -> None:
    did("provision", "--root", card)
    lines = [line.split() for line in (card / "etc/fstab").read_text().splitlines() if not line.startswith("#")]
    options = {line[1]: set(line[3].split(",")) for line in lines}
    assert "ro" in options["/"] & options["/boot/firmware"]
    assert {"nodev", "nosuid", "noexec", "nofail"} <= options["/var/lib/liuhen"]
    assert {"/tmp", "/var/tmp", "/var/lib/systemd"} <= options.keys()
    checked = subprocess.run(
        ["findmnt", "--verify", "--tab-file", card / "etc/fstab"], capture_output=True, text=True, check=False
    )
    assert "\n0 parse errors" in checked.stderr


def test_an_image_is_writable_until_the_board_has_started_once(card: Path) -> None:
    did("provision", "--root", card, "--keep-writable")
    assert ",ro" not in (card / "etc/fstab").read_text().partition("# liuhen begin")[0]
    did("provision", "--root", card)
    assert "defaults,noatime,ro" in (card / "etc/fstab").read_text()


def test_twice_is_once_and_remembers_what_was_given(card: Path) -> None:
    did("provision", "--root", card, "--sound", "wm8960-soundcard", "--overlay", "one", "--overlay", "two")
    before = snapshot(card)
    did("provision", "--root", card)
    assert snapshot(card) == before


def test_what_is_given_later_counts(card: Path) -> None:
    did("provision", "--root", card, "--sound", "wm8960-soundcard", "--overlay", "one", "--overlay", "two")
    did("provision", "--root", card, "--sound", "googlevoicehat-soundcard", "--overlay", "three")
    firmware = (card / "boot/firmware/config.txt").read_text()
    assert [line for line in firmware.splitlines() if line.startswith("dtoverlay=")] == [
        "dtoverlay=dwc2",
        "dtoverlay=i2c-rtc,ds3231",
        "dtoverlay=googlevoicehat-soundcard",
        "dtoverlay=disable-bt",
        "dtoverlay=three",
    ]


def test_undone_it_is_as_it_was_also_twice(card: Path) -> None:
    before = snapshot(card)
    did("provision", "--root", card, "--sound", "wm8960-soundcard")
    did("provision", "--root", card, "--rtc", "none")
    for _ in range(2):
        did("provision", "--root", card, "--undo")
        assert snapshot(card) == before


def provisioned_keys(card: Path) -> Path:
    did("first-boot", "--root", card, "--id", "LH-000001")
    return card / "var/lib/liuhen/identity"


def test_keys_are_made_once_and_the_request_lies_where_any_pc_reads_it(card: Path) -> None:
    identity = provisioned_keys(card)
    before = snapshot(card)
    assert before["boot/firmware/liuhen/request.pem"] == (identity / "request.pem").read_bytes()
    did("first-boot", "--root", card, "--id", "LH-000002")
    assert snapshot(card) == before
    assert not [name for name in before if name.endswith(".key") and name.startswith("boot")]


@pytest.mark.parametrize(
    ("place", "text"),
    [("boot/firmware/liuhen/id", "LH-000007\r\n"), ("proc/device-tree/serial-number", "00000000000ab1cd\0")],
)
def test_a_board_has_the_name_on_its_card_or_that_of_its_maker(card: Path, place: str, text: str) -> None:
    (card / place).parent.mkdir(parents=True)
    (card / place).write_text(text)
    did("first-boot", "--root", card)
    told = subprocess.run(
        ["openssl", "req", "-noout", "-subject", "-in", card / "boot/firmware/liuhen/request.pem"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"LH-000007", "LH-AB1CD"} & {told.stdout.strip().rpartition("= ")[2].rpartition("=")[2]}


def test_a_board_without_a_name_is_told_how_to_get_one(card: Path) -> None:
    done = run("first-boot", "--root", card)
    assert done.returncode == 2
    assert "--id" in done.stderr


def test_the_docks_answer_is_taken_from_the_card(card: Path, tmp_path: Path) -> None:
    identity, door = provisioned_keys(card), card / "boot/firmware/liuhen"
    dock = tmp_path / "dock"
    liuhen("dock", "init", dock)
    liuhen("dock", "enrol", dock, door / "request.pem", "--out", door / "enrolled")
    given = {path.name: path.read_bytes() for path in (door / "enrolled").iterdir()}
    did("first-boot", "--root", card)
    assert {name: (identity / name).read_bytes() for name in given} == given
    assert not (door / "enrolled").exists()


def test_half_an_answer_changes_nothing(card: Path) -> None:
    identity, door = provisioned_keys(card), card / "boot/firmware/liuhen"
    (door / "enrolled").mkdir()
    (door / "enrolled/ca.pem").write_text("half")
    before = snapshot(card)
    done = run("first-boot", "--root", card)
    assert done.returncode == 2
    assert "lacks signing.pem" in done.stderr
    assert snapshot(card) == before
    assert not (identity / "ca.pem").exists()


def test_a_key_that_comes_from_elsewhere_is_refused(card: Path) -> None:
    identity, door = provisioned_keys(card), card / "boot/firmware/liuhen"
    own = (identity / "signing.key").read_bytes()
    (door / "enrolled").mkdir()
    for name in ("signing.pem", "link.pem", "ca.pem", "dock.pem", "dock.toml", "signing.key"):
        (door / "enrolled" / name).write_text("given")
    done = run("first-boot", "--root", card)
    assert done.returncode == 2
    assert "a key does not travel" in done.stderr
    assert (identity / "signing.key").read_bytes() == own


def liuhen(*arguments: str | Path) -> None:
    subprocess.run([Path(sys.executable).with_name("liuhen"), *arguments], check=True, capture_output=True, timeout=60)


def test_a_factory_test_names_what_is_not_right(card: Path) -> None:
    bare = run("factory-test", "--root", card)
    assert bare.returncode == 1
    assert "ok " not in bare.stdout
    did("provision", "--root", card)
    provisioned = run("factory-test", "--root", card)
    wrong = [line.split()[1] for line in provisioned.stdout.splitlines() if line.startswith("WRONG")]
    assert wrong == ["signing", "link", "enrolment:"]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder with a package for a Pi, a release key, and a technician's key."""
    tree = tmp_path / "tree/DEBIAN"
    tree.mkdir(parents=True)
    control = "Package: liuhen\nVersion: 1.0+deb13\nArchitecture: arm64\nMaintainer: x <x@localhost>\nDescription: x\n"
    (tree / "control").write_text(control)
    subprocess.run(["dpkg-deb", "--build", tree.parent, tmp_path / "liuhen.deb"], check=True, capture_output=True)
    key = tmp_path / "release.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", tmp_path / "release.pem"], check=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "ssh"], check=True)
    return tmp_path


def image(release: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    given = {"package": "liuhen.deb", "release-key": "release.pem", "ssh-key": "ssh.pub", **changed}
    options = [word for name, file in given.items() for word in (f"--{name}", str(release / file))]
    return run("build-image", *options, "--out", str(release / "image"), "--", "--sound", "a card's")


def test_an_image_is_made_by_scripts_without_mistakes(release: Path) -> None:
    done = image(release)
    assert done.returncode == 0, done.stderr
    config = (release / "image/config").read_text()
    assert "RELEASE=trixie\n" in config
    assert f"stage2 {release}/image/stage-liuhen" in config
    stage = release / "image/stage-liuhen"
    scripts = [release / "image/config", stage / "prerun.sh", stage / "00-liuhen/00-run.sh"]
    assert "--sound a\\ card\\'s\n" in scripts[-1].read_text()
    unused = "--exclude=SC2034,SC2154"
    checked = subprocess.run(
        ["shellcheck", "--shell=bash", unused, *scripts], capture_output=True, text=True, check=False
    )
    assert checked.stdout == ""
    assert {path.name for path in (stage / "00-liuhen/files").iterdir()} == {"liuhen.deb", "release.pem"}


@pytest.mark.parametrize(
    ("option", "file", "said"),
    [
        ("release-key", "release.key", "is not a public key in PEM"),
        ("ssh-key", "release.pem", "is not a public key of ssh"),
        ("package", "missing.deb", "cannot be read"),
    ],
)
def test_an_image_is_not_made_of_the_wrong_things(release: Path, option: str, file: str, said: str) -> None:
    done = image(release, **{option: file})
    assert done.returncode == 2
    assert said in done.stderr
    assert not (release / "image").exists()
