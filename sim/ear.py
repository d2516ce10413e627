"""A person beside the recorder, who understands what it says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from device.ports import Samples
from device.voice.voice import CLIPS, decode

UNKNOWN = "?"
SPEECH = Path(__file__).parent / "media" / "speech"


def understood(sound: Samples, language: str) -> str:
    """The clip that a whole sound is, as `started` or `minutes-20`; `?` for one that was cut short or is none."""
    return _vocabulary(language).get(hash(sound.tobytes()), UNKNOWN)


@cache
def _vocabulary(language: str) -> dict[int, str]:
    return {hash(decode(path).tobytes()): path.stem for path in (CLIPS / language).glob("*.opus")}


def speech(line: str, language: str) -> Samples:
    """What a person says in the simulator: a line of `sim/media/speech/lines.toml`. Raises BadInputError."""
    return decode(SPEECH / language / f"{line}.opus")
