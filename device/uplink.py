"""The uplink's task: while docked, give the dock everything it lacks, and put its receipts into the spool.

It reads the spool and never writes evidence: the seam between recorder and uplink is files and journal, so that the
process with the network needs neither camera nor signing key (docs/adr/0001).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from device.disc_thread import DiscThread
from device.identity import ASSIGNMENT, LINK_KEY, Identity
from device.ports import Clock
from device.spool import SpoolPaths
from evidence.errors import DiscError, LinkError, LiuhenError, RejectedError
from evidence.io.durable import Disc
from evidence.io.journal_store import Access, JournalStore
from evidence.io.mqtt import Incoming, Link, LinkConfig, LinkState
from evidence.journal import Entry
from evidence.kinds import PART_KINDS
from evidence.receipts import check_receipt, read_assignment, read_receipt
from evidence.signing import VerifyKey
from evidence.transfer import Send, Sender, SendJournal, SendOffer, SendPart
from evidence.wire import (
    BATCH_LIMIT_BYTES,
    Down,
    Offered,
    Topic,
    Up,
    read_topic,
    read_want,
    write_batch,
    write_offer,
    write_part,
    write_status,
)

TICK_S = 1.0
STALL_TICKS = 5
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tick:
    """A second has gone by."""


Event = LinkState | Incoming | Tick


class Road(Protocol):
    """The way to the broker: what `evidence.io.mqtt.Link` is over a network."""

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""

    def subscribe(self, topics: Iterable[str]) -> None:
        """Ask for these topics, now and after every reconnection."""

    def publish(self, topic: str, payload: bytes | bytearray, *, retain: bool = False) -> None:
        """Send. Raises LinkError when the link is down or its window is full; then nothing was taken."""

    def stop(self) -> None:
        """Say goodbye."""


OpenRoad = Callable[
    [LinkConfig, Callable[[Incoming], None], Callable[[LinkState], None], Callable[[str, str], None]], Road
]
"""Makes the way to the broker; the callbacks are for messages, for the link's state, for what the broker refuses."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """What the journal says of one segment."""

    parts: dict[int, Entry]
    seal: Entry | None


class SpoolReader:
    """The uplink's view of the spool: what waits, and its bytes. Opened on the uplink's own disc thread."""

    def __init__(self, paths: SpoolPaths) -> None:
        self._paths = paths
        self._journal = JournalStore(paths.journal, Access.READ)
        self._segments: dict[str, _Segment] = {}
        self._unreadable: set[str] = set()

    def head_seq(self) -> int:
        """The number of the last entry."""
        return self._journal.head().seq

    def waiting(self) -> list[Offered]:
        """Sealed segments without a receipt: bookmarked recordings first, then the oldest."""
        seals = {entry.fields["segment"]: entry for entry in self._journal.of_kind("segment")}
        done = self._journal.segments_with("receipt") | self._unreadable
        marked = {entry.fields["recording"] for entry in self._journal.of_kind("bookmark")}
        waiting = [
            seal for segment, seal in seals.items() if segment not in done and not self._paths.receipt(segment).exists()
        ]
        waiting.sort(key=lambda seal: (seal.fields["recording"] not in marked, seal.seq))
        return [Offered(seal.fields["segment"], len(seal.fields["parts"])) for seal in waiting]

    def batch(self, first_seq: int, last_seq: int) -> bytes:
        """As many entries from `first_seq` on as fit into one message."""
        room = BATCH_LIMIT_BYTES
        tokens: list[str] = []

        def fits(token: str) -> bool:
            nonlocal room
            room -= len(token) + 1
            return room >= 0 or not tokens

        for token in takewhile(fits, self._journal.tokens(first_seq, last_seq)):
            tokens.append(token)
        return write_batch(tokens)

    def part(self, segment: str, index: int) -> bytes:
        """The message of one part: its entry and its stored bytes. Raises DiscError; then it is not offered again."""
        entry = self._about(segment).parts[index]
        path = self._paths.segment(segment)
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(entry.fields["offset_bytes"])
                return write_part(entry.token, file.read(entry.fields["stored_bytes"]))
        except OSError as error:
            self._unreadable.add(segment)
            raise DiscError(str(path), f"cannot be read: {error.strerror}") from error

    def seal(self, segment: str) -> Entry | None:
        """The seal of a segment."""
        return self._about(segment).seal

    def keep_receipt(self, payload: bytes, dock_key: VerifyKey, disc: Disc) -> str:
        """Put a receipt into the spool and give its segment. Raises LiuhenError when it proves nothing, DiscError."""
        receipt = read_receipt(payload.decode("ascii", errors="replace"), dock_key)
        segment: str = receipt.fields["segment"]
        seal = self.seal(segment)
        if seal is None:
            raise RejectedError(f"receipt for {segment}", "names a segment that was never sealed here")
        check_receipt(receipt, seal)
        path = self._paths.receipt(segment)
        if not path.exists():
            # Not `create`: the recorder may look at any moment, and must never see half of it.
            disc.replace(path, f"{receipt.token}\n".encode("ascii"))
        return segment

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _about(self, segment: str) -> _Segment:
        if (known := self._segments.get(segment)) is not None:
            return known
        entries = list(self._journal.of_segment(segment))
        parts = {entry.fields["index"]: entry for entry in entries if entry.kind in PART_KINDS}
        read = _Segment(parts, next((entry for entry in entries if entry.kind == "segment"), None))
        if read.seal is not None:
            # One segment at a time is under way, two at its border.
            self._segments = dict([*list(self._segments.items())[-1:], (segment, read)])
        return read


