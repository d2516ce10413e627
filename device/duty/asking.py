"""Asks the officer why: after an interruption, for a declared pause; by voice, by presses, by a spoken note.

An interruption stays open until its reason is journalled (pingluo 8, changzhi 21, xuchang 19). The recorder asks when
the recording goes on, at the start of the next one, and in the dock.
"""

from __future__ import annotations

from collections.abc import Mapping

from device.duty.notes import KeptNote, Notes
from device.duty.question import Question
from device.duty.tools import Tools
from device.interruptions import AUTHORITIES, SPOKEN, PauseReason, Reason, unexplained
from device.ports import Buzz
from device.voice.voice import Phrase
from evidence.errors import DiscError

PHRASES: Mapping[str, Phrase] = {
    **{code.value: Phrase(f"reason_{code}") for code in Reason},
    **{code.value: Phrase(f"pause_{code}") for code in PauseReason},
}
"""How each answer is counted back; its number is part of the phrase."""


class Asking:
    """The question that is open, if any, and the notes that may answer it."""

    def __init__(self, tools: Tools, notes: Notes) -> None:
        self._tools = tools
        self._notes = notes
        self._question: Question | None = None

    @property
    def noting(self) -> bool:
        """A note is being spoken."""
        return self._notes.running

    async def ask_for_reasons(self, after: Phrase | None = None) -> None:
        """Ask about the oldest interruption without a reason, if there is one; `after` is said before that."""
        if after is not None:
            self._tools.say(after)
        waiting = await self.waiting()
        if not waiting or (self._question is not None and self._question.presses):
            # Nothing to ask, or somebody is answering.
            return
        if len(waiting) > 1:
            self._tools.say(Phrase.REASON_STILL_OPEN, len(waiting))
        self._tools.buzz(Buzz.ASK)
        spoken_us = self._tools.say(Phrase.SAY_REASON)
        until_us = spoken_us + self._tools.config.reason_s * 1_000_000
        self._question = Question(waiting[0], tuple(Reason), until_us)
        await self._tools.note("reason_asked", interruption=waiting[0])

    def ask_for_pause_reason(self, pause: str) -> None:
        """Ask why recording is suspended."""
        self._tools.buzz(Buzz.ASK)
        spoken_us = self._tools.say(Phrase.PAUSE_WHICH)
        self._question = Question(pause, tuple(PauseReason), spoken_us + self._tools.config.reason_s * 1_000_000)

    async def waiting(self) -> tuple[str, ...]:
        """Interruptions without a reason, oldest first; none while the card does not say."""
        try:
            return await self._tools.thread.run(unexplained, self._tools.spool)
        except DiscError:
            return ()

    def press(self) -> bool:
        """MARK was pressed. True when that was an answer."""
        if self._question is None:
            return False
        question = self._question.press()
        assert question.chosen is not None
        self._tools.buzz(Buzz.DONE)
        self._tools.voice.quiet()
        spoken_us = self._tools.say(PHRASES[question.chosen])
        self._question = question.spoken(spoken_us)
        return True

    async def begin_note(self) -> None:
        """MARK is being held: listen."""
        self._tools.voice.quiet()
        self._notes.begin()
        self._tools.buzz(Buzz.DONE)

    async def end_note(self) -> None:
        """MARK was let go: keep what was said, and take it for the reason if one is wanted."""
        if not self._notes.running:
            return
        subject = await self._subject()
        note = await self._notes.end(self._tools.recorder.recording, subject)
        if note is None:
            self._tools.buzz(Buzz.REFUSED)
            self._tools.say(Phrase.NOTE_EMPTY)
        elif subject is None:
            self._tools.say(Phrase.NOTE_KEPT)
        else:
            await self._explained(subject, SPOKEN, note)

    async def tick(self) -> None:
        """Let time pass."""
        if self._notes.full:
            await self.end_note()
        question, now_us = self._question, self._tools.now_us()
        if question is None:
            return
        if question.expired(now_us):
            # It stays open: the start of the next recording, the dock and the health card ask again.
            self._question = None
        elif question.settled(now_us):
            await self.settle()

    async def settle(self) -> None:
        """Take the answer that is being given without waiting for more presses: the recorder is docked or goes off."""
        question = self._question
        if question is not None and question.chosen is not None:
            self._question = None
            await self._chosen(question.subject, question.chosen)

    async def _chosen(self, subject: str, code: str) -> None:
        if code in set(Reason):
            await self._explained(subject, code, None)
            return
        await self._tools.note("pause_reason", pause=subject, reason=code, authority=AUTHORITIES[PauseReason(code)])
        self._tools.say(Phrase.REASON_KEPT)

    async def _explained(self, interruption: str, reason: str, note: KeptNote | None) -> None:
        self._question = None
        await self._tools.note(
            "reason", interruption=interruption, reason=reason, note=None if note is None else note.blob
        )
        await self.ask_for_reasons(Phrase.REASON_KEPT)

    async def _subject(self) -> str | None:
        """What a note is about: the interruption that is being asked about, or the oldest that nobody explained."""
        waiting = await self.waiting()
        if self._question is not None and self._question.subject in waiting:
            return self._question.subject
        return waiting[0] if waiting else None
