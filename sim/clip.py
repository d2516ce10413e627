"""The scene in front of the simulated recorder: any file with a picture, played in an endless loop.

Picture and sound are two readers of the same file. Media time 0 is the start of the first pass for both, and every
pass lasts as long as the file's picture, so that lips stay in step however often the loop comes round.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from evidence.errors import BadInputError
from sim.letterbox import Letterbox, Planes

PICTURES_AHEAD = 4
"""So many decoded pictures wait: enough to open the file again at the loop point without being late (25 ms)."""
PICTURES_AT_ONCE = 2
"""Decoded without a pause, while its code and tables are in the processor's caches."""
USUAL_RATE = Fraction(25)
SHORTEST_PASS_US = 40_000
# A title in an old character set is no reason to refuse a clip; since PyAV 19 it is none, and cannot be asked for.
LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
SEEK_WHEN_US = 10_000_000
"""Up to here decoding from the start is quick, and exact in every format."""


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What both readers must agree on: where the picture starts in the file's own time, how long one pass is."""

    start_us: int
    pass_us: int
    pixel_aspect: Fraction
    has_sound: bool


@contextlib.contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """The file, open for reading. Raises BadInputError."""
    try:
        container = av.open(str(path), **LENIENT)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise BadInputError(str(path), f"cannot be read as a clip: {reason}", "give a video file") from error
    with container:
        yield container


def read_facts(path: Path) -> ClipFacts:
    """Look at a clip without decoding it. Raises BadInputError when it is unreadable or has no picture."""
    with opened(path) as container:
        if not container.streams.video:
            raise BadInputError(str(path), "has no picture in it", "give a video file")
        stream = container.streams.video[0]
        start_us = _us(stream.start_time or 0, stream.time_base)
        return ClipFacts(
            start_us=start_us,
            pass_us=max(_pass_us(container, stream, start_us), SHORTEST_PASS_US),
            pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
            has_sound=bool(container.streams.audio),
        )


def _us(ticks: int, time_base: Fraction | None) -> int:
    if time_base is None:
        return ticks
    return (ticks * time_base.numerator * 2_000_000 + time_base.denominator) // (2 * time_base.denominator)


def _picture_us(stream: VideoStream) -> int:
    """How long one picture stands where the file does not say."""
    return round(1_000_000 / (stream.average_rate or USUAL_RATE))


def _pass_us(container: InputContainer, stream: VideoStream, start_us: int) -> int:
    """How long the picture lasts: from the header, or where it does not tell, from all packets."""
    if stream.duration:
        return _us(stream.duration, stream.time_base)
    if container.duration:
        return container.duration
    end_us = start_us
    with contextlib.suppress(av.FFmpegError):  # a torn end is as good an end as any
        for packet in container.demux(stream):
            if packet.size:
                begin_us = end_us if packet.pts is None else _us(packet.pts, stream.time_base)
                lasts_us = _us(packet.duration or 0, stream.time_base) or _picture_us(stream)
                end_us = max(end_us, begin_us + lasts_us)
    return end_us - start_us


def seek_near(container: InputContainer, facts: ClipFacts, offset_us: int) -> None:
    """Go to a place at or before `offset_us` of a pass, where that is worth it and the format allows it."""
    if offset_us > SEEK_WHEN_US:
        with contextlib.suppress(av.FFmpegError):
            container.seek(facts.start_us + offset_us)


@dataclass(frozen=True, slots=True)
class _Shot:
    """One decoded picture, due at `t_us` of media time."""

    t_us: int
    frame: VideoFrame


