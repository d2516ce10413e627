"""A provisioned card under a true systemd: a read-only system, a partition for the evidence, its first starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pi.debian import OWN, do
from tests.pi.machine import Machine
from tests.pi.test_scripts import CMDLINE, CONFIG, FSTAB

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root boots a machine"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the package brings its own Python's packages"),
]


class Card:
    """A card of three partitions: what is on each, and a machine that starts from it as often as it is asked to."""

    def __init__(self, folder: Path) -> None:
        self.root, self.firmware, self.data = (folder / name for name in ("root", "firmware", "data"))
        self.log = folder / "log"

    def start(self) -> Machine:
        # In a container systemd leaves the lines of fstab that name devices alone, and heeds the others.
        mounts = ("--read-only", f"--bind={self.firmware}:/boot/firmware", f"--bind={self.data}:/var/lib/liuhen")
        return Machine(self.root, self.log, *mounts)


@pytest.fixture(scope="module")
def card(debians: Callable[[str, str], tuple[Path, Path]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Card]:
    card = Card(tmp_path_factory.mktemp("card"))
    subprocess.run(["cp", "-a", debians("13", OWN)[0], card.root], check=True)
    shutil.rmtree(card.root / "var/lib/liuhen")
    (card.data / "log").mkdir(parents=True)
    card.firmware.mkdir()
    firmware = card.root / "boot/firmware"
    firmware.mkdir(parents=True)
    (firmware / "config.txt").write_text(CONFIG)
    (firmware / "cmdline.txt").write_text(CMDLINE)
    (card.root / "etc/fstab").write_text(FSTAB)
    (card.root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    do(card.root, "liuhen-provision --root /.")
    (card.firmware / "liuhen").mkdir()
    (card.firmware / "liuhen/id").write_text("LH-000042\n")
    # The places that PLACES of the machine are bound to; our package uses neither.
    for place in ("opt/liuhen/source", "opt/liuhen/site", "dev"):
        (card.root / place).mkdir(parents=True, exist_ok=True)
    yield card
    shutil.rmtree(card.root)


@pytest.fixture
def machine(card: Card) -> Iterator[Machine]:
    running = card.start()
    try:
        yield running
    finally:
        running.end()


def test_the_first_start_makes_the_keys_and_shows_the_request(card: Card, machine: Machine) -> None:
    machine.await_that("the request is on the card", (card.firmware / "liuhen/request.pem").exists)
    assert "LH-000042" in machine.do("openssl req -noout -subject -in /boot/firmware/liuhen/request.pem")
    machine.await_that(
        "each key has its user",
        lambda: (
            machine.ask("cd /var/lib/liuhen/identity && stat -c '%n %U %a' *.key").splitlines()
            == ["link.key liuhen-uplink 600", "signing.key liuhen-recorder 600"]
        ),
    )
    assert list(card.firmware.rglob("*.key")) == []


def test_nothing_of_the_system_can_be_written_and_all_that_has_to_be_can(machine: Machine) -> None:
    for place in ("/usr/lib/liuhen", "/etc", "/var/lib/dpkg", "/root"):
        assert "Read-only" in machine.ask(f"touch {place}/x 2>&1"), place
    for place in ("/tmp", "/var/tmp", "/var/lib/systemd", "/var/lib/liuhen/spool", "/var/log/journal"):
        machine.do(f"touch {place}/x && rm {place}/x")


def test_what_the_journal_says_is_there_after_the_next_start(card: Card, machine: Machine) -> None:
    machine.do("journalctl --flush; journalctl --sync")
    assert list((card.data / "log").rglob("*.journal"))
    assert int(machine.do("journalctl --list-boots --quiet | wc -l")) >= 2


def test_the_docks_answer_is_taken_at_the_next_start(card: Card, tmp_path: Path) -> None:
    liuhen, dock, door = Path(sys.executable).with_name("liuhen"), tmp_path / "dock", card.firmware / "liuhen"
    for command in (("init", dock), ("enrol", dock, door / "request.pem", "--out", door / "enrolled")):
        subprocess.run([liuhen, "dock", *command], check=True, capture_output=True)
    machine = card.start()
    try:
        machine.await_that("the answer is taken", lambda: not (door / "enrolled").exists())
        told = machine.ask("liuhen health --json")
        assert '"device": "LH-000042"' in told
        # Without a camera's library the recorder says so, again and again, and its uplink is up beside it.
        machine.await_that(
            "the recorder says what it lacks",
            lambda: any("python3-picamera2" in line for line in machine.said("liuhen-recorder.service")),
        )
        machine.await_that("the uplink is up", lambda: machine.ask("systemctl is-active liuhen-uplink") == "active")
    finally:
        machine.end()


def test_an_enrolled_recorder_has_no_first_start_any_more(card: Card, machine: Machine) -> None:
    before = (card.data / "identity/signing.key").read_bytes()
    machine.await_that("the recorder was started", lambda: machine.said("liuhen-recorder.service"))
    shown = machine.show("liuhen-first-boot.service", "Result", "ExecMainStartTimestampMonotonic")
    assert shown == {"Result": "exec-condition", "ExecMainStartTimestampMonotonic": "0"}
    assert (card.data / "identity/signing.key").read_bytes() == before
