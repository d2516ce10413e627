"""What the clock watch says of a clock that is set."""

from __future__ import annotations

import pytest

from device.clock_watch import ClockWatch
from evidence.model import ClockGrade, Timestamp

BOOT = "0" * 32
NTP, RTC = ClockGrade.NTP, ClockGrade.RTC


def reading(utc_us: int, boot_us: int, grade: ClockGrade = RTC) -> Timestamp:
    return Timestamp(utc_us, 480, grade, None, BOOT, boot_us)


@pytest.mark.parametrize(
    ("then", "step_us"),
    [
        (reading(1_001_000_000, 1_000_000), None),
        (reading(1_001_050_000, 1_000_000), None),
        (reading(1_001_000_000, 1_000_000, NTP), 0),
        (reading(1_101_000_000, 1_000_000, NTP), 100_000_000),
        (reading(0, 1_000_000), -1_001_000_000),
    ],
    ids=["goes on", "is slewed", "is better known", "is set forward", "is set back to 1970"],
)
def test_what_is_worth_saying(then: Timestamp, step_us: int | None) -> None:
    assert ClockWatch(reading(1_000_000_000, 0)).look(then) == step_us


def test_a_step_is_said_once() -> None:
    watch = ClockWatch(reading(1_000_000_000, 0))
    assert watch.look(reading(2_000_000_000, 1_000_000)) == 999_000_000
    assert watch.look(reading(2_001_000_000, 2_000_000)) is None
