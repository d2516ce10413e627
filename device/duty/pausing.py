"""Sees to declared pauses: begins and ends them, asks for the reason, reminds before the limit (xuchang 19)."""

from __future__ import annotations

import asyncio

from device.duty.asking import Asking
from device.duty.pause import Pause
from device.duty.tools import Tools
from device.intake import Ending, Intake, Resume, Stop
from device.ports import Buzz
from device.recovery import OpenPause
from device.voice.voice import Phrase
from evidence.model import Timestamp


class Pausing:
    """The pause that is running, if any."""

    def __init__(self, tools: Tools, intake: Intake, asking: Asking) -> None:
        self._tools = tools
        self._intake = intake
        self._asking = asking
        self._pause: Pause | None = None

    @property
    def recording(self) -> str | None:
        """The recording that the pause suspends."""
        return None if self._pause is None else self._pause.recording

    async def begin(self) -> None:
        """Suspend recording at once; the reason is asked for afterwards."""
        await self._note_begin(self._tools.recorder.recording, self._tools.clock.now())
        stop = Stop("pause", asyncio.Event(), Ending.PAUSE)
        self._intake.command(stop)
        await stop.done.wait()
        self._tools.buzz(Buzz.STOPPED)
        self._tools.say(Phrase.PAUSED)
        self._ask()

    def go_on(self, found: OpenPause) -> None:
        """An earlier run left this pause: its limit goes on, too, as far as the clock can tell."""
        now = self._tools.clock.now()
        passed_us = now.boot_us if found.began.boot != now.boot else now.boot_us - found.began.boot_us
        began_us = now.boot_us - max(passed_us, now.utc_us - found.began.utc_us)
        self._pause = Pause(found.pause, found.recording, began_us, found.limit_s, found.reasoned)
        self._tools.recorder.go_on_paused(found.recording)
        self._tools.say(Phrase.PAUSED)
        if not found.reasoned:
            self._ask()

    async def extend(self) -> None:
        """Another pause follows this one without a break, with a reason of its own."""
        recording, now = self.recording, self._tools.clock.now()
        await self._note_end("extended", now)
        await self._note_begin(recording, now)
        self._tools.say(Phrase.PAUSED)
        self._ask()

    async def end(self, trigger: str) -> None:
        """Keep what is seen from now on."""
        await self._note_end(trigger, self._tools.clock.now())
        self._intake.command(Resume())

    async def tick(self) -> None:
        """Let time pass."""
        if self._pause is None:
            return
        mark_s = self._pause.due(self._tools.now_us())
        if mark_s is None:
            return
        self._pause = self._pause.reminded(mark_s)
        self._tools.buzz(Buzz.ASK)
        if mark_s > 0:
            self._tools.say(Phrase.PAUSE_MINUTES_LEFT, mark_s // 60)
            await self._tools.note("pause_reminded", pause=self._pause.pause, left_s=mark_s)
        else:
            self._tools.say(Phrase.PAUSE_OVER)
            await self._tools.note("pause_reminded", pause=self._pause.pause, left_s=0)

    def _ask(self) -> None:
        if self._pause is not None:
            self._asking.ask_for_pause_reason(self._pause.pause)

    async def _note_begin(self, recording: str | None, at: Timestamp) -> None:
        limit_s = self._tools.config.pause_limit_minutes * 60
        pause = self._tools.numbers.next_pause()
        self._pause = Pause(pause, recording, at.boot_us, limit_s)
        await self._tools.note("paused", at, pause=pause, recording=recording, limit_s=limit_s)

    async def _note_end(self, trigger: str, at: Timestamp) -> None:
        if self._pause is not None:
            pause, self._pause = self._pause.pause, None
            await self._tools.note("pause_ended", at, pause=pause, trigger=trigger)
