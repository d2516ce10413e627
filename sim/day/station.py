"""The dock of a day: the real intake on a real folder, behind the world's radio instead of a socket."""

from __future__ import annotations

import logging
from pathlib import Path

from dock.catalogue import Catalogue
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from dock.intake import Intake
from dock.messages import read_message
from dock.rebuild import rebuild_if_empty
from dock.receiver import BATCH_LIMIT
from evidence.errors import DiscError
from evidence.io.durable import PosixDisc
from sim.day.clock import WorldClock
from sim.day.radio import Radio

BATCH_S = 0.015
"""What a batch takes with its syncs."""
RESTART_S = 2.0
ROOM_BYTES = 8 << 30
log = logging.getLogger(__name__)


class StationDisc(PosixDisc):
    """The dock's disc, as large as the world says."""

    def __init__(self) -> None:
        self.full = False

    def free_bytes(self, folder: Path) -> int:
        """Room left."""
        return 0 if self.full else min(ROOM_BYTES, super().free_bytes(folder))


class Station:
    """One receiver. It may die, be started again, and have a full disc."""

    def __init__(self, folder: DockFolder, clock: WorldClock, radio: Radio) -> None:
        self._folder = folder
        self._clock = clock
        self._radio = radio
        self._alive = True
        self.disc = StationDisc()
        self._catalogue = Catalogue(folder.catalogue)
        self._intake = self._open()

    def kill(self) -> None:
        """The process dies; what it has not answered comes again from the broker."""
        self._alive = False
        self._catalogue.close()

    def start(self) -> None:
        """The process is started again."""
        if not self._alive:
            self._catalogue = Catalogue(self._folder.catalogue)
            self._intake = self._open()
            self._alive = True
            self._radio.arrived.set()

    def make_room(self) -> None:
        """Somebody moves old evidence away."""
        self.disc.full = False

    def close(self) -> None:
        """The end of the world."""
        self._catalogue.close()

    async def run(self) -> None:
        """Receive until cancelled, a batch at a time, as `dock.receiver` does it."""
        inbox, arrived = self._radio.inbox, self._radio.arrived
        while True:
            if not (inbox and self._alive):
                arrived.clear()
                await arrived.wait()
                continue
            batch = list(inbox)[:BATCH_LIMIT]
            await self._clock.sleep(BATCH_S)
            if self._alive:
                await self._take(batch)

    async def _take(self, batch: list[tuple[str, bytes]]) -> None:
        try:
            answers = self._intake.take([read_message(*one) for one in batch])
        except DiscError as error:
            log.warning("the dock's process ends and is started again: %s", error)
            self.kill()
            await self._clock.sleep(RESTART_S)
            self.start()
            return
        for answer in answers:
            self._radio.answer(answer.topic, answer.payload, retain=answer.retain)
        for _ in batch:
            self._radio.inbox.popleft()

    def _open(self) -> Intake:
        journal = DockJournal(self._folder, self.disc, self._clock)
        rebuild_if_empty(self._folder, self.disc, journal, self._catalogue)
        return Intake(self._folder, self.disc, journal, self._catalogue)
