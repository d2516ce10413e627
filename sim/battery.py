"""A Li-ion cell with its fuel gauge, as the simulated recorder has it; whoever drives it says how much time passed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from math import exp, floor


class Load(StrEnum):
    """What the recorder does with the power."""

    OFF = "off"
    STANDBY = "standby"
    RECORDING = "recording"


LOAD_MA = {Load.OFF: 0.05, Load.STANDBY: 360.0, Load.RECORDING: 540.0}
"""A Raspberry Pi Zero 2 W with camera, behind a boost converter."""
CHARGE_MA = 1500.0
REST_CURVE = ((0.0, 3.30), (5.0, 3.50), (10.0, 3.61), (20.0, 3.69), (30.0, 3.73), (40.0, 3.77),
              (50.0, 3.82), (60.0, 3.87), (70.0, 3.95), (80.0, 4.02), (90.0, 4.11), (100.0, 4.20))  # fmt: skip
"""Percent of charge and volts of a cell at rest."""
USABLE = ((-20.0, 0.55), (-10.0, 0.72), (0.0, 0.86), (10.0, 0.95), (25.0, 1.0), (60.0, 1.0))
"""Which share of its charge a cell gives at a temperature in °C."""
RESISTANCE_OHM = 0.06
CUT_OFF_VOLTS = 3.0
GAUGE_LAG_S = 60.0
HOUR_S = 3600.0


def between(curve: Sequence[tuple[float, float]], at: float) -> float:
    """The straight line between the points of a curve; beyond its ends the end."""
    for (left, low), (right, high) in pairwise(curve):
        if at <= right:
            return low + (high - low) * max(0.0, at - left) / (right - left)
    return curve[-1][1]


class SimBattery:
    """A cell of `capacity_mah` when new, with `health` of that left (1 new, 0.7 worn out), at a temperature.

    Its gauge knows the voltage only, as a MAX17040 does: it lags, it is out by up to a percent, it shows whole percent,
    and in the cold, or when the cell is old, it shows too little. The same seed gives the same gauge.
    """

    def __init__(
        self,
        capacity_mah: float = 5000.0,
        health: float = 1.0,
        celsius: float = 25.0,
        charge_pct: float = 100.0,
        seed: int = 0,
    ) -> None:
        self.celsius = celsius
        self._capacity_mah = capacity_mah
        self._health = health
        self._gauge_off_pct = random.Random(seed).uniform(-1.0, 1.0)
        self._used_mah = self._full_mah * (1 - charge_pct / 100)
        self._current_ma = 0.0
        self._shown_pct = self._gauge_pct()
        self._gauge_answers = True

    @property
    def charge_pct(self) -> float:
        """What is truly left, of what the cell gives at its present age and temperature."""
        return max(0.0, 100 * (1 - self._used_mah / self._full_mah))

    @property
    def volts(self) -> float:
        """At the terminals, under the present load."""
        return between(REST_CURVE, self.charge_pct) - self._current_ma / 1000 * self._resistance_ohm

    @property
    def is_empty(self) -> bool:
        """The protection has cut the cell off: the recorder loses its power at this instant."""
        return self.charge_pct <= 0 or self.volts < CUT_OFF_VOLTS

    @property
    def level_pct(self) -> float | None:
        """What the gauge shows: whole percent, None when it does not answer."""
        return float(floor(self._shown_pct + 0.5)) if self._gauge_answers else None

    def pass_time(self, seconds: float, load: Load, charging: bool) -> None:
        """So much time goes by at this load; `charging` as long as it stands in the dock, which also feeds the load."""
        self._current_ma = -CHARGE_MA if charging else LOAD_MA[load]
        self._used_mah = max(0.0, self._used_mah + self._current_ma * seconds / HOUR_S)
        if charging and self._used_mah == 0:
            self._current_ma = 0.0
        self._shown_pct += (self._gauge_pct() - self._shown_pct) * (1 - exp(-seconds / GAUGE_LAG_S))

    def collapse(self, to_pct: float) -> None:
        """A cell breaks down: what it gives from now on is so little that only `to_pct` of it is left."""
        self._health *= max(1e-3, self._used_mah / self._full_mah / (1 - to_pct / 100))
        self._used_mah = self._full_mah * (1 - to_pct / 100)
        self._shown_pct = self._gauge_pct()

    def lose_gauge(self) -> None:
        """The gauge does not answer from now on."""
        self._gauge_answers = False

    def find_gauge(self) -> None:
        """The gauge answers again."""
        self._gauge_answers = True

    @property
    def _full_mah(self) -> float:
        return self._capacity_mah * self._health * between(USABLE, self.celsius)

    @property
    def _resistance_ohm(self) -> float:
        """Double when worn out, and double again at some degrees of frost."""
        return RESISTANCE_OHM / self._health**2 / between(USABLE, self.celsius) ** 2

    def _gauge_pct(self) -> float:
        """The rest voltage as the gauge reckons it, with the resistance of a new cell that records."""
        reckoned = self.volts + self._current_ma / 1000 * RESISTANCE_OHM
        curve = [(volts, pct) for pct, volts in REST_CURVE]
        return min(100.0, max(0.0, between(curve, reckoned) + self._gauge_off_pct))
