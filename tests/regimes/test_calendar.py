"""Working days as the State Council's notices have them, and counting them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.model import EPOCH
from evidence.regimes.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    add_months,
    add_working_days,
    day_of,
    end_of_day_us,
    is_working_day,
    unpublished_year,
)

DAYS = st.dates(date(2004, 1, 1), date(2040, 12, 31))
KNOWN = st.dates(date(2004, 1, 1), date(LAST_YEAR, 12, 24))

OFFICIAL = {
    "2026-09-20": True,  # Sunday, worked for National Day
    "2026-09-30": True,
    "2026-10-01": False,
    "2026-10-07": False,
    "2026-10-08": True,
    "2026-10-10": True,  # Saturday, worked for National Day
    "2026-10-11": False,
    "2026-02-14": True,  # Saturday before the Spring Festival
    "2026-02-16": False,
    "2026-02-23": False,
    "2026-02-28": True,
    "2018-12-29": True,  # moved by the notice for 2019
    "2018-12-31": False,
    "2020-01-31": False,  # the Spring Festival that was lengthened
}


@pytest.mark.parametrize("day", OFFICIAL)
def test_the_official_calendar_with_its_moved_working_days(day: str) -> None:
    assert is_working_day(date.fromisoformat(day)) is OFFICIAL[day]
    assert unpublished_year(date.fromisoformat(day)) is None


def test_the_calendar_reaches_the_present_year() -> None:
    assert FIRST_YEAR <= 2004
    assert LAST_YEAR >= 2026


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(LAST_YEAR, 12, 24), None),
        (date(LAST_YEAR, 12, 25), LAST_YEAR + 1),
        (date(LAST_YEAR + 1, 1, 1), LAST_YEAR + 1),
        (date(FIRST_YEAR - 1, 12, 31), FIRST_YEAR - 1),
    ],
)
def test_days_that_a_coming_notice_may_still_move(day: date, year: int | None) -> None:
    assert unpublished_year(day) == year


@given(start=DAYS, days=st.integers(1, 60))
def test_counting_ends_on_a_working_day_with_exactly_so_many_behind_the_start(start: date, days: int) -> None:
    end = add_working_days(start, days).day
    between = [start + timedelta(days=one) for one in range(1, (end - start).days + 1)]
    assert is_working_day(end)
    assert sum(map(is_working_day, between)) == days


@given(start=DAYS, later=st.integers(0, 30), days=st.integers(1, 30))
def test_a_later_start_or_more_days_never_end_earlier(start: date, later: int, days: int) -> None:
    end = add_working_days(start, days).day
    assert add_working_days(start + timedelta(days=later), days).day >= end
    assert add_working_days(start, days + 1).day > end


@given(start=DAYS, days=st.integers(1, 60))
def test_whoever_counts_through_an_unpublished_year_is_told(start: date, days: int) -> None:
    count = add_working_days(start, days)
    passed = {unpublished_year(start + timedelta(days=one)) for one in range(1, (count.day - start).days + 1)}
    assert count.unpublished == tuple(sorted(year for year in passed if year is not None))


@given(start=st.dates(date(LAST_YEAR + 1, 1, 1), date(2200, 1, 1)))
def test_without_a_calendar_plain_weekdays_count(start: date) -> None:
    assert is_working_day(start) is (start.isoweekday() <= 5)


@given(day=st.dates(date(1970, 1, 2), date(8999, 1, 1)))
def test_a_day_in_china_ends_at_16_hours_utc(day: date) -> None:
    end_us = end_of_day_us(day)
    assert (EPOCH + timedelta(microseconds=end_us)).hour == 16
    assert day_of(end_us - 1) == day
    assert day_of(end_us) == day + timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-11-25", 6, "2027-05-25"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-01-01", 11, "2026-12-01"),
    ],
)
def test_months_end_on_the_same_number_or_the_last_day(start: str, months: int, end: str) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(end)


@given(start=KNOWN, months=st.integers(0, 1200), more=st.integers(0, 24))
def test_more_months_never_end_earlier(start: date, months: int, more: int) -> None:
    assert add_months(start, months + more) >= add_months(start, months)
    assert add_months(start + timedelta(days=1), months) >= add_months(start, months)
