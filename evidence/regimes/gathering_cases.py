"""Cases, acts and long-term evidence as facts, from what people told the dock. Pure.

Whatever lengthens how long evidence stays is only ever added to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from evidence.journal import Entry
from evidence.model import ClockGrade, utc_from_text
from evidence.regimes.facts import ActFacts, CaseFacts, Excuse, Exhibit, Moment, Note, Situation, Trigger
from evidence.regimes.gathering_shift import dock_moment, proofs_of
from evidence.regimes.retention import CaseTerm

NOTES, SITUATIONS, TRIGGERS, EXCUSES = map(frozenset, (Note, Situation, Trigger, Excuse))


@dataclass(slots=True)
class _Case:
    entries: list[Entry] = field(default_factory=list)
    recordings: dict[str, Entry | None] = field(default_factory=dict)
    """Each with what was said of its medium last."""
    filed: list[Entry] = field(default_factory=list)

    @property
    def ended(self) -> Moment | None:
        """As a person told it."""
        told = [one.fields["ended"] for one in self.entries if one.kind == "case" and one.fields["ended"] is not None]
        return Moment(utc_from_text(told[-1]), ClockGrade.DOCK) if told else None

    @property
    def years(self) -> int | None:
        """The longest term that was ever named; None: for ever."""
        told = [one.fields["years"] for one in self.filed]
        return None if not told or None in told else max(told)


class CaseBook:
    """What the dock's journal says of cases and acts."""

    def __init__(self, dock: Iterable[Entry]) -> None:
        self._cases: dict[str, _Case] = {}
        self._acts: dict[str, Entry] = {}
        self._long: dict[str, list[Entry]] = {}
        for entry in dock:
            if entry.kind in ("case", "case_filed", "exhibit"):
                self._take_case(self._cases.setdefault(entry.fields["case"], _Case()), entry)
            elif entry.kind == "act":
                self._acts[entry.fields["act"]] = entry
            elif entry.kind == "long_term":
                self._long.setdefault(entry.fields["recording"], []).append(entry)

    def cases(self) -> Iterator[CaseFacts]:
        """In the order in which they were first named."""
        for name, case in self._cases.items():
            yield CaseFacts(
                subject=name,
                entries=proofs_of(*case.entries),
                ended=case.ended,
                filed=dock_moment(case.filed[0]) if case.filed else None,
                exhibits=tuple(_exhibit(recording, said) for recording, said in case.recordings.items()),
            )

    def acts(self) -> Iterator[ActFacts]:
        """The same."""
        for name, entry in self._acts.items():
            fields = entry.fields
            yield ActFacts(
                subject=name,
                entries=proofs_of(entry),
                situations=frozenset(map(Situation, SITUATIONS & set(fields["situations"]))),
                recordings=tuple(fields["recordings"]),
                excuse=Excuse(fields["excuse"]) if fields["excuse"] in EXCUSES else None,
            )

    def names(self) -> frozenset[str]:
        """The cases."""
        return frozenset(self._cases)

    def terms(self, recording: str) -> tuple[CaseTerm, ...]:
        """For how long the cases of a recording are kept."""
        return tuple(
            CaseTerm(name, case.filed[0].at if case.filed else None, case.years)
            for name, case in self._cases.items()
            if recording in case.recordings
        )

    def triggers(self, recording: str) -> frozenset[Trigger]:
        """Why a recording is to be kept for long."""
        told = {entry.fields["trigger"] for entry in self._long.get(recording, ())}
        return frozenset(map(Trigger, TRIGGERS & told))

    def on_disc(self, recording: str) -> bool:
        """Whether somebody has put it on a medium of its own for that."""
        return any(entry.fields["medium"] is not None for entry in self._long.get(recording, ()))

    @staticmethod
    def _take_case(case: _Case, entry: Entry) -> None:
        case.entries.append(entry)
        if entry.kind == "case_filed":
            case.filed.append(entry)
        elif entry.kind == "exhibit":
            case.recordings[entry.fields["recording"]] = entry
        else:
            for recording in entry.fields["recordings"]:
                case.recordings.setdefault(recording, None)


def _exhibit(recording: str, said: Entry | None) -> Exhibit:
    if said is None:
        return Exhibit(recording, on_disc=False, location=False, notes=frozenset())
    fields = said.fields
    notes = frozenset(map(Note, NOTES & set(fields["notes"])))
    return Exhibit(
        recording, on_disc=fields["medium"] is not None, location=fields["location"] is not None, notes=notes
    )
