"""Everything that a dock's journals say, as facts that regulations are held against. Pure: entries in, facts out.

What no journal speaks of stays out: looks at evidence always yet, cases and acts until a person has told of one. The
findings say so (`Gathered.unknown`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

from evidence.account import Account, accounts
from evidence.journal import Entry
from evidence.model import Officer
from evidence.regimes.calendar import day_of
from evidence.regimes.facts import (
    ActFacts,
    CaseFacts,
    Cause,
    Facts,
    LookFacts,
    Moment,
    MonthFacts,
    RecordingFacts,
    Trigger,
    UnitFacts,
)
from evidence.regimes.gathering_cases import CaseBook
from evidence.regimes.gathering_recording import DockSays, Keeping, RecordingBook, unexplained_us
from evidence.regimes.gathering_shift import (
    Clocks,
    ShiftJournal,
    dock_moment,
    pauses,
    proofs_of,
    shift_facts,
    shift_journals,
)
from evidence.regimes.model import Regime, Words

UNIT = "unit"
"""The subject of what is found about the unit as a whole."""
_UNKNOWN: Mapping[type[Facts], Words] = MappingProxyType({
    ActFacts: Words("采集站尚无执法行为台账，须人工核查", "the dock is told of no acts: a person has to look"),
    CaseFacts: Words("采集站尚无案件资料，须人工核查", "the dock is told of no cases: a person has to look"),
    LookFacts: Words("采集站尚无查阅复制登记，须人工核查", "the dock is told of no looks: a person has to look"),
})  # fmt: skip
RESISTANCE = MappingProxyType({Cause.OBSTRUCTION: Trigger.RESISTANCE})
"""Long-term triggers (general 17, weixian 19, xuchang 13) that an officer has named as why a recording broke."""


@dataclass(frozen=True, slots=True)
class Books:
    """The dock's own journal, and its copies of the recorders' by recorder; each in order."""

    dock: Sequence[Entry]
    recorders: Mapping[str, Sequence[Entry]]

    @property
    def regimes(self) -> tuple[str, ...]:
        """The regulations that officers were assigned to work under, each once."""
        named = (one.fields["regime"] for one in self.dock if one.kind == "assignment")
        return tuple(dict.fromkeys(one for one in named if one is not None))


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift of one recorder: who wore it, what every instant was, and all facts about what began in it.

    `began` and `ended` are its first and last entry, the account's line may lie elsewhere where clocks were wrong.
    """

    name: str
    recorder: str
    officer: Officer | None
    began: Moment
    ended: Moment
    account: Account
    facts: tuple[Facts, ...]

    @property
    def recordings(self) -> tuple[RecordingFacts, ...]:
        """Those that began in it."""
        return tuple(one for one in self.facts if isinstance(one, RecordingFacts))


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that is known: shift by shift, and of the unit as a whole (cases, months, spot checks, the item list)."""

    shifts: tuple[Shift, ...]
    whole: tuple[Facts, ...]

    @property
    def facts(self) -> tuple[Facts, ...]:
        """For `judging.judge`."""
        return tuple(chain(chain.from_iterable(shift.facts for shift in self.shifts), self.whole))

    @property
    def unknown(self) -> Mapping[type[Facts], Words]:
        """Of what nobody has told the dock anything, for `judging.judge`."""
        told = {type(one) for one in self.whole}
        return {kind: words for kind, words in _UNKNOWN.items() if kind not in told}


def gather(books: Books, regimes: Iterable[Regime]) -> Gathered:
    """The facts, in the order of recorders and of their journals. `regimes` decide until when items stay."""
    listed = tuple(regimes)
    says: dict[str, DockSays] = {}
    cases = CaseBook(books.dock)
    for entry in books.dock:
        if recorder := entry.fields.get("recorder"):
            says.setdefault(recorder, DockSays()).take(entry)
    shifts = tuple(
        shift
        for recorder in sorted(books.recorders)
        for shift in _shifts(recorder, books.recorders[recorder], says.get(recorder, DockSays()), cases, listed)
    )
    recordings = [one for shift in shifts for one in shift.recordings]
    told = (*cases.cases(), *cases.acts())
    return Gathered(shifts, (*told, *_months(recordings, books.dock), *_unit(recordings, books.dock)))


def _shifts(
    recorder: str, entries: Sequence[Entry], says: DockSays, cases: CaseBook, regimes: tuple[Regime, ...]
) -> Iterator[Shift]:
    clocks = Clocks(entries)
    kept = accounts(entries, says.explanations)
    book = RecordingBook(recorder, entries, says, clocks)
    missing = unexplained_us(kept)
    triggers = _triggers(kept)
    for journal, account in zip(shift_journals(recorder, entries), kept, strict=True):
        last_us = kept[-1].end_us
        facts: list[Facts | None] = [shift_facts(journal)]
        for taken in account.recordings:
            facts.append(book.recording(taken, missing[taken.recording]))
            facts += book.items(taken.recording, _keeping(taken.recording, cases, triggers), regimes)
        facts += [book.interruption(one, last_us) for one in account.interruptions]
        facts += pauses(journal, clocks)
        yield _shift(journal, clocks, account, tuple(one for one in facts if one is not None))


def _shift(journal: ShiftJournal, clocks: Clocks, account: Account, facts: tuple[Facts, ...]) -> Shift:
    first = next(one for one in journal.entries if one.kind in ("power_on", "undocked"))
    last = next((one for one in journal.entries if one.kind == "docked"), journal.entries[-1])
    return Shift(
        journal.name, journal.recorder, journal.officer, clocks.at(first.at), clocks.at(last.at), account, facts
    )


def _keeping(recording: str, cases: CaseBook, triggers: Mapping[str, frozenset[Trigger]]) -> Keeping:
    all_triggers = triggers.get(recording, frozenset()) | cases.triggers(recording)
    return Keeping(cases.terms(recording), all_triggers, cases.on_disc(recording))


def _triggers(kept: Iterable[Account]) -> Mapping[str, frozenset[Trigger]]:
    found: dict[str, frozenset[Trigger]] = {}
    for one in (one for account in kept for one in account.interruptions):
        if one.reason in set(RESISTANCE):
            found[one.recording] = found.get(one.recording, frozenset()) | {RESISTANCE[Cause(one.reason)]}
    return found


def _months(recordings: Iterable[RecordingFacts], dock: Iterable[Entry]) -> Iterator[MonthFacts]:
    """Months in China with recordings whose day is known."""
    archived: dict[str, Entry] = {}
    for entry in dock:
        if entry.kind == "archived":
            archived.setdefault(entry.fields["month"], entry)
    days = {day_of(one.began.utc_us) for one in recordings if one.began.believed}
    for year, month in sorted({(day.year, day.month) for day in days}):
        name = f"{year:04d}-{month:02d}"
        done = archived.get(name)
        yield MonthFacts(
            subject=name, entries=proofs_of(done), year=year, month=month,
            archived=None if done is None else dock_moment(done),
        )  # fmt: skip


def _unit(recordings: Sequence[RecordingFacts], dock: Sequence[Entry]) -> Iterator[UnitFacts]:
    if not recordings:
        return
    last = {entry.kind: entry for entry in dock if entry.kind in ("reviewed", "item_list")}
    reviewed, listed = last.get("reviewed"), last.get("item_list")
    first = min(recordings, key=lambda one: (not one.began.believed, one.began.utc_us))
    yield UnitFacts(
        subject=UNIT,
        entries=proofs_of(reviewed, listed),
        working_since=first.began,
        spot_checked=None if reviewed is None else dock_moment(reviewed),
        listed=None if listed is None else all(all(row) for row in listed.fields["matters"]),
    )
