"""A recorder that shows itself to be two is blocked, nothing of it is lost, and two persons let it go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509 import load_der_x509_certificate

from dock.blocking import SET_BACK_LIMIT, blocked_recorders
from dock.clearing import Clearing
from dock.folder import DockFolder
from dock.person_desk import PersonDesk, PersonKey, certify_person
from evidence.acts import about_block
from evidence.certificates import Trust, chain_from_pem
from evidence.errors import BadInputError, LiuhenError, RejectedError
from evidence.forks import Cause
from evidence.io.command import main
from evidence.io.durable import PosixDisc
from evidence.io.token_file import read_lines
from evidence.io.verify_files import verify_path
from evidence.journal import Entry, read_entry
from evidence.persons import Act
from evidence.signing import KeySigner, PublicKey, Signer
from evidence.verify import Verdict
from evidence.wire import Down, Up, part_head, read_topic, read_want, write_batch
from tests.dock.desk import Desk, Uplink, dock_entries, offload
from tests.dock.fake_recorder import FakeRecorder, StillClock, blob_name, hash_of, make_dock
from tests.dock.people import person_at
from tests.dock.test_intake import Make, Scene, another_past, check_vault, forged, next_entry, scene
from tests.evidence.golden import stamp
from tests.evidence.people import LI, WANG, ZHANG

__all__ = ["scene"]
NEXT_BOOT = "fedcba987654" + "0" * 20
HOUR_US = 3_600_000_000


def talk(desk: Desk, uplink: Uplink, rounds: int = 5) -> None:
    """So many offers and everything that follows; it need not come to an end."""
    for _ in range(rounds):
        messages = uplink.offer()
        while messages:
            answers = desk.take(*messages)
            messages = [message for answer in answers for message in uplink.hear(answer)]


def clearing(folder: DockFolder) -> Clearing:
    return Clearing(folder, PosixDisc(), StillClock())


def clear(folder: DockFolder) -> Entry:
    """By two persons."""
    desk = clearing(folder)
    return desk.clear("BWC-0001", [desk.sign("BWC-0001", person_at(folder, who)) for who in (ZHANG, LI)])


def begun_anew(scene: Scene) -> tuple[str, bytes]:
    return next_entry(scene, prev=None)


def later_past(scene: Scene) -> tuple[str, bytes]:
    """As a recorder goes on whose card was put back."""
    restored = FakeRecorder("BWC-0001", scene.recorder.signing, tokens=scene.recorder.tokens[:3])
    restored.clock = StillClock(NEXT_BOOT, HOUR_US)
    return restored.topic(Up.JOURNAL), restored.add("docked", {}).token.encode()


# What the recorder's own key has signed, and what that shows.
BLOCKS: dict[str, tuple[Make, Cause]] = {
    "another entry than the dock has": (another_past, Cause.FORK),
    "an entry after another one than the dock has": (lambda scene: next_entry(scene, prev=hash_of(b"")), Cause.FORK),
    "a journal begun anew": (begun_anew, Cause.FORK),
    "another past, written after a later start": (later_past, Cause.ROLLED_BACK),
    "an entry of another recorder": (lambda scene: next_entry(scene, device="BWC-0002"), Cause.FOREIGN),
    "a part of another recorder": (lambda scene: forged(scene, device="BWC-0002"), Cause.FOREIGN),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_what_only_its_own_key_can_have_signed_blocks_a_recorder(scene: Scene, name: str) -> None:
    make, cause = BLOCKS[name]
    message = make(scene)
    mirror = scene.folder.journal("BWC-0001").read_bytes()
    for _ in range(2):
        scene.desk.take(message)
    (blocked,) = dock_entries(scene.folder, "blocked")
    assert (blocked.fields["recorder"], blocked.fields["why"]) == ("BWC-0001", cause)
    (rejected,) = dock_entries(scene.folder, "rejected")
    assert rejected.fields["why"].startswith(f"{cause.name}: ")
    assert (scene.folder.root / rejected.fields["quarantine"]).read_bytes() == message[1]
    assert scene.folder.journal("BWC-0001").read_bytes() == mirror
    report = verify_path(scene.folder.vault, Trust(scene.folder.ca_certificate.read_bytes()))
    assert report.verdict is Verdict.NOT_AUTHENTIC
    (standing,) = blocked_recorders(scene.folder)
    assert standing.blocked.token == blocked.token


def test_what_somebody_else_has_signed_proves_nothing_against_it(scene: Scene) -> None:
    """Anybody on the way could put it there and so have any recorder blocked."""
    other = FakeRecorder("BWC-0002")
    other.enrol(scene.folder)
    for signer in (KeySigner(other.signing), KeySigner(FakeRecorder("BWC-0001").signing)):
        scene.desk.take(next_entry(scene, device="BWC-0002", signer=signer))
        scene.desk.take(next_entry(scene, signer=signer))
        scene.desk.take(forged(scene, device="BWC-0002", signer=signer))
    assert not dock_entries(scene.folder, "blocked")
    whys = [one.fields["why"] for one in dock_entries(scene.folder, "rejected")]
    assert any(why.startswith("FOREIGN: journal of BWC-0001: holds an entry of BWC-0002") for why in whys)


@dataclass
class Twins:
    """The dock knows the recorder up to the cloning, and then its twin before itself."""

    folder: DockFolder
    desk: Desk
    recorder: FakeRecorder
    twin: FakeRecorder


def make_twins(tmp_path: Path, twins_boot: str) -> Twins:
    folder = make_dock(tmp_path / "station")
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    recorder.record()
    desk = Desk(folder)
    offload(desk, Uplink(recorder))
    twin = recorder.copy(twins_boot)
    twin.record()
    offload(desk, Uplink(twin))
    recorder.record(parts=7)
    recorder.keep_blob()
    return Twins(folder, desk, recorder, twin)


@pytest.fixture
def twins(tmp_path: Path) -> Twins:
    return make_twins(tmp_path, NEXT_BOOT)


def landed(twins: Twins) -> None:
    """Everything of the recorder that the dock did not believe lies there all the same."""
    segment = list(twins.recorder.segments.values())[-1]
    kept = twins.folder.quarantine("BWC-0001")
    tokens = {token for path in kept.glob("journal-*[!t]") for token in path.read_text().split("\n")}
    known = {*read_lines(twins.folder.journal("BWC-0001"))}
    assert tokens | known >= {*twins.recorder.tokens}
    assert twins.folder.incoming("BWC-0001", segment.name).read_bytes() == segment.content
    assert any(one.data in path.read_bytes() for one in twins.recorder.blobs.values() for path in kept.iterdir())


def test_of_a_clone_and_its_original_the_second_one_is_found_and_lands_in_quarantine(twins: Twins) -> None:
    uplink = Uplink(twins.recorder)
    talk(twins.desk, uplink)
    at_once, where = dock_entries(twins.folder, "blocked")
    assert (at_once.fields["why"], where.fields["why"]) == ("fork", "fork")
    assert (at_once.fields["entry_seq"], where.fields["entry_seq"]) == (9, 5)
    assert list(read_lines(twins.folder.journal("BWC-0001"))) == twins.twin.tokens
    landed(twins)
    assert len(dock_entries(twins.folder, "stored")) == 2
    assert [*uplink.receipts] == [next(iter(twins.recorder.segments))], "what both have, from before"


def test_what_lands_goes_on_where_a_receiver_that_died_has_left_it(twins: Twins) -> None:
    uplink = Uplink(twins.recorder)
    talk(twins.desk, uplink, rounds=1)
    twins.desk.close()
    twins.desk = Desk(twins.folder)
    talk(twins.desk, uplink)
    landed(twins)


def test_a_blocked_recorder_keeps_its_evidence_and_it_lands_without_becoming_evidence(twins: Twins) -> None:
    """The branch that the dock holds: journal, segment and photo, but no receipt for any of them."""
    talk(twins.desk, Uplink(twins.recorder))
    segment, photo = twins.twin.record(), twins.twin.keep_blob(data=b"another")
    uplink = Uplink(twins.twin)
    talk(twins.desk, uplink)
    assert list(read_lines(twins.folder.journal("BWC-0001"))) == twins.twin.tokens
    assert twins.folder.incoming("BWC-0001", segment.name).read_bytes() == segment.content
    assert not twins.folder.segment("BWC-0001", segment.name).exists()
    assert twins.folder.blob("BWC-0001", blob_name(photo.data)).read_bytes() == photo.data
    assert not uplink.receipts
    assert len(dock_entries(twins.folder, "stored")) == 2
    assert not dock_entries(twins.folder, "blob_stored")


def test_a_blocked_recorder_that_has_sent_all_is_asked_for_nothing_more(twins: Twins) -> None:
    for one in (twins.recorder, twins.twin):
        talk(twins.desk, Uplink(one))
    answers = twins.desk.take(*Uplink(twins.recorder).offer())
    talk(twins.desk, Uplink(twins.recorder))
    answers = twins.desk.take(*Uplink(twins.recorder).offer())
    (want,) = [read_want(one.payload) for one in answers if read_topic(one.topic).name is Down.WANT]
    assert want.journal_next == len(twins.recorder.tokens) - 1, "it shows with its last entry which one it is"
    assert not any(want.lacks.values())


def test_an_urgent_report_of_a_blocked_recorder_comes_through(twins: Twins) -> None:
    talk(twins.desk, Uplink(twins.recorder))
    twins.desk.take(twins.recorder.report_message(twins.recorder.report()))
    assert len(dock_entries(twins.folder, "report_taken")) == 1


def test_two_persons_let_the_branch_that_the_dock_holds_go_on(twins: Twins) -> None:
    talk(twins.desk, Uplink(twins.recorder))
    segment = twins.twin.record()
    twins.twin.keep_blob(data=b"another")
    talk(twins.desk, Uplink(twins.twin))
    _, blocked = dock_entries(twins.folder, "blocked")
    cleared = clear(twins.folder)
    assert cleared.fields["blocked_seq"] == blocked.seq
    assert blocked_recorders(twins.folder) == []
    uplink = Uplink(twins.twin)
    offload(twins.desk, uplink)
    assert twins.folder.segment("BWC-0001", segment.name).read_bytes() == segment.content
    assert len(uplink.receipts) == 4
    report = verify_path(twins.folder.vault, Trust(twins.folder.ca_certificate.read_bytes()))
    assert report.verdict is Verdict.AUTHENTIC


def test_a_replay_of_what_was_cleared_does_not_block_again_and_a_living_clone_does(twins: Twins) -> None:
    recording = Recording(twins.desk)
    talk(recording, Uplink(twins.recorder))
    clear(twins.folder)
    twins.desk.take(*recording.taken)
    assert len(dock_entries(twins.folder, "blocked")) == 2
    assert blocked_recorders(twins.folder) == []
    assert list(read_lines(twins.folder.journal("BWC-0001"))) == twins.twin.tokens
    twins.twin.record()
    offload(twins.desk, Uplink(twins.twin))
    twins.recorder.record()
    talk(twins.desk, Uplink(twins.recorder))
    assert len(blocked_recorders(twins.folder)) == 1


class Recording(Desk):
    """Whoever is on the way and keeps what goes by."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.taken: list[tuple[str, bytes]] = []

    def take(self, *messages: tuple[str, bytes]) -> Any:
        self.taken += messages
        return self._desk.take(*messages)


