"""A microphone with a wrong crystal and late blocks, over hours of made-up time."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.sound import PIECE_SAMPLES, US_PER_SAMPLE, SoundPiece, SoundTrack
from device.ports import SoundBlock

START_US = 5_000_000_000
PERIOD = 30_011
"""Samples count up modulo this prime, so that a sample tells when it was made; 0 is kept for silence."""
Lateness = Callable[[], float]


def samples_from(first: int, count: int) -> np.ndarray:
    return (np.arange(first, first + count) % PERIOD + 1).astype(np.int16)


class Crystal:
    """When sample number n is really heard."""

    def __init__(self, parts_per_million: float) -> None:
        self.us_per_sample = US_PER_SAMPLE * (1 + parts_per_million / 1e6)

    def heard_us(self, sample: float) -> float:
        return START_US + sample * self.us_per_sample

    def error_us(self, piece: SoundPiece) -> float:
        """How far the stamp is from the truth, read from the first sample's own number."""
        near = (piece.boot_us - START_US) / self.us_per_sample
        number = int(piece.samples[0]) - 1
        number += round((near - number) / PERIOD) * PERIOD
        return piece.boot_us - self.heard_us(number)


def blocks(crystal: Crystal, seconds: int, block_samples: int, lateness_us: Lateness) -> Iterator[SoundBlock]:
    last_arrival_us = 0
    for first in range(0, seconds * 48_000, block_samples):
        until_us = crystal.heard_us(first + block_samples)
        last_arrival_us = max(last_arrival_us, int(until_us + lateness_us()) + 1)
        yield SoundBlock(samples_from(first, block_samples), first, last_arrival_us)


def jitter(seed: int, longest_us: float) -> Lateness:
    random = np.random.default_rng(seed)
    return lambda: float(random.uniform(0, longest_us))


@pytest.mark.parametrize(("parts_per_million", "jitter_us"), [(100, 30_000), (-100, 30_000)])
def test_an_hour_of_sound_stays_with_the_clock_and_complete(parts_per_million: float, jitter_us: float) -> None:
    crystal = Crystal(parts_per_million)
    track = SoundTrack(START_US - 1_000_000)
    expected = 1
    errors_us: list[float] = []
    for block in blocks(crystal, 3_600, 1_920, jitter(1, jitter_us)):
        for piece in track.add(block):
            if piece.samples[0]:
                errors_us.append(abs(crystal.error_us(piece)))
                assert piece.samples[0] == expected
                expected = (expected - 1 + PIECE_SAMPLES) % PERIOD + 1
            else:
                expected = np.count_nonzero(piece.samples) + 1
    assert len(errors_us) > 168_000
    assert max(errors_us) < 40_000
    assert max(errors_us[250:]) < 5_000
    ((lost_from_us, lost_to_us),) = track.take_lost()
    assert lost_from_us == START_US - 1_000_000
    assert lost_to_us == pytest.approx(START_US, abs=31_000)


@given(
    parts_per_million=st.floats(-100, 100),
    jitter_us=st.floats(0, 30_000),
    block_samples=st.sampled_from([480, 512, 960, 1_024, 1_920]),
    gone=st.sets(st.integers(10, 80), max_size=40),
    seed=st.integers(0, 2**32),
)
def test_lost_blocks_become_silence_of_their_own_length(
    parts_per_million: float, jitter_us: float, block_samples: int, gone: set[int], seed: int
) -> None:
    crystal = Crystal(parts_per_million)
    track = SoundTrack(START_US - 100_000)
    pieces: list[SoundPiece] = []
    arrived = list(blocks(crystal, 4, block_samples, jitter(seed, jitter_us)))
    for number, block in enumerate(arrived):
        if number not in gone:
            pieces += track.add(block)
    whole = np.concatenate([piece.samples for piece in pieces])
    begin = int(np.flatnonzero(whole)[0])
    expected = np.concatenate([block.samples * np.int16(n not in gone) for n, block in enumerate(arrived)])
    assert np.array_equal(whole[begin:], expected[: len(whole) - begin])
    lost_us = sum(until - since for since, until in track.take_lost()[1:])
    assert lost_us == pytest.approx(len(gone) * block_samples * US_PER_SAMPLE, abs=2 * len(gone) + 1)