class Clip:
    """The moving picture, fitted to `width` x `height`. Raises BadInputError. Close it after use.

    A thread decodes a few pictures ahead; all methods belong to one other thread.
    """

    def __init__(self, path: Path, width: int, height: int, from_us: int = 0) -> None:
        self._path = path
        self._facts = read_facts(path)
        self._letterbox = Letterbox(width, height, self._facts.pixel_aspect)
        self._wanted_us = from_us
        self._shots: queue.SimpleQueue[_Shot | BadInputError | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(PICTURES_AHEAD)
        self._stop = threading.Event()
        self._taken = 0
        self._next: _Shot | None = None
        self._still = False
        self._decoder = threading.Thread(target=self._decode, name="sim clip", daemon=True)
        self._decoder.start()
        try:
            first = self._take(wait=True)
            if first is None:
                raise BadInputError(str(path), "holds no picture that can be decoded", "give a video file")
            self._planes = self._letterbox.fit(first.frame)
            self.picture_at(from_us)
        except BadInputError:
            self.close()
            raise

    def picture_at(self, t_us: int, *, wait: bool = True) -> Planes:
        """The picture at a media time that never goes back; valid until the next call. Raises BadInputError.

        Without `wait`, a decoder that is too slow does not hold up the caller: the newest picture there is stands in.
        """
        self._wanted_us = t_us
        due: _Shot | None = None
        while (shot := self._take(wait=wait)) is not None and shot.t_us <= t_us:
            due, self._next = shot, None
        if due is not None:
            self._planes = self._letterbox.fit(due.frame)
        return self._planes

    def close(self) -> None:
        """End the decoder and close the file."""
        self._stop.set()
        self._room.release()
        self._decoder.join()

    def _take(self, *, wait: bool) -> _Shot | None:
        """The next picture, which stays the next until `_next` is emptied; None when there is none (yet)."""
        if self._next is None and not self._still:
            try:
                item = self._shots.get(block=wait)
            except queue.Empty:
                return None
            self._taken += 1
            if self._taken % PICTURES_AT_ONCE == 0:
                self._room.release(PICTURES_AT_ONCE)
            if isinstance(item, BadInputError):
                raise item
            self._next, self._still = item, item is None
        return self._next

    def _decode(self) -> None:
        """The decoder's thread: pass after pass, at most PICTURES_AHEAD pictures ahead."""
        turn, offset_us = divmod(self._wanted_us, self._facts.pass_us)
        try:
            while pictures := self._play(turn, offset_us):
                if pictures == 1 and offset_us == 0:
                    self._offer(None)
                    return
                # A reader that was away for long (a suspended PC) finds the scene at its present time again.
                turn, offset_us = max(turn + 1, self._wanted_us // self._facts.pass_us), 0
        except BadInputError as error:
            self._offer(error)

    def _play(self, turn: int, offset_us: int) -> int:
        """Decode one pass; how many pictures it had, or 0 when told to stop. Raises BadInputError."""
        pictures = 0
        with contextlib.closing(self._pass(offset_us)) as shots:
            for shot in shots:
                if not self._offer(_Shot(turn * self._facts.pass_us + shot.t_us, shot.frame)):
                    return 0
                pictures += 1
        if not pictures:
            raise BadInputError(str(self._path), "holds no picture that can be decoded", "give a video file")
        return pictures

    def _pass(self, offset_us: int) -> Generator[_Shot]:
        """The pictures of one pass, from near `offset_us` on, timed from its start."""
        with opened(self._path) as container:
            stream = container.streams.video[0]
            seek_near(container, self._facts, offset_us)
            next_us = 0
            with contextlib.suppress(av.FFmpegError):  # a damaged tail: the last good picture stands till the end
                for frame in container.decode(stream):
                    t_us = next_us if frame.pts is None else _us(frame.pts, frame.time_base) - self._facts.start_us
                    if t_us >= self._facts.pass_us:
                        return
                    yield _Shot(t_us, frame)
                    next_us = t_us + (_us(frame.duration, frame.time_base) or _picture_us(stream))

    def _offer(self, item: _Shot | BadInputError | None) -> bool:
        """Queue one item once there is room; False when told to stop."""
        self._room.acquire()
        if self._stop.is_set():
            return False
        self._shots.put(item)
        return True
