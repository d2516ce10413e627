"""The deadline for offloading, told before it passes (pingluo 9, changzhi 29, weixian 14, xuchang 11)."""

from __future__ import annotations

from device.duty.tools import Tools
from device.ports import Buzz
from device.spool import Spool
from device.states import State
from device.voice.voice import Phrase
from device.watch.bands import Countdown
from evidence.errors import DiscError

LOOK_US = 600 * 1_000_000
PROMPT_HOURS = (24, 8, 4, 1, 0)
US_PER_HOUR = 3_600_000_000


def oldest_waiting_us(spool: Spool) -> int | None:
    """When the oldest segment without a receipt was sealed, in UTC as then believed. Raises DiscError."""
    received = spool.journal.segments_with("receipt")
    waiting = [seal.at.utc_us for seal in spool.journal.of_kind("segment") if seal.fields["segment"] not in received]
    return min(waiting, default=None)


class Deadline:
    """Looks every ten minutes at what waits."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._countdown = Countdown(PROMPT_HOURS)
        self._looked_us = -LOOK_US

    async def look(self, state: State) -> None:
        """Tell the hours left when they have become fewer than a step. In the dock nobody needs to be told."""
        now = self._tools.clock.now()
        if state is State.DOCKED or now.boot_us - self._looked_us < LOOK_US:
            return
        self._looked_us = now.boot_us
        try:
            oldest_us = await self._tools.thread.run(oldest_waiting_us, self._tools.spool)
        except DiscError:
            return
        if oldest_us is None:
            return
        limit_us = self._tools.config.offload_within_minutes * 60_000_000
        hours = self._countdown.look((oldest_us + limit_us - now.utc_us) / US_PER_HOUR)
        if hours is not None:
            self._tools.buzz(Buzz.LOW)
            self._tools.say(Phrase.OFFLOAD_DEADLINE_HOURS_LEFT, hours)
