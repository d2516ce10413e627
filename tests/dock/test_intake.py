"""Whatever comes in, in whatever order: the same vault, one receipt a segment, and nothing that is not evidence."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dock.enrolment import enrol
from dock.folder import DockFolder
from dock.intake import ATTEMPTS_LIMIT, REJECTIONS_LIMIT
from dock.messages import Answer
from evidence.certificates import Trust
from evidence.io.durable import PosixDisc
from evidence.io.token_file import read_lines
from evidence.journal import EMPTY, Chain, check_link, read_entry
from evidence.model import Officer
from evidence.receipts import check_blob_receipt, check_receipt, read_assignment, read_word
from evidence.signing import KeySigner, to_base64url
from evidence.wire import Down, Offer, Offered, Up, part_head, read_topic, read_want, write_batch, write_offer
from tests.dock.desk import Desk, FaultyDisc, PulledPlugError, Uplink, dock_entries, offload
from tests.dock.fake_recorder import FakeRecorder, StillClock, hash_of, make_dock


@dataclass
class Scene:
    folder: DockFolder
    recorder: FakeRecorder
    desk: Desk


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """An enrolled recorder with two sealed segments; the dock knows its journal but for the second seal."""
    folder = make_dock(tmp_path / "station")
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    recorder.keep_blob()
    recorder.record()
    recorder.record()
    desk = Desk(folder)
    desk.take(recorder.journal_message(0, len(recorder.tokens) - 2))
    return Scene(folder, recorder, desk)


def check_vault(folder: DockFolder, recorder: FakeRecorder) -> None:
    """Everything of this recorder is in the vault, once, with the right receipts, and nothing else is anywhere."""
    vault = folder.vault / recorder.device
    expected = {f"{name}{suffix}" for name in recorder.segments for suffix in (".mp4", ".jws")}
    # A process that died while it stated the head of a journal leaves the new statement half written beside it.
    visible = {path.name for path in vault.iterdir() if not path.name.startswith(".") and path.suffix != ".new"}
    folders = {"blobs"} if recorder.blobs else set()
    assert visible == expected | {"journal.jws", "journal.jws.head"} | folders
    check_blobs(folder, recorder)
    for name, segment in recorder.segments.items():
        assert folder.segment(recorder.device, name).read_bytes() == segment.content
        assert folder.seal(recorder.device, name).read_text() == segment.seal.token + "\n"
    assert list(read_lines(folder.journal(recorder.device))) == recorder.tokens
    incoming = folder.incoming(recorder.device, "any").parent
    assert not incoming.exists() or not list(incoming.iterdir())
    assert not folder.quarantine(recorder.device).exists()
    receipts = [one for one in dock_entries(folder, "stored") if one.fields["recorder"] == recorder.device]
    assert sorted(one.fields["segment"] for one in receipts) == sorted(recorder.segments)
    dock = Trust(folder.ca_certificate.read_bytes()).identify_pem(folder.certificate("dock").read_bytes(), "dock")
    for receipt in receipts:
        check_receipt(read_word(receipt.token, dock.key), recorder.segments[receipt.fields["segment"]].seal)
        assert receipt.x5c
    head = EMPTY
    for token in read_lines(folder.journal("dock")):
        entry = read_entry(token)
        entry.verify(dock.key)
        check_link(head, entry)
        head = entry.head


def check_blobs(folder: DockFolder, recorder: FakeRecorder) -> None:
    """Every photo and note with its entry, and one receipt each."""
    stored = {}
    for blob, one in recorder.blobs.items():
        path = folder.blob(recorder.device, one.entry.kind, blob)
        stored |= {path.name: one.data, f"{blob}.jws": f"{one.entry.token}\n".encode()}
        assert path.stat().st_mode & 0o777 == 0o400
    found = folder.vault / recorder.device / "blobs"
    assert {path.name: path.read_bytes() for path in found.glob("*")} == stored
    receipts = [one for one in dock_entries(folder, "blob_stored") if one.fields["recorder"] == recorder.device]
    assert sorted(one.fields["blob"] for one in receipts) == sorted(recorder.blobs)
    for receipt in receipts:
        check_blob_receipt(receipt, recorder.blobs[receipt.fields["blob"]].entry)
        assert receipt.x5c


def test_an_offload_ends_with_everything_in_the_vault(scene: Scene) -> None:
    uplink = Uplink(scene.recorder)
    offload(scene.desk, uplink, rounds=2)
    check_vault(scene.folder, scene.recorder)
    receipts = [*dock_entries(scene.folder, "stored"), *dock_entries(scene.folder, "blob_stored")]
    assert sorted(uplink.receipts.values()) == sorted(one.token for one in receipts)


def test_a_stored_segment_offered_again_gets_its_receipt_again(scene: Scene) -> None:
    first, again = Uplink(scene.recorder), Uplink(scene.recorder)
    offload(scene.desk, first)
    offload(scene.desk, again, rounds=1)
    assert again.receipts == first.receipts
    check_vault(scene.folder, scene.recorder)


def test_an_offer_brings_the_assignment_even_one_made_meanwhile(scene: Scene) -> None:
    def assigned() -> list[str]:
        answers = scene.desk.take(*Uplink(scene.recorder).offer())
        return [one.payload.decode() for one in answers if read_topic(one.topic).name is Down.ASSIGN and one.retain]

    key = scene.desk.journal.signer.verify_key  # type: ignore[attr-defined]
    assert [read_assignment(token, key, "BWC-0001").number for token in assigned()] == ["110123"]
    other = Officer("110124", "李四", "交警二大队")
    enrol(scene.folder, PosixDisc(), StillClock(), scene.recorder.request, "request", other)
    assert [read_assignment(token, key, "BWC-0001") for token in assigned()] == [other]


def test_many_recorders_in_one_batch_do_not_mix(tmp_path: Path) -> None:
    folder = make_dock(tmp_path / "station")
    recorders = [FakeRecorder(f"BWC-{number:04}") for number in range(3)]
    for recorder in recorders:
        recorder.enrol(folder)
        recorder.record()
    desk = Desk(folder)
    uplinks = [Uplink(recorder) for recorder in recorders]
    messages = [message for uplink in uplinks for message in uplink.offer()]
    while messages:
        answers = desk.take(*messages)
        owners = {recorder.device: uplink for recorder, uplink in zip(recorders, uplinks, strict=True)}
        messages = [more for one in answers for more in owners[read_topic(one.topic).device].hear(one)]
    for recorder in recorders:
        check_vault(folder, recorder)


# What a bad message is made of: the scene in, topic and payload out.
Make = Callable[[Scene], tuple[str, bytes]]


def token_of(signer: KeySigner, payload: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> str:
    """A token with a payload that no program of ours would write."""
    header = {"alg": signer.alg, "kid": signer.kid, "typ": "liuhen-entry", **(more or {})}
    signed = ".".join(to_base64url(json.dumps(part).encode()) for part in (header, payload))
    return f"{signed}.{to_base64url(signer.sign(signed.encode()))}"


def forged(scene: Scene, **changes: Any) -> tuple[str, bytes]:
    """Part 0 of the second segment with other words in its entry, signed rightly or by `signer`."""
    segment = list(scene.recorder.segments.values())[1]
    signer = changes.pop("signer", KeySigner(scene.recorder.signing))
    entry = segment.entries[0]
    payload = {
        "v": 1, "device": entry.device, "seq": entry.seq, "prev": entry.prev, "at": entry.at.to_fields(),
        "kind": entry.kind, **entry.fields, **changes,
    }  # fmt: skip
    topic = scene.recorder.topic(Up.FRAGMENT, segment.name, "0")
    return topic, part_head(token_of(signer, payload)) + segment.parts[0]


def of_part(scene: Scene, change: Callable[[bytes], bytes]) -> tuple[str, bytes]:
    topic, payload = scene.recorder.part_message(list(scene.recorder.segments)[1], 0)
    return topic, change(payload)


def under_topic(scene: Scene, *rest: str) -> tuple[str, bytes]:
    return scene.recorder.topic(Up.FRAGMENT, *rest), scene.recorder.part_message(list(scene.recorder.segments)[1], 0)[1]


def stranger() -> KeySigner:
    return KeySigner(FakeRecorder("BWC-0001").signing)


def next_entry(scene: Scene, **changes: Any) -> tuple[str, bytes]:
    """The entry that would continue the dock's copy, with other words in it."""
    entry = read_entry(scene.recorder.tokens[-1])
    signer = changes.pop("signer", KeySigner(scene.recorder.signing))
    payload = {
        "v": 1, "device": entry.device, "seq": entry.seq, "prev": entry.prev, "at": entry.at.to_fields(),
        "kind": "bookmark", "recording": None, **changes,
    }  # fmt: skip
    return scene.recorder.topic(Up.JOURNAL), token_of(signer, payload).encode()


