"""Notices what UTC does against the boot clock, and how far it may be believed. Pure.

| seen | said |
|---|---|
| a slew, a smeared leap second (12 ppm) | nothing |
| the first good UTC after power on, also from 1970 | SET, with its step |
| a step of 0.1 s or more | STEP |
| one second back, or forth, at the end of June or December in UTC, under a disciplined clock | LEAP |
| another grade | GRADE |
| another offset from UTC: daylight saving began or ended, UTC itself did not move | OFFSET |

A leap second is UTC's own: its change of one second is journalled as it is, for nothing is left out, but it is no
step of the clock and nobody is alarmed by it. So it is also for the machine that repeats it a little too early or late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from evidence.model import EPOCH, ClockGrade, Timestamp

STEP_US = 100_000
"""Slewing by NTP moves less than this in a second; the trade allows an error of 3 s a day (GA/T 947.2)."""
SECOND_US = 1_000_000
LEAP_WINDOW_S = 5
PLAUSIBLE_US = 1_735_689_600 * SECOND_US
"""2025-01-01. A clock that shows less has lost its battery and begun anew."""
DISCIPLINED = frozenset({ClockGrade.NTP, ClockGrade.GNSS})
DRIFT_AFTER_US = 600 * SECOND_US
"""Below ten minutes the noise of reading two clocks is larger than the drift of a crystal."""


class ClockEvent(StrEnum):
    """What happened to UTC; see the module's table."""

    SET = "set"
    STEP = "step"
    LEAP = "leap"
    GRADE = "grade"
    OFFSET = "offset"


@dataclass(frozen=True, slots=True)
class ClockChange:
    """One entry `clock`. `step_us` is the new UTC less the old at the same boot time; 0 when it did not step."""

    event: ClockEvent
    step_us: int


def is_believable(now: Timestamp) -> bool:
    """Whether somebody has set this UTC, and it lies after this program was written."""
    return now.grade is not ClockGrade.UNSET and now.utc_us >= PLAUSIBLE_US


class ClockWatch:
    """Compares each reading of a boot with the one before it."""

    def __init__(self, first: Timestamp) -> None:
        self._last = first
        self._drift = _Drift()

    @property
    def drift_ppm(self) -> float | None:
        """How fast UTC moves against the boot clock while it is disciplined, in millionths; None before ten minutes.

        Where the same discipline steers both clocks, as on Linux, it is what remains of it.
        """
        return self._drift.ppm

    def look(self, now: Timestamp) -> ClockChange | None:
        """What happened since the last reading, None when nothing worth saying did."""
        last, self._last = self._last, now
        step_us = _difference_us(now) - _difference_us(last)
        change = _change(last, now, step_us if abs(step_us) >= STEP_US else 0)
        if now.grade not in DISCIPLINED or (change is not None and change.event is not ClockEvent.OFFSET):
            self._drift = _Drift()
        if now.grade in DISCIPLINED:
            self._drift.look(now)
        return change


def _change(last: Timestamp, now: Timestamp, step_us: int) -> ClockChange | None:
    if last.grade is ClockGrade.UNSET and now.grade is not ClockGrade.UNSET:
        return ClockChange(ClockEvent.SET, step_us)
    if step_us:
        return ClockChange(ClockEvent.LEAP if _is_leap(last, now, step_us) else ClockEvent.STEP, step_us)
    if now.grade is not last.grade:
        return ClockChange(ClockEvent.GRADE, 0)
    return ClockChange(ClockEvent.OFFSET, 0) if now.offset_min != last.offset_min else None


def _difference_us(stamp: Timestamp) -> int:
    return stamp.utc_us - stamp.boot_us


def _is_leap(last: Timestamp, now: Timestamp, step_us: int) -> bool:
    """Leap seconds come at the end of a month in UTC, by preference June or December (ITU-R TF.460), and only there."""
    if abs(abs(step_us) - SECOND_US) > STEP_US or not {last.grade, now.grade} <= DISCIPLINED:
        return False
    # The border may have passed between two readings: its nearest midnight is that of either.
    return any(_near_leap(stamp.utc_us) for stamp in (last, now))


def _near_leap(utc_us: int) -> bool:
    moment = EPOCH + timedelta(microseconds=utc_us)
    nearest = moment + timedelta(seconds=LEAP_WINDOW_S)
    midnight = nearest.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight.month, midnight.day) in ((1, 1), (7, 1)) and abs(moment - midnight) <= timedelta(
        seconds=LEAP_WINDOW_S
    )


class _Drift:
    """The slope of UTC less boot time over boot time, by least squares; sums only, so it never grows."""

    def __init__(self) -> None:
        self._first: tuple[int, int] | None = None
        self._count = 0
        self._span_us = 0
        self._x = self._y = self._xx = self._xy = 0.0

    def look(self, now: Timestamp) -> None:
        if self._first is None:
            self._first = now.boot_us, _difference_us(now)
        self._span_us = now.boot_us - self._first[0]
        x, y = self._span_us / SECOND_US, float(_difference_us(now) - self._first[1])
        self._count += 1
        self._x, self._y, self._xx, self._xy = self._x + x, self._y + y, self._xx + x * x, self._xy + x * y

    @property
    def ppm(self) -> float | None:
        spread = self._count * self._xx - self._x * self._x
        if self._span_us < DRIFT_AFTER_US or spread <= 0:
            return None
        return (self._count * self._xy - self._x * self._y) / spread
