"""What the dock may say to this recorder, one table: on which entry, into which file, journalled as what.

The uplink puts the dock's word into the spool, the recorder's side journals it; both find here what it must fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.spool import SpoolPaths
from evidence.errors import RejectedError
from evidence.io.durable import Disc
from evidence.io.journal_store import JournalStore
from evidence.journal import Entry
from evidence.kinds import BLOB_KINDS
from evidence.receipts import (
    BLOB_STORED,
    EXPLANATION,
    REPORT_TAKEN,
    STORED,
    check_blob_receipt,
    check_explanation,
    check_receipt,
    check_report_receipt,
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """`kinds` of our entries are answered by the dock's entry about the same `name`, which we journal as `noted_as`."""

    kinds: tuple[str, ...]
    name: str
    noted_as: str
    path: Callable[[SpoolPaths, str], Path]
    check: Callable[[Entry, Entry], None]


RULES: Mapping[str, _Rule] = {
    STORED: _Rule(("segment",), "segment", "receipt", SpoolPaths.receipt, check_receipt),
    BLOB_STORED: _Rule(BLOB_KINDS, "blob", "blob_receipt", SpoolPaths.receipt, check_blob_receipt),
    REPORT_TAKEN: _Rule(
        ("reported",), "interruption", "report_received", SpoolPaths.report_receipt, check_report_receipt
    ),
    EXPLANATION: _Rule(("interruption",), "interruption", "written", SpoolPaths.explanation, check_explanation),
}


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
        if said.kind != self.kind:
            raise RejectedError(f"the dock's word on {self.path.stem}", f"is an entry of kind {said.kind}")
        RULES[self.kind].check(said, self.entry)


class Words:
    """The dock's word in one spool, from the side that writes its journal or from the side that reads it."""

    def __init__(self, paths: SpoolPaths, journal: JournalStore) -> None:
        self._paths = paths
        self._journal = journal

    def awaited(self) -> Iterator[Word]:
        """Everything that the dock may answer and that is not journalled yet, oldest entry first. Raises DiscError."""
        for kind, rule in RULES.items():
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
        name: str = said.fields[RULES[said.kind].name]
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
        rule = RULES[said.kind]
        entries = self._journal.of_kind(*rule.kinds)
        return next((entry for entry in entries if entry.fields[rule.name] == said.fields[rule.name]), None)

    def _noted(self, rule: _Rule) -> set[str]:
        if rule.name == "segment":
            return self._journal.segments_with(rule.noted_as)
        return {entry.fields[rule.name] for entry in self._journal.of_kind(rule.noted_as)}

    def _word(self, kind: str, entry: Entry) -> Word:
        rule = RULES[kind]
        name = entry.fields[rule.name]
        return Word(entry, rule.path(self._paths, name), rule.noted_as, {rule.name: name}, kind)
