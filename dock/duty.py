"""What a clerk does at the dock about officers and their interruptions: assign, explain, look at reports.

Every act is an entry in the dock's journal; the receiver hands it to the recorder with its next offer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row

from dock.catalogue import Catalogue
from dock.clock import Clock
from dock.dock_journal import DockJournal
from dock.enrolment import enrolled_key
from dock.folder import JOURNAL_OWNER, DockFolder
from dock.reason_guess import Guess, Listener, guess_reason
from dock.rebuild import rebuild_if_empty
from evidence.certificates import Trust
from evidence.errors import BadInputError, UnknownKeyError
from evidence.explanation import Draft, draft
from evidence.io.durable import Disc
from evidence.io.font import refuse_undrawable
from evidence.io.token_file import TokenFile, read_lines
from evidence.journal import Entry, read_entry
from evidence.model import Officer

TEXT_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class ReportTaken:
    """An urgent report as the head of a unit reads it: who, when, why; and what has been said about it since."""

    recorder: str
    interruption: str
    recording: str
    cause: str
    began: str
    officer: str | None
    name: str | None
    unit: str | None
    taken: str
    reason: str | None
    explanation: str | None

    def to_fields(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


class DutyDesk:
    """A clerk at one dock's folder, beside the receivers that work there."""

    def __init__(self, folder: DockFolder, disc: Disc, clock: Clock) -> None:
        """Raises ConfigError when the folder is no dock."""
        self._folder = folder
        self._disc = disc
        self._journal = DockJournal(folder, disc, clock)
        self._trust = Trust(folder.ca_certificate.read_bytes(), str(folder.ca_certificate))

    def assign(self, recorder: str, officer: Officer) -> Entry:
        """Journal who is to wear a recorder from now on. Raises BadInputError, UnknownKeyError, DiscError."""
        self._refuse_unknown(recorder)
        refuse_undrawable(officer)
        with self._journal.adding() as add:
            return add("assignment", {"recorder": recorder, **officer.to_fields()})

    def explain(self, recorder: str, interruption: str, author: str, text: str, again: bool = False) -> Entry:
        """Journal an officer's written explanation of an interruption (pingluo 8; changzhi 21; xuchang 19).

        `again` adds to one that has been written. Raises BadInputError, UnknownKeyError, DiscError.
        """
        self._refuse_unknown(recorder)
        where, text = f"explanation of {interruption}", text.strip()
        if not text:
            raise BadInputError(where, "is empty", "what happened, and why")
        if len(text) > TEXT_LIMIT:
            raise BadInputError(where, f"has {len(text)} characters, at most {TEXT_LIMIT} are kept", "say it shorter")
        with self._looking(recorder) as catalogue, self._journal.adding() as add:
            catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
            known = catalogue.interruption(recorder, interruption)
            if known is None:
                hint = "the recorder must have given its journal to this dock; liuhen account lists interruptions"
                raise BadInputError(f"interruption {interruption}", f"is none that {recorder} has told of", hint)
            if known.explanation is not None and not again:
                raise BadInputError(f"interruption {interruption}", "is explained already", "--again adds to it")
            fields = {"recorder": recorder, "interruption": interruption, "author": author, "text": text}
            return add("explanation", fields)

    def draft(self, recorder: str, interruption: str) -> Draft:
        """What the recorder's journal knows of an interruption, for the officer to complete.

        Raises BadInputError, UnknownKeyError.
        """
        self._refuse_unknown(recorder)
        path = self._folder.journal(recorder)
        tokens = read_lines(path) if path.exists() else ()
        return draft((read_entry(token, str(path)) for token in tokens), interruption)

    def listen(self, made: Draft, language: str, listener: Listener) -> Guess | None:
        """The reason that the note of a drafted explanation probably gives; a proposal, which closes nothing.

        Raises BadInputError when there is no note at this dock, or it cannot be heard.
        """
        where = f"voice note of {made.interruption.interruption}"
        if made.note is None:
            raise BadInputError(where, "is not there", "the reason was given by button, or not at all")
        try:
            note = self._folder.blob(made.device, "voice_note", made.note).read_bytes()
        except OSError as error:
            raise BadInputError(where, f"is not at this dock yet: {error.strerror}") from error
        return guess_reason(listener, note, language)

    def reports(self) -> list[ReportTaken]:
        """The urgent reports that the dock has taken, oldest first. Raises BadInputError, DiscError."""
        with self._looking() as catalogue:
            with self._journal.held():
                catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
            rows = sorted(catalogue.reports(), key=lambda row: read_entry(row.report_taken).seq)
            return [self._report(row) for row in rows]

    def _report(self, row: Row[Any]) -> ReportTaken:
        path = self._folder.report(row.device, row.interruption)
        fields = read_entry(next(read_lines(path)), str(path)).fields
        said = {name: fields[name] for name in ("recording", "cause", "officer", "name", "unit")}
        return ReportTaken(
            recorder=row.device,
            interruption=row.interruption,
            began=fields["began"]["utc"],
            taken=read_entry(row.report_taken).at.to_fields()["utc"],
            reason=None if row.reason is None else read_entry(row.reason).fields["reason"],
            explanation=None if row.explanation is None else read_entry(row.explanation).fields["text"],
            **said,
        )

    def _refuse_unknown(self, recorder: str) -> None:
        if enrolled_key(self._folder, self._trust, recorder) is None:
            raise UnknownKeyError(f"recorder {recorder}", "is not enrolled at this dock", "liuhen dock enrol")

    @contextmanager
    def _looking(self, recorder: str | None = None) -> Iterator[Catalogue]:
        """The catalogue, with what this recorder's journal says taken in."""
        catalogue = Catalogue(self._folder.catalogue)
        try:
            rebuild_if_empty(self._folder, self._disc, self._journal, catalogue)
            if recorder is not None:
                path = self._folder.journal(recorder)
                with TokenFile(path, recorder, self._disc, self._journal.signer).locked():
                    catalogue.catch_up(recorder, path)
            yield catalogue
        finally:
            catalogue.close()