def another_past(scene: Scene) -> tuple[str, bytes]:
    """An entry that the dock has already, rightly signed, with other words."""
    entry = read_entry(scene.recorder.tokens[3])
    chain = Chain("BWC-0001", KeySigner(scene.recorder.signing), read_entry(scene.recorder.tokens[2]).head)
    return scene.recorder.topic(Up.JOURNAL), chain.make(entry.at, "bookmark", {"recording": None}).token.encode()


DEEP = json.loads("[" * 50 + "]" * 50)

REJECTED: dict[str, tuple[Make, str]] = {
    "part with one wrong bit": (lambda scene: of_part(scene, lambda data: data[:-1] + b"x"), "do not fit the hash"),
    "part cut short": (lambda scene: of_part(scene, lambda data: data[:-1]), "has 999 bytes, its entry says 1000"),
    "part grown": (lambda scene: of_part(scene, lambda data: data + b"x"), "has 1001 bytes"),
    "part without content": (lambda scene: of_part(scene, lambda _: b""), "shorter than its length field"),
    "part cut in its entry": (lambda scene: of_part(scene, lambda data: data[:100]), "shorter than its entry"),
    "part of noise": (lambda scene: of_part(scene, lambda _: bytes(range(256)) * 4), "shorter than its entry"),
    "part with an unreadable entry": (lambda scene: of_part(scene, lambda _: part_head("a.b.c")), "readable"),
    "part signed by a stranger": (lambda scene: forged(scene, signer=stranger()), "names key"),
    "part of another recorder": (lambda scene: forged(scene, device="BWC-0002"), "the entry of another part"),
    "part under another index": (lambda scene: forged(scene, index=1), "the entry of another part"),
    "part under another segment": (lambda scene: forged(scene, segment="0" * 12 + "-00001"), "of another part"),
    "part with an entry of another kind": (lambda scene: forged(scene, kind="torn"), "with an entry of kind torn"),
    "part too far in": (lambda scene: forged(scene, offset_bytes=2**40), "lies further in"),
    "part too large": (lambda scene: forged(scene, stored_bytes=2**30), "is larger"),
    "part with a wrong hash": (lambda scene: forged(scene, stored_sha256=hash_of(b"")), "do not fit the hash"),
    "part with text for a size": (lambda scene: forged(scene, stored_bytes="1000"), "impossible stored_bytes"),
    "part with an infinite time": (
        lambda scene: forged(scene, at={**StillClock().now().to_fields(), "boot_us": float("inf")}), "time stamp",
    ),
    "part with half a character": (lambda scene: forged(scene, device="\ud800\n"), "part 0 of 0123456789ab-00002"),
    "part under no name": (under_topic, "impossible name"),
    "part under a path": (lambda scene: under_topic(scene, "..", "..", "..", "x"), "impossible name"),
    "part under a long name": (lambda scene: under_topic(scene, "x" * 5000, "0"), "impossible name"),
    "part under a huge index": (lambda scene: under_topic(scene, "0" * 12 + "-00001", "9" * 4000), "impossible name"),
    "part under another script's digit": (lambda scene: under_topic(scene, "0" * 12 + "-00001", "٣"), "impossible"),
    "journal of noise": (lambda scene: (scene.recorder.topic(Up.JOURNAL), b"\xff" * 99), "that no token has"),
    "journal of nothing": (lambda scene: (scene.recorder.topic(Up.JOURNAL), b""), "compact JWS"),
    "journal too long": (lambda scene: (scene.recorder.topic(Up.JOURNAL), b"x" * 600_000), "longer than"),
    "journal signed by a stranger": (lambda scene: next_entry(scene, signer=stranger()), "names key"),
    "journal of another recorder": (lambda scene: next_entry(scene, device="BWC-0002"), "an entry of BWC-0002"),
    "journal with a broken chain": (lambda scene: next_entry(scene, prev=hash_of(b"")), "does not carry the hash"),
    "journal begun anew": (lambda scene: next_entry(scene, prev=None), "without the recorder's certificate"),
    "journal with another past": (another_past, "FORK"),
    "journal with deep fields": (lambda scene: next_entry(scene, recording=DEEP), "impossible recording"),
    "offer of noise": (lambda scene: (scene.recorder.topic(Up.OFFER), b"\x00"), "offer: is not JSON"),
    "offer of numbers": (lambda scene: (scene.recorder.topic(Up.OFFER), b"[1]"), "offer: is not a JSON object"),
}  # fmt: skip

