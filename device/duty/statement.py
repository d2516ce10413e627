"""The opening statement: asked for after every start, listened for, reminded of twice, and then missing. Pure.

changzhi 20 and pingluo 8 want it spoken into the recording: time, place, officers, cause, object, stage, and that
everybody present is being recorded. What is said is in the recording; here it is only noticed that somebody speaks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

ENOUGH_SPEECH_MS = 2_000
"""A statement takes ten seconds and more; in a loud street the detector finds a quarter of it (docs/VOICE.md)."""
REMINDERS = 2
MID_SENTENCE_US = 4_000_000
"""Whoever has just spoken is not interrupted by a reminder."""


class Outcome(Enum):
    """What a look at the statement says."""

    HEARD = auto()
    REMIND = auto()
    MISSING = auto()


@dataclass(frozen=True, slots=True)
class Statement:
    """One recording's statement. Speech before `listens_from_us` is the recorder's own voice and does not count."""

    recording: str
    asked_us: int
    listens_from_us: int
    window_us: int
    speech_ms: int = 0
    speech_from_us: int | None = None
    spoke_us: int | None = None
    reminders: int = 0

    @property
    def until_us(self) -> int:
        """When the present window ends."""
        return self.listens_from_us + self.window_us

    def hear(self, boot_us: int, speech_ms: int) -> Statement:
        """So much speech was in a block of sound that ended at `boot_us`."""
        if speech_ms == 0 or boot_us < self.listens_from_us:
            return self
        began_us = boot_us - speech_ms * 1000 if self.speech_from_us is None else self.speech_from_us
        return replace(self, speech_ms=self.speech_ms + speech_ms, speech_from_us=began_us, spoke_us=boot_us)

    def look(self, now_us: int) -> Outcome | None:
        """What has come of it by now; after HEARD and MISSING it is over, after REMIND `remind` has to follow."""
        if self.speech_ms >= ENOUGH_SPEECH_MS:
            return Outcome.HEARD
        speaking = self.spoke_us is not None and now_us - self.spoke_us < MID_SENTENCE_US
        if now_us < self.until_us or speaking:
            return None
        return Outcome.REMIND if self.reminders < REMINDERS else Outcome.MISSING

    def remind(self, listens_from_us: int) -> Statement:
        """The officer was reminded, and the recorder's voice ends then."""
        return replace(self, reminders=self.reminders + 1, listens_from_us=listens_from_us)
