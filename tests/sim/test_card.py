"""The simulated card keeps the disc's promises, and fails in a card's own ways until it recovers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evidence.errors import DiscError, DiscFullError
from evidence.io.durable import Disc, PosixDisc
from sim.card import SimCard

CAPACITY_BYTES = 1_000_000
Verb = Callable[[Disc, Path], None]

VERBS: dict[str, Verb] = {
    "create": lambda disc, root: disc.create(root / "new", b"x"),
    "append": lambda disc, root: disc.append(root / "old", b"x", 3),
    "write_at": lambda disc, root: disc.write_at(root / "old", b"x", 0),
    "sync": lambda disc, root: disc.sync(root / "old"),
    "replace": lambda disc, root: disc.replace(root / "old", b"xyz"),
    "move": lambda disc, root: disc.move(root / "old", root / "moved"),
    "truncate": lambda disc, root: disc.truncate(root / "old", 1),
    "remove": lambda disc, root: disc.remove(root / "old"),
}
ADD = "insert into entries values (1, 'kind', null, 'token')"
SELECT = "select count(*) from entries"
every_verb = pytest.mark.parametrize("verb", VERBS)


@pytest.fixture
def card(tmp_path: Path) -> SimCard:
    made = SimCard(tmp_path, CAPACITY_BYTES)
    made.create(tmp_path / "old", b"abc")
    return made


def content(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.iterdir()}


@every_verb
def test_a_sound_card_does_what_a_disc_does(tmp_path: Path, verb: str) -> None:
    results = []
    for name, make in (("sim", lambda root: SimCard(root, CAPACITY_BYTES)), ("posix", lambda _: PosixDisc())):
        root = tmp_path / name
        root.mkdir()
        disc = make(root)
        disc.create(root / "old", b"abc")
        VERBS[verb](disc, root)
        results.append(content(root))
    assert results[0] == results[1]


@every_verb
def test_a_read_only_card_refuses_every_verb_until_it_recovers(tmp_path: Path, card: SimCard, verb: str) -> None:
    before = content(tmp_path)
    card.turn_read_only()
    for _ in range(2):
        with pytest.raises(DiscError, match="Read-only file system") as caught:
            VERBS[verb](card, tmp_path)
        assert not isinstance(caught.value, DiscFullError)
    assert content(tmp_path) == before
    assert card.free_bytes(tmp_path) == CAPACITY_BYTES - 3
    card.recover()
    VERBS[verb](card, tmp_path)


@every_verb
def test_a_dead_card_gives_only_errors_until_it_recovers(tmp_path: Path, card: SimCard, verb: str) -> None:
    before = content(tmp_path)
    card.die()
    with pytest.raises(DiscError, match="Input/output error"):
        VERBS[verb](card, tmp_path)
    with pytest.raises(DiscError, match="Input/output error"):
        card.free_bytes(tmp_path)
    assert content(tmp_path) == before
    card.recover()
    VERBS[verb](card, tmp_path)


@pytest.fixture
def database(tmp_path: Path, card: SimCard) -> Iterator[sqlite3.Connection]:
    with closing(card.open_database(f"file:{tmp_path}/journal.db?mode=rwc")) as opened:
        opened.execute("create table entries(seq integer primary key, kind text, segment text, token text)")
        yield opened


@pytest.mark.parametrize(
    ("fault", "error", "readable"),
    [
        (SimCard.turn_read_only, "disk I/O error", True),
        (SimCard.die, "disk I/O error", False),
        (SimCard.fail_writes, "disk I/O error", True),
        (lambda card: card.fill_to(0), "database or disk is full", True),
    ],
    ids=["read-only", "dead", "failing", "full"],
)
def test_a_database_on_the_card_meets_its_faults(
    card: SimCard, database: sqlite3.Connection, fault: Callable[[SimCard], None], error: str, readable: bool
) -> None:
    fault(card)
    with pytest.raises(sqlite3.OperationalError, match=error):
        database.execute(ADD)
    if readable:
        assert database.execute(SELECT).fetchone() == (0,)
    else:
        with pytest.raises(sqlite3.OperationalError, match=error):
            database.execute(SELECT)
    card.recover()
    database.execute(ADD)
    assert database.execute(SELECT).fetchone() == (1,)


def test_a_dead_card_lets_no_database_be_opened(tmp_path: Path, card: SimCard) -> None:
    card.die()
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        card.open_database(f"file:{tmp_path}/journal.db?mode=rwc")


@every_verb
def test_an_io_error_comes_once_and_leaves_the_file_alone(tmp_path: Path, card: SimCard, verb: str) -> None:
    before = content(tmp_path)
    card.fail_writes()
    with pytest.raises(DiscError, match="Input/output error"):
        VERBS[verb](card, tmp_path)
    assert content(tmp_path) == before
    VERBS[verb](card, tmp_path)


@every_verb
def test_a_slow_card_waits_and_then_does_it(tmp_path: Path, card: SimCard, verb: str) -> None:
    waits: list[str] = []
    card.slow_down(lambda: waits.append(verb))
    VERBS[verb](card, tmp_path)
    assert waits != []
    waits.clear()
    card.recover()
    card.sync(tmp_path)
    assert waits == []


@pytest.mark.parametrize("verb", ["create", "append", "write_at", "replace"])
def test_a_full_card_refuses_what_needs_room(tmp_path: Path, card: SimCard, verb: str) -> None:
    before = content(tmp_path)
    card.fill_to(0)
    assert card.free_bytes(tmp_path) == 0
    with pytest.raises(DiscFullError):
        VERBS[verb](card, tmp_path)
    assert content(tmp_path) == before
    card.recover()
    VERBS[verb](card, tmp_path)


@pytest.mark.parametrize("verb", ["sync", "move", "truncate", "remove"])
def test_a_full_card_does_what_needs_none(tmp_path: Path, card: SimCard, verb: str) -> None:
    card.fill_to(0)
    VERBS[verb](card, tmp_path)


def test_the_room_follows_what_lies_on_it(tmp_path: Path, card: SimCard) -> None:
    card.fill_to(500)
    card.append(tmp_path / "old", bytes(400), 3)
    assert card.free_bytes(tmp_path) == 100
    with pytest.raises(DiscFullError):
        card.append(tmp_path / "old", bytes(101), 403)
    card.remove(tmp_path / "old")
    assert card.free_bytes(tmp_path) == 503
    (tmp_path / "beside the verbs").write_bytes(bytes(200))
    for _ in range(64):
        card.sync(tmp_path)
    assert card.free_bytes(tmp_path) == 303
