"""The dock's command about blocked recorders: which there are, and why."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from dock.blocking import Standing, blocked_recorders
from dock.folder import DockFolder, read_settings
from evidence.forks import Cause

BLOCKED_HELP = """\
Lists the recorders that wait for two persons: what their keys have signed cannot all come from one unaltered recorder.

  liuhen dock blocked station

Exit codes: 0 none is blocked, 1 some are.
"""
CHINESE = {
    Cause.FORK: "出现分叉：被克隆或被改动",
    Cause.ROLLED_BACK: "从旧状态继续：存储卡被还原",
    Cause.FOREIGN: "冒用他机名义签名",
}  # fmt: skip


def add_block_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb behind `liuhen dock`."""
    raw = argparse.RawDescriptionHelpFormatter
    tell = verbs.add_parser("blocked", help="which recorders are", description=BLOCKED_HELP, formatter_class=raw)
    tell.add_argument("folder", type=Path, metavar="DIR", help="the dock")
    tell.add_argument("--json", action="store_true", help="for machines: one JSON list, a recorder an object")
    tell.set_defaults(act=_blocked)


def _blocked(arguments: argparse.Namespace) -> int:
    folder = DockFolder(arguments.folder)
    read_settings(folder)
    listed = blocked_recorders(folder)
    if arguments.json:
        print(json.dumps([_fields(one) for one in listed], ensure_ascii=False, indent=2))
    else:
        for one in listed:
            fields = one.blocked.fields
            cause = f"{CHINESE[Cause(fields['why'])]} {fields['why']}"
            print(f"{fields['recorder']}  {one.blocked.at.to_fields()['utc']}  entry {fields['entry_seq']}  {cause}")
        if not listed:
            print("无停用记录仪 no recorder is blocked")
    return 1 if listed else 0


def _fields(one: Standing) -> dict[str, object]:
    at = one.blocked.at.to_fields()["utc"]
    return {"blocked_seq": one.blocked.seq, "at": at, **one.blocked.fields, "findings": dict(one.findings)}
