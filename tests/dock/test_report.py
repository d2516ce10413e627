"""A report for a head of unit: what it is about, that it adds up, and that each kind of paper can be read again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dock.findings import Judged, judge_folder
from dock.folder import DockFolder
from dock.paper import wrapped
from dock.report import Report, Selection, make_report
from dock.report_csv import COLUMNS, report_csv
from dock.report_html import report_html
from dock.report_pdf import report_pdf
from evidence.account import Use
from evidence.errors import BadInputError
from evidence.io.command import main
from tests.dock.test_filing import Scene
from tests.regimes.days import at
from tests.regimes.lived import bad_day, lived_root

OFFICER, UNIT = "640221-0117", "平罗县退役军人事务局"
SHIFT = "LH-000001-s0001"
VOID = ("meta", "br")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """The bad day of `tests.regimes.lived`, four days later, by two regulations."""
    folder = DockFolder(bad_day(lived_root(tmp_path_factory)))
    return judge_folder(folder, ["pingluo", "xuchang"], at("2026-11-29 12:00"))


@pytest.fixture(scope="module")
def report(judged: Judged) -> Report:
    return make_report(judged, Selection(unit=UNIT, month="2026-11"))


def test_a_report_counts_what_was_lived(report: Report) -> None:
    assert [shift.name for shift in report.shifts] == [SHIFT]
    assert sum(report.totals.values()) == report.whole_us > 0
    (broken,) = report.broken
    assert 160_000_000 < broken.length_us < 170_000_000
    assert [(row.cause.en, row.count, row.unsaid) for row in report.causes] == [("power loss", 1, 1)]
    deadlines = {row.what.en: (row.met, row.open, row.late, row.person) for row in report.deadlines}
    assert deadlines["offload"] == (0, 0, 1, 0)
    assert deadlines["monthly archive"] == (0, 1, 0, 0)
    assert [one.check for one in report.due] == ["monthly_archive"]
    assert "pingluo art. 10" in report.people


def test_a_report_holds_only_what_it_is_about(judged: Judged) -> None:
    for selection in (Selection(shift=SHIFT), Selection(officer=OFFICER)):
        checks = {one.check for one in make_report(judged, selection).findings}
        assert "offload" in checks
        assert not checks & {"item_list", "spot_check", "monthly_archive"}
        assert make_report(judged, selection).people == ()
    assert {"item_list", "spot_check"} <= {one.check for one in make_report(judged, Selection()).findings}


@pytest.mark.parametrize(
    "selection",
    [Selection(shift="LH-000001-s0009"), Selection(officer="1"), Selection(unit="x"), Selection(month="2026-10"),
     Selection(officer=OFFICER, month="2026-12")],
)  # fmt: skip
def test_what_fits_nothing_is_refused(judged: Judged, selection: Selection) -> None:
    with pytest.raises(BadInputError, match="fits no shift"):
        make_report(judged, selection)


class Tags(HTMLParser):
    """Sees that every tag is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onload"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        assert attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_is_whole_and_needs_nothing_from_elsewhere(report: Report) -> None:
    text = report_html(report)
    tags = Tags(text)
    assert tags.open == []
    assert tags.names.count("svg") >= 4
    assert not {"script", "link", "img", "iframe"} & set(tags.names)
    assert "http" not in text
    assert "url(" not in text
    for words in (UNIT, "张建国", "未作开场说明", "no statement was spoken", "意外断电"):
        assert words in text


def test_the_bars_of_the_html_are_as_long_as_the_time_that_they_show(report: Report) -> None:
    whole = re.search(r"<svg[^>]*>(.*?)</svg>", report_html(report))
    assert whole is not None
    widths = [float(width) for width in re.findall(r'width="([0-9.]+)" height="22" fill="#', whole[1])]
    assert widths == pytest.approx([1000 * report.totals[use] / report.whole_us for use in Use], abs=0.01)


def test_what_people_wrote_is_text_in_the_html_and_no_formula_in_the_table(tmp_path: Path) -> None:
    from evidence.model import Officer

    scene = Scene(tmp_path)
    scene.record(Officer("=1+1", "<b>张三</b>", "@交警"))
    found = make_report(judge_folder(scene.folder, ["pingluo"], at("2026-11-23 09:00")), Selection(officer="=1+1"))
    text = report_html(found)
    assert "&lt;b&gt;张三&lt;/b&gt;" in text
    assert "<b>张三" not in text
    units = {row["单位 unit"] for row in table(found)}
    assert units == {"'@交警"}


def table(found: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_csv(found).decode("utf-8-sig"), newline="")))


def test_the_table_has_a_mark_for_excel_one_form_and_adds_up(report: Report) -> None:
    assert report_csv(report).startswith(b"\xef\xbb\xbf")
    rows = table(report)
    assert {tuple(row) for row in rows} == {COLUMNS}
    times = [row for row in rows if row["部分 section"] == "时间 time"]
    assert sum(float(row["数值 value"]) for row in times) == pytest.approx(report.whole_us / 1e6, abs=0.003)
    assert len([row for row in rows if row["部分 section"] == "条款 article"]) == len(report.findings)
    assert {row["执法人员 officer"] for row in times} == {f"张建国 {OFFICER}"}


def pages(data: bytes) -> Iterable[str]:
    document = pypdfium2.PdfDocument(data)
    for page in document:
        yield page.get_textpage().get_text_range()
    document.close()


def test_the_pdf_can_be_read_by_another_program_and_is_the_same_each_time(report: Report) -> None:
    made = report_pdf(report)
    assert made == report_pdf(report)
    read = list(pages(made))
    text = "".join(read)
    for words in ("行政执法全过程记录情况报告", UNIT, "张建国", "未作开场说明", "意外断电", "For people"):
        assert words in text
    for number, page in enumerate(read, 1):
        assert f"{number} / {len(read)}" in page
    assert len(made) < 200_000, "of the font only the characters that are used"


@given(st.text("留痕，（）。abc def-", max_size=60), st.integers(2, 20))
def test_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    def measure(piece: str) -> int:
        return sum(1 if character.isascii() else 2 for character in piece)

    lines = wrapped(text, width, measure)
    assert all(measure(line) <= width for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)


def test_a_closing_sign_does_not_begin_a_line_and_an_opening_one_does_not_end_one() -> None:
    assert wrapped("执法记录，未说明", 4, len) == ["执法记", "录，未说", "明"]
    assert wrapped("执法记录（未说明）", 5, len) == ["执法记录", "（未说明）"]


def test_the_command_writes_what_the_name_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene(tmp_path)
    scene.record()
    begins = {"r.html": b"<!doctype html>", "r.pdf": b"%PDF-", "r.csv": b"\xef\xbb\xbf"}
    for name, begin in begins.items():
        assert scene.run("report", "--regime", "pingluo", "--month", "2026-11", "--out", str(tmp_path / name)) == 0
        assert (tmp_path / name).read_bytes().startswith(begin)
    assert scene.run("report", "--regime", "pingluo", "--out", str(tmp_path / "r.docx")) == 2
    assert "its name ends in .html" in capsys.readouterr().err
    assert main(["dock", "report", str(scene.folder.root), "--out", str(tmp_path / "r.pdf")]) == 2
