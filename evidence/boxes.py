"""Reading the boxes of a fragmented MP4 (ISO/IEC 14496-12) without a media library: sizes, time stamps, counts."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from evidence.errors import BadInputError
from evidence.model import COUNT_END, FragmentInfo

US_PER_S = 1_000_000

Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Track:
    """One track: `default_duration` is of a sample that names none (trex), in units of the timescale."""

    id: int
    timescale_hz: int
    default_duration: int


@dataclass(frozen=True, slots=True)
class Tracks:
    """What an init section declares. A recorder without a microphone has no sound track."""

    video: Track
    sound: Track | None


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class _Run:
    """What the moof says of one track: `start` is the first sample's presentation time, all in its timescale."""

    start: int
    duration: int
    count: int


def whole_boxes(data: Bytes, offset: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Each whole box from `offset` on as (type, start, end), in bytes; stops before the first torn or impossible one.

    A box of size 0 ("up to the end of the file", section 4.2) never counts as whole: a torn file has no known end.
    """
    for box in _boxes(data, offset, len(data)):
        yield box.kind, box.start, box.end


def whole_fragments(data: Bytes) -> Iterator[tuple[int, int]]:
    """The complete moof+mdat pairs at the start of `data` as (start, end), in bytes, up to whatever is no such pair."""
    moof_start: int | None = None
    for kind, start, end in whole_boxes(data):
        if kind == b"moof" and moof_start is None:
            moof_start = start
        elif kind == b"mdat" and moof_start is not None:
            yield moof_start, end
            moof_start = None
        else:
            return


def describe_init(init: Bytes) -> Tracks:
    """Read ftyp+moov. Raises BadInputError unless there is one video track and at most one sound track."""
    moov = _only(_boxes(init, 0, len(init)), b"moov")
    children = list(_children(init, moov))
    defaults = _default_durations(init, children)
    video: Track | None = None
    sound: Track | None = None
    for trak in (box for box in children if box.kind == b"trak"):
        handler, number, timescale_hz = _describe_trak(init, trak)
        track = Track(number, timescale_hz, defaults.get(number, 0))
        if handler == b"vide" and video is None:
            video = track
        elif handler == b"soun" and sound is None:
            sound = track
        else:
            raise BadInputError("init section", f"a second or strange track of type {handler!r}")
    if video is None:
        raise BadInputError("init section", "no video track")
    return Tracks(video, sound)


def describe_fragment(data: Bytes, tracks: Tracks) -> FragmentInfo:
    """Read one moof+mdat pair by its tfhd, tfdt and trun (sections 8.8.7, 8.8.8, 8.8.12).

    Time and duration are those of the video track; `samples` adds up the durations in the sound track, which is in
    units of its timescale. Raises BadInputError unless `data` is one whole pair with at least one video frame, and its
    times can be named in a journal.
    """
    if next(whole_fragments(data), None) != (0, len(data)):
        raise BadInputError("fragment", "not one whole moof and mdat")
    moof = next(_boxes(data, 0, len(data)))
    trafs = [box for box in _children(data, moof) if box.kind == b"traf"]
    video = _run_of(data, trafs, tracks.video)
    if video is None or video.count == 0:
        raise BadInputError("fragment", "no video frame")
    sound = _run_of(data, trafs, tracks.sound) if tracks.sound else None
    pts_us, end_us = _us(video.start, tracks.video), _us(video.start + video.duration, tracks.video)
    samples = sound.duration if sound else 0
    if max(end_us, samples) >= COUNT_END:
        raise BadInputError("fragment", f"ends at the impossible time {end_us} us, with {samples} samples")
    return FragmentInfo(
        pts_us=pts_us,
        duration_us=end_us - pts_us,
        frames=video.count,
        samples=samples,
    )


def _us(units: int, track: Track) -> int:
    return (units * US_PER_S + track.timescale_hz // 2) // track.timescale_hz


def _boxes(data: Bytes, start: int, end: int) -> Iterator[_Box]:
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1 and body + 8 <= end:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        if size < body - start or start + size > end:
            return
        yield _Box(kind, start, body, start + size)
        start += size


def _children(data: Bytes, parent: _Box) -> Iterator[_Box]:
    reached = parent.body
    for box in _boxes(data, parent.body, parent.end):
        yield box
        reached = box.end
    if reached != parent.end:
        raise BadInputError(_name(parent), f"its boxes end at byte {reached}, not at {parent.end}")


def _only(boxes: Iterator[_Box], kind: bytes) -> _Box:
    found = [box for box in boxes if box.kind == kind]
    if len(found) != 1:
        raise BadInputError("MP4", f"{len(found)} boxes of type {kind.decode()} where one belongs")
    return found[0]


def _name(box: _Box) -> str:
    return f"{box.kind.decode('latin-1')!r} at byte {box.start}"


def _read(layout: str, data: Bytes, box: _Box, offset: int) -> tuple[int, ...]:
    """Unpack at `offset` bytes into the body; raises BadInputError where the box is too short."""
    if box.body + offset + struct.calcsize(layout) > box.end:
        raise BadInputError(_name(box), "too short")
    return struct.unpack_from(layout, data, box.body + offset)


def _describe_trak(data: Bytes, trak: _Box) -> tuple[bytes, int, int]:
    """The handler type, the track id and the timescale (tkhd, mdhd, hdlr: sections 8.3.2, 8.4.2, 8.4.3)."""
    tkhd = _only(_children(data, trak), b"tkhd")
    mdia = _only(_children(data, trak), b"mdia")
    mdhd = _only(_children(data, mdia), b"mdhd")
    hdlr = _only(_children(data, mdia), b"hdlr")
    (number,) = _read(">I", data, tkhd, 20 if _version(data, tkhd) else 12)
    (timescale_hz,) = _read(">I", data, mdhd, 20 if _version(data, mdhd) else 12)
    if timescale_hz == 0:
        raise BadInputError(_name(mdhd), "timescale 0")
    (handler,) = _read(">I", data, hdlr, 8)
    return handler.to_bytes(4, "big"), number, timescale_hz


def _version(data: Bytes, box: _Box) -> int:
    return _read(">B", data, box, 0)[0]


def _default_durations(data: Bytes, children: list[_Box]) -> dict[int, int]:
    """Per track id, from mvex/trex (section 8.8.3)."""
    durations = {}
    for mvex in (box for box in children if box.kind == b"mvex"):
        for trex in (box for box in _children(data, mvex) if box.kind == b"trex"):
            number, _, duration = _read(">III", data, trex, 4)
            durations[number] = duration
    return durations


def _run_of(data: Bytes, trafs: list[_Box], track: Track) -> _Run | None:
    for traf in trafs:
        children = list(_children(data, traf))
        tfhd = _only(iter(children), b"tfhd")
        flags, number = _read(">II", data, tfhd, 0)
        if number == track.id:
            default = _default_duration(data, tfhd, flags, track)
            return _run(data, children, default)
    return None


def _default_duration(data: Bytes, tfhd: _Box, flags: int, track: Track) -> int:
    if not flags & 0x08:
        return track.default_duration
    before = 8 + (8 if flags & 0x01 else 0) + (4 if flags & 0x02 else 0)
    return _read(">I", data, tfhd, before)[0]


def _run(data: Bytes, children: list[_Box], default_duration: int) -> _Run:
    tfdt = _only(iter(children), b"tfdt")
    (start,) = _read(">Q" if _version(data, tfdt) else ">I", data, tfdt, 4)
    count = 0
    duration = 0
    for trun in (box for box in children if box.kind == b"trun"):
        samples, time, first_offset = _describe_trun(data, trun, default_duration)
        start += first_offset if count == 0 else 0
        count += samples
        duration += time
    return _Run(start, duration, count)


def _describe_trun(data: Bytes, trun: _Box, default_duration: int) -> tuple[int, int, int]:
    """The number of samples, their duration, and the first one's composition offset."""
    flags, count = _read(">II", data, trun, 0)
    table = 8 + (4 if flags & 0x01 else 0) + (4 if flags & 0x04 else 0)
    entry_bytes = 4 * (flags >> 8 & 0xF).bit_count()
    if trun.body + table + count * entry_bytes > trun.end:
        raise BadInputError(_name(trun), f"too short for {count} samples")
    if flags & 0x100:
        duration = sum(_read(">I", data, trun, table + i * entry_bytes)[0] for i in range(count))
    else:
        duration = count * default_duration
    first_offset = 0
    if flags & 0x800 and count:
        (first_offset,) = _read(">i", data, trun, table + entry_bytes - 4)
    return count, duration, first_offset
