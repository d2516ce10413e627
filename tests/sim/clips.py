"""Odd clips for the tests, made by PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

GREYS = (60, 100, 140, 180, 220)
PICTURE_S = Fraction(1, 10)


def make_clip(
    path: Path,
    *,
    size: tuple[int, int] = (320, 180),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    starts_ms: tuple[int, ...] = (0, 100, 200, 300, 400),
    turned: float = 0.0,
    tone_until_ms: int = 0,
) -> Path:
    """Pictures of one grey each, GREYS in turn, the left half of each a shade darker; optionally with a tone."""
    width, height = size
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, 10)
        video.width, video.height, video.pix_fmt = width, height, pixels
        video.codec_context.time_base = Fraction(1, 1000)
        if turned:
            video.set_display_rotation(turned)
        sound = out.add_stream("aac", 48_000, layout="mono") if tone_until_ms else None
        for number, start_ms in enumerate(starts_ms):
            grey = np.full((height, width, 3), GREYS[number % len(GREYS)], np.uint8)
            grey[:, : width // 2] -= 20
            picture = av.VideoFrame.from_ndarray(grey, "rgb24").reformat(format=pixels)
            picture.pts, picture.time_base = start_ms, Fraction(1, 1000)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        if sound is not None:
            clicks = np.zeros((1, tone_until_ms * 48), np.int16)
            clicks[0, ::2] = 8000  # a loud buzz from the first sample to the last
            clicks[0, 1::4] = -8000
            frame = av.AudioFrame.from_ndarray(clicks, "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
            out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    return path


def make_still(path: Path, size: tuple[int, int] = (200, 100)) -> Path:
    """A picture file of one grey, by its suffix."""
    av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 140, np.uint8), "rgb24").save(path)
    return path
