"""Asking for a view of evidence and approving it: two persons sign, the dock's journal keeps what they have signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dock.clock import Clock
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from dock.journal_reader import LedgerReader
from dock.person_desk import PersonKey
from evidence.approvals import SHORT, Asked, Ledger, View, about_approval, refuse, short_name
from evidence.certificates import Trust
from evidence.errors import BadInputError
from evidence.io.durable import Disc
from evidence.io.token_file import read_lines
from evidence.journal import Entry, read_entry, token_hash
from evidence.kinds import BLOB_KINDS, PART_KINDS
from evidence.persons import Act


@dataclass(frozen=True, slots=True)
class Evidence:
    """A segment, photo or note that a recorder has told of: from when to when, UTC in microseconds."""

    item: str
    begin_us: int
    end_us: int


class Views:
    """Requests and approvals at one dock."""

    def __init__(self, folder: DockFolder, disc: Disc, clock: Clock) -> None:
        """Raises ConfigError when the folder is no dock."""
        self._folder = folder
        self._clock = clock
        self._journal = DockJournal(folder, disc, clock)
        self._reader = LedgerReader(folder, Trust(folder.ca_certificate.read_bytes(), str(folder.ca_certificate)))

    def ledger(self) -> Ledger:
        """Persons and requests as the journal has them now. Raises LiuhenError for a journal that is not the dock's."""
        with self._journal.held():
            return self._reader.catch_up()

    def evidence(self, recorder: str) -> list[Evidence]:
        """What may be asked for of a recorder. Raises BadInputError when nothing of it is here."""
        path = self._folder.journal(recorder)
        if not path.exists():
            raise BadInputError(f"recorder {recorder}", "has given no journal to this dock", "offload it first")
        return list(evidence_of(read_entry(token, str(path)) for token in read_lines(path)))

    def ask(self, who: PersonKey, asked: Asked) -> View:
        """Sign and journal a request (weixian 22, xuchang 16). Raises RefusedError, BadInputError, DiscError."""
        known = {one.item for one in self.evidence(asked.recorder)}
        for item in asked.items:
            if item not in known:
                hint = "liuhen dock ask --list shows what there is"
                raise BadInputError(f"item {item}", f"is nothing that {asked.recorder} has recorded", hint)
        token = who.sign(Act.ASK, Asked.from_fields(asked.to_fields()).to_fields(), self._clock.now())
        with self._journal.adding() as add:
            ledger = self._reader.catch_up()
            refuse(f"查阅申请 request by {who.person}", ledger.may_ask(token))
            ledger.take(add("view_asked", {"request": token_hash(token), "statement": token}))
        return ledger.find(token_hash(token))

    def approve(self, who: PersonKey, request: str) -> View:
        """Sign and journal that a request is approved. Raises RefusedError, BadInputError, DiscError."""
        with self._journal.adding() as add:
            ledger = self._reader.catch_up()
            name = ledger.find(request).request
            token = who.sign(Act.APPROVE, about_approval(name), self._clock.now())
            refuse(f"查阅申请 request {short_name(name)[:SHORT]}", ledger.may_approve(name, token))
            ledger.take(add("view_approved", {"request": name, "statement": token}))
        return ledger.find(name)


def evidence_of(entries: Iterable[Entry]) -> Iterator[Evidence]:
    """What a recorder's journal tells of: sealed segments from their first to their last part, photos and notes."""
    times: dict[str, tuple[int, int]] = {}
    for entry in entries:
        at_us = entry.at.utc_us
        if entry.kind in PART_KINDS:
            begin_us, end_us = times.get(entry.fields["segment"], (at_us, at_us))
            times[entry.fields["segment"]] = (min(begin_us, at_us), max(end_us, at_us))
        elif entry.kind == "segment":
            name = entry.fields["segment"]
            begin_us, end_us = times.get(name, (at_us, at_us))
            # The first fragments of a recording were captured before the first part was written.
            yield Evidence(name, min(begin_us, end_us - entry.fields["duration_us"]), end_us)
        elif entry.kind in BLOB_KINDS:
            yield Evidence(entry.fields["blob"], at_us, at_us)


def between(evidence: Iterable[Evidence], begin_us: int, end_us: int) -> tuple[str, ...]:
    """The names of what lies wholly or partly in this time."""
    return tuple(one.item for one in evidence if one.begin_us <= end_us and begin_us <= one.end_us)
