"""Bytes in, verdict out: is this journal, is this segment what the recorder signed, and where is it first not? Pure.

A verdict says how much is known, not only yes or no: what is there may be authentic although something is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from evidence.certificates import Identity, Role, Trust
from evidence.errors import BadInputError, ChainError, LiuhenError, NewerVersionError, UnknownKeyError
from evidence.journal import EMPTY, Entry, StatedHead, check_link, read_entry
from evidence.receipts import DOCK
from evidence.signing import to_base64url


class Verdict(StrEnum):
    """From best to worst."""

    AUTHENTIC = "authentic"
    GAPS = "authentic with gaps"
    """Everything that is there is what was signed; something that was signed is not there."""
    NEWER_VERSION = "newer version"
    UNKNOWN_KEY = "unknown key"
    NOT_SIGNED = "not signed"
    NOT_AUTHENTIC = "not authentic"


EXIT_CODES = {
    Verdict.AUTHENTIC: 0,
    Verdict.GAPS: 3,
    Verdict.NEWER_VERSION: 2,
    Verdict.UNKNOWN_KEY: 1,
    Verdict.NOT_SIGNED: 1,
    Verdict.NOT_AUTHENTIC: 1,
}
ORDER = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is not as it should be: where, and what."""

    verdict: Verdict
    where: str
    what: str


@dataclass(slots=True)
class Report:
    """What was looked at and what was found; `defects` in the order in which they were met."""

    entries: int = 0
    segments: int = 0
    checked_bytes: int = 0
    defects: list[Defect] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """The worst that was found."""
        return max((defect.verdict for defect in self.defects), key=ORDER.index, default=Verdict.AUTHENTIC)

    @property
    def first(self) -> Defect | None:
        """The first defect of the worst kind."""
        worst = self.verdict
        return next((defect for defect in self.defects if defect.verdict is worst), None)

    def add(self, verdict: Verdict, where: str, what: str) -> None:
        """Note a defect."""
        self.defects.append(Defect(verdict, where, what))

    def add_error(self, error: LiuhenError, where: str = "") -> None:
        """Note what an error means for the verdict."""
        self.add(verdict_of(error), where or error.where, error.what)


def verdict_of(error: LiuhenError) -> Verdict:
    """What it means for evidence that reading it raised this."""
    match error:
        case NewerVersionError():
            return Verdict.NEWER_VERSION
        case UnknownKeyError():
            return Verdict.UNKNOWN_KEY
    return Verdict.NOT_AUTHENTIC


class JournalCheck:
    """Checks a journal entry by entry: signature, owner, chain. Stops believing at the first defect."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self.identity: Identity | None = None
        self.head = EMPTY

    def take(self, token: str, where: str) -> Entry:
        """The next entry, verified. Raises LiuhenError that says why it is not what should stand here."""
        entry = read_entry(token, where)
        if entry.x5c:
            self.identity = identify_signer(entry, self._trust)
        if self.identity is None:
            raise UnknownKeyError(where, "nothing before it carries the certificate of its key")
        if entry.device != self.identity.name:
            raise ChainError(where, f"belongs to {entry.device}, in a journal of {self.identity.name}")
        entry.verify(self.identity.key)
        check_link(self.head, entry)
        self.head = entry.head
        return entry

    def check_end(self, stated: StatedHead) -> None:
        """Compare with a verified statement of where the journal ended. Raises ChainError when the tail is missing."""
        if stated.head.seq > self.head.seq:
            missing = f"{self.head.seq + 1} to {stated.head.seq}"
            raise ChainError(f"journal of {stated.journal}", f"entries {missing} at its end are missing")
        if stated.head.seq == self.head.seq and stated.head != self.head:
            raise ChainError(f"journal of {stated.journal}", "does not end with the entry that was stated")


def identify_signer(entry: Entry, trust: Trust) -> Identity:
    """Who signed an entry that carries its certificate. Raises UnknownKeyError, SignatureError."""
    if not entry.x5c:
        raise UnknownKeyError(f"entry {entry.seq} of {entry.device}", "does not carry a certificate")
    identity = trust.identify_der(entry.x5c[0])
    role = Role.DOCK if entry.device == DOCK else Role.RECORDER
    if identity.role is not role or identity.name != entry.device:
        where = f"entry {entry.seq} of {entry.device}"
        raise UnknownKeyError(where, f"is signed by the {identity.role} {identity.name}")
    entry.verify(identity.key)
    return identity


@dataclass(frozen=True, slots=True)
class SegmentCheck:
    """A segment's bytes against its seal."""

    missing: tuple[int, ...]
    first_bad: int | None
    bad_at_bytes: int


def check_segment(seal: Entry, size_bytes: int, read: Callable[[int, int], bytes]) -> SegmentCheck:
    """Compare bytes, read piece by piece with `read(offset, length)`, with a verified `segment` entry.

    Parts that are left out are gaps; anything else, a flipped bit, a swapped or repeated part, bytes too many, is bad
    from `bad_at_bytes` on.
    """
    place, missing = 0, []
    whole = sha256()
    for index, (length, expected) in enumerate(seal.fields["parts"]):
        part = read(place, length) if place + length <= size_bytes else b""
        if part and to_base64url(sha256(part).digest()) == expected:
            place += length
            whole.update(part)
        else:
            missing.append(index)
    if place != size_bytes:
        return SegmentCheck(tuple(missing), missing[0] if missing else len(seal.fields["parts"]), place)
    if not missing and to_base64url(whole.digest()) != seal.fields["sha256"]:
        raise BadInputError(f"entry {seal.seq} of {seal.device}", "seals parts and a file that do not agree")
    return SegmentCheck(tuple(missing), None, place)


def report_segment(report: Report, seal: Entry, size_bytes: int, read: Callable[[int, int], bytes], name: str) -> None:
    """Check one segment and note what is found."""
    result = check_segment(seal, size_bytes, read)
    report.segments += 1
    report.checked_bytes += size_bytes
    parts = len(seal.fields["parts"])
    if result.first_bad is not None:
        part = "after the last part" if result.first_bad >= parts else f"part {result.first_bad} of {parts}"
        report.add(Verdict.NOT_AUTHENTIC, f"{name} byte {result.bad_at_bytes}", f"{part} is not what was signed")
    elif result.missing:
        listed = ", ".join(str(index) for index in result.missing[:8])
        report.add(Verdict.GAPS, name, f"{len(result.missing)} of {parts} parts are missing: {listed}")
    if not seal.fields["complete"]:
        report.add(Verdict.GAPS, name, "was sealed as incomplete by the recorder")
