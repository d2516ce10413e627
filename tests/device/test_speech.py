"""Is somebody speaking? Rendered Mandarin and English in quiet and in noise, and everything that is not speech."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from device.ports import SOUND_RATE_HZ, Samples
from device.signals import BUZZES
from device.speech import BATCH, HOP, SpeechDetector
from device.voice.voice import CLIPS, decode
from sim.ear import SPEECH

Sound = NDArray[np.float64]
SECOND = SOUND_RATE_HZ
BLOCK = SOUND_RATE_HZ // 25
LINES = sorted(SPEECH.rglob("*.opus"))
PROMPTS = [CLIPS / language / f"{name}.opus" for language in ("zh-CN", "en") for name in ("say_reason", "not_fit")]


def speech_ms(sound: Sound) -> int:
    samples = np.clip(sound, -32768, 32767).astype(np.int16)
    detector = SpeechDetector()
    return sum(detector.add(samples[at : at + BLOCK]) for at in range(0, samples.size, BLOCK))


def coloured(count: int, slope: float) -> Sound:
    """Noise of unit power that falls with frequency: 0 white, 1 pink, 3 what wind makes of a microphone."""
    noise = np.random.default_rng(7).normal(size=count)
    frequency_hz = np.maximum(np.fft.rfftfreq(count, 1 / SOUND_RATE_HZ), 20)
    sound = np.fft.irfft(np.fft.rfft(noise) * frequency_hz ** (-slope / 2), count)
    return sound / sound.std()


def pink(count: int) -> Sound:
    return coloured(count, 1)


def street(count: int) -> Sound:
    """Cars that come and go, and twice a second something that clacks."""
    t = seconds(count)
    sound = pink(count) * (1 + 0.8 * np.sin(2 * np.pi * 0.3 * t)) + coloured(count, 2) * (1 + np.sin(1.3 * t))
    for at in np.random.default_rng(8).integers(0, count - 2400, count // SECOND * 2):
        sound[at : at + 2400] += 4 * coloured(2400, 0) * np.exp(-np.arange(2400) / 400)
    return sound / sound.std()


def wind(count: int) -> Sound:
    gusts = np.exp(0.8 * np.random.default_rng(9).normal(size=count // 4800 + 2))
    sound = coloured(count, 3) * np.interp(np.arange(count) / 4800, np.arange(gusts.size), gusts)
    return sound / sound.std()


def seconds(count: int) -> Sound:
    return np.arange(count) / SOUND_RATE_HZ


def overtones(frequency_hz: float, t: Sound) -> Sound:
    return np.sum([np.sin(2 * np.pi * frequency_hz * n * t) / n for n in range(1, 15)], axis=0)


@cache
def said(path: Path) -> tuple[Sound, float, float]:
    """A clip after a second of quiet; how many milliseconds of it are loud, and how loud those are."""
    clip = decode(path).astype(float)
    frames = clip[: clip.size // HOP * HOP].reshape(-1, HOP)
    power = (frames**2).mean(axis=1)
    loud = power > power.max() / 1000
    sound = np.concatenate([np.zeros(SECOND), clip, np.zeros(SECOND // 2 - clip.size % (SECOND // 2))])
    return sound, 20.0 * loud.sum(), float(np.sqrt(power[loud].mean()))


def heard_share(noise: Callable[[int], Sound], snr_db: float) -> list[float]:
    shares = []
    for path in [*LINES, *PROMPTS]:
        sound, loud_ms, loudness = said(path)
        shares.append(speech_ms(sound + noise(sound.size) * loudness / 10 ** (snr_db / 20)) / loud_ms)
    return shares


@pytest.mark.parametrize(
    ("noise", "snr_db", "least_of_each", "least_of_all"),
    [
        pytest.param(pink, 45, 0.75, 0.9, id="a quiet room"),
        pytest.param(pink, 10, 0.25, 0.6, id="pink noise at 10 dB"),
        pytest.param(pink, 5, 0.1, 0.4, id="pink noise at 5 dB"),
        pytest.param(street, 10, 0.4, 0.7, id="a street at 10 dB"),
        pytest.param(street, 5, 0.15, 0.6, id="a street at 5 dB"),
        pytest.param(wind, 5, 0.75, 0.9, id="wind at 5 dB"),
    ],
)
def test_speech_is_heard(
    noise: Callable[[int], Sound], snr_db: float, least_of_each: float, least_of_all: float
) -> None:
    """By how much of its loud time is found: of each clip at least so much, and of all together."""
    shares = heard_share(noise, snr_db)
    assert min(shares) >= least_of_each
    assert np.mean(shares) >= least_of_all
    assert max(shares) < 1.6


def own_signals(count: int) -> Sound:
    """All that the panel can buzz, by the buzzer and by the motor that shakes the case."""
    t, on = seconds(count), np.zeros(count)
    at = 0
    while at < count:
        for pattern in BUZZES.values():
            for on_ms, off_ms in pattern:
                on[at : at + on_ms * 48] = 1
                at += (on_ms + off_ms) * 48
            at += SECOND // 2
    return on * (4000 * np.sign(np.sin(2 * np.pi * 2700 * t)) + 2500 * overtones(180, t)) + 30 * pink(count)


COUNT = 20 * SECOND
T = seconds(COUNT)
NO_SPEECH: dict[str, Callable[[], Sound]] = {
    "silence": lambda: np.zeros(COUNT),
    "a quiet room": lambda: 12 * pink(COUNT),
    "white noise": lambda: 1500 * coloured(COUNT, 0),
    "pink noise": lambda: 1500 * pink(COUNT),
    "a street": lambda: 2000 * street(COUNT),
    "wind": lambda: 4000 * wind(COUNT),
    "mains hum": lambda: 1500 * overtones(50, T) + 30 * pink(COUNT),
    "mains hum on and off": lambda: 1500 * overtones(50, T) * (np.sin(2 * T) > 0) + 30 * pink(COUNT),
    "an engine": lambda: 3000 * np.sign(np.sin(2 * np.pi * (90 * T + 47 * np.sin(0.63 * T)))) + 500 * pink(COUNT),
    "beeps": lambda: 5000 * np.sin(2 * np.pi * 2700 * T) * (np.sin(16 * T) > 0) + 30 * pink(COUNT),
    "a whistle that moves": lambda: 5000 * np.sin(2 * np.pi * (900 * T + 250 * np.sin(1.6 * T))) + 100 * pink(COUNT),
    "its own signals": lambda: own_signals(COUNT),
}


@pytest.mark.parametrize("sound", NO_SPEECH.values(), ids=NO_SPEECH)
def test_what_is_not_speech_is_not_taken_for_it(sound: Callable[[], Sound]) -> None:
    assert speech_ms(sound()) == 0


def test_speech_that_stops_is_not_heard_for_ever() -> None:
    sound, loud_ms, _ = said(LINES[0])
    after = np.concatenate([sound, 12 * pink(20 * SECOND)])
    assert speech_ms(after) < 1.5 * loud_ms


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 9000), min_size=1, max_size=40))
def test_it_does_not_matter_how_the_sound_is_cut(sizes: list[int]) -> None:
    samples: Samples = said(PROMPTS[0])[0].astype(np.int16)[: sum(sizes)]
    at_once = SpeechDetector().add(samples)
    detector, ends = SpeechDetector(), np.cumsum(sizes)
    in_pieces = sum(detector.add(piece) for piece in np.split(samples, ends[:-1]))
    assert in_pieces == at_once


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 32767), st.integers(1, 20))
def test_never_more_speech_than_sound(seed: int, amplitude: int, batches: int) -> None:
    count = batches * BATCH * HOP
    noise = np.random.default_rng(seed).integers(-amplitude, amplitude + 1, count)
    assert 0 <= SpeechDetector().add(noise.astype(np.int16)) <= 1000 * count // SOUND_RATE_HZ
