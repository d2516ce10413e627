"""How long evidence stays, and that nothing is ever destroyed early: whatever the clocks say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evidence.io.regime_files import all_shipped, shipped
from evidence.model import REGIMES, ClockGrade, Timestamp
from evidence.regimes.calendar import add_months, day_of, end_of_day_us
from evidence.regimes.facts import Trigger
from evidence.regimes.model import Regime
from evidence.regimes.retention import (
    DAY_US,
    MARGIN_US,
    TRUSTED,
    CaseTerm,
    ClockProof,
    Retention,
    RetentionFacts,
    may_destroy,
    proven_now_us,
    ran_us,
    retention,
)
from tests.regimes.days import us

FIVE = {one.name: one for one in all_shipped()}
HOUR_US = 3_600_000_000


def stamp(
    utc_us: int, boot: int = 1, boot_us: int = 0, grade: ClockGrade = ClockGrade.NTP, error_us: int | None = None
) -> Timestamp:
    return Timestamp(utc_us, 480, grade, error_us, f"{boot:032x}", boot_us)


STORED = stamp(us("2026-03-31 10:00"))


def kept(*names: str, facts: RetentionFacts | None = None) -> Retention:
    return retention([FIVE[name] for name in names], facts or RetentionFacts(STORED))


def end_of(kept: Retention) -> str | None:
    return None if kept.end_us is None else str(day_of(kept.end_us - 1))


# --- which rule is the longest


@pytest.mark.parametrize(
    ("names", "end", "cites"),
    [
        (("weixian",), "2026-09-30", "weixian art. 18"),
        (("general",), "2027-03-31", "general art. 16"),
        (("weixian", "general"), "2027-03-31", "general art. 16"),
        (("general", "weixian", "pingluo"), "2027-03-31", "general art. 16"),
        (("pingluo",), None, "pingluo"),
        (("changzhi", "xuchang"), None, "changzhi, xuchang"),
        ((), None, "no regulation"),
    ],
)
def test_the_longest_routine_term_wins_and_where_none_is_given_there_is_no_end(
    names: tuple[str, ...], end: str | None, cites: str
) -> None:
    found = kept(*names)
    assert (end_of(found), found.governing.cites) == (end, cites)


CASE = CaseTerm("c1", stamp(us("2026-05-01 09:00"), boot_us=DAY_US), 10)


@pytest.mark.parametrize(
    ("facts", "end", "cites"),
    [
        (RetentionFacts(STORED, cases=(CASE,)), "2036-05-01", "weixian art. 18"),
        (RetentionFacts(STORED, cases=(replace(CASE, years=None),)), None, "weixian art. 18"),
        (RetentionFacts(STORED, cases=(replace(CASE, filed=None),)), None, "weixian art. 18"),
        (RetentionFacts(STORED, cases=(CASE, CaseTerm("c2", CASE.filed, 30))), "2056-05-01", "weixian art. 18"),
        (RetentionFacts(STORED, triggers=frozenset({Trigger.RESISTANCE})), None, "weixian art. 19"),
        (RetentionFacts(STORED, holds=("h1",)), None, "hold h1"),
        (RetentionFacts(None), None, "weixian art. 18"),
        (RetentionFacts(stamp(us("9500-01-01 00:00"))), None, "weixian art. 18"),
        (RetentionFacts(STORED, cases=(replace(CASE, years=100_000),)), None, "weixian art. 18"),
    ],
)
def test_cases_triggers_and_holds_lengthen(facts: RetentionFacts, end: str | None, cites: str) -> None:
    found = kept("weixian", facts=facts)
    assert (end_of(found), found.governing.cites) == (end, cites)


def test_a_trigger_counts_where_the_regulation_has_no_long_term_too() -> None:
    found = kept("pingluo", facts=RetentionFacts(STORED, triggers=frozenset({Trigger.MASS_INCIDENT})))
    assert (found.end_us, found.governing.cites) == (None, "the unit")
    assert found.governing.why == ("长期保存（群体性事件、突发事件）", "kept for long (mass_incident)")


FACTS = st.builds(
    RetentionFacts,
    stored=st.none() | st.builds(stamp, st.integers(0, us("2100-01-01 00:00"))),
    cases=st.lists(
        st.builds(
            CaseTerm,
            st.sampled_from("abc"),
            st.none() | st.builds(stamp, st.integers(0, us("2100-01-01 00:00"))),
            st.none() | st.integers(1, 300),
        ),
        max_size=2,
    ).map(tuple),
    triggers=st.frozensets(st.sampled_from(Trigger)),
    holds=st.lists(st.sampled_from("xyz"), max_size=2).map(tuple),
)
SOME = st.lists(st.sampled_from(REGIMES), unique=True).map(lambda names: [FIVE[name] for name in names])


def lengthened(facts: RetentionFacts, more: RetentionFacts) -> RetentionFacts:
    return RetentionFacts(
        facts.stored, facts.cases + more.cases, facts.triggers | more.triggers, facts.holds + more.holds
    )


def _never_earlier(before: Retention, after: Retention) -> bool:
    return after.end_us is None or (before.end_us is not None and after.end_us >= before.end_us)


@given(regimes=SOME, facts=FACTS, more=FACTS)
def test_a_case_a_trigger_or_a_hold_never_ends_it_earlier(
    regimes: list[Regime], facts: RetentionFacts, more: RetentionFacts
) -> None:
    before, after = retention(regimes, facts), retention(regimes, lengthened(facts, more))
    if any(regime.rules("keep_routine") for regime in regimes) or facts.cases or facts.triggers or facts.holds:
        assert _never_earlier(before, after)
    else:
        # Where no article gives a routine term only a case with a term can give an end.
        assert before.end_us is None


@given(fewer=SOME, more=SOME, facts=FACTS)
def test_one_more_regulation_never_ends_it_earlier_than_the_longest_of_those_that_name_a_term(
    fewer: list[Regime], more: list[Regime], facts: RetentionFacts
) -> None:
    if any(regime.rules("keep_routine") for regime in fewer):
        assert _never_earlier(retention(fewer, facts), retention([*fewer, *more], facts))


# --- which clock proves the end

END_US = end_of_day_us(date(2026, 9, 30))
"""Of what was stored on 31 March under weixian."""


@dataclass(frozen=True)
class Case:
    """A dock's clock and whether it proves that the end has passed."""

    name: str
    now: Timestamp
    seen: tuple[Timestamp, ...] = (STORED,)
    allowed: bool = False


