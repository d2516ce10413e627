"""Sound and picture stay together: a flash with a beep each few seconds, through sound track, encoders and muxer."""

from __future__ import annotations

from io import BytesIO

import av
import numpy as np
import pytest

from device.capture.encoder import SoftwareEncoder
from device.capture.muxer import FragmentMuxer
from device.ports import SOUND_RATE_HZ, Frame, SoundBlock

WIDTH, HEIGHT, FRAMES_PER_S = 64, 64, 30
EVERY_S = 5
BEEP_S = 0.2
BLOCK = 960
EPOCH_US = 1_000_000
LIMIT_US = 40_000
BLACK, WHITE = 16, 235


def is_event(seconds: float) -> bool:
    return seconds >= 1 and seconds % EVERY_S < BEEP_S


def make_recording(seconds: int, drift_ppm: float, seed: int) -> bytes:
    """A recording of so many seconds, by a microphone whose crystal is off and whose blocks come late."""
    encoder = SoftwareEncoder(WIDTH, HEIGHT, FRAMES_PER_S, 100_000)
    muxer = FragmentMuxer(encoder.format, sound=True, epoch_boot_us=EPOCH_US)
    random = np.random.default_rng(seed)
    rate_hz = SOUND_RATE_HZ * (1 + drift_ppm / 1e6)
    fragments, sample = [], 0
    planes = {light: Frame(*_planes(light), boot_us=0) for light in (BLACK, WHITE)}
    for number in range(seconds * FRAMES_PER_S):
        at_s = 0.5 + number / FRAMES_PER_S
        light = planes[WHITE if is_event(at_s) else BLACK]
        boot_us = EPOCH_US + round(at_s * 1e6)
        for packet in encoder.encode(Frame(light.y, light.u, light.v, boot_us)):
            fragments += muxer.add_video(packet)
        while (sample + BLOCK) / rate_hz < at_s:
            times = 0.05 + (sample + np.arange(BLOCK)) / rate_hz
            tone = np.where((times >= 1) & (times % EVERY_S < BEEP_S), np.sin(times * 2 * np.pi * 1000) * 20_000, 0)
            sample += BLOCK
            heard_us = EPOCH_US + round((0.05 + sample / rate_hz) * 1e6) + int(random.integers(0, 15_000))
            fragments += muxer.add_sound(SoundBlock(tone.astype(np.int16), sample - BLOCK, heard_us))
    fragments += muxer.finish()
    return muxer.init + b"".join(fragment.data for fragment in fragments)


def _planes(light: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    buffer = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    buffer[:HEIGHT] = light
    chroma = buffer[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    return buffer[:HEIGHT], chroma[0], chroma[1]


def flashes_us(recording: bytes) -> list[int]:
    """When pictures turn white, in the file's own time."""
    found, was_white = [], False
    with av.open(BytesIO(recording)) as container:
        for frame in container.decode(video=0):
            white = int(frame.to_ndarray(format="gray")[HEIGHT // 2, WIDTH // 2]) > 128
            if white and not was_white:
                found.append(round(frame.pts * frame.time_base * 1_000_000))
            was_white = white
    return found


def beeps_us(recording: bytes) -> list[int]:
    """When sound begins after a silence, in the file's own time."""
    found, quiet_since_us = [], 0
    with av.open(BytesIO(recording)) as container:
        for frame in container.decode(audio=0):
            begin_us = round(frame.pts * frame.time_base * 1_000_000)
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.2)
            if loud.size == 0:
                continue
            first_us, last_us = (begin_us + round(int(at) * 1e6 / SOUND_RATE_HZ) for at in (loud[0], loud[-1]))
            if first_us - quiet_since_us > 1_000_000:
                found.append(first_us)
            quiet_since_us = last_us
    return found


def largest_offset_us(seconds: int, drift_ppm: float) -> int:
    recording = make_recording(seconds, drift_ppm, seed=7)
    flashes, beeps = flashes_us(recording), beeps_us(recording)
    assert len(flashes) == len(beeps) >= seconds // EVERY_S - 1
    return max(abs(flash - beep) for flash, beep in zip(flashes, beeps, strict=True))


@pytest.mark.parametrize("drift_ppm", [-100.0, 100.0])
def test_a_beep_is_heard_with_its_flash(drift_ppm: float) -> None:
    assert largest_offset_us(30, drift_ppm) <= LIMIT_US


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_beep_is_heard_with_its_flash_for_an_hour() -> None:
    assert largest_offset_us(3600, 100.0) <= LIMIT_US
