"""The simulated recorder's two clocks: boot time from the PC, and a UTC that the world can step.

This is the simulator's only door to the PC's own time.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from dataclasses import dataclass

from evidence.model import ClockGrade, Timestamp


def _pc_us() -> int:
    """Microseconds on a clock of the PC that nothing steps; on Linux it also counts through a suspend."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000  # noqa: TID251  the port's own source
    return time.monotonic_ns() // 1000  # noqa: TID251  the port's own source


@dataclass(frozen=True, slots=True)
class _Belief:
    """What the recorder holds to be UTC: one value, so that no reader sees half of a step."""

    utc_at_boot_us: int
    grade: ClockGrade


class SimClock:
    """A `Clock` whose power was switched on when it was made: `boot` names that boot, boot time starts at 0.

    Usable from any thread.
    """

    def __init__(self, boot: str, offset_min: int, grade: ClockGrade) -> None:
        self._boot = boot
        self._offset_min = offset_min
        self._power_on_us = _pc_us()
        utc_us = time.time_ns() // 1000  # noqa: TID251  the port's own source
        self._belief = _Belief(utc_us, grade)

    def boot_us(self) -> int:
        """Microseconds since power on."""
        return _pc_us() - self._power_on_us

    def now(self) -> Timestamp:
        """Both clocks, read together."""
        return self.at(self.boot_us())

    def at(self, boot_us: int) -> Timestamp:
        """What both clocks say of an instant of this boot, with the UTC believed at present."""
        belief = self._belief
        return Timestamp(
            utc_us=belief.utc_at_boot_us + boot_us,
            offset_min=self._offset_min,
            grade=belief.grade,
            error_us=None,
            boot=self._boot,
            boot_us=boot_us,
        )

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for so long."""
        await asyncio.sleep(seconds)  # noqa: TID251  the port's own sleep

    def wait_until(self, boot_us: int, stop: threading.Event) -> bool:
        """Block this thread until `boot_us`; True when it has come, False when `stop` was set first."""
        while (left_us := boot_us - self.boot_us()) > 0:
            if stop.wait(left_us / 1_000_000):
                return False
        return not stop.is_set()

    def step(self, utc_by_us: int, grade: ClockGrade) -> None:
        """The world sets the clock: UTC jumps by so much and is of this grade; boot time runs on untouched."""
        self._belief = _Belief(self._belief.utc_at_boot_us + utc_by_us, grade)
