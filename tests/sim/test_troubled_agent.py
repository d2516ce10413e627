"""The whole agent in trouble: light and voice tell, nothing crashes, and the account shows it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from device.ports import Light, Press
from device.voice.voice import Phrase
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from evidence.account import Account, Use, accounts
from evidence.io.durable import PosixDisc
from evidence.io.journal_store import Access, JournalStore
from evidence.journal import Entry, read_entry
from evidence.model import Officer
from sim.day.loop import run_world
from sim.day.unit import DEVICE, EveningBefore, make_unit
from sim.day.world import World
from sim.ear import understood
from tests.device.cards import fast_folder

Story = Callable[[World], Awaitable[None]]


def entries_of(spool: Path) -> list[Entry]:
    with closing(JournalStore(spool / "journal.db", Access.READ)) as journal:
        return [read_entry(token) for token in journal.tokens()]


def live(story: Story, prepare: Callable[[Path], None] = lambda _: None) -> list[Entry]:
    """A recorder's life in a world, switched off properly at the end; what it journalled.

    `prepare` gets the folder with the unit before anybody lives.
    """

    async def day(out: Path) -> None:
        world = World(out, 1)
        life = asyncio.create_task(world.live())
        await story(world)
        world.switch_off(None)
        await life
        world.station.close()
        assert world.deaths == []

    with fast_folder() as folder:
        make_unit(folder / "out")
        prepare(folder / "out")
        run_world(day(folder / "out"))
        return entries_of(folder / "out" / "spool")


async def wait(world: World, seconds: float) -> None:
    await world.body.clock.sleep(seconds)


def light(world: World) -> Light:
    return world.body.panel.shown[-1][1]


def said(world: World) -> list[str]:
    return [understood(one.samples, "zh-CN") for one in world.body.speaker.heard]


def breaks(account: Account) -> list[tuple[str, str | None, float | None]]:
    """Cause, part and length of each."""
    return [
        (one.cause, one.part, None if one.end_us is None else round((one.end_us - one.start_us) / 1e6))
        for one in account.interruptions
    ]


def test_a_card_that_is_dead_at_the_start_is_shown_and_told_and_what_was_asked_for_is_kept() -> None:
    async def story(world: World) -> None:
        world.card.die()
        await wait(world, 21)
        assert light(world) is Light.FAULT
        assert said(world) == [Phrase.FAULT_CARD]
        world.press(Press.MARK)
        world.press(Press.RECORD)
        await wait(world, 9)
        assert light(world) is Light.INTERRUPTED
        world.press(Press.STOP)
        await wait(world, 10)
        assert light(world) is Light.FAULT
        world.press(Press.CASE_OPENED)
        world.press(Press.RECORD)
        await wait(world, 58)
        # Once a minute, and whenever somebody wants a recording.
        assert said(world) == [Phrase.FAULT_CARD] * 5
        world.card.recover()
        await wait(world, 20)
        assert light(world) is Light.RECORDING
        assert Phrase.RESUMED in said(world)
        world.press(Press.STOP)
        await wait(world, 5)

    entries = live(story)
    assert {entry.at.boot for entry in entries} == {entries[0].at.boot}
    (account,) = accounts(entries)
    assert breaks(account) == [("device_fault", "card", 9), ("device_fault", "card", 60)]
    assert account.total_us(Use.OFF) == 0
    assert 69 <= account.total_us(Use.UNEXPLAINED) / 1e6 <= 71
    told = [(entry.kind, entry.at.boot_us) for entry in entries if entry.fields.get("part") == "card"]
    assert [kind for kind, _ in told] == ["fault", "interruption", "interruption", "fault_cleared"]
    assert told[0][1] == 0
    assert [entry.fields["what"] for entry in entries if entry.kind == "tamper"] == ["case_opened"]


def test_a_recorder_that_is_switched_off_before_its_card_is_well_ends_well() -> None:
    async def story(world: World) -> None:
        await wait(world, 5)
        world.switch_off(5)
        await wait(world, 2)
        world.card.die()
        await wait(world, 20)
        assert light(world) is Light.FAULT

    assert [entry.kind for entry in live(story)][-1] == "power_off"


async def die(world: World) -> None:
    world.card.die()


async def turn_read_only(world: World) -> None:
    world.card.turn_read_only()


async def switch_off(world: World) -> None:
    world.switch_off(5)


async def drain(world: World) -> None:
    world.collapse_battery(0.5)
    await wait(world, 30)
    world.change_battery(90, 1)


@pytest.mark.parametrize("trouble", [die, turn_read_only])
@pytest.mark.parametrize("end", [switch_off, drain])
def test_a_recorder_that_ends_on_a_card_that_takes_nothing_ends_well_and_the_next_one_says_what_is_missing(
    trouble: Story, end: Story
) -> None:
    async def story(world: World) -> None:
        await wait(world, 5)
        world.press(Press.RECORD)
        await wait(world, 20)
        await trouble(world)
        await wait(world, 10)
        assert light(world) is Light.INTERRUPTED
        assert Phrase.FAULT_CARD in said(world)
        await end(world)
        await wait(world, 30)
        world.card.recover()
        await wait(world, 20)
        assert light(world) is Light.RECORDING

    entries = live(story)
    assert len({entry.at.boot for entry in entries}) == 2
    (account,) = accounts(entries)
    (broken, _) = account.interruptions
    assert broken.cause in {"device_fault", "power_loss"}
    # From the last picture of the first life to the first one of the second.
    assert account.total_us(Use.OFF) == 0
    assert broken.end_us is not None
    assert (broken.end_us - broken.start_us) / 1e6 > 35


def test_what_a_card_refused_is_written_and_sealed_as_soon_as_it_takes_again_though_nothing_happens() -> None:
    told: list[list[str]] = []

    async def story(world: World) -> None:
        await wait(world, 5)
        world.press(Press.RECORD)
        await wait(world, 20)
        world.card.die()
        await wait(world, 10)
        world.press(Press.STOP)
        await wait(world, 10)
        world.card.recover()
        await wait(world, 10)
        told.append([entry.kind for entry in entries_of(world.spool)])

    live(story)
    (kinds,) = told
    assert kinds.count("segment") == kinds.count("init") == 1
    assert "recording_stopped" in kinds


def assign_what_no_font_has(out: Path) -> None:
    """By a dock that does not look."""
    folder = DockFolder(out)
    with DockJournal(folder, PosixDisc(), EveningBefore()).adding() as add:
        token = add(
            "assignment", {"recorder": DEVICE, **Officer("110124", "李\U00020bb7", "交警二大队").to_fields()}
        ).token
    (out / "device" / "identity" / "assignment.jws").write_text(token, "ascii")


def test_a_name_that_cannot_be_drawn_keeps_nobody_from_recording() -> None:
    async def story(world: World) -> None:
        await wait(world, 5)
        assert Phrase.UNASSIGNED in said(world)
        world.press(Press.RECORD)
        await wait(world, 20)
        assert light(world) is Light.RECORDING
        world.press(Press.STOP)
        await wait(world, 5)

    entries = live(story, assign_what_no_font_has)
    assert [entry.fields["officer"] for entry in entries if entry.kind == "recording_started"] == [None]