IGNORED: dict[str, Make] = {
    "unknown recorder": lambda _: FakeRecorder("BWC-9999").topic(Up.OFFER) and (
        FakeRecorder("BWC-9999").topic(Up.OFFER), write_offer(Offer(1, -1, ()))),
    "wrong shard": lambda scene: (scene.recorder.topic(Up.OFFER).replace("/v1/", "/v1/x"), b"{}"),
    "not a topic of ours": lambda _: ("x" * 70_000 + "\n", b""),
    "a word downwards": lambda scene: (scene.recorder.topic(Up.OFFER).replace("up/offer", "down/want"), b"{}"),
    "unknown word": lambda scene: (scene.recorder.topic(Up.OFFER).replace("offer", "letter"), b"{}"),
    "status": lambda scene: (scene.recorder.topic(Up.STATUS), b'{"v":1,"online":true}'),
    "part from a newer version": lambda scene: forged(scene, v=2),
    "journal from a newer version": lambda scene: next_entry(scene, v=2),
    "offer from a newer version": lambda scene: (scene.recorder.topic(Up.OFFER), b'{"v":2}'),
}  # fmt: skip


@pytest.mark.parametrize(("make", "why"), REJECTED.values(), ids=REJECTED.keys())
def test_what_cannot_be_evidence_is_kept_aside_once_with_its_reason(scene: Scene, make: Make, why: str) -> None:
    message = make(scene)
    mirror = scene.folder.journal("BWC-0001").read_bytes()
    for _ in range(ATTEMPTS_LIMIT - 1):
        scene.desk.take(message)
    (entry,) = dock_entries(scene.folder, "rejected")
    assert why in entry.fields["why"]
    assert "\n" not in entry.fields["why"]
    kept = scene.folder.root / entry.fields["quarantine"]
    assert kept.read_bytes() == message[1]
    assert kept.with_name(kept.name + ".reason.txt").read_text() == entry.fields["why"] + "\n"
    assert scene.folder.quarantine("BWC-0001") == kept.parent
    assert scene.folder.journal("BWC-0001").read_bytes() == mirror
    shutil.rmtree(kept.parent)
    offload(scene.desk, Uplink(scene.recorder))
    check_vault(scene.folder, scene.recorder)


