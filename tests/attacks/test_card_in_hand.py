"""With the card in hand and no key: everything that was done to it is in the verdict on it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from evidence.io.durable import PosixDisc
from evidence.io.journal_store import JournalStore, state_head
from evidence.io.verify_files import verify_path
from evidence.signing import from_base64url, to_base64url
from evidence.verify import Verdict
from tests.evidence.golden import OTHER, PARTS, RECORDER, TRUST, Writer, certificate_of, short_journal
from tests.evidence.trees import make_spool, receipt_for, seal_of, store_journal


@dataclass
class Card:
    """A closed spool with one sealed segment of four parts; another recorder's lies beside it."""

    root: Path
    other: Path
    writer: Writer

    @property
    def footage(self) -> Path:
        (path,) = (self.root / "segments").iterdir()
        return path

    @property
    def receipt(self) -> Path:
        (path,) = (self.root / "receipts").iterdir()
        return path

    @property
    def journal(self) -> Path:
        return self.root / "journal.db"

    @property
    def head(self) -> Path:
        return self.root / "journal.db.head"

    def sql(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.journal)) as db:
            db.execute(statement, values)
            db.commit()
            db.execute("pragma wal_checkpoint(truncate)")

    def rewrite(self, writer: Writer, *, close: bool) -> None:
        """Another journal in its place, closed by whoever has written it."""
        for path in (self.journal, self.head):
            path.unlink()
        store_journal(self.journal, writer.entries)
        if close:
            state_head(self.journal, PosixDisc(), writer.signer, writer.chain, [writer.certificate])

    def token(self, seq: int) -> str:
        with closing(JournalStore(self.journal)) as store:
            return list(store.tokens())[seq]


@pytest.fixture
def card(tmp_path: Path) -> Card:
    writer, other = short_journal(), Writer(OTHER)
    other.add("journal_opened")
    other.add_segment()
    return Card(make_spool(tmp_path / "card", writer), make_spool(tmp_path / "other", other), writer)


