"""Clearing a blocked recorder: two persons have looked into it, and sign that it may go on (weixian 23(3))."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dock.catalogue import Catalogue
from dock.clock import Clock
from dock.dock_journal import DockJournal
from dock.folder import JOURNAL_OWNER, DockFolder
from dock.journal_reader import LedgerReader
from dock.person_desk import PersonKey
from evidence.acts import about_block, check_clearing
from evidence.certificates import Trust
from evidence.errors import BadInputError
from evidence.io.durable import Disc
from evidence.journal import Entry, read_entry
from evidence.persons import Act


class Clearing:
    """The dock's side of it."""

    def __init__(self, folder: DockFolder, disc: Disc, clock: Clock) -> None:
        """Raises ConfigError when the folder is no dock."""
        self._folder = folder
        self._clock = clock
        self._journal = DockJournal(folder, disc, clock)
        self._trust = Trust(folder.ca_certificate.read_bytes(), str(folder.ca_certificate))
        self._reader = LedgerReader(folder, self._trust)

    def blocked(self, device: str) -> Entry:
        """The dock's latest entry that blocks this recorder. Raises BadInputError when it is not blocked, DiscError."""
        with self._journal.held(), self._catalogue() as catalogue:
            return _block(catalogue, device)

    def sign(self, device: str, who: PersonKey) -> str:
        """One person's statement that this recorder may go on; nothing is journalled yet.

        Raises BadInputError when it is not blocked, RejectedError when this person may not say so.
        """
        with self._journal.held(), self._catalogue() as catalogue:
            about = about_block(_block(catalogue, device))
            token = who.sign(Act.CLEAR, about, self._clock.now())
            self._reader.catch_up().persons.check(token, self._trust, Act.CLEAR, about)
        return token

    def clear(self, device: str, statements: Sequence[str]) -> Entry:
        """Journal that this recorder is blocked no more. The receiver learns of it with the recorder's next offer.

        Raises BadInputError when it is not blocked, RejectedError unless two different persons say so, DiscError.
        """
        with self._journal.adding() as add, self._catalogue() as catalogue:
            blocked = _block(catalogue, device)
            check_clearing(self._reader.catch_up().persons, self._trust, blocked, statements)
            fields = {"recorder": device, "blocked_seq": blocked.seq, "statements": list(statements)}
            cleared = add("cleared", fields)
            catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
        return cleared

    @contextmanager
    def _catalogue(self) -> Iterator[Catalogue]:
        """As far as the journal, which the caller holds."""
        catalogue = Catalogue(self._folder.catalogue)
        try:
            catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
            yield catalogue
        finally:
            catalogue.close()


def _block(catalogue: Catalogue, device: str) -> Entry:
    token = catalogue.block(device)
    if token is None:
        hint = "liuhen dock blocked lists those that are"
        raise BadInputError(f"执法记录仪 recorder {device}", "未停用 is not blocked", hint)
    return read_entry(token, f"block of {device}")
