"""The board's temperature, as the kernel's thermal class shows it, and whether the firmware slows the board down.

The Raspberry Pi's firmware driver shows `get_throttled` in hexadecimal without 0x: bit 0 too little voltage, 1 the
frequency is capped, 2 throttled, 3 the soft limit of the temperature is reached; the bits from 16 on say what has ever
been. Kernels without that file show too little voltage as an alarm of the hwmon chip `rpi_volt`.
"""

from __future__ import annotations

from pathlib import Path

from device.hw.sysfs import entries, read_number, read_text
from device.ports import HeatReading

SYS = Path("/sys")
FIRMWARE = Path("devices/platform/soc/soc:firmware/get_throttled")
NOW = 0b1111
MILLIDEGREES = (-40_000, 130_000)
"""What the silicon survives; a sensor that shows more is broken."""


class SysfsThermometer:
    """A `Thermometer`: the hottest of the board's zones."""

    def __init__(self, root: Path = SYS) -> None:
        self._root = root

    def read(self) -> HeatReading:
        zones = [zone for zone in entries(self._root / "class" / "thermal") if zone.name.startswith("thermal_zone")]
        known = [read_number(zone / "temp", *MILLIDEGREES) for zone in zones]
        hottest = max((one for one in known if one is not None), default=None)
        return HeatReading(None if hottest is None else hottest / 1000, self._throttled())

    def _throttled(self) -> bool:
        bits = read_number(self._root / FIRMWARE, 0, 0xFFFF_FFFF, base=16)
        if bits is not None:
            return bits & NOW != 0
        chips = [chip for chip in entries(self._root / "class" / "hwmon") if read_text(chip / "name") == "rpi_volt"]
        return any(read_text(chip / "in0_lcrit_alarm") == "1" for chip in chips)
