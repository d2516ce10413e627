"""Making the catalogue anew from journals and files, when it is lost or not trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from dock.catalogue import Catalogue, read_on
from dock.dock_journal import DockJournal
from dock.folder import JOURNAL_OWNER, DockFolder
from dock.manifest import Part, part_of, read_seal, within_limits
from dock.tables import METADATA, PARTS, SEGMENTS, STORED
from evidence.io.durable import Disc
from evidence.io.token_file import TokenFile, read_lines
from evidence.journal import Entry, read_entry
from evidence.kinds import PART_KINDS
from evidence.signing import to_base64url


def rebuild(folder: DockFolder, disc: Disc, journal: DockJournal, catalogue: Catalogue) -> None:
    """Empty the catalogue and fill it from the journals and from what lies in incoming and vault.

    Raises BadInputError for a journal that cannot be read, DiscError.
    """
    with journal.held():
        _rebuild(folder, disc, journal, catalogue)


def rebuild_if_empty(folder: DockFolder, disc: Disc, journal: DockJournal, catalogue: Catalogue) -> None:
    """The same, unless another process has done it or there is nothing to do. Raises the same."""
    with journal.held() as head:
        if catalogue.head(JOURNAL_OWNER).seq < 0 <= head.seq:
            _rebuild(folder, disc, journal, catalogue)


def _rebuild(folder: DockFolder, disc: Disc, journal: DockJournal, catalogue: Catalogue) -> None:
    owners = sorted(path.parent.name for path in folder.vault.glob(f"*/{folder.journal('any').name}"))
    recorders = [owner for owner in owners if owner != JOURNAL_OWNER]
    with ExitStack() as locks:
        for device in recorders:
            file = TokenFile(folder.journal(device), device, disc, journal.signer)
            locks.enter_context(file.locked())
        with catalogue.writing() as db:
            for table in METADATA.sorted_tables:
                db.execute(delete(table))
            read_on(db, JOURNAL_OWNER, journal.path)
            for device in recorders:
                read_on(db, device, folder.journal(device))
                _find_parts(db, folder, device)


def _find_parts(db: Connection, folder: DockFolder, device: str) -> None:
    """The parts of segments without a receipt: whatever lies there and has the hash that the journal says."""
    rows = db.execute(select(SEGMENTS).filter_by(device=device)).all()
    done = {row.segment for row in rows if row.state == STORED}
    seals = {row.segment: read_seal(read_entry(row.seal)) for row in rows if row.seal}
    for entry in _part_entries(folder.journal(device)):
        part = part_of(entry)
        seal = seals.get(part.segment)
        possible = within_limits(part) if seal is None else seal.has(part)
        if part.segment in done or not possible:
            continue
        places = (folder.segment(device, part.segment), folder.incoming(device, part.segment))
        if any(_lies_in(path, part) for path in places):
            db.execute(insert(PARTS).on_conflict_do_nothing(), part.row())


def _part_entries(journal: Path) -> Iterator[Entry]:
    entries = (read_entry(token, str(journal)) for token in read_lines(journal))
    return (entry for entry in entries if entry.kind in PART_KINDS)


def _lies_in(path: Path, part: Part) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as file:
        file.seek(part.offset_bytes)
        return to_base64url(sha256(file.read(part.stored_bytes)).digest()) == part.stored_sha256
