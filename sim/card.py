"""The simulated card: the PC's disc, as large as a small SD card, and the ways in which a card fails."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evidence.errors import DiscError, DiscFullError
from evidence.io.durable import PosixDisc

RECOUNT_AFTER = 64
"""Verbs between two counts of what lies on the card: the journal's database grows beside the verbs."""
ENTRY_BYTES = 4096
"""A new row takes a page at least."""
WRITING = ("insert", "pragma wal_checkpoint")
"""How the statements begin that write to the card; the others read, or change nothing that is there already."""


class CardDatabase(sqlite3.Connection):
    """A database that asks the card before every statement."""

    meet: Callable[[str], None]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.meet(sql)
        return super().execute(sql, parameters)


class SimCard(PosixDisc):
    """A `Disc` with room for `capacity_bytes` below `root`. Usable from any thread, like a true one.

    A database that is opened through it meets the card's faults, too; one that somebody else opens to read, and files
    that are read, lie on the PC's own disc.
    """

    def __init__(self, root: Path, capacity_bytes: int) -> None:
        self._root = root
        self._capacity_bytes = capacity_bytes
        self._foreign_bytes = 0
        self._fault = 0
        self._failing = 0
        self._slow: Callable[[], None] = _at_once
        self._lock = threading.Lock()
        self._used_bytes = 0
        self._until_recount = 0

    def fill_to(self, free_bytes: int) -> None:
        """Something else lies on the card from now on, so that so much is left."""
        with self._lock:
            self._foreign_bytes = max(0, self._capacity_bytes - self._count() - free_bytes)

    def turn_read_only(self) -> None:
        """The kernel has seen an error and mounts it read-only: whatever writes meets EROFS."""
        self._fault = errno.EROFS

    def die(self) -> None:
        """It gives nothing but errors any more, whatever it is asked for."""
        self._fault = errno.EIO

    def fail_writes(self, count: int = 1) -> None:
        """The next writes end in an I/O error."""
        self._failing = count

    def slow_down(self, wait: Callable[[], None]) -> None:
        """Every write takes as long as `wait` does."""
        self._slow = wait

    def recover(self) -> None:
        """All is well again."""
        self._fault, self._failing, self._foreign_bytes, self._slow = 0, 0, 0, _at_once

    def create(self, path: Path, data: bytes) -> None:
        with self._writing(path, "create", len(data)):
            super().create(path, data)

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        with self._writing(path, "append to", len(data)):
            super().append(path, data, at_bytes)

    def write_at(self, path: Path, data: bytes | memoryview, offset_bytes: int) -> None:
        with self._writing(path, "write to", len(data)):
            super().write_at(path, data, offset_bytes)

    def sync(self, path: Path) -> None:
        with self._writing(path, "sync", 0):
            super().sync(path)

    def replace(self, path: Path, data: bytes) -> None:
        self._refuse(path, "replace")
        super().replace(path, data)

    def move(self, source: Path, target: Path) -> None:
        with self._writing(target, "move to", 0):
            super().move(source, target)

    def truncate(self, path: Path, size_bytes: int) -> None:
        with self._writing(path, "truncate", 0):
            super().truncate(path, size_bytes)

    def remove(self, path: Path) -> None:
        with self._writing(path, "remove", 0):
            super().remove(path)
        self._until_recount = 0

    def free_bytes(self, folder: Path) -> int:
        if self._fault == errno.EIO:
            self._refuse(folder, "measure")
        return min(self._room_bytes(), super().free_bytes(folder))

    def open_database(self, uri: str) -> sqlite3.Connection:
        if self._fault == errno.EIO:
            raise sqlite3.OperationalError("unable to open database file")
        database = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=CardDatabase)
        database.meet = self._meet
        return database

    def _meet(self, statement: str) -> None:
        """A statement comes to the card. What it refuses, it refuses in the words of SQLite."""
        writes = statement.startswith(WRITING)
        if self._fault == errno.EIO or (writes and (self._fault or self._fails_once())):
            raise sqlite3.OperationalError("disk I/O error")
        if writes and self._room_bytes() < ENTRY_BYTES:
            raise sqlite3.OperationalError("database or disk is full")

    def _room_bytes(self) -> int:
        with self._lock:
            if self._until_recount <= 0:
                self._count()
            return max(0, self._capacity_bytes - self._foreign_bytes - self._used_bytes)

    @contextmanager
    def _writing(self, path: Path, verb: str, size_bytes: int) -> Iterator[None]:
        self._refuse(path, verb)
        if size_bytes and self.free_bytes(path.parent) < size_bytes:
            raise DiscFullError(str(path), "the card is full")
        self._slow()
        if self._fails_once():
            raise DiscError(str(path), f"cannot {verb}: {os.strerror(errno.EIO)}")
        yield
        with self._lock:
            self._used_bytes += size_bytes
            self._until_recount -= 1

    def _fails_once(self) -> bool:
        if not self._failing:
            return False
        self._failing -= 1
        return True

    def _refuse(self, path: Path, verb: str) -> None:
        if self._fault:
            raise DiscError(str(path), f"cannot {verb}: {os.strerror(self._fault)}")

    def _count(self) -> int:
        self._used_bytes = sum(_size_bytes(path) for path in self._root.rglob("*"))
        self._until_recount = RECOUNT_AFTER
        return self._used_bytes


def _at_once() -> None:
    """As fast as the PC's disc."""


def _size_bytes(path: Path) -> int:
    """The size of a file; none for a folder, or for what goes away while it is looked at."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
