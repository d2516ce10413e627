"""The dock's own journal, read from its first entry and verified, for whoever decides by what it says."""

from __future__ import annotations

from itertools import islice

from dock.folder import JOURNAL_OWNER, DockFolder
from evidence.approvals import Ledger
from evidence.certificates import Trust
from evidence.io.token_file import read_lines
from evidence.verify import JournalCheck


class LedgerReader:
    """Persons and requests of a dock. What has been verified once is not read again."""

    def __init__(self, folder: DockFolder, trust: Trust) -> None:
        self._path = folder.journal(JOURNAL_OWNER)
        self._check = JournalCheck(trust, JOURNAL_OWNER)
        self._ledger = Ledger(trust)
        self._read = 0

    def catch_up(self) -> Ledger:
        """Everything up to now; the caller holds the journal.

        What somebody has written there without the dock's key raises LiuhenError, and so does all that follows it:
        nobody is believed by half a journal.
        """
        if self._path.exists():
            for token in islice(read_lines(self._path), self._read, None):
                self._ledger.take(self._check.take(token, f"{self._path.name} entry {self._read}"))
                self._read += 1
        return self._ledger
