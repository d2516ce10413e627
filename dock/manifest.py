"""What makes a part acceptable and a segment complete. Pure rules, no disc."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from typing import Any

from evidence.errors import RejectedError
from evidence.journal import Entry
from evidence.kinds import PART_KINDS
from evidence.model import SEGMENT_ID
from evidence.signing import VerifyKey, to_base64url
from evidence.wire import Up

PART_LIMIT_BYTES = 64 * 1024 * 1024
SEGMENT_LIMIT_BYTES = 1024 * 1024 * 1024
PART_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Part:
    """One stored part of a segment that is not complete yet."""

    device: str
    segment: str
    part: int
    offset_bytes: int
    stored_bytes: int
    stored_sha256: str

    def row(self) -> dict[str, Any]:
        """Its columns in the catalogue."""
        return {name: getattr(self, name) for name in Part.__slots__}


@dataclass(frozen=True, slots=True)
class Seal:
    """A recorder's `segment` entry, and where its manifest puts each part: offset and size in bytes, hash."""

    entry: Entry
    places: tuple[tuple[int, int, str], ...]

    def has(self, part: Part) -> bool:
        """Whether a part is the one that the manifest has under its index, right behind those before."""
        place = (part.offset_bytes, part.stored_bytes, part.stored_sha256)
        return part.part < len(self.places) and place == self.places[part.part]


def read_seal(entry: Entry) -> Seal:
    """Lay the parts of a `segment` entry one behind the other."""
    parts = entry.fields["parts"]
    offsets = accumulate((part[0] for part in parts), initial=0)
    return Seal(entry, tuple((offset, *part[:2]) for offset, part in zip(offsets, parts, strict=False)))


def part_name(segment: str, index: int | str) -> str:
    """What a part is called where something is said about it: the end of its topic."""
    return f"{Up.FRAGMENT}/{segment}/{index}"


def part_of(entry: Entry) -> Part:
    """The part that a part's entry describes."""
    fields = entry.fields
    return Part(
        entry.device, fields["segment"], fields["index"],
        fields["offset_bytes"], fields["stored_bytes"], fields["stored_sha256"],
    )  # fmt: skip


def read_name(rest: Sequence[str]) -> tuple[str, int]:
    """Segment and index from a topic's end. Raises RejectedError."""
    match rest:
        case [segment, index] if SEGMENT_ID.fullmatch(segment) and index.isascii() and index.isdecimal():
            if len(index) <= len(str(PART_LIMIT)):
                return segment, int(index)
    raise RejectedError("part", f"has the impossible name {'/'.join(rest)[:80]!r}")


def hash_part(stored: memoryview) -> str:
    """SHA-256 of a part's bytes, base64url."""
    return to_base64url(sha256(stored).digest())


def check_entry(entry: Entry, key: VerifyKey) -> Part:
    """The part that a part's entry describes, once its kind and its signature are right. Raises LiuhenError."""
    if entry.kind not in PART_KINDS:
        raise RejectedError("part", f"comes with an entry of kind {entry.kind}")
    entry.verify(key)
    return part_of(entry)


def check_part(part: Part, size_bytes: int, digest: str) -> None:
    """Check size and hash of what came; `part` is what its entry says. Raises RejectedError."""
    where = f"part {part.part} of {part.segment}"
    if not within_limits(part):
        raise RejectedError(where, "is larger or lies further in than any part may")
    if size_bytes != part.stored_bytes:
        raise RejectedError(where, f"has {size_bytes} bytes, its entry says {part.stored_bytes}")
    if digest != part.stored_sha256:
        raise RejectedError(where, "has bytes that do not fit the hash in its entry")


def check_place(part: Part, seal: Seal | None, others: Iterable[Part]) -> None:
    """Check that a part belongs where it wants to go. Raises RejectedError.

    After the seal its manifest decides; before it, no part may lie over another one.
    """
    where = f"part {part.part} of {part.segment}"
    if seal is not None:
        if not seal.has(part):
            raise RejectedError(where, "is not the part that the recorder sealed")
        return
    end_bytes = part.offset_bytes + part.stored_bytes
    for other in others:
        if other.part == part.part:
            raise RejectedError(where, "is stored already with other content")
        if part.offset_bytes < other.offset_bytes + other.stored_bytes and other.offset_bytes < end_bytes:
            raise RejectedError(where, f"lies over part {other.part}")


def within_limits(part: Part) -> bool:
    """Whether any recorder may have a part of this size there."""
    return part.stored_bytes <= PART_LIMIT_BYTES and part.offset_bytes + part.stored_bytes <= SEGMENT_LIMIT_BYTES
