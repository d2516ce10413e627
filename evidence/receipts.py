"""The dock's receipt, and what a recorder demands of it before it believes it. Pure."""

from __future__ import annotations

from evidence.errors import BadInputError, RejectedError
from evidence.journal import Entry, read_entry
from evidence.model import Officer
from evidence.signing import VerifyKey

DOCK = "dock"
STORED = "stored"


def read_receipt(token: str, dock_key: VerifyKey) -> Entry:
    """A `stored` entry of the pinned dock's journal. Raises BadInputError, SignatureError, NewerVersionError."""
    return _from_dock(token, dock_key, STORED, "receipt")


def check_receipt(receipt: Entry, seal: Entry) -> None:
    """Check that a verified receipt is for exactly this sealed segment. Raises RejectedError."""
    expected = {
        "recorder": seal.device,
        "segment": seal.fields["segment"],
        "sha256": seal.fields["sha256"],
        "stored_bytes": seal.fields["stored_bytes"],
        "seal_seq": seal.seq,
        "seal_hash": seal.head.hash,
    }
    for name, value in expected.items():
        if receipt.fields[name] != value:
            raise RejectedError(f"receipt for {seal.fields['segment']}", f"states another {name} than the seal")


def read_assignment(token: str, dock_key: VerifyKey, device: str) -> Officer:
    """Who wears this recorder, by the pinned dock's word. Raises BadInputError, SignatureError, RejectedError."""
    entry = _from_dock(token, dock_key, "assignment", "assignment")
    if entry.fields["recorder"] != device:
        raise RejectedError("assignment", f"is for {entry.fields['recorder']}, not for {device}")
    return Officer.from_fields(entry.fields)


def _from_dock(token: str, dock_key: VerifyKey, kind: str, where: str) -> Entry:
    entry = read_entry(token, where)
    entry.verify(dock_key)
    if entry.kind != kind or entry.device != DOCK:
        raise BadInputError(where, f"is an entry of kind {entry.kind} by {entry.device}")
    return entry
