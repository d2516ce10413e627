"""`liuhen dock findings`: for a clerk, for machines, and by its exit code."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from dock.findings import judge_folder
from dock.findings_command import print_judged
from dock.folder import DockFolder
from evidence.io.command import main
from tests.dock.fake_recorder import FakeRecorder, make_dock
from tests.dock.test_filing import MORE, OFFICER, RECORDING, Scene
from tests.regimes.days import at


def told(scene: Scene, *regimes: str, wide: int = 160) -> str:
    """What a clerk reads two days after."""
    console = Console(file=io.StringIO(), width=wide, color_system=None)
    print_judged(judge_folder(scene.folder, regimes, at("2026-11-23 09:00")), 7, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.record()
    return scene


def test_a_clerk_reads_article_verdict_reason_and_what_comes_due(scene: Scene) -> None:
    text = told(scene, "xuchang")
    assert "许昌市人民防空办公室" in text
    assert "xuchang art. 17" in text
    assert "案件当事人" in text
    assert "the classification (cause, party)" in text
    assert "7日内到期 due within 7 days" in text
    assert "art. 1 " not in text, "what is not for this system is left out"


def test_of_several_regulations_the_strictest_counts_and_says_why(scene: Scene) -> None:
    assert "从严适用" not in told(scene, "xuchang")
    text = told(scene, "pingluo", "xuchang", wide=300)
    assert (
        "xuchang art. 11: broken (2026-11-21), which is the strictest (beside pingluo art. 9: open until (2026-11-24))"
        in text
    )


def test_the_exit_code_tells_a_broken_article_and_machines_get_everything(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scene.run("findings", "--regime", "xuchang", "--json") == 1
    fields = json.loads(capsys.readouterr().out)
    assert set(fields) == {"at", "regimes", "counts", "findings", "due", "rulings"}
    (one,) = [one for one in fields["findings"] if one["check"] == "classified"]
    assert (one["article"], one["subject"], one["verdict"]) in (
        ("17", RECORDING, "open until"), ("17", RECORDING, "broken"),
    )  # fmt: skip
    assert {kind for _, _, kind, _ in one["proofs"]} == set()
    assert scene.run("classify", RECORDING, *MORE) == 0
    capsys.readouterr()
    scene.run("findings", "--regime", "xuchang", "--json")
    (one,) = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["check"] == "classified"]
    assert (one["verdict"], [kind for _, _, kind, _ in one["proofs"]]) == ("met", ["classified"])


def test_nothing_broken_is_exit_code_0(tmp_path: Path) -> None:
    folder = make_dock(tmp_path / "empty")
    assert main(["dock", "findings", str(folder.root), "--regime", "general"]) == 0


def test_the_regulations_are_those_that_officers_are_assigned_under(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_dock(tmp_path / "station")
    assert main(["dock", "findings", str(folder.root)]) == 2
    assert "give --regime" in capsys.readouterr().err
    FakeRecorder("BWC-0002").enrol(folder, None)
    given = ["--recorder", "BWC-0002", "--officer", OFFICER.number, OFFICER.name, OFFICER.unit, "--regime", "weixian"]
    assert main(["dock", "assign", str(folder.root), *given]) == 0
    capsys.readouterr()
    assert main(["dock", "findings", str(folder.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["regimes"] == ["weixian"]


def test_a_line_that_is_just_being_written_is_left_for_the_next_time(scene: Scene) -> None:
    journal = DockFolder(scene.folder.root).journal("BWC-0001")
    whole = judge_folder(scene.folder, ["xuchang"], at("2026-11-23 09:00"))
    with journal.open("ab") as file:
        file.write(b"eyJhbGciOi")
    assert judge_folder(scene.folder, ["xuchang"], at("2026-11-23 09:00")) == whole
