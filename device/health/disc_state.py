"""What the kernel tells of the disc under a folder: writable, errors, wear, bytes written. Linux; elsewhere nothing.

After errors a mount may still say `rw`, and statvfs too: `emergency_ro` and `shutdown` stand only among its options
(measured, docs/adr/0007).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SECTOR_BYTES = 512
LOST_OPTIONS = frozenset({"ro", "emergency_ro", "shutdown"})
WEAR_STEP_PCT = 10
"""JEDEC JESD84-B51, DEVICE_LIFE_TIME_EST: 0x01 is up to 10 % used, 0x0B more than all of it."""


@dataclass(frozen=True, slots=True)
class DiscState:
    """What is not told is None."""

    read_only: bool
    errors: bool
    wear_pct: int | None
    pre_eol: int | None
    written_bytes: int | None


def read_disc_state(folder: Path, root: Path = Path("/")) -> DiscState:
    """The disc that `folder` lies on; `root` is where proc and sys are. Never raises."""
    number = _device_number(folder)
    part = root / "sys/dev/block" / number
    disc = part.resolve().parent if (part / "partition").exists() else part
    ext4 = root / "sys/fs/ext4" / part.resolve().name
    errors, kilobytes = _whole(ext4 / "errors_count"), _whole(ext4 / "lifetime_write_kbytes")
    sectors = _words(part / "stat")[6:7]
    wear = [int(word, 16) for word in _words(disc / "device/life_time") if word.startswith("0x")]
    pre_eol = [int(word, 16) for word in _words(disc / "device/pre_eol_info") if word.startswith("0x")]
    return DiscState(
        read_only=bool(LOST_OPTIONS & _options(root / "proc/self/mountinfo", number)),
        errors=bool(errors),
        wear_pct=max(wear) * WEAR_STEP_PCT if any(wear) else None,
        pre_eol=pre_eol[0] if any(pre_eol) else None,
        written_bytes=kilobytes * 1024 if kilobytes is not None else _sectors_bytes(sectors),
    )


def _device_number(folder: Path) -> str:
    try:
        device = folder.stat().st_dev
    except OSError:
        return "0:0"
    return f"{os.major(device)}:{os.minor(device)}"


def _options(mounts: Path, number: str) -> set[str]:
    """The options of the mounts of this device, those of the mount and those of the file system (proc(5))."""
    options: set[str] = set()
    for line in _text(mounts).splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[2:3] == [number]:
            options.update(before.split()[5].split(","), after.split()[-1].split(","))
    return options


def _sectors_bytes(sectors: list[str]) -> int | None:
    return int(sectors[0]) * SECTOR_BYTES if sectors and sectors[0].isdecimal() else None


def _whole(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", errors="replace")
    except OSError:
        return ""
