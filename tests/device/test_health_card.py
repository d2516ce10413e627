"""Facts in, card out: every limit at its edge, and what counts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.health.card import make_card, spoken, with_agent
from device.health.facts import OpenFact, PauseFacts
from device.health.limits import RULES, Range
from device.watch.clock import PLAUSIBLE_US
from evidence.health import EXIT_CODES, Item, State, worst
from evidence.model import ClockGrade
from tests.device.health_facts import DAY_S, well

OK, UNKNOWN, WARNING, CRITICAL = State.OK, State.UNKNOWN, State.WARNING, State.CRITICAL
OPEN = tuple(OpenFact(f"0123456789ab-i000{number}", "power_loss") for number in range(1, 5))


def pause(left_s: float) -> PauseFacts:
    return PauseFacts("0123456789ab-p0001", "secrets", left_s)


EDGES: list[tuple[str, str, list[tuple[Any, State]]]] = [
    ("recorder", "state", [
        *((word, OK) for word in ("starting", "standby", "recording", "paused", "docked", "stopping")),
        ("interrupted", WARNING), ("fault", CRITICAL), ("dancing", UNKNOWN), (None, UNKNOWN),
    ]),
    ("camera", "camera__running", [(True, OK), (False, CRITICAL)]),
    ("last picture", "camera__last_frame_age_s", [
        (1, OK), (1.01, WARNING), (3, WARNING), (3.01, CRITICAL), (None, UNKNOWN),
    ]),
    ("frame rate", "camera__frames_per_s", [
        (28.5, OK), (28.4, WARNING), (24.0, WARNING), (23.9, CRITICAL), (None, UNKNOWN),
    ]),
    ("microphone", "microphone__plugged", [(True, OK), (False, CRITICAL)]),
    ("sound level", "microphone__level_dbfs", [
        (-70, OK), (-70.1, WARNING), (-85, WARNING), (-85.1, CRITICAL), (None, CRITICAL),
    ]),
    ("card", "card__errors", [(False, OK), (True, CRITICAL)]),
    ("card", "card__read_only", [(False, OK), (True, CRITICAL)]),
    ("card room", "card__minutes_left", [(60, OK), (59, WARNING), (15, WARNING), (14, CRITICAL), (None, UNKNOWN)]),
    ("card wear", "card__wear_pct", [(70, OK), (71, WARNING), (90, WARNING), (91, CRITICAL), (None, UNKNOWN)]),
    ("card spare", "card__pre_eol", [(1, OK), (2, WARNING), (3, CRITICAL), (9, UNKNOWN), (None, UNKNOWN)]),
    ("battery", "battery__minutes_left", [(30, OK), (29, WARNING), (10, WARNING), (9, CRITICAL), (None, UNKNOWN)]),
    ("battery level", "battery__level_pct", [
        (20, OK), (19.9, WARNING), (10, WARNING), (9.9, CRITICAL), (None, UNKNOWN),
    ]),
    ("battery health", "battery__capacity_pct", [
        (80, OK), (79.9, WARNING), (60, WARNING), (59.9, CRITICAL), (None, UNKNOWN),
    ]),
    ("temperature", "heat__celsius", [(75, OK), (75.1, WARNING), (82, WARNING), (82.1, CRITICAL), (None, UNKNOWN)]),
    ("throttling", "heat__throttled", [(False, OK), (True, WARNING)]),
    ("clock", "at__grade", [(ClockGrade.UNSET, CRITICAL), *((g, OK) for g in list(ClockGrade)[1:])]),
    ("clock", "at__utc_us", [(0, CRITICAL), (PLAUSIBLE_US - 1, CRITICAL), (PLAUSIBLE_US, OK)]),
    ("clock drift", "drift_ppm", [(35, OK), (-35.1, WARNING), (-100, WARNING), (100.1, CRITICAL), (None, UNKNOWN)]),
    ("clock step", "step_us", [(None, OK), (-3_000_000, OK), (3_000_001, WARNING), (-86_400_000_000, WARNING)]),
    ("certificate", "certificate_left_s", [
        (60 * DAY_S, OK), (60 * DAY_S - 1, WARNING), (7 * DAY_S, WARNING), (7 * DAY_S - 1, CRITICAL), (-1, CRITICAL),
        (None, UNKNOWN),
    ]),
    ("officer", "officer", [("110123", OK), (None, WARNING)]),
    ("interruptions", "open", [((), OK), (OPEN[:1], WARNING), (OPEN, WARNING)]),
    ("backlog", "backlog__segments", [(0, OK), (5000, OK)]),
    ("offload deadline", "backlog__deadline_left_s", [
        (None, OK), (14_400, OK), (14_399, WARNING), (0.0, WARNING), (-0.1, CRITICAL),
    ]),
    ("pause", "pause", [
        (None, OK), (pause(300), OK), (pause(299), WARNING), (pause(0), WARNING), (pause(-1), CRITICAL),
    ]),
    ("last crash", "crash_age_s", [(None, OK), (DAY_S, OK), (DAY_S - 1, WARNING), (0.0, WARNING)]),
]  # fmt: skip


def item(name: str, **changed: Any) -> Item:
    return next(one for one in make_card(well(**changed)).items if one.name == name)


@pytest.mark.parametrize(
    ("name", "field", "value", "state"),
    [(name, field, value, state) for name, field, cases in EDGES for value, state in cases],
)
def test_every_limit_at_its_edge(name: str, field: str, value: Any, state: State) -> None:
    read = item(name, **{field: value})
    assert read.state is state
    assert read.reading
    assert read.reading.isprintable()


def test_the_table_of_edges_knows_every_rule() -> None:
    assert [rule.name for rule in RULES] == list(dict.fromkeys(name for name, _, _ in EDGES))
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_a_recorder_that_is_well_has_nothing_but_ok() -> None:
    card = make_card(well())
    assert {one.state for one in card.items} == {OK}
    assert (card.state, card.troubles, card.order) == (OK, (), (41, 42_000_000))


def test_what_only_a_running_recorder_knows_is_unknown_without_it() -> None:
    card = make_card(well(state=None, camera=None, microphone=None, battery=None, heat=None, drift_ppm=None))
    unknown = [one.name for one in card.items if one.state is UNKNOWN]
    assert unknown == [
        "recorder", "camera", "last picture", "frame rate", "microphone", "sound level", "battery", "battery level",
        "battery health", "temperature", "throttling", "clock drift",
    ]  # fmt: skip
    assert card.state is UNKNOWN


def test_what_a_board_cannot_measure_does_not_make_it_unknown() -> None:
    """Most SD cards tell no wear, a PC has no battery: monitoring must not call it out for ever."""
    card = make_card(well(card__wear_pct=None, card__pre_eol=None, battery=None, heat=None, drift_ppm=None))
    assert card.state is OK
    assert [one.state for one in card.items if one.name == "card wear"] == [UNKNOWN]


def test_a_battery_on_charge_is_not_low_on_minutes() -> None:
    assert item("battery", battery__minutes_left=4, battery__charging=True).state is UNKNOWN
    assert item("battery", battery__minutes_left=4).state is CRITICAL


@pytest.mark.parametrize(
    ("age_s", "state", "words"),
    [
        (0.0, OK, "0 s old"), (15.0, OK, "15 s old"), (15.1, WARNING, "15 s old"), (30.0, WARNING, "30 s old"),
        (30.1, CRITICAL, "silent for 30 s"), (7200.0, CRITICAL, "silent for 2 h 00 min"),
        (-2.0, CRITICAL, "clock was set back"), (None, CRITICAL, "not running"),
    ],
)  # fmt: skip
def test_how_old_the_facts_are_is_an_item_of_its_own(age_s: float | None, state: State, words: str) -> None:
    card = with_agent(make_card(well()), age_s)
    assert card.items[0].name == "agent"
    assert card.items[0].state is state is card.state
    assert words in card.items[0].reading


@pytest.mark.parametrize(
    ("name", "changed", "reading"),
    [
        ("card", {"card__read_only": True, "card__errors": True}, "read-only, errors seen, 3 GB written"),
        ("card room", {}, "860 min, 20.0 GB free"),
        ("battery", {}, "610 min, band good"),
        ("battery level", {}, "93 %, 4.02 V"),
        ("sound level", {"microphone__level_dbfs": None}, "no sound at all"),
        ("clock", {}, "ntp ± 2 ms, 2026-11-21T13:18:05Z"),
        ("clock step", {"step_us": -86_400_000_000}, "-86400.000 s"),
        ("certificate", {"certificate_left_s": -3 * DAY_S}, "expired 3 days ago"),
        ("officer", {"officer": None}, "unassigned"),
        ("interruptions", {"open": OPEN}, "4 open: 0123456789ab-i0001 power_loss, 0123456789ab-i0002 power_loss, "
                                          "0123456789ab-i0003 power_loss ..."),
        ("backlog", {}, "3 segments, 60 MB, oldest 60 min"),
        ("offload deadline", {"backlog__deadline_left_s": -7000.0}, "passed 1 h 56 min ago"),
        ("pause", {"pause": pause(-120.0)}, "secrets, 2 min beyond its limit"),
        ("last crash", {"crash_age_s": 3600.0}, "60 min ago"),
    ],
)  # fmt: skip
def test_a_reading_says_it_to_a_person(name: str, changed: dict[str, Any], reading: str) -> None:
    assert item(name, **changed).reading == reading


@given(st.floats(-1e9, 1e9), st.booleans(), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_range_never_finds_a_worse_value_better(value: float, low: bool, warning: float, further: float) -> None:
    order = tuple(State)
    limit = Range("", warning, warning - further if low else warning + further, low)
    worse = value - 1 if low else value + 1
    assert order.index(limit.judge(worse)) >= order.index(limit.judge(value))
    assert limit.judge(warning) is OK or further == 0


@given(st.lists(st.tuples(st.sampled_from(State), st.booleans()), min_size=1))
def test_the_whole_is_as_bad_as_its_worst(parts: list[tuple[State, bool]]) -> None:
    items = [Item("x", state, "", "", "", needed) for state, needed in parts]
    states = {state for state, needed in parts if needed or state is not UNKNOWN} or {OK}
    assert worst(items) is next(one for one in (CRITICAL, WARNING, UNKNOWN, OK) if one in states)


def test_exit_codes_are_those_of_monitoring_plugins() -> None:
    assert EXIT_CODES == {OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (89, "89 s"), (90, "1 min"), (5400, "1 h 30 min"), (-172_800, "2 days")]
)
def test_a_length_of_time_is_said_as_people_say_it(seconds: float, text: str) -> None:
    assert spoken(seconds) == text


def test_the_manual_for_technicians_is_the_table() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "HEALTH.md").read_text()
    rows = re.findall(r"^\| ([a-z ]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    agent = with_agent(make_card(well()), 0.0).items[0]
    expected = [("agent", agent.limit, agent.todo), *((rule.name, rule.limit.text(), rule.todo) for rule in RULES)]
    assert [row for row in rows if row[0] != "item"] == expected
