"""What one recorder's journal says as facts: shifts, and what was declared and found in them. Pure.

Times are those of the best-graded reading of their boot: a clock that was set later in a boot dates what came before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from evidence.account import GRADES
from evidence.journal import Entry
from evidence.model import Officer, Timestamp
from evidence.regimes.facts import FaultFacts, Moment, PauseFacts, ShiftFacts
from evidence.regimes.model import Proof


class Clocks:
    """When something was, by the best reading of its boot."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._best: dict[str, Timestamp] = {}
        for stamp in (entry.at for entry in entries):
            best = self._best.setdefault(stamp.boot, stamp)
            if GRADES.index(stamp.grade) >= GRADES.index(best.grade):
                self._best[stamp.boot] = stamp

    def at(self, stamp: Timestamp) -> Moment:
        """An instant that was stamped."""
        best = self._best.get(stamp.boot, stamp)
        return Moment(best.utc_us + stamp.boot_us - best.boot_us, best.grade)

    def ended(self, stopped: Entry) -> Moment:
        """When a recording ended, which is before the entry that says so."""
        stamp = self.at(stopped.at)
        return Moment(stamp.utc_us + stopped.fields["ended_boot_us"] - stopped.at.boot_us, stamp.grade)


def dock_moment(entry: Entry) -> Moment:
    """When the dock said something."""
    return Moment(entry.at.utc_us, entry.at.grade)


def proof_of(entry: Entry) -> Proof:
    """An entry as what a finding rests on."""
    return Proof(entry.device, entry.seq, str(entry.head.hash), entry.kind)


def proofs_of(*entries: Entry | None) -> tuple[Proof, ...]:
    """Those that there are."""
    return tuple(proof_of(entry) for entry in entries if entry is not None)


@dataclass(frozen=True, slots=True)
class ShiftJournal:
    """The entries of one shift, of which the last may be from the dock, and who was signed on."""

    name: str
    recorder: str
    officer: Officer | None
    signed_on: Entry | None
    entries: tuple[Entry, ...]


def shift_journals(recorder: str, entries: Sequence[Entry]) -> Iterator[ShiftJournal]:
    """A journal cut where `evidence.account` cuts it: each shift with what followed until the next one began."""
    begins, open_since = [], None
    for place, entry in enumerate(entries):
        if entry.kind in ("power_on", "undocked") and open_since is None:
            open_since = place
            begins.append(place)
        elif entry.kind == "docked":
            open_since = None
    signed_on: Entry | None = None
    borders = [0, *begins[1:], len(entries)] if begins else []
    for number, (first, end) in enumerate(pairwise(borders), 1):
        own = tuple(entries[first:end])
        signed_on = signed_on_after(own, signed_on)
        officer = None if signed_on is None else Officer.from_fields(signed_on.fields)
        yield ShiftJournal(f"{recorder}-s{number:04d}", recorder, officer, signed_on, own)


def signed_on_after(entries: Iterable[Entry], before: Entry | None) -> Entry | None:
    """Who wore the recorder last; after power on nobody does until somebody has signed on."""
    for entry in entries:
        if entry.kind in ("power_on", "sign_on"):
            before = entry if entry.kind == "sign_on" else None
    return before


def shift_facts(shift: ShiftJournal) -> ShiftFacts | None:
    """Of a shift in which the recorder was used or looked at; None when it only lay there."""
    checks = [one for one in shift.entries if one.kind == "pre_use_check"]
    starts = [one for one in shift.entries if one.kind == "recording_started"]
    if not checks and not starts:
        return None
    faults = [one for one in shift.entries if one.kind in ("fault", "fault_cleared")]
    first_use = starts[0].seq if starts else None
    before = [one for one in checks if first_use is None or one.seq < first_use]
    return ShiftFacts(
        subject=shift.name,
        entries=proofs_of(shift.signed_on, *checks, *starts[:1], *faults),
        officer=None if shift.officer is None else shift.officer.number,
        fit=bool(before[-1].fields["fit"]) if before else None,
        recorded=bool(starts),
        faults=tuple(_faults(faults, starts)),
    )


def _faults(told: Sequence[Entry], starts: Sequence[Entry]) -> Iterator[FaultFacts]:
    """Each fault of a part, up to when the same part was well again."""
    for fault in told:
        if fault.kind == "fault":
            part = fault.fields["part"]
            wells = (
                one.seq
                for one in told
                if one.kind == "fault_cleared" and one.fields["part"] == part and one.seq > fault.seq
            )
            well = next(wells, None)
            used = any(fault.seq < one.seq and (well is None or one.seq < well) for one in starts)
            yield FaultFacts(part, cleared=well is not None, used_after=used)


def pauses(shift: ShiftJournal, clocks: Clocks) -> Iterator[PauseFacts]:
    """Declared pauses; one that nobody has ended lasts to the shift's last entry."""
    told: dict[str, list[Entry]] = {}
    for one in shift.entries:
        if one.kind in ("paused", "pause_reason", "pause_ended"):
            told.setdefault(one.fields["pause"], []).append(one)
    for name, entries in told.items():
        by_kind = {one.kind: one for one in entries}
        began, reason = by_kind.get("paused"), by_kind.get("pause_reason")
        if began is None:
            continue
        ended = by_kind.get("pause_ended", shift.entries[-1])
        lasted_us = clocks.at(ended.at).utc_us - clocks.at(began.at).utc_us
        yield PauseFacts(
            subject=name,
            entries=proofs_of(*entries),
            reason=None if reason is None else reason.fields["reason"],
            overrun=lasted_us > began.fields["limit_s"] * 1_000_000,
        )
