"""Topics and message bytes of the offload (design section 7, docs/FORMAT.md). Pure: bytes in, message or error out."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from evidence.errors import BadInputError, NewerVersionError
from evidence.journal import TOKEN_LIMIT_BYTES
from evidence.kinds import HASH
from evidence.model import COUNT_END, DEVICE_ID, SEGMENT_ID, is_whole, shard_of

ROOT = "liuhen/v1"
VERSION = 1
BATCH_LIMIT_BYTES = 256 * 1024
WORD_LIMIT_BYTES = 256 * 1024
"""An offer or a want. As lists and numbers JSON takes twenty times its size in memory."""
OFFER_LIMIT_SEGMENTS = 64
OFFER_LIMIT_BLOBS = 64
PARTS_LIMIT = 100_000
BLOB_LIMIT_BYTES = 8 * 1024 * 1024
"""A photo or a note travels in one message, and a broker takes no message without end."""
BLOB_RANGES = ((0, 0),)
"""A blob is one part: lacking it is lacking this."""
LENGTH = struct.Struct(">I")
Ranges = tuple[tuple[int, int], ...]
Octets = bytes | bytearray
"""What comes in; a bytearray where that spares a copy."""


class Up(StrEnum):
    """What a recorder may send."""

    OFFER = "offer"
    """What it has to give, and the question what the dock lacks of it."""
    JOURNAL = "journal"
    """Entries in order."""
    FRAGMENT = "fragment"
    """One part of a segment with its entry."""
    BLOB = "blob"
    """A photo or a spoken note with its entry."""
    REPORT = "report"
    """Retained: an interruption that the head of the unit has to know of; empty once it is over."""
    STATUS = "status"
    """Retained: whether it is there."""
    HEALTH = "health"
    """Retained, signed: how it is, for technicians."""


class Down(StrEnum):
    """What the dock may send to a recorder."""

    WANT = "want"
    """What the dock lacks: the answer to an offer, and the acknowledgement of everything it has stored."""
    RECEIPT = "receipt"
    """The dock's signed entry: verified and durably stored, a report taken, or an explanation written there."""
    ASSIGN = "assign"
    """Retained, signed: who wears the recorder."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, taken apart. `rest` is what follows the name: segment and index of a fragment, a blob's name, ..."""

    device: str
    name: Up | Down
    rest: tuple[str, ...] = ()

    def text(self) -> str:
        """The topic as it goes over the link."""
        direction = "up" if isinstance(self.name, Up) else "down"
        return "/".join((ROOT, shard_of(self.device), self.device, direction, self.name, *self.rest))


def read_topic(text: str) -> Topic:
    """Take a topic apart and check its shard. Raises BadInputError."""
    parts = text.split("/")
    if len(parts) < 6 or "/".join(parts[:2]) != ROOT:
        raise BadInputError(f"topic {text[:80]!r}", "is not one of ours")
    shard, device, direction, name = parts[2:6]
    if not DEVICE_ID.fullmatch(device) or shard != shard_of(device):
        raise BadInputError(f"topic {text[:80]!r}", "names a device or shard that cannot be")
    names: Mapping[str, type[Up] | type[Down]] = {"up": Up, "down": Down}
    try:
        return Topic(device, names[direction](name), tuple(parts[6:]))
    except (KeyError, ValueError) as error:
        raise BadInputError(f"topic {text[:80]!r}", "is not one of ours") from error


