"""The recorder's two clocks in the world's own time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from evidence.model import ClockGrade, Timestamp

CHINA_OFFSET_MIN = 480


def now_us() -> int:
    """Microseconds since the world began."""
    return round(asyncio.get_running_loop().time() * 1_000_000)


@dataclass(frozen=True, slots=True)
class Belief:
    """What a clock holds to be UTC at the beginning of the world, and how far that may be trusted."""

    utc_at_dawn_us: int
    grade: ClockGrade


class WorldClock:
    """A `Clock` whose boot, named `boot`, began when it was made. The world may set its UTC at any time."""

    def __init__(self, boot: str, belief: Belief, offset_min: int = CHINA_OFFSET_MIN) -> None:
        self.boot = boot
        self.belief = belief
        self._loop = asyncio.get_running_loop()
        self._offset_min = offset_min
        self._power_on_us = now_us()

    def boot_us(self) -> int:
        """Microseconds since power on."""
        return round(self._loop.time() * 1_000_000) - self._power_on_us

    def now(self) -> Timestamp:
        """Both clocks, read together."""
        return self.at(self.boot_us())

    def at(self, boot_us: int) -> Timestamp:
        """What both clocks say of an instant of this boot, with the UTC believed at present."""
        utc_us = self.belief.utc_at_dawn_us + self._power_on_us + boot_us
        return Timestamp(utc_us, self._offset_min, self.belief.grade, None, self.boot, boot_us)

    async def sleep(self, seconds: float) -> None:
        """Let others act for so long."""
        await asyncio.sleep(seconds)  # noqa: TID251  the port's own sleep
