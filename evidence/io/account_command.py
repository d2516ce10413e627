"""`liuhen account PATH`: what every instant of a shift was."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from evidence.account import Account, Use, accounts
from evidence.errors import BadInputError
from evidence.io.command import Command
from evidence.io.journal_store import JournalStore
from evidence.io.token_file import read_lines
from evidence.io.verify_spool import JOURNAL_DB, access_for
from evidence.io.verify_vault import JOURNAL_TEXT
from evidence.journal import EMPTY, Entry, check_link, read_entry
from evidence.model import utc_text
from evidence.receipts import DOCK, EXPLANATION

HELP = """Say what every instant of a shift was: recorded, explained, unexplained, standby or off.

PATH is a vault, a recorder's folder in a vault, or a recorder's spool. The parts add up to the shift exactly.
This reads the journal and checks its order; `liuhen verify` says whether it is authentic."""
BAR_CELLS = 60
BAR = {Use.RECORDED: "█", Use.EXPLAINED: "▒", Use.UNEXPLAINED: "!", Use.STANDBY: "·", Use.OFF: " "}
CHINESE = {
    Use.RECORDED: "已录", Use.EXPLAINED: "已说明", Use.UNEXPLAINED: "未说明", Use.STANDBY: "待机", Use.OFF: "关机",
}  # fmt: skip


def account_fields(account: Account) -> dict[str, Any]:
    """The account as JSON fields: seconds with six decimals, which add up exactly in microseconds."""
    seconds: dict[str, Any] = {f"{use}_s": account.total_us(use) / 1_000_000 for use in Use}
    seconds["total_s"] = (account.end_us - account.start_us) / 1_000_000
    return seconds


def interruption_fields(account: Account) -> list[dict[str, Any]]:
    """The interruptions as JSON fields."""
    return [
        {
            "interruption": one.interruption,
            "recording": one.recording,
            "cause": one.cause,
            "part": one.part,
            "reason": one.reason,
            "start": utc_text(one.start_us),
            "end": None if one.end_us is None else utc_text(one.end_us),
            "state": one.state,
        }
        for one in account.interruptions
    ]


def bar(account: Account) -> str:
    """The shift as one line of cells; a cell shows the worst of what happened in it."""
    length_us = max(1, account.end_us - account.start_us)
    worst = (Use.UNEXPLAINED, Use.EXPLAINED, Use.RECORDED, Use.STANDBY, Use.OFF)
    cells = []
    for cell in range(BAR_CELLS):
        left = account.start_us + cell * length_us // BAR_CELLS
        right = account.start_us + (cell + 1) * length_us // BAR_CELLS
        seen = {span.use for span in account.spans if span.start_us < right and span.end_us > left}
        cells.append(next((BAR[use] for use in worst if use in seen), " "))
    return "".join(cells)


def print_account(device: str, account: Account) -> None:
    """The account for a person, Chinese and English."""
    print(f"{device}  {utc_text(account.start_us)} – {utc_text(account.end_us)}")
    print(f"  [{bar(account)}]")
    for use in Use:
        print(f"  {BAR[use]} {CHINESE[use]} {use:<12} {account.total_us(use) / 1_000_000:>12.3f} s")
    print(f"    合计 total        {(account.end_us - account.start_us) / 1_000_000:>12.3f} s")
    for one in account.interruptions:
        length = "…" if one.end_us is None else f"{(one.end_us - one.start_us) / 1_000_000:.3f} s"
        print(f"  中断 interruption {one.cause}: {length}, {one.state}" + (f" ({one.reason})" if one.reason else ""))


def read_journals(path: Path) -> Iterator[tuple[str, list[Entry]]]:
    """Every recorder's journal below a path with its name; order is checked, signatures are not. BadInputError."""
    path = path.resolve()
    if (path / JOURNAL_DB).is_file():
        with closing(JournalStore(path / JOURNAL_DB, access_for(path / JOURNAL_DB))) as store:
            yield _entries(path.name, store.tokens())
        return
    one = path / JOURNAL_TEXT
    found = [one] if one.is_file() else sorted(path.glob(f"*/{JOURNAL_TEXT}"))
    found = [text for text in found if text.parent.name != DOCK]
    if not found:
        raise BadInputError(str(path), "holds no recorder's journal", "give a vault, a folder in it, or a spool")
    for text in found:
        yield _entries(text.parent.name, read_lines(text))


def written_at_dock(path: Path, device: str) -> set[str]:
    """Interruptions of a recorder that the dock's journal in the same vault holds an explanation of. BadInputError."""
    path = path.resolve()
    vaults = (path, path.parent, path.parent.parent)
    found = next((one / DOCK / JOURNAL_TEXT for one in vaults if (one / DOCK / JOURNAL_TEXT).is_file()), None)
    if found is None:
        return set()
    _, entries = _entries(DOCK, read_lines(found))
    said = [entry.fields for entry in entries if entry.kind == EXPLANATION]
    return {fields["interruption"] for fields in said if fields["recorder"] == device}


def _entries(name: str, tokens: Iterator[str]) -> tuple[str, list[Entry]]:
    head, entries = EMPTY, []
    for number, token in enumerate(tokens):
        entry = read_entry(token, f"{name} entry {number}")
        check_link(head, entry)
        head = entry.head
        entries.append(entry)
    return (entries[0].device if entries else name), entries


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, help="a vault, a recorder's folder in it, or a spool")
    parser.add_argument("--all", action="store_true", help="every shift in the journal, not only the last")
    parser.add_argument("--json", action="store_true", help="for machines: one JSON list, a shift an object")


def _run(options: argparse.Namespace) -> int:
    shifts: list[dict[str, Any]] = []
    for device, entries in read_journals(options.path):
        found = accounts(entries, written_at_dock(options.path, device))
        try:
            shifts += [_tell(device, account, options.json) for account in (found if options.all else found[-1:])]
        except OverflowError as error:
            raise BadInputError(device, "names times that no calendar has", "liuhen verify") from error
    if options.json:
        print(json.dumps(shifts, ensure_ascii=False, indent=2))
    return 0


def _tell(device: str, account: Account, for_machines: bool) -> dict[str, Any]:
    if not for_machines:
        print_account(device, account)
    return {
        "device": device,
        "start": utc_text(account.start_us),
        "end": utc_text(account.end_us),
        **account_fields(account),
        "interruptions": interruption_fields(account),
    }


ACCOUNT = Command(HELP, _configure, _run)
