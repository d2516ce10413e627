"""Health cards at the dock: only a recorder's own, only the latest, and never in the way of evidence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dock.folder import DockFolder
from dock.health import heard, state_of
from evidence.health import HealthCard, Item, State, read_card, sign_card
from evidence.io.command import main
from evidence.journal import sign_token
from evidence.model import ClockGrade, Timestamp
from evidence.signing import KeySigner
from evidence.wire import Topic, Up
from tests.dock.desk import Desk, Uplink, dock_entries, offload
from tests.dock.fake_recorder import BOOT, FakeRecorder, make_dock

NOW_US = 1_795_267_085_000_000


@pytest.fixture
def folder(tmp_path: Path) -> DockFolder:
    return make_dock(tmp_path / "station")


def enrolled(folder: DockFolder, name: str = "BWC-0001") -> FakeRecorder:
    recorder = FakeRecorder(name)
    recorder.enrol(folder)
    return recorder


def card(device: str, seq: int = 7, boot_us: int = 1000, state: State = State.OK, boot: str = BOOT) -> HealthCard:
    at = Timestamp(NOW_US, 480, ClockGrade.NTP, None, boot, boot_us)
    items = (Item("camera", State.OK, "running", "none", ""), Item("card room", state, "9 min", "< 15 min", "Dock it."))
    return HealthCard(device, at, "liuhen 0.1.0", seq, items)


def message(recorder: FakeRecorder, said: HealthCard, by: FakeRecorder | None = None) -> tuple[str, bytes]:
    token = sign_card(KeySigner((by or recorder).signing), said)
    return Topic(recorder.device, Up.HEALTH).text(), token.encode()


def kept(folder: DockFolder, recorder: FakeRecorder) -> HealthCard | None:
    path = folder.health(recorder.device)
    key = KeySigner(recorder.signing).verify_key
    return read_card(path.read_text().strip(), key, recorder.device) if path.exists() else None


def test_the_latest_card_is_kept_and_nobody_is_answered(folder: DockFolder) -> None:
    recorder, desk = enrolled(folder), Desk(folder)
    later = card(recorder.device, seq=8, state=State.WARNING)
    assert desk.take(message(recorder, card(recorder.device)), message(recorder, later)) == []
    assert kept(folder, recorder) == later
    desk.close()


ORDERS = {
    "the same again": ((7, 1000, BOOT), False),
    "later in the boot": ((7, 1001, BOOT), True),
    "earlier in the boot": ((7, 999, BOOT), False),
    "with more entries": ((8, 1, "f" * 32), True),
    "with fewer entries": ((6, 9999, "f" * 32), False),
}


@pytest.mark.parametrize("case", ORDERS)
def test_a_card_that_the_broker_kept_never_hides_a_newer_one(folder: DockFolder, case: str) -> None:
    recorder, desk = enrolled(folder), Desk(folder)
    (seq, boot_us, boot), newer = ORDERS[case]
    first, second = card(recorder.device), card(recorder.device, seq, boot_us, State.CRITICAL, boot)
    desk.take(message(recorder, first))
    desk.take(message(recorder, second))
    assert kept(folder, recorder) == (second if newer else first)
    desk.close()


def test_what_is_not_its_own_card_is_dropped_and_is_no_matter_for_the_journal(folder: DockFolder) -> None:
    recorder, other, desk = enrolled(folder), enrolled(folder, "BWC-0002"), Desk(folder)
    topic = Topic(recorder.device, Up.HEALTH).text()
    signer = KeySigner(recorder.signing)
    wrong = [
        message(recorder, card(recorder.device), by=other)[1],
        message(recorder, card(other.device))[1],
        recorder.tokens[0].encode(),
        b"",
        b"\xff\x00\n",
        b"a" * 300_000,
        sign_token(signer, "liuhen-health", {"v": 2}).encode(),
        sign_token(signer, "liuhen-health", {"v": 1, "device": recorder.device}).encode(),
    ]
    assert desk.take(*((topic, payload) for payload in wrong)) == []
    assert kept(folder, recorder) is None
    assert dock_entries(folder, "rejected") == []
    assert not folder.quarantine(recorder.device).exists()
    recorder.record()
    offload(desk, Uplink(recorder))
    desk.close()


def test_a_recorder_that_is_not_enrolled_is_not_heard(folder: DockFolder) -> None:
    stranger, desk = FakeRecorder("BWC-0666"), Desk(folder)
    desk.take(message(stranger, card(stranger.device)))
    assert not folder.health(stranger.device).exists()
    assert list(heard(folder, NOW_US)) == []
    desk.close()


def at_age(folder: DockFolder, recorder: FakeRecorder, hours: float) -> None:
    at_s = NOW_US / 1e6 - hours * 3600
    os.utime(folder.health(recorder.device), (at_s, at_s))


@pytest.mark.parametrize(
    ("hours", "state"), [(24, State.OK), (24.1, State.WARNING), (72, State.WARNING), (72.1, State.CRITICAL)]
)
def test_silence_is_trouble_too(folder: DockFolder, hours: float, state: State) -> None:
    recorder, desk = enrolled(folder), Desk(folder)
    desk.take(message(recorder, card(recorder.device)))
    at_age(folder, recorder, hours)
    (one,) = heard(folder, NOW_US)
    assert (one.age_s, state_of(one)) == (pytest.approx(hours * 3600), state)
    desk.close()


def test_a_technician_sees_all_recorders_worst_first(folder: DockFolder, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"BWC-0001": State.OK, "BWC-0002": State.CRITICAL, "BWC-0003": State.WARNING}
    desk = Desk(folder)
    for name, state in names.items():
        recorder = enrolled(folder, name)
        desk.take(message(recorder, card(name, state=state)))
    enrolled(folder, "BWC-0004")
    damaged = enrolled(folder, "BWC-0005")
    folder.health(damaged.device).write_text("noise\n")
    desk.close()
    assert main(["dock", "health", str(folder.root)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["BWC-0002", "critical"], ["BWC-0003", "warning"], ["BWC-0004", "unknown"], ["BWC-0005", "unknown"],
        ["BWC-0001", "ok"], ["dock", "ok"],
    ]  # fmt: skip
    assert [line.split("ago  ")[-1] for line in (lines[0], lines[4])] == ["card room: 9 min", "all well"]
    assert "nothing heard yet" in lines[2]
    assert "not a compact JWS" in lines[3]
    assert main(["dock", "health", str(folder.root), "--json"]) == 2
    fields = json.loads(capsys.readouterr().out)
    assert [(one["device"], one["state"]) for one in fields][:2] == [("BWC-0001", "ok"), ("BWC-0002", "critical")]
    assert fields[1]["troubles"] == [["card room", "critical", "9 min"]]
    assert fields[1]["card"]["items"][1]["todo"] == "Dock it."
    assert fields[3]["card"] is None


def test_a_folder_that_is_no_dock_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dock", "health", str(tmp_path)]) == 2
    assert "is no dock folder" in capsys.readouterr().err
