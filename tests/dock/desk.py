"""A dock's desk without a network: an intake on a folder, a recorder's sender, and what passes between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from dock.catalogue import Catalogue
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from dock.intake import Intake
from dock.messages import Answer, Message
from dock.rebuild import rebuild_if_empty
from evidence.errors import DiscError
from evidence.io.durable import Disc, PosixDisc
from evidence.io.token_file import read_lines
from evidence.journal import Entry, read_entry
from evidence.receipts import ANSWERS
from evidence.transfer import Send, SendBlob, Sender, SendJournal, SendOffer, SendPart
from evidence.wire import Down, Up, read_topic, read_want, write_offer
from tests.dock.fake_recorder import FakeRecorder, StillClock


class PulledPlugError(DiscError):
    """The process is gone."""


class FaultyDisc(PosixDisc):
    """Dies at its n-th changing verb (counted from 0): before it, or half way through it."""

    def __init__(self, dies_at: int, half_way: bool) -> None:
        self._verbs_left = dies_at
        self._half_way = half_way

    def _spend(self, half: Callable[[], object] = lambda: None) -> None:
        self._verbs_left -= 1
        if self._verbs_left < 0:
            if self._half_way:
                half()
            raise PulledPlugError("disc", "the plug is pulled")

    def create(self, path: Path, data: bytes) -> None:
        self._spend()
        super().create(path, data)

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        self._spend(lambda: PosixDisc.append(self, path, data[: len(data) // 2], at_bytes))
        super().append(path, data, at_bytes)

    def write_at(self, path: Path, data: bytes | memoryview, offset_bytes: int) -> None:
        self._spend(lambda: PosixDisc.write_at(self, path, data[: len(data) // 2], offset_bytes))
        super().write_at(path, data, offset_bytes)

    def sync(self, path: Path) -> None:
        self._spend()
        super().sync(path)

    def sync_data(self, path: Path) -> None:
        self._spend()
        super().sync_data(path)

    def replace(self, path: Path, data: bytes) -> None:
        self._spend(lambda: path.with_name(path.name + ".new").write_bytes(data[: len(data) // 2]))
        super().replace(path, data)

    def move(self, source: Path, target: Path) -> None:
        self._spend(lambda: target.hardlink_to(source))
        super().move(source, target)

    def truncate(self, path: Path, size_bytes: int) -> None:
        self._spend()
        super().truncate(path, size_bytes)

    def remove(self, path: Path) -> None:
        self._spend()
        super().remove(path)


class Desk:
    """One receiver's intake. Another one may be opened on the same folder when this one has died."""

    def __init__(self, folder: DockFolder, disc: Disc | None = None) -> None:
        self.folder = folder
        self.disc = disc or PosixDisc()
        self.catalogue = Catalogue(folder.catalogue)
        self.journal = DockJournal(folder, self.disc, StillClock())
        rebuild_if_empty(folder, self.disc, self.journal, self.catalogue)
        self.intake = Intake(folder, self.disc, self.journal, self.catalogue)

    def take(self, *messages: tuple[str, bytes]) -> list[Answer]:
        return self.intake.take([Message(*message) for message in messages])

    def close(self) -> None:
        self.catalogue.close()


def dock_entries(folder: DockFolder, kind: str) -> list[Entry]:
    entries = [read_entry(token) for token in read_lines(folder.journal("dock"))]
    return [entry for entry in entries if entry.kind == kind]


class Uplink:
    """A recorder's sender, its messages as they would go over the link."""

    def __init__(self, recorder: FakeRecorder, window: int = 4) -> None:
        self._recorder = recorder
        self._sender = Sender(window)
        self.receipts: dict[str, str] = {}

    @property
    def done(self) -> bool:
        return set(self.receipts) == {*self._recorder.segments, *self._recorder.blobs}

    def offer(self) -> list[tuple[str, bytes]]:
        waiting = [one.offered for name, one in self._recorder.segments.items() if name not in self.receipts]
        blobs = [blob for blob in self._recorder.blobs if blob not in self.receipts]
        return self._messages(self._sender.offer(len(self._recorder.tokens) - 1, waiting, blobs))

    def hear(self, answer: Answer) -> list[tuple[str, bytes]]:
        match read_topic(answer.topic).name:
            case Down.WANT:
                return self._messages(self._sender.want(read_want(answer.payload)))
            case Down.RECEIPT:
                receipt = read_entry(answer.payload.decode())
                name = receipt.fields[ANSWERS[receipt.kind].name]
                self.receipts[name] = receipt.token
                return self._messages(self._sender.receipt(name))
        return []

    def _messages(self, sends: Iterable[Send]) -> list[tuple[str, bytes]]:
        return [self._message(send) for send in sends]

    def _message(self, send: Send) -> tuple[str, bytes]:
        match send:
            case SendOffer(offer):
                return self._recorder.topic(Up.OFFER), write_offer(offer)
            case SendJournal(first, last):
                return self._recorder.journal_message(first, min(last, first + 4))
            case SendBlob(blob):
                return self._recorder.blob_message(blob)
            case SendPart(segment, index):
                return self._recorder.part_message(segment, index)


def offload(desk: Desk, uplink: Uplink, rounds: int = 50) -> None:
    """Until every segment has its receipt."""
    for _ in range(rounds):
        messages = uplink.offer()
        while messages:
            answers = desk.take(*messages)
            messages = [message for answer in answers for message in uplink.hear(answer)]
        if uplink.done:
            return
    raise AssertionError(f"not done after {rounds} offers: {uplink.receipts.keys()}")