def later(days: float, **changes: object) -> Timestamp:
    return replace(stamp(END_US + int(days * DAY_US), boot=2, boot_us=HOUR_US), **changes)  # type: ignore[arg-type]


CLOCKS = [
    Case("a disciplined clock well after the end", later(1.1), allowed=True),
    Case("satellites too", later(1.1, grade=ClockGrade.GNSS), seen=(STORED,), allowed=False),
    Case("satellites too, with the margin of both", later(2.1, grade=ClockGrade.GNSS), allowed=True),
    Case("the last moment of the term", later(-0.001)),
    Case("within the margin", later(1.9)),
    Case("a clock that runs by itself", later(4000, grade=ClockGrade.RTC)),
    Case("a clock that nobody set", later(4000, grade=ClockGrade.UNSET)),
    Case("the dock's own word", later(4000, grade=ClockGrade.DOCK)),
    Case("an error bound beyond the margin", later(2.1, error_us=10 * DAY_US)),
    Case(
        "a clock that jumped ahead within this boot",
        later(4000),
        seen=(STORED, stamp(us("2026-04-01 10:00"), boot=2, boot_us=0)),
    ),
    Case(
        "a clock that was wrong once and has gone back",
        later(2.1),
        seen=(STORED, stamp(END_US + 400 * DAY_US, boot=3)),
    ),
    Case("a clock that has gone back a little", later(2.1), seen=(STORED, later(2.2)), allowed=True),
    Case(
        "it has run all the time, whatever the clock says",
        stamp(0, boot=1, boot_us=190 * DAY_US, grade=ClockGrade.UNSET),
        allowed=True,
    ),
    Case("it has run nearly all the time", stamp(0, boot=1, boot_us=189 * DAY_US, grade=ClockGrade.UNSET)),
    Case(
        "it has run all the time, in two boots",
        stamp(0, boot=2, boot_us=100 * DAY_US, grade=ClockGrade.UNSET),
        seen=(STORED, stamp(5, boot=1, boot_us=95 * DAY_US), stamp(9, boot=2, boot_us=0, grade=ClockGrade.UNSET)),
        allowed=True,
    ),
    Case("it has run long before it was stored", stamp(0, boot=1, boot_us=10), seen=(stamp(0, boot=7),)),
]
CLOCKS[0] = replace(CLOCKS[0], now=later(2.0))
CLOCKS[1] = replace(CLOCKS[1], name="satellites within the margin")


