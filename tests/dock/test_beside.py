"""Photos, notes and urgent reports at the dock: believed by their entries, stored once, answered once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from dock.clock import SystemClock
from dock.duty import DutyDesk
from dock.enrolment import head_files
from dock.folder import DockFolder
from dock.intake import ATTEMPTS_LIMIT
from evidence.certificates import Trust
from evidence.errors import LiuhenError
from evidence.io.command import main
from evidence.io.durable import PosixDisc
from evidence.io.verify_files import verify_path
from evidence.journal import Entry, read_entry
from evidence.model import Officer
from evidence.receipts import BLOB_STORED, EXPLANATION, REPORT_TAKEN, check_explanation, check_report_receipt
from evidence.verify import Verdict
from evidence.wire import BLOB_RANGES, Down, Offer, Ranges, Up, part_head, read_topic, read_want, write_offer
from tests.dock.desk import Desk, FaultyDisc, PulledPlugError, Uplink, dock_entries, offload
from tests.dock.fake_recorder import FakeRecorder, hash_of, make_dock
from tests.dock.test_intake import check_blobs

Message = tuple[str, bytes]


@dataclass
class Scene:
    folder: DockFolder
    recorder: FakeRecorder
    desk: Desk

    def lacks(self, *messages: Message) -> dict[str, Ranges]:
        """What the dock's want names after these messages."""
        wants = [one for one in self.desk.take(*messages) if read_topic(one.topic).name is Down.WANT]
        return {name: ranges for one in wants for name, ranges in read_want(one.payload).lacks.items()}

    def words(self, *messages: Message) -> list[Entry]:
        """What the dock hands down after these messages."""
        answers = [one for one in self.desk.take(*messages) if read_topic(one.topic).name is Down.RECEIPT]
        return [read_entry(one.payload.decode()) for one in answers]

    def offer(self, *blobs: str, round_number: int = 1) -> Message:
        head = len(self.recorder.tokens) - 1
        return self.recorder.topic(Up.OFFER), write_offer(Offer(round_number, head, (), blobs))

    def verdict(self) -> Verdict:
        return verify_path(self.folder.vault, Trust(self.folder.ca_certificate.read_bytes())).verdict


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    folder = make_dock(tmp_path / "station")
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    return Scene(folder, recorder, Desk(folder))


def test_a_blob_is_stored_with_its_entry_and_answered_once(scene: Scene) -> None:
    blob, one = hash_of(b"photo"), scene.recorder.keep_blob(data=b"photo")
    assert scene.lacks(scene.recorder.journal_message(), scene.offer(blob)) == {blob: BLOB_RANGES}
    (receipt,) = scene.words(scene.recorder.blob_message(blob))
    assert (receipt.kind, receipt.fields["entry_hash"]) == (BLOB_STORED, one.entry.head.hash)
    for _ in range(2):
        assert scene.words(scene.recorder.blob_message(blob), scene.offer(blob)) == [receipt]
    assert scene.lacks(scene.offer(blob)) == {}
    check_blobs(scene.folder, scene.recorder)
    assert scene.verdict() is Verdict.AUTHENTIC


def test_a_blob_before_its_journal_entry_is_left_and_asked_for_again(scene: Scene) -> None:
    blob, one = hash_of(b"photo"), scene.recorder.keep_blob(data=b"photo")
    assert scene.lacks(scene.recorder.blob_message(blob)) == {blob: BLOB_RANGES}
    assert not scene.folder.blob("BWC-0001", one.entry.kind, blob).exists()
    offload(scene.desk, Uplink(scene.recorder))
    check_blobs(scene.folder, scene.recorder)
    assert not scene.folder.quarantine("BWC-0001").exists()


def test_of_two_entries_about_the_same_bytes_the_first_is_the_one(scene: Scene) -> None:
    first = scene.recorder.keep_blob(data=b"dark").entry
    scene.recorder.keep_blob(data=b"dark")
    scene.desk.take(scene.recorder.journal_message())
    topic = scene.recorder.topic(Up.BLOB, hash_of(b"dark"))
    (receipt,) = scene.words((topic, part_head(first.token) + b"dark"))
    assert receipt.fields["entry_seq"] == first.seq


