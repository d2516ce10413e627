"""What the dock can look up quickly: a view of vault and journals in SQLite, which can be thrown away and rebuilt.

The journals are the truth. The catalogue knows how far it has read each of them, so a process that died between
writing a journal and writing here leaves nothing to repair: the next one reads on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, create_engine, delete, event, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError

from dock.folder import JOURNAL_OWNER
from dock.manifest import Part, part_name
from dock.tables import (
    BLOBS,
    BLOCKS,
    DEVICES,
    FINDINGS,
    INCOMING,
    INTERRUPTION_COLUMNS,
    INTERRUPTIONS,
    JOURNALS,
    METADATA,
    PARTS,
    RECEIVED,
    REJECTIONS,
    SEGMENTS,
    STORED,
)
from evidence.errors import BadInputError, DiscError
from evidence.journal import EMPTY, Entry, Head, read_entry
from evidence.kinds import BLOB_KINDS

BUSY_MS = 30_000
NOTHING: Mapping[str, Entry] = MappingProxyType({})


class Catalogue:
    """Several processes may use one at the same time. Every method raises DiscError when the database fails."""

    def __init__(self, path: Path) -> None:
        """Open or create."""
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_MS / 1000})
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with self.writing() as db:
            METADATA.create_all(db)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction; what it wrote survives a power cut once the block has ended."""
        try:
            with self._engine.begin() as db:
                yield db
        except SQLAlchemyError as error:
            raise DiscError(str(self._engine.url.database), f"the catalogue fails: {error}".splitlines()[0]) from error

    def catch_up(self, owner: str, journal: Path, added: Iterable[Entry] = ()) -> None:
        """Read what the journal holds beyond what is known here. The caller holds the journal's lock.

        `added` are entries that it has just put there, so that they are not taken apart a second time.
        """
        if self.is_behind(owner, journal):
            with self.writing() as db:
                read_on(db, owner, journal, {entry.token: entry for entry in added})

    def is_behind(self, owner: str, journal: Path) -> bool:
        """Whether the journal has grown since. Raises BadInputError when it has shrunk."""
        row = self._row(select(JOURNALS.c.size_bytes).where(JOURNALS.c.owner == owner))
        return _size_bytes(journal) != (row.size_bytes if row else 0)

    def head(self, owner: str) -> Head:
        """The last entry read of this journal."""
        row = self._row(select(JOURNALS.c.seq, JOURNALS.c.hash).where(JOURNALS.c.owner == owner))
        return Head(row.seq, row.hash) if row else EMPTY

    def device(self, device: str) -> Row[Any] | None:
        """Key id and latest assignment of a recorder, None when it is not enrolled."""
        return self._row(select(DEVICES).where(DEVICES.c.device == device))

    def segment(self, device: str, segment: str) -> Row[Any] | None:
        """State, seal and receipt; None when neither is known."""
        return self._row(select(SEGMENTS).where(SEGMENTS.c.device == device, SEGMENTS.c.segment == segment))

    def parts(self, device: str, segment: str) -> list[Part]:
        """The stored parts of a segment that is not complete yet."""
        wanted = select(PARTS).where(PARTS.c.device == device, PARTS.c.segment == segment)
        return [Part(**row._mapping) for row in self._rows(wanted)]

    def add_parts(self, parts: Iterable[Part]) -> None:
        """Remember parts that are durable, in one transaction."""
        values = [part.row() for part in parts]
        if values:
            with self.writing() as db:
                db.execute(insert(PARTS).on_conflict_do_nothing(), values)

    def forget_parts(self, device: str, segment: str, parts: Iterable[int] | None = None) -> None:
        """These parts, or all, are not to be had after all; the recorder will be asked for them again."""
        wanted = delete(PARTS).filter_by(device=device, segment=segment)
        with self.writing() as db:
            db.execute(wanted if parts is None else wanted.where(PARTS.c.part.in_(list(parts))))

    def rejected_parts(self, device: str, segment: str) -> dict[int, int]:
        """Which parts of a segment were rejected, and how often."""
        named = (REJECTIONS.c.device == device, REJECTIONS.c.what.startswith(part_name(segment, "")))
        query = select(REJECTIONS.c.what, func.sum(REJECTIONS.c.times)).where(*named).group_by(REJECTIONS.c.what)
        return {int(what.rpartition("/")[2]): int(times) for what, times in map(tuple, self._rows(query))}

    def rejected_contents(self, device: str) -> int:
        """How many different contents of this recorder were rejected."""
        return int(next(iter(self._rows(select(func.count()).where(REJECTIONS.c.device == device))))[0])

    def rejected_again(self, device: str, what: str, sha256: str) -> bool:
        """Count a repeated rejection; False when it is the first one of this content."""
        named = (REJECTIONS.c.device == device, REJECTIONS.c.what == what, REJECTIONS.c.sha256 == sha256)
        with self.writing() as db:
            return db.execute(update(REJECTIONS).where(*named).values(times=REJECTIONS.c.times + 1)).rowcount > 0

    def rejected_times(self, device: str, what: str) -> int:
        """How often anything of this name was rejected."""
        query = select(func.coalesce(func.sum(REJECTIONS.c.times), 0))
        return int(self._rows(query.where(REJECTIONS.c.device == device, REJECTIONS.c.what == what))[0][0])

    def block(self, device: str) -> str | None:
        """The dock's entry that blocks a recorder, a token; None when none does."""
        open_one = (BLOCKS.c.device == device, BLOCKS.c.cleared.is_(None))
        row = self._row(select(BLOCKS.c.entry).where(*open_one).order_by(BLOCKS.c.seq.desc()))
        return None if row is None else str(row.entry)

    def blocked_for(self, device: str, other_hash: str) -> bool:
        """Whether this entry has blocked the recorder, now or before it was cleared."""
        return self._row(select(BLOCKS.c.seq).filter_by(device=device, other_hash=other_hash)) is not None

    def blocks(self) -> list[str]:
        """Of every recorder that is blocked now the latest entry that says so, a token."""
        latest = select(func.max(BLOCKS.c.seq)).where(BLOCKS.c.cleared.is_(None)).group_by(BLOCKS.c.device)
        return [str(row.entry) for row in self._rows(select(BLOCKS.c.entry).where(BLOCKS.c.seq.in_(latest)))]

    def count(self, device: str, findings: Mapping[str, int]) -> None:
        """So many more of each of these causes (`evidence.forks`)."""
        if findings:
            with self.writing() as db:
                for cause, times in findings.items():
                    _count(db, device, cause, times)

    def findings(self, device: str) -> dict[str, int]:
        """How often each cause was found."""
        query = select(FINDINGS.c.cause, FINDINGS.c.times).where(FINDINGS.c.device == device)
        return {str(row.cause): int(row.times) for row in self._rows(query)}

    def received_us(self, device: str) -> int | None:
        """UTC of the latest receipt that this recorder's journal knows of."""
        row = self._row(select(RECEIVED.c.utc_us).where(RECEIVED.c.device == device))
        return None if row is None else int(row.utc_us)

    def blobs(self, device: str, blobs: Iterable[str]) -> dict[str, Row[Any]]:
        """Entry and receipt of those of these photos and notes that are known."""
        wanted = select(BLOBS).where(BLOBS.c.device == device, BLOBS.c.blob.in_(list(blobs)))
        return {row.blob: row for row in self._rows(wanted)}

    def interruption(self, device: str, interruption: str) -> Row[Any] | None:
        """What recorder and dock said about one interruption, a token each; None when it is not known."""
        of_it = (INTERRUPTIONS.c.device == device, INTERRUPTIONS.c.interruption == interruption)
        return self._row(select(INTERRUPTIONS).where(*of_it))

    def reports(self) -> list[Row[Any]]:
        """The interruptions for which the dock has taken an urgent report."""
        return self._rows(select(INTERRUPTIONS).where(INTERRUPTIONS.c.report_taken.is_not(None)))

    def unheard(self, device: str) -> list[str]:
        """Tokens: what the dock said about this recorder's interruptions and the recorder has not journalled yet."""
        pairs = (("report_taken", "report_received"), ("explanation", "written"))
        columns = [(INTERRUPTIONS.c[said], INTERRUPTIONS.c[heard]) for said, heard in pairs]
        return [
            str(row[0])
            for said, heard in columns
            for row in self._rows(
                select(said).where(INTERRUPTIONS.c.device == device, said.is_not(None), heard.is_(None))
            )
        ]

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        try:
            with self._reading.connect() as db:
                return list(db.execute(query))
        except SQLAlchemyError as error:
            raise DiscError(str(self._engine.url.database), f"the catalogue fails: {error}".splitlines()[0]) from error

    def _row(self, query: Select[Any]) -> Row[Any] | None:
        return next(iter(self._rows(query)), None)


