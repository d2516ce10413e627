"""A receiver process: takes messages from the broker in batches, has them taken in, publishes the answers.

It keeps nothing that matters: the broker is told to forget a message only after its batch is durable and answered, and
what is lost on the way a recorder offers again. Any receiver can take over from any other.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue
from types import FrameType

from dock.catalogue import Catalogue
from dock.clock import SystemClock
from dock.dock_journal import DockJournal
from dock.folder import DockFolder, read_settings
from dock.intake import Intake
from dock.messages import Message, read_message
from dock.rebuild import rebuild_if_empty
from evidence.errors import ConfigError, LinkError
from evidence.io.durable import PosixDisc
from evidence.io.mqtt import Incoming, Link, LinkConfig, LinkState, LocalBroker
from evidence.model import SHARDS
from evidence.wire import ROOT

LOG = logging.getLogger("liuhen.dock")
BATCH_LIMIT = 8
"""Half a recorder's window: one batch is taken in, and another gathers."""
UNDER_WAY_LIMIT = 2 * BATCH_LIMIT
QUEUE_LIMIT = 2 * UNDER_WAY_LIMIT
SESSION_EXPIRY_S = 24 * 3600
STOP_CHECK_S = 0.2


def shards_of(receiver: int, receivers: int) -> list[str]:
    """The shards of receiver 1, 2, ... of so many. Raises ConfigError."""
    if not 1 <= receiver <= receivers <= SHARDS:
        raise ConfigError(
            f"--receiver {receiver} --of {receivers}", f"is impossible, there are {SHARDS} shards", "1 of 1"
        )
    return [f"{shard:x}" for shard in range(receiver - 1, SHARDS, receivers)]


class Receiver:
    """One process's part of the dock; `run` works in the calling thread, the link in its own."""

    def __init__(self, intake: Intake, config: LinkConfig, shards: Sequence[str], on_ready: Callable[[], None]) -> None:
        self._intake = intake
        self._queue: Queue[tuple[Incoming, Message]] = Queue(QUEUE_LIMIT)
        self._stopping = threading.Event()
        self._on_ready = on_ready
        self._ready = False
        self._link = Link(config, self._on_message, self._on_state, self._on_refused)
        self._link.subscribe(f"{ROOT}/{shard}/+/up/#" for shard in shards)

    def run(self) -> None:
        """Receive until `stop`; what is at hand is finished. Raises DiscError when the disc fails."""
        self._link.start()
        try:
            while not self._stopping.is_set():
                self._take(self._next_batch())
        finally:
            self._link.stop()

    def stop(self) -> None:
        """From a signal handler or any thread."""
        self._stopping.set()

    def _next_batch(self) -> list[tuple[Incoming, Message]]:
        """What gathered while the last batch was taken in; nothing when nothing comes for a while."""
        batch: list[tuple[Incoming, Message]] = []
        try:
            batch.append(self._queue.get(timeout=STOP_CHECK_S))
            while len(batch) < BATCH_LIMIT:
                batch.append(self._queue.get_nowait())
        except Empty:
            pass
        return batch

    def _take(self, batch: Sequence[tuple[Incoming, Message]]) -> None:
        for answer in self._intake.take(message for _, message in batch):
            try:
                self._link.publish(answer.topic, answer.payload, retain=answer.retain)
            except LinkError as error:
                # The recorder gets its answer when it offers again.
                LOG.warning("not answered reason=%s", error)
        for incoming, _ in batch:
            incoming.ack()

    def _on_message(self, incoming: Incoming) -> None:
        try:
            self._queue.put_nowait((incoming, read_message(incoming.topic, incoming.payload)))
        except Full:
            # Only after reconnections in quick succession; not acknowledged, so it comes again.
            LOG.warning("put off topic=%r", incoming.topic[:200])

    def _on_state(self, state: LinkState) -> None:
        LOG.info("link connected=%s reason=%s", state.connected, state.reason)
        if state.connected and not self._ready:
            self._ready = True
            self._on_ready()

    def _on_refused(self, topic: str, reason: str) -> None:
        LOG.error("refused by the broker topic=%r reason=%s", topic[:200], reason)


def serve(folder: DockFolder, receiver: int, receivers: int, on_ready: Callable[[str], None]) -> None:
    """Run one receiver on a dock's folder until SIGTERM or SIGINT. Raises ConfigError, LinkError, DiscError."""
    shards = shards_of(receiver, receivers)
    read_settings(folder)
    name = f"receiver-{receiver}"
    if not folder.password(name).exists():
        raise ConfigError(str(folder.password(name)), "is missing", "the dock was made for fewer receivers")
    disc, catalogue = PosixDisc(), Catalogue(folder.catalogue)
    journal = DockJournal(folder, disc, SystemClock())
    rebuild_if_empty(folder, disc, journal, catalogue)
    config = LinkConfig(
        LocalBroker(folder.broker_socket, folder.password(name).read_text("ascii")),
        client_id=name,
        session_expiry_s=SESSION_EXPIRY_S,
        receive_maximum=UNDER_WAY_LIMIT,
    )
    line = (
        f"receiver {receiver} of {receivers} ready: shards {','.join(shards) if receivers > 1 else '0-f'}, "
        f"vault {folder.vault}, broker {folder.broker_socket}"
    )
    intake = Intake(folder, disc, journal, catalogue)
    running = Receiver(intake, config, shards, lambda: on_ready(line))

    def stop(_signal: int, _frame: FrameType | None) -> None:
        running.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    running.run()
    catalogue.close()
