"""The simulated GNSS receiver: an officer who walks about the middle of Pingluo."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import cos, pi, radians, sin

from device.ports import Position

PINGLUO = Position(38.9066, 106.5450, 1100.0)
REACH_M = 300.0
ROUND_S = (1500.0, 2700.0)
"""How long one round takes: at the most some 1.5 m/s."""
METRES_PER_DEGREE = 111_320.0
STALE_US = 30_000_000


class SimLocator:
    """A `Locator`. Where the officer is depends on `boot_us`, the recorder's clock, and on the seed only."""

    def __init__(self, boot_us: Callable[[], int], seed: int = 0, home: Position = PINGLUO) -> None:
        self._boot_us = boot_us
        self._home = home
        chance = random.Random(seed)
        self._rounds_s = [chance.uniform(*ROUND_S) for _ in range(2)]
        self._phases = [chance.uniform(0, 2 * pi) for _ in range(2)]
        self._lost_at_us: int | None = None

    def read(self) -> Position | None:
        """The last fix, None without one or when it is older than half a minute."""
        now_us, lost_us = self._boot_us(), self._lost_at_us
        if lost_us is None:
            return self._at(now_us)
        return None if now_us - lost_us > STALE_US else self._at(lost_us)

    def lose_fix(self) -> None:
        """The officer goes into a cellar."""
        if self._lost_at_us is None:
            self._lost_at_us = self._boot_us()

    def find_fix(self) -> None:
        """The officer comes out again."""
        self._lost_at_us = None

    def _at(self, boot_us: int) -> Position:
        north_m, east_m = (
            REACH_M * sin(2 * pi * boot_us / 1_000_000 / round_s + phase)
            for round_s, phase in zip(self._rounds_s, self._phases, strict=True)
        )
        east_degree_m = METRES_PER_DEGREE * cos(radians(self._home.latitude_deg))
        return Position(
            round(self._home.latitude_deg + north_m / METRES_PER_DEGREE, 6),
            round(self._home.longitude_deg + east_m / east_degree_m, 6),
            self._home.altitude_m,
        )
