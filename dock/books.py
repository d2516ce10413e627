"""Every journal that a dock holds, read to be judged: beside receivers that go on appending to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dock.folder import JOURNAL_OWNER, DockFolder, read_settings
from evidence.journal import EMPTY, Entry, check_link, read_entry
from evidence.kinds import FRAGMENT_KINDS
from evidence.regimes.gathering import Books, Gathered, gather
from evidence.regimes.model import Regime

NEEDED = ("segment", "pts_us", "duration_us")
"""What an account asks of a fragment, of which a journal has one a second."""


def read_books(folder: DockFolder) -> Books:
    """The dock's own journal, and its copies of the recorders', each read when it is asked for and not kept.

    Order is checked, signatures are not (`liuhen verify`). Of fragments only what an account needs is kept, without
    their tokens. Raises ConfigError when the folder is no dock, BadInputError, ChainError, also later.
    """
    read_settings(folder)
    found = sorted(folder.vault.glob(f"*/{folder.journal(JOURNAL_OWNER).name}"))
    journals = {path.parent.name: path for path in found}
    own = journals.pop(JOURNAL_OWNER, None)
    return Books([] if own is None else list(_entries(own)), _Journals(journals))


def gather_from(folder: DockFolder, regimes: Iterable[Regime]) -> Gathered:
    """What they say. Raises the same."""
    return gather(read_books(folder), regimes)


class _Journals(Mapping[str, Sequence[Entry]]):
    """By recorder; a unit's journals of years do not all have room in memory."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths

    def __getitem__(self, recorder: str) -> Sequence[Entry]:
        return list(_entries(self._paths[recorder]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _entries(path: Path) -> Iterator[Entry]:
    head = EMPTY
    for number, token in enumerate(_whole_lines(path)):
        entry = read_entry(token, f"{path.parent.name} entry {number}")
        check_link(head, entry)
        head = entry.head
        yield _slim(entry) if entry.kind in FRAGMENT_KINDS else entry


def _slim(entry: Entry) -> Entry:
    return replace(entry, token="", fields={name: entry.fields[name] for name in NEEDED})


def _whole_lines(path: Path) -> Iterator[str]:
    """Without a last line that is just being written."""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield line[:-1].decode("ascii", errors="replace")
