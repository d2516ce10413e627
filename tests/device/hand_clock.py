"""A clock that stands still until a test moves it: no test waits, and every run is the same run."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

from evidence.model import ClockGrade, Timestamp

BOOT = "0123456789ab" + "0" * 20
NEXT_BOOT = "ba9876543210" + "0" * 20
UTC_AT_BOOT_US = 1_795_267_085_000_000


class HandClock:
    """A `Clock`. Whoever sleeps on it waits until `advance` has brought it to his moment."""

    def __init__(self, boot: str = BOOT, boot_us: int = 0, utc_at_boot_us: int = UTC_AT_BOOT_US) -> None:
        self.boot_us = boot_us
        self._boot = boot
        self._utc_at_boot_us = utc_at_boot_us
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> Timestamp:
        return self.at(self.boot_us)

    def at(self, boot_us: int) -> Timestamp:
        return Timestamp(self._utc_at_boot_us + boot_us, 480, ClockGrade.RTC, None, self._boot, boot_us)

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.boot_us + round(seconds * 1e6), next(self._order), woken))
        await woken

    def advance_to(self, boot_us: int) -> None:
        """Let time pass, and wake who has slept long enough. In the event loop only."""
        self.boot_us = max(self.boot_us, boot_us)
        while self._sleepers and self._sleepers[0][0] <= self.boot_us:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

    def advance(self, seconds: float) -> None:
        self.advance_to(self.boot_us + round(seconds * 1e6))


def after_reboot(clock: HandClock, off_s: float = 60) -> HandClock:
    """The clock of the next boot, so many seconds after the moment at which `clock` stands."""
    return HandClock(NEXT_BOOT, 1_000_000, clock.now().utc_us + round(off_s * 1e6) - 1_000_000)
