"""The uplink's task: while docked, give the dock everything it lacks, and put its receipts into the spool.

Away from the dock it only opens the link to hand in an urgent report, and takes the journal along.

It reads the spool and never writes evidence: the seam between recorder and uplink is files and journal, so that the
process with the network needs neither camera nor signing key (docs/adr/0001).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from device.disc_thread import DiscThread
from device.health.task import forward_health
from device.identity import ASSIGNMENT, LINK_KEY, LinkIdentity
from device.ports import Clock, unwatched
from device.reporting import Reports, report_topic
from device.spool import SpoolPaths
from device.spool_reader import SpoolReader
from evidence.errors import DiscError, LinkError, LiuhenError
from evidence.io.durable import Disc
from evidence.io.mqtt import Incoming, Link, LinkConfig, LinkState, TlsBroker
from evidence.io.road import OpenRoad, Road
from evidence.receipts import read_assignment
from evidence.transfer import Send, SendBlob, Sender, SendJournal, SendOffer, SendPart
from evidence.wire import (
    Down,
    Octets,
    Topic,
    Up,
    read_topic,
    read_want,
    write_offer,
    write_status,
)

TICK_S = 1.0
STALL_TICKS = 5
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tick:
    """A second has gone by."""


Event = LinkState | Incoming | Tick


class Uplink:
    """One session after the other: whole ones while the recorder is docked, urgent ones for a report elsewhere."""

    def __init__(
        self,
        identity: LinkIdentity,
        paths: SpoolPaths,
        disc: Disc,
        clock: Clock,
        window: int,
        on_receipt: Callable[[], None],
        run_folder: Path,
        open_road: OpenRoad = Link,
        progress: Callable[[], None] = unwatched,
    ) -> None:
        """`on_receipt` is called in the event loop when a new word of the dock lies in the spool.

        The health card lies in `run_folder`. `progress` is called whenever a piece of work is done.
        """
        self._progress = progress
        self._open_road = open_road
        self._identity = identity
        self._paths = paths
        self._disc = disc
        self._clock = clock
        self._window = window
        self._on_receipt = on_receipt
        self._run_folder = run_folder
        self._connected = asyncio.Event()
        self._thread = DiscThread("uplink")
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._offered_head = -1
        self._whole = True

    async def run(self, docked: asyncio.Event, undocked: asyncio.Event, urgent: asyncio.Event) -> None:
        """Work whenever docked, and whenever a report is `urgent`, until cancelled.

        `urgent` is set when a `reported` entry has been journalled; it is cleared here. What an earlier run left
        unreported is found without it.
        """
        urgent.set()
        while True:
            await _first_of(docked, urgent)
            self._whole = docked.is_set()
            # Before the journal is looked at: what is reported from now on sets it again.
            urgent.clear()
            session = asyncio.create_task(self._session())
            leaving = asyncio.create_task((undocked if self._whole else docked).wait())
            try:
                await asyncio.wait({session, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if session.done():
                    session.result()
                self._progress()
            finally:
                for task in (session, leaving):
                    task.cancel()
                await asyncio.gather(session, leaving, return_exceptions=True)

    async def _session(self) -> None:
        self._events = asyncio.Queue()
        self._connected.clear()
        reader = await self._thread.run(SpoolReader, self._paths)
        try:
            if self._whole or await self._thread.run(reader.reports.awaited):
                await self._connect(reader)
        finally:
            await self._thread.run(reader.close)

    async def _connect(self, reader: SpoolReader) -> None:
        device, link = self._identity.device, self._open_link()
        link.subscribe([*(Topic(device, name).text() for name in Down), report_topic(device, "+")])
        link.start()
        ticker = asyncio.create_task(self._tick())
        health = Topic(self._identity.device, Up.HEALTH).text()
        teller = asyncio.create_task(
            forward_health(
                self._run_folder, lambda card: link.publish(health, card, retain=True), self._connected, self._clock
            )
        )
        try:
            await self._serve(link, reader)
        finally:
            teller.cancel()
            ticker.cancel()
            await asyncio.to_thread(link.stop)

    def _open_link(self) -> Road:
        folder, device = self._identity.folder, self._identity.device
        config = LinkConfig(
            TlsBroker(
                self._identity.host, self._identity.port, folder / "ca.pem", folder / "link.pem", folder / LINK_KEY
            ),
            client_id=device,
            window_messages=self._window + 4,
            will=(Topic(device, Up.STATUS).text(), write_status(online=False)),
        )
        loop = asyncio.get_running_loop()
        events = self._events

        def hop(event: Event) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        return self._open_road(config, hop, hop, lambda topic, reason: log.warning("refused: %s: %s", topic, reason))

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            self._events.put_nowait(Tick())

    async def _serve(self, link: Road, reader: SpoolReader) -> None:
        sender, reports = Sender(self._window), Reports(self._identity.device, link, reader.reports)
        connected, quiet_ticks = False, 0
        while self._whole or await self._thread.run(reader.reports.awaited):
            self._progress()
            event = await self._events.get()
            match event:
                case LinkState():
                    connected = event.connected
                    (self._connected.set if connected else self._connected.clear)()
                    if connected:
                        link.publish(
                            Topic(self._identity.device, Up.STATUS).text(), write_status(online=True), retain=True
                        )
                        await self._thread.run(reports.begin)
                        await self._offer(link, sender, reader)
                case Incoming(topic=heard) if f"/{Up.REPORT}/" in heard:
                    event.ack()
                    await self._thread.run(reports.hear, event)
                case Incoming():
                    event.ack()
                    sends = await self._receive(sender, reader, event)
                    await self._thread.run(self._send_all, link, reader, sends)
                case Tick() if connected:
                    quiet_ticks = quiet_ticks + 1 if sender.stalled() else 0
                    await self._thread.run(reports.publish, again=quiet_ticks >= STALL_TICKS)
                    if quiet_ticks >= STALL_TICKS or await self._has_more(sender, reader):
                        quiet_ticks = 0
                        await self._offer(link, sender, reader)

    async def _has_more(self, sender: Sender, reader: SpoolReader) -> bool:
        """True when the dock has all that was offered, and there is something that was not."""
        if not sender.idle:
            return False
        head = await self._thread.run(reader.head_seq)
        return head > self._offered_head or (self._whole and await self._thread.run(reader.has_waiting))

    async def _offer(self, link: Road, sender: Sender, reader: SpoolReader) -> None:
        self._offered_head = await self._thread.run(reader.head_seq)
        waiting, blobs = [], []
        if self._whole:
            waiting, blobs = await self._thread.run(reader.waiting), await self._thread.run(reader.blobs.waiting)
        await self._thread.run(self._send_all, link, reader, sender.offer(self._offered_head, waiting, blobs))

    async def _receive(self, sender: Sender, reader: SpoolReader, incoming: Incoming) -> list[Send]:
        """A message from the dock. What cannot be believed is said and left; it proves nothing."""
        try:
            match read_topic(incoming.topic).name:
                case Down.WANT:
                    return sender.want(read_want(incoming.payload))
                case Down.RECEIPT:
                    name = await self._thread.run(
                        reader.keep_receipt, incoming.payload, self._identity.dock_key, self._disc
                    )
                    self._on_receipt()
                    return sender.receipt(name)
                case Down.ASSIGN:
                    await self._thread.run(self._keep_assignment, incoming.payload)
        except LiuhenError as error:
            log.warning("ignored: %s", error)
        return []

    def _keep_assignment(self, payload: Octets) -> None:
        read_assignment(payload.decode("ascii", errors="replace"), self._identity.dock_key, self._identity.device)
        path = self._identity.folder / ASSIGNMENT
        if not path.exists() or path.read_bytes() != payload:
            self._disc.replace(path, bytes(payload))

    def _send_all(self, link: Road, reader: SpoolReader, sends: list[Send]) -> None:
        """In the disc thread, so that a part goes from the card to the link without a detour, one at a time."""
        for send in sends:
            try:
                topic, payload = self._message(reader, send)
                link.publish(topic.text(), payload)
            except DiscError as error:
                # One bad place on the card must not keep everything else from the dock.
                log.warning("not sent: %s", error)
            except LinkError as error:
                # The link is down or full: the rules offer again when it is back or when nothing moves.
                log.info("%s", error)
                return

    def _message(self, reader: SpoolReader, send: Send) -> tuple[Topic, Octets]:
        device = self._identity.device
        match send:
            case SendOffer():
                return Topic(device, Up.OFFER), write_offer(send.offer)
            case SendJournal():
                return Topic(device, Up.JOURNAL), reader.batch(send.first_seq, send.last_seq)
            case SendBlob():
                return Topic(device, Up.BLOB, (send.blob,)), reader.blobs.message(send.blob)
            case SendPart():
                part = reader.part(send.segment, send.index)
                return Topic(device, Up.FRAGMENT, (send.segment, str(send.index))), part


async def _first_of(*events: asyncio.Event) -> None:
    """Wait until one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
