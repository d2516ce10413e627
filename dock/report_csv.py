"""A report as one flat table for spreadsheets: every row has the same columns, so it can be filtered and summed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from dock.report import Report
from dock.report_words import STANDING_WORDS, USE_WORDS, cause_words, reason_words, seconds
from evidence.account import Use
from evidence.regimes.gathering import Shift
from evidence.regimes.model import Words
from evidence.regimes.shown import last_day, verdict_words, wall_time

COLUMNS = (
    "部分 section", "日期 date", "班次 shift", "执法人员 officer", "单位 unit", "对象 about", "项目 item",
    "数值 value", "结论 verdict", "期限 until", "说明 note",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet run a cell (OWASP, CSV injection)."""


def report_csv(report: Report) -> bytes:
    """UTF-8 with a byte order mark, without which Excel takes Chinese for something else."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in row] for row in _rows(report))
    return file.getvalue().encode("utf-8-sig")


def _rows(report: Report) -> Iterator[Iterable[str]]:
    for shift in report.shifts:
        for use in Use:
            yield (
                *_home("时间 time", shift),
                shift.recorder,
                _both(USE_WORDS[use]),
                seconds(shift.account.total_us(use)),
                "",
                "",
                "秒 s",
            )
    for one in report.broken:
        broken = one.interruption
        item, note = _both(cause_words(broken.cause, broken.part)), _both(reason_words(broken.reason))
        state = _both(STANDING_WORDS[broken.state])
        yield *_home("中断 break", one.shift), broken.interruption, item, seconds(one.length_us), state, "", note
    for found in report.findings:
        home = _home("条款 article", report.homes.get(found.subject))
        item, verdict = f"{found.cites} {found.check}", _both(verdict_words(found.verdict))
        yield *home, found.subject, item, "", verdict, last_day(found.deadline_us), _both(found.why)


def _home(section: str, shift: Shift | None) -> tuple[str, ...]:
    if shift is None:
        return section, "", "", "", ""
    officer = shift.officer
    who = ("", "") if officer is None else (f"{officer.name} {officer.number}", officer.unit)
    return section, wall_time(shift.began)[:10], shift.name, *who


def _both(words: Words) -> str:
    return words.zh if words.zh == words.en else f"{words.zh} {words.en}"


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
