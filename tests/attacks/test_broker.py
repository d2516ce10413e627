"""With the broker: it may delay, and nothing else. Whatever it did, once it is honest again everything is there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dock.intake import ANEW_ROUNDS
from dock.messages import Answer
from evidence.certificates import Trust
from evidence.errors import LiuhenError
from evidence.journal import read_entry
from evidence.receipts import check_blob_receipt, check_receipt, read_word
from evidence.signing import PrivateKey
from evidence.wire import Down, Offer, Topic, Up, Want, read_topic, write_offer, write_want
from tests.dock.desk import Desk, Uplink, dock_entries, offload
from tests.dock.fake_recorder import FakeRecorder, make_dock
from tests.dock.test_intake import Scene, check_vault

Message = tuple[str, bytes]
ROUNDS = 6


class Believing(Uplink):
    """A recorder that believes what it is to believe: the pinned dock's word about exactly its own."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.recorder)
        self._mine = scene.recorder
        trust = Trust(scene.folder.ca_certificate.read_bytes())
        self._dock = trust.identify_pem(scene.folder.certificate("dock").read_bytes(), "dock").key

    def hear(self, answer: Answer) -> list[Message]:
        try:
            if read_topic(answer.topic).name is Down.RECEIPT:
                self._check(read_word(answer.payload.decode("ascii", "replace"), self._dock).token)
            return super().hear(answer)
        except LiuhenError:
            return []

    def _check(self, token: str) -> None:
        receipt = read_entry(token)
        if receipt.kind == "stored" and receipt.fields["segment"] in self._mine.segments:
            check_receipt(receipt, self._mine.segments[receipt.fields["segment"]].seal)
        elif receipt.kind == "blob_stored" and receipt.fields["blob"] in self._mine.blobs:
            check_blob_receipt(receipt, self._mine.blobs[receipt.fields["blob"]].entry)
        else:
            raise LiuhenError("receipt", "is for nothing of ours")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Two recorders; the dock has nothing of the first and all of the other."""
    folder = make_dock(tmp_path / "station")
    recorder, other = FakeRecorder("BWC-0001"), FakeRecorder("BWC-0002")
    desk = Desk(folder)
    for one in (recorder, other):
        one.enrol(folder)
        one.record()
    offload(desk, Uplink(other))
    recorder.record(parts=6)
    recorder.keep_blob()
    return Scene(folder, recorder, desk)


class HostileBroker:
    """Between recorder and dock; what it does to messages up and answers down is overridden."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.seen: list[Message] = []
        self.said: list[Answer] = []

    def up(self, messages: list[Message]) -> list[Message]:
        """What the dock gets of it."""
        return messages

    def down(self, answers: list[Answer]) -> list[Answer]:
        """What the recorder gets of it."""
        return answers


class Drops(HostileBroker):
    def up(self, messages: list[Message]) -> list[Message]:
        return messages[::2]


class DropsAnswers(HostileBroker):
    def down(self, answers: list[Answer]) -> list[Answer]:
        return answers[1::2]


class Delays(HostileBroker):
    def up(self, messages: list[Message]) -> list[Message]:
        late, self.seen = self.seen, messages
        return late


class Duplicates(HostileBroker):
    def up(self, messages: list[Message]) -> list[Message]:
        return [message for one in messages for message in (one, one, one)]


class Reorders(HostileBroker):
    def up(self, messages: list[Message]) -> list[Message]:
        return messages[::-1]


class ReplaysAll(HostileBroker):
    def up(self, messages: list[Message]) -> list[Message]:
        self.seen += messages
        return self.seen[::-1]


class SwapsPayloads(HostileBroker):
    def up(self, messages: list[Message]) -> list[Message]:
        payloads = [payload for _, payload in messages]
        return [(topic, payload) for (topic, _), payload in zip(messages, payloads[1:] + payloads[:1], strict=True)]


