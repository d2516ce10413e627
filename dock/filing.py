"""What people have to tell the dock because nothing else knows it; each becomes an entry of the dock's journal.

Classification (weixian 17, xuchang 17), reviews (general 19, xuchang 22, changzhi 33), duty elsewhere (pingluo 9), the
monthly archive (xuchang 11), the list of matters to be recorded (pingluo 7, changzhi 6), cases and their files (pingluo
7, 10; changzhi 29; general 16), acts, long-term evidence (general 17, weixian 19, xuchang 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dock.books import gather_from, read_books
from dock.clock import Clock
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from evidence.errors import BadInputError
from evidence.io.durable import Disc
from evidence.journal import Entry
from evidence.model import EPOCH, utc_from_text, utc_text
from evidence.regimes.calendar import CHINA
from evidence.regimes.facts import Excuse, Field, Moment, Note, RecordingFacts, Said, Situation, Trigger
from evidence.regimes.gathering import Shift
from evidence.regimes.gathering_cases import CaseBook

OPTIONS: Mapping[Field, str] = {
    Field.UNIT: "--unit", Field.OFFICER: "--officer", Field.TIME_OF_USE: "--from and --to",
    Field.PARTY: "--party", Field.CAUSE: "--cause",
}  # fmt: skip
"""How a person tells what the recorder does not know."""


@dataclass(frozen=True, slots=True)
class Classification:
    """The fields by which a recording is filed, as far as they are known; times are UTC texts."""

    party: str | None = None
    cause: str | None = None
    unit: str | None = None
    officer: str | None = None
    used_from: str | None = None
    used_to: str | None = None

    @property
    def missing(self) -> tuple[Field, ...]:
        """What has still to be told."""
        known = {
            Field.UNIT: self.unit, Field.OFFICER: self.officer, Field.PARTY: self.party, Field.CAUSE: self.cause,
            Field.TIME_OF_USE: self.used_from and self.used_to,
        }  # fmt: skip
        return tuple(name for name, value in known.items() if not value)

    def over(self, told: Classification) -> Classification:
        """What `told` says, and where it says nothing this."""
        names = self.__dataclass_fields__
        return Classification(**{name: getattr(told, name) or getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording that the dock knows of, in its shift."""

    facts: RecordingFacts
    shift: Shift

    @property
    def known(self) -> Classification:
        """What the recorder knows of its classification."""
        officer = self.shift.officer
        return Classification(
            unit=None if officer is None else officer.unit,
            officer=None if officer is None else officer.number,
            used_from=_believed(self.facts.began),
            used_to=_believed(self.facts.ended),
        )