def read_on(db: Connection, owner: str, journal: Path, parsed: Mapping[str, Entry] = NOTHING) -> None:
    """Take over the entries that stand behind those already read; `parsed` are tokens that somebody has read."""
    known = db.execute(select(JOURNALS).where(JOURNALS.c.owner == owner)).first()
    size_bytes, head = (known.size_bytes, Head(known.seq, known.hash)) if known else (0, EMPTY)
    if _size_bytes(journal) < size_bytes:
        hint = "put the whole journal back; the catalogue can be removed, it is rebuilt"
        raise BadInputError(str(journal), f"is shorter than the {size_bytes} bytes known of it", hint)
    with journal.open("rb") as file:
        file.seek(size_bytes)
        for line in file:
            token = line.decode("ascii", errors="replace").rstrip("\n")
            entry = parsed.get(token) or read_entry(token, str(journal))
            (_take_own if owner == JOURNAL_OWNER else _take_recorders)(db, entry)
            size_bytes, head = size_bytes + len(line), entry.head
    values = {"seq": head.seq, "hash": head.hash, "size_bytes": size_bytes}
    _put(db, JOURNALS, {"owner": owner}, values)


def _take_own(db: Connection, entry: Entry) -> None:
    fields = entry.fields
    match entry.kind:
        case "enrolled":
            _put(db, DEVICES, {"device": fields["recorder"]}, {"kid": fields["kid"]})
        case "assignment":
            db.execute(update(DEVICES).where(DEVICES.c.device == fields["recorder"]).values(assignment=entry.token))
        case "stored":
            name = {"device": fields["recorder"], "segment": fields["segment"]}
            _put(db, SEGMENTS, name, {"state": STORED, "receipt": entry.token})
            db.execute(delete(PARTS).filter_by(**name))
        case "blob_stored":
            _put_first(db, BLOBS, {"device": fields["recorder"], "blob": fields["blob"]}, "receipt", entry.token)
        case "report_taken" | "explanation":
            _take_interruptions(db, fields["recorder"], entry)
        case "blocked" | "cleared" | "clock_set_back":
            _take_finding(db, fields["recorder"], entry)
        case "rejected":
            values = {"device": fields["recorder"], "what": fields["what"], "sha256": fields["sha256"], "times": 1}
            db.execute(insert(REJECTIONS).on_conflict_do_nothing(), values)


