"""Real H.264 and AAC, encoded once: what a camera and a microphone deliver, and the fragments made of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from device.capture.encoder import SoftwareEncoder
from device.capture.muxer import FragmentMuxer, MediaFragment
from device.ports import Frame, SoundBlock, VideoFormat, VideoPacket

EPOCH_US = 5_000_000
BLOCK_SAMPLES = 960
BLOCK_US = 20_000


@dataclass(frozen=True)
class Film:
    """What comes from the ports, each in order of time, the first picture half a second after the epoch."""

    video: VideoFormat
    packets: tuple[VideoPacket, ...]
    blocks: tuple[SoundBlock, ...]


@dataclass(frozen=True)
class Cut:
    """A film after the muxer."""

    init: bytes
    fragments: tuple[MediaFragment, ...]


@cache
def film(seconds: int, width: int = 160, height: int = 92, frames_per_s: int = 10, loud: bool = True) -> Film:
    encoder = SoftwareEncoder(width, height, frames_per_s, 100_000)
    frame_us = 1_000_000 // frames_per_s
    times_us = [EPOCH_US + 500_000 + number * frame_us for number in range(seconds * frames_per_s)]
    pictures = (_picture(number, width, height, time_us) for number, time_us in enumerate(times_us))
    packets = [packet for picture in pictures for packet in encoder.encode(picture)]
    tone = (np.sin(np.arange(BLOCK_SAMPLES) / 20) * (8_000 if loud else 0)).astype(np.int16)
    count = (times_us[-1] - EPOCH_US) // BLOCK_US + 10
    blocks = [SoundBlock(tone, n * BLOCK_SAMPLES, EPOCH_US + (n + 1) * BLOCK_US) for n in range(count)]
    return Film(encoder.format, tuple(packets + encoder.finish()), tuple(blocks))


@cache
def footage(seconds: int) -> Cut:
    """One fragment a second."""
    return _mux(film(seconds))


@cache
def tiny_footage(seconds: int) -> Cut:
    """The same in the fewest bytes: small pictures, few of them, and silence."""
    return _mux(film(seconds, 64, 64, 3, loud=False))


def _mux(source: Film) -> Cut:
    muxer = FragmentMuxer(source.video, sound=True, epoch_boot_us=EPOCH_US)
    fragments = []
    items: list[VideoPacket | SoundBlock] = [*source.packets, *source.blocks]
    for item in sorted(items, key=lambda one: one.boot_us):
        fragments += muxer.add_video(item) if isinstance(item, VideoPacket) else muxer.add_sound(item)
    return Cut(muxer.init, tuple(fragments + muxer.finish()))


def _picture(number: int, width: int, height: int, boot_us: int) -> Frame:
    buffer = np.full(width * height * 3 // 2, 128, np.uint8)
    y = buffer[: width * height].reshape(height, width)
    y[:] = (np.arange(width) + 7 * number) % 200 + 20
    chroma = buffer[width * height :].reshape(2, height // 2, width // 2)
    return Frame(y, chroma[0], chroma[1], boot_us)
