"""The units of systemd/, laid out in a tree as a package lays them out."""

from __future__ import annotations

import shutil
from pathlib import Path

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = sorted(path.name for path in SYSTEMD.iterdir() if path.suffix in {".service", ".socket", ".timer"})
BROKER = "mosquitto.service"
DEBIAN_UNITS = Path("/usr/lib/systemd/system")


def lay_out(root: Path) -> None:
    """Units, drop-in, users, folders and configuration below `root`."""
    system = root / "etc/systemd/system"
    system.mkdir(parents=True, exist_ok=True)
    for name in UNITS:
        shutil.copy(SYSTEMD / name, system)
    for name, place in (
        (f"{BROKER}.d", system),
        ("sysusers.d", root / "etc"),
        ("tmpfiles.d", root / "etc"),
    ):
        shutil.copytree(SYSTEMD / name, place / name, dirs_exist_ok=True)
    (root / "etc/liuhen").mkdir(exist_ok=True)
    shutil.copy(SYSTEMD / "recorder.toml", root / "etc/liuhen")
