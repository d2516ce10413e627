"""The dock's commands by which people tell it what nothing else knows: classify, review, away, archived, items."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

from dock.clock import SystemClock
from dock.filing import Classification, FilingDesk, utc_of
from dock.folder import DockFolder
from evidence.errors import BadInputError
from evidence.io.durable import PosixDisc
from evidence.journal import Entry
from evidence.regimes.checks_recording import listed
from evidence.regimes.facts import Field, Said
from evidence.regimes.shown import wall_time

CLASSIFY_HELP = """\
Says by what a recording is filed (weixian 17, xuchang 17): unit, recorder, officer, time of use, party, cause. What the
recorder knows is filled in. Without RECORDING it lists what has still to be classified.

  liuhen dock classify station
  liuhen dock classify station 3f2a9c1b7d04-r0001 --party 李四 --cause 占用消防通道 --author 640221-0117
"""
REVIEW_HELP = """\
Says that somebody has listened to a recording, and what its opening statement says (pingluo 8, changzhi 20).

  liuhen dock review station 3f2a9c1b7d04-r0001 --said time place officers --author 640221-0200
"""
AWAY_HELP = """\
Declares continuous, remote or out-of-area duty (pingluo 9): what was recorded meanwhile has 24 hours from returning.
Say it again with --returned, and the same --left, when they are back. Times are those of China.

  liuhen dock away station --recorder LH-000001 --left "2026-11-25 07:00" --reason 异地执法 --author 640221-0200
"""
ARCHIVED_HELP = """\
Says that a month's recordings were handed to the archive (xuchang 11).

  liuhen dock archived station 2026-11 --medium "光盘 2026-11-A" --author 640221-0200
"""
ITEMS_HELP = """\
Keeps the unit's list of matters to be recorded (pingluo 7, changzhi 6). FILE is a CSV in UTF-8 without a
head, a matter a line: matter, scope, stage, manner.

  liuhen dock items station matters.csv --author 640221-0200
"""


def add_filing_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs behind `liuhen dock`."""
    raw = argparse.RawDescriptionHelpFormatter
    classify = verbs.add_parser(
        "classify", help="say by what a recording is filed", description=CLASSIFY_HELP, formatter_class=raw
    )
    review = verbs.add_parser("review", help="say what was heard", description=REVIEW_HELP, formatter_class=raw)
    away = verbs.add_parser("away", help="declare duty elsewhere", description=AWAY_HELP, formatter_class=raw)
    archived = verbs.add_parser("archived", help="a month is archived", description=ARCHIVED_HELP, formatter_class=raw)
    items = verbs.add_parser("items", help="keep the list of matters", description=ITEMS_HELP, formatter_class=raw)
    for verb, act in (
        (classify, _classify), (review, _review), (away, _away), (archived, _archived), (items, _items),
    ):  # fmt: skip
        verb.add_argument("folder", type=Path, metavar="DIR", help="the dock")
        verb.add_argument("--json", action="store_true", help="print the result as JSON")
        verb.set_defaults(act=act)
    for verb in (review, away, archived, items):
        verb.add_argument("--author", required=True, metavar="NUMBER", help="certificate number of whoever says so")
    _classify_arguments(classify)
    review.add_argument("recording", metavar="RECORDING", help="the recording's id")
    review.add_argument("--said", nargs="*", choices=tuple(Said), default=[], help="what the statement says")
    review.add_argument("--remark", metavar="TEXT", help="what else was noticed")
    away.add_argument("--recorder", required=True, metavar="ID", help="the recorder's id")
    away.add_argument("--left", required=True, metavar="TIME", help="when the duty began")
    away.add_argument("--returned", metavar="TIME", help="when they were back; left out while they are away")
    away.add_argument("--reason", required=True, metavar="TEXT", help="why it could not come earlier")
    archived.add_argument("month", metavar="YYYY-MM", help="the month")
    archived.add_argument("--medium", required=True, metavar="TEXT", help="on what, and where it is kept")
    items.add_argument("file", type=Path, metavar="FILE", help="matter, scope, stage, manner")