WRONG: dict[str, tuple[Callable[[FakeRecorder, str], Message], str]] = {
    "flipped": (lambda one, blob: altered(one, blob, b"phot\x6e"), "do not fit the hash"),
    "cut": (lambda one, blob: altered(one, blob, b"phot"), "has 4 bytes, its entry says 5"),
    "longer": (lambda one, blob: altered(one, blob, b"photo!"), "has 6 bytes, its entry says 5"),
    "empty": (lambda one, blob: altered(one, blob, b""), "has 0 bytes"),
    "entry of another": (
        lambda one, blob: (one.topic(Up.BLOB, blob), part_head(one.keep_blob().entry.token) + b"photo"),
        "another entry than the journal has",
    ),
    "entry of no blob": (
        lambda one, blob: (one.topic(Up.BLOB, blob), part_head(one.tokens[0]) + b"photo"), "another entry",
    ),
    "no entry": (lambda one, blob: (one.topic(Up.BLOB, blob), b"photo"), "shorter than its entry"),
    "an impossible name": (lambda one, _: (one.topic(Up.BLOB, "..", "x"), b"photo"), "impossible name"),
    "a name too short": (lambda one, blob: (one.topic(Up.BLOB, blob[1:]), b"photo"), "impossible name"),
    "no name": (lambda one, _: (one.topic(Up.BLOB), b"photo"), "impossible name"),
}  # fmt: skip


def altered(recorder: FakeRecorder, blob: str, data: bytes) -> Message:
    return recorder.topic(Up.BLOB, blob), part_head(recorder.blobs[blob].entry.token) + data


@pytest.mark.parametrize("name", WRONG)
def test_a_blob_that_cannot_be_evidence_is_kept_aside_with_its_reason(scene: Scene, name: str) -> None:
    make, why = WRONG[name]
    blob = hash_of(b"photo")
    scene.recorder.keep_blob(data=b"photo")
    scene.desk.take(scene.recorder.journal_message())
    message = make(scene.recorder, blob)
    for _ in range(2):
        assert scene.words(message) == []
    (rejected,) = dock_entries(scene.folder, "rejected")
    assert why in rejected.fields["why"]
    kept = scene.folder.root / rejected.fields["quarantine"]
    assert kept.read_bytes() == message[1]
    assert dock_entries(scene.folder, "blob_stored") == []
    # The true one still finds its way.
    assert [one.kind for one in scene.words(scene.recorder.blob_message(blob))] == [BLOB_STORED]


def test_a_blob_that_stays_wrong_is_not_asked_for_for_ever(scene: Scene) -> None:
    blob = hash_of(b"photo")
    scene.recorder.keep_blob(data=b"photo")
    scene.desk.take(scene.recorder.journal_message())
    wrong = altered(scene.recorder, blob, b"phot\x6e")
    asked = []
    for number in range(ATTEMPTS_LIMIT + 1):
        asked.append(scene.lacks(scene.offer(blob, round_number=number + 1))[blob])
        assert scene.lacks(wrong) == {blob: ()}
    assert asked == [BLOB_RANGES] * ATTEMPTS_LIMIT + [()]


def test_what_lies_in_the_vault_is_never_written_over(scene: Scene) -> None:
    blob, one = hash_of(b"photo"), scene.recorder.keep_blob(data=b"photo")
    path = scene.folder.blob("BWC-0001", one.entry.kind, blob)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"other")
    assert scene.words(scene.recorder.journal_message(), scene.recorder.blob_message(blob)) == []
    assert path.read_bytes() == b"other"
    assert "never overwritten" in dock_entries(scene.folder, "rejected")[0].fields["why"]


class NearlyFullDisc(PosixDisc):
    def __init__(self) -> None:
        self.free = 0

    def free_bytes(self, _folder: Path) -> int:
        return self.free


def test_a_full_dock_takes_no_blob_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    folder, disc = make_dock(tmp_path / "station"), NearlyFullDisc()
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    recorder.keep_blob()
    scene = Scene(folder, recorder, Desk(folder, disc))
    (blob,) = recorder.blobs
    assert scene.lacks(recorder.journal_message(), recorder.blob_message(blob)) == {blob: BLOB_RANGES}
    disc.free = 10**12
    offload(scene.desk, Uplink(recorder))
    check_blobs(folder, recorder)
    assert not folder.quarantine("BWC-0001").exists()


# Urgent reports.


