"""A clip: the init section and a run of whole fragments of an opened segment, byte for byte. Pure.

Its parts are those that the recorder hashed, so it verifies against the recorder's seal, although the rest is withheld.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from evidence.boxes import describe_fragment, describe_init
from evidence.errors import BadInputError, RejectedError
from evidence.journal import Entry
from evidence.model import EPOCH, Timestamp
from evidence.verify import Form, match_parts

US_PER_S = 1_000_000
Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Held:
    """A part that the opened file holds: its number, its place there, and a fragment's time on the muxer's line."""

    index: int
    offset_bytes: int
    size_bytes: int
    start_us: int
    end_us: int


def held_parts(seal: Entry, size_bytes: int, read: Read) -> tuple[Held, ...]:
    """The init section and the fragments in an opened file, each compared with its seal; times are the muxer's.

    Raises RejectedError when the file is not what was signed, BadInputError when it has no init section.
    """
    parts = [part[Form.OPENED.value] for part in seal.fields["parts"]]
    match = match_parts(parts, size_bytes, read)
    where = f"opened {seal.fields['segment']}"
    if match.end_bytes != size_bytes:
        raise RejectedError(f"{where} byte {match.end_bytes}", f"part {match.next_part} is not what was signed")
    if not parts or 0 in match.missing:
        raise BadInputError(where, "has no init section: nothing plays without it")
    return tuple(_held(parts, set(match.missing), read))


def _held(parts: Sequence[Sequence[int | str]], missing: set[int], read: Read) -> Iterator[Held]:
    offset = int(parts[0][0])
    tracks = describe_init(read(0, offset))
    yield Held(0, 0, offset, 0, 0)
    for index, (length, _) in enumerate(parts[1:], start=1):
        if index not in missing:
            info = describe_fragment(read(offset, int(length)), tracks)
            yield Held(index, offset, int(length), info.pts_us, info.pts_us + info.duration_us)
            offset += int(length)


def choose(seal: Entry, held: Sequence[Held], since: str, until: str) -> tuple[Held, ...]:
    """The init section and every fragment that has a picture of this time. Raises BadInputError when there is none.

    `since` and `until` are seconds from the first picture in the file, or ISO 8601; without an offset from UTC that is
    the time on the picture.
    """
    init, *fragments = held
    if not fragments:
        raise BadInputError(f"opened {seal.fields['segment']}", "holds no picture")
    epoch = Timestamp.from_fields(seal.fields["epoch"])
    from_us, to_us = (_instant_us(text, epoch, fragments[0].start_us) for text in (since, until))
    chosen = tuple(one for one in fragments if one.start_us < to_us and one.end_us > from_us)
    if not chosen:
        first, last = (_wall(epoch, at_us) for at_us in (fragments[0].start_us, fragments[-1].end_us))
        raise BadInputError(f"{since} to {until}", "has no picture here", f"the pictures are from {first} to {last}")
    return init, *chosen


def _instant_us(text: str, epoch: Timestamp, first_us: int) -> int:
    """On the time line of the file. Raises BadInputError."""
    try:
        return first_us + round(float(text) * US_PER_S)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(text, "is no time", "seconds from the start, or 2026-11-21T21:18:05") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=epoch.offset_min)))
    return (moment - EPOCH) // timedelta(microseconds=1) - epoch.utc_us


def _wall(epoch: Timestamp, at_us: int) -> str:
    return epoch.at_boot_us(epoch.boot_us + at_us).local().isoformat(timespec="milliseconds")
