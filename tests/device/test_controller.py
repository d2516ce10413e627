"""Presses and the dock's contacts: what becomes of them in the journal, on the lights, for the uplink."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.ports import Buzz, Light, Press
from device.states import State
from evidence.journal import Entry
from tests.device.cards import fast_folder
from tests.device.desk import desk, next_boot
from tests.device.footage import EPOCH_US
from tests.device.hand_clock import HandClock
from tests.device.life import check_after_cut, entries_of

QUIET = {
    "journal_opened", "power_on", "sign_on", "pre_use_check", "init", "fragment", "segment", "sound_lost",
    "statement_asked", "statement_reminded", "statement_missing", "battery", "storage", "heat",
}  # fmt: skip


@pytest.fixture
def root() -> Iterator[Path]:
    with fast_folder() as folder:
        yield folder / "spool"


def story(root: Path) -> list[str]:
    return [entry.kind for entry in entries_of(root) if entry.kind not in QUIET]


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
                await one.wait(2)
            return one.stage.panel.shown

    shown = asyncio.run(shift())
    assert story(root) == ["recording_started", "bookmark", "recording_stopped"]
    (started,), (marked,) = of_kind(root, "recording_started"), of_kind(root, "bookmark")
    assert marked.fields["recording"] == started.fields["recording"]
    assert lights(shown) == [Light.STARTING, Light.STANDBY, Light.RECORDING, Light.STANDBY]
    check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))


def test_buttons_that_have_no_use_now_change_nothing_and_are_felt(root: Path) -> None:
    async def shift() -> list[Buzz]:
        async with desk(root) as one:
            for press in (Press.STOP, Press.RECORD, Press.RECORD, Press.STOP, Press.STOP):
                await one.press(press)
                await one.wait(1.5)
            return one.stage.panel.buzzed

    buzzed = asyncio.run(shift())
    assert story(root) == ["recording_started", "recording_stopped"]
    assert buzzed.count(Buzz.REFUSED) >= 3


def test_a_press_before_the_first_picture_is_not_lost(root: Path) -> None:
    async def shift() -> None:
        async with desk(root) as one:
            assert one.controller.state is State.STANDBY
            one.stage.camera.dead = True
            await one.wait(3)
            assert one.controller.state is State.FAULT
            await one.press(Press.RECORD)
            assert one.controller.state is State.INTERRUPTED
            one.stage.camera.dead = False
            await one.wait(4)
            assert one.controller.state is State.RECORDING
            await one.press(Press.STOP)
            await one.wait(2)

    asyncio.run(shift())
    assert story(root) == [
        "fault", "recording_started", "interruption", "fault_cleared", "resumed", "reason_asked", "recording_stopped",
    ]  # fmt: skip
    (broken,) = of_kind(root, "interruption")
    assert (broken.fields["cause"], broken.fields["part"]) == ("device_fault", "camera")


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


def test_leaving_the_dock_begins_a_shift_of_whom_the_dock_assigned_meanwhile(root: Path) -> None:
    async def shift() -> None:
        async with desk(root) as one:
            await one.dock(True)
            one.crew.assigned = None
            await one.dock(False)

    asyncio.run(shift())
    assert len(of_kind(root, "sign_on")) == 1
    assert len(of_kind(root, "pre_use_check")) == 2


def test_switching_off_in_mid_recording_is_an_interruption_that_the_next_start_goes_on_from(root: Path) -> None:
    async def shift() -> HandClock:
        async with desk(root) as one:
            await one.press(Press.RECORD)
            await one.wait(2)
            shutting = asyncio.create_task(one.controller.shut_down())
            await one.wait(2)
            await shutting
            assert one.controller.state is State.STOPPING
            await one.controller.shut_down()
            return one.stage.clock

    async def next_start(clock: HandClock) -> None:
        async with desk(root, clock) as one:
            await one.wait(2)
            assert one.controller.state is State.RECORDING
            await one.press(Press.STOP)
            await one.wait(2)

    clock = next_boot(asyncio.run(shift()))
    (broken,) = of_kind(root, "interruption")
    assert (broken.fields["cause"], broken.fields["part"]) == ("operator_stop", None)
    assert of_kind(root, "segment")[-1].fields["trigger"] == "operator_stop"
    asyncio.run(next_start(clock))
    assert story(root) == ["recording_started", "interruption", "resumed", "reason_asked", "recording_stopped"]


def test_a_recording_that_a_power_loss_broke_goes_on_and_can_be_stopped(root: Path) -> None:
    async def first() -> HandClock:
        async with desk(root) as one:
            await one.press(Press.RECORD)
            await one.wait(2)
            return one.stage.clock

    async def second(clock: HandClock) -> list[Light]:
        async with desk(root, clock) as one:
            await one.wait(2)
            await one.press(Press.STOP)
            await one.wait(2)
            return one.stage.panel.shown

    shown = asyncio.run(second(next_boot(asyncio.run(first()))))
    assert story(root) == ["recording_started", "interruption", "resumed", "reason_asked", "recording_stopped"]
    assert [entry.fields["cause"] for entry in of_kind(root, "interruption")] == ["power_loss"]
    assert lights(shown)[-3:] == [Light.INTERRUPTED, Light.RECORDING, Light.STANDBY]


def test_opening_the_case_is_said_and_what_breaks_behind_it_is_tampering(root: Path) -> None:
    async def shift() -> HandClock:
        async with desk(root) as one:
            await one.press(Press.RECORD)
            await one.press(Press.CASE_OPENED)
            await one.wait(2)
            return one.stage.clock

    async def next_start(clock: HandClock) -> None:
        async with desk(root, clock):
            pass

    asyncio.run(next_start(next_boot(asyncio.run(shift()))))
    assert [entry.fields["what"] for entry in of_kind(root, "tamper")] == ["case_opened"]
    assert [entry.fields["cause"] for entry in of_kind(root, "interruption")] == ["tamper"]
