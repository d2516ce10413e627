"""The microphone of a day: digital silence, and what people say to it, in blocks at the world's time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from device.ports import SOUND_RATE_HZ, Samples, SoundBlock
from evidence.errors import CaptureError
from sim.day.clock import WorldClock

BLOCK_S = 0.2
BLOCK_SAMPLES = round(BLOCK_S * SOUND_RATE_HZ)


class Ears:
    """A `Microphone` whose callbacks come in the loop."""

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self._deliver: Callable[[SoundBlock], None] = lambda _: None
        self._timer: asyncio.TimerHandle | None = None
        self._unplugged = False
        self._said = np.zeros(0, np.int16)
        self._silence = np.zeros(BLOCK_SAMPLES, np.int16)

    def start(self, deliver: Callable[[SoundBlock], None]) -> None:
        """Start delivering. Raises CaptureError when unplugged."""
        if self._unplugged:
            raise CaptureError("microphone", "is not plugged in", "plug it in")
        self._deliver = deliver
        self._wait_for_block(self._clock.boot_us(), 1)

    def stop(self) -> None:
        """Stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def hear(self, samples: Samples) -> None:
        """Somebody says this from now on, after what is being said."""
        self._said = np.concatenate((self._said, samples))

    def unplug(self) -> None:
        """The world pulls the plug: what is said from now on is lost."""
        self._unplugged = True

    def plug(self) -> None:
        """The world puts the plug back."""
        self._unplugged = False

    def _wait_for_block(self, start_us: int, block: int) -> None:
        wait_s = (start_us - self._clock.boot_us()) / 1_000_000 + block * BLOCK_S
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._listen, start_us, block)

    def _listen(self, start_us: int, block: int) -> None:
        self._wait_for_block(start_us, block + 1)
        samples = self._silence
        if self._said.size:
            spoken, self._said = self._said[:BLOCK_SAMPLES], self._said[BLOCK_SAMPLES:]
            samples = np.concatenate((spoken, self._silence[spoken.size :]))
        if not self._unplugged:
            self._deliver(SoundBlock(samples, (block - 1) * BLOCK_SAMPLES, self._clock.boot_us()))
