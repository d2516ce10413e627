"""systemd's own judgement of the units: nothing misspelt, and no more exposed than they have to be."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from device.config import load_config
from tests.pi.units import BROKER, DEBIAN_UNITS, SYSTEMD, UNITS, lay_out

MOST_EXPOSED = 1.5
SERVICES = [name for name in UNITS if name.endswith(".service")]
PROGRAMS = [
    "usr/bin/liuhen",
    "usr/sbin/liuhen-first-boot",
    "bin/mount",
    "usr/sbin/mosquitto",
    "usr/lib/systemd/systemd-socket-proxyd",
    "bin/sh",
    "bin/kill",
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root in which everything is that the units name, and Debian's own units."""
    root = tmp_path_factory.mktemp("root")
    lay_out(root)
    debian = root / DEBIAN_UNITS.relative_to("/")
    debian.mkdir(parents=True)
    for path in (*DEBIAN_UNITS.glob("*.target"), DEBIAN_UNITS / BROKER):
        (debian / path.name).write_bytes(path.read_bytes())
    for name in PROGRAMS:
        program = root / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return root


def analyze(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", f"--root={tree}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def exposure(tree: Path, unit: str) -> float:
    told = analyze(tree, "security", "--offline=true", "--no-pager", unit).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert found, told
    return float(found[1])


def test_nothing_in_the_units_is_misspelt(tree: Path) -> None:
    done = analyze(tree, "verify", "--recursive-errors=no", *UNITS, BROKER)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_misspelt_unit_would_be_seen(tree: Path) -> None:
    bad = tree / "etc/systemd/system/bad.service"
    bad.write_text((SYSTEMD / "liuhen-recorder.service").read_text().replace("WatchdogSec", "WatchDogSec"))
    done = analyze(tree, "verify", "--recursive-errors=no", bad.name)
    bad.unlink()
    assert done.returncode != 0
    assert "WatchDogSec" in done.stderr


@pytest.mark.parametrize("unit", [*SERVICES, BROKER])
def test_no_unit_is_more_exposed_than_it_has_to_be(tree: Path, unit: str) -> None:
    assert exposure(tree, unit) <= MOST_EXPOSED


def test_an_unprotected_unit_would_be_seen(tree: Path) -> None:
    bare = tree / "etc/systemd/system/bare.service"
    bare.write_text("[Service]\nExecStart=/usr/bin/liuhen device run\n")
    assert exposure(tree, bare.name) > 9
    bare.unlink()


def settings(unit: str) -> dict[str, list[str]]:
    """The values of every key, in order."""
    found: dict[str, list[str]] = {}
    for line in (SYSTEMD / unit).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_the_half_with_camera_and_signing_key_has_no_network() -> None:
    recorder = settings("liuhen-recorder.service")
    assert recorder["PrivateNetwork"] == ["yes"]
    assert recorder["RestrictAddressFamilies"] == ["AF_UNIX AF_NETLINK"]
    assert "IPAddressAllow" not in recorder


def test_the_half_with_the_network_has_no_device_and_no_signing_key() -> None:
    uplink = settings("liuhen-uplink.service")
    assert uplink["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in uplink
    assert "SupplementaryGroups" not in uplink
    assert any("signing.key" in value for value in uplink["InaccessiblePaths"])
    assert uplink["User"] != settings("liuhen-recorder.service")["User"]


@pytest.mark.parametrize("weight", ["CPUWeight", "IOWeight"])
def test_the_uplink_gets_what_the_capture_leaves(weight: str) -> None:
    recorder, uplink = settings("liuhen-recorder.service"), settings("liuhen-uplink.service")
    assert int(recorder[weight][0]) >= 50 * int(uplink[weight][0])
    assert int(recorder["OOMScoreAdjust"][0]) < -500 < 500 < int(uplink["OOMScoreAdjust"][0])
    assert "MemoryMax" in uplink
    assert "MemoryMax" not in recorder


def test_every_service_that_needs_time_may_ask_the_kernel_for_it() -> None:
    """`ProtectClock=` forbids adjtimex, also to ask: every clock would be graded as if no server had ever set it."""
    for unit in SERVICES:
        asked = settings(unit)
        if "liuhen " in asked["ExecStart"][0]:
            assert "ProtectClock" not in asked, unit
            assert asked["SystemCallFilter"][-1] == "adjtimex clock_adjtime", unit


def test_the_configuration_beside_the_units_names_the_folders_that_they_allow() -> None:
    config = load_config(SYSTEMD / "recorder.toml")
    allowed = settings("liuhen-recorder.service")["ReadWritePaths"][0].split()
    assert [str(config.spool), str(config.state_folder)] == allowed
    assert config.run_folder == Path("/run") / settings("liuhen-recorder.service")["RuntimeDirectory"][0]
    made = (SYSTEMD / "tmpfiles.d/liuhen-recorder.conf").read_text()
    for folder in (config.spool, config.identity, config.state_folder):
        assert f"d {folder} " in made
