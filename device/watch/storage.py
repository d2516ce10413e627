"""The card in minutes of recording: bands, prompts, and whether it lasts the shift. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from device.watch.bands import Bands, Countdown, Limit

MEMORY_S = 300.0
"""The bit rate is that of the last minutes: a dark street takes less than a market, and neither lasts."""
JOURNAL_BPS = 16_000
"""What the journal itself takes: an entry of some 2 kB with its index for each second."""
PROMPT_MINUTES = (30, 20, 10, 5)


class StorageBand(StrEnum):
    """How much room the card has, best first."""

    GOOD = "good"
    LOW = "low"
    CRITICAL = "critical"
    """Within a minute the recording ends for want of room."""


BANDS = Bands(
    StorageBand.GOOD,
    (Limit(StorageBand.LOW, enter=30, leave=35), Limit(StorageBand.CRITICAL, enter=1, leave=3)),
)
"""Over minutes left."""


@dataclass(frozen=True, slots=True)
class StorageState:
    """`free_bytes` is free for evidence: without the reserve, with what may be freed. `announce` is to be said now."""

    free_bytes: int
    minutes_left: int
    band: StorageBand
    announce: int | None
    lasts_shift: bool


class StorageWatch:
    """Fed with every fragment written and, now and then, with the room on the card.

    `assumed_bps` is the configured rate of picture and sound, believed until fragments show the true one;
    `reserve_bytes` is kept for sealing and for the entries that say so.
    """

    def __init__(self, assumed_bps: int, reserve_bytes: int) -> None:
        self._rate_bps = float(assumed_bps)
        self._reserve_bytes = reserve_bytes
        self._countdown = Countdown(PROMPT_MINUTES)
        self._band = StorageBand.GOOD

    def wrote(self, stored_bytes: int, duration_us: int) -> None:
        """A fragment of this length took this room."""
        if duration_us <= 0:
            return
        seconds = duration_us / 1_000_000
        self._rate_bps += (stored_bytes * 8 / seconds - self._rate_bps) * seconds / (seconds + MEMORY_S)

    def look(self, free_bytes: int, releasable_bytes: int, shift_left_minutes: int) -> StorageState:
        """What the room means. Evidence that the dock has receipted, and that waits to be freed, counts as room."""
        free_bytes = max(0, free_bytes + releasable_bytes - self._reserve_bytes)
        minutes = free_bytes * 8 / (self._rate_bps + JOURNAL_BPS) / 60
        self._band = BANDS.after(self._band, minutes)
        return StorageState(
            free_bytes, int(minutes), self._band, self._countdown.look(minutes), minutes >= shift_left_minutes
        )
