"""Bytes in, verdict out: is this journal, is this segment what the recorder signed, and where is it first not? Pure.

A verdict says how much is known, not only yes or no: what is there may be authentic although something is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from hashlib import sha256
from typing import TypeVar

from evidence.certificates import Identity, Role, Trust, known_time
from evidence.errors import BadInputError, ChainError, LiuhenError, NewerVersionError, UnknownKeyError
from evidence.journal import EMPTY, Entry, StatedHead, check_link, read_certificates, read_entry, verify_token
from evidence.receipts import DOCK
from evidence.revocation import Revocations
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
    blobs: int = 0
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


class Form(Enum):
    """In which of its two forms evidence is looked at: the value is where an entry's `parts` say so."""

    STORED = slice(0, 2)
    """Sealed, as it lies on a card and at the dock. No key is needed to judge it."""
    OPENED = slice(2, 4)
    """The plain bytes that the recorder hashed before it sealed them."""


class JournalCheck:
    """Checks a journal entry by entry: signature, owner, chain. Stops believing at the first defect."""

    def __init__(
        self, trust: Trust, owner: str | None = None, stated: StatedHead | None = None,
        revocations: Revocations | None = None,
    ) -> None:  # fmt: skip
        """`owner` is whose journal it has to be, where that is known; `stated` where it is said to have ended.

        `revocations` are those that the dock's journal knows, where that is at hand.
        """
        self._trust = trust
        self._owner = owner
        self._stated = stated
        self._revocations = revocations or Revocations()
        self._link = EMPTY
        self.identity: Identity | None = None
        self.head = EMPTY

    def take(self, token: str, where: str) -> Entry:
        """The next entry, verified. Raises LiuhenError that says why it is not what should stand here."""
        entry = read_signed(read_entry, token, where, self._trust, self.identity)
        if entry.device != (self._owner or entry.device):
            raise ChainError(where, f"belongs to {entry.device}, in a journal of {self._owner}")
        if entry.x5c:
            self.identity = identify_signer(entry, self._trust)
        elif self.identity is None:
            raise UnknownKeyError(where, "nothing before it carries the certificate of its key")
        else:
            entry.verify(self.identity.key)
        check_link(self.head, entry)
        self._revocations.check(entry)
        self._owner = entry.device
        self.head = entry.head
        if self._stated is not None and entry.seq == self._stated.head.seq:
            self._link = entry.head
        return entry

    def check_end(self) -> None:
        """Compare with the statement of where the journal ended. Raises ChainError when the tail is missing or another.

        One by a key that was revoked must reach what the dock then held, or nobody can date it: raises RevokedError.

        A journal may have grown since: its entries are durable before the statement is.
        """
        if self.identity is not None:
            self._revocations.check_end(self.head, self.identity.key.kid)
        if self._stated is None:
            return
        where, seq = f"journal of {self._stated.journal}", self._stated.head.seq
        if seq > self.head.seq:
            raise ChainError(where, f"entries {self.head.seq + 1} to {seq} at its end are missing")
        if self._link != self._stated.head:
            raise ChainError(where, f"entry {seq} is not the entry that was stated")


Token = TypeVar("Token")


def read_signed(
    read: Callable[[str, str], Token], token: str, where: str, trust: Trust, identity: Identity | None
) -> Token:
    """Read a token. That it is of a newer version is believed only when its key has signed that; else it was altered.

    Every version keeps the envelope: a compact JWS, and its certificates in `x5c`.
    """
    try:
        return read(token, where)
    except NewerVersionError:
        if certificates := read_certificates(token, where):
            identity = trust.identify_der(certificates)
        if identity is not None:
            verify_token(token, identity.key, where)
        raise


def identify_signer(entry: Entry, trust: Trust) -> Identity:
    """Who signed an entry that carries its certificate. Raises UnknownKeyError, SignatureError."""
    if not entry.x5c:
        raise UnknownKeyError(f"entry {entry.seq} of {entry.device}", "does not carry a certificate")
    identity = trust.identify_der(entry.x5c, known_time(entry.at))
    role = Role.DOCK if entry.device == DOCK else Role.RECORDER
    if identity.role is not role or identity.name != entry.device:
        where = f"entry {entry.seq} of {entry.device}"
        raise UnknownKeyError(where, f"is signed by the {identity.role} {identity.name}")
    entry.verify(identity.key)
    return identity


