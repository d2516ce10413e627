"""The card as text: a table for a person, one line for Nagios, an exposition for Prometheus, JSON for the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from unicodedata import east_asian_width

from device.health.facts import Facts
from device.health.measures import MEASURES, perfdata
from evidence.health import EXIT_CODES, HealthCard, State, card_fields
from evidence.model import utc_text

COLOURS = {State.OK: "32", State.UNKNOWN: "36", State.WARNING: "33", State.CRITICAL: "1;31"}
NAGIOS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Told:
    """The card, and the facts that it was made from."""

    card: HealthCard
    facts: Facts


def as_table(told: Told, colour: bool) -> str:
    """Aligned columns, what to do below the items that need it."""
    card = told.card
    rows = [(item.name, item.state.value, item.reading, item.limit) for item in card.items]
    widths = [max(_cells(row[column]) for row in rows) for column in range(3)]
    lines = [f"{card.device}  {_painted(card.state, card.state.value.upper(), colour)}  {card.software}"]
    lines.append(f"{utc_text(card.at.utc_us)[:19]}Z, boot {card.at.boot[:12]}, up {card.at.boot_us / 3.6e9:.1f} h")
    lines.append("")
    for item, row in zip(card.items, rows, strict=True):
        state = _painted(item.state, f"{row[1]:<{widths[1]}}", colour)
        gap = " " * (widths[2] - _cells(row[2]))
        lines.append(f"{row[0]:<{widths[0]}}  {state}  {row[2]}{gap}  {row[3]}".rstrip())
    troubles = card.troubles
    if troubles:
        lines += ["", "What to do:"]
        lines += [f"  {item.name}: {item.todo}" for item in troubles]
    return "\n".join(lines)


def as_json(told: Told) -> str:
    """The card as it is signed for the dock, and nothing else."""
    return json.dumps(card_fields(told.card), ensure_ascii=False, indent=2)


def as_nagios(told: Told) -> str:
    """`LIUHEN STATE - text | perfdata` (monitoring-plugins.org, development guidelines, 2.1 and 2.6)."""
    card = told.card
    named = "; ".join(f"{item.name}: {item.reading}" for item in card.troubles[:NAGIOS_SHOWN])
    more = len(card.troubles) - NAGIOS_SHOWN
    text = f"{named} (+{more} more)" if more > 0 else named or f"{card.device} is well"
    return f"{nagios_line(card.state, text)} | {perfdata(told.facts)}"


def nagios_line(state: State, text: str) -> str:
    """A pipe would begin the performance data, so none may be in the text."""
    return f"LIUHEN {state.value.upper()} - {' '.join(text.replace('|', '/').split())}"


def as_prometheus(told: Told) -> str:
    """Text exposition format 0.0.4, for node_exporter's textfile collector or a pipe."""
    card, facts = told.card, told.facts
    device = _labels(device=card.device)
    lines = _metric("health_state", "The recorder: 0 ok, 1 warning, 2 critical, 3 unknown.")
    lines.append(f"liuhen_health_state{device} {EXIT_CODES[card.state]}")
    lines += _metric("item_state", "One item: 0 ok, 1 warning, 2 critical, 3 unknown.")
    lines += [
        f"liuhen_item_state{_labels(device=card.device, item=item.name)} {EXIT_CODES[item.state]}"
        for item in card.items
    ]
    for measure in MEASURES:
        value = measure.value(facts)
        if value is not None:
            lines += _metric(measure.metric, measure.help)
            lines.append(f"liuhen_{measure.metric}{device} {value!r}")
    lines += _metric("info", "What runs there.")
    lines.append(f"liuhen_info{_labels(device=card.device, software=card.software, boot=card.at.boot)} 1")
    lines += _metric("told_timestamp_seconds", "When the facts were told, by the recorder's own clock.")
    lines.append(f"liuhen_told_timestamp_seconds{device} {card.at.utc_us / 1e6!r}")
    return "\n".join(lines)


def _metric(name: str, text: str) -> list[str]:
    return [f"# HELP liuhen_{name} {text}", f"# TYPE liuhen_{name} gauge"]


def _labels(**labels: str) -> str:
    escaped = (
        (name, text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")) for name, text in labels.items()
    )
    return "{" + ",".join(f'{name}="{text}"' for name, text in escaped) + "}"


def _painted(state: State, text: str, colour: bool) -> str:
    return f"\x1b[{COLOURS[state]}m{text}\x1b[0m" if colour else text


def _cells(text: str) -> int:
    """Columns on a terminal: an officer's name or an interruption may be Chinese."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)
