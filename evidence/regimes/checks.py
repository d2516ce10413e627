"""The closed set of checks that a regulation may choose, each with what it may be told: all words of the TOML.

A new regulation needs no code as long as these suffice; what no check here can see belongs to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from evidence.model import is_whole
from evidence.regimes import checks_custody, checks_recording
from evidence.regimes.facts import (
    ActFacts,
    CaseFacts,
    Cause,
    Excuse,
    Facts,
    Field,
    InterruptionFacts,
    ItemFacts,
    LookFacts,
    Moment,
    MonthFacts,
    Note,
    PauseFacts,
    RecordingFacts,
    Said,
    ShiftFacts,
    Situation,
    Trigger,
    UnitFacts,
)
from evidence.regimes.model import Judgement


@dataclass(frozen=True, slots=True)
class Value:
    """One thing that a rule may say: how to read it (None: impossible), and what is possible, for a person."""

    read: Callable[[Any], Any]
    possible: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """What it looks at, the function, what the rule says beside its name, and of which values exactly one is wanted."""

    about: type[Facts]
    run: Callable[[Any, Mapping[str, Any], Moment], Judgement | None]
    values: Mapping[str, Value]
    one_of: tuple[str, ...] = ()


def _count(high: int, required: bool = True) -> Value:
    return Value(
        lambda given: given if is_whole(given, 1, high + 1) else None, f"a whole number from 1 to {high}", required
    )


def _names(kind: type[StrEnum], required: bool = True) -> Value:
    known = {one.value: one for one in kind}

    def read(given: Any) -> tuple[StrEnum, ...] | None:
        if not isinstance(given, list) or not given or not all(isinstance(one, str) and one in known for one in given):
            return None
        return tuple(known[one] for one in dict.fromkeys(given))

    return Value(read, f"a list of some of {', '.join(known)}", required)


def _flag(required: bool = True) -> Value:
    return Value(lambda given: given if isinstance(given, bool) else None, "true or false", required)


def _yes() -> Value:
    return Value(lambda given: given if given is True else None, "true, or left out", required=False)


_DAYS = {
    "same_day": _yes(),
    "working_days": _count(250, required=False),
    "days": _count(3650, required=False),
    "year_end": _yes(),
    "months": _count(1200, required=False),
}
"""How long something may take (`deadlines.SPANS`)."""


def _spans(*names: str) -> dict[str, Value]:
    return {name: _DAYS[name] for name in names}


def _check(
    about: type[Facts],
    run: Callable[[Any, Mapping[str, Any], Moment], Judgement | None],
    spans: tuple[str, ...] = (),
    **values: Value,
) -> Check:
    return Check(about, run, {**_spans(*spans), **values}, spans)


CHECKS: Mapping[str, Check] = {
    "statement": _check(RecordingFacts, checks_recording.statement, phrases=_names(Said)),
    "start_and_end": _check(RecordingFacts, checks_recording.start_and_end),
    "continuous": _check(RecordingFacts, checks_recording.continuous, ("same_day", "working_days", "days")),
    "offload": _check(
        RecordingFacts, checks_recording.offload, ("same_day", "working_days"), away_hours=_count(240, required=False)
    ),
    "classified": _check(
        RecordingFacts, checks_recording.classified, ("same_day", "working_days", "days"), fields=_names(Field)
    ),
    "intact": _check(RecordingFacts, checks_recording.intact),
    "interruption": _check(
        InterruptionFacts, checks_recording.interruption, ("same_day", "working_days", "days"),
        causes=_names(Cause), report=_flag(required=False),
    ),
    "pause": _check(PauseFacts, checks_recording.pause, reasons=_names(Excuse)),
    "assigned": _check(ShiftFacts, checks_custody.assigned),
    "pre_use_check": _check(ShiftFacts, checks_custody.pre_use_check),
    "fault_stops_use": _check(ShiftFacts, checks_custody.fault_stops_use),
    "must_record": _check(
        ActFacts, checks_custody.must_record, situations=_names(Situation), excuses=_names(Excuse, required=False)
    ),
    "case_file": _check(CaseFacts, checks_custody.case_file, ("working_days", "days", "year_end")),
    "evidence_statement": _check(
        CaseFacts, checks_custody.evidence_statement, ("working_days", "days", "year_end"),
        notes=_names(Note), location=_flag(),
    ),
    "keep_routine": _check(ItemFacts, checks_custody.keep_routine, months=_count(1200)),
    "keep_as_case_file": _check(ItemFacts, checks_custody.keep_as_case_file),
    "keep_long_term": _check(ItemFacts, checks_custody.keep_long_term, triggers=_names(Trigger)),
    "look_approved": _check(LookFacts, checks_custody.look_approved),
    "copy_through_one_unit": _check(LookFacts, checks_custody.copy_through_one_unit),
    "secrets_asked": _check(LookFacts, checks_custody.secrets_asked),
    "monthly_archive": _check(MonthFacts, checks_custody.monthly_archive, working_days=_count(20)),
    "spot_check": _check(UnitFacts, checks_custody.spot_check, ("working_days", "months")),
    "item_list": _check(UnitFacts, checks_custody.item_list),
}  # fmt: skip
