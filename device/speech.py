"""Is somebody speaking? A streaming detector, pure: sound in, milliseconds of speech out.

It looks for what a voice has and wind, engines, hum and beeps have not, all at once: a pitch of 70 to 400 Hz that
moves, whose overtones fill several bands of the telephone's range, louder than the noise that was there before. It
knows no language and no words, and it would rather take a horn or a siren for somebody than write into the journal that
an officer was silent who was not: whose voice it was is heard in the recording, which is the evidence.

Two ideas are published ones: the noise floor as a running minimum (R. Martin, Noise power spectral density estimation
based on optimal smoothing and minimum statistics, 2001), and the pitch from a window's autocorrelation divided by
that of the window function (P. Boersma, 1993).
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from device.ports import SOUND_RATE_HZ, Samples

Floats = NDArray[np.float64]

FRAME_MS = 20
HOP = SOUND_RATE_HZ * FRAME_MS // 1000
WINDOW = 2 * HOP
FFT = 2 * WINDOW
BIN_HZ = SOUND_RATE_HZ / FFT
BATCH = 8
"""So many frames are worked off at once, since numpy's price is by the call."""

BAND_EDGES_HZ = (225, 325, 450, 600, 775, 975, 1200, 1475, 1800, 2200, 2700, 3300)
"""The edges of the bands of a voice, about as wide as those of the ear."""
PITCH_BAND_HZ = (100, 1600)
"""Where the overtones are that show a pitch."""
PITCH_HZ = (70, 400)
NEAR_HZ = 200
"""Each frequency is weighed against its neighbours up to here, so that wind, all at the bottom, has no pitch."""
SPREAD = 1000.0
"""A band so many times weaker than the strongest may be what leaks out of a beep."""

FLOOR_BATCHES = 12
"""The floor is the least power of the last two seconds. Speech has a gap in every band within that time, so it does not
raise the floor; an engine that starts is part of it soon."""
FLOOR_BIAS = 2.0
"""The least of many values lies so far under their mean."""
QUIETEST = 5.0
"""Amplitude of a band in a quiet room, of 32768; nobody speaks more softly to a recorder on his chest."""

LOUD, LOUD_BANDS, HARMONY = 4.0, 4, 0.5
"""A voiced frame: this many bands are so many times louder than the floor, and so much of it repeats with the pitch."""
ONSET_MS, ONSET_WITHIN_MS = 100, 300
"""Speech begins when so much of so short a time was voiced ..."""
PITCH_MOVES = 1.06
"""A pitch that moves less within that time is no voice: horns, buzzers, hum."""
HANGOVER_MS = 300
"""... and goes on so long after the last voiced frame: consonants and the gaps between words."""

_LAST_BIN = round(BAND_EDGES_HZ[-1] / BIN_HZ)
_BAND_STARTS = np.array([round(edge / BIN_HZ) for edge in BAND_EDGES_HZ[:-1]])
_PITCH_BINS = slice(round(PITCH_BAND_HZ[0] / BIN_HZ), round(PITCH_BAND_HZ[1] / BIN_HZ))
_NEAR = round(NEAR_HZ / BIN_HZ)
_TAPER = np.hanning(WINDOW + 1)[:-1]
_QUIETEST_POWER = QUIETEST**2 / 2 * float(np.sum(_TAPER**2)) * FFT / 2
_LAGS = 1024
"""Points of the autocorrelation: at 12.8 kHz, over the FFT's own 80 ms."""
_LAG_RATE_HZ = _LAGS * BIN_HZ
_PITCH_LAGS = slice(int(_LAG_RATE_HZ / PITCH_HZ[1]), int(_LAG_RATE_HZ / PITCH_HZ[0]) + 1)


