"""The dock's clock: the one place in this room that asks the machine for the time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from evidence.model import ClockGrade, Timestamp

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
SYNCHRONIZED_FILE = Path("/run/systemd/timesync/synchronized")


class Clock(Protocol):
    """Where the dock's time stamps come from."""

    def now(self) -> Timestamp:
        """The present instant on both clocks."""


class SystemClock:
    """UTC of the machine, and CLOCK_BOOTTIME since the boot that the kernel names."""

    def __init__(self) -> None:
        """A machine that names no boot gets a name for the life of this process."""
        named = BOOT_ID_FILE.read_text("ascii") if BOOT_ID_FILE.exists() else uuid4().hex
        self._boot = named.strip().replace("-", "")

    def now(self) -> Timestamp:
        utc_us = time.time_ns() // 1000  # noqa: TID251 - this is the adapter behind the Clock port
        boot_us = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000  # noqa: TID251 - the same
        grade = ClockGrade.NTP if SYNCHRONIZED_FILE.exists() else ClockGrade.RTC
        offset_min = time.localtime(utc_us // 1_000_000).tm_gmtoff // 60
        return Timestamp(utc_us, offset_min, grade, None, self._boot, boot_us)
