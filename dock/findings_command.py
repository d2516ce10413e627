"""`liuhen dock findings`: what the regulations find, what comes due, which of several counts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dock.clock import SystemClock
from dock.findings import Judged, judge_folder
from dock.folder import DockFolder
from evidence.regimes.facts import Moment
from evidence.regimes.judging import Ruling
from evidence.regimes.model import Finding, Verdict, Words
from evidence.regimes.shown import counts_of, finding_fields, last_day, lines_of, verdict_words, wall_time

WITHIN_DAYS = 7
EXIT_BROKEN = 1
FINDINGS_HELP = """\
Holds everything that this dock knows against the regulations: article by article, what comes due, and, where several
regulations speak of the same thing, which one counts and why. Times are those of China.

  liuhen dock findings station                          by the regulations that officers are assigned under
  liuhen dock findings station --regime pingluo --regime ours.toml --within 14

Exit codes: 0 everything is met, open or for a person, 1 something is broken, 2 it cannot be told.
"""
STYLES: Mapping[Verdict, str] = {
    Verdict.MET: "green", Verdict.OUTSIDE: "dim", Verdict.PERSON: "yellow", Verdict.OPEN: "cyan",
    Verdict.BROKEN: "bold red",
}  # fmt: skip


def add_findings_verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb behind `liuhen dock`."""
    raw = argparse.RawDescriptionHelpFormatter
    find = verbs.add_parser(
        "findings", help="what the regulations find", description=FINDINGS_HELP, formatter_class=raw
    )
    find.add_argument("folder", type=Path, metavar="DIR", help="the dock")
    add_regimes(find)
    find.add_argument("--within", type=int, default=WITHIN_DAYS, metavar="DAYS", help="what comes due within (7)")
    find.add_argument("--all", action="store_true", help="also the articles that are not for this system")
    find.add_argument("--json", action="store_true", help="for machines: one JSON object")
    find.set_defaults(act=_find)


def add_regimes(verb: argparse.ArgumentParser) -> None:
    """The option that names regulations, several times."""
    verb.add_argument("--regime", action="append", default=[], metavar="NAME", help="a regulation, or a file of yours")


def present() -> Moment:
    """Now, by this machine's clock."""
    now = SystemClock().now()
    return Moment(now.utc_us, now.grade)


def _find(arguments: argparse.Namespace) -> int:
    judged = judge_folder(DockFolder(arguments.folder), arguments.regime, present())
    if arguments.json:
        print(json.dumps(judged_fields(judged, arguments.within), ensure_ascii=False, indent=2))
    else:
        print_judged(judged, arguments.within, Console(), arguments.all)
    return EXIT_BROKEN if judged.broken else 0


def judged_fields(judged: Judged, within_days: int) -> dict[str, Any]:
    """For machines."""
    return {
        "at": wall_time(judged.now),
        "regimes": [one.name for one in judged.regimes],
        "counts": {verdict.value: count for verdict, count in counts_of(judged.findings).items()},
        "findings": [finding_fields(one) for one in judged.findings],
        "due": [finding_fields(one) for one in judged.due(within_days)],
        "rulings": [_ruling_fields(one) for one in judged.contested],
    }


def _ruling_fields(one: Ruling) -> dict[str, Any]:
    others = [other.cites for other in one.others]
    return {
        "finding": finding_fields(one.finding), "others": others, "why": one.why._asdict(),
    }  # fmt: skip


def print_judged(judged: Judged, within_days: int, console: Console, everything: bool = False) -> None:
    """For a clerk, Chinese with English beside it."""
    for regime in judged.regimes:
        console.print(Text(f"{regime.title}（{regime.issuer}） ").append(regime.name, style="dim"))
    console.print(f"截至 as of {wall_time(judged.now)}\n")
    console.print(_articles(judged.findings, everything))
    due = judged.due(within_days)
    console.print(
        _due(due, within_days) if due else f"{within_days}日内无到期事项 nothing comes due in {within_days} days"
    )
    if judged.contested:
        console.print(_rulings(judged.contested))
    counts = counts_of(judged.findings)
    console.print(Text("  ").join(_count(verdict, count) for verdict, count in counts.items() if count))


def _articles(findings: Iterable[Finding], everything: bool) -> Table:
    table = _table("条款 article", "结论 verdict", "事项 finding", "对象 about", "期限 until")
    table.columns[2].ratio = 1
    before = ""
    for line in lines_of(findings):
        if line.verdict is Verdict.OUTSIDE and not everything:
            continue
        cites = "" if line.cites == before else line.cites
        before = line.cites
        table.add_row(cites, _verdict(line.verdict), _both(line.why), line.about, last_day(line.deadline_us))
    return table


def _due(findings: Iterable[Finding], within_days: int) -> Table:
    table = _table("期限 until", "条款 article", "事项 what to do", "对象 about")
    table.title = f"{within_days}日内到期 due within {within_days} days"
    table.columns[2].ratio = 1
    for one in findings:
        table.add_row(last_day(one.deadline_us), one.cites, _both(one.why), one.subject)
    return table


def _rulings(rulings: Iterable[Ruling]) -> Table:
    table = _table("对象 about", "从严适用 the strictest counts")
    table.columns[1].ratio = 1
    for one in rulings:
        table.add_row(one.finding.subject or "—", _both(one.why))
    return table


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left", expand=True)
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _both(words: Words) -> Text:
    """Reminders quote a whole article, of which its first line is enough here."""
    zh, en = (text.splitlines()[0] for text in words)
    return Text(f"{zh}\n").append(en, style="dim")


def _verdict(verdict: Verdict) -> Text:
    words = verdict_words(verdict)
    return Text(f"{words.zh}\n{words.en}", style=STYLES[verdict])


def _count(verdict: Verdict, count: int) -> Text:
    words = verdict_words(verdict)
    return Text(f"{words.zh} {words.en}: {count}", style=STYLES[verdict])
