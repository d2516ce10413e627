"""The dock's word, a receipt or an explanation, and what a recorder demands of it before it believes it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evidence.errors import BadInputError, RejectedError
from evidence.journal import Entry, read_entry
from evidence.kinds import BLOB_KINDS
from evidence.model import Officer
from evidence.signing import VerifyKey

DOCK = "dock"
STORED, BLOB_STORED, REPORT_TAKEN, EXPLANATION = "stored", "blob_stored", "report_taken", "explanation"
WORDS = (STORED, BLOB_STORED, REPORT_TAKEN, EXPLANATION)
"""The kinds of entries that the dock hands to a recorder as its word; they carry the dock's certificate."""


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


def read_word(token: str, dock_key: VerifyKey) -> Entry:
    """An entry of the pinned dock that is one of its `WORDS`. Raises BadInputError, SignatureError."""
    return _from_dock(token, dock_key, WORDS, "the dock's word")


def check_blob_receipt(receipt: Entry, entry: Entry) -> None:
    """Check that a verified `blob_stored` is for exactly this photo or note. Raises RejectedError."""
    _check_names_entry(receipt, entry, ("blob", "stored_bytes"))


def check_report_receipt(receipt: Entry, reported: Entry) -> None:
    """Check that a verified `report_taken` is for exactly this report. Raises RejectedError."""
    _check_names_entry(receipt, reported, ("interruption",))


def check_explanation(explanation: Entry, interruption: Entry) -> None:
    """Check that a verified `explanation` is about this interruption. Raises RejectedError."""
    about = (interruption.device, interruption.fields["interruption"])
    if (explanation.fields["recorder"], explanation.fields["interruption"]) != about:
        raise RejectedError(f"explanation of {about[1]}", "is about another interruption")


@dataclass(frozen=True, slots=True)
class Answer:
    """A word of the dock answers the recorder's entry of one of `kinds` that has the same `name`.

    It lies on the card under that name behind `prefix`, and the recorder journals it as `noted_as`.
    """

    kinds: tuple[str, ...]
    name: str
    noted_as: str
    prefix: str
    check: Callable[[Entry, Entry], None]


ANSWERS: Mapping[str, Answer] = {
    STORED: Answer(("segment",), "segment", "receipt", "", check_receipt),
    BLOB_STORED: Answer(BLOB_KINDS, "blob", "blob_receipt", "", check_blob_receipt),
    REPORT_TAKEN: Answer(("reported",), "interruption", "report_received", "report-", check_report_receipt),
    EXPLANATION: Answer(("interruption",), "interruption", "written", "written-", check_explanation),
}


def check_word(said: Entry, kind: str, entry: Entry) -> None:
    """Check that a verified word of the dock is of this kind and answers exactly this entry. Raises RejectedError."""
    if said.kind != kind:
        where = f"the dock's word on {entry.fields[ANSWERS[kind].name]}"
        raise RejectedError(where, f"is an entry of kind {said.kind}, not {kind}")
    ANSWERS[kind].check(said, entry)


def word_file(kind: str, name: str) -> str:
    """What the file of a word about the thing of this name is called."""
    return f"{ANSWERS[kind].prefix}{name}.jws"


def read_assignment(token: str, dock_key: VerifyKey, device: str) -> Officer:
    """Who wears this recorder, by the pinned dock's word. Raises BadInputError, SignatureError, RejectedError."""
    entry = _from_dock(token, dock_key, ("assignment",), "assignment")
    if entry.fields["recorder"] != device:
        raise RejectedError("assignment", f"is for {entry.fields['recorder']}, not for {device}")
    return Officer.from_fields(entry.fields)


def _check_names_entry(receipt: Entry, entry: Entry, names: Sequence[str]) -> None:
    expected = {name: entry.fields[name] for name in names}
    expected |= {"recorder": entry.device, "entry_seq": entry.seq, "entry_hash": entry.head.hash}
    for name, value in expected.items():
        if receipt.fields[name] != value:
            raise RejectedError(f"receipt for {entry.fields[names[0]]}", f"states another {name} than the entry")


def _from_dock(token: str, dock_key: VerifyKey, kinds: Sequence[str], where: str) -> Entry:
    entry = read_entry(token, where)
    entry.verify(dock_key)
    if entry.kind not in kinds or entry.device != DOCK:
        raise BadInputError(where, f"is an entry of kind {entry.kind} by {entry.device}")
    return entry
