"""The battery and the dock's contacts, as the kernel's power_supply class shows them."""

from __future__ import annotations

from pathlib import Path

from device.ports import PowerReading

POWER_SUPPLIES = Path("/sys/class/power_supply")


class SysfsPower:
    """A `PowerSource`: docked while a mains or USB supply is online. What is missing is simply not known."""

    def __init__(self, root: Path = POWER_SUPPLIES) -> None:
        self._root = root

    def read(self) -> PowerReading:
        supplies = list(self._root.glob("*"))
        levels = [_level_pct(supply) for supply in supplies if _read(supply, "type") == "Battery"]
        docked = any(_is_outer(_read(supply, "type")) and _read(supply, "online") == "1" for supply in supplies)
        return PowerReading(docked, next((level for level in levels if level is not None), None))


def _is_outer(kind: str) -> bool:
    """The kernel names a USB supply by its sort: USB, USB_C, USB_PD and others."""
    return kind == "Mains" or kind.startswith("USB")


def _level_pct(battery: Path) -> float | None:
    text = _read(battery, "capacity")
    return float(text) if text.isdecimal() else None


def _read(supply: Path, name: str) -> str:
    """One attribute, or nothing: a gauge that does not answer reports ENODEV or EIO."""
    try:
        return (supply / name).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
