"""The recorder's side of an uplink that is a process of its own (`device.uplink_alone`): see what it brings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from device.disc_thread import DiscThread
from device.dock_words import latest_word_ns
from device.ports import Clock
from device.spool import SpoolPaths

WORDS_S = 1.0
"""How long a word of the dock may lie in the spool before it is seen."""


class UplinkElsewhere:
    """In the place of an `Uplink`. The other process feels the dock's contacts and reads the journal for itself."""

    def __init__(self, paths: SpoolPaths, thread: DiscThread, clock: Clock, on_receipt: Callable[[], None]) -> None:
        """`on_receipt` is called in the event loop when there may be a new word of the dock in the spool."""
        self._paths = paths
        self._thread = thread
        self._clock = clock
        self._on_receipt = on_receipt

    async def run(self, _docked: asyncio.Event, _undocked: asyncio.Event, _urgent: asyncio.Event) -> None:
        """Look until cancelled. Raises DiscError."""
        seen_ns = 0
        while True:
            latest_ns = await self._thread.run(latest_word_ns, self._paths)
            if latest_ns != seen_ns:
                seen_ns = latest_ns
                self._on_receipt()
            await self._clock.sleep(WORDS_S)
