"""The board's temperature, as the kernel shows it."""

from __future__ import annotations

from device.ports import HeatReading


class SysfsThermometer:
    """A `Thermometer`."""

    def read(self) -> HeatReading:
        """The present state."""
        return HeatReading(None, throttled=False)
