"""What every duty works with: the clock, the recorder, the card, and the ways to tell an officer something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from device.config import DutyConfig
from device.disc_thread import DiscThread
from device.numbers import Numbers
from device.ports import Buzz, Clock, Panel
from device.recorder import Recorder
from device.spool import Spool
from device.voice.voice import Phrase, Voice
from evidence.model import Timestamp


@dataclass(frozen=True, slots=True)
class Tools:
    """One bundle for all duties; nothing in it decides anything."""

    config: DutyConfig
    clock: Clock
    recorder: Recorder
    spool: Spool
    thread: DiscThread
    numbers: Numbers
    panel: Panel
    voice: Voice

    def now_us(self) -> int:
        """Boot time."""
        return self.clock.now().boot_us

    def say(self, phrase: Phrase, number: int | None = None) -> int:
        """Say it behind what is being said; returns the boot time when it will have been said."""
        return self.now_us() + round(self.voice.say(phrase, number) * 1_000_000)

    def buzz(self, buzz: Buzz) -> None:
        """Sound and shake."""
        self.panel.buzz(buzz)

    async def note(self, kind: str, at: Timestamp | None = None, **fields: Any) -> None:
        """Journal what happens now, or happened at `at`."""
        await self.recorder.note(kind, at, **fields)
