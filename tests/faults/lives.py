"""What is cut: a recorder living on a card, a dock keeping its journal and its files; and what must be left of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path

from evidence.io.durable import Disc, PosixDisc
from evidence.io.journal_store import head_path
from evidence.io.token_file import TokenFile, read_lines
from evidence.journal import EMPTY, Chain, Head, check_link, read_entry, read_head
from tests.device.footage import EPOCH_US, footage
from tests.device.hand_clock import UTC_AT_BOOT_US, HandClock
from tests.device.life import Life, check_card, living, open_spool, restart, start
from tests.device.unit import unit

BOOT_LASTS_US = 100_000_000
Say = Callable[[str], None]


class LyingDisc(PosixDisc):
    """A card that says it has synced: the control, with which the proof must fail."""

    def create(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        with path.open("r+b") as file:
            file.seek(at_bytes)
            file.write(data)


def boots() -> Iterator[HandClock]:
    """One boot after the other, none like the one before."""
    for number in count(1):
        boot = sha256(str(number).encode()).hexdigest()[:32]
        yield HandClock(boot, EPOCH_US, UTC_AT_BOOT_US + number * BOOT_LASTS_US)


def record(mount: Path, disc: Disc, say: Say) -> None:
    """Live one boot after the other; says the journal's head whenever a step has been acknowledged."""
    for clock in boots():
        crash(mount, disc, clock, say)
        spool = open_spool(mount / "spool", disc, clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            head = spool.journal.head()
            say(f"{head.seq} {head.hash}")
            for _ in Life(spool, numbers, clock).steps():
                head = spool.journal.head()
                say(f"{head.seq} {head.hash}")
            spool.close()


def crash(mount: Path, disc: Disc, clock: HandClock, say: Say) -> None:
    """Only the agent dies: a fragment is written and not synced, and the next start finds it in the page cache."""
    spool = open_spool(mount / "spool", disc, clock)
    with living(spool):
        numbers, _ = start(spool, clock)
        life = Life(spool, numbers, clock)
        steps = life.segment(life.begin(), footage(8).fragments[:1], "never")
        for _ in range(2):
            next(steps)
            head = spool.journal.head()
            say(f"{head.seq} {head.hash}")
        (name,) = spool.journal.segments_with("init") - spool.journal.segments_with("segment")
        with spool.paths.segment(name).open("ab") as file:
            file.write(footage(8).fragments[1].data)


def check_recorder(mount: Path, said: str | None) -> int:
    """Recover, twice; everything that was said is there and all is authentic. Gives the number of entries."""
    head = EMPTY
    if said is not None:
        seq, _, chained = said.partition(" ")
        head = Head(int(seq), chained)
    for number in (1, 2):
        boot = f"{number:x}" * 32
        restart(mount / "spool", HandClock(boot, EPOCH_US, UTC_AT_BOOT_US + 10**12 + number * BOOT_LASTS_US))
    return len(check_card(mount / "spool", head))


def keep(mount: Path, disc: Disc, say: Say) -> None:
    """A dock's verbs in turn; says round and verb when each of them returns."""
    folder = mount / "vault"
    file, chain = TokenFile(folder / "journal.jws", "dock", disc, unit().dock.signer), Chain("dock", unit().dock.signer)
    clock = HandClock()
    for number in count():
        with file.locked():
            entry = chain.make(clock.now(), "vault_key", {"kid": unit().dock.signer.kid})
            file.append([entry.token])
            chain.advance(entry)
        say(f"{number} append")
        content = content_of(number)
        disc.create(folder / f"{number}.made", content)
        say(f"{number} create")
        disc.replace(folder / "latest", content)
        say(f"{number} replace")
        coming = folder / f"{number}.part"
        disc.write_at(coming, content[1000:], 1000)
        disc.write_at(coming, content[:1000], 0)
        disc.sync(coming)
        say(f"{number} sync")
        disc.move(coming, folder / f"{number}")
        say(f"{number} move")


VERBS = ("append", "create", "replace", "sync", "move")


def check_dock(mount: Path, said: str | None) -> int:
    """The journal is a chain up to a whole line, and holds what was said; so do the files. Gives the entries."""
    last, _, verb = (said or "-1 move").partition(" ")

    def rounds(name: str) -> int:
        """How many rounds have come as far as this verb."""
        return int(last) + (VERBS.index(name) <= VERBS.index(verb))

    folder = mount / "vault"
    file = TokenFile(folder / "journal.jws", "dock", PosixDisc(), unit().dock.signer)
    with file.locked():
        head = EMPTY
        for token in file.tokens():
            check_link(head, entry := read_entry(token))
            head = entry.head
    assert head.seq + 1 >= rounds("append")
    if rounds("append"):
        (line,) = read_lines(head_path(file.path))
        assert rounds("append") <= read_head(line).head.seq + 1 <= head.seq + 1
    if done := rounds("replace"):
        assert (folder / "latest").read_bytes() in (content_of(done - 1), content_of(done))
    for number in range(rounds("create")):
        assert (folder / f"{number}.made").read_bytes() == content_of(number)
    for number in range(rounds("sync")):
        stored, coming = folder / f"{number}", folder / f"{number}.part"
        # Moved is moved; before that it is under one of its names or both, and always whole.
        place = stored if number < rounds("move") or stored.exists() else coming
        assert place.read_bytes() == content_of(number)
    return head.seq + 1


def content_of(number: int) -> bytes:
    return sha256(str(number).encode()).digest() * 150
