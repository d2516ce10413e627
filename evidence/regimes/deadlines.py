"""When something is due, and whether it came in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from evidence.regimes.calendar import Count, add_months, add_working_days, day_of, end_of_day_us
from evidence.regimes.facts import Moment
from evidence.regimes.model import Judgement, Proof, Verdict, Words

SPANS: Mapping[str, Callable[[date, Any], Count]] = {
    "same_day": lambda day, _: Count(day),
    "working_days": add_working_days,
    "days": lambda day, days: Count(day + timedelta(days=days)),
    "months": lambda day, months: Count(add_months(day, months)),
    "year_end": lambda day, _: Count(date(day.year, 12, 31)),
}
"""How an article may say when: the last day on which the thing may be done, counted from a day that does not count.

A last day that is a day of rest is not moved to the next working day: whoever is early breaks nothing."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """`end_us` is the first instant that is too late; `unpublished` the years of which only weekdays were known."""

    end_us: int
    unpublished: tuple[int, ...] = ()


def deadline(values: Mapping[str, Any], start_us: int) -> Deadline:
    """What the one span among a rule's values makes of a beginning (UTC microseconds)."""
    span = next(name for name in SPANS if name in values)
    count = SPANS[span](day_of(start_us), values[span])
    return Deadline(end_of_day_us(count.day), count.unpublished)


def due(what: Words, done: Moment | None, due_by: Deadline, now: Moment, proofs: tuple[Proof, ...] = ()) -> Judgement:
    """Met when done in time, broken when late, else open until the deadline. An unset clock is a person's matter."""
    if not (now if done is None else done).believed:
        why = Words(
            f"{what.zh}：时钟未校准，须人工核定", f"{what.en}: the clock was not set, a person has to find the time"
        )
        return Judgement(Verdict.PERSON, why, proofs, due_by.end_us)
    late = (now if done is None else done).utc_us >= due_by.end_us
    verdict = Verdict.BROKEN if late else Verdict.OPEN if done is None else Verdict.MET
    last_day = day_of(due_by.end_us - 1)
    state = _STATES[verdict, done is None]
    zh, en = f"{what.zh}{state.zh}，期限至{last_day}", f"{what.en} {state.en}, due by the end of {last_day}"
    if due_by.unpublished:
        years = ", ".join(str(year) for year in due_by.unpublished)
        zh += f"（{years}年放假安排尚未公布，按周一至周五计算）"
        en += f" (the calendar of {years} is not published yet: plain weekdays)"
    return Judgement(verdict, Words(zh, en), proofs, due_by.end_us)


_STATES: Mapping[tuple[Verdict, bool], Words] = {
    (Verdict.MET, False): Words("已按时完成", "was done in time"),
    (Verdict.OPEN, True): Words("尚未完成", "is still to be done"),
    (Verdict.BROKEN, False): Words("逾期完成", "was done too late"),
    (Verdict.BROKEN, True): Words("逾期未完成", "has not been done"),
}


def without_start(what: Words, proofs: tuple[Proof, ...]) -> Judgement:
    """The time from which to count was told by a clock that nobody had set."""
    zh, en = (
        f"{what.zh}：起算时间不可信，须人工核定",
        f"{what.en}: the time to count from is not known, a person has to find it",
    )
    return Judgement(Verdict.PERSON, Words(zh, en), proofs)


def due_after(
    what: Words,
    values: Mapping[str, Any],
    start: Moment,
    done: Moment | None,
    now: Moment,
    proofs: tuple[Proof, ...] = (),
) -> Judgement:
    """`due`, counted from a moment by the span of a rule."""
    if not start.believed:
        return without_start(what, proofs)
    return due(what, done, deadline(values, start.utc_us), now, proofs)
