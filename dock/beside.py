"""What comes in beside segments, photos, notes and urgent reports, and what the dock says about interruptions.

The same order as everywhere: verified, durable, then journalled, then answered. A blob is believed by the entry in the
dock's copy of the recorder's journal; a report is the entry, so it is believed before that journal has come in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from dock.catalogue import Catalogue
from dock.dock_journal import DockJournal
from dock.folder import JOURNAL_OWNER
from dock.vault import Vault
from evidence.errors import RejectedError
from evidence.journal import Entry, read_entry
from evidence.kinds import HASH, INTERRUPTION_ID
from evidence.receipts import BLOB_STORED, REPORT_TAKEN
from evidence.signing import VerifyKey, to_base64url
from evidence.wire import BLOB_LIMIT_BYTES, BLOB_RANGES, Octets, Ranges, Topic, Up, read_part

LOG = logging.getLogger("liuhen.dock")


@dataclass(frozen=True, slots=True)
class BlobStates:
    """Of some blobs: what the dock lacks of them as a want says it, and the receipts of those that it has."""

    lacks: Mapping[str, Ranges]
    receipts: Mapping[str, str]


class Beside:
    """The rules at work on one dock's folder, as `dock.intake` for segments."""

    def __init__(self, journal: DockJournal, catalogue: Catalogue, vault: Vault) -> None:
        self._journal = journal
        self._catalogue = catalogue
        self._vault = vault

    def take_blob(self, topic: Topic, payload: Octets, blocked: bool) -> None:
        """Store a photo or a note and journal its receipt, unless that has been done. Raises LiuhenError, DiscError.

        One that comes before its journal entry is left, and so it is asked for again. One of a blocked recorder is
        stored without a receipt, or, when its entry is of another branch than the dock holds, kept aside.
        """
        device, blob = topic.device, read_blob_name(topic)
        token, stored = read_part(payload)
        known = self._catalogue.blobs(device, [blob]).get(blob)
        if known is None or known.entry is None:
            if blocked:
                raise RejectedError(blob_what(blob), "comes from a blocked recorder, with an entry that the dock lacks")
            LOG.info("too early recorder=%s blob=%s", device, blob)
            return
        if known.entry != token:
            raise RejectedError(blob_what(blob), "comes with another entry than the journal has about it")
        if known.receipt is None:
            entry = read_entry(token, blob_what(blob))
            _check_content(entry, stored)
            self._vault.store_blob(entry, stored)
            if blocked:
                return
            fields = {"blob": blob, "stored_bytes": len(stored)}
            self._answer(BLOB_STORED, entry, fields, lambda: self._catalogue.blobs(device, [blob])[blob].receipt)

    def blob_states(self, device: str, blobs: Iterable[str], attempts: int, blocked: bool) -> BlobStates:
        """What to say about these blobs. One that was rejected so often is not asked for any more."""
        names = list(blobs)
        if not names:
            return BlobStates({}, {})
        known = self._catalogue.blobs(device, names)
        receipts = {blob: str(row.receipt) for blob, row in known.items() if row.receipt is not None}
        lacking = (blob for blob in names if blob not in receipts)
        lacks: dict[str, Ranges] = {
            blob: () if self._catalogue.rejected_times(device, blob_what(blob)) >= attempts else BLOB_RANGES
            for blob in lacking
        }
        if blocked:
            stored = (blob for blob, row in known.items() if row.entry and self._vault.has_blob(read_entry(row.entry)))
            return BlobStates({**lacks, **dict.fromkeys(stored, ())}, {})
        return BlobStates(lacks, receipts)

    def take_report(self, topic: Topic, payload: Octets, key: VerifyKey) -> str | None:
        """Keep an urgent report and give its receipt; None for one that is taken back.

        Raises LiuhenError, DiscError.
        """
        if not payload:
            return None
        device, interruption = topic.device, read_interruption(topic)
        where = f"report of {interruption}"
        entry = read_entry(payload.decode("ascii", errors="replace"), where)
        if (entry.kind, entry.device, entry.fields.get("interruption")) != ("reported", device, interruption):
            raise RejectedError(where, "is the entry of something else")
        entry.verify(key)
        self._vault.store_report(entry)
        fields = {"interruption": interruption}
        return self._answer(REPORT_TAKEN, entry, fields, lambda: self._taken(device, interruption))

    def unheard(self, device: str) -> list[str]:
        """The dock's words on this recorder's interruptions that it has not journalled yet."""
        return self._catalogue.unheard(device)

    def _taken(self, device: str, interruption: str) -> str | None:
        row = self._catalogue.interruption(device, interruption)
        return None if row is None else row.report_taken

    def _answer(self, kind: str, entry: Entry, fields: Mapping[str, Any], known: Callable[[], str | None]) -> str:
        """The one answer to this entry: from the journal, or added now."""
        with self._journal.adding() as add:
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
            if (token := known()) is not None:
                return token
            named = {"recorder": entry.device, "entry_seq": entry.seq, "entry_hash": entry.head.hash}
            answer = add(kind, {**fields, **named})
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
        return answer.token


def read_blob_name(topic: Topic) -> str:
    """The blob's name from a topic's end. Raises RejectedError."""
    match topic.rest:
        case (blob,) if HASH.fullmatch(blob):
            return blob
    raise RejectedError("blob", f"has the impossible name {'/'.join(topic.rest)[:80]!r}")


def read_interruption(topic: Topic) -> str:
    """The interruption that a report's topic names. Raises RejectedError."""
    match topic.rest:
        case (interruption,) if INTERRUPTION_ID.fullmatch(interruption):
            return interruption
    raise RejectedError("report", f"has the impossible name {'/'.join(topic.rest)[:80]!r}")


def blob_what(blob: str) -> str:
    """What a blob is called where something is said about it: the end of its topic."""
    return f"{Up.BLOB}/{blob}"


def _check_content(entry: Entry, stored: memoryview) -> None:
    where, fields = blob_what(entry.fields["blob"]), entry.fields
    if len(stored) > BLOB_LIMIT_BYTES:
        raise RejectedError(where, "is larger than any photo or note may be")
    if len(stored) != fields["stored_bytes"]:
        raise RejectedError(where, f"has {len(stored)} bytes, its entry says {fields['stored_bytes']}")
    if to_base64url(sha256(stored).digest()) != fields["stored_sha256"]:
        raise RejectedError(where, "has bytes that do not fit the hash in its entry")
