"""Cases, acts and long-term evidence as a clerk tells the dock of them, and what the regulations then find."""

from __future__ import annotations

from pathlib import Path

import pytest

from dock.filing import FilingDesk
from dock.findings import judge_folder
from evidence.io.durable import PosixDisc
from evidence.regimes.calendar import day_of
from evidence.regimes.model import Verdict
from tests.dock.desk import dock_entries
from tests.dock.fake_recorder import BOOT, StillClock
from tests.dock.test_filing import RECORDING, Scene
from tests.regimes.days import at

CASE = "罚〔2026〕12号"
PARTY = ["--party", "李四", "--cause", "占用消防通道"]
TOLD = ["--author", "110200"]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.record()
    return scene


def found(
    scene: Scene, regime: str, check: str, subject: str, when: str = "2026-11-25 12:00"
) -> list[tuple[Verdict, str]]:
    """Verdict and last day of each finding of a check about something."""
    findings = judge_folder(scene.folder, [regime], at(when)).findings
    return [
        (one.verdict, "" if one.deadline_us is None else str(day_of(one.deadline_us - 1)))
        for one in findings if one.check == check and one.subject == subject
    ]  # fmt: skip


def test_a_case_is_counted_from_its_end_to_its_file(scene: Scene) -> None:
    assert found(scene, "pingluo", "case_file", "") == [(Verdict.PERSON, "")]
    assert scene.run("case", CASE, *PARTY, "--recording", RECORDING, *TOLD) == 0
    assert found(scene, "pingluo", "case_file", CASE) == [(Verdict.OPEN, "")]
    assert scene.run("case", CASE, *PARTY, "--ended", "2026-11-20 17:00", *TOLD) == 0
    assert found(scene, "pingluo", "case_file", CASE) == [(Verdict.OPEN, "2026-12-10")]
    assert found(scene, "changzhi", "case_file", CASE) == [(Verdict.OPEN, "2026-12-20")]
    assert found(scene, "general", "case_file", CASE) == [(Verdict.OPEN, "2026-12-31")]
    assert found(scene, "pingluo", "case_file", CASE, "2026-12-11 00:00") == [(Verdict.BROKEN, "2026-12-10")]
    FilingDesk(scene.folder, PosixDisc(), StillClock()).file_case(CASE, 10, "110200")
    (entry,) = dock_entries(scene.folder, "case_filed")
    assert entry.fields["years"] == 10
    (judged,) = found(scene, "general", "case_file", CASE, "2027-06-01 00:00")
    assert judged == (Verdict.MET, "2026-12-31"), "the clerk's clock, not the judge's, says when it was filed"


def test_each_recording_in_a_file_has_its_disc_and_its_notes(scene: Scene) -> None:
    scene.run("case", CASE, *PARTY, "--recording", RECORDING, "--ended", "2026-11-20 17:00", *TOLD)
    late = "2026-12-11 00:00"
    assert [verdict for verdict, _ in found(scene, "pingluo", "evidence_statement", CASE, late)] == [Verdict.BROKEN] * 2
    notes = ["--notes", "method", "time", "maker", "proves"]
    assert scene.run("exhibit", CASE, RECORDING, "--medium", "光盘 3", *notes, *TOLD) == 0
    verdicts = [verdict for verdict, _ in found(scene, "pingluo", "evidence_statement", CASE, late)]
    assert verdicts == [Verdict.MET, Verdict.BROKEN], "article 10 also wants what is said in it"
    assert scene.run("exhibit", CASE, RECORDING, "--location", "系统 A", *notes, "content", *TOLD) == 0
    verdicts = [verdict for verdict, _ in found(scene, "pingluo", "evidence_statement", CASE, late)]
    assert verdicts == [Verdict.BROKEN, Verdict.MET], "article 7 wants a disc, article 10 takes a place instead"


def test_an_act_has_recordings_or_an_excuse(scene: Scene) -> None:
    site = ["act", "现场检查", "--situation", "site_check"]
    assert scene.run(*site, *TOLD) == 0
    assert found(scene, "changzhi", "must_record", "现场检查") == [(Verdict.BROKEN, "")]
    assert scene.run(*site, "--excuse", "unsuitable", *TOLD) == 0
    assert found(scene, "changzhi", "must_record", "现场检查") == [(Verdict.MET, "")]
    assert scene.run(*site, "--recording", RECORDING, *TOLD) == 0
    assert found(scene, "changzhi", "must_record", "现场检查") == [(Verdict.MET, "")]
    assert found(scene, "general", "must_record", "现场检查") == [(Verdict.MET, "")]


def test_what_is_kept_for_long_wants_a_disc(scene: Scene) -> None:
    keep = ["keep-long", RECORDING, "--trigger", "objection", *TOLD]
    assert [scene.run(*keep), scene.run(*keep, "--medium", "光盘 4")] == [0, 0]
    assert [one.fields["medium"] for one in dock_entries(scene.folder, "long_term")] == [None, "光盘 4"]


def test_only_recordings_that_are_known_and_cases_that_were_named(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = f"{BOOT[:12]}-r0009"
    refused = (
        ["case", CASE, *PARTY, "--recording", unknown],
        ["case", CASE, *PARTY, "--ended", "soon"],
        ["act", "x", "--recording", unknown],
        ["keep-long", unknown, "--trigger", "other"],
        ["filed", CASE, "--for-ever"],
        ["exhibit", CASE, RECORDING],
    )
    assert [scene.run(*arguments, *TOLD) for arguments in refused] == [2] * len(refused)
    assert capsys.readouterr().err.count("\n") == len(refused)
    assert scene.run("case", CASE, *PARTY, *TOLD) == 0
    assert scene.run("exhibit", CASE, unknown, *TOLD) == 2
    assert scene.run("filed", CASE, "--years", "10", *TOLD) == scene.run("filed", CASE, "--for-ever", *TOLD) == 0
    assert [one.fields["years"] for one in dock_entries(scene.folder, "case_filed")] == [10, None]
