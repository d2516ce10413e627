"""The simulated microphone: the clip's sound, counted by a crystal that is a little off, delivered a little late."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from device.ports import SOUND_RATE_HZ, Samples, SoundBlock
from evidence.errors import BadInputError, CaptureError
from sim.clip import read_facts
from sim.clip_sound import ClipSound
from sim.clock import SimClock

BLOCK_SAMPLES = SOUND_RATE_HZ // 25
JITTER_SEED = 20_261_121
DRIVER_BUFFER_US = 500_000
"""A block that nobody fetched for so long has been overwritten."""

log = logging.getLogger(__name__)


class SimMicrophone:
    """A `Microphone` that hears the clip. Media time is boot time, as it is for the camera beside it.

    `drift_ppm` is by how much its crystal is fast. Raises BadInputError when the clip cannot be used.
    """

    def __init__(self, clip_path: Path, clock: SimClock, drift_ppm: float = 30.0, jitter_ms: float = 15.0) -> None:
        read_facts(clip_path)
        self._clip_path = clip_path
        self._clock = clock
        self._rate_hz = SOUND_RATE_HZ * (1 + drift_ppm / 1_000_000)
        self._jitter_us = jitter_ms * 1000
        self._said: deque[Samples] = deque()
        self._unplugged = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, deliver: Callable[[SoundBlock], None]) -> None:
        """Start delivering blocks of 40 ms. Raises CaptureError when unplugged."""
        if self._unplugged.is_set():
            raise CaptureError("microphone", "is not plugged in", "plug it in")
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(deliver,), name="sim microphone", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; no callback comes after this returns."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def unplug(self) -> None:
        """The world pulls the plug: what is said from now on is lost."""
        self._unplugged.set()

    def plug(self) -> None:
        """The world puts the plug back."""
        self._unplugged.clear()

    def hear(self, speech: Samples) -> None:
        """Somebody near speaks, from now on and above the sound of the scene; a second voice waits for the first."""
        self._said.append(speech)

    def _run(self, deliver: Callable[[SoundBlock], None]) -> None:
        try:
            self._listen(deliver)
        except BadInputError as error:
            log.error("the microphone hears nothing any more: %s", error)

    def _listen(self, deliver: Callable[[SoundBlock], None]) -> None:
        jitter = np.random.default_rng(JITTER_SEED)
        start_us = self._clock.boot_us()
        world_sample = start_us * SOUND_RATE_HZ // 1_000_000
        sound = ClipSound(self._clip_path, world_sample)
        first_sample = heard = 0
        while True:
            end_sample = first_sample + BLOCK_SAMPLES
            # The world's sound has true time; a fast crystal hears a little less of it in each block.
            world_samples = round(end_sample * SOUND_RATE_HZ / self._rate_hz) - heard
            samples = self._with_speech(_stretched(sound.read(world_samples)))
            heard += world_samples
            complete_us = start_us + round(end_sample * 1_000_000 / self._rate_hz)
            if not self._clock.wait_until(complete_us + round(jitter.random() * self._jitter_us), self._stop):
                return
            seen_us = self._clock.boot_us()
            if not self._unplugged.is_set() and seen_us - complete_us < DRIVER_BUFFER_US:
                deliver(SoundBlock(samples, first_sample, seen_us))
            first_sample = end_sample

    def _with_speech(self, scene: Samples) -> Samples:
        heard, filled = scene.astype(np.int32), 0
        while self._said and filled < heard.size:
            speech = self._said.popleft()
            part = speech[: heard.size - filled]
            heard[filled : filled + part.size] += part
            filled += part.size
            if part.size < speech.size:
                self._said.appendleft(speech[part.size :])
        return np.clip(heard, -32768, 32767).astype(np.int16)


def _stretched(samples: Samples) -> Samples:
    """One sample too few or too many, made good."""
    if samples.size == BLOCK_SAMPLES:
        return samples
    return samples[np.minimum(np.arange(BLOCK_SAMPLES), samples.size - 1)]
