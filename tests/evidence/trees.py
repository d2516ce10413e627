"""Small trees of evidence with a few bytes of video: a vault, a spool, a segment on its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from evidence.io.durable import PosixDisc
from evidence.io.journal_store import JournalStore, file_hash, head_path, state_head
from evidence.journal import Chain, Entry, sign_head
from evidence.kinds import SEALED_SEGMENT
from evidence.receipts import DOCK
from tests.evidence.golden import PARTS, RECORDER, SAMPLES, SEGMENT, Writer, signer, stamp


def write_journal(folder: Path, writer: Writer) -> None:
    """A journal as the dock keeps it, and the dock's statement of its end."""
    folder.mkdir(parents=True)
    (folder / "journal.jws").write_bytes(writer.text)
    stated = sign_head(signer(DOCK), folder.name, writer.chain.head)
    (folder / "journal.jws.head").write_text(f"{stated}\n")


def receipt_for(dock: Writer, seal: Entry) -> Entry:
    fields = {name: seal.fields[name] for name in ("segment", "sha256", "stored_bytes")}
    fields |= {"recorder": seal.device, "seal_seq": seal.seq, "seal_hash": seal.head.hash}
    return dock.add("stored", fields, certified=True)


def seal_of(writer: Writer, segment: str = SEGMENT) -> Entry:
    return next(one for one in writer.entries if one.kind == "segment" and one.fields["segment"] == segment)


def make_vault(root: Path, writers: Sequence[Writer], parts: Sequence[bytes] = PARTS) -> Path:
    """Every recorder with its one segment, and a receipt for each."""
    dock = Writer(DOCK)
    for writer in writers:
        folder = root / writer.chain.owner
        write_journal(folder, writer)
        seal = seal_of(writer)
        receipt_for(dock, seal)
        (folder / f"{SEGMENT}{SEALED_SEGMENT}").write_bytes(b"".join(parts))
        (folder / f"{SEGMENT}.jws").write_text(f"{seal.token}\n")
    write_journal(root / DOCK, dock)
    return root


def make_spool(root: Path, writer: Writer, parts: Sequence[bytes] = PARTS, *, close: bool = True) -> Path:
    """A card with one sealed segment and its receipt; closed, so that the end of its journal is stated."""
    (root / "segments").mkdir(parents=True)
    (root / "receipts").mkdir()
    (root / "segments" / f"{SEGMENT}{SEALED_SEGMENT}").write_bytes(b"".join(parts))
    receipt = receipt_for(Writer(DOCK), seal_of(writer))
    (root / "receipts" / f"{SEGMENT}.jws").write_text(f"{receipt.token}\n")
    stored = {"segment": SEGMENT, "dock": DOCK, "dock_seq": receipt.seq, "dock_hash": receipt.head.hash}
    writer.add("receipt", stored)
    if close:
        close_journal(root / "journal.db", writer)
    else:
        store_journal(root / "journal.db", writer.entries)
    return root


def close_journal(path: Path, writer: Writer) -> None:
    """A journal's database as a recorder leaves it that was switched off."""
    store_journal(path, writer.entries)
    state_head(path, PosixDisc(), writer.signer, writer.chain, [writer.certificate])


def store_journal(path: Path, entries: Sequence[Entry]) -> None:
    """A journal's database with small pages, so that flipping each of its bytes does not take long."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma page_size=512")
        db.execute("vacuum")
    with closing(JournalStore(path)) as store:
        for entry in entries:
            store.add(entry)


def tiny_journal(owner: str = RECORDER) -> Writer:
    """As few entries as a sealed segment needs."""
    writer = Writer(owner)
    writer.add_segment(TINY_PARTS)
    return writer


TINY_PARTS = (b"init", b"part")


def file_hashes(root: Path) -> dict[str, tuple[str, int]]:
    """Every file below a folder with the hash of its bytes and the time of its last change."""
    return {
        str(path.relative_to(root)): (file_hash(path), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def restate(root: Path, writer: Writer) -> None:
    """The dock states the end of a recorder's journal anew."""
    path = head_path(root / writer.chain.owner / "journal.jws")
    path.write_text(f"{sign_head(signer(DOCK), writer.chain.owner, writer.chain.head)}\n")


def entry_after(writer: Writer, kind: str = "docked") -> Entry:
    """The entry that the owner of the key could write next."""
    return Chain(writer.chain.owner, writer.signer, writer.chain.head).make(
        stamp(1_000_000 * len(writer.entries)), kind, SAMPLES[kind]
    )
