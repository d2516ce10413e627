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

    async def sign_on(self) -> None:
        """Say who it is; without an assignment every frame says that nobody is."""
        officer = self._assign()
        if officer is None:
            self._tools.say(Phrase.UNASSIGNED)
            return
        self._tools.say(Phrase.SIGNED_ON)
        await self._tools.note("sign_on", **officer.to_fields())

    async def check(self) -> None:
        """A clear go or no-go."""
        found = self._check(len(await self._waiting()))
        self._tools.buzz(Buzz.DONE if found.fit else Buzz.FAULT)
        self._tools.say(Phrase.FIT if found.fit else Phrase.NOT_FIT)
        await self._tools.note("pre_use_check", **found.to_fields())