@pytest.mark.parametrize("make", IGNORED.values(), ids=IGNORED.keys())
def test_what_is_not_for_us_to_judge_is_left(scene: Scene, make: Make) -> None:
    message = make(scene)
    before = scene.folder.journal("dock").read_bytes()
    scene.desk.take(message)
    assert scene.folder.journal("dock").read_bytes() == before
    assert not scene.folder.quarantine("BWC-0001").exists()
    offload(scene.desk, Uplink(scene.recorder))
    check_vault(scene.folder, scene.recorder)


def test_good_entries_before_a_bad_one_are_kept(scene: Scene) -> None:
    good = scene.recorder.tokens[-1]
    scene.desk.take((scene.recorder.topic(Up.JOURNAL), write_batch([good, "a.b.c", good])))
    assert list(read_lines(scene.folder.journal("BWC-0001"))) == scene.recorder.tokens


def test_a_fork_brings_nothing_of_its_batch_into_the_journal(scene: Scene) -> None:
    mirror = scene.folder.journal("BWC-0001").read_bytes()
    topic, other = another_past(scene)
    scene.desk.take((topic, write_batch([scene.recorder.tokens[2], other.decode(), scene.recorder.tokens[-1]])))
    assert scene.folder.journal("BWC-0001").read_bytes() == mirror
    assert "FORK" in dock_entries(scene.folder, "rejected")[0].fields["why"]


