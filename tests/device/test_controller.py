"""Presses and the dock's contacts: what becomes of them in the journal, on the lights, for the uplink."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.controller import Controller
from device.ports import Light, Press
from evidence.journal import Entry
from tests.device.cards import fast_folder
from tests.device.footage import EPOCH_US
from tests.device.hand_clock import HandClock
from tests.device.life import check_after_cut, entries_of
from tests.device.stage import Stage


@pytest.fixture
def root() -> Iterator[Path]:
    with fast_folder() as folder:
        yield folder / "spool"


@dataclass
class Desk:
    """A recorder in an officer's hands."""

    stage: Stage
    controller: Controller

    async def press(self, given: Press) -> None:
        self.stage.panel.press(given)
        await self.stage.film_on(0.5)

    async def dock(self, docked: bool) -> None:
        self.stage.power.docked = docked
        await self.stage.film_on(3)


@asynccontextmanager
async def desk(root: Path, clock: HandClock | None = None) -> AsyncIterator[Desk]:
    async with Stage(root, clock=clock or HandClock(boot_us=EPOCH_US)) as stage:
        controller = Controller(stage.hardware, stage.intake, stage.recorder)
        resume = stage.recovered.interrupted is not None
        tasks = [asyncio.create_task(controller.run(resume)), asyncio.create_task(controller.watch_dock())]
        await stage.film_on(2)
        yield Desk(stage, controller)
        for task in tasks:
            task.cancel()
        failed = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in failed] == [asyncio.CancelledError] * 2


def story(root: Path) -> list[str]:
    quiet = ("journal_opened", "power_on", "init", "fragment", "segment")
    return [entry.kind for entry in entries_of(root) if entry.kind not in quiet]


def of_kind(root: Path, kind: str) -> list[Entry]:
    return [entry for entry in entries_of(root) if entry.kind == kind]


def lights(shown: list[Light]) -> list[Light]:
    """Changes only."""
    return [light for place, light in enumerate(shown) if place == 0 or shown[place - 1] is not light]


def test_a_recording_is_begun_marked_and_ended_by_the_buttons(root: Path) -> None:
    async def shift() -> list[Light]:
        async with desk(root) as one:
            for press in (Press.RECORD, Press.MARK, Press.STOP):
                await one.press(press)
                await one.stage.film_on(2)
            return one.stage.panel.shown

    shown = asyncio.run(shift())
    assert story(root) == ["recording_started", "bookmark", "recording_stopped"]
    (started,) = of_kind(root, "recording_started")
    (marked,) = of_kind(root, "bookmark")
    assert marked.fields["recording"] == started.fields["recording"]
    assert lights(shown)[-2:] == [Light.RECORDING, Light.STANDBY]
    check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))


def test_buttons_that_have_no_use_now_do_nothing(root: Path) -> None:
    async def shift() -> None:
        async with desk(root) as one:
            for press in (Press.STOP, Press.RECORD, Press.RECORD, Press.STOP, Press.STOP):
                await one.press(press)
                await one.stage.film_on(1.5)

    asyncio.run(shift())
    assert story(root) == ["recording_started", "recording_stopped"]


def test_a_bookmark_in_standby_belongs_to_no_recording(root: Path) -> None:
    async def shift() -> None:
        async with desk(root) as one:
            await one.press(Press.MARK)

    asyncio.run(shift())
    assert [entry.fields["recording"] for entry in of_kind(root, "bookmark")] == [None]


def test_the_dock_ends_a_recording_and_opens_the_way_for_the_uplink(root: Path) -> None:
    async def shift() -> None:
        async with desk(root) as one:
            await one.press(Press.RECORD)
            await one.dock(True)
            assert one.controller.docked.is_set()
            assert not one.controller.undocked.is_set()
            # In the dock nothing is recorded.
            await one.press(Press.RECORD)
            await one.dock(False)
            assert one.controller.undocked.is_set()
            assert not one.controller.docked.is_set()
            await one.press(Press.RECORD)

    asyncio.run(shift())
    assert story(root) == ["recording_started", "recording_stopped", "docked", "undocked", "recording_started"]
    assert [entry.fields["trigger"] for entry in of_kind(root, "recording_stopped")] == ["dock"]


def test_a_shutdown_ends_a_recording_with_a_seal(root: Path) -> None:
    async def shift() -> None:
        async with desk(root) as one:
            await one.press(Press.RECORD)
            shutting = asyncio.create_task(one.controller.shut_down())
            await one.stage.film_on(2)
            await shutting
            await one.controller.shut_down()

    asyncio.run(shift())
    assert [entry.fields["trigger"] for entry in of_kind(root, "recording_stopped")] == ["shutdown"]
    assert of_kind(root, "segment")[-1].fields["trigger"] == "shutdown"


def test_a_recording_that_a_power_loss_broke_goes_on_and_can_be_stopped(root: Path) -> None:
    async def first() -> None:
        async with desk(root) as one:
            await one.press(Press.RECORD)
            await one.stage.film_on(2)
            one.stage.camera.dead = True

    async def second() -> list[Light]:
        clock = HandClock("f" * 32, EPOCH_US, HandClock().at(EPOCH_US).utc_us + 60_000_000)
        async with desk(root, clock) as one:
            await one.stage.film_on(2)
            await one.press(Press.STOP)
            await one.stage.film_on(2)
            return one.stage.panel.shown

    asyncio.run(first())
    shown = asyncio.run(second())
    assert story(root)[0] == "recording_started"
    assert story(root)[-2:] == ["resumed", "recording_stopped"]
    assert lights(shown)[-2:] == [Light.RECORDING, Light.STANDBY]
