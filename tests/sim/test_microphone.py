from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip

from device.ports import SOUND_RATE_HZ, SoundBlock
from evidence.errors import BadInputError, CaptureError
from evidence.model import ClockGrade
from sim.clip_sound import ClipSound
from sim.clock import SimClock
from sim.microphone import BLOCK_SAMPLES, SimMicrophone


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "buzz.mp4", tone_until_ms=300)


def fresh_clock() -> SimClock:
    return SimClock("a" * 32, 480, ClockGrade.RTC)


@contextmanager
def running(microphone: SimMicrophone) -> Iterator[queue.Queue[SoundBlock]]:
    blocks: queue.Queue[SoundBlock] = queue.Queue()
    microphone.start(blocks.put)
    try:
        yield blocks
    finally:
        microphone.stop()


def take(blocks: queue.Queue[SoundBlock], count: int) -> list[SoundBlock]:
    return [blocks.get(timeout=10) for _ in range(count)]


def last_before_silence(blocks: queue.Queue[SoundBlock]) -> SoundBlock | None:
    """At most a block in hand comes out; then nothing for five blocks' time."""
    last = None
    for _ in range(3):
        try:
            last = blocks.get(timeout=0.1)
        except queue.Empty:
            return last
    raise AssertionError("it goes on")


def test_blocks_follow_each_other_without_a_gap(clip: Path) -> None:
    with running(SimMicrophone(clip, fresh_clock())) as blocks:
        seen = take(blocks, 25)
    assert [block.first_sample for block in seen] == [number * BLOCK_SAMPLES for number in range(25)]
    assert all(block.samples.shape == (BLOCK_SAMPLES,) and block.samples.dtype == np.int16 for block in seen)


def test_a_block_is_never_early(clip: Path) -> None:
    clock = fresh_clock()
    started_us = clock.boot_us()
    with running(SimMicrophone(clip, clock, drift_ppm=0.0)) as blocks:
        seen = take(blocks, 25)
    lateness_us = [
        block.boot_us - started_us - (block.first_sample + BLOCK_SAMPLES) * 1_000_000 // 48_000 for block in seen
    ]
    assert min(lateness_us) >= 0
    assert max(lateness_us) - min(lateness_us) > 2_000, "it varies"


def test_a_fast_crystal_makes_more_samples_of_the_same_time(clip: Path) -> None:
    """At half as fast again a block lasts 13.3 ms; at the right rate the last blocks would be 200 ms late."""
    clock = fresh_clock()
    started_us = clock.boot_us()
    with running(SimMicrophone(clip, clock, drift_ppm=500_000.0, jitter_ms=0.0)) as blocks:
        seen = take(blocks, 40)
    lateness_us = [
        block.boot_us - started_us - (block.first_sample + BLOCK_SAMPLES) * 1_000_000 / 72_000 for block in seen
    ]
    assert min(lateness_us) >= 0
    assert min(lateness_us[30:]) < 100_000


@pytest.mark.parametrize("drift_ppm", [0.0, 50_000.0])
def test_it_hears_the_clip_at_boot_time_whatever_its_crystal(clip: Path, drift_ppm: float) -> None:
    """The buzz of the first 300 ms of each 500 ms begins when the clip at that boot time says so."""
    clock = fresh_clock()
    with running(SimMicrophone(clip, clock, drift_ppm=drift_ppm, jitter_ms=0.0)) as blocks:
        seen = take(blocks, 60)
    rate_hz = SOUND_RATE_HZ * (1 + drift_ppm / 1_000_000)
    # The earliest sight of a block bounds when the microphone started.
    started_us = min(block.boot_us - (block.first_sample + BLOCK_SAMPLES) * 1_000_000 / rate_hz for block in seen)
    heard = np.concatenate([block.samples for block in seen]).astype(float)
    loud = np.convolve(np.abs(heard), np.ones(480) / 480, "valid") > 1_000
    rises = np.flatnonzero(~loud[:-1] & loud[1:])
    assert rises.size >= 2
    for rise in rises:
        at_us = started_us + (rise + 480) * 1_000_000 / rate_hz
        assert min(at_us % 500_000, 500_000 - at_us % 500_000) < 20_000


def test_what_is_said_while_unplugged_is_lost_and_counted(clip: Path) -> None:
    microphone = SimMicrophone(clip, fresh_clock())
    with running(microphone) as blocks:
        before = take(blocks, 3)[-1]
        microphone.unplug()
        before = last_before_silence(blocks) or before
        with pytest.raises(CaptureError, match="not plugged in"):
            microphone.start(blocks.put)
        microphone.plug()
        after = take(blocks, 1)[0]
    lost = after.first_sample - before.first_sample - BLOCK_SAMPLES
    assert lost >= BLOCK_SAMPLES * 2
    assert lost % BLOCK_SAMPLES == 0


def test_nothing_comes_after_stop(clip: Path) -> None:
    with running(SimMicrophone(clip, fresh_clock())) as blocks:
        take(blocks, 2)
    left = blocks.qsize()
    assert not [thread for thread in threading.enumerate() if thread.name == "sim microphone"]
    assert blocks.qsize() == left


def test_the_same_sound_as_the_clip_without_drift(clip: Path) -> None:
    with running(SimMicrophone(clip, fresh_clock(), drift_ppm=0.0)) as blocks:
        heard = np.concatenate([block.samples for block in take(blocks, 3)])
    world = ClipSound(clip).read(SOUND_RATE_HZ).tobytes()
    assert heard[:480].tobytes() in world


def test_a_clip_that_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadInputError):
        SimMicrophone(tmp_path / "none.mp4", fresh_clock())


def test_somebody_who_speaks_is_heard_above_the_scene(clip: Path) -> None:
    """Whole and in order, also what does not fill a block; a loud scene and a loud voice do not wrap around."""
    first, second = np.full(BLOCK_SAMPLES * 2 + 100, 1_000, np.int16), np.full(50, 32_767, np.int16)
    microphone = SimMicrophone(clip, fresh_clock(), drift_ppm=0.0)
    microphone.hear(first)
    microphone.hear(second)
    with running(microphone) as blocks:
        heard = np.concatenate([block.samples for block in take(blocks, 4)]).astype(int)
    scene = ClipSound(clip).read(SOUND_RATE_HZ).astype(int)
    silent = heard[first.size + second.size :]
    start = next(at for at in range(scene.size) if np.array_equal(scene[at : at + silent.size], silent))
    scene = scene[start - first.size - second.size :][: heard.size]
    expected = scene + np.concatenate([first, second, np.zeros(silent.size, np.int16)])
    assert np.array_equal(heard, np.clip(expected, -32_768, 32_767))
