"""COMPOSITION ROOT of the other half: the uplink as a process of its own, without camera and without signing key.

Between it and the recorder (`device.agent.run` without a road) there is the spool, and nothing else: it reads journal
and files, and puts the dock's words beside them. What happens in the other process it sees by looking (docs/adr/0011).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from device.config import Config
from device.identity import load_link_identity
from device.ports import Clock, PowerSource
from device.spool import SpoolPaths
from device.supervise import supervise
from device.uplink import Uplink
from evidence.io.durable import Disc
from evidence.io.heap import share_one_heap
from evidence.io.mqtt import Link
from evidence.io.road import OpenRoad

CONTACTS_S = 0.25
REPORTS_S = 5.0
"""How long an urgent report may wait in the journal before it is seen."""


class Contacts:
    """The dock's contacts, and the journal's urgent reports, as the events that move an uplink."""

    def __init__(self, power: PowerSource, clock: Clock) -> None:
        self._power = power
        self._clock = clock
        self.docked, self.undocked, self.urgent = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.undocked.set()

    async def watch(self) -> None:
        """Feel the contacts until cancelled."""
        while True:
            docked = self._power.read().docked
            (self.docked.set if docked else self.docked.clear)()
            (self.undocked.clear if docked else self.undocked.set)()
            await self._clock.sleep(CONTACTS_S)

    async def look_for_reports(self) -> None:
        """Have the journal looked at now and then, until cancelled: nobody else tells of a report that is urgent."""
        while True:
            self.urgent.set()
            await self._clock.sleep(REPORTS_S)


async def run_uplink(
    config: Config,
    power: PowerSource,
    clock: Clock,
    disc: Disc,
    stop: asyncio.Event,
    progress: Callable[[], None],
    open_road: OpenRoad = Link,
) -> None:
    """Offload for the recorder of this configuration until `stop` is set. Raises LiuhenError when not enrolled."""
    share_one_heap()
    identity, contacts = load_link_identity(config.identity), Contacts(power, clock)
    uplink = Uplink(
        identity,
        SpoolPaths(config.spool),
        disc,
        clock,
        config.uplink.window,
        # The recorder sees by itself that there is a new word.
        on_receipt=lambda: None,
        run_folder=config.run_folder,
        open_road=open_road,
        progress=progress,
    )

    async def carry() -> None:
        try:
            await uplink.run(contacts.docked, contacts.undocked, contacts.urgent)
        finally:
            # A card that cannot be read yet is an answer, too.
            progress()

    progress()
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(contacts.watch(), name="contacts"),
            tasks.create_task(contacts.look_for_reports(), name="reports"),
            tasks.create_task(supervise("uplink", carry, clock), name="uplink"),
        ]
        try:
            await stop.wait()
        finally:
            for task in running:
                task.cancel()
