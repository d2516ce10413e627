"""The uplink's view of the photos and notes on the card: which wait for the dock, and their bytes."""

from __future__ import annotations

from device.spool import SpoolPaths
from evidence.errors import DiscError
from evidence.io.journal_store import JournalStore
from evidence.journal import Entry
from evidence.kinds import BLOB_KINDS
from evidence.wire import part_head


class BlobReader:
    """Opened with the uplink's reading connection, on its thread."""

    def __init__(self, paths: SpoolPaths, journal: JournalStore) -> None:
        self._paths = paths
        self._journal = journal
        self._entries: dict[str, Entry] = {}
        self._unreadable: set[str] = set()

    def waiting(self) -> list[str]:
        """Blobs without a receipt: notes that explain an interruption, then the other notes and photos, oldest first.

        Raises DiscError.
        """
        over = {entry.fields["blob"] for entry in self._journal.of_kind("blob_receipt", "blob_damaged")}
        waiting: dict[str, Entry] = {}
        for entry in self._journal.of_kind(*BLOB_KINDS):
            blob = entry.fields["blob"]
            if blob not in over | self._unreadable and not self._paths.receipt(blob).exists():
                # Of two entries about the same bytes the first is the one that travels.
                waiting.setdefault(blob, entry)
        self._entries |= waiting
        ordered = sorted(waiting.items(), key=lambda item: item[1].fields.get("interruption") is None)
        return [blob for blob, _ in ordered]

    def message(self, blob: str) -> bytes:
        """The message of one blob that has waited: its entry and its stored bytes. DiscError; then it waits no more."""
        entry = self._entries[blob]
        path = self._paths.blob(blob)
        try:
            return part_head(entry.token) + path.read_bytes()
        except OSError as error:
            self._unreadable.add(blob)
            raise DiscError(str(path), f"cannot be read: {error.strerror}") from error
