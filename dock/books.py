"""Every journal that a dock holds, read to be judged: beside receivers that go on appending to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from dock.folder import JOURNAL_OWNER, DockFolder, read_settings
from evidence.io.account_command import entries_in_order
from evidence.journal import Entry
from evidence.regimes.gathering import Books, Gathered, gather
from evidence.regimes.model import Regime


def read_books(folder: DockFolder) -> Books:
    """The dock's own journal and its copies of the recorders'. Order is checked, signatures are not (`liuhen verify`).

    Raises ConfigError when the folder is no dock, BadInputError, ChainError.
    """
    read_settings(folder)
    found = sorted(folder.vault.glob(f"*/{folder.journal(JOURNAL_OWNER).name}"))
    journals = {path.parent.name: _entries(path) for path in found}
    dock = journals.pop(JOURNAL_OWNER, [])
    return Books(dock, journals)


def gather_from(folder: DockFolder, regimes: Iterable[Regime]) -> Gathered:
    """What they say. Raises the same."""
    return gather(read_books(folder), regimes)


def _entries(path: Path) -> list[Entry]:
    _, entries = entries_in_order(path.parent.name, _whole_lines(path))
    return entries


def _whole_lines(path: Path) -> Iterator[str]:
    """Without a last line that is just being written."""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield line[:-1].decode("ascii", errors="replace")
