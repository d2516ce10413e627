"""The card as text for people and for monitoring."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from device.health.card import make_card, with_agent
from device.health.measures import MEASURES
from device.health.output import Told, as_json, as_nagios, as_prometheus, as_table, nagios_line
from evidence.health import State, card_from_fields
from tests.device.health_facts import well
from tests.device.unit import DEVICE

NUMBER = r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?"
THRESHOLD = rf"(~?:?{NUMBER}:?)?"
ONE = rf"[^ '=]+={NUMBER}(s|ms|us|%|B|KB|MB|c)?;{THRESHOLD};{THRESHOLD}"
PLUGIN_LINE = re.compile(rf"LIUHEN (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+ \| {ONE}( {ONE})*")
"""Monitoring plugins' development guidelines, 2.1 (one line), 2.6 (performance data), 2.5 (ranges)."""

CASES: dict[str, tuple[dict[str, Any], State]] = {
    "well": ({}, State.OK),
    "low": ({"card__minutes_left": 20, "battery__level_pct": 15.0}, State.WARNING),
    "dead camera": ({"camera__running": False, "camera__last_frame_age_s": 1e7}, State.CRITICAL),
    "a pipe in a word": ({"battery__band": "a|b", "battery__minutes_left": 3}, State.CRITICAL),
    "many troubles": (
        {"state": "fault", "heat__celsius": 90.5, "heat__throttled": True, "officer": None}, State.CRITICAL,
    ),
    "nothing known": (
        {"state": None, "camera": None, "microphone": None, "card": None, "battery": None, "heat": None}, State.UNKNOWN,
    ),
    "tiny numbers": ({"camera__last_frame_age_s": 0.0000001, "drift_ppm": -1e-7}, State.OK),
}  # fmt: skip


def told(case: str) -> Told:
    facts = well(**CASES[case][0])
    return Told(with_agent(make_card(facts), 2.0), facts)


@pytest.mark.parametrize("case", CASES)
def test_nagios_gets_one_line_as_the_guidelines_have_it(case: str) -> None:
    line = as_nagios(told(case))
    assert PLUGIN_LINE.fullmatch(line), line
    assert line.startswith(f"LIUHEN {CASES[case][1].value.upper()} - ")


def test_nagios_hears_the_worst_first_and_how_many_more() -> None:
    line = as_nagios(told("many troubles"))
    assert line.startswith("LIUHEN CRITICAL - recorder: fault; temperature: 90.5 °C; throttling: yes (+1 more) | ")
    assert " temperature=90.5;~:75;~:82 " in line
    assert " battery_level=93%;20:;10: " in line


def test_a_line_of_an_error_is_one_line_without_a_pipe() -> None:
    assert nagios_line(State.UNKNOWN, "a | b\n c") == "LIUHEN UNKNOWN - a / b c"


@pytest.mark.parametrize("case", CASES)
def test_prometheus_own_parser_reads_it_and_finds_the_numbers(case: str) -> None:
    one = told(case)
    text = as_prometheus(one) + "\n"
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["liuhen_health_state"].samples[0].labels == {"device": DEVICE}
    states = {s.labels["item"]: s.value for s in families["liuhen_item_state"].samples}
    assert states == {
        item.name: {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}[item.state] for item in one.card.items
    }
    known = {m.metric: m.value(one.facts) for m in MEASURES if m.value(one.facts) is not None}
    measured = {name.removeprefix("liuhen_"): family.samples[0].value for name, family in families.items()}
    assert {name: measured[name] for name in known} == known
    assert len(measured) == len(known) + 4
    assert all(family.type == "gauge" and family.documentation for family in families.values())


def test_prometheus_labels_are_escaped() -> None:
    facts = well(software='li"u\\hen')
    (info,) = [
        family.samples[0]
        for family in text_string_to_metric_families(as_prometheus(Told(make_card(facts), facts)) + "\n")
        if family.name == "liuhen_info"
    ]
    assert info.labels["software"] == 'li"u\\hen'


@pytest.mark.parametrize("case", CASES)
def test_json_is_the_card_and_its_fields_stay(case: str) -> None:
    one = told(case)
    fields = json.loads(as_json(one))
    assert list(fields) == ["v", "device", "at", "software", "journal_seq", "state", "items"]
    assert {tuple(item) for item in fields["items"]} == {("name", "state", "reading", "limit", "todo", "needed")}
    assert card_from_fields(fields, "card", DEVICE) == one.card


def test_the_table_is_aligned_and_says_what_to_do_for_what_is_not_well() -> None:
    text = as_table(told("many troubles"), colour=False)
    head, _, _, *rest = text.splitlines()
    assert head == "BWC-0001  CRITICAL  liuhen 0.1.0"
    rows = rest[: rest.index("")]
    column = rows[0].index("ok")
    assert {row[column:].split()[0] for row in rows} <= set(State)
    todo = rest[rest.index("What to do:") + 1 :]
    assert [line.strip().split(":")[0] for line in todo] == ["recorder", "temperature", "throttling", "officer"]


def test_colour_only_wraps_the_words() -> None:
    painted = as_table(told("low"), colour=True)
    assert "\x1b[33mWARNING\x1b[0m" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == as_table(told("low"), colour=False)
