"""The sound of the scene: the clip's own, in step with its picture, or a quiet room where the clip has none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from device.ports import SOUND_RATE_HZ, Samples
from sim.clip import ClipFacts, opened, read_facts, seek_near

QUIET_AMPLITUDE = 12.0
"""A quiet room: noise at about -69 dBFS."""
QUIET_SEED = 20_261_121
QUIET_PIECE_SAMPLES = 4_800
PIECES_AT_ONCE = 12
"""A quarter of a second is decoded at once: piece by piece the processor's caches would be cold each time."""
SLACK_SAMPLES = 480
"""Time stamps rounded by the container's clock may disagree with the sample count by so much (10 ms)."""


class ClipSound:
    """Mono 16-bit samples at 48 kHz, endless; sample 0 is media time 0. Raises BadInputError."""

    def __init__(self, path: Path, from_sample: int = 0) -> None:
        self._path = path
        self._facts = read_facts(path)
        self._noise = np.random.default_rng(QUIET_SEED)
        self._pieces = self._endless(from_sample) if self._facts.has_sound else self._room_for_ever()
        self._rest: Samples = np.zeros(0, np.int16)

    def read(self, count: int) -> Samples:
        """The next `count` samples. Raises BadInputError when the file has gone."""
        parts = []
        missing = count
        while missing > 0:
            if not self._rest.size:
                self._rest = np.concatenate(list(islice(self._pieces, PIECES_AT_ONCE)))
            part, self._rest = self._rest[:missing], self._rest[missing:]
            parts.append(part)
            missing -= part.size
        return np.concatenate(parts)

    def _endless(self, at: int) -> Iterator[Samples]:
        """The sound of pass after pass, each filled up to exactly the length of the picture."""
        turn = at * 1_000_000 // (self._facts.pass_us * SOUND_RATE_HZ)
        while True:
            begin, end = self._starts(turn), self._starts(turn + 1)
            for place, heard in _decoded(self._path, self._facts, at - begin):
                start = min(begin + place, end)
                if start > at + SLACK_SAMPLES:
                    yield from self._quiet(start - at)
                    at = start
                late = at - start if at - start > SLACK_SAMPLES else 0
                piece = heard[late : late + end - at]
                if piece.size:
                    yield piece
                at += piece.size
                if at >= end:
                    break
            yield from self._quiet(end - at)
            at, turn = end, turn + 1

    def _starts(self, turn: int) -> int:
        """The first sample of a pass; computed from 0 each time, so that no rounding adds up."""
        return turn * self._facts.pass_us * SOUND_RATE_HZ // 1_000_000

    def _quiet(self, count: int) -> Iterator[Samples]:
        while count > 0:
            piece = min(count, QUIET_PIECE_SAMPLES)
            yield self._noise.normal(0.0, QUIET_AMPLITUDE, piece).astype(np.int16)
            count -= piece

    def _room_for_ever(self) -> Iterator[Samples]:
        while True:
            yield from self._quiet(QUIET_PIECE_SAMPLES)


def _decoded(path: Path, facts: ClipFacts, from_sample: int) -> Iterator[tuple[int, Samples]]:
    """One pass of decoded sound from near `from_sample` on: its place in samples from the pass's start, and itself."""
    with opened(path) as container:
        seek_near(container, facts, from_sample * 1_000_000 // SOUND_RATE_HZ)
        resampler = AudioResampler("s16", "mono", SOUND_RATE_HZ)
        place = 0
        # ValueError: the sound changes its own format on the way. What follows damage is a quiet room.
        with contextlib.suppress(av.FFmpegError, ValueError):
            for frame in _with_flush(container.decode(container.streams.audio[0])):
                for mono in resampler.resample(frame):
                    if mono.pts is not None and (base := mono.time_base) is not None:
                        place = mono.pts * SOUND_RATE_HZ * base.numerator // base.denominator
                        place -= facts.start_us * SOUND_RATE_HZ // 1_000_000
                    heard = np.frombuffer(memoryview(mono.planes[0]), np.int16)[: mono.samples]
                    yield place, heard
                    place += heard.size


def _with_flush(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame | None]:
    """The frames and then None, on which the resampler gives what it still holds."""
    yield from frames
    yield None
