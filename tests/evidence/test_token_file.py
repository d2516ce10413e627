"""Journals on a disc: what both stores do alike, and what the dock's text file does in a crash and a crowd."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from evidence.errors import BadInputError, DiscError, LiuhenError
from evidence.io.durable import PosixDisc
from evidence.io.journal_store import Access, JournalStore, head_path
from evidence.io.token_file import TokenFile, read_lines
from evidence.journal import EMPTY, TOKEN_LIMIT_BYTES, Entry, Head, check_link, read_entry, read_head
from tests.evidence.golden import DOCK, RECORDER, short_journal, signer

ENTRIES = tuple(short_journal().entries)
TOKENS = [entry.token for entry in ENTRIES]


class Store(Protocol):
    """What a journal on a disc can do, whoever keeps it."""

    path: Path

    def add(self, entries: Sequence[Entry]) -> None: ...

    def tokens(self) -> list[str]: ...

    def head(self) -> Head: ...


class Text:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.jws"
        self.file = TokenFile(self.path, RECORDER, PosixDisc(), signer(DOCK))

    def add(self, entries: Sequence[Entry]) -> None:
        with self.file.locked():
            self.file.append([entry.token for entry in entries])

    def tokens(self) -> list[str]:
        return list(self.file.tokens())

    def head(self) -> Head:
        with self.file.locked() as head:
            return head


class Database:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.db"

    def add(self, entries: Sequence[Entry]) -> None:
        with closing(JournalStore(self.path)) as store:
            for entry in entries:
                store.add(entry)

    def tokens(self) -> list[str]:
        with closing(JournalStore(self.path)) as store:
            return list(store.tokens())

    def head(self) -> Head:
        with closing(JournalStore(self.path)) as store:
            return store.head()


@pytest.fixture(params=[Text, Database])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    made: Store = request.param(tmp_path)
    return made


def test_a_new_journal_is_empty(store: Store) -> None:
    assert (store.head(), store.tokens()) == (EMPTY, [])
    assert store.path.is_file()


def test_what_was_added_is_there_in_order_for_whoever_opens_it_next(store: Store) -> None:
    for number, entry in enumerate(ENTRIES):
        store.add([entry])
        assert store.tokens() == TOKENS[: number + 1]
        assert store.head() == entry.head


def test_a_batch_is_added_whole(store: Store) -> None:
    store.add(ENTRIES[:4])
    store.add([])
    store.add(ENTRIES[4:])
    assert store.tokens() == TOKENS


@pytest.mark.parametrize(
    "line", [b"x" * 5000, b"\xff" * 5000, b"a.b.c" * 1000, b"x" * 5000 + b"\n"], ids=lambda x: x[:2]
)
def test_what_is_no_journal_is_one_clear_error(store: Store, line: bytes) -> None:
    store.path.write_bytes(line + b"\n")
    with pytest.raises(LiuhenError) as caught:
        store.head()
    assert str(store.path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert store.path.read_bytes() == line + b"\n"


def test_a_folder_is_no_journal(store: Store) -> None:
    store.path.mkdir()
    with pytest.raises(LiuhenError):
        store.head()


# The text file alone.


@pytest.fixture
def text(tmp_path: Path) -> Text:
    return Text(tmp_path)


def test_every_line_is_a_token_and_the_head_is_stated_beside(text: Text) -> None:
    text.add(ENTRIES[:3])
    assert text.path.read_text() == "".join(f"{token}\n" for token in TOKENS[:3])
    stated = read_head(head_path(text.path).read_text().strip())
    stated.verify(signer(DOCK).verify_key)
    assert (stated.journal, stated.head) == (RECORDER, ENTRIES[2].head)


def test_a_line_that_was_torn_at_any_byte_is_cut_off_and_can_be_written_again(text: Text) -> None:
    text.add(ENTRIES[:2])
    whole = text.path.read_bytes()
    line = f"{TOKENS[2]}\n".encode()
    for kept in range(len(line)):
        text.path.write_bytes(whole + line[:kept])
        assert text.head() == ENTRIES[1].head
        assert text.path.read_bytes() == whole
    text.add(ENTRIES[2:3])
    assert text.tokens() == TOKENS[:3]


def test_a_first_line_that_was_torn_is_cut_off(text: Text) -> None:
    text.path.write_bytes(TOKENS[0].encode()[:100])
    assert text.head() == EMPTY
    assert text.path.read_bytes() == b""


def test_a_reader_does_not_take_a_torn_line_for_an_entry(text: Text) -> None:
    text.path.write_bytes(f"{TOKENS[0]}\n{TOKENS[1]}".encode())
    lines = read_lines(text.path)
    assert next(lines) == TOKENS[0]
    with pytest.raises(BadInputError, match="line 2: is torn"):
        next(lines)


def test_a_file_without_line_feeds_is_neither_read_into_memory_nor_cut_to_nothing(text: Text) -> None:
    """More than any torn line can be: this was never ours, so it is left alone."""
    size_bytes = 5 * TOKEN_LIMIT_BYTES
    text.path.write_bytes(b"x" * size_bytes)
    with pytest.raises(BadInputError, match="line 1: is torn"):
        text.tokens()
    with pytest.raises(BadInputError, match="no line of it ends"):
        text.head()
    assert text.path.stat().st_size == size_bytes


def test_the_longest_token_is_read(text: Text) -> None:
    text.path.write_bytes(b"x" * TOKEN_LIMIT_BYTES + b"\n" + b"y" * (TOKEN_LIMIT_BYTES - 1) + b"\n")
    assert [len(token) for token in text.tokens()] == [TOKEN_LIMIT_BYTES, TOKEN_LIMIT_BYTES - 1]


def test_a_journal_that_is_not_there_has_no_tokens(text: Text) -> None:
    assert text.tokens() == []
    assert not text.path.exists()


def test_an_error_of_whoever_holds_the_lock_is_not_the_locks(text: Text) -> None:
    with pytest.raises(FileNotFoundError), text.file.locked():
        (text.path.parent / "none").read_bytes()
    with pytest.raises(DiscError, match="their own"), text.file.locked():
        raise DiscError("disc", "their own")


def test_nothing_is_left_of_an_append_that_failed(text: Text) -> None:
    """The file was changed behind the lock's back: its end is not where it was."""
    text.add(ENTRIES[:1])
    with text.file.locked():
        text.path.unlink()
        with pytest.raises(DiscError):
            text.file.append(TOKENS[1:2])
    assert not text.path.exists()