def _take_finding(db: Connection, device: str, entry: Entry) -> None:
    if entry.kind == "blocked":
        values = {"other_hash": entry.fields["other_hash"], "entry": entry.token}
        _put(db, BLOCKS, {"device": device, "seq": entry.seq}, values)
    elif entry.kind == "cleared":
        known = (BLOCKS.c.device == device, BLOCKS.c.seq <= entry.fields["blocked_seq"])
        db.execute(update(BLOCKS).where(*known).values(cleared=entry.token))
    else:
        _count(db, device, entry.kind, 1)


def _take_recorders(db: Connection, entry: Entry) -> None:
    if entry.kind in BLOB_KINDS:
        _put_first(db, BLOBS, {"device": entry.device, "blob": entry.fields["blob"]}, "entry", entry.token)
    elif entry.kind in INTERRUPTION_COLUMNS:
        _take_interruptions(db, entry.device, entry)
    elif entry.kind == "segment":
        _take_seal(db, entry)
    elif entry.kind == "receipt":
        _take_received(db, entry)


def _take_interruptions(db: Connection, device: str, entry: Entry) -> None:
    name = {"device": device, "interruption": entry.fields["interruption"]}
    _put_first(db, INTERRUPTIONS, name, INTERRUPTION_COLUMNS[entry.kind], entry.token)


def _take_seal(db: Connection, entry: Entry) -> None:
    name = {"device": entry.device, "segment": entry.fields["segment"]}
    sealed = {"parts": len(entry.fields["parts"]), "stored_bytes": entry.fields["stored_bytes"], "seal": entry.token}
    row = db.execute(select(SEGMENTS.c.seal).filter_by(**name)).first()
    if row is None:
        db.execute(insert(SEGMENTS).values(**name, state=INCOMING, **sealed))
    elif row.seal is None:
        db.execute(update(SEGMENTS).filter_by(**name).values(**sealed))


def _take_received(db: Connection, entry: Entry) -> None:
    """From now on the recorder knows a time of the dock's."""
    row = db.execute(select(SEGMENTS.c.receipt).filter_by(device=entry.device, segment=entry.fields["segment"])).first()
    receipt = None if row is None or row.receipt is None else read_entry(row.receipt)
    if receipt is not None and receipt.head.hash == entry.fields["dock_hash"]:
        _put(db, RECEIVED, {"device": entry.device}, {"utc_us": receipt.at.utc_us})


def _count(db: Connection, device: str, cause: str, times: int) -> None:
    put = insert(FINDINGS).values(device=device, cause=cause, times=times)
    more = {"times": FINDINGS.c.times + times}
    db.execute(put.on_conflict_do_update(index_elements=["device", "cause"], set_=more))


def _put(db: Connection, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    db.execute(insert(table).values(**key, **values).on_conflict_do_update(index_elements=list(key), set_=values))


def _put_first(db: Connection, table: Table, key: dict[str, Any], column: str, token: str) -> None:
    """Of several entries that say the same the first one counts."""
    put = insert(table).values(**key, **{column: token})
    first = func.coalesce(table.c[column], put.excluded[column])
    db.execute(put.on_conflict_do_update(index_elements=list(key), set_={column: first}))


def _size_bytes(journal: Path) -> int:
    return journal.stat().st_size if journal.exists() else 0


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    # Without a sync at each commit: a power cut may take the newest rows, never the order of them. They are read again
    # from the journals, and a part that is missing here is asked for again; only the journals must never lose a line.
    # The driver's own idea of when a transaction begins is left out; see `_begin`.
    connection.isolation_level = None
    cursor = connection.cursor()
    for setting in ("journal_mode=wal", "synchronous=normal", f"busy_timeout={BUSY_MS}"):
        cursor.execute(f"pragma {setting}")
    cursor.close()


def _begin(db: Connection) -> None:
    # With the write lock from the start: a transaction that begins by reading cannot be upgraded under another one.
    db.exec_driver_sql("begin immediate")
