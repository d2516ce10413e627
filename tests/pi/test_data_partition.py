"""liuhen-provision makes the third partition of a card, once, and of nothing that holds keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pi.debian import OWN, do, enter

TABLE = "label: dos\nsize=32MiB, type=c\nsize=64MiB, type=83\n"
DATA = "/var/lib/liuhen"

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has loop devices"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="once is enough"),
]


@pytest.fixture(scope="module")
def root(debians: Callable[[str, str], tuple[Path, Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("system") / "root"
    subprocess.run(["cp", "-a", debians("13", OWN)[0], root], check=True)
    (root / "etc/fstab").write_text("PARTUUID=1-02 / ext4 defaults 0 1\n")
    subprocess.run(["touch", root / "srv/first.deb"], check=True)
    do(root, "liuhen-provision --package /srv/first.deb")
    return root


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[str]:
    """A card of 256 MiB with the two partitions of a Raspberry Pi OS."""
    image = tmp_path / "card.img"
    with image.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["sfdisk", "--quiet", image], input=TABLE, text=True, check=True)
    command = ["losetup", "--find", "--show", "--partscan", str(image)]
    device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    yield device
    subprocess.run(["losetup", "--detach", device], check=True)


def partitions(disk: str) -> int:
    dump = subprocess.run(["sfdisk", "--dump", disk], check=True, capture_output=True, text=True).stdout
    return dump.count(" : start=")


def test_it_is_made_of_what_is_free_and_begins_with_what_has_to_be_there(root: Path, disk: str) -> None:
    shown = do(root, f"liuhen-provision --data-disk {disk} >&2 && findmnt -n -o SOURCE,FSTYPE {DATA} && ls -A {DATA}")
    assert shown.splitlines()[0].split() == [f"{disk}p3", "ext4"]
    assert {"log", "packages", "spool", "identity"} <= set(shown.split())
    assert partitions(disk) == 3


def test_a_second_time_it_is_found_and_what_is_on_it_stays(root: Path, disk: str) -> None:
    provision = f"liuhen-provision --data-disk {disk} >&2"
    do(root, f"{provision} && touch {DATA}/spool/evidence")
    do(root, f"{provision} && test -e {DATA}/spool/evidence")
    assert partitions(disk) == 3


def test_nothing_is_laid_over_keys(root: Path, disk: str) -> None:
    key = root / "var/lib/liuhen/identity/signing.key"
    key.write_text("a key")
    done = enter(root, f"liuhen-provision --data-disk {disk}")
    key.unlink()
    assert (done.returncode, "holds keys already" in done.stderr) == (2, True)
    assert partitions(disk) == 2


def test_a_full_card_is_refused(root: Path, disk: str) -> None:
    subprocess.run(["sfdisk", "--quiet", "--append", disk], input="type=83\n", text=True, check=True)
    done = enter(root, f"liuhen-provision --data-disk {disk}")
    assert (done.returncode, "no room left" in done.stderr) == (2, True)
    assert partitions(disk) == 3
