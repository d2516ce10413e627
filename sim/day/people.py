"""What people say near a recorder: the lines of `sim/media/speech` as samples."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler

import sim
from device.ports import SOUND_RATE_HZ, Samples
from sim.steps import Line

FOLDER = Path(sim.__file__).parent / "media" / "speech" / "zh-CN"


@cache
def spoken(line: Line) -> Samples:
    """Mono at 48 kHz."""
    resampler = AudioResampler(format="s16", layout="mono", rate=SOUND_RATE_HZ)
    with av.open(str(FOLDER / f"{line}.opus")) as container:
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.int16)


def length_s(line: Line) -> float:
    """How long it takes to say it."""
    return spoken(line).size / SOUND_RATE_HZ
