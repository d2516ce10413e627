"""How long evidence stays: the longest rule wins, everything else only lengthens, and no clock can end it early.

An end is proven in one of two ways, and where neither proves it nothing is destroyed:
- by UTC: both the beginning and now were told by a disciplined clock (NTP or satellites), which has neither gone back
  since nor run ahead of the boot clock, which nothing can step; a day's margin is kept;
- by the boot clock alone: the dock has demonstrably run for longer than the whole term since the beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evidence.model import ClockGrade, Timestamp
from evidence.regimes.calendar import LAST_US, add_months, day_of, end_of_day_us
from evidence.regimes.facts import Trigger
from evidence.regimes.model import Regime, Words

TRUSTED = (ClockGrade.NTP, ClockGrade.GNSS)
"""Clocks that somebody outside the dock keeps right. `dock` is not among them: it would vouch for itself."""
DAY_US = 86_400_000_000
MARGIN_US = DAY_US
"""How far a disciplined clock may be wrong; nothing beside months of retention."""
LONGEST_MONTHS = 12 * 200
SPARE_US = 6 * DAY_US
"""A term counted from the wrong date may be this much shorter in days (months of 28 to 31 days, leap years)."""


@dataclass(frozen=True, slots=True)
class CaseTerm:
    """The case that evidence belongs to: when the dock journalled that its file went to the archive, and for how long.

    `years` is None while that is not decided, and for ever.
    """

    case: str
    filed: Timestamp | None
    years: int | None


@dataclass(frozen=True, slots=True)
class RetentionFacts:
    """What decides how long an item stays.

    `stored` is the dock's own stamp when it had all of it, which is never before it was made. A case or trigger that
    was ever set stays here: nothing that lengthened is taken back. `holds` are those that have not been lifted.
    """

    stored: Timestamp | None
    cases: tuple[CaseTerm, ...] = ()
    triggers: frozenset[Trigger] = frozenset()
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """One rule that keeps it: so many months from `start`; without an end where there is no start."""

    cites: str
    why: Words
    start: Timestamp | None = None
    months: int = 0

    @property
    def end_us(self) -> int | None:
        """By the clock of `start`, UTC; None: without an end."""
        return None if self.start is None else _end_us(self.start.utc_us, self.months)


@dataclass(frozen=True, slots=True)
class Retention:
    """Every rule that keeps an item. `governing` is the longest, and says why."""

    terms: tuple[Term, ...]

    @property
    def governing(self) -> Term:
        """The term that ends last."""
        return max(self.terms, key=lambda term: (term.end_us is None, term.end_us or 0))

    @property
    def end_us(self) -> int | None:
        """The end to show to a person; None when there is none. Whether it has passed `may_destroy` says."""
        return self.governing.end_us


@dataclass(frozen=True, slots=True)
class ClockProof:
    """What the dock knows of time: now, and the stamps of its own journal in order.

    Of a long journal each boot's first and last, those in `RetentionFacts`, and all of the present boot are enough.
    """

    now: Timestamp
    seen: tuple[Timestamp, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an item may be destroyed, and why not."""

    allowed: bool
    why: Words


def retention(regimes: Iterable[Regime], facts: RetentionFacts) -> Retention:
    """The terms of an item under one or several regulations. More facts never make any of them end earlier."""
    listed = list(regimes)
    terms = [*_routine(listed, facts.stored), *_cases(listed, facts.cases), *_long_term(listed, facts.triggers)]
    terms += [Term(f"hold {hold}", Words("冻结", "a hold")) for hold in facts.holds]
    if not terms:
        names = ", ".join(regime.name for regime in listed) or "no regulation"
        terms = [Term(names, Words("未规定日常保存期限", "no article gives a routine term: a person decides"))]
    return Retention(tuple(terms))


def _routine(regimes: Sequence[Regime], stored: Timestamp | None) -> Iterator[Term]:
    for regime in regimes:
        for article, rule in regime.rules("keep_routine"):
            months = rule.values["months"]
            why = Words(f"日常资料保存{months}个月", f"routine recordings are kept {months} months")
            yield _term(f"{regime.name} art. {article.number}", why, stored, months)


def _cases(regimes: Sequence[Regime], cases: Iterable[CaseTerm]) -> Iterator[Term]:
    cites = _cited(regimes, "keep_as_case_file")
    for case in cases:
        if case.years is None:
            yield Term(
                cites, Words(f"案卷{case.case}未定期限或永久", f"case {case.case} is kept for ever or has no term yet")
            )
        else:
            why = Words(f"与案卷{case.case}同期（{case.years}年）", f"as long as case {case.case} ({case.years} years)")
            yield _term(cites, why, case.filed, 12 * case.years)


