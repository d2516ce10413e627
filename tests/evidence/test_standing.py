"""How far the explanation of an interruption has come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.standing import STANDING_KINDS, TABLE, Standing, standings

ONE, OTHER = f"{'1' * 12}-i0001", f"{'1' * 12}-i0002"
Told = list[tuple[str, dict[str, Any]]]


def told(*kinds: str, about: str = ONE) -> Told:
    return [(kind, {"interruption": about}) for kind in kinds]


@pytest.mark.parametrize(
    ("kinds", "standing"),
    [
        (["interruption"], Standing.OPEN),
        (["interruption", "reason"], Standing.EXPLAINED),
        (["interruption", "reason", "reason"], Standing.EXPLAINED),
        (["interruption", "reported"], Standing.REPORTED),
        # What was reported wants writing, even if the officer has said something meanwhile.
        (["interruption", "reported", "reason"], Standing.REPORTED),
        (["interruption", "reason", "reported"], Standing.REPORTED),
        (["interruption", "reported", "written"], Standing.WRITTEN),
        (["interruption", "written"], Standing.WRITTEN),
        (["interruption", "written", "reported", "reason"], Standing.WRITTEN),
    ],
)
def test_the_life_of_an_interruption(kinds: list[str], standing: Standing) -> None:
    assert standings(told(*kinds)) == {ONE: standing}


def test_what_is_said_of_another_one_or_of_none_changes_nothing() -> None:
    assert standings(told("interruption") + told("reason", about=OTHER)) == {ONE: Standing.OPEN}
    assert standings(told("reason", "written")) == {}


def test_the_docks_own_word_closes_it_before_the_recorder_has_heard_of_it() -> None:
    entries = told("interruption", "reported") + told("interruption", about=OTHER)
    assert standings(entries, written=[ONE, "unknown"]) == {ONE: Standing.WRITTEN, OTHER: Standing.OPEN}


happenings = st.lists(st.tuples(st.sampled_from([*STANDING_KINDS, "bookmark"]), st.sampled_from([ONE, OTHER])))


@given(happenings, happenings)
def test_more_entries_never_take_an_explanation_back(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    first = standings([(kind, {"interruption": name}) for kind, name in before])
    both = standings([(kind, {"interruption": name}) for kind, name in before + after])
    order = [Standing.OPEN, Standing.EXPLAINED, Standing.REPORTED, Standing.WRITTEN]
    assert all(order.index(both[name]) >= order.index(standing) for name, standing in first.items())


def test_the_table_knows_only_ways_forward() -> None:
    order = [Standing.OPEN, Standing.EXPLAINED, Standing.REPORTED, Standing.WRITTEN]
    assert all(order.index(after) > order.index(before) for (before, _), after in TABLE.items())
