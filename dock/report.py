"""What a head of unit reads about a shift, an officer, a unit or a month: one content for every kind of paper. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dock.findings import DAY_US, Judged
from dock.report_words import CHECK_WORDS, cause_words
from evidence.account import Interruption, Use
from evidence.errors import BadInputError
from evidence.regimes.calendar import day_of
from evidence.regimes.facts import Moment, MonthFacts
from evidence.regimes.gathering import UNIT, Shift
from evidence.regimes.judging import coming_due, strictest
from evidence.regimes.model import Finding, Regime, Verdict, Words
from evidence.regimes.shown import Line, counts_of, lines_of, wall_time

DUE_DAYS = 14
SHORT_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Selection:
    """What a report is about: all that fits every one that is given. `month` as in 2026-11, in China."""

    shift: str | None = None
    officer: str | None = None
    unit: str | None = None
    month: str | None = None

    @property
    def of_unit(self) -> bool:
        """Whether what concerns the unit as a whole belongs into it."""
        return self.shift is None and self.officer is None

    def takes(self, shift: Shift) -> bool:
        """Whether a shift belongs into it. One whose clock nobody had set belongs into no month."""
        number, unit = (None, None) if shift.officer is None else (shift.officer.number, shift.officer.unit)
        had = (shift.name, number, unit, month_of(shift.began))
        wanted = (self.shift, self.officer, self.unit, self.month)
        return all(one in (None, other) for one, other in zip(wanted, had, strict=True))


@dataclass(frozen=True, slots=True)
class Broken:
    """One break of a recording, in its shift."""

    shift: Shift
    interruption: Interruption
    length_us: int


@dataclass(frozen=True, slots=True)
class CauseRow:
    """All breaks with one machine cause."""

    cause: Words
    count: int
    length_us: int
    unsaid: int
    """Those of which nobody has said why."""


@dataclass(frozen=True, slots=True)
class DeadlineRow:
    """Of one kind of duty how much was done in time, can still be done, and was not."""

    what: Words
    met: int
    open: int
    late: int
    person: int
    """Those of which a person has to find the time, or judge."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is put on paper. Findings are those about what was selected."""

    about: tuple[tuple[Words, str], ...]
    now: Moment
    regimes: tuple[Regime, ...]
    shifts: tuple[Shift, ...]
    totals: Mapping[Use, int]
    broken: tuple[Broken, ...]
    causes: tuple[CauseRow, ...]
    deadlines: tuple[DeadlineRow, ...]
    findings: tuple[Finding, ...]
    due: tuple[Finding, ...]
    homes: Mapping[str, Shift]
    """By subject, in which shift it was."""
    people: tuple[str, ...]
    """Articles of which the dock knows nothing, for people; only of a whole unit."""

    def who(self, *subjects: str) -> str:
        """Day, hour and officer of one thing, which tell a reader more than its name; of several nothing."""
        home = self.homes.get(subjects[0]) if len(subjects) == 1 else None
        if home is None:
            return ""
        return f"{wall_time(home.began)[5:]} {'—' if home.officer is None else home.officer.name}"

    @property
    def lines(self) -> tuple[Line, ...]:
        """The findings article by article."""
        return lines_of(self.findings)

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many findings of each verdict."""
        return counts_of(self.findings)

    @property
    def whole_us(self) -> int:
        """The length of all shifts."""
        return sum(self.totals.values())


def make_report(judged: Judged, selection: Selection) -> Report:
    """The content. Raises BadInputError when nothing fits the selection."""
    shifts = tuple(shift for shift in judged.gathered.shifts if selection.takes(shift) and _worn(shift, selection))
    if not shifts:
        named = sorted({shift.name for shift in judged.gathered.shifts})
        hint = f"shifts here are {', '.join(named[-3:])}" if named else "no recorder has given its journal yet"
        raise BadInputError("report", "fits no shift that this dock knows of", hint)
    homes = {fact.subject: shift for shift in shifts for fact in shift.facts}
    subjects = homes.keys() | _whole(judged, selection, shifts)
    findings = tuple(one for one in judged.findings if one.subject in subjects)
    broken = tuple(_broken(shifts))
    return Report(
        about=_about(selection, shifts),
        now=judged.now,
        regimes=judged.regimes,
        shifts=shifts,
        totals={use: sum(shift.account.total_us(use) for shift in shifts) for use in Use},
        broken=broken,
        causes=_causes(broken),
        deadlines=_deadlines(findings),
        findings=findings,
        due=_due(findings, judged.now),
        homes=homes,
        people=_people(judged.findings) if selection.of_unit else (),
    )


def month_of(moment: Moment) -> str | None:
    """The month in China, None when nobody had set the clock."""
    return f"{day_of(moment.utc_us):%Y-%m}" if moment.believed else None


def _worn(shift: Shift, selection: Selection) -> bool:
    """A recorder that is switched on in its dock begins a shift that ends at once; nobody has to read of it."""
    short = shift.account.end_us - shift.account.start_us < SHORT_US
    return not short or bool(shift.recordings) or shift.name == selection.shift


def _due(findings: Iterable[Finding], now: Moment) -> tuple[Finding, ...]:
    """What has to be done soon, each once, by the strictest regulation."""
    return coming_due((one.finding for one in strictest(findings)), now.utc_us, DUE_DAYS * DAY_US)


def _whole(judged: Judged, selection: Selection, shifts: Iterable[Shift]) -> set[str]:
    """The subjects of what concerns the unit as a whole."""
    if not selection.of_unit:
        return set()
    months = {month_of(shift.began) for shift in shifts}
    known = {one.subject for one in judged.gathered.whole if isinstance(one, MonthFacts)}
    return {UNIT} | (known & months if selection.month or selection.unit else known)


def _about(selection: Selection, shifts: tuple[Shift, ...]) -> tuple[tuple[Words, str], ...]:
    officers = {one.officer.number: one.officer.name for one in shifts if one.officer is not None}
    units = sorted({one.officer.unit for one in shifts if one.officer is not None})
    wanted = selection.officer
    rows = (
        (Words("班次", "shift"), selection.shift),
        (Words("执法人员", "officer"), None if wanted is None else f"{officers[wanted]}（{wanted}）"),
        (Words("单位", "unit"), "、".join(units) or None),
        (Words("月份", "month"), selection.month),
        (Words("执法人员数", "officers"), str(len(officers)) if selection.of_unit else None),
        (Words("班次数", "shifts"), str(len(shifts))),
        (Words("录像数", "recordings"), str(sum(len(one.recordings) for one in shifts))),
    )
    return tuple((label, value) for label, value in rows if value is not None)


def _broken(shifts: Iterable[Shift]) -> Iterable[Broken]:
    for shift in shifts:
        for one in shift.account.interruptions:
            end_us = shift.account.end_us if one.end_us is None else one.end_us
            yield Broken(shift, one, max(0, end_us - one.start_us))


def _causes(broken: Iterable[Broken]) -> tuple[CauseRow, ...]:
    """By machine cause, the longest first."""
    groups: dict[Words, list[Broken]] = {}
    for one in broken:
        groups.setdefault(cause_words(one.interruption.cause, one.interruption.part), []).append(one)
    rows = (
        CauseRow(
            words, len(alike), sum(one.length_us for one in alike),
            sum(not one.interruption.explained for one in alike),
        )
        for words, alike in groups.items()
    )  # fmt: skip
    return tuple(sorted(rows, key=lambda row: (-row.length_us, row.cause)))


def _deadlines(findings: Iterable[Finding]) -> tuple[DeadlineRow, ...]:
    """Of several regulations the strictest counts, so that nothing is counted twice."""
    found: dict[str, dict[Verdict, int]] = {}
    for ruling in strictest(findings):
        check, verdict = str(ruling.finding.check), ruling.finding.verdict
        counts = found.setdefault(check, {})
        counts[verdict] = counts.get(verdict, 0) + 1
    rows = ((words, found[check]) for check, words in CHECK_WORDS.items() if check in found)
    order = (Verdict.MET, Verdict.OPEN, Verdict.BROKEN, Verdict.PERSON)
    return tuple(DeadlineRow(words, *(counts.get(verdict, 0) for verdict in order)) for words, counts in rows)


def _people(findings: Iterable[Finding]) -> tuple[str, ...]:
    named = (one.cites for one in findings if not one.subject and one.verdict is Verdict.PERSON)
    return tuple(dict.fromkeys(named))
