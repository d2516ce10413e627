"""A report on paper: the same content as the HTML, on A4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import repeat

from dock.paper import TITLE_PT, Bar, Cell, Column, Paper
from dock.report import Report
from dock.report_html import TITLE
from dock.report_words import (
    BAR_COLOUR,
    STANDING_WORDS,
    USE_COLOURS,
    USE_WORDS,
    VERDICT_COLOURS,
    cause_words,
    duration,
    reason_words,
)
from evidence.account import Account, Use
from evidence.model import EPOCH
from evidence.regimes.model import Finding, Verdict, Words
from evidence.regimes.shown import last_day, verdict_words, wall_time


def report_pdf(report: Report) -> bytes:
    """The whole file; the same report gives the same bytes."""
    paper = Paper(TITLE.zh, EPOCH + timedelta(microseconds=report.now.utc_us))
    _head(paper, report)
    _time(paper, report)
    _breaks(paper, report)
    _deadlines(paper, report)
    _articles(paper, report)
    return paper.output()


def _head(paper: Paper, report: Report) -> None:
    paper.heading(TITLE, TITLE_PT)
    rows = [*report.about, (Words("截至", "as of"), wall_time(report.now))]
    paper.pairs([*rows, *((Words("依据", "by"), f"{one.title}（{one.issuer}）") for one in report.regimes)])
    paper.y += 3
    shown = [(verdict, count) for verdict, count in report.counts.items() if count]
    paper.legend([(VERDICT_COLOURS[one], verdict_words(one), str(count)) for one, count in shown])


def _time(paper: Paper, report: Report) -> None:
    paper.heading(Words("时间账目", "Account of time"))
    paper.bar(Bar(tuple((report.totals[use], USE_COLOURS[use]) for use in Use), report.whole_us))
    paper.legend([(USE_COLOURS[use], USE_WORDS[use], duration(report.totals[use])) for use in Use])
    columns = (
        Column(Words("班次", "shift"), 36), Column(Words("执法人员", "officer"), 24),
        Column(Words("时间分布", "how the time went"), 74), Column(Words("已录", "recorded"), 20, numbers=True),
        Column(Words("未说明", "unexplained"), 20, numbers=True),
    )  # fmt: skip
    paper.y += 2
    paper.table(
        columns,
        (
            (
                Cell(wall_time(shift.began), shift.name),
                Cell("—" if shift.officer is None else shift.officer.name),
                Cell(bar=_strip(shift.account)),
                Cell(duration(shift.account.total_us(Use.RECORDED))),
                Cell(duration(shift.account.total_us(Use.UNEXPLAINED))),
            )
            for shift in report.shifts
        ),
    )


def _strip(account: Account) -> Bar:
    spans = tuple((span.end_us - span.start_us, USE_COLOURS[span.use]) for span in account.spans)
    return Bar(spans, account.end_us - account.start_us)


def _breaks(paper: Paper, report: Report) -> None:
    paper.heading(Words("中断", "Breaks"))
    if not report.broken:
        paper.paragraph(Words("无中断", "no recording broke"))
        return
    longest = max(row.length_us for row in report.causes)
    columns = (
        Column(Words("设备记录的原因", "machine cause"), 54), Column(Words("", ""), 66),
        Column(Words("次数", "times"), 15, numbers=True), Column(Words("时长", "length"), 22, numbers=True),
        Column(Words("未说明", "unsaid"), 17, numbers=True),
    )  # fmt: skip
    rows = (
        (
            Cell.of(row.cause), Cell(bar=Bar(((row.length_us, BAR_COLOUR),), longest)), Cell(str(row.count)),
            Cell(duration(row.length_us)), Cell(str(row.unsaid)),
        )
        for row in report.causes
    )  # fmt: skip
    paper.table(columns, rows)
    paper.y += 3
    _each_break(paper, report)


def _each_break(paper: Paper, report: Report) -> None:
    columns = (
        Column(Words("编号", "id"), 40), Column(Words("设备记录的原因", "machine cause"), 40),
        Column(Words("执法人员说明", "reason given"), 34), Column(Words("时长", "length"), 20, numbers=True),
        Column(Words("状态", "state"), 40),
    )  # fmt: skip
    rows = (
        (
            Cell(one.interruption.interruption),
            Cell.of(cause_words(one.interruption.cause, one.interruption.part)),
            Cell.of(reason_words(one.interruption.reason)),
            Cell(duration(one.length_us)),
            Cell.of(STANDING_WORDS[one.interruption.state]),
        )
        for one in report.broken
    )
    paper.table(columns, rows)


def _deadlines(paper: Paper, report: Report) -> None:
    paper.heading(Words("期限", "Deadlines"))
    columns = (
        Column(Words("事项", "duty"), 50), Column(Words("", ""), 52),
        Column(Words("按时", "in time"), 18, numbers=True), Column(Words("未到期", "open"), 18, numbers=True),
        Column(Words("逾期", "late"), 18, numbers=True), Column(Words("需核定", "for a person"), 18, numbers=True),
    )  # fmt: skip
    paper.table(
        columns,
        (
            (
                Cell.of(row.what),
                Cell(bar=_shares(row.met, row.open, row.late, row.person)),
                *(Cell(str(count)) for count in (row.met, row.open, row.late, row.person)),
            )
            for row in report.deadlines
        ),
    )
    if report.due:
        paper.y += 3
        paper.table(_DUE, map(_due_row, report.due, repeat(report)))


_DUE = (
    Column(Words("即将到期", "due until"), 24), Column(Words("条款", "article"), 30),
    Column(Words("事项", "what to do"), 82), Column(Words("对象", "about"), 38),
)  # fmt: skip


def _due_row(one: Finding, report: Report) -> Sequence[Cell]:
    about = Cell(report.who(one.subject), one.subject)
    return Cell(last_day(one.deadline_us)), Cell(one.cites), Cell.of(one.why), about


def _shares(*counts: int) -> Bar:
    order = (Verdict.MET, Verdict.OPEN, Verdict.BROKEN, Verdict.PERSON)
    pieces = tuple((count, VERDICT_COLOURS[verdict]) for count, verdict in zip(counts, order, strict=True))
    return Bar(pieces, sum(counts))


def _articles(paper: Paper, report: Report) -> None:
    paper.heading(Words("逐条结论", "Findings by article"))
    columns = (
        Column(Words("条款", "article"), 28), Column(Words("结论", "verdict"), 24),
        Column(Words("事项", "finding"), 64), Column(Words("对象", "about"), 38), Column(Words("期限", "until"), 20),
    )  # fmt: skip
    paper.table(columns, _lines(report))
    if report.people:
        paper.heading(Words("由人员办理", "For people"))
        why = Words("采集站无相关资料，须由人员核查的条款", "articles of which the dock knows nothing")
        paper.paragraph(Words(f"{why.zh}：{'、'.join(report.people)}", why.en))


def _lines(report: Report) -> Iterator[Sequence[Cell]]:
    for line in report.lines:
        yield (
            Cell(line.cites),
            Cell.of(verdict_words(line.verdict), VERDICT_COLOURS[line.verdict]),
            Cell.of(line.why),
            Cell(report.who(*line.subjects), line.about),
            Cell(last_day(line.deadline_us)),
        )
