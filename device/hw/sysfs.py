"""One attribute of the kernel's sysfs: small text files that vanish, refuse and talk nonsense."""

from __future__ import annotations

from pathlib import Path


def read_text(path: Path) -> str:
    """The attribute's text, or nothing: a chip that does not answer gives ENODEV, EIO or ENODATA, or its file goes."""
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def read_number(path: Path, low: int, high: int, base: int = 10) -> int | None:
    """A whole number from `low` to `high`; None for anything else, for the file's sake or for its content's."""
    try:
        number = int(read_text(path), base)
    except ValueError:
        return None
    return number if low <= number <= high else None


def entries(folder: Path) -> list[Path]:
    """What lies in a class folder, in order of name; nothing where the kernel has no such class."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