def _window_repeats() -> Floats:
    """How much of itself the window function finds again at each lag of a pitch."""
    power = np.abs(np.fft.rfft(_TAPER, FFT)) ** 2
    repeats: Floats = np.fft.irfft(power[: _LAGS // 2 + 1], _LAGS)
    share: Floats = repeats[_PITCH_LAGS] / repeats[0]
    return share


_WINDOW_REPEATS = _window_repeats()
# What repeats after one period repeats after two as well.
_SHORTER_FIRST = np.linspace(1.0, 0.6, len(_WINDOW_REPEATS))


class SpeechDetector:
    """Hears one sound from its beginning, block by block. Each window in which somebody may speak wants a new one."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.int16)
        self._floors: deque[Floats] = deque(maxlen=FLOOR_BATCHES)
        self._pitches: deque[float] = deque(maxlen=ONSET_WITHIN_MS // FRAME_MS)
        self._hangs_ms = 0

    def add(self, samples: Samples) -> int:
        """The next samples (mono, 48 kHz, any number); gives how many milliseconds of speech they brought to light.

        Sound is judged in batches of 160 ms, so speech may be reported one batch after it was heard.
        """
        self._rest = np.concatenate([self._rest, samples])
        speech_ms = 0
        while self._rest.size >= BATCH * HOP + WINDOW - HOP:
            windows = np.lib.stride_tricks.sliding_window_view(self._rest, WINDOW)[: BATCH * HOP : HOP]
            self._rest = self._rest[BATCH * HOP :]
            speech_ms += self._judge(windows)
        return speech_ms

    def _judge(self, windows: NDArray[np.int16]) -> int:
        power = np.abs(np.fft.rfft(windows * _TAPER, FFT)[:, :_LAST_BIN]) ** 2
        loud = self._loud_bands(np.add.reduceat(power, _BAND_STARTS, axis=1))
        harmony, pitch_hz = _pitch(power)
        voiced = (loud >= LOUD_BANDS) & (harmony >= HARMONY)
        return sum(self._frame(*frame) for frame in zip(voiced.tolist(), pitch_hz.tolist(), strict=True))

    def _loud_bands(self, bands: Floats) -> NDArray[np.intp]:
        """How many bands of each frame stand out of the floor, which this batch's quietest moments belong to."""
        self._floors.append(bands.min(axis=0))
        floor = np.maximum(np.min(self._floors, axis=0) * FLOOR_BIAS, _QUIETEST_POWER)
        heard = np.maximum(LOUD * floor, bands.max(axis=1, keepdims=True) / SPREAD)
        loud: NDArray[np.intp] = np.sum(bands > heard, axis=1, dtype=np.intp)
        return loud

    def _frame(self, voiced: bool, pitch_hz: float) -> int:
        """One frame's milliseconds of speech: those of its run come with the frame that makes it speech."""
        self._pitches.append(pitch_hz if voiced else 0.0)
        if voiced and self._moves():
            run = [hz for hz in self._pitches if hz]
            if self._hangs_ms or len(run) * FRAME_MS >= ONSET_MS:
                onset_ms = 0 if self._hangs_ms else ONSET_MS - FRAME_MS
                self._hangs_ms = HANGOVER_MS
                return FRAME_MS + onset_ms
        self._hangs_ms = max(0, self._hangs_ms - FRAME_MS)
        return FRAME_MS if self._hangs_ms else 0

    def _moves(self) -> bool:
        run = sorted(hz for hz in self._pitches if hz)
        return len(run) > 2 and run[-2] > run[1] * PITCH_MOVES


def _pitch(power: Floats) -> tuple[Floats, Floats]:
    """Of each frame: how much of it repeats with its best pitch, 0 to 1, and that pitch in Hz."""
    low = np.zeros((len(power), _LAGS // 2 + 1))
    sums = np.cumsum(np.pad(power, ((0, 0), (_NEAR + 1, _NEAR))), axis=1)
    near = sums[:, 2 * _NEAR + 1 :] - sums[:, : -2 * _NEAR - 1]
    low[:, _PITCH_BINS] = power[:, _PITCH_BINS] / (near[:, _PITCH_BINS] + 1.0)
    repeats = np.fft.irfft(low, _LAGS)
    alike = repeats[:, _PITCH_LAGS] / (repeats[:, :1] + 1e-9) / _WINDOW_REPEATS
    best = (alike * _SHORTER_FIRST).argmax(axis=1)
    harmony = alike[np.arange(len(best)), best]
    return harmony, _LAG_RATE_HZ / (_PITCH_LAGS.start + best + _summit(alike, best))


def _summit(alike: Floats, best: NDArray[np.intp]) -> Floats:
    """How far between the lags the top of the parabola through the best one and its neighbours lies."""
    rows, inner = np.arange(len(best)), np.clip(best, 1, alike.shape[1] - 2)
    before, at, after = alike[rows, inner - 1], alike[rows, inner], alike[rows, inner + 1]
    bend = before - 2 * at + after
    return np.where(bend < 0, np.clip((before - after) / np.where(bend < 0, 2 * bend, 1.0), -0.5, 0.5), 0.0)
