"""What the clock watch says of a clock that is set, steps, leaps and drifts; and the account under such clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.watch.clock import ClockChange, ClockEvent, ClockWatch, is_believable
from evidence.account import Use, accounts
from evidence.model import ClockGrade, Timestamp
from tests.evidence.test_account import BOOTS, Shift, check_partition

BOOT = "0" * 32
UNSET, NTP, RTC, GNSS = ClockGrade.UNSET, ClockGrade.NTP, ClockGrade.RTC, ClockGrade.GNSS
S = 1_000_000
NOW_US = 1_795_267_085 * S
NEW_YEAR_US = round(datetime(2017, 1, 1, tzinfo=UTC).timestamp()) * S


def reading(utc_us: int, boot_us: int, grade: ClockGrade = RTC, offset_min: int = 480) -> Timestamp:
    return Timestamp(utc_us, offset_min, grade, None, BOOT, boot_us)


@pytest.mark.parametrize(
    ("first", "then", "change"),
    [
        (reading(1000 * S, 0), reading(1001 * S, S), None),
        (reading(1000 * S, 0), reading(1001 * S + 50_000, S), None),
        (reading(1000 * S, 0), reading(1001 * S, S, NTP), ClockChange(ClockEvent.GRADE, 0)),
        (reading(1000 * S, 0, NTP), reading(1001 * S, S), ClockChange(ClockEvent.GRADE, 0)),
        (reading(1000 * S, 0), reading(1101 * S, S, NTP), ClockChange(ClockEvent.STEP, 100 * S)),
        (reading(1000 * S, 0), reading(0, S), ClockChange(ClockEvent.STEP, -1001 * S)),
        (reading(0, 0, UNSET), reading(NOW_US, S, NTP), ClockChange(ClockEvent.SET, NOW_US - S)),
        (reading(NOW_US, 0, UNSET), reading(NOW_US + S, S, NTP), ClockChange(ClockEvent.SET, 0)),
        (reading(0, 0, UNSET), reading(S, S, UNSET), None),
        (reading(NOW_US, 0, RTC, -300), reading(NOW_US + S, S, RTC, -240), ClockChange(ClockEvent.OFFSET, 0)),
        (reading(NOW_US, 0, NTP), reading(NOW_US + 3601 * S, S, NTP), ClockChange(ClockEvent.STEP, 3600 * S)),
        (reading(NEW_YEAR_US - S, 0, NTP), reading(NEW_YEAR_US - S, S, NTP), ClockChange(ClockEvent.LEAP, -S)),
        (reading(NEW_YEAR_US, 0, GNSS), reading(NEW_YEAR_US + 20_000, S, GNSS), ClockChange(ClockEvent.LEAP, -980_000)),
        (reading(NEW_YEAR_US - 60 * S, 0, NTP), reading(NEW_YEAR_US, 61 * S, NTP), ClockChange(ClockEvent.LEAP, -S)),
        (reading(NEW_YEAR_US - 2 * S, 0, NTP), reading(NEW_YEAR_US, S, NTP), ClockChange(ClockEvent.LEAP, S)),
        (reading(NEW_YEAR_US - S, 0, RTC), reading(NEW_YEAR_US - S, S, RTC), ClockChange(ClockEvent.STEP, -S)),
        (reading(NEW_YEAR_US - S, 0, NTP), reading(NEW_YEAR_US - 2 * S, S, NTP), ClockChange(ClockEvent.STEP, -2 * S)),
        (reading(NOW_US, 0, NTP), reading(NOW_US, S, NTP), ClockChange(ClockEvent.STEP, -S)),
    ],
    ids=[
        "goes on", "is slewed", "is better known", "is worse known", "is set forward", "is set back to 1970",
        "is set from 1970", "was right and is now known", "is still unset", "summer begins", "an hour wrong",
        "a second is repeated", "a second is repeated late", "a leap between two late looks", "a second is left out",
        "a free clock steps at midnight", "two seconds are no leap", "a second on any other day",
    ],
)  # fmt: skip
def test_what_is_worth_saying(first: Timestamp, then: Timestamp, change: ClockChange | None) -> None:
    assert ClockWatch(first).look(then) == change


def test_a_step_is_said_once() -> None:
    watch = ClockWatch(reading(1000 * S, 0))
    assert watch.look(reading(2000 * S, S)) == ClockChange(ClockEvent.STEP, 999 * S)
    assert watch.look(reading(2001 * S, 2 * S)) is None


def test_a_smeared_leap_second_is_never_said() -> None:
    watch = ClockWatch(reading(NEW_YEAR_US - 43_200 * S, 0, NTP))
    said = [
        watch.look(reading(NEW_YEAR_US - 43_200 * S + boot_s * S - boot_s * S // 86_401, boot_s * S, NTP))
        for boot_s in range(0, 86_402, 10)
    ]
    assert set(said) == {None}


@pytest.mark.parametrize(
    ("utc_us", "grade", "believable"),
    [(0, UNSET, False), (NOW_US, UNSET, False), (0, RTC, False), (NOW_US, RTC, True), (NOW_US, GNSS, True)],
)
def test_a_clock_is_believed_when_it_was_set_and_is_not_in_the_past(
    utc_us: int, grade: ClockGrade, believable: bool
) -> None:
    assert is_believable(reading(utc_us, 0, grade)) == believable


@given(
    ppm=st.floats(-100, 100),
    noise=st.lists(st.integers(-500, 500), min_size=2, max_size=30),
    minutes=st.integers(10, 600),
)
def test_the_drift_is_found_within_the_noise(ppm: float, noise: list[int], minutes: int) -> None:
    watch, looks = ClockWatch(reading(NOW_US, 0, RTC)), 200
    for look in range(looks + 1):
        boot_us = minutes * 60 * S * look // looks
        watch.look(reading(NOW_US + boot_us + round(boot_us * ppm / 1e6) + noise[look % len(noise)], boot_us, NTP))
    assert watch.drift_ppm == pytest.approx(ppm, abs=2 * 2 * 500 / (minutes * 60))


def test_the_drift_is_unknown_without_discipline_early_and_after_a_step() -> None:
    watch = ClockWatch(reading(NOW_US, 0, RTC))
    for minute in range(1, 20):
        watch.look(reading(NOW_US + minute * 60 * S, minute * 60 * S, RTC))
    assert watch.drift_ppm is None
    watch.look(reading(NOW_US + 1200 * S, 1200 * S, NTP))
    watch.look(reading(NOW_US + 1799 * S, 1799 * S, NTP))
    assert watch.drift_ppm is None
    watch.look(reading(NOW_US + 1801 * S, 1801 * S, NTP))
    assert watch.drift_ppm == 0
    watch.look(reading(NOW_US + 5000 * S, 1802 * S, NTP))
    assert watch.drift_ppm is None


clock_faults = st.lists(
    st.tuples(
        st.sampled_from(
            ["1970", "set", "leap", "leave out", "summer", "smear", "lose", "cut", "film", "press", "wait"]
        ),
        st.integers(1, 5000),
    ),
    max_size=40,
)


@given(happenings=clock_faults)
def test_the_account_holds_under_such_clocks(happenings: list[tuple[str, int]]) -> None:
    shift, now, filmed, recording = Shift().power_on(0), 0, 0, 0
    wrong = {"1970": -(NOW_US // 1000), "set": 0, "leap": -1000, "leave out": 1000, "summer": 3_600_000, "smear": -500}
    for what, ms in happenings:
        now += ms
        if what in wrong:
            shift.step_ms = wrong[what]
            shift.grade = RTC if what == "1970" else NTP
            shift.note(now, "clock", step_us=0)
        elif what == "lose":
            shift.grade = UNSET
        elif what == "cut" and shift.boot + 1 < len(BOOTS):
            shift.note(now, "bookmark").power_on(now + ms)
            now += ms
        elif what == "film" and recording % 2:
            shift.film((now, now + ms))
            now, filmed = now + ms + 5, filmed + ms
        elif what == "press":
            (shift.stop if recording % 2 else shift.start)(now, recording // 2 + 1)
            recording, now = recording + 1, now + 7
    found = accounts(shift.note(now + 10, "docked").entries)
    for account in found:
        check_partition(account)
        assert all(span.start_us < span.end_us for span in account.spans)
    assert all(before.end_us <= after.start_us for before, after in pairwise(found))
    assert sum(account.total_us(Use.RECORDED) for account in found) >= filmed * 1000
