"""A random day from a seed: plausible, as bad as days can be, and the same for the same seed. Pure.

What happens is drawn here; how the officer answers the recorder is drawn by `sim.day.people`, for nobody knows
beforehand what the recorder will ask.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter

from device.ports import Press
from evidence.model import ClockGrade
from sim.scenario import Scenario, Temper
from sim.steps import (
    AgentKill,
    Ambient,
    Battery,
    BatteryCollapse,
    BrokerKill,
    CameraHang,
    CardDead,
    CardError,
    CardFull,
    CardOk,
    CardReadOnly,
    ClockLost,
    ClockStep,
    Dock,
    DockFull,
    DockKill,
    Drop,
    Line,
    MicrophoneUnplug,
    NetworkTime,
    PowerCut,
    PressButton,
    RadioLost,
    SpeakNote,
    Step,
    SwitchOff,
    Tamper,
    Undock,
)

HOUR_S = 3600.0
TROUBLES_AN_HOUR = 3.0
ACTS_AN_HOUR = 3.0
FIRST_S = 20.0
"""The recorder has to be switched on."""
EVENING_S = 120.0
"""Before the recorder is docked for good, everybody puts right what he can."""

Act = tuple[float, float]
"""When it begins and ends, in seconds."""
Trouble = Callable[[random.Random, float], Sequence[Step]]


def chaos(seed: int, hours: float) -> Scenario:
    """A day of so many hours, which ends in the dock."""
    chance, end_s = random.Random(seed), hours * HOUR_S
    evening_s = end_s - EVENING_S
    acts = list(_acts(chance, evening_s))
    steps = [*_morning(chance), *_troubles(chance, acts, evening_s), *_evening(end_s)]
    steps += [step for act in acts for step in _steps_of(chance, act)]
    in_time = [step for step in steps if step.at_s <= end_s]
    temper = Temper(diligence=chance.choice((1.0, 0.9, 0.5, 0.0)), after_s=chance.choice((2.0, 6.0, 25.0)))
    return Scenario(f"Chaos {seed}", tuple(sorted(in_time, key=attrgetter("at_s"))), temper)


def _morning(chance: random.Random) -> Iterator[Step]:
    yield Ambient(0.0, round(chance.uniform(-20.0, 38.0), 1))
    if chance.random() < 0.5:
        yield Battery(1.0, round(chance.uniform(40.0, 100.0), 1), round(chance.uniform(0.5, 1.0), 2))
    if chance.random() < 0.2:
        yield ClockLost(0.0)
        yield NetworkTime(chance.uniform(60.0, 2 * HOUR_S))


def _acts(chance: random.Random, end_s: float) -> Iterator[Act]:
    """One act of enforcement after the other, with breaks between them."""
    now_s = FIRST_S + chance.expovariate(1.0) * HOUR_S / 12
    while now_s < end_s:
        length_s = min(chance.lognormvariate(6.5, 1.0), HOUR_S)
        yield now_s, now_s + length_s
        now_s += length_s + chance.expovariate(ACTS_AN_HOUR) * HOUR_S


def _steps_of(chance: random.Random, act: Act) -> Iterator[Step]:
    """What the officer does in an act and after it; some forget to stop, some go to the dock."""
    start_s, end_s = act
    yield PressButton(start_s, Press.RECORD)
    for _ in range(chance.choice((0, 0, 1, 2, 4))):
        yield PressButton(chance.uniform(start_s, end_s), chance.choice((Press.MARK, Press.STILL)))
    if chance.random() < 0.3:
        yield SpeakNote(chance.uniform(start_s, end_s), chance.choice(tuple(Line)))
    if chance.random() < 0.2:
        pause_s = chance.uniform(start_s, end_s)
        yield PressButton(pause_s, Press.PAUSE)
        yield PressButton(pause_s + chance.uniform(5.0, HOUR_S), Press.RECORD)
    if chance.random() < 0.9:
        yield PressButton(end_s, Press.STOP)
    if chance.random() < 0.15:
        dock_s = end_s + chance.uniform(1.0, 300.0)
        yield Dock(dock_s)
        yield Undock(dock_s + chance.uniform(1.0, 1800.0))


def _troubles(chance: random.Random, acts: Sequence[Act], end_s: float) -> Iterator[Step]:
    """Most of it happens when it is least wanted: while something is going on."""
    count = round(end_s / HOUR_S * TROUBLES_AN_HOUR * chance.uniform(0.2, 2.0))
    for _ in range(count):
        start_s, until_s = chance.choice(acts) if acts and chance.random() < 0.7 else (FIRST_S, end_s)
        yield from chance.choice(TROUBLES)(chance, min(chance.uniform(start_s, until_s), end_s))


def _evening(end_s: float) -> Iterator[Step]:
    yield CardOk(end_s - EVENING_S)
    yield Ambient(end_s - EVENING_S, 20.0)
    yield Dock(end_s)


def _some_s(chance: random.Random) -> float:
    """Mostly seconds, sometimes many minutes."""
    return min(chance.lognormvariate(2.5, 1.5), HOUR_S / 2)


def _card_trouble(chance: random.Random, at_s: float) -> Sequence[Step]:
    trouble = chance.choice((CardFull(at_s, chance.uniform(0.0, 10.0)), CardReadOnly(at_s), CardDead(at_s)))
    return (trouble, CardOk(at_s + _some_s(chance)))


def _opened_case(chance: random.Random, at_s: float) -> Sequence[Step]:
    open_s = _some_s(chance)
    return (Tamper(at_s, open_s), CameraHang(at_s + open_s * chance.random(), _some_s(chance)))


def _hot_car(chance: random.Random, at_s: float) -> Sequence[Step]:
    return (Ambient(at_s, chance.uniform(55.0, 80.0)), Ambient(at_s + chance.uniform(300.0, 2400.0), 25.0))


def _dying_cell(chance: random.Random, at_s: float) -> Sequence[Step]:
    changed_s = at_s + chance.uniform(60.0, 1800.0)
    return (BatteryCollapse(at_s, chance.uniform(0.0, 12.0)), Battery(changed_s, chance.uniform(50.0, 100.0)))


def _weak_cell(chance: random.Random, at_s: float) -> Sequence[Step]:
    changed_s = at_s + chance.uniform(600.0, HOUR_S)
    return (Battery(at_s, chance.uniform(6.0, 20.0), chance.uniform(0.4, 1.0)), Battery(changed_s, 95.0))


TROUBLES: Sequence[Trouble] = (
    lambda chance, at_s: (PowerCut(at_s, _some_s(chance)),),
    lambda chance, at_s: (Drop(at_s, _some_s(chance)),),
    lambda chance, at_s: (Drop(at_s, _some_s(chance)), Drop(at_s + 10.0, _some_s(chance))),
    lambda _, at_s: (AgentKill(at_s),),
    lambda chance, at_s: (SwitchOff(at_s, _some_s(chance)),),
    lambda chance, at_s: (CameraHang(at_s, _some_s(chance)),),
    lambda chance, at_s: (MicrophoneUnplug(at_s, _some_s(chance)),),
    lambda chance, at_s: (CardError(at_s, chance.choice((1.0, 2.0, 5.0))),),
    _card_trouble,
    _opened_case,
    _hot_car,
    _dying_cell,
    _weak_cell,
    lambda chance, at_s: (ClockStep(at_s, chance.uniform(-7200.0, 7200.0), chance.choice(tuple(ClockGrade))),),
    lambda chance, at_s: (RadioLost(at_s, _some_s(chance)),),
    lambda chance, at_s: (BrokerKill(at_s, _some_s(chance)),),
    lambda chance, at_s: (DockKill(at_s, _some_s(chance)),),
    lambda chance, at_s: (DockFull(at_s, _some_s(chance)),),
)
"""What can go wrong, each as often as the others."""
