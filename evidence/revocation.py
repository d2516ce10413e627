"""Whether an entry is still believed whose key has been revoked: the old ones are, newer ones are not. Pure.

The dock's journal says where it stood: `revoked` names the last entry of the recorder that the dock then held. What
stands up to there was written before anybody had a reason to doubt the key; what the dock had given a receipt for,
too. Whoever has the key now can write a different past, but none that ends in the same hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evidence.errors import SignatureError
from evidence.journal import Entry, Head, token_hash

REVOKED = "revoked"
RECEIPT_HASHES: Mapping[str, str] = {
    "stored": "seal_hash", "blob_stored": "entry_hash", "report_taken": "entry_hash",
}  # fmt: skip
"""Under which field a receipt of the dock names the entry that it answers."""


class RevokedError(SignatureError):
    """A signature by a key that the unit had revoked, on an entry that nobody can date before that."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """One key that is not believed any more, and the entry of its recorder up to which it was."""

    recorder: str
    kid: str
    why: str
    last: Head
    dock_seq: int
    """Which entry of the dock's journal says so."""


class Revocations:
    """What the dock's journal says about revoked keys; empty when it says nothing."""

    def __init__(self) -> None:
        self._revoked: dict[str, Revocation] = {}
        self._received: dict[str, int] = {}
        """Under the hash of each entry that has a receipt, the receipt's own number."""

    @classmethod
    def of(cls, dock_entries: Iterable[Entry]) -> Revocations:
        """From the verified entries of the dock's journal."""
        found = cls()
        for entry in dock_entries:
            found.take(entry)
        return found

    def take(self, entry: Entry) -> None:
        """The next verified entry of the dock's journal, in their order."""
        fields = entry.fields
        if entry.kind == REVOKED:
            last = Head(fields["last_seq"], fields["last_hash"])
            # Of two revocations of one key the first is the one that the world could rely on.
            found = Revocation(fields["recorder"], fields["kid"], fields["why"], last, entry.seq)
            self._revoked.setdefault(found.kid, found)
        elif (name := RECEIPT_HASHES.get(entry.kind)) is not None:
            self._received.setdefault(fields[name], entry.seq)

    def check(self, entry: Entry) -> None:
        """Check an entry that stands in its recorder's verified chain. Raises RevokedError.

        Up to the last entry that the dock held the chain itself vouches: it must go through exactly that one.
        """
        revocation = self._revoked.get(entry.kid)
        if revocation is None or entry.seq < revocation.last.seq:
            return
        if entry.seq > revocation.last.seq:
            what = f"is signed by a key that was revoked after entry {revocation.last.seq}: {revocation.why}"
            raise RevokedError(_where(entry), what)
        if entry.head != revocation.last:
            raise RevokedError(_where(entry), "is not the entry that the dock held when its key was revoked")

    def check_end(self, head: Head, kid: str) -> None:
        """Check the end of a chain whose last entry is signed by this key. Raises RevokedError."""
        revocation = self._revoked.get(kid)
        if revocation is not None and head.seq < revocation.last.seq:
            what = f"ends before entry {revocation.last.seq}, the last before its key was revoked: nobody can date it"
            raise RevokedError(f"journal of {revocation.recorder}", what)

    def check_alone(self, entry: Entry) -> None:
        """Check an entry without its chain: only a receipt from before the revocation dates it. Raises RevokedError."""
        revocation = self._revoked.get(entry.kid)
        if revocation is None or self._received.get(token_hash(entry.token), revocation.dock_seq) < revocation.dock_seq:
            return
        what = f"is signed by a key that was revoked, and no receipt dates it before that: {revocation.why}"
        raise RevokedError(_where(entry), what)


def _where(entry: Entry) -> str:
    return f"entry {entry.seq} of {entry.device}"
