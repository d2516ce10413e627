"""A recorder in an officer's hands: controller and duties on the stage, every press and every word by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from device.config import DutyConfig
from device.controller import Controller
from device.duty.duties import make_duties
from device.duty.readings import Readings
from device.duty.tools import Tools
from device.ports import Press, Samples
from device.spool import RESERVE_BYTES
from device.voice.voice import Voice
from device.watch.battery import BatteryWatch
from device.watch.check import Check
from device.watch.storage import StorageWatch
from evidence.model import Officer
from tests.device.footage import EPOCH_US, film
from tests.device.hand_clock import NEXT_BOOT, HandClock
from tests.device.stage import Stage
from tests.device.unit import OFFICER

CHECKED = Check(fit=True, findings=(("battery", "ok", "93 %, 610 min"),))
SILENCE: Samples = np.zeros(48_000, np.int16)
RULES = DutyConfig(voice=False, statement_s=5, reason_s=5, report_after_s=20, pause_limit_minutes=1)


def next_boot(clock: HandClock, off_s: float = 5) -> HandClock:
    """The clock of the next boot, so many seconds later, at the film's beginning."""
    return HandClock(NEXT_BOOT, EPOCH_US, clock.now().utc_us + round(off_s * 1e6) - EPOCH_US)


@dataclass
class HandCrew:
    """A `Crew`; what the dock says last is `assigned`."""

    assigned: Officer | None = OFFICER
    officer: Officer | None = OFFICER

    def assign(self) -> Officer | None:
        self.officer = self.assigned
        return self.officer


@dataclass
class Desk:
    """The officer and the world around him."""

    stage: Stage
    controller: Controller
    crew: HandCrew
    reports: list[int] = field(default_factory=list)

    async def press(self, given: Press) -> None:
        self.stage.panel.press(given)
        await self.wait(0.5)

    async def wait(self, seconds: float) -> None:
        await self.stage.film_on(seconds)

    async def say(self, speech: Samples, seconds: float) -> None:
        """Somebody speaks for so long."""
        self.stage.microphone.says = speech
        await self.wait(seconds)
        self.stage.microphone.says = SILENCE

    async def note(self, speech: Samples, seconds: float) -> None:
        """Hold MARK and speak."""
        await self.press(Press.NOTE_BEGIN)
        await self.say(speech, seconds)
        await self.press(Press.NOTE_END)

    async def dock(self, docked: bool) -> None:
        self.stage.power.docked = docked
        await self.wait(3)


@asynccontextmanager
async def desk(
    root: Path, clock: HandClock | None = None, rules: DutyConfig = RULES, **stage_settings: Any
) -> AsyncIterator[Desk]:
    """Switched on for two seconds; leaving it is a crash."""
    clock = clock or HandClock(boot_us=EPOCH_US)
    async with Stage(root, clock=clock, source=film(120), **stage_settings) as stage:
        stage.microphone.says = SILENCE
        stage.camera.shows = True
        voice = Voice(stage.speaker, rules.language, rules.voice)
        tools = Tools(rules, clock, stage.recorder, stage.spool, stage.thread, stage.numbers, stage.panel, voice)
        crew, reports = HandCrew(), []
        battery, storage = BatteryWatch(rules.planned_shift_minutes), StorageWatch(128_000, RESERVE_BYTES)
        readings = Readings(tools, stage.hardware, stage.intake, battery, storage, lambda: 0)
        duties = make_duties(
            tools, stage.hardware, stage.intake, crew, readings, lambda _: CHECKED, "test", lambda: reports.append(1)
        )
        controller = Controller(stage.hardware, stage.intake, tools, duties)
        tasks = [
            asyncio.create_task(controller.run(stage.recovered)),
            asyncio.create_task(controller.watch()),
        ]
        one = Desk(stage, controller, crew, reports)
        await one.wait(2)
        yield one
        for task in tasks:
            task.cancel()
        failed = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in failed] == [asyncio.CancelledError] * 2
