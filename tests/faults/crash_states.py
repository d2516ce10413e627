"""Every state that a cut may leave of a card with a volatile cache: what was flushed, and any of what was not.

    python -m tests.faults.crash_states record|break STATES SEED

`record` lets a recorder live on ext4 above a disk that logs writes and flushes, then rebuilds that disk as a cut at any
moment may leave it. `break` lets the disc go bad in the middle of a life.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from evidence.errors import DiscError
from evidence.io.durable import PosixDisc
from tests.device.cards import MEMORY
from tests.device.footage import footage
from tests.device.unit import unit
from tests.faults.fusedisk import FLUSH, MEGABYTE, RECORD, WRITE
from tests.faults.lives import check_recorder, record
from tests.faults.mounts import MKFS, mount, mounted, repair, run, unmount, wait

SIZE_MB = 32
SECTOR_BYTES = 512
STEPS = 120


@dataclass(frozen=True)
class Promise:
    """Said when the log of the disk was so long."""

    log_bytes: int
    said: str


@dataclass(frozen=True)
class Operation:
    """One line of the log, and where it begins there."""

    log_bytes: int
    kind: bytes
    offset: int
    data: bytes


class EnoughError(Exception):
    """The life has been long enough."""


@contextmanager
def logged_disk(folder: Path, log: Path) -> Iterator[Path]:
    """The disk's one file, with an empty ext4 on it."""
    target = folder / "fuse"
    target.mkdir()
    server = subprocess.Popen(
        [sys.executable, "-B", "-m", "tests.faults.fusedisk", str(target), str(log), str(SIZE_MB)]
    )
    try:
        while not (target / "disk").exists():
            if server.poll() is not None:
                raise OSError("the FUSE disk did not start")
            wait(0.01)
        run(*MKFS, target / "disk")
        yield target / "disk"
    finally:
        if server.poll() is None:
            unmount(target)
        server.wait()


def live(card: Path, log: Path, steps: int) -> list[Promise]:
    """A recorder's promises, each with the length of the log at which it was given."""
    promises: list[Promise] = []

    def say(said: str) -> None:
        promises.append(Promise(log.stat().st_size, said))
        if len(promises) >= steps:
            raise EnoughError

    with suppress(EnoughError):
        record(card, PosixDisc(), say)
    return promises


def read_log(log: Path) -> list[Operation]:
    data, place, operations = log.read_bytes(), 0, []
    while place < len(data):
        kind, offset, length = RECORD.unpack_from(data, place)
        begin = place + RECORD.size
        operations.append(Operation(place, kind, offset, data[begin : begin + length]))
        place = begin + length
    return operations


class CutDisk:
    """The disk after cuts at ever later moments."""

    def __init__(self, operations: list[Operation]) -> None:
        self._operations = operations
        self._flushed = bytearray(SIZE_MB * MEGABYTE)
        self._next = 0

    def after(self, moment: int, kept: float, dice: random.Random) -> bytearray:
        """All up to the last flush before operation `moment`, and a share `kept` of the sectors written since."""
        flushes = [n for n in range(self._next, moment) if self._operations[n].kind == FLUSH]
        for operation in self._operations[self._next : flushes[-1] if flushes else self._next]:
            self._put(self._flushed, operation.offset, operation.data)
        self._next = flushes[-1] if flushes else self._next
        image = bytearray(self._flushed)
        for operation in self._operations[self._next : moment]:
            for begin in range(0, len(operation.data), SECTOR_BYTES):
                if dice.random() < kept:
                    self._put(image, operation.offset + begin, operation.data[begin : begin + SECTOR_BYTES])
        return image

    @staticmethod
    def _put(image: bytearray, offset: int, data: bytes) -> None:
        image[offset : offset + len(data)] = data


def check_states(folder: Path, states: int, seed: int) -> dict[str, object]:
    log, image, target = folder / "log", folder / "image", folder / "mount"
    with logged_disk(folder, log) as disk, mounted(disk, target, "commit=1") as card:
        promises = live(card, log, STEPS)
    operations, dice = read_log(log), random.Random(seed)
    first = next(n for n, one in enumerate(operations) if one.log_bytes >= promises[0].log_bytes)
    moments = sorted(dice.randrange(first, len(operations)) for _ in range(states))
    disk_after, entries, unflushed, repaired, wrong = CutDisk(operations), 0, 0, 0, []
    for moment in moments:
        image.write_bytes(disk_after.after(moment, dice.choice([0, 0.5, 0.9]), dice))
        unflushed += operations[moment - 1].kind == WRITE
        said = [one.said for one in promises if one.log_bytes <= operations[moment].log_bytes]
        try:
            with mounted_at_last(image, target) as was_repaired:
                repaired += was_repaired
                entries += check_recorder(target, said[-1] if said else None)
        except (AssertionError, IndexError, OSError, DiscError) as error:
            wrong.append(f"before operation {moment}: {type(error).__name__} {error}")
    found = {"states": states, "operations": len(operations), "entries": entries, "unflushed": unflushed}
    return {**found, "repaired": repaired, "wrong": wrong}


@contextmanager
def mounted_at_last(image: Path, target: Path) -> Iterator[bool]:
    """A cut between the two sectors of ext4's superblock needs e2fsck first. Gives whether it did."""
    repaired = False
    try:
        mount(image, target)
    except OSError:
        repair(image)
        mount(image, target)
        repaired = True
    try:
        yield repaired
    finally:
        unmount(target)


class Trouble:
    """The disc goes bad at a step of a life: every second time the disc itself (EIO), or its file system (EROFS)."""

    def __init__(self, card: Path, fails: Path, at_step: int, below: bool) -> None:
        self._card = card
        self._fails = fails
        self._at_step = at_step
        self._below = below
        self.promises: list[str] = []

    def say(self, said: str) -> None:
        self.promises.append(said)
        if len(self.promises) == self._at_step:
            self._begin()

    def _begin(self) -> None:
        if self._below:
            self._fails.touch()
        else:
            number = self._card.stat().st_dev
            loop = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve().name
            Path(f"/sys/fs/ext4/{loop}/trigger_fs_error").write_text("a test")


def break_once(place: Path, at_step: int, below: bool) -> str | None:
    """What is wrong afterwards. A restart finds a disc that is well again."""
    fails = place / "log.fail"
    with logged_disk(place, place / "log") as disk:
        with mounted(disk, place / "mount", "errors=remount-ro") as card:
            trouble = Trouble(card, fails, at_step, below)
            with suppress(DiscError):
                record(card, PosixDisc(), trouble.say)
            fails.unlink(missing_ok=True)
        with mounted(disk, place / "mount") as card:
            try:
                # Also what was promised after the trouble had begun.
                check_recorder(card, trouble.promises[-1])
            except (AssertionError, IndexError, OSError, DiscError) as error:
                return f"at step {at_step}, {below=}: {type(error).__name__} {error}"
    return None


def check_breaks(folder: Path, breaks: int, seed: int) -> dict[str, object]:
    dice, wrong = random.Random(seed), []
    for number in range(breaks):
        place = folder / str(number)
        place.mkdir()
        error = break_once(place, dice.randint(3, 60), below=number % 2 == 0)
        wrong += [error] if error else []
    return {"breaks": breaks, "wrong": wrong}


def main(what: str, count: int, seed: int) -> None:
    footage(8)
    unit()
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        found = (check_states if what == "record" else check_breaks)(Path(folder), count, seed)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
