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
from evidence.model import COUNT_END, DEVICE_ID, SEGMENT_ID, is_whole, shard_of

ROOT = "liuhen/v1"
VERSION = 1
BATCH_LIMIT_BYTES = 256 * 1024
OFFER_LIMIT_SEGMENTS = 64
PARTS_LIMIT = 100_000
LENGTH = struct.Struct(">I")
Ranges = tuple[tuple[int, int], ...]


class Up(StrEnum):
    """What a recorder may send."""

    OFFER = "offer"
    """What it has to give, and the question what the dock lacks of it."""
    JOURNAL = "journal"
    """Entries in order."""
    FRAGMENT = "fragment"
    """One part of a segment with its entry."""
    STATUS = "status"
    """Retained: whether it is there."""
    HEALTH = "health"
    """Retained, signed: how it is, for technicians."""


class Down(StrEnum):
    """What the dock may send to a recorder."""

    WANT = "want"
    """What the dock lacks: the answer to an offer, and the acknowledgement of everything it has stored."""
    RECEIPT = "receipt"
    """The dock's signed entry: verified and durably stored."""
    ASSIGN = "assign"
    """Retained, signed: who wears the recorder."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, taken apart. `rest` is what follows the name: segment and index of a fragment."""

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
    """What the recorder has: entries up to `journal_head` and these segments. It asks what the dock lacks of them."""

    round: int
    journal_head: int
    segments: tuple[Offered, ...]


@dataclass(frozen=True, slots=True)
class Want:
    """The dock states what it lacks: entries from `journal_next` on, and ranges of parts (both ends included).

    `round` is that of the offer it answers; in an acknowledgement it is None and only the named segments changed.
    """

    journal_next: int
    lacks: Mapping[str, Ranges]
    round: int | None = None


def write_offer(offer: Offer) -> bytes:
    """The message bytes of an offer."""
    segments = [[one.segment, one.parts] for one in offer.segments]
    return _json({"v": 1, "round": offer.round, "journal_head": offer.journal_head, "segments": segments})


def read_offer(data: bytes) -> Offer:
    """Parse an offer. Raises BadInputError, NewerVersionError."""
    fields = _object(data, "offer")
    listed = fields.get("segments")
    if not isinstance(listed, list) or len(listed) > OFFER_LIMIT_SEGMENTS:
        raise BadInputError("offer", f"does not list at most {OFFER_LIMIT_SEGMENTS} segments")
    segments = tuple(_offered(one) for one in listed)
    # A recorder without a single entry has the head -1.
    return Offer(_whole(fields, "round", "offer"), _whole(fields, "journal_head", "offer", low=-1), segments)


def write_want(want: Want) -> bytes:
    """The message bytes of a want."""
    lacks = {segment: [list(pair) for pair in ranges] for segment, ranges in want.lacks.items()}
    return _json({"v": 1, "journal_next": want.journal_next, "round": want.round, "lacks": lacks})


def read_want(data: bytes) -> Want:
    """Parse a want. Raises BadInputError, NewerVersionError."""
    fields = _object(data, "want")
    listed = fields.get("lacks")
    if not isinstance(listed, dict) or not all(SEGMENT_ID.fullmatch(segment) for segment in listed):
        raise BadInputError("want", "does not map segments to ranges")
    lacks = {segment: _ranges(ranges) for segment, ranges in listed.items()}
    answers = None if fields.get("round") is None else _whole(fields, "round", "want")
    return Want(_whole(fields, "journal_next", "want"), lacks, answers)


def write_part(token: str, stored: bytes) -> bytes:
    """One part with its entry: length of the token (4 bytes, big endian), the token, the stored bytes."""
    return b"".join((LENGTH.pack(len(token)), token.encode("ascii"), stored))


def read_part(data: bytes) -> tuple[str, memoryview]:
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


def read_batch(data: bytes) -> list[str]:
    """The opposite. Raises BadInputError."""
    if len(data) > 2 * BATCH_LIMIT_BYTES:
        raise BadInputError("journal batch", f"is longer than {2 * BATCH_LIMIT_BYTES} bytes")
    return _ascii(data, "journal batch").split("\n")


def write_status(online: bool) -> bytes:
    """The retained status of a recorder; with `online` false it is also its last will."""
    return _json({"v": 1, "online": online})


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _object(data: bytes, where: str) -> dict[str, Any]:
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


def _ascii(data: bytes, where: str) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise BadInputError(where, "holds bytes that no token has") from error
