"""The simulated power: a battery without a gauge, as on a PC, and the dock's contacts."""

from __future__ import annotations

from device.ports import PowerReading


class SimPower:
    """A `PowerSource`; the recorder is worn until the world docks it."""

    def __init__(self) -> None:
        self._docked = False

    def read(self) -> PowerReading:
        """The present state. Never blocks."""
        return PowerReading(docked=self._docked, level_pct=None)

    def dock(self) -> None:
        """The officer puts the recorder into the dock."""
        self._docked = True

    def undock(self) -> None:
        """The officer takes it out."""
        self._docked = False
