"""Recorder and uplink with nothing between them but the spool, as the two services of a board: all promises hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from device.agent import End, run
from device.ports import Light, Press
from device.uplink_alone import run_uplink
from device.voice.voice import Phrase
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from evidence.io.durable import PosixDisc
from evidence.io.journal_store import Access, JournalStore
from evidence.journal import Entry, read_entry
from evidence.model import Officer
from evidence.wire import Down, Topic
from sim.day.body import Body
from sim.day.loop import run_world
from sim.day.unit import DEVICE, EveningBefore, make_unit
from sim.day.world import World
from sim.ear import understood
from tests.device.cards import fast_folder

Story = Callable[["TwoHalves"], Awaitable[None]]


class TwoHalves(World):
    """A world whose recorder is two processes, as far as one loop can hold two."""

    out: Path
    progress_at_s = recorders_progress_at_s = 0.0

    async def _agent(self, body: Body) -> End:
        half = run_uplink(
            self._config, body.power, body.clock, self._slot, body.stop, self.count_progress, self.radio.open
        )
        self.uplink = asyncio.create_task(half)
        try:
            hardware = replace(body.hardware, progress=self.count_recorders_progress)
            return await run(self._config, hardware, self._slot, body.stop, None)
        finally:
            self.uplink.cancel()
            await asyncio.wait({self.uplink})

    def count_progress(self) -> None:
        self.progress_at_s = asyncio.get_running_loop().time()

    def count_recorders_progress(self) -> None:
        self.recorders_progress_at_s = asyncio.get_running_loop().time()

    async def wait(self, seconds: float) -> None:
        await self.body.clock.sleep(seconds)

    async def record(self, seconds: float) -> None:
        self.press(Press.RECORD)
        await self.wait(seconds)
        self.press(Press.STOP)
        await self.wait(5)

    def journal(self) -> list[Entry]:
        with closing(JournalStore(self.spool / "journal.db", Access.READ)) as journal:
            return [read_entry(token) for token in journal.tokens()]

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.journal()]


def live(story: Story) -> None:
    async def day() -> None:
        with fast_folder() as folder:
            make_unit(folder / "out")
            world = TwoHalves(folder / "out", 1)
            world.out = folder / "out"
            life, dock = asyncio.create_task(world.live()), asyncio.create_task(world.station.run())
            await world.wait(5)
            await story(world)
            world.switch_off(None)
            await life
            dock.cancel()
            world.station.close()
            assert world.deaths == []

    run_world(day())


def test_the_dock_gets_everything_and_the_recorder_believes_its_receipts() -> None:
    async def story(world: TwoHalves) -> None:
        await world.record(70)
        assert not world.offloaded
        world.put_into_dock()
        await world.wait(20)
        assert world.offloaded
        kinds = world.kinds()
        assert kinds.count("receipt") == kinds.count("segment") == 2
        assert world.body.panel.shown[-1][1] is Light.OFFLOADED
        assert Phrase.OFFLOAD_DONE in [understood(one.samples, "zh-CN") for one in world.body.speaker.heard]

    live(story)


def test_an_urgent_report_goes_away_from_the_dock_by_itself() -> None:
    async def story(world: TwoHalves) -> None:
        world.press(Press.RECORD)
        await world.wait(10)
        world.body.camera.hang()
        await world.wait(150)
        assert "reported" in world.kinds()
        assert "report_received" in world.kinds()
        world.body.camera.recover()
        await world.wait(10)
        world.press(Press.STOP)
        await world.wait(5)

    live(story)


def test_the_docks_word_on_the_officer_reaches_the_recorder() -> None:
    officer = Officer("640221-0118", "李卫国", "平罗县退役军人事务局")

    async def story(world: TwoHalves) -> None:
        world.put_into_dock()
        await world.wait(10)
        journal = DockJournal(DockFolder(world.out), PosixDisc(), EveningBefore())
        with journal.adding() as add:
            token = add("assignment", {"recorder": DEVICE, **officer.to_fields()}).token
        world.radio.answer(Topic(DEVICE, Down.ASSIGN).text(), token.encode(), retain=True)
        await world.wait(10)
        world.take_out_of_dock()
        await world.wait(10)
        signed = [entry.fields["officer"] for entry in world.journal() if entry.kind == "sign_on"]
        assert signed[-1] == officer.number

    live(story)


@pytest.mark.parametrize("docked", [True, False])
def test_the_uplink_shows_that_it_works_in_the_dock_and_out_of_it(docked: bool) -> None:
    async def story(world: TwoHalves) -> None:
        if docked:
            world.put_into_dock()
        await world.wait(300)
        assert asyncio.get_running_loop().time() - world.progress_at_s <= 5

    live(story)


def test_a_recorder_without_a_card_works_and_says_so() -> None:
    """Whoever watches it must not end it: a new process would find no card either."""

    async def story(world: TwoHalves) -> None:
        world.card.die()
        world.kill_agent()
        await world.wait(120)
        assert world.body.panel.shown[-1][1] is Light.FAULT
        assert asyncio.get_running_loop().time() - world.recorders_progress_at_s <= 5
        world.card.recover()
        await world.wait(20)

    live(story)
