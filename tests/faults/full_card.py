"""A card without room: a small file system in memory, filled up while a recorder records on it.

python -m tests.faults.full_card
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

from device.spool import RESERVE_BYTES
from device.spool_reader import SpoolReader
from evidence.io.durable import PosixDisc
from evidence.journal import Entry
from tests.device.cards import MEMORY
from tests.device.footage import EPOCH_US
from tests.device.hand_clock import HandClock, after_reboot
from tests.device.life import check_card, entries_of, living, open_spool, releaser, restart, start
from tests.device.stage import Stage
from tests.device.unit import unit
from tests.faults.mounts import run, unmount

SIZE_MB = 16


@contextmanager
def small_card(target: Path) -> Iterator[Path]:
    target.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", target)
    try:
        yield target
    finally:
        unmount(target)


def fill(card: Path, left_bytes: int) -> None:
    """Leave so much room on the card, and no more."""
    filler = card / "filler"
    filler.unlink(missing_ok=True)
    state = os.statvfs(card)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, state.f_bavail * state.f_frsize - left_bytes)


def clear(card: Path) -> None:
    (card / "filler").unlink()


def kinds_on(card: Path) -> list[str]:
    return [entry.kind for entry in entries_of(card / "spool")]


async def shift(card: Path) -> None:
    async with Stage(card / "spool", pre_event_s=20) as stage:
        await stage.film_on(2)
        await stage.record()
        await stage.film_on(2)
        fill(card, RESERVE_BYTES + 20_000)
        await stage.film_on(4)
        # The reserve has room for the entry that says so, now.
        assert "interruption" in kinds_on(card)
        fill(card, 0)
        before = len(kinds_on(card))
        await stage.recorder.note("bookmark", recording=stage.recorder.recording)
        for _ in range(20):
            await stage.recorder.note("bookmark", recording=None)
        await stage.film_on(2)
        assert len(kinds_on(card)) < before + 21
        clear(card)
        await stage.film_on(7)
        await stage.stop()


def check(entries: list[Entry]) -> dict[str, object]:
    fragments = [entry.fields for entry in entries if entry.kind == "fragment"]
    ends = [one["pts_us"] + one["duration_us"] for one in fragments]
    begins = [one["pts_us"] for one in fragments]
    return {
        "causes": [entry.fields["cause"] for entry in entries if entry.kind == "interruption"],
        "resumed": sum(entry.kind == "resumed" for entry in entries),
        "bookmarks": sum(entry.kind == "bookmark" for entry in entries),
        "fragments": len(fragments),
        "gaps": sum(end != begin for (end, _), (_, begin) in pairwise(zip(ends, begins, strict=True))),
    }


def release(card: Path, clock: HandClock) -> int:
    """A card that is full up to its reserve can be freed. Gives the number of segments freed."""
    fill(card, RESERVE_BYTES // 2)
    spool = open_spool(card / "spool", PosixDisc(), clock)
    with living(spool):
        start(spool, clock)
        with closing(SpoolReader(spool.paths)) as reader:
            for offered in reader.waiting():
                seal = reader.seal(offered.segment)
                assert seal is not None
                receipt = unit().receipt(seal, clock).encode()
                reader.keep_receipt(receipt, unit().dock.signer.verify_key, spool.disc)
        freed = releaser(spool).run()
        spool.close()
    check_card(card / "spool")
    return freed


def main() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, small_card(Path(folder) / "card") as card:
        asyncio.run(shift(card))
        after = after_reboot(HandClock(boot_us=EPOCH_US + 20_000_000))
        restart(card / "spool", after)
        found = check(check_card(card / "spool"))
        found["freed"] = release(card, HandClock("e" * 32, EPOCH_US, after.now().utc_us + 60_000_000))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
