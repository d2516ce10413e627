"""Sees to the opening statement of the running recording (changzhi 20, pingluo 8)."""

from __future__ import annotations

from device.duty.statement import Outcome, Statement
from device.duty.tools import Tools
from device.ports import Buzz, SoundBlock
from device.speech import SpeechDetector
from device.voice.voice import Phrase


class Opening:
    """Asks, listens, reminds, and journals what came of it."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._statement: Statement | None = None
        self._detector = SpeechDetector()

    async def begin(self, recording: str) -> None:
        """A recording has begun."""
        now_us, spoken_us = self._tools.now_us(), self._tools.say(Phrase.SAY_STATEMENT)
        window_us = self._tools.config.statement_s * 1_000_000
        self._statement = Statement(recording, now_us, spoken_us, window_us)
        self._detector = SpeechDetector()
        self._tools.recorder.listeners.append(self._hear)
        await self._tools.note("statement_asked", recording=recording, until_boot_us=self._statement.until_us)

    async def end(self) -> None:
        """The recording is over: what was not said until now cannot be said any more."""
        await self.tick()
        if self._statement is not None:
            await self._missing(self._statement)

    async def tick(self) -> None:
        """Let time pass."""
        if self._statement is None:
            return
        match self._statement.look(self._tools.now_us()):
            case Outcome.HEARD:
                await self._heard(self._statement)
            case Outcome.REMIND:
                await self._remind(self._statement)
            case Outcome.MISSING:
                await self._missing(self._statement)

    def _hear(self, block: SoundBlock) -> None:
        # What is said while nothing is recorded is not in the recording.
        if self._statement is not None and self._tools.recorder.interruption is None:
            self._statement = self._statement.hear(block.boot_us, self._detector.add(block.samples))

    async def _heard(self, statement: Statement) -> None:
        self._forget()
        await self._tools.note(
            "statement_heard",
            recording=statement.recording,
            from_boot_us=statement.speech_from_us,
            speech_ms=statement.speech_ms,
        )

    async def _remind(self, statement: Statement) -> None:
        self._tools.buzz(Buzz.ASK)
        self._statement = statement.remind(self._tools.say(Phrase.STATEMENT_REMINDER))
        await self._tools.note("statement_reminded", recording=statement.recording, reminder=self._statement.reminders)

    async def _missing(self, statement: Statement) -> None:
        self._forget()
        self._tools.buzz(Buzz.REFUSED)
        self._tools.say(Phrase.STATEMENT_MISSING)
        await self._tools.note(
            "statement_missing",
            recording=statement.recording,
            from_boot_us=statement.asked_us,
            to_boot_us=min(statement.until_us, self._tools.now_us()),
        )

    def _forget(self) -> None:
        self._statement = None
        self._tools.recorder.listeners.remove(self._hear)
