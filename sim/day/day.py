"""One day from its beginning to its end: a scenario happens to a world, then the dock takes what there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sim.day.loop import run_world
from sim.day.people import Officer
from sim.day.unit import make_unit
from sim.day.verbs import VERBS
from sim.day.world import World
from sim.scenario import Scenario

LOOK_S = 5.0
SETTLE_LIMIT_S = 3600.0
"""So long the world goes on after the last step, for the dock to take everything."""
LAST_S = 20.0
"""What is said last, is said within this."""

Say = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Lived:
    """What only the world knows of a day."""

    frames_captured: int
    deaths: tuple[str, ...]
    """Why the agent died by itself, each time."""
    seconds: float
    docked: bool
    """Whether the day ended in the dock."""


def live_day(out: Path, scenario: Scenario, seed: int, say: Say) -> Lived:
    """Let a day happen in an empty folder. The same scenario and seed give the same day. Raises LiuhenError."""
    make_unit(out)
    return run_world(_day(out, scenario, seed, say))


def live_day_of(out: Path, scenario: Scenario, seed: int, say: Say) -> Lived:
    """The same in a folder with a unit in it: with the same keys every byte of the journals is the same, too."""
    return run_world(_day(out, scenario, seed, say))


async def _day(out: Path, scenario: Scenario, seed: int, say: Say) -> Lived:
    world, loop = World(out, seed), asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        life = tasks.create_task(world.live())
        others = [tasks.create_task(world.station.run()), tasks.create_task(world.watch_battery())]
        if scenario.officer is not None:
            others.append(tasks.create_task(Officer(world, scenario.officer, seed).run()))
        for step in scenario.steps:
            await asyncio.sleep(step.at_s - loop.time())  # noqa: TID251  the world's own time
            say(loop.time(), step.text())
            VERBS[type(step)](world, step)
        await _settle(world)
        say(loop.time(), "关机 switched off")
        world.switch_off(None)
        await life
        for task in others:
            task.cancel()
    world.station.close()
    return Lived(world.frames_captured, tuple(world.deaths), loop.time(), world.docked)


async def _settle(world: World) -> None:
    """Until the dock has everything, if it is to be had."""
    waited_s = 0.0
    while waited_s < LAST_S or (world.docked and not world.offloaded and waited_s < SETTLE_LIMIT_S):
        await asyncio.sleep(LOOK_S)  # noqa: TID251  the world's own time
        waited_s += LOOK_S
