"""What is cut: a recorder living on a card, a dock keeping its journal and its files; and what must be left of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path

from evidence.io.durable import Disc, PosixDisc, make_folder
from evidence.io.journal_store import head_path
from evidence.io.token_file import TokenFile, read_lines
from evidence.journal import EMPTY, Chain, Head, check_link, read_entry, read_head
from tests.device.footage import EPOCH_US
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
        spool = open_spool(mount / "spool", disc, clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            for _ in Life(spool, numbers, clock).steps():
                head = spool.journal.head()
                say(f"{head.seq} {head.hash}")
            spool.close()


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
    """A dock's verbs in turn; says the number of each when it returns."""
    folder = mount / "vault"
    file, chain = TokenFile(folder / "journal.jws", "dock", disc, unit().dock.signer), Chain("dock", unit().dock.signer)
    clock = HandClock()
    for number in count():
        with file.locked():
            entry = chain.make(
                clock.now(), "enrolled", {"recorder": f"BWC-{number:06d}", "kid": unit().recorder.signer.kid}
            )
            file.append([entry.token])
            chain.advance(entry)
        make_folder(folder / "in")
        content = content_of(number)
        coming, stored = folder / "in" / f"{number}", folder / f"{number}"
        disc.write_at(coming, content[1000:], 1000)
        disc.write_at(coming, content[:1000], 0)
        disc.sync(coming)
        disc.move(coming, stored)
        disc.create(folder / f"{number}.made", content)
        disc.replace(folder / "latest", content)
        say(f"{number}")


def check_dock(mount: Path, said: str | None) -> int:
    """The journal is a chain up to a whole line, and holds what was said; so do the files. Gives the entries."""
    folder, done = mount / "vault", -1 if said is None else int(said)
    file = TokenFile(folder / "journal.jws", "dock", PosixDisc(), unit().dock.signer)
    with file.locked():
        head = EMPTY
        for token in file.tokens():
            check_link(head, entry := read_entry(token))
            head = entry.head
    assert head.seq >= done
    if done >= 0:
        (line,) = read_lines(head_path(file.path))
        stated = read_head(line).head
        assert done <= stated.seq <= head.seq
        latest = (folder / "latest").read_bytes()
        assert latest in [content_of(number) for number in (done, done + 1)]
    for number in range(done + 1):
        assert (folder / f"{number}").read_bytes() == (folder / f"{number}.made").read_bytes() == content_of(number)
    # What was not said may be there or not, but never under a name that it was moved to and half.
    assert not (folder / f"{done + 1}").exists() or (folder / f"{done + 1}").read_bytes() == content_of(done + 1)
    return head.seq + 1


def content_of(number: int) -> bytes:
    return sha256(str(number).encode()).digest() * 150
