"""The recorder's journal in SQLite: what it finds, and that looking changes nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from evidence.errors import BadInputError, DiscError, LiuhenError
from evidence.io.durable import PosixDisc
from evidence.io.journal_store import Access, JournalStore, file_hash, head_path, state_head
from evidence.journal import EMPTY, read_head
from tests.evidence.golden import OTHER, SEGMENT, Writer, hash_of, short_journal, stamp
from tests.evidence.trees import file_hashes, store_journal

WRITER = short_journal()
KINDS = [entry.kind for entry in WRITER.entries]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(JournalStore(tmp_path / "journal.db")) as store:
        for entry in WRITER.entries:
            store.add(entry)
    return tmp_path / "journal.db"


@pytest.fixture
def store(path: Path) -> Iterator[JournalStore]:
    with closing(JournalStore(path)) as store:
        yield store


@pytest.mark.parametrize(
    ("first", "last", "numbers"),
    [
        (0, None, range(11)),
        (4, None, range(4, 11)),
        (0, 3, range(4)),
        (2, 2, [2]),
        (3, 2, []),
        (11, None, []),
        (9, 99, [9, 10]),
    ],
)
def test_tokens_from_one_number_to_another(store: JournalStore, first: int, last: int | None, numbers: range) -> None:
    assert list(store.tokens(first, last)) == [WRITER.tokens[number] for number in numbers]


def test_entries_are_found_by_kind(store: JournalStore) -> None:
    assert [entry.seq for entry in store.of_kind("fragment")] == [5, 6, 7]
    assert [entry.kind for entry in store.of_kind("power_off", "power_on", "never")] == ["power_on", "power_off"]
    assert store.last_of_kind("fragment", "init") == WRITER.entries[7]
    assert store.last_of_kind("never") is None
    assert list(store.of_kind()) == []


def test_entries_are_found_by_segment(store: JournalStore) -> None:
    assert [entry.kind for entry in store.of_segment(SEGMENT)] == [
        "init",
        "fragment",
        "fragment",
        "fragment",
        "segment",
    ]
    assert list(store.of_segment("none")) == []
    assert store.segments_with("segment") == {SEGMENT}
    assert store.segments_with("power_on") == set()


def test_an_entry_is_stored_once(store: JournalStore) -> None:
    for entry in (WRITER.entries[3], Writer(OTHER).add("journal_opened")):
        with pytest.raises(DiscError, match=f"cannot store entry {entry.seq}"):
            store.add(entry)
    assert list(store.tokens()) == WRITER.tokens


def test_a_reader_beside_the_writer_sees_what_is_durable(path: Path) -> None:
    with closing(JournalStore(path)) as writer, closing(JournalStore(path, Access.READ)) as reader:
        entry = WRITER.chain.make(stamp(), "docked", {})
        assert reader.head() == WRITER.chain.head
        writer.add(entry)
        assert reader.head() == entry.head
        with pytest.raises(DiscError, match="readonly"):
            reader.add(entry)


def test_a_frozen_journal_is_read_without_changing_a_byte(path: Path) -> None:
    before, names = file_hashes(path.parent), sorted(path.parent.iterdir())
    with closing(JournalStore(path, Access.FROZEN)) as store:
        assert store.head() == WRITER.chain.head
        assert list(store.tokens()) == WRITER.tokens
        assert [entry.kind for entry in store.of_kind(*KINDS)] == KINDS
    assert (file_hashes(path.parent), sorted(path.parent.iterdir())) == (before, names)


def test_a_journal_that_is_closed_is_one_file_even_while_somebody_reads(path: Path) -> None:
    """Else the statement of its end would speak of a file that lacks the last entries."""
    writer, reader = JournalStore(path), JournalStore(path, Access.READ)
    entry = WRITER.chain.make(stamp(), "docked", {})
    with closing(reader):
        assert reader.head() == WRITER.chain.head
        writer.add(entry)
        writer.close()
        with closing(JournalStore(path, Access.FROZEN)) as frozen:
            assert frozen.head() == entry.head


def test_a_name_may_hold_what_a_uri_may_not(tmp_path: Path) -> None:
    path = tmp_path / "50 % #1?mode=ro&x 张.db"
    with closing(JournalStore(path)) as store:
        assert store.head() == EMPTY
    assert path.is_file()


def test_the_head_is_stated_with_the_hash_of_the_file(path: Path) -> None:
    state_head(path, PosixDisc(), WRITER.signer, WRITER.chain, [WRITER.certificate])
    stated = read_head(head_path(path).read_text().strip())
    stated.verify(WRITER.signer.verify_key)
    assert (stated.head, stated.file_sha256) == (WRITER.chain.head, hash_of(path.read_bytes()))
    assert file_hash(path) == stated.file_sha256


@pytest.mark.parametrize("access", Access)
def test_a_damaged_database_is_one_of_our_errors(tmp_path: Path, access: Access) -> None:
    """In every place of every page something is broken; whatever can still be read is read."""
    store_journal(tmp_path / "good", WRITER.entries[:4])
    good = (tmp_path / "good").read_bytes()
    for place in range(0, len(good), 61):
        path = tmp_path / f"{access.name} {place}"
        path.write_bytes(good[:place] + bytes(byte ^ 0xA5 for byte in good[place : place + 8]) + good[place + 8 :])
        with suppress(LiuhenError), closing(JournalStore(path, access)) as store:
            for token in store.tokens():
                assert isinstance(token, str)
            store.head()
        path.unlink()


@pytest.mark.parametrize("content", [b"x" * 4096, b"SQLite format 3\0" + b"\0" * 4080, b"SQLite format 3\0"], ids=len)
def test_what_is_no_database_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "journal.db").write_bytes(content)
    for access in Access:
        with pytest.raises((BadInputError, DiscError)) as caught:
            JournalStore(tmp_path / "journal.db", access)
        assert str(caught.value).startswith(f"{tmp_path / 'journal.db'}: ")
        assert "\n" not in str(caught.value)


def test_a_journal_without_its_tables_is_no_journal(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("create table something(else_)")
    with pytest.raises(LiuhenError, match="no such table: entries"):
        JournalStore(tmp_path / "journal.db", Access.READ)


FILL = """
import sys
from pathlib import Path
from evidence.errors import DiscFullError
from evidence.io.journal_store import JournalStore
from tests.evidence.golden import Writer

store, writer, kept = JournalStore(Path(sys.argv[1]) / "journal.db"), Writer(), 0
try:
    while True:
        store.add(writer.add("journal_opened"))
        kept += 1
except DiscFullError as error:
    assert error.try_again
    print(kept, store.head().seq, len(list(store.tokens())))
"""


def test_on_a_full_card_everything_that_was_stored_stays(tmp_path: Path) -> None:
    """On a real file system of 512 KiB, in a mount name space of our own."""
    script = 'mount -t tmpfs -o size=512k none "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FILL]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"nobody may mount here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    kept, head, tokens = map(int, done.stdout.split())
    assert kept > 10
    assert (head, tokens) == (kept - 1, kept)