def test_a_restored_backup_is_found_by_its_shorter_journal(tmp_path: Path) -> None:
    """It has less than the dock, so it is asked for its last entry, and that is another one than the dock's."""
    folder = make_dock(tmp_path / "station")
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    desk, backup = Desk(folder), recorder.copy(NEXT_BOOT)
    recorder.record(parts=9)
    offload(desk, Uplink(recorder))
    backup.clock.ticks_us += HOUR_US
    backup.add("docked", {})
    assert len(backup.tokens) < len(recorder.tokens)
    talk(desk, Uplink(backup))
    assert [one.fields["why"] for one in dock_entries(folder, "blocked")] == ["rolled_back"]


def test_a_restored_backup_that_has_caught_up_is_found_where_the_branches_part(tmp_path: Path) -> None:
    """Its next entry fits nothing that the dock has; only further back it shows what has happened."""
    folder = make_dock(tmp_path / "station")
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    desk, backup = Desk(folder), recorder.copy(NEXT_BOOT)
    recorder.record()
    offload(desk, Uplink(recorder))
    backup.clock.ticks_us += HOUR_US
    backup.record(parts=9)
    talk(desk, Uplink(backup))
    assert [one.fields["why"] for one in dock_entries(folder, "blocked")] == ["fork", "rolled_back"]
    (standing,) = blocked_recorders(folder)
    assert standing.blocked.fields["entry_seq"] == 1


