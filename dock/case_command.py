"""The dock's commands about cases: case, filed, exhibit, act, keep-long."""

from __future__ import annotations

import argparse
from pathlib import Path

from dock.filing import utc_of
from dock.filing_command import desk_of, tell
from evidence.regimes.facts import Excuse, Note, Situation, Trigger

CASE_HELP = """\
Names a case, its recordings, and, when it has come, the end of the enforcement act, from which the time for its file is
counted (pingluo 10, changzhi 29, general 16). Say it again when more is known; recordings are only ever added.

  liuhen dock case station 罚〔2026〕12号 --party 李四 --cause 占用消防通道 --recording 3f2a9c1b7d04-r0001 --author N
  liuhen dock case station 罚〔2026〕12号 --party 李四 --cause 占用消防通道 --ended "2026-12-01 17:00" --author N
"""
FILED_HELP = """\
Says that a case file went to the archive, and for how long it is kept there; its recordings stay as long.

  liuhen dock filed station 罚〔2026〕12号 --years 10 --author 640221-0200
"""
EXHIBIT_HELP = """\
Says on what a recording in a case file lies, and what is noted beside it (pingluo 7, 10).

  liuhen dock exhibit station 罚〔2026〕12号 3f2a9c1b7d04-r0001 --medium "光盘 3" \\
      --notes method time maker proves content --author 640221-0200
"""
ACT_HELP = """\
Names an act of enforcement with its recordings, or why it has none (general 5, 11, 20; weixian 12, 23; changzhi 13, 18;
xuchang 5, 18, 23). Say it again to correct it.

  liuhen dock act station "罚〔2026〕12号 现场检查" --situation site_check --recording 3f2a9c1b7d04-r0001 --author N
"""
LONG_HELP = """\
Says that a recording is to be kept for long (general 17, weixian 19, xuchang 13). Nothing takes that back. Say it again
with --medium when it is on a disc of its own.

  liuhen dock keep-long station 3f2a9c1b7d04-r0001 --trigger objection --author 640221-0200
"""


def add_case_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs behind `liuhen dock`."""
    raw = argparse.RawDescriptionHelpFormatter
    case = verbs.add_parser("case", help="name a case", description=CASE_HELP, formatter_class=raw)
    filed = verbs.add_parser("filed", help="a case file is archived", description=FILED_HELP, formatter_class=raw)
    exhibit = verbs.add_parser("exhibit", help="where evidence lies", description=EXHIBIT_HELP, formatter_class=raw)
    act = verbs.add_parser("act", help="name an act", description=ACT_HELP, formatter_class=raw)
    keep = verbs.add_parser("keep-long", help="keep a recording for long", description=LONG_HELP, formatter_class=raw)
    for verb, do in ((case, _case), (filed, _filed), (exhibit, _exhibit), (act, _act), (keep, _keep)):
        verb.add_argument("folder", type=Path, metavar="DIR", help="the dock")
        verb.add_argument("--json", action="store_true", help="print the result as JSON")
        verb.add_argument("--author", required=True, metavar="NUMBER", help="certificate number of whoever says so")
        verb.set_defaults(act=do)
    for verb in (case, filed, exhibit):
        verb.add_argument("case", metavar="CASE", help="the number of the case")
    for verb in (exhibit, keep):
        verb.add_argument("recording", metavar="RECORDING", help="the recording's id")
        verb.add_argument("--medium", metavar="TEXT", help="the disc")
    for verb in (case, act):
        verb.add_argument("--recording", action="append", default=[], metavar="RID", help="a recording of it")
    case.add_argument("--party", required=True, metavar="TEXT", help="the party of the case")
    case.add_argument("--cause", required=True, metavar="TEXT", help="the cause of the case")
    case.add_argument("--ended", metavar="TIME", help="when the enforcement act ended (China)")
    term = filed.add_mutually_exclusive_group(required=True)
    term.add_argument("--years", type=int, choices=range(1, 101), metavar="N", help="kept so many years")
    term.add_argument("--for-ever", action="store_true", help="kept for ever, or not decided yet")
    exhibit.add_argument("--location", metavar="TEXT", help="its place in the storage system, instead of a disc")
    exhibit.add_argument("--notes", nargs="*", choices=tuple(Note), default=[], help="what is noted beside it")
    _act_arguments(act)
    keep.add_argument("--trigger", required=True, choices=tuple(Trigger), help="why")


def _act_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="NAME", help="a name for it")
    situations = tuple(one for one in Situation if one is not Situation.ENFORCEMENT)
    verb.add_argument("--situation", action="append", default=[], choices=situations, help="what kind of act it is")
    verb.add_argument("--excuse", choices=tuple(Excuse), help="why it was not recorded")


def _case(arguments: argparse.Namespace) -> None:
    ended = None if arguments.ended is None else utc_of(arguments.ended)
    told = (arguments.case, arguments.party, arguments.cause, arguments.recording, ended)
    entry = desk_of(arguments).keep_case(*told, arguments.author)
    state = "办理中 is open" if ended is None else "已终结 has ended"
    tell(entry, arguments.json, f"{arguments.case} {state}")


def _filed(arguments: argparse.Namespace) -> None:
    entry = desk_of(arguments).file_case(arguments.case, arguments.years, arguments.author)
    term = "永久或未定 for ever" if arguments.years is None else f"{arguments.years} 年 years"
    tell(entry, arguments.json, f"{arguments.case} 已归档 is in the archive: {term}")


def _exhibit(arguments: argparse.Namespace) -> None:
    notes = [Note(one) for one in arguments.notes]
    where = (arguments.medium, arguments.location)
    entry = desk_of(arguments).exhibit(arguments.case, arguments.recording, *where, notes, arguments.author)
    tell(entry, arguments.json, f"{arguments.recording} 在 lies on/in {arguments.medium or arguments.location or '—'}")


def _act(arguments: argparse.Namespace) -> None:
    situations = [Situation(one) for one in arguments.situation]
    excuse = None if arguments.excuse is None else Excuse(arguments.excuse)
    desk = desk_of(arguments)
    entry = desk.act(arguments.name, situations, arguments.recording, excuse, arguments.author)
    tell(entry, arguments.json, f"{arguments.name}: {len(entry.fields['recordings'])} 录像 recordings")


def _keep(arguments: argparse.Namespace) -> None:
    trigger = Trigger(arguments.trigger)
    entry = desk_of(arguments).keep_long(arguments.recording, trigger, arguments.medium, arguments.author)
    tell(entry, arguments.json, f"{arguments.recording} 长期保存 is kept for long")
