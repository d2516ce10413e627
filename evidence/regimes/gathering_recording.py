"""Recordings, interruptions and stored items of one recorder as facts, with the dock's word on each. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from evidence.account import Account, Interruption, Taken, Use
from evidence.journal import Entry
from evidence.kinds import BLOB_KINDS
from evidence.model import ClockGrade, Officer, Timestamp, utc_from_text
from evidence.regimes.facts import (
    Away,
    Cause,
    Field,
    InterruptionFacts,
    ItemFacts,
    Moment,
    RecordingFacts,
    Said,
    Statement,
    Trigger,
)
from evidence.regimes.gathering_shift import Clocks, dock_moment, proofs_of, signed_on_after
from evidence.regimes.model import Regime
from evidence.regimes.retention import CaseTerm, RetentionFacts, retention
from evidence.verify import ORDER
from evidence.verify import Verdict as Authenticity

REPORT_DUE_US = 150_000_000
"""A recorder reports a break of 120 s, and has half a minute to do so."""
CAUSES = frozenset(Cause)
SAID = frozenset(Said)
ABOUT_BREAKS = ("interruption", "resumed", "reason", "reported")


@dataclass(slots=True)
class DockSays:
    """The dock's entries about one recorder, by the name of what they are about.

    Of receipts the first counts, of what people say the last.
    """

    stored: dict[str, Entry] = field(default_factory=dict)
    reports: dict[str, Entry] = field(default_factory=dict)
    explanations: dict[str, Entry] = field(default_factory=dict)
    classified: dict[str, Entry] = field(default_factory=dict)
    reviewed: dict[str, Entry] = field(default_factory=dict)
    away: dict[str, Entry] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """One more entry, in their order."""
        fields = entry.fields
        match entry.kind:
            case "stored":
                self.stored.setdefault(fields["segment"], entry)
            case "blob_stored":
                self.stored.setdefault(fields["blob"], entry)
            case "report_taken":
                self.reports.setdefault(fields["interruption"], entry)
            case "explanation":
                self.explanations.setdefault(fields["interruption"], entry)
            case "classified":
                self.classified[fields["recording"]] = entry
            case "reviewed":
                self.reviewed[fields["recording"]] = entry
            case "away":
                self.away[fields["left"]] = entry


@dataclass(frozen=True, slots=True)
class Keeping:
    """What lengthens how long all of a recording stays, and whether it is on a medium of its own."""

    cases: tuple[CaseTerm, ...] = ()
    triggers: frozenset[Trigger] = frozenset()
    on_disc: bool = False


@dataclass(slots=True)
class _Told:
    """What a journal says of one recording."""

    entries: list[Entry] = field(default_factory=list)

    def first(self, kind: str) -> Entry | None:
        return next((one for one in self.entries if one.kind == kind), None)

    def of(self, *kinds: str) -> list[Entry]:
        return [one for one in self.entries if one.kind in kinds]


class RecordingBook:
    """All recordings of one recorder."""

    def __init__(self, recorder: str, entries: Sequence[Entry], says: DockSays, clocks: Clocks) -> None:
        self._recorder, self._says, self._clocks = recorder, says, clocks
        self._told: dict[str, _Told] = {}
        self._damaged = {one.fields["segment"] for one in entries if one.kind == "damaged"}
        self._about: dict[str, list[Entry]] = {}
        self._officers: dict[str, Officer | None] = {}
        self._over_seq = -1
        signed_on: Entry | None = None
        for one in entries:
            signed_on = signed_on_after((one,), signed_on)
            if one.kind in ("recording_started", "docked"):
                self._over_seq = one.seq
            if recording := one.fields.get("recording"):
                self._told.setdefault(recording, _Told()).entries.append(one)
            if one.kind == "recording_started":
                officer = None if signed_on is None else Officer.from_fields(signed_on.fields)
                self._officers[one.fields["recording"]] = officer
            if one.kind in ABOUT_BREAKS:
                self._about.setdefault(one.fields["interruption"], []).append(one)

    def recording(self, taken: Taken, unexplained_us: int) -> RecordingFacts:
        """One recording."""
        told, name = self._told[taken.recording], taken.recording
        began, ended = self._clocks.at(told.of("recording_started")[0].at), self._ended(told)
        classified, reviewed = self._says.classified.get(name), self._says.reviewed.get(name)
        pieces = _pieces(told)
        receipts = [self._says.stored[one] for one in pieces if one in self._says.stored]
        away = self._away(began)
        kept = told.of(
            "recording_started", "recording_stopped", "interruption", "segment", "statement_asked", "statement_heard",
            "statement_missing",
        )  # fmt: skip
        return RecordingFacts(
            subject=name,
            entries=proofs_of(*kept, *receipts, classified, reviewed, away),
            began=began,
            ended=ended,
            statement=_statement(told, ended),
            said=None if reviewed is None else frozenset(map(Said, SAID & set(reviewed.fields["said"]))),
            unexplained_us=unexplained_us,
            breaks=len(told.of("interruption")),
            stored=_stored(pieces, receipts, ended),
            away=None if away is None else _away(away),
            classified=self._classified(name, began, ended, classified),
            authenticity=self._authenticity(told),
        )

    def officer(self, recording: str) -> Officer | None:
        """Who was signed on when it began."""
        return self._officers.get(recording)

    def interruption(self, one: Interruption, last_us: int) -> InterruptionFacts:
        """One interruption; `last_us` is how far the account goes, for one that lasts."""
        told = {entry.kind: entry for entry in reversed(self._about[one.interruption])}
        explanation = self._says.explanations.get(one.interruption)
        length_us = (last_us if one.end_us is None else one.end_us) - one.start_us
        reason = None if one.reason is None else Cause(one.reason) if one.reason in CAUSES else Cause.OTHER
        return InterruptionFacts(
            subject=one.interruption,
            entries=proofs_of(*told.values(), self._says.reports.get(one.interruption), explanation),
            began=self._clocks.at(Timestamp.from_fields(told["interruption"].fields["began"])),
            reason=reason,
            standing=one.state,
            resumed="resumed" in told,
            written=None if explanation is None else dock_moment(explanation),
            reported="reported" in told,
            report_due=length_us > REPORT_DUE_US,
        )

    def items(self, recording: str, kept: Keeping, regimes: Iterable[Regime]) -> Iterator[ItemFacts]:
        """What of a recording is stored at the dock, and until when it stays."""
        listed = tuple(regimes)
        for piece, entry in _pieces(self._told[recording]).items():
            if (receipt := self._says.stored.get(piece)) is not None:
                known = RetentionFacts(stored=receipt.at, cases=kept.cases, triggers=kept.triggers)
                yield ItemFacts(
                    subject=piece,
                    entries=proofs_of(entry, receipt),
                    in_case=bool(kept.cases),
                    triggers=kept.triggers,
                    on_disc=kept.on_disc,
                    kept_until_us=retention(listed, known).end_us,
                )

    def _ended(self, told: _Told) -> Moment | None:
        stopped = told.first("recording_stopped")
        if stopped is not None:
            return self._clocks.ended(stopped)
        last = told.entries[-1]
        # Something came after it that cannot come while it runs.
        return self._clocks.at(last.at) if last.seq < self._over_seq else None

    def _away(self, began: Moment) -> Entry | None:
        """The declared duty elsewhere into which the recording fell."""
        for entry in self._says.away.values():
            returned = entry.fields["returned"]
            if utc_from_text(entry.fields["left"]) <= began.utc_us and (
                returned is None or began.utc_us <= utc_from_text(returned)
            ):
                return entry
        return None

    def _classified(self, recording: str, began: Moment, ended: Moment | None, entry: Entry | None) -> frozenset[Field]:
        """What the recorder knows by itself, and all when a person has told the rest."""
        if entry is not None:
            return frozenset(Field)
        known = {Field.RECORDER}
        if self.officer(recording) is not None:
            known |= {Field.OFFICER, Field.UNIT}
        if began.believed and ended is not None and ended.believed:
            known.add(Field.TIME_OF_USE)
        return frozenset(known)

    def _authenticity(self, told: _Told) -> Authenticity | None:
        """By the receipts, which the dock gave after it had verified every part; `liuhen verify` reads them again."""
        found = []
        for seal in told.of("segment"):
            receipt = self._says.stored.get(seal.fields["segment"])
            if receipt is not None:
                whole = seal.fields["complete"] and seal.fields["segment"] not in self._damaged
                same = receipt.fields["seal_hash"] == seal.head.hash
                found.append(
                    Authenticity.NOT_AUTHENTIC if not same else Authenticity.AUTHENTIC if whole else Authenticity.GAPS
                )
        return max(found, key=ORDER.index, default=None)


def _pieces(told: _Told) -> Mapping[str, Entry]:
    """Everything of a recording that has to come to the dock, and its last entry."""
    pieces = {one.fields["segment"]: one for one in told.of("init", "segment")}
    return pieces | {one.fields["blob"]: one for one in told.of(*BLOB_KINDS)}


def _stored(pieces: Mapping[str, Entry], receipts: Sequence[Entry], ended: Moment | None) -> Moment | None:
    """When the last of it was durable at the dock. Of which nothing is known (a card that died), nothing is stored."""
    if ended is None or not pieces or len(receipts) < len(pieces):
        return None
    return max(map(dock_moment, receipts), key=lambda one: one.utc_us)


def _away(entry: Entry) -> Away:
    returned = entry.fields["returned"]
    return Away(None if returned is None else Moment(utc_from_text(returned), ClockGrade.DOCK))


def _statement(told: _Told, ended: Moment | None) -> Statement:
    if told.first("statement_heard") is not None:
        return Statement.HEARD
    over = ended is not None or told.first("statement_missing") is not None
    return Statement.MISSING if over else Statement.AWAITED


def unexplained_us(accounts: Sequence[Account]) -> Mapping[str, int]:
    """How much of each recording is missing without a word: a gap belongs to the recording that began last before."""
    taken = sorted((one for account in accounts for one in account.recordings), key=lambda one: one.start_us)
    missing = dict.fromkeys((one.recording for one in taken), 0)
    starts = [one.start_us for one in taken]
    for gap in (span for account in accounts for span in account.spans if span.use is Use.UNEXPLAINED):
        owner = taken[max(0, bisect_right(starts, gap.start_us) - 1)]
        missing[owner.recording] += gap.end_us - gap.start_us
    return missing
