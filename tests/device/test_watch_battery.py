"""Battery in minutes: over whole discharges of simulated batteries, and by hand for gauges that misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.ports import PowerReading
from device.watch.battery import BatteryBand, BatteryState, BatteryWatch
from device.watch.discharge import MEMORY_MINUTES, UNKNOWN_BATTERY, LearntBattery
from evidence.errors import BadInputError
from evidence.kinds import check_fields
from sim.battery import Load, SimBattery
from sim.power import SimPower

S = 1_000_000
MINUTE_US = 60 * S
LOOK_US = 15 * S
GOOD, LOW, CRITICAL, UNKNOWN = BatteryBand


def worn(level_pct: float | None, docked: bool = False, charging: bool = False) -> PowerReading:
    return PowerReading(docked, level_pct, None, charging)


class Day:
    """A battery taken from full to where the recorder stops by itself, and on to where it dies."""

    def __init__(self, battery: SimBattery, load: Callable[[int], Load], watch: BatteryWatch) -> None:
        self.now_us = 0
        self.battery, self.watch = battery, watch
        self.power = SimPower(battery, lambda: self.now_us, lambda: load(self.now_us // MINUTE_US))
        self.low_us: int | None = None
        self.said: list[tuple[int, int]] = []

    def until_critical(self) -> Day:
        while (state := self.look()).band is not CRITICAL:
            if state.band is LOW and self.low_us is None:
                self.low_us = self.now_us
            if state.announce is not None:
                self.said.append((state.announce, self.now_us))
            assert not self.power.is_gone()
        return self

    def look(self) -> BatteryState:
        self.now_us += LOOK_US
        return self.watch.look(self.now_us, self.power.read())

    def minutes_to_death(self) -> float:
        from_us = self.now_us
        while not self.power.is_gone():
            self.now_us += S
        return (self.now_us - from_us) / MINUTE_US


def recording(_: int) -> Load:
    return Load.RECORDING


def standby(_: int) -> Load:
    return Load.STANDBY


def by_turns(minute: int) -> Load:
    return Load.RECORDING if minute % 25 < 10 else Load.STANDBY


@pytest.mark.parametrize("load", [recording, standby, by_turns])
@pytest.mark.parametrize(
    ("health", "celsius", "seed"), [(1.0, 25, 1), (1.0, 0, 2), (0.85, 35, 3), (0.85, 0, 0), (0.7, 25, 1), (0.7, -10, 1)]
)
def test_after_the_alarm_5_to_30_minutes_remain_and_then_it_stops_alive(
    load: Callable[[int], Load], health: float, celsius: float, seed: int
) -> None:
    """GA/T 947.2; the first shift of an unknown battery, and the next one with what was learnt."""
    watch = BatteryWatch(480)
    for charge in range(2):
        day = Day(SimBattery(health=health, celsius=celsius, seed=seed + charge), load, watch).until_critical()
        assert day.low_us is not None
        assert 5 <= (day.now_us - day.low_us) / MINUTE_US <= 30
        assert {10, 5} <= {step for step, _ in day.said}
        assert day.minutes_to_death() >= 2
        watch = BatteryWatch(480, LearntBattery.from_fields(day.watch.learnt.to_fields(), "state"))


def test_a_battery_becomes_known() -> None:
    """It lasts nine hours; half-way through its second shift the minutes are right to a sixth."""
    first = Day(SimBattery(seed=4), recording, BatteryWatch(480)).until_critical()
    second = Day(SimBattery(seed=5), recording, BatteryWatch(480, first.watch.learnt))
    while second.look().level_pct != 50:
        pass
    state, from_us = second.look(), second.now_us
    second.until_critical()
    assert state.minutes_left == pytest.approx((second.now_us - from_us) / MINUTE_US, rel=1 / 6)


def test_in_sudden_frost_the_minutes_shrink_and_nothing_dies_unseen() -> None:
    day = Day(SimBattery(), recording, BatteryWatch(480))
    while day.look().level_pct != 40:
        pass
    before = day.look().minutes_left
    day.power.change(lambda battery: setattr(battery, "celsius", -10.0))
    for _ in range(40):
        after = day.look().minutes_left
    assert before is not None
    assert after is not None
    assert after < 0.75 * before
    assert day.until_critical().minutes_to_death() >= 2


def test_a_collapse_stops_within_half_a_minute() -> None:
    day = Day(SimBattery(), recording, BatteryWatch(480))
    while day.look().level_pct != 60:
        pass
    day.power.change(lambda battery: battery.collapse(2))
    from_us = day.now_us
    day.until_critical()
    assert day.now_us - from_us <= 30 * S
    assert day.minutes_to_death() > 1


def test_charging_teaches_nothing_and_ends_the_alarm() -> None:
    day = Day(SimBattery(charge_pct=30), recording, BatteryWatch(480)).until_critical()
    learnt = day.watch.learnt
    day.power.dock()
    assert day.look().band is LOW
    states = [day.look() for _ in range(4 * 240)]
    assert {state.announce for state in states} == {None}
    assert states[-1].band is GOOD
    assert day.watch.learnt == learnt
    day.power.undock()
    assert day.look().band is GOOD


def feed(watch: BatteryWatch, levels: Iterable[float | None], from_us: int = 0, step_us: int = S) -> list[BatteryState]:
    return [watch.look(from_us + place * step_us, worn(level)) for place, level in enumerate(levels)]


@pytest.mark.parametrize(
    ("levels", "band"),
    [
        ([50.0] * 30 + [0.0] + [50.0] * 30, GOOD),
        ([50.0, 0.0] * 60, GOOD),
        ([50.0] * 30 + [0.0] * 9 + [50.0], GOOD),
        ([50.0] * 30 + [0.0] * 11, CRITICAL),
        ([50.0] * 30 + [None] * 59, GOOD),
        ([50.0] * 30 + [None] * 62, UNKNOWN),
        ([50.0] * 30 + [None] * 62 + [49.0], GOOD),
        ([50.0] * 30 + [-1.0, 255.0, 101.0], GOOD),
        ([None] * 100, UNKNOWN),
        ([0.0], UNKNOWN),
        ([0.0] * 11, CRITICAL),
        ([0.0, 90.0], GOOD),
        ([4.0] * 3 + [None] * 3 + [4.0] * 3, UNKNOWN),
    ],
    ids=[
        "one wrong reading", "every second reading is wrong", "wrong for nine seconds", "fallen for good",
        "silent for a minute", "silent for longer", "found again", "impossible levels", "no gauge",
        "a first zero is doubted", "and believed when it stands", "and forgotten when it does not", "interrupted doubt",
    ],
)  # fmt: skip
def test_gauges_that_misbehave(levels: list[float | None], band: BatteryBand) -> None:
    assert feed(BatteryWatch(480), levels)[-1].band is band


def test_an_unknown_battery_says_nothing() -> None:
    state = BatteryWatch(480).look(0, worn(None))
    assert state == BatteryState(None, None, UNKNOWN, None, None, 480)


@given(levels=st.lists(st.one_of(st.none(), st.floats(-10, 300)), max_size=80), step_us=st.integers(0, 10 * MINUTE_US))
def test_whatever_a_gauge_says_the_state_can_be_journalled(levels: list[float | None], step_us: int) -> None:
    watch = BatteryWatch(480)
    for state in feed(watch, levels, step_us=step_us):
        fields = {"level_pct": state.level_pct, "minutes_left": state.minutes_left, "band": state.band.value}
        check_fields("battery", fields, "battery")
        assert (state.level_pct is None) == (state.minutes_left is None) == (state.band is UNKNOWN)
        assert state.band is not UNKNOWN or state.announce is None
    assert LearntBattery.from_fields(json.loads(json.dumps(watch.learnt.to_fields())), "state") == watch.learnt
    assert watch.learnt.minutes <= MEMORY_MINUTES


@pytest.mark.parametrize(
    ("docked_min", "level", "planned", "lasts", "left"),
    [(0, 95.0, 400, True, 400), (0, 30.0, 400, False, 400), (60, 60.0, 270, True, 270), (60, 60.0, 280, False, 280)],
)
def test_the_planned_shift(docked_min: int, level: float, planned: int, lasts: bool, left: int) -> None:
    """An unknown battery is taken to last eight hours from full to empty; in the dock no shift passes."""
    watch = BatteryWatch(planned)
    watch.look(0, worn(level, docked=True))
    state = watch.look(docked_min * MINUTE_US, worn(level))
    assert (state.lasts_shift, state.shift_left_minutes) == (lasts, left)
    later = watch.look((docked_min + 90) * MINUTE_US, worn(level - 20))
    assert later.shift_left_minutes == left - 90


@pytest.mark.parametrize(
    "fields",
    [None, [], {}, {"fallen_pct": 1.0}, {"fallen_pct": 1.0, "minutes": 0}, {"fallen_pct": -1.0, "minutes": 3},
     {"fallen_pct": float("nan"), "minutes": 3}, {"fallen_pct": 1, "minutes": float("inf")},
     {"fallen_pct": True, "minutes": 3}, {"fallen_pct": "1", "minutes": 3}, {"fallen_pct": 10**400, "minutes": 3}],
)  # fmt: skip
def test_a_corrupted_state_is_one_line(fields: object) -> None:
    with pytest.raises(BadInputError, match=r"state\.json: is not what a battery has shown \(remove it"):
        LearntBattery.from_fields(fields, "state.json")


def test_learning_fades_and_never_turns_round() -> None:
    learnt = UNKNOWN_BATTERY.plus(300.0, 10 * MEMORY_MINUTES)
    assert learnt.minutes == pytest.approx(MEMORY_MINUTES)
    assert learnt.plus(-1000.0, 1.0).pct_per_minute > 0
