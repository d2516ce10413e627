"""The battery and the dock's contacts, as the kernel shows them.

A fuel gauge (max17040 to max17059 and their like) is a battery of the power_supply class, in whole percent and
microvolts. It goes a little over 100 when it is full, it says `Unknown` where nobody tells it of a charger, and it may
not answer for a moment. An INA219, as on many battery boards, is a hwmon chip and measures only: the level is then read
off the voltage curve of a Li-ion cell at rest, and is good to about ten percent.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from device.hw.sysfs import entries, read_number, read_text
from device.ports import PowerReading

SYS_CLASS = Path("/sys/class")
OVERFULL_PCT = 110
MICROVOLTS = (2_000_000, 30_000_000)
"""From an empty cell to a pack of six; what lies outside was never measured."""
INA_CHIPS = ("ina219", "ina220", "ina226", "ina231")
CELL_MILLIVOLTS = (2_500, 4_400)
REST_CURVE = ((3300, 0), (3500, 5), (3610, 10), (3690, 20), (3730, 30), (3770, 40),
              (3820, 50), (3870, 60), (3950, 70), (4020, 80), (4110, 90), (4200, 100))  # fmt: skip
"""Millivolts of a cell and percent."""


class SysfsPower:
    """A `PowerSource`: docked while a mains or USB supply is online. What is missing is simply not known."""

    def __init__(self, root: Path = SYS_CLASS) -> None:
        self._root = root

    def read(self) -> PowerReading:
        supplies = [(supply, read_text(supply / "type")) for supply in entries(self._root / "power_supply")]
        docked = any(_is_outer(kind) and read_text(supply / "online") == "1" for supply, kind in supplies)
        level_pct, volts, charging = self._battery([supply for supply, kind in supplies if kind == "Battery"])
        return PowerReading(docked, level_pct, volts, charging)

    def _battery(self, gauges: list[Path]) -> tuple[float | None, float | None, bool]:
        """The first battery that knows its level, or else one that knows its voltage."""
        known = [(_level_pct(gauge), _volts(gauge), read_text(gauge / "status") == "Charging") for gauge in gauges]
        known += [(_level_at_rest_pct(millivolts), millivolts / 1000, False) for millivolts in self._measured()]
        best = sorted(known, key=lambda one: (one[0] is None, one[1] is None))
        return best[0] if best else (None, None, False)

    def _measured(self) -> Iterator[int]:
        for chip in entries(self._root / "hwmon"):
            millivolts = read_number(chip / "in1_input", MICROVOLTS[0] // 1000, MICROVOLTS[1] // 1000)
            if read_text(chip / "name") in INA_CHIPS and millivolts is not None:
                yield millivolts


def _is_outer(kind: str) -> bool:
    """The kernel names a USB supply by its sort: USB, USB_C, USB_PD and others."""
    return kind == "Mains" or kind.startswith("USB")


def _level_pct(gauge: Path) -> float | None:
    if read_text(gauge / "present") == "0":
        return None
    level_pct = read_number(gauge / "capacity", 0, OVERFULL_PCT)
    return None if level_pct is None else float(min(level_pct, 100))


def _volts(gauge: Path) -> float | None:
    microvolts = read_number(gauge / "voltage_now", *MICROVOLTS)
    return None if microvolts is None else microvolts / 1_000_000


def _level_at_rest_pct(millivolts: int) -> float | None:
    """One cell, or two in series; a voltage that neither can have is that of something else."""
    low, high = CELL_MILLIVOLTS
    cells = 1 if millivolts <= high else 2
    cell = millivolts / cells
    if not low <= cell <= high:
        return None
    for (below, low_pct), (above, high_pct) in pairwise(REST_CURVE):
        if cell <= above:
            return max(0.0, low_pct + (high_pct - low_pct) * (cell - below) / (above - below))
    return 100.0