def flip(card: Card) -> None:
    data = bytearray(card.footage.read_bytes())
    data[len(data) // 2] ^= 1
    card.footage.write_bytes(data)


def put(*parts: bytes) -> Callable[[Card], object]:
    return lambda card: card.footage.write_bytes(b"".join(parts))


def put_others_journal(card: Card) -> None:
    shutil.copy(card.other / "journal.db", card.journal)
    shutil.copy(card.other / "journal.db.head", card.head)


def edit_and_rehash(card: Card) -> None:
    """The footage changed, and the hashes of it in its entry; the signature stays what it was."""
    changed = PARTS[1].upper()
    put(PARTS[0], changed, *PARTS[2:])(card)
    hashes = [to_base64url(sha256(data).digest()) for data in (PARTS[1], changed)]
    seq = next(entry.seq for entry in card.writer.entries if entry.fields.get("index") == 1)
    head, payload, signature = card.token(seq).split(".")
    raw = from_base64url(payload).replace(hashes[0].encode(), hashes[1].encode())
    card.sql("update entries set token = ? where seq = ?", f"{head}.{to_base64url(raw)}.{signature}", seq)


def forged(name: str, certificate: bytes) -> Writer:
    """The same journal about other footage, by a key that is not the recorder's."""
    writer = Writer(RECORDER, name, certificate)
    writer.add("journal_opened")
    writer.add_segment([PARTS[0], b"never happened"])
    return writer


def sign_with_own_key(card: Card) -> None:
    own = certificate_of("own key", root="foreign root")
    card.rewrite(forged("own key", own), close=True)
    put(PARTS[0], b"never happened")(card)


def sign_with_another_recorders_key(card: Card) -> None:
    card.rewrite(forged(OTHER, certificate_of(OTHER)), close=True)
    put(PARTS[0], b"never happened")(card)


def strip_journal(card: Card) -> None:
    writer = Writer()
    for entry in card.writer.entries[:-3]:
        writer.entries.append(entry)
        writer.chain.advance(entry)
    card.journal.unlink()
    store_journal(card.journal, writer.entries)


def strip_journal_and_its_end(card: Card) -> None:
    strip_journal(card)
    card.head.unlink()


def forge_receipt(card: Card) -> None:
    """By the recorder's own key, as if it were the dock."""
    card.receipt.write_text(f"{receipt_for(Writer(RECORDER), seal_of(card.writer)).token}\n")


def put_others_receipt(card: Card) -> None:
    (path,) = (card.other / "receipts").iterdir()
    shutil.copy(path, card.receipt)


def mix_cards(card: Card) -> None:
    for path in (card.other / "segments").iterdir():
        shutil.copy(path, card.root / "segments" / f"3f2a9c1b7d04-00007{path.suffix}")


BAD, GAPS, STRANGE, UNKNOWN = Verdict.NOT_AUTHENTIC, Verdict.GAPS, Verdict.NOT_SIGNED, Verdict.UNKNOWN_KEY
ATTACKS: dict[str, tuple[Callable[[Card], object], Verdict, str]] = {
    "flips one bit of the footage": (flip, BAD, "is not what was signed"),
    "replaces a part of the footage": (put(PARTS[0], b"x" * len(PARTS[1]), *PARTS[2:]), BAD, "part 1 of 4"),
    "cuts a part out of the middle": (put(PARTS[0], *PARTS[2:]), GAPS, "1 of 4 parts are missing: 1"),
    "strips the tail off the footage": (put(*PARTS[:-1]), GAPS, "1 of 4 parts are missing: 3"),
    "tears the last part": (lambda card: card.footage.write_bytes(b"".join(PARTS)[:-1]), BAD, "part 3 of 4"),
    "splices a strange part in": (put(*PARTS[:2], b"strange", *PARTS[2:]), BAD, "part 2 of 4"),
    "splices a part in a second time": (put(*PARTS[:2], PARTS[1], *PARTS[2:]), BAD, "part 2 of 4"),
    "swaps two parts": (put(PARTS[0], PARTS[2], PARTS[1], PARTS[3]), BAD, "is not what was signed"),
    "appends to the footage": (put(*PARTS, b"more"), BAD, "after the last part"),
    "deletes the footage": (lambda card: card.footage.unlink(), GAPS, "is not here and was never released"),
    "edits the footage and makes the hash right": (edit_and_rehash, BAD, "signature"),
    "writes a journal with a key of his own": (sign_with_own_key, UNKNOWN, "not issued by the trusted CA"),
    "writes a journal with another recorder's key": (sign_with_another_recorders_key, UNKNOWN, "BWC-0002"),
    "deletes an entry": (lambda card: card.sql("delete from entries where seq = 5"), BAD, ""),
    "swaps two entries": (
        lambda card: card.sql("update entries set token = (select token from entries where seq = 6) where seq = 5"),
        BAD, "",
    ),
    "strips the tail off the journal": (strip_journal, BAD, ""),
    "strips the tail off the journal and takes the statement of its end away": (
        strip_journal_and_its_end, GAPS, "nobody can say whether its end is here",
    ),
    "changes a word beside the entries in the database": (
        lambda card: card.sql("update entries set kind = 'bookmark' where seq = 5"), BAD, "a byte has changed",
    ),
    "puts another recorder's journal there": (put_others_journal, BAD, ""),
    "puts another recorder's footage there": (mix_cards, STRANGE, "is a file that no entry speaks of"),
    "puts a receipt there that the dock never gave": (forge_receipt, BAD, ""),
    "puts another recorder's receipt there": (put_others_receipt, BAD, ""),
    "takes the receipt away": (lambda card: card.receipt.unlink(), GAPS, "was journalled and is not here"),
    "puts a file of his own there": (
        lambda card: (card.root / "segments" / "3f2a9c1b7d04-00002.mp4").write_bytes(b"x"), STRANGE, "no entry speaks",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_whoever_has_the_card(card: Card, name: str) -> None:
    attack, expected, told = ATTACKS[name]
    assert verify_path(card.root, TRUST).verdict is Verdict.AUTHENTIC
    attack(card)
    report = verify_path(card.root, TRUST)
    assert report.verdict is expected
    assert any(told in defect.what for defect in report.defects)