def test_entries_after_a_gap_are_asked_for_from_the_gap_on(tmp_path: Path) -> None:
    folder = make_dock(tmp_path / "station")
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    recorder.record()
    desk = Desk(folder)
    desk.take(recorder.journal_message(0, 1))
    (want,) = desk.take(recorder.journal_message(3))
    assert read_want(want.payload).journal_next == 2
    assert not dock_entries(folder, "rejected")


def wanted(scene: Scene, *messages: tuple[str, bytes]) -> dict[str, Any]:
    answers = scene.desk.take(*messages)
    (want,) = [read_want(one.payload) for one in answers if read_topic(one.topic).name is Down.WANT]
    return dict(want.lacks)


def test_a_part_that_stays_wrong_is_not_asked_for_for_ever(scene: Scene) -> None:
    name = next(iter(scene.recorder.segments))
    topic, payload = scene.recorder.part_message(name, 1)
    bad = (topic, payload[:-1] + bytes([payload[-1] ^ 1]))
    assert wanted(scene, bad) == {name: ((0, 0), (2, 2))}
    offer = (scene.recorder.topic(Up.OFFER), write_offer(Offer(1, 5, (Offered(name, 3),))))
    for _ in range(ATTEMPTS_LIMIT - 1):
        assert wanted(scene, offer) == {name: ((0, 2),)}
        scene.desk.take(bad)
    assert wanted(scene, offer) == {name: ((0, 0), (2, 2))}
    assert len(dock_entries(scene.folder, "rejected")) == 1


def test_a_part_rejected_once_may_still_come_right(scene: Scene) -> None:
    topic, payload = scene.recorder.part_message(next(iter(scene.recorder.segments)), 1)
    scene.desk.take((topic, payload[:-1] + bytes([payload[-1] ^ 1])))
    offload(scene.desk, Uplink(scene.recorder))
    assert len(dock_entries(scene.folder, "stored")) == 2


def test_a_broken_recorder_does_not_fill_the_quarantine(scene: Scene) -> None:
    messages = [(scene.recorder.topic(Up.OFFER), b"noise %d" % number) for number in range(REJECTIONS_LIMIT + 20)]
    scene.desk.take(*messages)
    assert len(dock_entries(scene.folder, "rejected")) == REJECTIONS_LIMIT
    assert len(list(scene.folder.quarantine("BWC-0001").iterdir())) == 2 * REJECTIONS_LIMIT


def test_parts_that_the_seal_does_not_confirm_are_dropped(scene: Scene) -> None:
    """The second segment's seal is not known yet, so a rightly signed part with other bytes gets in at first."""
    segment = list(scene.recorder.segments.values())[1]
    signer = KeySigner(scene.recorder.signing)
    for index, offset_bytes in ((1, 1000), (7, 50_000)):
        entry = segment.entries[1]
        fields = scene.recorder.part_fields(segment.name, index, offset_bytes, b"other")
        chain = Chain("BWC-0001", signer, replace(entry.head))
        token = chain.make(entry.at, "fragment", fields).token
        topic = scene.recorder.topic(Up.FRAGMENT, segment.name, str(index))
        scene.desk.take((topic, part_head(token) + b"other"))
    offload(scene.desk, Uplink(scene.recorder))
    assert folder_content(scene) == segment.content
    assert len(dock_entries(scene.folder, "rejected")) == 2


def folder_content(scene: Scene) -> bytes:
    return scene.folder.segment("BWC-0001", list(scene.recorder.segments)[1]).read_bytes()


def test_before_the_seal_no_part_lies_over_another(scene: Scene) -> None:
    segment = list(scene.recorder.segments.values())[1]
    scene.desk.take(scene.recorder.part_message(segment.name, 0))
    fields = scene.recorder.part_fields(segment.name, 1, 500, b"other")
    chain = Chain("BWC-0001", KeySigner(scene.recorder.signing), segment.entries[0].head)
    token = chain.make(segment.entries[1].at, "fragment", fields).token
    scene.desk.take((scene.recorder.topic(Up.FRAGMENT, segment.name, "1"), part_head(token) + b"other"))
    assert "lies over part 0" in dock_entries(scene.folder, "rejected")[0].fields["why"]
    shutil.rmtree(scene.folder.quarantine("BWC-0001"))
    offload(scene.desk, Uplink(scene.recorder))
    check_vault(scene.folder, scene.recorder)


