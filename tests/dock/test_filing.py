"""What people tell the dock: filled in where a machine knows it, asked for where not, an entry each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dock.filing import Classification, FilingDesk, utc_of
from dock.folder import DockFolder
from evidence.errors import BadInputError
from evidence.io.command import main
from evidence.io.durable import PosixDisc
from evidence.model import Officer
from tests.dock.desk import Desk, dock_entries
from tests.dock.fake_recorder import BOOT, FakeRecorder, StillClock, make_dock

RECORDING = f"{BOOT[:12]}-r0001"
OFFICER = Officer("110123", "张三", "交警一大队")
MORE = ["--party", "李四", "--cause", "占用消防通道", "--author", "110200"]


class Scene:
    """A dock with one recorder that has recorded once and given its journal."""

    def __init__(self, root: Path) -> None:
        self.folder = make_dock(root / "station")
        self.recorder = FakeRecorder("BWC-0001")
        self.recorder.enrol(self.folder)
        self.recorder.add("power_on", {"software": "test", "previous_end": "none"})

    def record(self, officer: Officer | None = OFFICER, *, stop: bool = True) -> None:
        if officer is not None:
            self.recorder.add("sign_on", officer.to_fields())
        number = None if officer is None else officer.number
        self.recorder.add("recording_started", {"recording": RECORDING, "trigger": "button", "officer": number})
        self.recorder.record()
        if stop:
            fields = {"recording": RECORDING, "trigger": "button", "ended_boot_us": self.recorder.clock.ticks_us}
            self.recorder.add("recording_stopped", fields)
        desk = Desk(self.folder)
        desk.take(self.recorder.journal_message())
        desk.close()

    def run(self, verb: str, *arguments: str) -> int:
        return main(["dock", verb, str(self.folder.root), *arguments])


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_what_a_recorder_knows_is_filled_in_and_the_rest_is_asked_for(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.record()
    assert scene.run("classify", "--json") == 0
    (asked,) = json.loads(capsys.readouterr().out)
    assert asked == {"recording": RECORDING, "recorder": "BWC-0001", "missing": ["cause", "party"]}
    assert scene.run("classify", RECORDING, "--party", "李四", "--author", "110200") == 2
    assert "lacks cause" in capsys.readouterr().err
    assert scene.run("classify", RECORDING, *MORE) == 0
    (entry,) = dock_entries(scene.folder, "classified")
    said = {name: entry.fields[name] for name in ("unit", "officer", "party", "cause")}
    assert said == {"unit": "交警一大队", "officer": "110123", "party": "李四", "cause": "占用消防通道"}
    assert entry.fields["used_from"] < entry.fields["used_to"]
    capsys.readouterr()
    assert scene.run("classify") == 0
    assert "everything is classified" in capsys.readouterr().out


def test_a_classification_is_corrected_only_on_purpose(scene: Scene) -> None:
    scene.record()
    assert [scene.run("classify", RECORDING, *MORE, *again) for again in ([], [], ["--again"])] == [0, 2, 0]
    assert len(dock_entries(scene.folder, "classified")) == 2


def test_where_nobody_signed_on_and_no_clock_was_set_all_of_it_is_asked_for(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.record(officer=None)
    assert scene.run("classify", RECORDING, *MORE) == 2
    assert "give --unit, --officer" in capsys.readouterr().err
    assert scene.run("classify", RECORDING, *MORE, "--unit", "交警一大队", "--officer", "110123") == 0


def test_what_still_runs_or_is_not_known_is_not_classified(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.record(stop=False)
    assert scene.run("classify", RECORDING, *MORE) == 2
    assert scene.run("classify", f"{BOOT[:12]}-r0009", *MORE) == 2
    assert scene.run("classify", RECORDING, "--party", "李四") == 2
    still, unknown, nobody = capsys.readouterr().err.splitlines()
    assert "still being recorded" in still
    assert "none that this dock has been told of" in unknown
    assert "give --author" in nobody


def test_a_classification_says_what_is_missing_and_time_has_two_ends() -> None:
    told = Classification(party="李四", used_from="2026-11-25T00:00:00.000000Z")
    assert told.missing == ("unit", "officer", "cause", "time_of_use")
    full = Classification("王五", "案由", "单位", "1", None, "2026-11-25T01:00:00.000000Z").over(told)
    assert (full.party, full.missing) == ("李四", ())


def test_a_recording_does_not_end_before_it_begins(scene: Scene) -> None:
    scene.record()
    desk = FilingDesk(scene.folder, PosixDisc(), StillClock())
    told = Classification("李四", "案由", used_to=utc_of("2020-01-01 00:00"))
    with pytest.raises(BadInputError, match="ends before it begins"):
        desk.classify(RECORDING, told, "110200")


def test_the_list_of_matters_is_kept_and_what_it_lacks_is_found(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.record()
    matters = tmp_path / "matters.csv"
    verdicts = []
    for text in ("行政处罚,现场检查,调查取证,\n", "\ufeff行政处罚,现场检查,调查取证,音像记录\n"):
        matters.write_text(text, encoding="utf-8")
        assert scene.run("items", str(matters), "--author", "110200") == 0
        capsys.readouterr()
        scene.run("findings", "--regime", "pingluo", "--json")
        found = json.loads(capsys.readouterr().out)["findings"]
        verdicts += [one["verdict"] for one in found if one["check"] == "item_list"]
    assert verdicts == ["broken", "met"]
    for wrong in ("", "行政处罚,现场检查\n", ",a,b,c\n"):
        matters.write_text(wrong, encoding="utf-8")
        assert scene.run("items", str(matters), "--author", "110200") == 2
    matters.write_bytes("行政处罚,a,b,c\n".encode("gb18030"))
    assert scene.run("items", str(matters), "--author", "110200") == 2


def test_reviews_duty_elsewhere_and_the_archive_are_entries(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.record()
    told = ["--author", "110200"]
    assert scene.run("review", RECORDING, "--said", "time", "place", "time", *told) == 0
    assert scene.run("archived", "2026-11", "--medium", "光盘 1", *told) == 0
    left = ["--recorder", "BWC-0001", "--left", "2026-11-21 08:00", "--reason", "异地执法"]
    assert scene.run("away", *left, *told) == 0
    assert scene.run("away", *left, "--returned", "2026-11-24 18:00", *told) == 0
    kinds = {kind: dock_entries(scene.folder, kind) for kind in ("reviewed", "archived", "away")}
    assert kinds["reviewed"][0].fields["said"] == ["place", "time"]
    assert [one.fields["returned"] for one in kinds["away"]] == [None, "2026-11-24T10:00:00.000000Z"]
    assert scene.run("archived", "2026-13", "--medium", "x", *told) == 2
    assert scene.run("away", "--recorder", "BWC-0002", *left[2:], *told) == 2
    assert scene.run("away", *left, "--returned", "2026-11-20 18:00", *told) == 2
    assert scene.run("away", *left[:2], "--left", "yesterday", *left[4:], *told) == 2
    assert capsys.readouterr().err.count("\n") == 4


def test_a_folder_that_is_no_dock_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dock", "classify", str(tmp_path)]) == 2
    assert main(["dock", "findings", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 2
    assert not DockFolder(tmp_path).vault.exists()
