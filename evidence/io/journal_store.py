"""The recorder's journal on its card: tokens in SQLite, each durable before anything else happens.

WAL with synchronous=FULL: the only fast setting that lost no committed row in any power cut (docs/adr/0004).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from hashlib import file_digest
from pathlib import Path
from urllib.parse import quote

from evidence.errors import BadInputError, DiscError, DiscFullError
from evidence.io.durable import Disc, open_database
from evidence.journal import EMPTY, Chain, Entry, Head, read_entry, sign_head
from evidence.signing import Signer, to_base64url

SCHEMA = """
create table if not exists entries(seq integer primary key, kind text not null, segment text, token text not null);
create index if not exists entries_by_kind on entries(kind, seq);
create index if not exists entries_by_segment on entries(segment, seq);
"""
HEAD_SUFFIX = ".head"
DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What reading a damaged database raises; its own messages may quote bytes that are no text."""


class Access(Enum):
    """How a journal is opened; the value is SQLite's own parameter."""

    WRITE = "mode=rwc"
    READ = "mode=ro"
    """Beside the one process that writes."""
    FROZEN = "mode=ro&immutable=1"
    """A closed journal that nobody writes; the folder may be read-only, and not a byte in it changes."""


class JournalStore:
    """Tokens by number. One process writes, any number read; a connection belongs to the thread that uses it."""

    def __init__(
        self,
        path: Path,
        access: Access = Access.WRITE,
        open_database: Callable[[str], sqlite3.Connection] = open_database,
    ) -> None:
        """Open, or create for writing. Raises DiscError when it cannot be opened, BadInputError for no journal.

        `open_database` is that of the disc that it lies on.
        """
        self.path = path
        self._access = access
        uri = f"file:{quote(str(path))}?{access.value}"
        try:
            self._db = open_database(uri)
        except sqlite3.OperationalError as error:
            raise DiscError(str(path), f"cannot be opened as a journal: {error}") from error
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            self._db.close()
            raise DiscError(str(path), f"cannot be opened as a journal: {error}") from error
        except DAMAGE as error:
            self._db.close()
            raise BadInputError(str(path), f"is not a journal: {error}") from error

    def add(self, entry: Entry) -> None:
        """Store one entry. After return it survives a power cut. Raises DiscError."""
        segment = entry.fields.get("segment")
        row = (entry.seq, entry.kind, segment if isinstance(segment, str) else None, entry.token)
        try:
            self._db.execute("insert into entries values (?, ?, ?, ?)", row)
        except sqlite3.DatabaseError as error:
            kind = DiscFullError if "full" in str(error) else DiscError
            raise kind(str(self.path), f"cannot store entry {entry.seq}: {error}") from error

    def head(self) -> Head:
        """The last link, EMPTY for a new journal."""
        row = self._query("select token from entries order by seq desc limit 1", ())
        token = next(row, None)
        return EMPTY if token is None else read_entry(token, str(self.path)).head

    def tokens(self, first_seq: int = 0, last_seq: int | None = None) -> Iterator[str]:
        """Tokens in order of their numbers, both ends included."""
        last = 2**62 if last_seq is None else last_seq
        return self._query("select token from entries where seq between ? and ? order by seq", (first_seq, last))

    def of_kind(self, *kinds: str, after_seq: int = -1) -> Iterator[Entry]:
        """Entries of these kinds, oldest first; those behind `after_seq`."""
        marks = ",".join("?" * len(kinds))
        sql = f"select token from entries where kind in ({marks}) and seq > ? order by seq"
        tokens = self._query(sql, (*kinds, after_seq))
        return (read_entry(token, str(self.path)) for token in tokens)

    def last_of_kind(self, *kinds: str) -> Entry | None:
        """The newest entry of these kinds."""
        marks = ",".join("?" * len(kinds))
        tokens = self._query(f"select token from entries where kind in ({marks}) order by seq desc limit 1", kinds)
        return next((read_entry(token, str(self.path)) for token in tokens), None)

    def of_segment(self, segment: str) -> Iterator[Entry]:
        """Everything said about one segment, oldest first."""
        tokens = self._query("select token from entries where segment = ? order by seq", (segment,))
        return (read_entry(token, str(self.path)) for token in tokens)

    def segments_with(self, kind: str) -> set[str]:
        """The segments about which an entry of this kind exists."""
        return set(self._query("select segment from entries where kind = ? and segment is not null", (kind,)))

    def close(self) -> None:
        """Close; the writer first folds the write-ahead log into the database, even while others read."""
        try:
            if self._access is Access.WRITE:
                self._db.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.DatabaseError as error:
            raise DiscError(str(self.path), f"cannot be closed: {error}") from error
        finally:
            self._db.close()

    def _prepare(self) -> None:
        if self._access is Access.WRITE:
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=full")
            self._db.executescript(SCHEMA)
        self._db.execute("select max(seq) from entries").fetchone()

    def _query(self, sql: str, values: tuple[object, ...]) -> Iterator[str]:
        try:
            for (value,) in self._db.execute(sql, values):
                if not isinstance(value, str):
                    raise BadInputError(str(self.path), f"holds {type(value).__name__} where a token should be")
                yield value
        except sqlite3.OperationalError as error:
            raise DiscError(str(self.path), f"cannot be read: {error}") from error
        except DAMAGE as error:
            raise BadInputError(str(self.path), f"cannot be read as a journal: {error}") from error


def head_path(journal: Path) -> Path:
    """Where the statement of a journal's end lies."""
    return journal.with_name(journal.name + HEAD_SUFFIX)


def state_head(journal: Path, disc: Disc, signer: Signer, chain: Chain, certificates: Iterable[bytes]) -> None:
    """After a clean close: state head and file hash beside the journal, so that any changed byte of it is seen."""
    stated = sign_head(signer, chain.owner, chain.head, file_hash(journal), certificates)
    disc.replace(head_path(journal), f"{stated}\n".encode("ascii"))


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, base64url."""
    with path.open("rb") as file:
        return to_base64url(file_digest(file, "sha256").digest())