def test_an_old_offer_that_comes_late_blocks_nobody(tmp_path: Path) -> None:
    folder = make_dock(tmp_path / "station")
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    desk, uplink = Desk(folder), Uplink(recorder)
    old = uplink.offer()
    recorder.record()
    offload(desk, uplink)
    answers = desk.take(*old)
    (want,) = [read_want(one.payload) for one in answers if read_topic(one.topic).name is Down.WANT]
    desk.take(recorder.journal_message(want.journal_next, want.journal_next))
    assert desk.catalogue.findings("BWC-0001")[Cause.REPLAYED] > 0
    check_vault(folder, recorder)


def test_what_came_twice_or_too_early_is_counted(scene: Scene) -> None:
    scene.desk.take(scene.recorder.journal_message(0, 2), scene.recorder.journal_message(1, 3))
    ahead = scene.recorder.copy()
    for _ in range(3):
        ahead.add("docked", {})
    scene.desk.take(ahead.journal_message(len(ahead.tokens) - 1))
    assert scene.desk.catalogue.findings("BWC-0001") == {Cause.REPLAYED: 6, Cause.REORDERED: 1}
    assert not dock_entries(scene.folder, "rejected")


def test_a_clock_set_back_is_journalled_and_the_entry_is_evidence(scene: Scene) -> None:
    scene.desk.take(scene.recorder.journal_message())
    scene.recorder.clock.started_us -= HOUR_US
    scene.recorder.clock.boot = NEXT_BOOT
    entry = scene.recorder.add("docked", {})
    offload(scene.desk, Uplink(scene.recorder))
    (noted,) = dock_entries(scene.folder, "clock_set_back")
    assert (noted.fields["entry_seq"], noted.fields["entry_hash"]) == (entry.seq, entry.head.hash)
    assert 0 <= HOUR_US - noted.fields["back_us"] < 1_000_000
    check_vault(scene.folder, scene.recorder)