def _long_term(regimes: Sequence[Regime], triggers: Iterable[Trigger]) -> Iterator[Term]:
    cites = _cited(regimes, "keep_long_term")
    for trigger in sorted(triggers):
        yield Term(cites, Words(f"长期保存（{_TRIGGERS_ZH[trigger]}）", f"kept for long ({trigger})"))


_TRIGGERS_ZH: Mapping[Trigger, str] = {
    Trigger.OBJECTION: "异议、投诉、上访",
    Trigger.RESISTANCE: "逃避、拒绝、阻碍、谩骂、侮辱、殴打",
    Trigger.MASS_INCIDENT: "群体性事件、突发事件",
    Trigger.OTHER: "其他重要情况",
}


def _cited(regimes: Sequence[Regime], check: str) -> str:
    named = [f"{regime.name} art. {article.number}" for regime in regimes for article, _ in regime.rules(check)]
    return "; ".join(named) or "the unit"


def _term(cites: str, why: Words, start: Timestamp | None, months: int) -> Term:
    """Nobody knows from when to count, or no calendar goes so far: then it has no end."""
    if start is None or start.utc_us >= LAST_US or months > LONGEST_MONTHS:
        return Term(cites, why)
    return Term(cites, why, start, months)


def _end_us(start_us: int, months: int) -> int:
    return end_of_day_us(add_months(day_of(start_us), months))


def may_destroy(kept: Retention, clock: ClockProof) -> Decision:
    """Only when the end of every term has certainly passed."""
    for term in kept.terms:
        if term.end_us is None or term.start is None:
            return Decision(
                False, Words(f"{term.cites}：{term.why.zh}，无终止日期", f"{term.cites}: {term.why.en}, without an end")
            )
        if not (_over_by_utc(term.start, term.months, clock) or _over_by_running(term.start, term.end_us, clock)):
            end = day_of(term.end_us - 1)
            zh = f"{term.cites}：{term.why.zh}，保存至{end}，尚不能证明已期满"
            en = f"{term.cites}: {term.why.en}, until {end}; nothing proves that this has passed"
            return Decision(False, Words(zh, en))
    return Decision(True, Words("保存期满", "every term has passed"))


def _over_by_utc(start: Timestamp, months: int, clock: ClockProof) -> bool:
    """Counted from the latest that the start can have been: one day later may be a month that is three days longer."""
    earliest_now_us = proven_now_us(clock)
    latest_end_us = _end_us(start.utc_us + margin_us(start), months)
    return start.grade in TRUSTED and earliest_now_us is not None and earliest_now_us >= latest_end_us


def _over_by_running(start: Timestamp, end_us: int, clock: ClockProof) -> bool:
    return ran_us(start, clock) >= end_us - start.utc_us + SPARE_US


def margin_us(stamp: Timestamp) -> int:
    """How far the UTC of a disciplined clock may be wrong."""
    return max(MARGIN_US, stamp.error_us or 0)


def proven_now_us(clock: ClockProof) -> int | None:
    """An instant of UTC that has certainly come, or None when no clock can be believed.

    Within a boot the slowest disciplined reading counts, carried on by the boot clock: a clock that jumps ahead gains
    nothing. A clock that has gone back by more than its margin was wrong once, and nobody knows when.
    """
    now = clock.now
    if now.grade not in TRUSTED:
        return None
    trusted = [stamp for stamp in clock.seen if stamp.grade in TRUSTED]
    if any(stamp.utc_us - margin_us(stamp) > now.utc_us + margin_us(now) for stamp in trusted):
        return None
    here = [*(stamp for stamp in trusted if stamp.boot == now.boot), now]
    return min(stamp.utc_us - margin_us(stamp) - stamp.boot_us for stamp in here) + now.boot_us


def ran_us(start: Timestamp, clock: ClockProof) -> int:
    """How long the dock has run since a stamp of its journal, by boot clocks alone; 0 if the stamp is not there."""
    stamps = [*clock.seen, clock.now]
    if start not in stamps:
        return 0
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for stamp in stamps[stamps.index(start) :]:
        first.setdefault(stamp.boot, stamp.boot_us)
        last[stamp.boot] = max(stamp.boot_us, last.get(stamp.boot, 0))
    return sum(last[boot] - first[boot] for boot in first)
