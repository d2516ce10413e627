"""From fragments to sealed segments on the card: opens, cuts at the length limit, seals, tries again what failed."""

from __future__ import annotations

import logging

from device.capture.muxer import MediaFragment
from device.disc_thread import DiscThread
from device.numbers import Numbers
from device.ports import Clock
from device.spool import SegmentState, Spool
from evidence.errors import DiscError
from evidence.model import Officer, Timestamp

RETRY_US = 5_000_000
log = logging.getLogger(__name__)


class SegmentWriter:
    """The open segment of the running recording, and those that wait for their seal."""

    def __init__(self, spool: Spool, disc: DiscThread, numbers: Numbers, segment_s: int, clock: Clock) -> None:
        self._spool = spool
        self._clock = clock
        self._disc = disc
        self._numbers = numbers
        self._limit_us = segment_s * 1_000_000
        self._segment: SegmentState | None = None
        self._began_us = 0
        self._unsealed: list[tuple[SegmentState, str]] = []
        self._next_try_us = 0

    async def write(
        self, fragment: MediaFragment, recording: str, officer: Officer | None, init: bytes, epoch: Timestamp
    ) -> tuple[str, int]:
        """Make a fragment durable; returns its segment and its index there. Raises DiscError."""
        if self._segment and end_us(fragment) - self._began_us > self._limit_us:
            await self.seal("length")
        if self._segment is None:
            self._began_us = fragment.first_frame_boot_us
            name = self._numbers.next_segment()
            self._segment = await self._disc.run(self._spool.open_segment, name, recording, officer, init, epoch)
        entry = await self._disc.run(self._spool.append, self._segment, fragment)
        return entry.fields["segment"], entry.fields["index"]

    async def seal(self, trigger: str) -> None:
        """Seal the open segment; one that cannot be sealed now is tried again, at last by the next start's recovery."""
        if self._segment is not None:
            self._unsealed.append((self._segment, trigger))
            self._segment = None
        await self._seal_waiting()

    async def catch_up(self) -> None:
        """Try again, now and then, what the card refused: entries, and seals. It may take them any time."""
        if not (self._unsealed or self._spool.refused) or self._clock.now().boot_us < self._next_try_us:
            return
        self._next_try_us = self._clock.now().boot_us + RETRY_US
        await self._disc.run(self._spool.note_refused)
        await self._seal_waiting()

    async def _seal_waiting(self) -> None:
        for waiting in tuple(self._unsealed):
            try:
                await self._disc.run(self._spool.seal, *waiting)
            except DiscError as error:
                log.warning("%s is not sealed yet: %s", waiting[0].segment, error)
                continue
            self._unsealed.remove(waiting)


def end_us(fragment: MediaFragment) -> int:
    """When the fragment's last frame ends, on the boot clock."""
    return fragment.first_frame_boot_us + fragment.info.duration_us
