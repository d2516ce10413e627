"""Speech as a microphone hears it: what the simulator's officers say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from device.ports import Samples
from device.voice.voice import decode

LINES = Path(__file__).resolve().parents[2] / "sim" / "media" / "speech" / "zh-CN"


@cache
def spoken(line: str = "statement") -> Samples:
    """Mono samples of one line."""
    return decode(LINES / f"{line}.opus")
