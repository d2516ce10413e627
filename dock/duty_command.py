"""The dock's commands about officers and interruptions: assign, explain, reports, head."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from dock.clock import SystemClock
from dock.duty import DutyDesk
from dock.enrolment import head_files
from dock.folder import DockFolder
from dock.reason_guess import PHRASES
from dock.whisper_listener import WhisperListener
from evidence.errors import BadInputError
from evidence.explanation import REASONS, draft_fields, draft_text
from evidence.io.durable import PosixDisc, make_folder
from evidence.model import REGIMES, Officer

ASSIGN_HELP = """\
Says who wears a recorder from now on. The recorder learns of it the next time it is in the dock.

  liuhen dock assign station --recorder LH-000001 --officer 640221-0117 张建国 平罗县退役军人事务局 --regime pingluo
"""
DRAFT_HELP = """\
Prints the draft of a written explanation: who, when, how long, what the recorder read before and after, and what was
said (pingluo 8, changzhi 21, xuchang 19). The officer completes it; `liuhen dock explain` then keeps it.

  liuhen dock draft station --recorder LH-000001 --interruption 3f2a9c1b7d04-i0001
  liuhen dock draft ... --listen NOTE.m4a   also propose the reason that the opened note gives (in --language zh-CN;
                                            pip install 'liuhen[reasons]')
"""
EXPLAIN_HELP = """\
Puts an officer's written explanation of an interruption into the dock's journal (pingluo 8, changzhi 21, xuchang 19).
The recorder learns of it the next time it is in the dock. `liuhen account` lists the interruptions.

  liuhen dock explain station --recorder LH-000001 --interruption 3f2a9c1b7d04-i0001 --author 640221-0117 \\
      --text "电池老化，已更换。"
"""
REPORTS_HELP = """\
Lists the urgent reports that recorders have sent: interruptions that could not be ended in time (pingluo 8).
"""
HEAD_HELP = """\
Gives the head of the unit what an MQTT client needs to be told of urgent reports, and of nothing else:

  liuhen dock head station --out for-the-head
  mosquitto_sub -h HOST -p 8883 --cafile for-the-head/ca.pem --cert for-the-head/head.pem --key for-the-head/head.key \\
      -t 'liuhen/v1/+/+/up/report/#' -v
"""


def add_duty_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs behind `liuhen dock`."""
    raw = argparse.RawDescriptionHelpFormatter
    assign = verbs.add_parser("assign", help="say who wears a recorder", description=ASSIGN_HELP, formatter_class=raw)
    drafting = verbs.add_parser("draft", help="draft an explanation", description=DRAFT_HELP, formatter_class=raw)
    explain = verbs.add_parser("explain", help="explain an interruption", description=EXPLAIN_HELP, formatter_class=raw)
    reports = verbs.add_parser("reports", help="list urgent reports", description=REPORTS_HELP, formatter_class=raw)
    head = verbs.add_parser("head", help="keys for the head of the unit", description=HEAD_HELP, formatter_class=raw)
    head.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder for the files")
    for verb, act in (
        (head, _head), (assign, _assign), (drafting, _draft), (explain, _explain), (reports, _reports),
    ):  # fmt: skip
        verb.add_argument("folder", type=Path, metavar="DIR", help="the dock")
        verb.add_argument("--json", action="store_true", help="print the result as JSON")
        verb.set_defaults(act=act)
    for verb in (assign, drafting, explain):
        verb.add_argument("--recorder", required=True, metavar="ID", help="the recorder's id")
    drafting.add_argument("--listen", type=Path, metavar="NOTE", help="propose the reason that the opened note gives")
    drafting.add_argument("--language", choices=tuple(PHRASES), default="zh-CN", help="what the note is spoken in")
    for verb in (drafting, explain):
        verb.add_argument("--interruption", required=True, metavar="IID", help="the interruption's id")
    officer = ("NUMBER", "NAME", "UNIT")
    assign.add_argument("--officer", nargs=3, required=True, metavar=officer, help="who wears the recorder")
    add_regime(assign)
    explain.add_argument("--author", required=True, metavar="NUMBER", help="certificate number of whoever wrote it")
    text = explain.add_mutually_exclusive_group(required=True)
    text.add_argument("--text", help="what happened, and why")
    text.add_argument("--file", type=Path, metavar="F", help="the same from a file (UTF-8)")
    explain.add_argument("--again", action="store_true", help="add to an explanation that has been written")


def add_regime(verb: argparse.ArgumentParser) -> None:
    """The option that names a unit's regulation."""
    verb.add_argument("--regime", choices=REGIMES, help="the regulation that the officer's unit works under")


def _desk(arguments: argparse.Namespace) -> DutyDesk:
    return DutyDesk(DockFolder(arguments.folder), PosixDisc(), SystemClock())


def _assign(arguments: argparse.Namespace) -> None:
    number, name, unit = arguments.officer
    officer = Officer(number, name, unit, arguments.regime)
    entry = _desk(arguments).assign(arguments.recorder, officer)
    if arguments.json:
        print(json.dumps({"seq": entry.seq, **entry.fields}, ensure_ascii=False))
    else:
        print(f"{arguments.recorder} is assigned to {officer.name} {officer.number}, {officer.unit}")


def _draft(arguments: argparse.Namespace) -> None:
    desk = _desk(arguments)
    made = desk.draft(arguments.recorder, arguments.interruption)
    opened: Path | None = arguments.listen
    guess = desk.listen(made, opened, arguments.language, WhisperListener()) if opened else None
    if arguments.json:
        proposed = None if guess is None else asdict(guess)
        print(json.dumps({**draft_fields(made), "proposed": proposed}, ensure_ascii=False))
        return
    print(draft_text(made), end="")
    if guess is not None:
        said = f"{REASONS[guess.reason]} {guess.reason}（{guess.confidence:.0%}）"
        print(f"语音说明听似（仅供参考） the note sounds like (a proposal only)：{said}")
    elif opened:
        print("语音说明未能判定 the note gives none of the known reasons")


def _explain(arguments: argparse.Namespace) -> None:
    text = arguments.text if arguments.file is None else _read(arguments.file)
    entry = _desk(arguments).explain(
        arguments.recorder, arguments.interruption, arguments.author, text, arguments.again
    )
    if arguments.json:
        print(json.dumps({"seq": entry.seq, **entry.fields}, ensure_ascii=False))
    else:
        print(f"{arguments.interruption} of {arguments.recorder} is explained by {arguments.author}")


def _reports(arguments: argparse.Namespace) -> None:
    reports = _desk(arguments).reports()
    if arguments.json:
        print(json.dumps([report.to_fields() for report in reports], ensure_ascii=False, indent=2))
        return
    for one in reports:
        state = "已说明 explained" if one.explanation or one.reason else "未说明 open"
        print(f"{one.began}  {one.recorder}  {one.interruption}  {one.cause}  {one.name or 'UNASSIGNED'}  {state}")
    if not reports:
        print("无紧急报告 no urgent reports")


def _head(arguments: argparse.Namespace) -> None:
    files, disc = head_files(DockFolder(arguments.folder)), PosixDisc()
    make_folder(arguments.out)
    for name, content in files.items():
        disc.replace(arguments.out / name, content)
    if arguments.json:
        print(json.dumps({"files": sorted(files)}))
    else:
        print(f"the files for the head of the unit are in {arguments.out}")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(str(path), "is not text in UTF-8", "save it as UTF-8") from error
    except OSError as error:
        raise BadInputError(str(path), f"cannot be read: {error.strerror}") from error
