"""The dock's word in the spool: the uplink puts it there, the recorder's side journals it (`evidence.receipts`).

Both find here which of our entries it has to fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.spool import SpoolPaths
from evidence.errors import DiscError, RejectedError
from evidence.io.durable import Disc
from evidence.io.journal_store import JournalStore
from evidence.journal import Entry
from evidence.receipts import ANSWERS, Answer, check_word


@dataclass(frozen=True, slots=True)
class Word:
    """One answer that the dock may give: to our `entry`, to be kept at `path`."""

    entry: Entry
    path: Path
    noted_as: str
    about: Mapping[str, Any]
    kind: str

    def check(self, said: Entry) -> None:
        """Check that a verified entry of the dock is this answer. Raises RejectedError."""
        check_word(said, self.kind, self.entry)


def latest_word_ns(paths: SpoolPaths) -> int:
    """When a word was last put into the spool or taken out of it, by the file system's time. Raises DiscError."""
    folder = paths.receipt("any").parent
    try:
        return folder.stat().st_mtime_ns
    except OSError as error:
        raise DiscError(str(folder), f"cannot be looked at: {error.strerror}") from error


class Words:
    """The dock's word in one spool, from the side that writes its journal or from the side that reads it."""

    def __init__(self, paths: SpoolPaths, journal: JournalStore) -> None:
        self._paths = paths
        self._journal = journal

    def awaited(self) -> Iterator[Word]:
        """Everything that the dock may answer and that is not journalled yet, oldest entry first. Raises DiscError."""
        for kind, rule in ANSWERS.items():
            known = self._noted(rule)
            for entry in self._journal.of_kind(*rule.kinds):
                if entry.fields[rule.name] not in known:
                    # Of two entries about the same thing the first counts.
                    known.add(entry.fields[rule.name])
                    yield self._word(kind, entry)

    def keep(self, said: Entry, answered: Entry | None, disc: Disc) -> str:
        """Put a verified entry of the dock into the spool and give the name of what it is about.

        `answered` is our entry that it has to fit, None when there is none. Raises RejectedError, DiscError.
        """
        name: str = said.fields[ANSWERS[said.kind].name]
        if answered is None:
            raise RejectedError(f"the dock's word on {name}", "is about something that was never journalled here")
        word = self._word(said.kind, answered)
        word.check(said)
        if not word.path.exists():
            # Not `create`: the recorder may look at any moment, and must never see half of it.
            disc.replace(word.path, f"{said.token}\n".encode("ascii"))
        return name

    def answered(self, said: Entry) -> Entry | None:
        """Our entry that the dock's entry has to fit, None when there is none. Raises DiscError."""
        rule = ANSWERS[said.kind]
        entries = self._journal.of_kind(*rule.kinds)
        return next((entry for entry in entries if entry.fields[rule.name] == said.fields[rule.name]), None)

    def _noted(self, rule: Answer) -> set[str]:
        if rule.name == "segment":
            return self._journal.segments_with(rule.noted_as)
        return {entry.fields[rule.name] for entry in self._journal.of_kind(rule.noted_as)}

    def _word(self, kind: str, entry: Entry) -> Word:
        rule = ANSWERS[kind]
        name = entry.fields[rule.name]
        return Word(entry, self._paths.word(kind, name), rule.noted_as, {rule.name: name}, kind)
