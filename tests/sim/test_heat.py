"""The simulated board warms and cools with a time constant, and slows down at 80 °C."""

from __future__ import annotations

import pytest

from sim.battery import Load
from sim.heat import SELF_HEATING_C, TIME_CONSTANT_S, SimThermometer


class Board:
    def __init__(self, ambient_c: float) -> None:
        self.now_us = 0
        self.load = Load.RECORDING
        self.thermometer = SimThermometer(lambda: self.now_us, lambda: self.load, ambient_c)

    def after(self, seconds: float) -> float:
        self.now_us += round(seconds * 1e6)
        celsius = self.thermometer.read().celsius
        assert celsius is not None
        return celsius


def test_it_warms_by_its_load_with_its_time_constant() -> None:
    board = Board(22.0)
    assert board.after(0) == 22.0
    assert board.after(TIME_CONSTANT_S) == pytest.approx(22 + 0.632 * SELF_HEATING_C[Load.RECORDING], abs=0.2)
    assert board.after(10_000) == 50.0
    board.load = Load.STANDBY
    board.after(0)
    assert board.after(10_000) == 40.0


def test_in_great_heat_it_throttles_and_in_the_shade_it_recovers() -> None:
    board = Board(57.0)
    seen = [(board.after(10), board.thermometer.read().throttled) for _ in range(1000)]
    assert any(throttled for _, throttled in seen)
    assert max(celsius for celsius, _ in seen) < 81
    assert all(throttled or celsius < 80 for celsius, throttled in seen)
    board.thermometer.set_ambient(25)
    assert board.after(3600) < 55
    assert not board.thermometer.read().throttled


@pytest.mark.parametrize("looks", [1, 10, 3600])
def test_how_often_somebody_looks_changes_little(looks: int) -> None:
    board = Board(20.0)
    for _ in range(looks):
        celsius = board.after(3600 / looks)
    assert celsius == pytest.approx(48, abs=0.2)