def test_a_clock_set_back_before_a_receipt_is_found_over_a_clock_that_was_unset(scene: Scene) -> None:
    """The recorder has journalled a receipt, so it knows a time that cannot have been later."""
    uplink = Uplink(scene.recorder)
    offload(scene.desk, uplink)
    segment = next(iter(scene.recorder.segments))
    receipt = read_entry(uplink.receipts[segment])
    said = {"segment": segment, "dock": "dock", "dock_seq": receipt.seq, "dock_hash": receipt.head.hash}
    scene.recorder.add("receipt", said)
    scene.desk.take(scene.recorder.journal_message())
    assert scene.desk.catalogue.received_us("BWC-0001") == receipt.at.utc_us


def test_a_broken_clock_does_not_fill_the_docks_journal(scene: Scene) -> None:
    scene.desk.take(scene.recorder.journal_message())
    for _ in range(SET_BACK_LIMIT + 5):
        scene.recorder.clock.started_us -= HOUR_US
        scene.recorder.add("docked", {})
    offload(scene.desk, Uplink(scene.recorder))
    assert len(dock_entries(scene.folder, "clock_set_back")) == SET_BACK_LIMIT


def test_a_second_cause_does_not_block_again(scene: Scene) -> None:
    scene.desk.take(another_past(scene), next_entry(scene, device="BWC-0002"))
    assert [one.fields["why"] for one in dock_entries(scene.folder, "blocked")] == ["fork"]


def test_another_recorder_goes_on(twins: Twins) -> None:
    talk(twins.desk, Uplink(twins.recorder))
    other = FakeRecorder("BWC-0002")
    other.enrol(twins.folder)
    other.record()
    uplink = Uplink(other)
    offload(twins.desk, uplink)
    assert len(uplink.receipts) == 1


def test_a_part_or_a_photo_of_nobodys_branch_is_not_believed_while_blocked(scene: Scene) -> None:
    scene.desk.take(another_past(scene))
    blob = scene.recorder.keep_blob(data=b"unknown").entry
    topic = scene.recorder.topic(Up.BLOB, hash_of(b"unknown"))
    for _ in range(2):
        scene.desk.take((topic, part_head(blob.token) + b"unknown"))
    whys = [one.fields["why"] for one in dock_entries(scene.folder, "rejected")]
    assert len([why for why in whys if "comes from a blocked recorder" in why]) == 1


def test_noise_in_a_blocked_recorders_journal_moves_nothing(scene: Scene) -> None:
    topic, other = another_past(scene)
    scene.desk.take((topic, other))
    for noise in (write_batch(["a.b.c"]), write_batch([other.decode(), "a.b.c"])):
        scene.desk.take((topic, noise))
    assert len(dock_entries(scene.folder, "blocked")) == 1