def _classify_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("recording", nargs="?", metavar="RECORDING", help="the recording's id")
    verb.add_argument("--party", metavar="TEXT", help="the party of the case")
    verb.add_argument("--cause", metavar="TEXT", help="the cause of the case")
    verb.add_argument("--unit", metavar="TEXT", help="the unit, where nobody had signed on")
    verb.add_argument("--officer", metavar="NUMBER", help="the officer, where nobody had signed on")
    verb.add_argument("--from", dest="used_from", metavar="TIME", help="when it began, where no clock was set (China)")
    verb.add_argument("--to", dest="used_to", metavar="TIME", help="when it ended, where no clock was set (China)")
    verb.add_argument("--author", metavar="NUMBER", help="certificate number of whoever says so")
    verb.add_argument("--again", action="store_true", help="correct what was told before")


def desk_of(arguments: argparse.Namespace) -> FilingDesk:
    """A clerk at the dock that a command names."""
    return FilingDesk(DockFolder(arguments.folder), PosixDisc(), SystemClock())


def _classify(arguments: argparse.Namespace) -> None:
    desk = desk_of(arguments)
    if arguments.recording is None:
        _list_unclassified(desk, arguments.json)
        return
    if arguments.author is None:
        raise BadInputError("--author", "says who classifies", "give --author NUMBER")
    names = ("party", "cause", "unit", "officer")
    times = {name: _utc(getattr(arguments, name)) for name in ("used_from", "used_to")}
    told = Classification(**{name: getattr(arguments, name) for name in names}, **times)
    entry = desk.classify(arguments.recording, told, arguments.author, arguments.again)
    tell(entry, arguments.json, f"{arguments.recording} 已分类 is classified: {entry.fields['cause']}")


def _list_unclassified(desk: FilingDesk, as_json: bool) -> None:
    found = desk.unclassified()
    if as_json:
        rows = [
            {
                "recording": one.facts.subject,
                "recorder": one.shift.recorder,
                "missing": sorted(_missing(one.facts.classified)),
            }
            for one in found
        ]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for one in found:
        names = listed(_missing(one.facts.classified))
        officer = "UNASSIGNED" if one.shift.officer is None else one.shift.officer.name
        print(f"{wall_time(one.facts.began)}  {one.facts.subject}  {officer}  缺 lacks {names.zh} {names.en}")
    if not found:
        print("均已分类 everything is classified")


def _missing(known: frozenset[Field]) -> frozenset[Field]:
    return frozenset(Field) - known


def _review(arguments: argparse.Namespace) -> None:
    said = [Said(one) for one in arguments.said]
    entry = desk_of(arguments).review(arguments.recording, said, arguments.remark, arguments.author)
    tell(entry, arguments.json, f"{arguments.recording} 已复听 was listened to by {arguments.author}")


def _away(arguments: argparse.Namespace) -> None:
    left, returned = utc_of(arguments.left), _utc(arguments.returned)
    entry = desk_of(arguments).away(arguments.recorder, left, returned, arguments.reason, arguments.author)
    state = "外出 is away" if returned is None else "已返回 has returned"
    tell(entry, arguments.json, f"{arguments.recorder} {state}")


def _archived(arguments: argparse.Namespace) -> None:
    entry = desk_of(arguments).archive(arguments.month, arguments.medium, arguments.author)
    tell(entry, arguments.json, f"{arguments.month} 已归档 is in the archive: {arguments.medium}")


def _items(arguments: argparse.Namespace) -> None:
    entry = desk_of(arguments).list_items(_read_matters(arguments.file), arguments.author)
    tell(entry, arguments.json, f"清单 list: {len(entry.fields['matters'])} 项 matters")


def _read_matters(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(str(path), "is no CSV in UTF-8", "save it as CSV UTF-8") from error
    except OSError as error:
        raise BadInputError(str(path), f"cannot be read: {error.strerror}") from error
    for number, row in enumerate(rows, 1):
        if len(row) != 4 or not row[0]:
            raise BadInputError(f"{path}:{number}", "is no matter", "four columns: matter, scope, stage, manner")
    if not rows:
        raise BadInputError(str(path), "holds no matter", "four columns: matter, scope, stage, manner")
    return rows


def _utc(wall: str | None) -> str | None:
    return None if wall is None else utc_of(wall)


def tell(entry: Entry, as_json: bool, line: str) -> None:
    """Print an entry for machines, or one line for a person."""
    print(json.dumps({"seq": entry.seq, **entry.fields}, ensure_ascii=False) if as_json else line)