@pytest.mark.parametrize("case", CLOCKS, ids=lambda case: case.name)
def test_only_a_clock_that_proves_the_end_lets_it_go(case: Case) -> None:
    decided = may_destroy(kept("weixian"), ClockProof(case.now, case.seen))
    assert decided.allowed is case.allowed
    if not case.allowed:
        assert "weixian art. 18" in decided.why.en
        assert "2026-09-30" in decided.why.zh


def test_an_item_that_was_stored_under_a_wrong_clock_goes_by_running_time_alone() -> None:
    wrong = stamp(us("2001-01-01 00:00"), grade=ClockGrade.RTC)
    found = kept("weixian", facts=RetentionFacts(wrong))
    assert end_of(found) == "2001-07-01"
    assert not may_destroy(found, ClockProof(later(4000), (wrong,))).allowed
    assert may_destroy(found, ClockProof(stamp(0, boot_us=200 * DAY_US), (wrong,))).allowed


def test_what_has_no_end_is_never_destroyed() -> None:
    decided = may_destroy(kept("pingluo"), ClockProof(later(100_000), (STORED,)))
    assert not decided.allowed
    assert decided.why.en == "pingluo: no article gives a routine term: a person decides, without an end"


def test_a_hold_stops_what_has_ended() -> None:
    clock = ClockProof(later(100), (STORED,))
    assert may_destroy(kept("weixian"), clock).allowed
    held = kept("weixian", facts=RetentionFacts(STORED, holds=("h1",)))
    assert may_destroy(held, clock) == may_destroy(held, replace(clock, now=later(9000)))
    assert not may_destroy(held, clock).allowed


# --- nothing is destroyed early, ever: a world whose true time the dock does not know


@dataclass(frozen=True)
class Boot:
    """How long the dock was off before, how long it then ran, how its clock lies, and where it looked at the clock."""

    off_us: int
    on_us: int
    grade: ClockGrade
    lie_us: int
    looks: tuple[int, ...]


@st.composite
def boots(draw: st.DrawFn) -> Boot:
    grade = draw(st.sampled_from(ClockGrade))
    most = MARGIN_US if grade in TRUSTED else 20_000 * DAY_US
    on_us = draw(st.integers(1, 400)) * DAY_US
    looks = sorted(draw(st.lists(st.integers(0, on_us), min_size=1, max_size=4)))
    return Boot(draw(st.integers(0, 200)) * DAY_US, on_us, grade, draw(st.integers(-most, most)), tuple(looks))


