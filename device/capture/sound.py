"""The microphone's blocks as one unbroken run of pieces, each stamped with the time at which it was heard.

The microphone's crystal and the system clock disagree by up to 100 parts per million, and blocks arrive late by a
varying bit. No sample is altered, left out or resampled for that: the stamps carry the drift.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from device.ports import SOUND_RATE_HZ, Samples, SoundBlock

PIECE_SAMPLES = 1024
"""What AAC-LC encodes at a time (ISO/IEC 14496-3)."""
US_PER_SAMPLE = 1_000_000 / SOUND_RATE_HZ
WINDOW_US = 10_000_000
"""Long enough to hold a block that came almost at once, short enough that 100 ppm make 1 ms of it."""
MAX_CORRECTION_SAMPLES = 8
"""How far a stamp may depart from the one before it plus a piece: 0.8 %, so that 30 ms are made up in 4 s."""
LATE_US = 250_000
LATE_TOO_LONG_US = 500_000
IMPOSSIBLE_LOSS_US = 1_000_000
LONG_LOSS_US = 60_000_000


@dataclass(frozen=True, slots=True)
class SoundPiece:
    """1024 samples; the first was heard at `boot_us`."""

    samples: Samples
    boot_us: int


class SampleClock:
    """When each sample was heard, from when blocks arrived: the least late block of the last ten seconds tells.

    Blocks are never early, so the smallest (arrival - sample count) of a window is the true offset plus the smallest
    delay in it.
    """

    def __init__(self) -> None:
        self._least: deque[tuple[int, float]] = deque()
        self._late_since_us: int | None = None

    def observe(self, samples_until: int, arrival_us: int) -> bool:
        """A block that ends before sample number `samples_until` was complete at `arrival_us`.

        Returns True when the count has lost time since the block before, so that the relation begins anew.
        """
        offset_us = arrival_us - samples_until * US_PER_SAMPLE
        anew = self._late_for_too_long(offset_us, arrival_us)
        if anew:
            self._least.clear()
        while self._least and self._least[-1][1] >= offset_us:
            self._least.pop()
        self._least.append((arrival_us, offset_us))
        while self._least[0][0] < arrival_us - WINDOW_US:
            self._least.popleft()
        return anew

    def heard_us(self, sample: int) -> float:
        """When sample number `sample` was heard. Only after `observe`."""
        return self._least[0][1] + sample * US_PER_SAMPLE

    def _late_for_too_long(self, offset_us: float, arrival_us: int) -> bool:
        """A backlog soon catches up; a microphone that stood still without counting stays behind for ever."""
        if not self._least or offset_us - self._least[0][1] < LATE_US:
            self._late_since_us = None
        elif self._late_since_us is None:
            self._late_since_us = arrival_us
        elif arrival_us - self._late_since_us > LATE_TOO_LONG_US:
            self._late_since_us = None
            return True
        return False


def _count_after(block: SoundBlock) -> int:
    return block.first_sample + len(block.samples)


class SoundTrack:
    """Blocks in, pieces of 1024 samples out, without hole or overlap from `start_boot_us` on."""

    def __init__(self, start_boot_us: int) -> None:
        self._lost: list[tuple[int, int]] = []
        self._finished = False
        self._clock = SampleClock()
        self._piece_us = float(start_boot_us)
        self._pending: list[Samples] = []
        self._pending_samples = 0
        self._last: SoundBlock | None = None
        self._joined = False

    @property
    def end_boot_us(self) -> int:
        """Up to where there is sound or silence."""
        return round(self._end_us())

    def take_lost(self) -> list[tuple[int, int]]:
        """The intervals (from, to) in boot_us that are silence because nothing was heard, each given once.

        One that still goes on is held back until it ends, or is given in parts of a minute, not of a picture.
        """
        held: list[tuple[int, int]] = []
        if self._lost and not self._finished:
            began_us, until_us = self._lost[-1]
            if until_us >= self.end_boot_us - 1 and until_us - began_us < LONG_LOSS_US:
                held = [self._lost.pop()]
        lost, self._lost = self._lost, held
        return lost

    def add(self, block: SoundBlock) -> list[SoundPiece]:
        """Put a block where it belongs: silence for what is lost before it, nothing for what silence has overtaken."""
        if self._counts_anew(block):
            self._clock = SampleClock()
            self._joined = False
        if self._clock.observe(_count_after(block), block.boot_us):
            self._joined = False
        samples = block.samples
        if self._joined and self._last is not None:
            self._add_silence(block.first_sample - _count_after(self._last))
        else:
            gap = round((self._clock.heard_us(block.first_sample) - self._end_us()) / US_PER_SAMPLE)
            self._add_silence(gap)
            samples = samples[max(0, -gap) :]
            self._joined = len(samples) > 0
        self._last = block
        self._append(samples)
        return self._pieces()

    def fill_silence_until(self, boot_us: int) -> list[SoundPiece]:
        """Go on without the microphone up to `boot_us`; a block that comes later joins in at its own time."""
        missing = int((boot_us - self._end_us()) / US_PER_SAMPLE)
        if missing > 0:
            self._add_silence(missing)
            self._joined = False
        return self._pieces()

    def finish(self) -> list[SoundPiece]:
        """The last samples, filled up to a whole piece with silence."""
        self._finished = True
        if self._pending_samples:
            self._append(np.zeros(PIECE_SAMPLES - self._pending_samples, np.int16))
        return self._pieces()

    def _end_us(self) -> float:
        return self._piece_us + self._pending_samples * US_PER_SAMPLE

    def _counts_anew(self, block: SoundBlock) -> bool:
        """The count goes back, or forward by more than there was time for: the microphone was started again."""
        if self._last is None:
            return False
        lost_us = (block.first_sample - _count_after(self._last)) * US_PER_SAMPLE
        return lost_us < 0 or lost_us > block.boot_us - self._last.boot_us + IMPOSSIBLE_LOSS_US

    def _add_silence(self, samples: int) -> None:
        if samples <= 0:
            return
        begin_us = self.end_boot_us
        self._append(np.zeros(samples, np.int16))
        if self._lost and self._lost[-1][1] >= begin_us - 1:
            begin_us = self._lost.pop()[0]
        self._lost.append((begin_us, self.end_boot_us))

    def _append(self, samples: Samples) -> None:
        self._pending.append(samples)
        self._pending_samples += len(samples)

    def _pieces(self) -> list[SoundPiece]:
        if self._pending_samples < PIECE_SAMPLES:
            return []
        waiting = np.concatenate(self._pending)
        pieces = []
        for begin in range(0, len(waiting) - PIECE_SAMPLES + 1, PIECE_SAMPLES):
            pieces.append(SoundPiece(waiting[begin : begin + PIECE_SAMPLES], round(self._piece_us)))
            self._pending_samples -= PIECE_SAMPLES
            self._piece_us += (PIECE_SAMPLES + self._correction()) * US_PER_SAMPLE
        self._pending = [waiting[len(waiting) - self._pending_samples :]]
        return pieces

    def _correction(self) -> int:
        """By how many samples the next stamp should depart from the even run, to come nearer to the clock."""
        if not self._joined or self._last is None:
            return 0
        next_sample = _count_after(self._last) - self._pending_samples
        behind = int((self._clock.heard_us(next_sample) - self._piece_us) / US_PER_SAMPLE - PIECE_SAMPLES)
        return max(-MAX_CORRECTION_SAMPLES, min(MAX_CORRECTION_SAMPLES, behind))
