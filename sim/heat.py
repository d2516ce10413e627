"""The simulated board's heat: it warms itself against the air around it, and at 80 °C it slows down like a true one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import exp

from device.ports import HeatReading
from sim.battery import Load

SELF_HEATING_C = {Load.OFF: 0.0, Load.STANDBY: 18.0, Load.RECORDING: 28.0}
"""How much warmer than the air the board becomes in its case."""
THROTTLED_SHARE = 0.75
TIME_CONSTANT_S = 480.0
THROTTLES_AT_C = 80.0
RECOVERS_AT_C = 75.0
FULL_STEP_S = 60.0


class SimThermometer:
    """A `Thermometer`. `boot_us` reads the recorder's clock, `load` says what it does. Usable from any thread."""

    def __init__(self, boot_us: Callable[[], int], load: Callable[[], Load], ambient_c: float = 22.0) -> None:
        self._boot_us = boot_us
        self._load = load
        self._ambient_c = ambient_c
        self._board_c = ambient_c
        self._throttled = False
        self._answers = True
        self._lock = threading.Lock()
        self._seen_us = boot_us()
        self._drawn = load()

    def read(self) -> HeatReading:
        """The present state. Never blocks, never raises."""
        with self._lock:
            self._catch_up()
            return HeatReading(round(self._board_c, 1) if self._answers else None, self._throttled)

    def set_ambient(self, celsius: float) -> None:
        """The weather: from now on the air has this temperature."""
        with self._lock:
            self._catch_up()
            self._ambient_c = celsius

    def lose_sensor(self) -> None:
        """The sensor does not answer from now on."""
        self._answers = False

    def find_sensor(self) -> None:
        """The sensor answers again."""
        self._answers = True

    def _catch_up(self) -> None:
        now_us = self._boot_us()
        left_s = (now_us - self._seen_us) / 1_000_000
        while left_s > 0:
            step_s = min(left_s, FULL_STEP_S)
            left_s -= step_s
            self._warm(step_s)
        self._seen_us, self._drawn = now_us, self._load()

    def _warm(self, seconds: float) -> None:
        share = THROTTLED_SHARE if self._throttled else 1.0
        target_c = self._ambient_c + SELF_HEATING_C[self._drawn] * share
        self._board_c += (target_c - self._board_c) * (1 - exp(-seconds / TIME_CONSTANT_S))
        self._throttled = self._board_c >= (RECOVERS_AT_C if self._throttled else THROTTLES_AT_C)
