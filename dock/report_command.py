"""`liuhen dock report`: what a head of unit reads, as HTML, PDF or a table for spreadsheets."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from dock.findings import judge_folder
from dock.findings_command import add_regimes, present
from dock.folder import DockFolder
from dock.report import Report, Selection, make_report
from evidence.errors import BadInputError
from evidence.io.durable import PosixDisc

REPORT_HELP = """\
Writes a report: account of time, breaks by cause, deadlines, findings by article. Chinese with English beside it. What
is given of shift, officer, unit and month has all to fit; with none of them it is about everything.

  liuhen dock report station --month 2026-11 --out 2026-11.pdf
  liuhen dock report station --officer 640221-0117 --month 2026-11 --out zhang.html
  liuhen dock report station --unit 平罗县退役军人事务局 --out unit.csv      for spreadsheets (UTF-8)
  liuhen dock report station --shift LH-000001-s0007 --regime pingluo --out shift.pdf
"""


def add_report_verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb behind `liuhen dock`."""
    raw = argparse.RawDescriptionHelpFormatter
    write = verbs.add_parser("report", help="write a report", description=REPORT_HELP, formatter_class=raw)
    write.add_argument("folder", type=Path, metavar="DIR", help="the dock")
    write.add_argument("--shift", metavar="NAME", help="one shift, as in LH-000001-s0007")
    write.add_argument("--officer", metavar="NUMBER", help="the shifts of one officer")
    write.add_argument("--unit", metavar="UNIT", help="the shifts of one unit")
    write.add_argument("--month", metavar="YYYY-MM", help="the shifts that began in one month (China)")
    add_regimes(write)
    write.add_argument("--out", type=Path, required=True, metavar="F", help="F.html, F.pdf or F.csv")
    write.set_defaults(act=_write)


def _write(arguments: argparse.Namespace) -> None:
    make = KINDS.get(arguments.out.suffix)
    if make is None:
        raise BadInputError(str(arguments.out), "is no kind of report", f"its name ends in {', '.join(KINDS)}")
    judged = judge_folder(DockFolder(arguments.folder), arguments.regime, present())
    selection = Selection(arguments.shift, arguments.officer, arguments.unit, arguments.month)
    report = make_report(judged, selection)
    PosixDisc().replace(arguments.out, make(report))
    print(f"{arguments.out}: {len(report.shifts)} 班次 shifts, {len(report.findings)} 结论 findings")


def _html(report: Report) -> bytes:
    from dock.report_html import report_html  # noqa: PLC0415  only what is asked for is loaded

    return report_html(report).encode("utf-8")


def _csv(report: Report) -> bytes:
    from dock.report_csv import report_csv  # noqa: PLC0415  the same

    return report_csv(report)


def _pdf(report: Report) -> bytes:
    from dock.report_pdf import report_pdf  # noqa: PLC0415  a second, for those alone who print

    return report_pdf(report)


KINDS: Mapping[str, Callable[[Report], bytes]] = {".html": _html, ".pdf": _pdf, ".csv": _csv}
