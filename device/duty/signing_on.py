"""Signing on: who wears the recorder, and the check before use (weixian 15, xuchang 20). Neither prevents recording."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from device.duty.tools import Tools
from device.ports import Buzz
from device.voice.voice import Phrase
from device.watch.check import Check
from evidence.model import Officer


class SigningOn:
    """The beginning of a shift: after power on, and whenever the recorder leaves the dock."""

    def __init__(
        self,
        tools: Tools,
        assign: Callable[[], Officer | None],
        waiting: Callable[[], Awaitable[tuple[str, ...]]],
        check: Callable[[int], Check],
    ) -> None:
        """`assign` puts the officer of the dock's latest word into recorder and overlay; `check` looks at everything.

        `waiting` tells the interruptions that nobody has explained.
        """
        self._tools = tools
        self._assign = assign
        self._waiting = waiting
        self._check = check
        self._wanted = False

    async def sign_on(self) -> None:
        """Say who it is; without an assignment every frame says that nobody is."""
        officer = self._assign()
        if officer is None:
            self._tools.say(Phrase.UNASSIGNED)
            return
        self._tools.say(Phrase.SIGNED_ON)
        await self._tools.note("sign_on", **officer.to_fields())

    async def check_soon(self) -> None:
        """Check as soon as the microphone, too, has had time to begin."""
        self._wanted = True

    async def tick(self) -> None:
        """Give a clear go or no-go, once it has been asked for."""
        if not self._wanted or not self._tools.recorder.capture.settled:
            return
        self._wanted = False
        found = self._check(len(await self._waiting()))
        self._tools.buzz(Buzz.DONE if found.fit else Buzz.FAULT)
        self._tools.say(Phrase.FIT if found.fit else Phrase.NOT_FIT)
        await self._tools.note("pre_use_check", **found.to_fields())
