"""The officer of a day: hears what the recorder asks, and answers it, in time, late, wrongly, or not at all."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from device.interruptions import PauseReason, Reason
from device.ports import Press
from device.voice.voice import Phrase
from sim.day.verbs import VERBS, later
from sim.day.world import World
from sim.ear import understood
from sim.scenario import Temper
from sim.steps import Answer, AnswerPause, By, Line, PressButton, Speak, Step

LANGUAGE = "zh-CN"
LISTEN_S = 0.5


class Officer:
    """Wears the recorder. What chance decides comes from `seed`."""

    def __init__(self, world: World, temper: Temper, seed: int) -> None:
        self._world = world
        self._temper = temper
        self._chance = random.Random(seed)
        self._boot = ""
        self._heard_us = -1
        self._answers: Mapping[str, Callable[[], Step | None]] = {
            Phrase.SAY_STATEMENT: self._say_statement,
            Phrase.STATEMENT_REMINDER: self._say_statement,
            Phrase.SAY_REASON: self._say_reason,
            Phrase.PAUSE_WHICH: self._say_why_paused,
            Phrase.PAUSE_OVER: lambda: PressButton(0.0, Press.RECORD),
        }

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            await self._world.body.clock.sleep(LISTEN_S)
            for phrase in self._new_phrases():
                if phrase in self._answers and (step := self._answers[phrase]()) is not None:
                    delay_s = self._temper.after_s * self._chance.uniform(0.5, 2.0)
                    later(delay_s, VERBS[type(step)], self._world, step)

    def _new_phrases(self) -> list[str]:
        body = self._world.body
        if body.clock.boot != self._boot:
            self._boot, self._heard_us = body.clock.boot, -1
        now_us = body.clock.boot_us()
        sounds = [one for one in body.speaker.heard if self._heard_us < one.boot_us <= now_us]
        self._heard_us = max((one.boot_us for one in sounds), default=self._heard_us)
        return [understood(one.samples, LANGUAGE) for one in sounds]

    def _say_statement(self) -> Step | None:
        return Speak(0.0, Line.STATEMENT) if self._does() else None

    def _say_reason(self) -> Step | None:
        by = self._chance.choice(tuple(By))
        return Answer(0.0, self._chance.choice(tuple(Reason)), by) if self._does() else None

    def _say_why_paused(self) -> Step | None:
        return AnswerPause(0.0, self._chance.choice(tuple(PauseReason))) if self._does() else None

    def _does(self) -> bool:
        return self._chance.random() < self._temper.diligence