def test_a_report_is_taken_before_its_journal_comes_and_once(scene: Scene) -> None:
    reported = scene.recorder.report()
    (taken,) = scene.words(scene.recorder.report_message(reported))
    check_report_receipt(taken, reported)
    assert taken.kind == REPORT_TAKEN
    assert taken.x5c
    assert scene.words(scene.recorder.report_message(reported)) == [taken]
    assert dock_entries(scene.folder, REPORT_TAKEN) == [taken]
    path = scene.folder.report("BWC-0001", reported.fields["interruption"])
    assert path.read_text() == f"{reported.token}\n"
    assert scene.verdict() is Verdict.NOT_SIGNED, "there is no journal yet"
    scene.desk.take(scene.recorder.journal_message(0, 0))
    assert scene.verdict() is Verdict.GAPS
    scene.desk.take(scene.recorder.journal_message())
    assert scene.verdict() is Verdict.AUTHENTIC


def test_a_report_taken_back_says_nothing(scene: Scene) -> None:
    reported = scene.recorder.report()
    topic, _ = scene.recorder.report_message(reported)
    assert scene.desk.take((topic, b"")) == []
    assert dock_entries(scene.folder, "rejected") == []


@pytest.mark.parametrize("forgery", ["noise", "another's", "another entry", "another interruption", "a second one"])
def test_a_report_that_cannot_be_is_kept_aside(scene: Scene, forgery: str) -> None:
    reported = scene.recorder.report()
    topic, payload = scene.recorder.report_message(reported)
    if forgery == "a second one":
        scene.desk.take((topic, payload))
    other = FakeRecorder("BWC-0001")
    messages = {
        "noise": (topic, b"\xff\x00"),
        "another's": other.report_message(other.report()),
        "another entry": (topic, scene.recorder.tokens[0].encode()),
        "another interruption": (topic.replace("i0001", "i0002"), payload),
        "a second one": scene.recorder.report_message(scene.recorder.report()),
    }
    assert scene.words(messages[forgery]) == []
    assert len(dock_entries(scene.folder, "rejected")) == 1
    assert len(dock_entries(scene.folder, REPORT_TAKEN)) == (forgery == "a second one")


@pytest.mark.parametrize("half_way", [False, True], ids=["before a verb", "within a verb"])
def test_a_receiver_that_dies_anywhere_over_a_report_is_taken_over(tmp_path: Path, half_way: bool) -> None:
    for verbs in count():
        folder = make_dock(tmp_path / f"station-{verbs}")
        recorder = FakeRecorder("BWC-0001")
        recorder.enrol(folder)
        reported = recorder.report()
        died = False
        try:
            desk = Desk(folder, FaultyDisc(verbs, half_way))
            desk.take(recorder.report_message(reported))
        except PulledPlugError:
            died = True
        scene = Scene(folder, recorder, Desk(folder))
        words = scene.words(recorder.report_message(reported))
        assert dock_entries(folder, REPORT_TAKEN) == words
        if not died:
            break
    assert verbs > 3


# Explanations, assignments, and what the recorder is told of them.


def desk_of(scene: Scene) -> DutyDesk:
    return DutyDesk(scene.folder, PosixDisc(), SystemClock())


def test_an_explanation_reaches_the_recorder_until_it_has_journalled_it(scene: Scene) -> None:
    reported = scene.recorder.report()
    scene.desk.take(scene.recorder.journal_message())
    said = desk_of(scene).explain("BWC-0001", reported.fields["interruption"], "110123", " 电池老化，已更换。\n")
    assert said.fields["text"] == "电池老化，已更换。"
    interruption = read_entry(scene.recorder.tokens[-2])
    for _ in range(2):
        (word,) = scene.words(scene.offer())
        check_explanation(word, interruption)
        assert word == said
    received = {"dock": "dock", "dock_seq": said.seq, "dock_hash": said.head.hash}
    scene.recorder.add("written", {"interruption": reported.fields["interruption"], **received})
    scene.desk.take(scene.recorder.journal_message())
    assert scene.words(scene.offer()) == []


def test_a_report_whose_receipt_was_lost_is_answered_with_the_next_offer(scene: Scene) -> None:
    reported = scene.recorder.report()
    words = scene.words(scene.recorder.report_message(reported))
    assert scene.words(scene.offer()) == words


def test_an_interruption_is_explained_once_unless_again(scene: Scene) -> None:
    reported = scene.recorder.report()
    scene.desk.take(scene.recorder.report_message(reported))
    desk, name = desk_of(scene), reported.fields["interruption"]
    first = desk.explain("BWC-0001", name, "110123", "电池")
    with pytest.raises(LiuhenError, match="is explained already"):
        desk.explain("BWC-0001", name, "110123", "天气")
    desk.explain("BWC-0001", name, "110123", "天气", again=True)
    assert [one.fields["text"] for one in dock_entries(scene.folder, EXPLANATION)] == ["电池", "天气"]
    assert first in scene.words(scene.offer())