@dataclass(frozen=True, slots=True)
class Match:
    """Bytes against a list of parts: up to `end_bytes` they are parts of the list, in order; `missing` were left out.

    `next_part` is the one after the last that was found.
    """

    missing: tuple[int, ...]
    next_part: int
    end_bytes: int
    sha256: str


def match_parts(
    parts: Sequence[Sequence[int | str]], size_bytes: int, read: Callable[[int, int], bytes | memoryview]
) -> Match:
    """Find parts, each given as length and hash, in bytes that are read piece by piece with `read(offset, length)`."""
    place, next_part, missing = 0, 0, []
    whole = sha256()
    for index, (length, expected) in enumerate(parts):
        part = read(place, int(length)) if place + int(length) <= size_bytes else b""
        if part and to_base64url(sha256(part).digest()) == expected:
            place, next_part = place + len(part), index + 1
            whole.update(part)
        else:
            missing.append(index)
    return Match(tuple(missing), next_part, place, to_base64url(whole.digest()))


@dataclass(frozen=True, slots=True)
class SegmentCheck:
    """A segment's bytes against its seal."""

    missing: tuple[int, ...]
    first_bad: int | None
    bad_at_bytes: int


def check_segment(seal: Entry, form: Form, size_bytes: int, read: Callable[[int, int], bytes]) -> SegmentCheck:
    """Compare bytes with a verified `segment` entry.

    Parts that are left out are gaps; anything else, a flipped bit, a swapped or repeated part, bytes too many, is bad
    from `bad_at_bytes` on, where part `first_bad` should begin.
    """
    match = match_parts([part[form.value] for part in seal.fields["parts"]], size_bytes, read)
    if match.end_bytes != size_bytes:
        return SegmentCheck(match.missing, match.next_part, match.end_bytes)
    whole = seal.fields["sha256"] if form is Form.OPENED and not match.missing else None
    if whole is not None and whole != match.sha256:
        raise BadInputError(f"entry {seal.seq} of {seal.device}", "seals parts and a file that do not agree")
    return SegmentCheck(match.missing, None, match.end_bytes)


def report_segment(
    report: Report, seal: Entry, form: Form, size_bytes: int, read: Callable[[int, int], bytes], name: str
) -> None:
    """Check one segment and note what is found."""
    result = check_segment(seal, form, size_bytes, read)
    report.segments += 1
    report.checked_bytes += size_bytes
    parts = len(seal.fields["parts"])
    if result.first_bad is not None:
        part = "after the last part" if result.first_bad >= parts else f"part {result.first_bad} of {parts}"
        report.add(Verdict.NOT_AUTHENTIC, f"{name} byte {result.bad_at_bytes}", f"{part} is not what was signed")
    elif result.missing:
        clip = _clip(result.missing, parts) if form is Form.OPENED else None
        report.add(Verdict.GAPS, name, clip or missing_parts(result.missing, parts))
    if not seal.fields["complete"]:
        report.add(Verdict.GAPS, name, "was sealed as incomplete by the recorder")


def report_blob(report: Report, entry: Entry, form: Form, data: bytes, name: str) -> None:
    """Check the bytes of a photo or a note against its verified entry, and note what is found."""
    report.blobs += 1
    report.checked_bytes += len(data)
    names = ("stored_bytes", "stored_sha256") if form is Form.STORED else ("bytes", "blob")
    expected, digest = (entry.fields[one] for one in names)
    whole = to_base64url(sha256(data[:expected]).digest()) == digest
    if whole and len(data) > expected:
        report.add(Verdict.NOT_AUTHENTIC, f"{name} byte {expected}", "what follows the end is not what was signed")
    elif not whole:
        cut = f", it is {expected - len(data)} bytes too short" if len(data) < expected else ""
        report.add(Verdict.NOT_AUTHENTIC, f"{name} byte 0", f"is not what was signed{cut}")


def _clip(missing: Sequence[int], parts: int) -> str | None:
    """What is there, when it is a clip: the init section and one run of fragments."""
    there = sorted(set(range(parts)) - set(missing))
    first, last = there[1:2], there[-1:]
    if there[:1] != [0] or not first or last[0] - first[0] + 2 != len(there):
        return None
    return f"clip: parts {first[0]} to {last[0]} of {parts}, the rest was withheld"


def missing_parts(missing: Sequence[int], parts: int) -> str:
    """Which parts are missing, in words."""
    listed = ", ".join(str(index) for index in missing[:8])
    return f"{len(missing)} of {parts} parts are missing: {listed}" + (", ..." if len(missing) > 8 else "")
