"""Notices when UTC moves against the boot clock, or becomes more or less trustworthy. Pure."""

from __future__ import annotations

from evidence.model import Timestamp

STEP_US = 100_000
"""Slewing by NTP moves less than this in a second; the trade allows an error of 3 s a day (GA/T 947.2)."""


class ClockWatch:
    """Compares each reading with the one before it."""

    def __init__(self, first: Timestamp) -> None:
        self._last = first

    def look(self, now: Timestamp) -> int | None:
        """By how many microseconds UTC stepped, 0 when only its grade changed, None when nothing worth saying did."""
        last, self._last = self._last, now
        step_us = (now.utc_us - now.boot_us) - (last.utc_us - last.boot_us)
        if abs(step_us) >= STEP_US:
            return step_us
        return 0 if now.grade is not last.grade else None