CROWD = """
import sys
from pathlib import Path
from evidence.io.durable import PosixDisc
from evidence.io.token_file import TokenFile
from evidence.journal import Chain
from tests.evidence.golden import DOCK, SAMPLES, certificate_of, signer, stamp
from evidence.certificates import Role

file = TokenFile(Path(sys.argv[1]), DOCK, PosixDisc(), signer(DOCK))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    with file.locked() as head:
        entry = Chain(DOCK, signer(DOCK), head).make(stamp(), "bookmark", {"recording": None, "by": sys.argv[3]})
        file.append([entry.token])
"""


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    path, each = tmp_path / "dock" / "journal.jws", 20
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", CROWD, str(path), str(each), name],
            cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("go\n")
        assert writer.returncode == 0
    head, by = EMPTY, []
    for token in read_lines(path):
        entry = read_entry(token)
        entry.verify(signer(DOCK).verify_key)
        check_link(head, entry)
        head = entry.head
        by.append(entry.fields["by"])
    assert sorted(by) == ["one"] * each + ["two"] * each
    assert read_head(head_path(path).read_text().strip()).head == head


def test_a_database_is_opened_as_it_is_wanted(tmp_path: Path) -> None:
    for access in (Access.READ, Access.FROZEN):
        with pytest.raises(DiscError, match="cannot be opened"):
            JournalStore(tmp_path / "journal.db", access)
    assert list(tmp_path.iterdir()) == []