def world(lives: Iterable[Boot], start_us: int) -> list[tuple[int, Timestamp]]:
    """The true time of every look beside what the dock's clock said."""
    told, true_us = [], start_us
    for number, boot in enumerate(lives, start=1):
        true_us += boot.off_us
        for look in boot.looks:
            said_us = max(0, true_us + look + boot.lie_us)
            told.append((true_us + look, stamp(said_us, number, look, boot.grade)))
        true_us += boot.on_us
    return told


ALWAYS_ON = Boot(0, 400 * DAY_US, ClockGrade.RTC, -19_000 * DAY_US, (0, 190 * DAY_US, 400 * DAY_US))

OVER_FEBRUARY = [
    Boot(0, DAY_US, ClockGrade.NTP, -MARGIN_US, (0,)),
    Boot(180 * DAY_US, 9 * DAY_US, ClockGrade.NTP, MARGIN_US, tuple(day * DAY_US for day in range(9))),
]
"""Stored on 1 March by a clock that still says 28 February: six months are four days longer than it thinks."""


@given(
    lives=st.lists(boots(), min_size=1, max_size=5),
    start=st.integers(0, 4000),
    item=st.integers(0, 3),
    names=st.lists(st.sampled_from(("weixian", "general")), min_size=1, unique=True),
    years=st.none() | st.integers(1, 3),
)
@example(lives=OVER_FEBRUARY, start=425, item=0, names=["weixian"], years=None)
@example(lives=[ALWAYS_ON], start=31, item=0, names=["weixian"], years=None)
@example(lives=[replace(ALWAYS_ON, lie_us=59 * DAY_US)], start=59, item=0, names=["weixian"], years=None)
def test_nothing_is_destroyed_early_whatever_the_clocks_say(
    lives: list[Boot], start: int, item: int, names: list[str], years: int | None
) -> None:
    told = world(lives, us("2024-01-01 00:00") + start * DAY_US)
    item = min(item, len(told) - 1)
    true_stored_us, stored = told[item]
    cases = () if years is None else (CaseTerm("c", stored, years),)
    found = retention([FIVE[name] for name in names], RetentionFacts(stored, cases))
    months = max(12 if "general" in names else 6, 12 * (years or 0))
    true_end_us = end_of_day_us(add_months(day_of(true_stored_us), months))
    for place in range(item, len(told)):
        true_now_us, now = told[place]
        clock = ClockProof(now, tuple(one for _, one in told[:place]))
        if may_destroy(found, clock).allowed:
            assert true_now_us >= true_end_us


@given(lives=st.lists(boots(), min_size=1, max_size=5), item=st.integers(0, 5))
def test_running_time_is_never_more_than_true_time(lives: list[Boot], item: int) -> None:
    told = world(lives, us("2024-01-01 00:00"))
    true_us, start = told[min(item, len(told) - 1)]
    last_us, now = told[-1]
    assert 0 <= ran_us(start, ClockProof(now, tuple(one for _, one in told))) <= last_us - true_us


@given(lives=st.lists(boots(), min_size=1, max_size=5), jump=st.integers(0, 20_000))
def test_what_is_proven_of_now_has_come_and_no_jump_within_a_boot_adds_to_it(lives: list[Boot], jump: int) -> None:
    told = world(lives, us("2024-01-01 00:00"))
    true_us, now = told[-1]
    seen = tuple(one for _, one in told[:-1])
    proven = proven_now_us(ClockProof(now, seen))
    assert proven is None or proven <= true_us
    jumped = proven_now_us(ClockProof(replace(now, utc_us=now.utc_us + jump * DAY_US), seen))
    if any(one.boot == now.boot and one.grade in TRUSTED for one in seen) and jumped is not None:
        assert jumped <= true_us


def test_the_regulations_that_name_a_routine_term_are_these() -> None:
    named = {name: [rule.values["months"] for _, rule in shipped(name).rules("keep_routine")] for name in REGIMES}
    assert named == {"pingluo": [], "general": [12], "weixian": [6], "changzhi": [], "xuchang": []}
