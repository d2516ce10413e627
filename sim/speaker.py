"""The simulated speaker: it plays in the world's own time, and whoever stands beside it hears."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from device.ports import SOUND_RATE_HZ, Clock, Samples

REMEMBERED = 64
"""So many sounds are remembered, the latest ones: a shift says more than a PC should keep."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One sound as it was heard, cut short where the recorder fell silent; `boot_us` is when it began."""

    boot_us: int
    samples: Samples


class SimSpeaker:
    """A `Speaker`. `heard` is what a person beside it has heard, or will have when all that is queued is played."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: deque[Heard] = deque(maxlen=REMEMBERED)
        self._quiet_from_us = 0
        self._unplugged = False

    @property
    def heard(self) -> tuple[Heard, ...]:
        """The latest sounds, oldest first."""
        with self._lock:
            return tuple(self._heard)

    def play(self, samples: Samples) -> None:
        with self._lock:
            if self._unplugged or not samples.size:
                return
            begins_us = max(self._clock.now().boot_us, self._quiet_from_us)
            self._heard.append(Heard(begins_us, samples))
            self._quiet_from_us = begins_us + samples.size * 1_000_000 // SOUND_RATE_HZ

    def stop(self) -> None:
        with self._lock:
            self._cut()

    def unplug(self) -> None:
        """The world cuts the speaker's cable: nothing is heard until it is mended."""
        with self._lock:
            self._unplugged = True
            self._cut()

    def plug(self) -> None:
        """The world mends the cable."""
        with self._lock:
            self._unplugged = False

    def _cut(self) -> None:
        now_us = self._clock.now().boot_us
        while self._heard and self._heard[-1].boot_us >= now_us:
            self._heard.pop()
        if self._heard:
            last = self._heard.pop()
            played = (now_us - last.boot_us) * SOUND_RATE_HZ // 1_000_000
            self._heard.append(Heard(last.boot_us, last.samples[:played]))
        self._quiet_from_us = min(self._quiet_from_us, now_us)