class FilingDesk:
    """A clerk at one dock's folder, beside the receivers that work there."""

    def __init__(self, folder: DockFolder, disc: Disc, clock: Clock) -> None:
        """Raises ConfigError when the folder is no dock."""
        self._folder = folder
        self._journal = DockJournal(folder, disc, clock)

    def recordings(self) -> list[Kept]:
        """All that are known here. Raises BadInputError, ChainError."""
        shifts = gather_from(self._folder, ()).shifts
        return [Kept(one, shift) for shift in shifts for one in shift.recordings]

    def unclassified(self) -> list[Kept]:
        """Those that are over and of which something has still to be told. Raises the same."""
        return [one for one in self.recordings() if one.facts.ended and one.facts.classified != frozenset(Field)]

    def classify(self, recording: str, told: Classification, author: str, again: bool = False) -> Entry:
        """Journal by what a recording is filed. `again` corrects what was told before.

        Raises BadInputError that names what is still missing, DiscError.
        """
        kept = self._known(recording)
        where = f"recording {recording}"
        if kept.facts.ended is None:
            raise BadInputError(where, "is still being recorded", "classify it when it is over")
        if kept.facts.classified == frozenset(Field) and not again:
            raise BadInputError(where, "is classified already", "--again corrects it")
        full = kept.known.over(told)
        if full.missing:
            hint = "give " + ", ".join(OPTIONS[name] for name in full.missing)
            raise BadInputError(where, f"lacks {', '.join(full.missing)}, which nothing here knows", hint)
        fields = {name: getattr(full, name) for name in full.__dataclass_fields__}
        if utc_from_text(fields["used_to"]) < utc_from_text(fields["used_from"]):
            raise BadInputError(where, "ends before it begins", "look at --from and --to")
        return self._add("classified", author, recorder=kept.shift.recorder, recording=recording, **fields)

    def review(self, recording: str, said: Iterable[Said], remark: str | None, author: str) -> Entry:
        """Journal what somebody heard in the opening statement. Raises BadInputError, DiscError."""
        kept = self._known(recording)
        heard = sorted(set(said))
        return self._add(
            "reviewed", author, recorder=kept.shift.recorder, recording=recording, said=heard, remark=remark
        )

    def away(self, recorder: str, left: str, returned: str | None, reason: str, author: str) -> Entry:
        """Journal a duty elsewhere, from `left` on; again with the same `left` when they have returned. UTC texts.

        Raises BadInputError, DiscError.
        """
        enrolled = {one.fields["recorder"] for one in read_books(self._folder).dock if one.kind == "enrolled"}
        if recorder not in enrolled:
            raise BadInputError(f"recorder {recorder}", "is not enrolled at this dock", "liuhen dock enrol")
        if returned is not None and utc_from_text(returned) < utc_from_text(left):
            raise BadInputError(f"duty of {recorder}", "ends before it begins", "look at --left and --returned")
        return self._add("away", author, recorder=recorder, left=left, returned=returned, reason=reason)

    def archive(self, month: str, medium: str, author: str) -> Entry:
        """Journal that a month's recordings went to the archive. Raises BadInputError, DiscError."""
        return self._add("archived", author, month=month, medium=medium)

    def list_items(self, matters: Sequence[Sequence[str]], author: str) -> Entry:
        """Journal the list of matters to be recorded: matter, scope, stage, manner. Raises BadInputError, DiscError."""
        return self._add("item_list", author, matters=[list(row) for row in matters])

    def keep_case(
        self, case: str, party: str, cause: str, recordings: Iterable[str], ended: str | None, author: str
    ) -> Entry:
        """Journal a case, or what has become known of it: more recordings, its end (UTC text).

        Raises BadInputError, DiscError.
        """
        listed = self._all_known(recordings)
        return self._add("case", author, case=case, party=party, cause=cause, recordings=listed, ended=ended)

    def file_case(self, case: str, years: int | None, author: str) -> Entry:
        """Journal that a file went to the archive, for so many years or (None) for ever. Raises BadInputError."""
        self._refuse_unknown_case(case)
        return self._add("case_filed", author, case=case, years=years)

    def exhibit(
        self, case: str, recording: str, medium: str | None, location: str | None, notes: Iterable[Note], author: str
    ) -> Entry:
        """Journal on what a recording in a case file lies, and what stands beside it. Raises BadInputError."""
        self._refuse_unknown_case(case)
        self._all_known([recording])
        said = {"medium": medium, "location": location, "notes": sorted(set(notes))}
        return self._add("exhibit", author, case=case, recording=recording, **said)

    def act(
        self, act: str, situations: Iterable[Situation], recordings: Iterable[str], excuse: Excuse | None, author: str
    ) -> Entry:
        """Journal an act of enforcement with its recordings, or why there are none. Raises BadInputError."""
        listed, kinds = self._all_known(recordings), sorted(set(situations))
        return self._add("act", author, act=act, situations=kinds, recordings=listed, excuse=excuse)

    def keep_long(self, recording: str, trigger: Trigger, medium: str | None, author: str) -> Entry:
        """Journal that a recording is to be kept for long, and on what it lies. Raises BadInputError."""
        self._all_known([recording])
        return self._add("long_term", author, recording=recording, trigger=trigger, medium=medium)

    def _refuse_unknown_case(self, case: str) -> None:
        known = CaseBook(read_books(self._folder).dock).names()
        if case not in known:
            raise BadInputError(f"case {case}", "is none that this dock has been told of", "liuhen dock case")

    def _all_known(self, recordings: Iterable[str]) -> list[str]:
        """They, sorted; each has to be known."""
        wanted = sorted(set(recordings))
        known = {one.facts.subject for one in self.recordings()} if wanted else set()
        for one in wanted:
            if one not in known:
                raise BadInputError(f"recording {one}", "is none that this dock has been told of")
        return wanted

    def _known(self, recording: str) -> Kept:
        found = next((one for one in self.recordings() if one.facts.subject == recording), None)
        if found is None:
            hint = "liuhen dock classify DIR lists those that are to be classified"
            raise BadInputError(f"recording {recording}", "is none that this dock has been told of", hint)
        return found

    def _add(self, kind: str, author: str, **fields: Any) -> Entry:
        with self._journal.adding() as add:
            return add(kind, {**fields, "author": author})


def utc_of(wall: str) -> str:
    """A wall clock in China, as in `2026-11-25 08:00`, as UTC text. Raises BadInputError."""
    try:
        moment = datetime.fromisoformat(wall)
    except ValueError as error:
        raise BadInputError(f"time {wall!r}", "is no time", 'for example "2026-11-25 08:00"') from error
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=CHINA)
    return utc_text(int((aware - EPOCH).total_seconds()) * 1_000_000 + aware.microsecond)


def _believed(moment: Moment | None) -> str | None:
    return None if moment is None or not moment.believed else utc_text(moment.utc_us)
