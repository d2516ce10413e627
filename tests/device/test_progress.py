"""When the recorder says that it makes progress, and when it must not: whoever watches ends one that is silent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.capture.camera_watch import PATIENCE_US
from device.intake import Ending, Hold, Stop
from evidence.io.durable import PosixDisc
from tests.device.cards import fast_folder
from tests.device.life import entries_of
from tests.device.stage import Stage


@pytest.fixture
def root() -> Iterator[Path]:
    with fast_folder() as folder:
        yield folder / "spool"


class Watcher:
    """Counts progress, and looks at the card each time."""

    def __init__(self, look: Callable[[], int] = lambda: 0) -> None:
        self._look = look
        self.seen: list[int] = []

    def __call__(self) -> None:
        self.seen.append(self._look())


def fragments(root: Path) -> int:
    return sum(1 for entry in entries_of(root) if entry.kind == "fragment")


def test_while_recording_every_progress_is_a_fragment_that_is_durable(root: Path) -> None:
    watcher = Watcher(lambda: fragments(root))

    async def shift() -> None:
        async with Stage(root, pre_event_s=0, progress=watcher) as stage:
            await stage.record()
            watcher.seen.clear()
            await stage.film_on(6)

    asyncio.run(shift())
    assert watcher.seen[-1] >= 4
    assert watcher.seen == list(range(watcher.seen[0], watcher.seen[0] + len(watcher.seen)))


class SlowDisc(PosixDisc):
    """A card that from some moment on does not answer until it is let."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        self.answers.wait(30)
        super().append(path, data, at_bytes)


def test_a_card_that_hangs_is_no_progress_though_pictures_come(root: Path) -> None:
    watcher, disc = Watcher(), SlowDisc()

    async def shift() -> tuple[int, int, int]:
        async with Stage(root, disc, pre_event_s=0, limit_packets=1000, progress=watcher) as stage:
            await stage.record()
            await stage.film_on(3)
            disc.answers.clear()
            before = len(watcher.seen)
            await stage.film_on(6, settled=False)
            hanging = len(watcher.seen)
            disc.answers.set()
            await stage.settle()
            return before, hanging, len(watcher.seen)

    before, hanging, after = asyncio.run(shift())
    assert before == hanging
    assert after > hanging


@pytest.mark.parametrize("kept", [False, True], ids=["standby", "pause"])
def test_what_need_not_be_durable_is_progress_when_it_has_found_its_place(root: Path, kept: bool) -> None:
    watcher = Watcher()

    async def shift() -> None:
        async with Stage(root, progress=watcher) as stage:
            if kept:
                await stage.record()
                await stage.film_on(2)
                stage.intake.command(Stop("pause", asyncio.Event(), Ending.PAUSE))
                await stage.film_on(2)
            watcher.seen.clear()
            await stage.film_on(5)

    asyncio.run(shift())
    assert len(watcher.seen) >= 4


def test_a_camera_that_rests_because_of_heat_is_no_hanging_recorder(root: Path) -> None:
    watcher = Watcher()

    async def shift() -> None:
        async with Stage(root, progress=watcher) as stage:
            stage.intake.command(Hold("heat"))
            await stage.settle()
            watcher.seen.clear()
            await stage.film_on(5)

    asyncio.run(shift())
    assert len(watcher.seen) >= 8


def test_a_camera_that_refuses_is_given_a_minute_before_the_process_is(root: Path) -> None:
    """Each answer counts; but a camera that is stuck in this process needs a new one."""
    watcher = Watcher()

    async def shift() -> tuple[int, int]:
        async with Stage(root, progress=watcher) as stage:
            await stage.film_on(1)
            stage.camera.broken = stage.camera.dead = True
            await stage.film_on(5)
            watcher.seen.clear()
            await stage.film_on(PATIENCE_US / 1e6 - 10)
            within = len(watcher.seen)
            await stage.film_on(10)
            watcher.seen.clear()
            await stage.film_on(30)
            return within, len(watcher.seen)

    within, late = asyncio.run(shift())
    assert within >= 40
    assert late == 0
