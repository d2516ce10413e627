"""Days in China: working days by the official calendar with its moved working days (调休), months and years.

The calendar comes from the package `chinesecalendar`, which follows the State Council's yearly notice. For a year that
it does not know yet plain weekdays count, and so does the last week before such a year, whose working days the notice
for the coming year may still move. Whoever counts through such days is told (`Count.unpublished`).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

import chinese_calendar

from evidence.model import EPOCH

CHINA = timezone(timedelta(hours=8))
"""One zone for the whole country, without summer time."""
FIRST_YEAR = min(chinese_calendar.holidays).year
LAST_YEAR = max(chinese_calendar.holidays).year
MOVABLE_FROM = (12, 25)
"""The notice for a new year has moved working days from as early as the Saturday before it (29 December 2018)."""
SATURDAY = 5
A_DAY = timedelta(days=1)
LAST_US = (datetime(9000, 1, 1, tzinfo=CHINA) - EPOCH) // timedelta(microseconds=1)
"""A clock that says more is wrong, and no date could be counted from there."""


@dataclass(frozen=True, slots=True)
class Count:
    """A day that was counted to, and the years whose calendar was not yet published on the way."""

    day: date
    unpublished: tuple[int, ...] = ()


def day_of(utc_us: int) -> date:
    """The day in China of an instant; of one that no calendar has, a day that never comes."""
    return (EPOCH + timedelta(microseconds=min(utc_us, LAST_US))).astimezone(CHINA).date()


def end_of_day_us(day: date) -> int:
    """The first instant after a day in China, UTC microseconds."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=CHINA) + A_DAY
    return (midnight - EPOCH) // timedelta(microseconds=1)


def unpublished_year(day: date) -> int | None:
    """The year whose notice would have to be known to be sure of this day, or None when it is known."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return day.year
    if day.year == LAST_YEAR and (day.month, day.day) >= MOVABLE_FROM:
        return day.year + 1
    return None


def is_working_day(day: date) -> bool:
    """By the official calendar; by the weekday where it is not published."""
    if FIRST_YEAR <= day.year <= LAST_YEAR:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < SATURDAY


def add_working_days(start: date, days: int) -> Count:
    """The last of `days` (>= 1) working days after `start`, which itself does not count."""
    day, unpublished = start, set[int]()
    for _ in range(days):
        day += A_DAY
        while not is_working_day(day):
            unpublished.add(unpublished_year(day) or 0)
            day += A_DAY
        unpublished.add(unpublished_year(day) or 0)
    return Count(day, tuple(sorted(unpublished - {0})))


def add_months(start: date, months: int) -> date:
    """The day of the same number so many months later; the month's last day where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
