"""The dock's commands about blocked recorders: which there are and why, and clearing one: blocked, clear."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from dock.blocking import Standing, blocked_recorders
from dock.clearing import Clearing
from dock.clock import SystemClock
from dock.folder import DockFolder, read_settings
from dock.opening_command import add_passphrase
from dock.passphrase import PERSON_VARIABLE, given_passphrase
from dock.person_desk import load_person
from evidence.acts import about_block
from evidence.errors import BadInputError
from evidence.forks import Cause
from evidence.io.durable import PosixDisc
from evidence.io.new_file import new_file
from evidence.io.verifying import one_line
from evidence.journal import Entry

BLOCKED_HELP = """\
Lists the recorders that wait for two persons: what their keys have signed cannot all come from one unaltered recorder.

  liuhen dock blocked station

Exit codes: 0 none is blocked, 1 some are.
"""
CLEAR_HELP = """\
Lets a blocked recorder go on. First two persons with the role `clear` look into it, and each signs what he has found:

  liuhen dock clear station BWC-0001 --key zhang/110123.key --out zhang.statement
  liuhen dock clear station BWC-0001 --key li/110124.key --out li.statement

Then the two statements, of different persons and about this one block, clear it (docs/KEYS.md):

  liuhen dock clear station BWC-0001 --statement zhang.statement --statement li.statement
"""
CHINESE = {
    Cause.FORK: "出现分叉：被克隆或被改动",
    Cause.ROLLED_BACK: "从旧状态继续：存储卡被还原",
    Cause.FOREIGN: "冒用他机名义签名",
}  # fmt: skip


def add_block_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs behind `liuhen dock`."""
    raw = argparse.RawDescriptionHelpFormatter
    tell = verbs.add_parser("blocked", help="which recorders are", description=BLOCKED_HELP, formatter_class=raw)
    tell.add_argument("folder", type=Path, metavar="DIR", help="the dock")
    tell.add_argument("--json", action="store_true", help="for machines: one JSON list, a recorder an object")
    tell.set_defaults(act=_blocked)
    clear = verbs.add_parser("clear", help="let one go on", description=CLEAR_HELP, formatter_class=raw)
    clear.add_argument("folder", type=Path, metavar="DIR", help="the dock")
    clear.add_argument("recorder", metavar="RECORDER", help="which is blocked")
    step = clear.add_mutually_exclusive_group(required=True)
    step.add_argument("--key", type=Path, metavar="KEY", help="sign a statement with your key file, PERSON.key")
    step.add_argument("--statement", type=Path, action="append", metavar="F", help="a signed statement; give two")
    clear.add_argument("--out", type=Path, metavar="F", help="with --key: the new file for your statement")
    add_passphrase(clear, PERSON_VARIABLE)
    clear.add_argument("--json", action="store_true", help="print the result as JSON")
    clear.set_defaults(act=_clear)


def _blocked(arguments: argparse.Namespace) -> int:
    folder = DockFolder(arguments.folder)
    read_settings(folder)
    listed = blocked_recorders(folder)
    if arguments.json:
        print(json.dumps([_fields(one) for one in listed], ensure_ascii=False, indent=2))
    else:
        for one in listed:
            print(_line(one.blocked))
        if not listed:
            print("无停用记录仪 no recorder is blocked")
    return 1 if listed else 0


def _clear(arguments: argparse.Namespace) -> None:
    clearing = Clearing(DockFolder(arguments.folder), PosixDisc(), SystemClock())
    if arguments.key is not None:
        _sign(clearing, arguments)
        return
    entry = clearing.clear(arguments.recorder, [one_line(path) for path in arguments.statement])
    if arguments.json:
        print(json.dumps({"seq": entry.seq, **entry.fields}))
    else:
        print(
            f"已解除停用，日志第 {entry.seq} 条 {arguments.recorder} goes on: entry {entry.seq} of the dock's journal"
        )


def _sign(clearing: Clearing, arguments: argparse.Namespace) -> None:
    if arguments.out is None:
        raise BadInputError("--out", "需指定声明文件 is needed with --key", "the new file for your statement")
    blocked = clearing.blocked(arguments.recorder)
    if not arguments.json:
        print(_line(blocked), flush=True)
    prompt = "本人口令，输入即声明可解除停用 your passphrase says that it may go on"
    person = load_person(arguments.key, given_passphrase(arguments.passphrase_file, PERSON_VARIABLE, prompt))
    token = clearing.sign(arguments.recorder, person)
    with new_file(arguments.out) as file:
        file.write(f"{token}\n".encode("ascii"))
    if arguments.json:
        print(json.dumps({"person": person.person, **about_block(blocked), "file": str(arguments.out)}))
    else:
        print(f"已签署，另需一人 signed, one of two; the other person signs too: {arguments.out}")


def _line(blocked: Entry) -> str:
    """A block as whoever is to clear it reads it."""
    fields = blocked.fields
    cause = f"{CHINESE[Cause(fields['why'])]} {fields['why']}"
    return f"{fields['recorder']}  {blocked.at.to_fields()['utc']}  entry {fields['entry_seq']}  {cause}"


def _fields(one: Standing) -> dict[str, object]:
    at = one.blocked.at.to_fields()["utc"]
    return {"blocked_seq": one.blocked.seq, "at": at, **one.blocked.fields, "findings": dict(one.findings)}
