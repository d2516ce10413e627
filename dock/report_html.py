"""A report as one HTML file: no script, nothing from elsewhere, charts as inline SVG; it also prints well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from dock.report import Report
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
from evidence.regimes.model import Verdict, Words
from evidence.regimes.shown import last_day, verdict_words, wall_time

TITLE = Words("行政执法全过程记录情况报告", "Report on the recording of enforcement")
STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.55 "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif;
  color: #23292e; background: #fff; max-width: 62rem; margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; font-weight: 600; margin: 0; }
h2 { font-size: 1.1rem; font-weight: 600; margin: 2.4rem 0 .6rem; padding-bottom: .3rem;
  border-bottom: 1px solid #cfd6db; }
.en { color: #6b757d; font-size: .86em; font-weight: 400; }
p.en { margin: .1rem 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 1.2rem 0; }
dt { color: #6b757d; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; margin-top: .9rem; } tr { break-inside: avoid; }
th { text-align: left; font-weight: 600; font-size: .86em; color: #4a545b; border-bottom: 1px solid #cfd6db; }
th, td { padding: .35rem .8rem .35rem 0; vertical-align: top; } td { border-bottom: 1px solid #eceff1; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.id { font-size: .86em; color: #4a545b; overflow-wrap: anywhere; } .keep { white-space: nowrap; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; }
.card { border: 1px solid #dde2e6; border-radius: .4rem; padding: .5rem 1rem; min-width: 7rem; }
.card b { display: block; font-size: 1.5rem; font-weight: 600; }
svg { display: block; width: 100%; } .legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: .5rem 0 0; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border: 1px solid #c5ccd1; margin-right: .4rem;
  vertical-align: -.08rem; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } }
"""


def report_html(report: Report) -> str:
    """The whole file."""
    parts = [
        _head(report), _time(report), _breaks(report), _deadlines(report), _articles(report), _people(report),
    ]  # fmt: skip
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(TITLE.zh)}</title><style>{STYLE}</style></head>\n<body>{''.join(parts)}</body></html>\n"
    )


def _head(report: Report) -> str:
    rows = [*report.about, (Words("截至", "as of"), wall_time(report.now))]
    rows += [(Words("依据", "by"), f"{one.title}（{one.issuer}）") for one in report.regimes]
    facts = "".join(f"<dt>{_both(label)}</dt><dd>{escape(value)}</dd>" for label, value in rows)
    cards = "".join(
        f'<div class="card"><b style="color:{VERDICT_COLOURS[verdict]}">{count}</b>'
        f"{_both(verdict_words(verdict))}</div>"
        for verdict, count in report.counts.items()
        if count or verdict in (Verdict.BROKEN, Verdict.OPEN)
    )
    return f'<h1>{escape(TITLE.zh)}</h1><p class="en">{TITLE.en}</p><dl>{facts}</dl><div class="cards">{cards}</div>'


def _time(report: Report) -> str:
    legend = "".join(
        f'<span><i style="background:{USE_COLOURS[use]}"></i>{_both(USE_WORDS[use])} '
        f'<span class="keep">{duration(report.totals[use])}</span></span>'
        for use in Use
    )
    rows = "".join(
        f'<tr><td class="keep">{escape(wall_time(shift.began))}<br><span class="en">{escape(shift.name)}</span></td>'
        f"<td>{escape('—' if shift.officer is None else shift.officer.name)}</td>"
        f'<td style="width:50%">{_strip(shift.account)}</td>'
        f'<td class="n">{duration(shift.account.total_us(Use.RECORDED))}</td>'
        f'<td class="n">{duration(shift.account.total_us(Use.UNEXPLAINED))}</td></tr>'
        for shift in report.shifts
    )
    heads = _heads(
        Words("班次", "shift"), Words("执法人员", "officer"), Words("时间分布", "how the time went"),
        Words("已录", "recorded"), Words("未说明", "unexplained"), numbers=2,
    )  # fmt: skip
    return (
        f"{_h2(Words('时间账目', 'Account of time'))}{_total(report)}<div class='legend'>{legend}</div>"
        f"<table>{heads}{rows}</table>"
    )


def _total(report: Report) -> str:
    widths = [(report.totals[use], USE_COLOURS[use]) for use in Use]
    return _bar(widths, report.whole_us, 22)


def _strip(account: Account) -> str:
    """What every instant of a shift was, from left to right."""
    spans = [(span.end_us - span.start_us, USE_COLOURS[span.use]) for span in account.spans]
    return _bar(spans, account.end_us - account.start_us, 14)


def _bar(pieces: Iterable[tuple[int, str]], whole: int, height: int) -> str:
    drawn, x = [], 0.0
    for part, colour in pieces:
        width = 1000 * part / max(1, whole)
        drawn.append(f'<rect x="{x:.2f}" y="0" width="{width:.2f}" height="{height}" fill="{colour}"/>')
        x += width
    frame = f'<rect x="0" y="0" width="1000" height="{height}" fill="none" stroke="#c5ccd1"/>'
    shape = f'viewBox="0 0 1000 {height}" height="{height}" preserveAspectRatio="none" role="img"'
    return f"<svg {shape}>{''.join(drawn)}{frame}</svg>"