# Two persons.


def said(scene: Scene, who: PersonKey, act: Act = Act.CLEAR, **about: object) -> str:
    """A statement about this block, or about something like it."""
    return who.sign(act, about_block(clearing(scene.folder).blocked("BWC-0001")) | about, stamp())


def by(scene: Scene, person: str, name: str = "", roles: Sequence[Act] = (Act.CLEAR,)) -> str:
    return said(scene, person_at(scene.folder, person, roles, name))


def revoked(scene: Scene) -> str:
    """He signed first."""
    token = by(scene, LI)
    PersonDesk(scene.folder, PosixDisc(), StillClock()).revoke(LI, "调离")
    return token


def certified(scene: Scene, signer: Signer, public: PublicKey) -> str:
    """The unit's CA has certified this key for Li, and the journal does not know of it."""
    chain = chain_from_pem(certify_person(scene.folder, StillClock(), LI, public), "chain")
    return said(scene, PersonKey(LI, signer, chain))


def own_key(scene: Scene) -> str:
    key = Ed25519PrivateKey.generate()
    return certified(scene, KeySigner(key), key.public_key())


def zhangs_key(scene: Scene) -> str:
    zhang = person_at(scene.folder, ZHANG)
    public = load_der_x509_certificate(zhang.chain[0]).public_key()
    assert isinstance(public, PublicKey)
    return certified(scene, zhang.signer, public)


def foreign(scene: Scene) -> str:
    return said(scene, person_at(make_dock(scene.folder.root.parent / "elsewhere" / "station"), LI))


def by_the_recorder(scene: Scene) -> str:
    recorder = scene.recorder
    return said(scene, PersonKey(recorder.device, KeySigner(recorder.signing), recorder.certificates))


TWO = "needs one statement each of two different persons"
CLEARINGS: dict[str, tuple[Callable[[Scene], list[str]], str]] = {
    "nobody": (lambda _: [], TWO),
    "one person": (lambda scene: [by(scene, ZHANG)], TWO),
    "one statement twice": (lambda scene: [by(scene, ZHANG)] * 2, TWO),
    "two statements of one person": (lambda scene: [by(scene, ZHANG), by(scene, ZHANG)], TWO),
    "two keys and numbers of one name": (lambda scene: [by(scene, ZHANG), by(scene, LI, "张 三")], TWO),
    "three persons": (lambda scene: [by(scene, one) for one in (ZHANG, LI, WANG)], TWO),
    "about another block": (
        lambda scene: [by(scene, ZHANG), said(scene, person_at(scene.folder, LI), blocked_seq=0)],
        "does not say clear about this",
    ),
    "about another recorder": (
        lambda scene: [by(scene, ZHANG), said(scene, person_at(scene.folder, LI), recorder="BWC-0002")],
        "does not say clear about this",
    ),
    "an approval": (
        lambda scene: [by(scene, ZHANG), said(scene, person_at(scene.folder, LI), Act.APPROVE)],
        "does not say clear about this",
    ),
    "one whose key was revoked since": (lambda scene: [by(scene, ZHANG), revoked(scene)], "signed by a revoked key"),
    "one who may only approve": (
        lambda scene: [by(scene, ZHANG), by(scene, LI, roles=[Act.APPROVE])], "may not clear",
    ),
    "one who is certified and not enrolled": (
        lambda scene: [by(scene, ZHANG), own_key(scene)],
        "is not enrolled at this dock",
    ),
    "one key under two numbers": (
        lambda scene: [by(scene, ZHANG), zhangs_key(scene)], "is not enrolled at this dock",
    ),
    "one of another unit": (lambda scene: [by(scene, ZHANG), foreign(scene)], "not issued by the trusted CA"),
    "the recorder itself": (lambda scene: [by(scene, ZHANG), by_the_recorder(scene)], "is signed by the recorder"),
    "an altered statement": (
        lambda scene: [by(scene, ZHANG), by(scene, LI)[:-4] + "AAAA"], "signature",
    ),
    "noise": (lambda scene: [by(scene, ZHANG), "a.b.c"], "statement"),
}  # fmt: skip