def lacks(answers: Iterable[Answer]) -> dict[str, Any]:
    (want,) = [read_want(one.payload) for one in answers if read_topic(one.topic).name is Down.WANT]
    return dict(want.lacks)


class CountingDisc(PosixDisc):
    writes = 0

    def write_at(self, path: Path, data: bytes | memoryview, offset_bytes: int) -> None:
        self.writes += 1
        super().write_at(path, data, offset_bytes)


def test_a_part_that_comes_twice_in_a_batch_is_written_once(scene: Scene) -> None:
    name = next(iter(scene.recorder.segments))
    disc = CountingDisc()
    message = scene.recorder.part_message(name, 0)
    assert lacks(Desk(scene.folder, disc).take(message, message)) == {name: ((1, 2),)}
    assert disc.writes == 1


def test_a_part_that_the_seal_behind_it_denies_is_asked_for_again(scene: Scene) -> None:
    """The seal comes in the same batch, behind a rightly signed part with other bytes."""
    segment = list(scene.recorder.segments.values())[1]
    fields = scene.recorder.part_fields(segment.name, 1, 1000, b"other")
    chain = Chain("BWC-0001", KeySigner(scene.recorder.signing), replace(segment.entries[1].head))
    other = part_head(chain.make(segment.entries[1].at, "fragment", fields).token) + b"other"
    seal = scene.recorder.journal_message(len(scene.recorder.tokens) - 1)
    scene.desk.take(scene.recorder.part_message(segment.name, 0))
    answers = scene.desk.take((scene.recorder.topic(Up.FRAGMENT, segment.name, "1"), other), seal)
    assert lacks(answers) == {segment.name: ((2, 2),)}
    assert [one.fields["what"] for one in dock_entries(scene.folder, "rejected")] == [f"fragment/{segment.name}/1"]
    offload(scene.desk, Uplink(scene.recorder))
    assert folder_content(scene) == segment.content


@pytest.mark.parametrize("half_way", [False, True])
@pytest.mark.parametrize("verbs", range(4))
def test_a_death_while_a_batch_is_written_loses_nothing_that_was_acknowledged(
    scene: Scene, verbs: int, half_way: bool
) -> None:
    """At every disc verb of a batch, and at the first one of the next."""
    name = next(iter(scene.recorder.segments))
    desk = Desk(scene.folder, FaultyDisc(verbs, half_way))

    def take(*indexes: int) -> list[Answer]:
        return desk.take(*(scene.recorder.part_message(name, index) for index in indexes))

    def finish() -> None:
        assert lacks(take(0, 1)) == {name: ((2, 2),)}
        take(2)

    with pytest.raises(PulledPlugError):
        finish()
    desk.close()
    survivor = Desk(scene.folder)
    known = {part.part for part in survivor.catalogue.parts("BWC-0001", name)}
    assert known == ({0, 1} if verbs >= 3 else set())
    offload(survivor, Uplink(scene.recorder))
    check_vault(scene.folder, scene.recorder)


class FullDisc(PosixDisc):
    full = True

    def free_bytes(self, folder: Path) -> int:
        return 0 if self.full else super().free_bytes(folder)


def test_a_full_dock_takes_no_parts_and_goes_on_when_there_is_room(scene: Scene) -> None:
    disc = FullDisc()
    desk = Desk(scene.folder, disc)
    with pytest.raises(AssertionError, match="not done"):
        offload(desk, Uplink(scene.recorder), rounds=2)
    assert not dock_entries(scene.folder, "rejected")
    disc.full = False
    offload(desk, Uplink(scene.recorder))
    check_vault(scene.folder, scene.recorder)


def dies_at(folder: DockFolder, recorder: FakeRecorder, disc: FaultyDisc) -> bool:
    """Offload until the plug is pulled; False when it no longer is."""
    desk = Desk(folder, disc)
    try:
        offload(desk, Uplink(recorder))
    except PulledPlugError:
        return True
    finally:
        desk.close()
    return False


