"""What an entry is beside what the dock holds: the table of causes, and clocks that went back."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.forks import CLAIMED_ERROR_US, TOLERANCE_US, Cause, Held, cause_of, set_back_us
from evidence.journal import EMPTY, Chain, Entry, Head
from evidence.model import ClockGrade, Timestamp
from tests.evidence.golden import OTHER, RECORDER, signer, stamp

HOUR_US = 3_600_000_000
NEXT_BOOT = "9" * 32


def entry(seq: int, prev: str | None, at: Timestamp, device: str = RECORDER) -> Entry:
    return Chain(device, signer(RECORDER), Head(seq - 1, prev)).make(at, "docked", {})


FIRST = entry(0, None, stamp())
HELD_LAST = entry(1, FIRST.head.hash, stamp(1_000_000))
ANOTHER = entry(1, FIRST.head.hash, stamp(1_000_001))


@dataclass(frozen=True)
class Case:
    """What comes, and the dock's entry of the same number."""

    came: Entry
    same: Entry | None = None


LATER = stamp(HOUR_US, boot=NEXT_BOOT, boot_us=1)
EARLIER = stamp(-HOUR_US, boot=NEXT_BOOT, boot_us=1)
CAUSES: dict[str, tuple[Case, Cause | None]] = {
    "the next one": (Case(entry(2, HELD_LAST.head.hash, stamp(2_000_000))), None),
    "the next one, after a start": (Case(entry(2, HELD_LAST.head.hash, LATER)), None),
    "the last one again": (Case(HELD_LAST, HELD_LAST), Cause.REPLAYED),
    "an old one again": (Case(FIRST, FIRST), Cause.REPLAYED),
    "one after a gap": (Case(entry(3, ANOTHER.head.hash, stamp(3_000_000))), Cause.REORDERED),
    "another one, same boot": (Case(ANOTHER, HELD_LAST), Cause.FORK),
    "another one, at an earlier time": (Case(entry(1, FIRST.head.hash, EARLIER), HELD_LAST), Cause.FORK),
    "another one, lived on later": (Case(entry(1, FIRST.head.hash, LATER), HELD_LAST), Cause.ROLLED_BACK),
    "a journal begun anew later": (Case(entry(0, None, LATER), FIRST), Cause.ROLLED_BACK),
    "the next one of another branch": (Case(entry(2, ANOTHER.head.hash, stamp(2_000_000))), Cause.FORK),
    "the next one of another branch, later": (Case(entry(2, ANOTHER.head.hash, LATER)), Cause.FORK),
    "one of another recorder": (Case(entry(2, HELD_LAST.head.hash, stamp(2_000_000), OTHER)), Cause.FOREIGN),
    "one of another recorder, out of order": (Case(entry(9, None, stamp(), OTHER)), Cause.FOREIGN),
    "the next one, an hour back": (Case(entry(2, HELD_LAST.head.hash, EARLIER)), Cause.CLOCK_SET_BACK),
}


@pytest.mark.parametrize("name", CAUSES)
def test_what_an_entry_is_beside_what_is_held(name: str) -> None:
    case, expected = CAUSES[name]
    same, before = case.same.head.hash if case.same else None, FIRST.head.hash if case.came.seq else None
    held = Held(RECORDER, HELD_LAST.head, HELD_LAST.at, same, before)
    assert cause_of(held, case.came) is expected


def test_the_first_entry_of_all_simply_follows() -> None:
    assert cause_of(Held(RECORDER, EMPTY, None, None), FIRST) is None


def held_at(last: Timestamp, not_before_us: int | None = None) -> Held:
    return Held(RECORDER, HELD_LAST.head, last, None, None, not_before_us)


RTC, UNSET = ClockGrade.RTC, ClockGrade.UNSET
CLOCKS: dict[str, tuple[Held, Timestamp, int]] = {
    "goes on": (held_at(stamp()), stamp(1_000_000), 0),
    "an hour back within a boot": (
        held_at(stamp()), stamp(-HOUR_US, boot_us=stamp().boot_us + 1_000_000), HOUR_US + 1_000_000 - 3000,
    ),
    "stands still for an hour": (held_at(stamp()), stamp(0, boot_us=stamp().boot_us + HOUR_US), HOUR_US - 3000),
    "an hour back over a start": (held_at(stamp()), EARLIER, HOUR_US - 3000),
    "a leap second": (held_at(stamp()), stamp(-1_000_000, boot=NEXT_BOOT), 0),
    "within what a battery clock may be wrong": (
        held_at(stamp(grade=RTC, error_us=None)), stamp(-1_000_000_000, boot=NEXT_BOOT, grade=RTC, error_us=None), 0,
    ),
    "further than a battery clock may be wrong": (
        held_at(stamp(grade=RTC, error_us=None)), stamp(-HOUR_US, boot=NEXT_BOOT, grade=RTC, error_us=None),
        HOUR_US - 2 * CLAIMED_ERROR_US[RTC],
    ),
    "a better clock puts a worse one right": (held_at(stamp(grade=RTC, error_us=None)), EARLIER, 0),
    "a worse clock puts nothing right": (
        held_at(stamp()), stamp(-HOUR_US, boot=NEXT_BOOT, grade=RTC, error_us=0), HOUR_US - 1500,
    ),
    "a clock that nobody has set claims nothing": (
        held_at(stamp()), stamp(-HOUR_US, boot=NEXT_BOOT, grade=UNSET, error_us=None), 0,
    ),
    "after a clock that nobody has set": (held_at(stamp(grade=UNSET, error_us=None)), EARLIER, 0),
    "before a receipt that it knows of": (
        held_at(stamp(grade=UNSET, error_us=None), stamp(HOUR_US).utc_us), stamp(boot=NEXT_BOOT), HOUR_US - 1500,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOCKS)
def test_how_far_a_clock_was_set_back(name: str) -> None:
    held, at, expected = CLOCKS[name]
    assert set_back_us(held, at) == expected


@given(
    gone_us=st.integers(0, 10**12),
    drift_us=st.integers(-1500 - TOLERANCE_US, 1500),
    grades=st.lists(st.sampled_from(ClockGrade), min_size=2, max_size=2),
)
def test_clocks_that_go_on_within_their_errors_were_not_set_back(
    gone_us: int, drift_us: int, grades: list[ClockGrade]
) -> None:
    last, at = stamp(grade=grades[0]), stamp(gone_us, grade=grades[1])
    off = Timestamp(at.utc_us + drift_us, at.offset_min, at.grade, at.error_us, at.boot, at.boot_us)
    assert set_back_us(held_at(last), off) == 0