@pytest.mark.parametrize("name", CLEARINGS)
def test_less_than_two_persons_clear_nothing(scene: Scene, name: str) -> None:
    make, why = CLEARINGS[name]
    scene.desk.take(another_past(scene))
    statements = make(scene)
    with pytest.raises(LiuhenError, match=why) as caught:
        clearing(scene.folder).clear("BWC-0001", statements)
    assert "\n" not in str(caught.value)
    assert not dock_entries(scene.folder, "cleared")
    assert len(blocked_recorders(scene.folder)) == 1


def test_who_may_not_clear_signs_no_statement(scene: Scene) -> None:
    scene.desk.take(another_past(scene))
    with pytest.raises(RejectedError, match="may not clear"):
        clearing(scene.folder).sign("BWC-0001", person_at(scene.folder, LI, [Act.APPROVE]))


def test_a_statement_is_about_one_block(scene: Scene) -> None:
    """What has cleared one does not clear the next."""
    scene.desk.take(another_past(scene))
    (blocked,) = dock_entries(scene.folder, "blocked")
    assert about_block(blocked) == {
        "recorder": "BWC-0001", "blocked_seq": blocked.seq, "blocked_hash": blocked.head.hash,
    }  # fmt: skip
    statements = clear(scene.folder).fields["statements"]
    scene.desk.take(next_entry(scene, prev=hash_of(b"")))
    with pytest.raises(RejectedError, match="about this"):
        clearing(scene.folder).clear("BWC-0001", statements)


def test_who_is_not_blocked_cannot_be_cleared(scene: Scene) -> None:
    with pytest.raises(BadInputError, match="未停用 is not blocked"):
        clear(scene.folder)
    scene.desk.take(another_past(scene))
    clear(scene.folder)
    with pytest.raises(BadInputError, match="未停用 is not blocked"):
        clear(scene.folder)


def test_two_persons_clear_a_recorder_by_commands(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.desk.take(another_past(scene))
    verb, made = ["dock", "clear", str(scene.folder.root), "BWC-0001"], []
    for who in (ZHANG, LI):
        person_at(scene.folder, who)
        monkeypatch.setenv("LIUHEN_PASSPHRASE", f"the passphrase of {who}")
        made.append(str(tmp_path / f"{who}.statement"))
        key = str(scene.folder.root.parent / f"of-{who}" / f"{who}.key")
        assert main([*verb, "--key", key, "--out", made[-1]]) == 0
        assert "出现分叉" in (told := capsys.readouterr().out)
        assert "已签署，另需一人 signed, one of two" in told
        assert main([*verb, "--key", key]) == 2
        assert "需指定声明文件" in capsys.readouterr().err
        assert main([*verb, "--key", key, "--out", made[-1]]) == 2
        assert "is there already" in capsys.readouterr().err
    assert main([*verb, "--statement", made[0]]) == 2
    assert "须由两名不同人员声明" in capsys.readouterr().err
    assert main([*verb, "--statement", str(tmp_path / "none"), "--statement", made[0]]) == 2
    assert "none" in capsys.readouterr().err
    assert main([*verb, "--statement", made[0], "--statement", made[1]]) == 0
    assert "已解除停用" in capsys.readouterr().out
    assert main(["dock", "blocked", str(scene.folder.root)]) == 0


def test_a_lost_catalogue_forgets_no_block(scene: Scene) -> None:
    scene.desk.take(another_past(scene))
    scene.desk.close()
    for path in scene.folder.private.glob("catalogue.db*"):
        path.unlink()
    desk, uplink = Desk(scene.folder), Uplink(scene.recorder)
    talk(desk, uplink)
    assert not uplink.receipts


def test_the_command_lists_who_is_blocked_and_why(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["dock", "blocked", str(scene.folder.root)]
    assert main(arguments) == 0
    assert capsys.readouterr().out == "无停用记录仪 no recorder is blocked\n"
    scene.desk.take(another_past(scene))
    assert main(arguments) == 1
    assert "BWC-0001" in (out := capsys.readouterr().out)
    assert out.endswith("entry 3  出现分叉：被克隆或被改动 fork\n")
    assert main([*arguments, "--json"]) == 1
    (listed,) = json.loads(capsys.readouterr().out)
    (blocked,) = dock_entries(scene.folder, "blocked")
    assert (listed["blocked_seq"], listed["why"], listed["entry_seq"]) == (blocked.seq, "fork", 3)
    assert main(["dock", "blocked", str(scene.folder.vault)]) == 2
    assert "is no dock folder" in capsys.readouterr().err