@pytest.mark.parametrize("loses_catalogue", [False, True])
@pytest.mark.parametrize("half_way", [False, True])
def test_a_receiver_that_dies_anywhere_is_taken_over(tmp_path: Path, half_way: bool, loses_catalogue: bool) -> None:
    """At every disc verb in turn, before it or half way through it."""
    start = make_dock(tmp_path / "start")
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(start)
    for parts in (3, 2):
        recorder.record(parts, part_bytes=100)
    recorder.keep_blob("voice_note")
    for verbs in count():
        folder = DockFolder(tmp_path / f"station-{verbs}")
        shutil.copytree(start.root, folder.root)
        died = dies_at(folder, recorder, FaultyDisc(verbs, half_way))
        if loses_catalogue:
            for path in folder.private.glob("catalogue.db*"):
                path.unlink()
        desk = Desk(folder)
        offload(desk, Uplink(recorder))
        check_vault(folder, recorder)
        desk.close()
        if not died:
            break
    assert verbs > 20


@pytest.fixture(scope="module")
def prepared() -> Any:
    with TemporaryDirectory() as place:
        folder = make_dock(Path(place) / "station")
        recorder = FakeRecorder("BWC-0001")
        recorder.enrol(folder)
        for parts in (3, 1, 2):
            recorder.record(parts, part_bytes=50)
        recorder.keep_blob()
        recorder.keep_blob("voice_note")
        yield folder, recorder


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_repetition_and_loss_of_messages_end_the_same(prepared: Any, data: st.DataObject) -> None:
    start, recorder = prepared
    with TemporaryDirectory() as place:
        folder = DockFolder(Path(place) / "station")
        shutil.copytree(start.root, folder.root)
        desk, uplink = Desk(folder), Uplink(recorder, window=2)
        flying: list[tuple[str, bytes]] = []
        for step in data.draw(st.lists(st.sampled_from(["offer", "take", "repeat", "lose", "takeover"]), max_size=30)):
            flying = data.draw(st.permutations(flying)) if len(flying) > 1 else flying
            match step:
                case "offer":
                    flying += uplink.offer()
                case "take":
                    answers = desk.take(*flying[:3])
                    heard = [one for one in answers if data.draw(st.booleans())]
                    flying = flying[3:] + [more for one in heard for more in uplink.hear(one)]
                case "repeat":
                    flying += flying[:2]
                case "lose":
                    flying = flying[1:]
                case "takeover":
                    desk.close()
                    desk = Desk(folder)
        offload(desk, uplink)
        check_vault(folder, recorder)
        desk.close()


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([2**63, 10**400, "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_message_ends_the_receiver(scene: Scene, data: st.DataObject) -> None:
    """Entries with any JSON in place of some of their words, and x5c headers with damaged certificates."""
    recorder = scene.recorder
    entry = read_entry(data.draw(st.sampled_from(recorder.tokens)))
    payload = {
        "v": 1, "device": entry.device, "seq": entry.seq, "prev": entry.prev, "at": entry.at.to_fields(),
        "kind": entry.kind, **entry.fields,
    }  # fmt: skip
    payload |= data.draw(st.dictionaries(st.sampled_from([*payload]), ANY_JSON, max_size=3))
    if data.draw(st.booleans()):
        payload["at"] = entry.at.to_fields() | data.draw(
            st.dictionaries(st.sampled_from([*entry.at.to_fields()]), ANY_JSON, max_size=2)
        )
    damaged = bytearray(recorder.certificate)
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=3)):
        damaged[place] ^= data.draw(st.integers(1, 255))
    header = {"x5c": data.draw(ANY_JSON | st.just([b64encode(damaged).decode()]))}
    token = token_of(KeySigner(recorder.signing), payload, header)
    segment, index = entry.fields.get("segment") or "0" * 12 + "-00001", entry.fields.get("index") or 0
    anything, (blob,) = data.draw(ANY_JSON), recorder.blobs
    offer = {"v": 1, "round": 1, "journal_head": 1, "segments": [], "blobs": []}
    scene.desk.take(
        (recorder.topic(Up.JOURNAL), token.encode()),
        (recorder.topic(Up.FRAGMENT, segment, str(index)), part_head(token)),
        (recorder.topic(Up.BLOB, blob), part_head(token)),
        (recorder.topic(Up.REPORT, "0" * 12 + "-i0001"), token.encode()),
        (recorder.topic(Up.OFFER), json.dumps(offer | {"segments": anything}).encode()),
        (recorder.topic(Up.OFFER), json.dumps(offer | {"blobs": anything}).encode()),
    )