def _breaks(report: Report) -> str:
    title = _h2(Words("中断", "Breaks"))
    if not report.broken:
        return f"{title}<p>{_both(Words('无中断', 'no recording broke'))}</p>"
    longest = max(row.length_us for row in report.causes)
    causes = "".join(
        f"<tr><td>{_both(row.cause)}</td>"
        f'<td style="width:45%">{_bar([(row.length_us, BAR_COLOUR)], longest, 14)}</td>'
        f'<td class="n">{row.count}</td><td class="n">{duration(row.length_us)}</td>'
        f'<td class="n">{row.unsaid}</td></tr>'
        for row in report.causes
    )
    heads = _heads(
        Words("设备记录的原因", "machine cause"), Words("", ""), Words("次数", "times"), Words("时长", "length"),
        Words("未说明", "unsaid"), numbers=3,
    )  # fmt: skip
    return f"{title}<table>{heads}{causes}</table>{_each_break(report)}"


def _each_break(report: Report) -> str:
    rows = "".join(
        f'<tr><td class="id">{escape(one.interruption.interruption)}</td>'
        f"<td>{_both(cause_words(one.interruption.cause, one.interruption.part))}</td>"
        f"<td>{_both(reason_words(one.interruption.reason))}</td>"
        f'<td class="n">{duration(one.length_us)}</td><td>{_both(STANDING_WORDS[one.interruption.state])}</td></tr>'
        for one in report.broken
    )
    heads = _heads(
        Words("编号", "id"), Words("设备记录的原因", "machine cause"), Words("执法人员说明", "reason given"),
        Words("时长", "length"), Words("状态", "state"),
    )  # fmt: skip
    return f"<table>{heads}{rows}</table>"


def _deadlines(report: Report) -> str:
    rows = "".join(
        f'<tr><td>{_both(row.what)}</td><td style="width:35%">'
        f"{_bar(_shares(row.met, row.open, row.late, row.person), row.met + row.open + row.late + row.person, 14)}</td>"
        + "".join(f'<td class="n">{count}</td>' for count in (row.met, row.open, row.late, row.person))
        + "</tr>"
        for row in report.deadlines
    )
    heads = _heads(
        Words("事项", "duty"), Words("", ""), Words("按时", "in time"), Words("未到期", "open"), Words("逾期", "late"),
        Words("需核定", "for a person"), numbers=4,
    )  # fmt: skip
    return f"{_h2(Words('期限', 'Deadlines'))}<table>{heads}{rows}</table>{_due(report)}"


def _shares(*counts: int) -> list[tuple[int, str]]:
    order = (Verdict.MET, Verdict.OPEN, Verdict.BROKEN, Verdict.PERSON)
    return [(count, VERDICT_COLOURS[verdict]) for count, verdict in zip(counts, order, strict=True)]


def _due(report: Report) -> str:
    rows = "".join(
        f'<tr><td class="keep">{last_day(one.deadline_us)}</td><td class="keep">{escape(one.cites)}</td>'
        f'<td>{_stacked(one.why)}</td><td class="id">{_named(report.who(one.subject), one.subject)}</td></tr>'
        for one in report.due
    )
    if not rows:
        return ""
    heads = _heads(
        Words("即将到期", "due until"), Words("条款", "article"), Words("事项", "what to do"), Words("对象", "about")
    )
    return f"<table>{heads}{rows}</table>"


def _articles(report: Report) -> str:
    heads = _heads(
        Words("条款", "article"), Words("结论", "verdict"), Words("事项", "finding"), Words("对象", "about"),
        Words("期限", "until"),
    )  # fmt: skip
    return f"{_h2(Words('逐条结论', 'Findings by article'))}<table>{heads}{''.join(_lines(report))}</table>"


def _lines(report: Report) -> Iterator[str]:
    before = ""
    for line in report.lines:
        cites = "" if line.cites == before else line.cites
        before = line.cites
        yield (
            f'<tr><td class="keep">{escape(cites)}</td>'
            f'<td class="keep" style="color:{VERDICT_COLOURS[line.verdict]}">'
            f"{_stacked(verdict_words(line.verdict))}</td>"
            f'<td>{_stacked(line.why)}</td><td class="id">{_named(report.who(*line.subjects), line.about)}</td>'
            f'<td class="keep">{last_day(line.deadline_us)}</td></tr>'
        )


def _people(report: Report) -> str:
    if not report.people:
        return ""
    title = Words("由人员办理", "For people")
    why = Words("采集站无相关资料，须由人员核查的条款", "articles of which the dock knows nothing")
    return f"{_h2(title)}<p>{_both(why)}：{escape('、'.join(report.people))}</p>"


def _h2(words: Words) -> str:
    return f"<h2>{_both(words)}</h2>"


def _heads(*names: Words, numbers: int = 0) -> str:
    """The head of a table, whose last `numbers` columns hold numbers."""
    first = len(names) - numbers
    cells = (f"<th{' class=n' if place >= first else ''}>{_both(one)}</th>" for place, one in enumerate(names))
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _both(words: Words) -> str:
    if words.zh == words.en:
        return escape(words.zh)
    return f'{escape(words.zh)} <span class="en">{escape(words.en)}</span>'


def _named(who: str, name: str) -> str:
    """A thing by its day and officer, where there is one, and by its name."""
    return f"{escape(who)}<br>{escape(name)}" if who else escape(name)


def _stacked(words: Words) -> str:
    return f'{escape(words.zh)}<br><span class="en">{escape(words.en)}</span>'
