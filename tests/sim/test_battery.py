"""The simulated battery is one: it empties, sags, freezes, ages and charges, and the same seed gives the same day."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.battery import Load, SimBattery
from sim.power import SimPower

HOUR_S = 3600.0


def run_down(battery: SimBattery, load: Load) -> float:
    """Hours until the protection cuts it off."""
    seconds = 0
    while not battery.is_empty:
        battery.pass_time(10, load, charging=False)
        seconds += 10
    return seconds / HOUR_S


@pytest.mark.parametrize(
    ("battery", "load", "hours"),
    [
        (SimBattery(), Load.RECORDING, 9.2),
        (SimBattery(), Load.STANDBY, 13.8),
        (SimBattery(charge_pct=50), Load.RECORDING, 4.6),
        (SimBattery(health=0.7), Load.RECORDING, 6.4),
        (SimBattery(celsius=-10), Load.RECORDING, 6.6),
        (SimBattery(2500), Load.RECORDING, 4.6),
    ],
    ids=["new", "standby", "half full", "worn out", "frost", "small"],
)
def test_how_long_it_lasts(battery: SimBattery, load: Load, hours: float) -> None:
    assert run_down(battery, load) == pytest.approx(hours, rel=0.03)


def test_voltage_and_gauge_fall_and_never_rise_under_one_load() -> None:
    battery = SimBattery()
    battery.pass_time(1, Load.RECORDING, charging=False)
    volts, levels = [], []
    while not battery.is_empty:
        volts.append(battery.volts)
        levels.append(battery.level_pct)
        battery.pass_time(60, Load.RECORDING, charging=False)
    assert volts == sorted(volts, reverse=True)
    assert levels == sorted(levels, key=lambda level: -(level or 0))
    assert {level and level % 1 for level in levels} == {0}


def test_load_frost_and_age_make_it_sag() -> None:
    def volts(load: Load, **given: float) -> float:
        battery = SimBattery(charge_pct=50, **given)  # type: ignore[arg-type]
        battery.pass_time(1, load, charging=False)
        return battery.volts

    assert volts(Load.OFF) > volts(Load.STANDBY) > volts(Load.RECORDING)
    assert volts(Load.RECORDING) > volts(Load.RECORDING, celsius=-10)
    assert volts(Load.RECORDING) > volts(Load.RECORDING, health=0.7)


def test_frost_takes_capacity_and_warmth_gives_it_back() -> None:
    battery = SimBattery(charge_pct=40)
    battery.celsius = -10
    assert battery.charge_pct < 20
    battery.celsius = 25
    assert battery.charge_pct == pytest.approx(40)


@pytest.mark.parametrize("charge_pct", [100, 99, 60, 5])
def test_a_collapse_leaves_what_it_says(charge_pct: float) -> None:
    battery = SimBattery(charge_pct=charge_pct)
    battery.collapse(2)
    assert battery.charge_pct == pytest.approx(2)
    assert battery.level_pct is not None
    assert battery.level_pct <= 4


def test_the_dock_charges_it_until_it_is_full() -> None:
    battery = SimBattery(charge_pct=10)
    battery.pass_time(1.5 * HOUR_S, Load.STANDBY, charging=True)
    assert 50 < battery.charge_pct < 60
    battery.pass_time(3 * HOUR_S, Load.STANDBY, charging=True)
    assert (battery.charge_pct, battery.level_pct) == (100, 100)


def day(seed: int) -> list[float | None]:
    now_us = 0
    power = SimPower(SimBattery(seed=seed), lambda: now_us, lambda: Load.RECORDING)
    levels = []
    for _ in range(60):
        now_us += 300_000_000
        levels.append(power.read().level_pct)
    return levels


def test_the_same_seed_is_the_same_day() -> None:
    assert day(1) == day(1)
    assert any(day(1) != day(seed) for seed in range(2, 6))


@pytest.mark.parametrize("looks", [1, 7, 600])
def test_how_often_somebody_looks_changes_nothing(looks: int) -> None:
    now_us = 0
    battery = SimBattery()
    power = SimPower(battery, lambda: now_us, lambda: Load.RECORDING)
    for look in range(1, looks + 1):
        now_us = 7_200_000_000 * look // looks
        power.read()
    assert battery.charge_pct == pytest.approx(100 - 100 * 540 * 2 / 5000)


class World:
    """A recorder with power; time passes when a test says so."""

    def __init__(self) -> None:
        self.now_us = 0
        self.load = Load.STANDBY
        self.battery = SimBattery(charge_pct=80)
        self.power = SimPower(self.battery, lambda: self.now_us, lambda: self.load)

    def wait(self, hours: float) -> None:
        self.now_us += round(hours * 3.6e9)


def test_worn_docked_and_worn_again() -> None:
    world = World()
    world.wait(1)
    worn = world.power.read()
    world.power.dock()
    world.wait(0.5)
    docked = world.power.read()
    world.wait(9)
    full = world.power.read()
    world.power.undock()
    world.wait(1)
    assert (worn.docked, worn.charging) == (False, False)
    assert (docked.docked, docked.charging) == (True, True)
    assert (full.docked, full.charging, full.level_pct) == (True, False, 100)
    assert world.power.read().docked is False
    assert world.battery.charge_pct == pytest.approx(100 - 100 * 360 / 5000)


@pytest.mark.parametrize(
    ("happen", "gone"),
    [(lambda battery: battery.collapse(0), True), (lambda battery: battery.collapse(5), False)],
)
def test_a_dead_battery_takes_the_power_unless_it_is_docked(happen: Callable[[SimBattery], None], gone: bool) -> None:
    world = World()
    world.power.change(happen)
    assert world.power.is_gone() == gone
    world.power.dock()
    assert not world.power.is_gone()


def test_a_gauge_that_falls_silent() -> None:
    world = World()
    world.power.change(SimBattery.lose_gauge)
    assert world.power.read().level_pct is None
    world.power.change(SimBattery.find_gauge)
    assert world.power.read().level_pct is not None
