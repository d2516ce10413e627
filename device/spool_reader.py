"""The uplink's view of the spool: what waits for the dock, and its bytes. It writes nothing but the dock's word."""

from __future__ import annotations

from dataclasses import dataclass
from io import RawIOBase
from itertools import takewhile

from device.blob_reader import BlobReader
from device.dock_words import Words
from device.reporting import ReportsReader
from device.spool import SpoolPaths
from evidence.errors import DiscError
from evidence.io.durable import Disc
from evidence.io.journal_store import Access, JournalStore
from evidence.journal import Entry
from evidence.kinds import PART_KINDS
from evidence.receipts import STORED, read_word
from evidence.signing import VerifyKey
from evidence.wire import BATCH_LIMIT_BYTES, Octets, Offered, part_head, write_batch


@dataclass(frozen=True, slots=True)
class _Segment:
    """What the journal says of one segment."""

    parts: dict[int, Entry]
    seal: Entry | None


class SpoolReader:
    """The uplink's view of the spool: what waits, and its bytes. Opened on the uplink's own disc thread."""

    def __init__(self, paths: SpoolPaths) -> None:
        self._paths = paths
        self._journal = JournalStore(paths.journal, Access.READ)
        self._segments: dict[str, _Segment] = {}
        self._unreadable: set[str] = set()
        self._words = Words(paths, self._journal)
        self.blobs = BlobReader(paths, self._journal)
        self.reports = ReportsReader(paths, self._journal)

    def head_seq(self) -> int:
        """The number of the last entry."""
        return self._journal.head().seq

    def waiting(self) -> list[Offered]:
        """Sealed segments without a receipt: bookmarked recordings first, then the oldest."""
        seals = {entry.fields["segment"]: entry for entry in self._journal.of_kind("segment")}
        done = self._journal.segments_with("receipt") | self._unreadable
        marked = {entry.fields["recording"] for entry in self._journal.of_kind("bookmark")}
        waiting = [
            seal for segment, seal in seals.items() if segment not in done and not self._paths.receipt(segment).exists()
        ]
        waiting.sort(key=lambda seal: (seal.fields["recording"] not in marked, seal.seq))
        return [Offered(seal.fields["segment"], len(seal.fields["parts"])) for seal in waiting]

    def has_waiting(self) -> bool:
        """Whether any segment or blob waits."""
        return bool(self.waiting() or self.blobs.waiting())

    def batch(self, first_seq: int, last_seq: int) -> bytes:
        """As many entries from `first_seq` on as fit into one message."""
        room = BATCH_LIMIT_BYTES
        tokens: list[str] = []

        def fits(token: str) -> bool:
            nonlocal room
            room -= len(token) + 1
            return room >= 0 or not tokens

        for token in takewhile(fits, self._journal.tokens(first_seq, last_seq)):
            tokens.append(token)
        return write_batch(tokens)

    def part(self, segment: str, index: int) -> bytearray:
        """The message of one part: its entry and its stored bytes. Raises DiscError; then it is not offered again."""
        entry = self._about(segment).parts[index]
        path = self._paths.segment(segment)
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(entry.fields["offset_bytes"])
                return read_behind(part_head(entry.token), file, entry.fields["stored_bytes"])
        except OSError as error:
            self._unreadable.add(segment)
            raise DiscError(str(path), f"cannot be read: {error.strerror}") from error

    def seal(self, segment: str) -> Entry | None:
        """The seal of a segment."""
        return self._about(segment).seal

    def keep_receipt(self, payload: Octets, dock_key: VerifyKey, disc: Disc) -> str:
        """Put the dock's word into the spool and give the name of what it is about.

        Raises LiuhenError when it proves nothing, DiscError.
        """
        said = read_word(payload.decode("ascii", errors="replace"), dock_key)
        answered = self.seal(said.fields["segment"]) if said.kind == STORED else self._words.answered(said)
        return self._words.keep(said, answered, disc)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _about(self, segment: str) -> _Segment:
        if (known := self._segments.get(segment)) is not None:
            return known
        entries = list(self._journal.of_segment(segment))
        parts = {entry.fields["index"]: entry for entry in entries if entry.kind in PART_KINDS}
        read = _Segment(parts, next((entry for entry in entries if entry.kind == "segment"), None))
        if read.seal is not None:
            # One segment at a time is under way, two at its border.
            self._segments = dict([*list(self._segments.items())[-1:], (segment, read)])
        return read


def read_behind(head: bytes, file: RawIOBase, size_bytes: int) -> bytearray:
    """The head and what the file has next, received where it stays. Shorter when the file is. Raises OSError."""
    message = bytearray(len(head) + size_bytes)
    message[: len(head)] = head
    with memoryview(message) as view:
        filled_bytes = len(head)
        while read_bytes := file.readinto(view[filled_bytes:]):
            filled_bytes += read_bytes
    del message[filled_bytes:]
    return message
