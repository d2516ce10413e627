"""The beginning of a run: open the card, and recover what the last run left on it.

A card that fails is tried until it works, with light and voice. What the officer wants meanwhile is remembered, and
journalled as soon as the card takes entries: a recording that was asked for counts from the press.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from device.disc_thread import DiscThread
from device.holding import HeldError
from device.numbers import Numbers
from device.ports import Buzz, Hardware, Light, Press
from device.recovery import OpenInterruption, Recovered
from device.spool import Spool
from device.voice.voice import Phrase, Voice
from evidence.errors import DiscError
from evidence.model import Timestamp

RETRY_S = 5.0
TELL_TRIES = 12
"""Once a minute it is said again."""
CASE = frozenset({Press.CASE_OPENED, Press.CASE_CLOSED})
TRIGGER, CAUSE, PART = "button", "device_fault", "card"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """The card, ours alone until `hold` is closed, and what the last run left there."""

    spool: Spool
    numbers: Numbers
    recovered: Recovered
    hold: ExitStack
    presses: Sequence[Press] = ()
    """What was pressed before the controller listened, and is still to be obeyed."""


@dataclass(slots=True)
class Wish:
    """A recording that was asked for while it could not be kept; `ended` when the officer has given it up."""

    began: Timestamp
    ended: Timestamp | None = None


@dataclass(slots=True)
class CardWait:
    """`open_card` runs on the disc thread, gets this run's beginning, and raises DiscError while the card fails."""

    hardware: Hardware
    thread: DiscThread
    voice: Voice
    open_card: Callable[[Timestamp], Opened]
    _failed: Timestamp | None = None
    _wishes: list[Wish] = field(default_factory=list)
    _presses: list[Press] = field(default_factory=list)
    _found: bool = False

    async def opened(self, stop: asyncio.Event, officer: str | None) -> Opened | None:
        """The open card, None when stopped before. `officer` wears the recorder. Raises HeldError, BadInputError."""
        tries, since = 0, self.hardware.clock.now()
        while not stop.is_set():
            try:
                opened = await self.thread.run(self.open_card, since)
            except HeldError:
                raise
            except DiscError as error:
                self._tell(tries, error)
                self.hardware.progress()
                tries += 1
                await self.hardware.clock.sleep(RETRY_S)
            else:
                self._found = True
                return await self.thread.run(self._settle, opened, officer)
        return None

    def _tell(self, tries: int, error: DiscError) -> None:
        if self._failed is None:
            self._failed = self.hardware.clock.now()
            loop = asyncio.get_running_loop()

            def hop(press: Press) -> None:
                loop.call_soon_threadsafe(self._pressed, press)

            self.hardware.panel.start(hop)
        self._show()
        if tries % TELL_TRIES == 0:
            log.warning("no card, tried again every %.0f s: %s", RETRY_S, error)
            self._complain()

    def _show(self) -> None:
        """The light of an interruption, under which a hold of REC stops it again; the fault's before it is one."""
        wanted = bool(self._wishes) and self._wishes[-1].ended is None
        self.hardware.panel.show(Light.INTERRUPTED if wanted else Light.FAULT)

    def _complain(self) -> None:
        self.hardware.panel.buzz(Buzz.FAULT)
        self.voice.say(Phrase.FAULT_CARD)

    def _pressed(self, press: Press) -> None:
        now, running = self.hardware.clock.now(), bool(self._wishes) and self._wishes[-1].ended is None
        if self._found or press in CASE:
            self._presses.append(press)
        elif press is Press.RECORD:
            if not running:
                self._wishes.append(Wish(now))
            self._complain()
        elif press is Press.STOP and running:
            self._wishes[-1].ended = now
            self.hardware.panel.buzz(Buzz.STOPPED)
        else:
            self.hardware.panel.buzz(Buzz.REFUSED)
        self._show()

    def _settle(self, opened: Opened, officer: str | None) -> Opened:
        """Journal what happened meanwhile, each with its own time; a card that fails again gets it later."""
        if self._failed is None:
            return opened
        note, interrupted = opened.spool.note_or_keep, opened.recovered.interrupted
        note("fault", self._failed, part=PART, what="takes nothing")
        # What an earlier run left open goes on anyway, and counts already.
        wishes = self._wishes if interrupted is None and opened.recovered.paused is None else []
        for wish in wishes:
            recording, broken = opened.numbers.next_recording(), opened.numbers.next_interruption()
            began = wish.began.to_fields()
            note("recording_started", wish.began, recording=recording, trigger=TRIGGER, officer=officer)
            note(
                "interruption",
                wish.began,
                interruption=broken,
                recording=recording,
                cause=CAUSE,
                part=PART,
                began=began,
            )
            interrupted = OpenInterruption(broken, recording, CAUSE, wish.began)
            if wish.ended is not None:
                ended_us, interrupted = wish.ended.boot_us, None
                note("recording_stopped", wish.ended, recording=recording, trigger=TRIGGER, ended_boot_us=ended_us)
        note("fault_cleared", self.hardware.clock.now(), part=PART)
        if self._presses[-1:] == [Press.CASE_OPENED]:
            # The panel itself tells whoever listens next that the case is open.
            self._presses.pop()
        return replace(opened, recovered=replace(opened.recovered, interrupted=interrupted), presses=self._presses)