CLERKS: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown recorder": (("--recorder", "BWC-0009", "--text", "x"), "is not enrolled"),
    "unknown interruption": (("--interruption", "0" * 12 + "-i0009", "--text", "x"), "is none that BWC-0001 has told"),
    "no interruption at all": (("--interruption", "../../x", "--text", "x"), "is none that BWC-0001 has told"),
    "empty": (("--text", " \n"), "is empty"),
    "too long": (("--text", "长" * 1025), "has 1025 characters"),
    "no file": (("--file", "/nowhere/x"), "cannot be read"),
    "no author": (("--author", "", "--text", "x"), "impossible author"),
}


@pytest.mark.parametrize("name", CLERKS)
def test_what_a_clerk_gets_wrong_is_told_in_one_line(
    scene: Scene, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.desk.take(scene.recorder.report_message(scene.recorder.report()))
    wrong, told = CLERKS[name]
    interruption = read_entry(scene.recorder.tokens[-1]).fields["interruption"]
    right = ("--recorder", "BWC-0001", "--interruption", interruption, "--author", "110123")
    assert main(["dock", "explain", str(scene.folder.root), *right, *wrong]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert dock_entries(scene.folder, EXPLANATION) == []


def test_a_draft_says_what_the_recorder_knows_and_the_written_explanation_closes_the_account(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """Open, drafted, written: at the dock, before the recorder has even heard of it."""
    scene.recorder.add("power_on", {"software": "test", "previous_end": "none"})
    reported = scene.recorder.report()
    scene.desk.take(scene.recorder.journal_message())
    station, interruption = str(scene.folder.root), reported.fields["interruption"]
    about = ("--recorder", "BWC-0001", "--interruption", interruption)
    assert main(["dock", "draft", station, *about]) == 0
    text = capsys.readouterr().out
    assert "设备故障 device_fault" in text
    assert "情况说明 what happened" in text
    assert main(["dock", "draft", station, *about, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "reported"
    assert main(["dock", "draft", station, *about, "--listen", "zh-CN"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["dock", "explain", station, *about, "--author", "110123", "--text", "镜头排线松动。"]) == 0
    assert main(["account", str(scene.folder.vault), "--json"]) == 0
    out = capsys.readouterr().out
    (told,) = json.loads(out[out.index("[") :])[-1]["interruptions"]
    assert (told["interruption"], told["state"]) == (interruption, "written")
    assert main(["dock", "draft", station, "--recorder", "BWC-0001", "--interruption", "nonsense"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_commands_of_a_clerk(scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reported = scene.recorder.report()
    station, interruption = str(scene.folder.root), reported.fields["interruption"]
    assert main(["dock", "reports", station]) == 0
    assert "无紧急报告" in capsys.readouterr().out
    scene.desk.take(scene.recorder.report_message(reported))
    assert main(["dock", "reports", station]) == 0
    assert f"BWC-0001  {interruption}  device_fault  张三  未说明 open\n" in capsys.readouterr().out
    (tmp_path / "x.txt").write_text("电池老化", "utf-8")
    about = ("--recorder", "BWC-0001", "--interruption", interruption)
    assert main(["dock", "explain", station, *about, "--author", "110123", "--file", str(tmp_path / "x.txt")]) == 0
    assert main(["dock", "reports", station, "--json"]) == 0
    out = capsys.readouterr().out
    assert '"explanation": "电池老化"' in out
    assert '"unit": "交警一大队"' in out
    officer = ("--officer", "110124", "李四", "交警二大队", "--regime", "xuchang")
    assert main(["dock", "assign", station, "--recorder", "BWC-0001", *officer]) == 0
    assert main(["dock", "assign", station, "--recorder", "BWC-0009", *officer]) == 2
    assert "is not enrolled" in capsys.readouterr().err
    undrawable = ("--officer", "110124", "李\U00020bb7", "交警二大队")
    assert main(["dock", "assign", station, "--recorder", "BWC-0001", *undrawable]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    answers = [one for one in scene.desk.take(scene.offer()) if read_topic(one.topic).name is Down.ASSIGN]
    assigned = read_entry(answers[0].payload.decode()).fields
    assert Officer.from_fields(assigned) == Officer("110124", "李四", "交警二大队", "xuchang")
    assert main(["dock", "head", station, "--out", str(tmp_path / "head")]) == 0
    assert sorted(path.name for path in (tmp_path / "head").iterdir()) == sorted(head_files(scene.folder))
