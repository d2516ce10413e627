"""The board's heat: bands. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from device.ports import HeatReading
from device.watch.bands import Bands, Limit


class HeatBand(StrEnum):
    """How hot the board is, best first."""

    NORMAL = "normal"
    HOT = "hot"
    """Soon the processor slows down, which a Raspberry Pi does from 80 °C on."""
    CRITICAL = "critical"
    """Pictures can no longer be relied on: an interruption with cause `device_fault`."""


BANDS = Bands(
    HeatBand.NORMAL,
    (Limit(HeatBand.HOT, enter=75, leave=70), Limit(HeatBand.CRITICAL, enter=85, leave=80)),
)
"""Over °C."""


@dataclass(frozen=True, slots=True)
class HeatState:
    """`celsius` is None where nothing measures it; then the board counts as cool, for a dead sensor is no heat."""

    celsius: int | None
    throttled: bool
    band: HeatBand


class HeatWatch:
    """Fed with every reading. The middle one of three counts, so that one wrong reading interrupts nothing."""

    def __init__(self) -> None:
        self._readings: deque[float] = deque(maxlen=3)
        self._band = HeatBand.NORMAL

    def look(self, reading: HeatReading) -> HeatState:
        """What a reading means."""
        if reading.celsius is None:
            self._readings.clear()
            self._band = HeatBand.NORMAL
            return HeatState(None, reading.throttled, self._band)
        self._readings.append(reading.celsius)
        if len(self._readings) == self._readings.maxlen:
            self._band = BANDS.after(self._band, median(self._readings))
        return HeatState(round(median(self._readings)), reading.throttled, self._band)