@dataclass(frozen=True, slots=True)
class Offered:
    """A sealed segment that waits: the number of its parts, the init section included."""

    segment: str
    parts: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What the recorder has: entries up to `journal_head`, these segments and blobs. It asks what the dock lacks."""

    round: int
    journal_head: int
    segments: tuple[Offered, ...]
    blobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Want:
    """The dock states what it lacks: entries from `journal_next` on, and ranges of parts (both ends included).

    A blob is named like a segment of one part. `round` is that of the offer it answers; in an acknowledgement it is
    None and only the named segments and blobs changed.
    """

    journal_next: int
    lacks: Mapping[str, Ranges]
    round: int | None = None


def write_offer(offer: Offer) -> bytes:
    """The message bytes of an offer."""
    segments = [[one.segment, one.parts] for one in offer.segments]
    head = {"v": 1, "round": offer.round, "journal_head": offer.journal_head}
    return _json({**head, "segments": segments, "blobs": offer.blobs})


def read_offer(data: Octets) -> Offer:
    """Parse an offer. Raises BadInputError, NewerVersionError."""
    fields = _object(data, "offer")
    listed = fields.get("segments")
    if not isinstance(listed, list) or len(listed) > OFFER_LIMIT_SEGMENTS:
        raise BadInputError("offer", f"does not list at most {OFFER_LIMIT_SEGMENTS} segments")
    segments, blobs = tuple(_offered(one) for one in listed), _blobs(fields.get("blobs"))
    # A recorder without a single entry has the head -1.
    return Offer(_whole(fields, "round", "offer"), _whole(fields, "journal_head", "offer", low=-1), segments, blobs)


def write_want(want: Want) -> bytes:
    """The message bytes of a want."""
    lacks = {segment: [list(pair) for pair in ranges] for segment, ranges in want.lacks.items()}
    return _json({"v": 1, "journal_next": want.journal_next, "round": want.round, "lacks": lacks})


def read_want(data: Octets) -> Want:
    """Parse a want. Raises BadInputError, NewerVersionError."""
    fields = _object(data, "want")
    listed = fields.get("lacks")
    if not isinstance(listed, dict) or not all(SEGMENT_ID.fullmatch(one) or HASH.fullmatch(one) for one in listed):
        raise BadInputError("want", "does not map segments and blobs to ranges")
    lacks = {name: _ranges(ranges) for name, ranges in listed.items()}
    answers = None if fields.get("round") is None else _whole(fields, "round", "want")
    return Want(_whole(fields, "journal_next", "want"), lacks, answers)


def part_head(token: str) -> bytes:
    """What stands before a part's stored bytes: length of its entry's token (4 bytes, big endian), and the token."""
    return LENGTH.pack(len(token)) + token.encode("ascii")


def read_part(data: Octets) -> tuple[str, memoryview]:
    """Token and stored bytes, the latter not copied. Raises BadInputError."""
    view = memoryview(data)
    if len(view) < LENGTH.size:
        raise BadInputError("part", "is shorter than its length field")
    (length,) = LENGTH.unpack_from(view)
    if length > min(TOKEN_LIMIT_BYTES, len(view) - LENGTH.size):
        raise BadInputError("part", "is shorter than its entry")
    end = LENGTH.size + length
    return _ascii(view[LENGTH.size : end].tobytes(), "part"), view[end:]


def write_batch(tokens: Sequence[str]) -> bytes:
    """Entries in order, a line feed between them."""
    return "\n".join(tokens).encode("ascii")


def read_batch(data: Octets) -> list[str]:
    """The opposite. Raises BadInputError."""
    if len(data) > 2 * BATCH_LIMIT_BYTES:
        raise BadInputError("journal batch", f"is longer than {2 * BATCH_LIMIT_BYTES} bytes")
    return _ascii(data, "journal batch").split("\n")


def write_status(online: bool) -> bytes:
    """The retained status of a recorder; with `online` false it is also its last will."""
    return _json({"v": 1, "online": online})


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _object(data: Octets, where: str) -> dict[str, Any]:
    if len(data) > WORD_LIMIT_BYTES:
        raise BadInputError(where, f"is longer than {WORD_LIMIT_BYTES} bytes")
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInputError(where, "is not JSON") from error
    if not isinstance(fields, dict):
        raise BadInputError(where, "is not a JSON object")
    if (version := _whole(fields, "v", where, low=VERSION)) > VERSION:
        raise NewerVersionError(where, f"has version {version}, this program knows {VERSION}", "update liuhen")
    return fields


def _whole(fields: Mapping[str, Any], name: str, where: str, low: int = 0) -> int:
    value: Any = fields.get(name)
    if not is_whole(value, low, COUNT_END):
        raise BadInputError(where, f"has no whole number {name} from {low} on")
    return int(value)


def _offered(value: Any) -> Offered:
    match value:
        case [str(segment), parts] if SEGMENT_ID.fullmatch(segment) and is_whole(parts, 1, PARTS_LIMIT + 1):
            return Offered(segment, parts)
    raise BadInputError("offer", "lists something that is no segment")


def _blobs(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > OFFER_LIMIT_BLOBS:
        raise BadInputError("offer", f"does not list at most {OFFER_LIMIT_BLOBS} blobs")
    if not all(isinstance(blob, str) and HASH.fullmatch(blob) for blob in value):
        raise BadInputError("offer", "lists something that is no blob")
    return tuple(value)


def _ranges(value: Any) -> Ranges:
    """Ascending and apart, so that they never name more parts than a segment has."""
    if not isinstance(value, list):
        raise BadInputError("want", "has no list of ranges")
    end = 0
    for pair in value:
        match pair:
            case [first, last] if is_whole(first, end, COUNT_END) and is_whole(last, first, COUNT_END):
                end = last + 1
            case _:
                raise BadInputError("want", "has an impossible range")
    return tuple((first, last) for first, last in value)


def _ascii(data: Octets, where: str) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise BadInputError(where, "holds bytes that no token has") from error