class Truncates(HostileBroker):
    def up(self, messages: list[Message]) -> list[Message]:
        return [(topic, payload[: len(payload) * 3 // 4]) for topic, payload in messages]


class FlipsBits(HostileBroker):
    def up(self, messages: list[Message]) -> list[Message]:
        return [(topic, payload[:-1] + bytes([payload[-1] ^ 1])) for topic, payload in messages]


class MovesToAnother(HostileBroker):
    """What one recorder says comes under another's name."""

    def up(self, messages: list[Message]) -> list[Message]:
        moved = []
        for topic, payload in messages:
            read = read_topic(topic)
            moved.append((Topic("BWC-0002", read.name, read.rest).text(), payload))
        return moved


class ForgesReceipts(HostileBroker):
    """With a key of its own, for everything."""

    def down(self, answers: list[Answer]) -> list[Answer]:
        return [*answers, *receipt_by(FakeRecorder("BWC-0009").signing, self.scene)]


class ForgesReceiptsWithARecordersKey(HostileBroker):
    def down(self, answers: list[Answer]) -> list[Answer]:
        return [*answers, *receipt_by(self.scene.recorder.signing, self.scene)]


class ReplaysOldReceipts(HostileBroker):
    """Those that the other recorder got, and any that came before."""

    def down(self, answers: list[Answer]) -> list[Answer]:
        self.said += [one for one in answers if read_topic(one.topic).name is Down.RECEIPT]
        topic = self.scene.recorder.topic(Up.OFFER).replace("up/offer", "down/receipt")
        others = [Answer(topic, one.token.encode()) for one in dock_entries(self.scene.folder, "stored")]
        return [*answers, *self.said, *others[:1]]


class SwapsReceipts(HostileBroker):
    """Each under the name of what comes next."""

    def down(self, answers: list[Answer]) -> list[Answer]:
        payloads = [one.payload for one in answers]
        return [Answer(one.topic, payload) for one, payload in zip(answers, payloads[1:] + payloads[:1], strict=True)]


class SaysThatNothingIsLacking(HostileBroker):
    def down(self, answers: list[Answer]) -> list[Answer]:
        return [one for one in map(self._lie, answers) if read_topic(one.topic).name is not Down.RECEIPT]

    def _lie(self, answer: Answer) -> Answer:
        if read_topic(answer.topic).name is not Down.WANT:
            return answer
        return Answer(answer.topic, write_want(Want(10**6, {}, 1)))


class OffersInItsName(HostileBroker):
    """A journal that is shorter, and one that is longer than it can be."""

    def up(self, messages: list[Message]) -> list[Message]:
        topic = self.scene.recorder.topic(Up.OFFER)
        return [*messages, *((topic, write_offer(Offer(10**6, head, ()))) for head in (-1, 0, 2**40))]


class WritesGarbage(HostileBroker):
    def up(self, messages: list[Message]) -> list[Message]:
        noise = [(topic, b"\xff" * 99) for topic, _ in messages]
        return [*noise, *messages]

    def down(self, answers: list[Answer]) -> list[Answer]:
        return [*(Answer(one.topic, b"\xff" * 99) for one in answers), *answers]


def receipt_by(key: PrivateKey, scene: Scene) -> Iterable[Answer]:
    """Receipts for all segments, as the dock would write them."""
    for name, segment in scene.recorder.segments.items():
        forger = FakeRecorder("dock", key)
        fields = {one: segment.seal.fields[one] for one in ("segment", "sha256", "stored_bytes")}
        fields |= {"recorder": "BWC-0001", "seal_seq": segment.seal.seq, "seal_hash": segment.seal.head.hash}
        topic = scene.recorder.topic(Up.OFFER).replace("up/offer", "down/receipt")
        assert name == fields["segment"]
        yield Answer(topic, forger.add("stored", fields).token.encode())


BROKERS: dict[str, Callable[[Scene], HostileBroker]] = {
    "drops every second message": Drops,
    "drops every second answer": DropsAnswers,
    "delays every message": Delays,
    "sends every message three times": Duplicates,
    "turns the order round": Reorders,
    "replays everything that it has ever seen": ReplaysAll,
    "puts each payload under another topic": SwapsPayloads,
    "cuts a quarter off every payload": Truncates,
    "flips a bit of every payload": FlipsBits,
    "moves a recorder's messages to another": MovesToAnother,
    "forges receipts with a key of its own": ForgesReceipts,
    "forges receipts with a recorder's key": ForgesReceiptsWithARecordersKey,
    "replays old receipts": ReplaysOldReceipts,
    "swaps the answers": SwapsReceipts,
    "says that nothing is lacking": SaysThatNothingIsLacking,
    "offers in a recorder's name": OffersInItsName,
    "writes garbage both ways": WritesGarbage,
}


@pytest.mark.parametrize("name", BROKERS)
def test_whoever_has_the_broker(scene: Scene, name: str) -> None:
    """Verdict: no receipt is believed that the dock did not give for just this; nobody is blocked; nothing is lost."""
    broker, uplink = BROKERS[name](scene), Believing(scene)
    for _ in range(ROUNDS):
        messages = uplink.offer()
        for _ in range(ROUNDS):
            answers = broker.down(scene.desk.take(*broker.up(messages)))
            mine = [one for one in answers if read_topic(one.topic).device == "BWC-0001"]
            messages = [more for answer in mine for more in uplink.hear(answer)]
        stored = {one.token for kind in ("stored", "blob_stored") for one in dock_entries(scene.folder, kind)}
        assert stored >= {*uplink.receipts.values()}
    honest = Believing(scene)
    offload(scene.desk, honest, rounds=2 * ANEW_ROUNDS)
    assert honest.done
    shutil.rmtree(scene.folder.quarantine("BWC-0001"), ignore_errors=True)
    check_vault(scene.folder, scene.recorder)