def test_stamps_run_evenly_and_never_overlap_by_more_than_the_correction() -> None:
    track = SoundTrack(START_US)
    stamps = [piece.boot_us for block in blocks(Crystal(100), 60, 960, jitter(7, 30_000)) for piece in track.add(block)]
    steps = {round((after - before) / US_PER_SAMPLE) for before, after in pairwise(stamps)}
    assert steps <= set(range(PIECE_SAMPLES - 8, PIECE_SAMPLES + 9))


def run_with_silence(track: SoundTrack, arriving: list[SoundBlock], lag_us: int = 300_000) -> list[SoundPiece]:
    """As the muxer does: a picture every 40 ms, and silence wherever sound lags behind it."""
    pieces: list[SoundPiece] = []
    now_us = START_US
    for block in arriving:
        while now_us <= block.boot_us:
            pieces += track.fill_silence_until(now_us - lag_us)
            now_us += 40_000
        pieces += track.add(block)
    return pieces


def late_backlog(block: SoundBlock) -> SoundBlock:
    """The system held the blocks of seconds 4 to 9 back and then gave them all at once."""
    held = START_US + 4_000_000 < block.boot_us < START_US + 9_000_000
    return SoundBlock(block.samples, block.first_sample, START_US + 9_000_000 if held else block.boot_us)


def restarted(block: SoundBlock) -> SoundBlock:
    """From second 9 on the microphone counts from zero again."""
    again = block.first_sample >= 9 * 48_000
    return SoundBlock(block.samples, block.first_sample - 9 * 48_000 * again, block.boot_us)


def stood_still(block: SoundBlock) -> SoundBlock:
    """The microphone did not count between second 4 and second 9."""
    after = block.first_sample >= 9 * 48_000
    return SoundBlock(block.samples, block.first_sample - 5 * 48_000 * after, block.boot_us)


def away(block: SoundBlock) -> bool:
    return 4 * 48_000 <= block.first_sample < 9 * 48_000


@pytest.mark.parametrize(
    ("change", "lost_s"),
    [(late_backlog, 4.7), (restarted, 5.0), (stood_still, 5.55)],
)
def test_after_a_silence_real_sound_continues_in_its_place(
    change: Callable[[SoundBlock], SoundBlock], lost_s: float
) -> None:
    crystal = Crystal(50)
    arriving = [change(b) for b in blocks(crystal, 20, 960, jitter(3, 30_000)) if change is late_backlog or not away(b)]
    track = SoundTrack(START_US)
    pieces = run_with_silence(track, arriving)
    assert all(after.boot_us - before.boot_us >= 21_000 for before, after in pairwise(pieces))
    assert max(abs(crystal.error_us(piece)) for piece in pieces if piece.samples[0]) < 40_000
    back = [piece for piece in pieces if piece.boot_us > START_US + 9_700_000]
    assert all(piece.samples.all() for piece in back)
    lost_us = sum(until - since for since, until in track.take_lost() if until - since > 100_000)
    assert lost_us == pytest.approx(lost_s * 1e6, abs=150_000)


def test_a_microphone_that_never_speaks_gives_silence_up_to_the_asked_time() -> None:
    track = SoundTrack(START_US)
    pieces = track.fill_silence_until(START_US + 1_000_000) + track.finish()
    assert len(pieces) == 47
    assert not any(piece.samples.any() for piece in pieces)
    assert track.take_lost() == [(START_US, START_US + 1_000_000)]


def test_the_end_is_filled_up_to_a_whole_piece() -> None:
    track = SoundTrack(START_US)
    pieces = track.add(SoundBlock(samples_from(0, 1_500), 0, START_US + round(1_500 * US_PER_SAMPLE)))
    pieces += track.finish()
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces])[:1_500], samples_from(0, 1_500))
    assert len(pieces) == 2


def test_a_loss_that_goes_on_is_told_once_a_minute_and_at_its_end() -> None:
    track = SoundTrack(START_US)
    told = []
    for number in range(1, 3_751):
        track.fill_silence_until(START_US + number * 40_000)
        told += track.take_lost()
    assert len(told) == 2
    track.finish()
    told += track.take_lost()
    assert told[0][0] == START_US
    assert all(before[1] == pytest.approx(after[0], abs=1) for before, after in pairwise(told))
    assert told[-1][1] == pytest.approx(START_US + 150_000_000, abs=21)