class Uplink:
    """One session after the other, as long as the recorder is docked."""

    def __init__(
        self,
        identity: Identity,
        paths: SpoolPaths,
        disc: Disc,
        clock: Clock,
        window: int,
        on_receipt: Callable[[], None],
        open_road: OpenRoad = Link,
    ) -> None:
        """`on_receipt` is called in the event loop when a new receipt lies in the spool."""
        self._open_road = open_road
        self._identity = identity
        self._paths = paths
        self._disc = disc
        self._clock = clock
        self._window = window
        self._on_receipt = on_receipt
        self._thread = DiscThread("uplink")
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._offered_head = -1

    async def run(self, docked: asyncio.Event, undocked: asyncio.Event) -> None:
        """Work whenever docked, until cancelled."""
        while True:
            await docked.wait()
            session = asyncio.create_task(self._session())
            leaving = asyncio.create_task(undocked.wait())
            try:
                await asyncio.wait({session, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if session.done():
                    session.result()
            finally:
                for task in (session, leaving):
                    task.cancel()
                await asyncio.gather(session, leaving, return_exceptions=True)

    async def _session(self) -> None:
        self._events = asyncio.Queue()
        reader = await self._thread.run(SpoolReader, self._paths)
        link = self._open_link()
        link.subscribe([Topic(self._identity.device, name).text() for name in Down])
        link.start()
        ticker = asyncio.create_task(self._tick())
        try:
            await self._serve(link, reader)
        finally:
            ticker.cancel()
            await asyncio.to_thread(link.stop)
            await self._thread.run(reader.close)

    def _open_link(self) -> Road:
        folder, device = self._identity.folder, self._identity.device
        config = LinkConfig(
            host=self._identity.host,
            port=self._identity.port,
            client_id=device,
            ca_path=folder / "ca.pem",
            certificate_path=folder / "link.pem",
            key_path=folder / LINK_KEY,
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
        sender = Sender(self._window)
        connected, quiet_ticks = False, 0
        while True:
            event = await self._events.get()
            match event:
                case LinkState():
                    connected = event.connected
                    if connected:
                        link.publish(
                            Topic(self._identity.device, Up.STATUS).text(), write_status(online=True), retain=True
                        )
                        await self._offer(link, sender, reader)
                case Incoming():
                    event.ack()
                    sends = await self._receive(sender, reader, event)
                    await self._thread.run(self._send_all, link, reader, sends)
                case Tick() if connected:
                    quiet_ticks = quiet_ticks + 1 if sender.stalled() else 0
                    if quiet_ticks >= STALL_TICKS or await self._has_more(sender, reader):
                        quiet_ticks = 0
                        await self._offer(link, sender, reader)

    async def _has_more(self, sender: Sender, reader: SpoolReader) -> bool:
        """True when the dock has all that was offered, and there is something that was not."""
        if not sender.idle:
            return False
        head = await self._thread.run(reader.head_seq)
        return head > self._offered_head or bool(await self._thread.run(reader.waiting))

    async def _offer(self, link: Road, sender: Sender, reader: SpoolReader) -> None:
        self._offered_head = await self._thread.run(reader.head_seq)
        waiting = await self._thread.run(reader.waiting)
        await self._thread.run(self._send_all, link, reader, sender.offer(self._offered_head, waiting))

    async def _receive(self, sender: Sender, reader: SpoolReader, incoming: Incoming) -> list[Send]:
        """A message from the dock. What cannot be believed is said and left; it proves nothing."""
        try:
            match read_topic(incoming.topic).name:
                case Down.WANT:
                    return sender.want(read_want(incoming.payload))
                case Down.RECEIPT:
                    segment = await self._thread.run(
                        reader.keep_receipt, incoming.payload, self._identity.dock_key, self._disc
                    )
                    self._on_receipt()
                    return sender.receipt(segment)
                case Down.ASSIGN:
                    await self._thread.run(self._keep_assignment, incoming.payload)
        except LiuhenError as error:
            log.warning("ignored: %s", error)
        return []

    def _keep_assignment(self, payload: bytes) -> None:
        read_assignment(payload.decode("ascii", errors="replace"), self._identity.dock_key, self._identity.device)
        path = self._identity.folder / ASSIGNMENT
        if not path.exists() or path.read_bytes() != payload:
            self._disc.replace(path, payload)

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

    def _message(self, reader: SpoolReader, send: Send) -> tuple[Topic, bytes]:
        device = self._identity.device
        match send:
            case SendOffer():
                return Topic(device, Up.OFFER), write_offer(send.offer)
            case SendJournal():
                return Topic(device, Up.JOURNAL), reader.batch(send.first_seq, send.last_seq)
            case SendPart():
                part = reader.part(send.segment, send.index)
                return Topic(device, Up.FRAGMENT, (send.segment, str(send.index))), part
