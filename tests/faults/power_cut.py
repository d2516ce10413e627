"""Real power cuts: ext4 on a loop device, cut by the kernel's own shutdown, while a process writes and promises.

python -m tests.faults.power_cut card|lying-card|dock CUTS SEED
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from evidence.io.durable import PosixDisc
from tests.device.cards import MEMORY
from tests.device.footage import footage
from tests.device.unit import unit
from tests.faults.lives import LyingDisc, Say, check_dock, check_recorder, keep, record
from tests.faults.mounts import cut_power, make_ext4, mounted, run, wait

SIZE_MB = 48
LONGEST_LIFE = 70
ACTS: dict[str, tuple[Callable[[Path, Say], None], Callable[[Path, str | None], int]]] = {
    "card": (lambda mount, say: record(mount, PosixDisc(), say), check_recorder),
    "lying-card": (lambda mount, say: record(mount, LyingDisc(), say), check_recorder),
    "dock": (lambda mount, say: keep(mount, PosixDisc(), say), check_dock),
}


class Writer:
    """A child of this process; what it says comes through a pipe."""

    def __init__(self, what: str, mount: Path) -> None:
        self._ears, mouth = os.pipe()
        self._heard = b""
        self.pid = os.fork()
        if self.pid == 0:
            self._write(what, mount, mouth)
        os.close(mouth)

    def _write(self, what: str, mount: Path, mouth: int) -> NoReturn:
        voice = os.fdopen(mouth, "w")
        try:
            ACTS[what][0](mount, lambda line: print(line, file=voice, flush=True))
        except Exception:  # noqa: BLE001  the child must not go on as its parent
            traceback.print_exc()
        finally:
            os._exit(1)

    def listen(self, lines: int) -> None:
        """Wait for so many promises."""
        while self._heard.count(b"\n") < lines:
            more = os.read(self._ears, 1 << 16)
            if not more:
                raise RuntimeError("the writer ended by itself")
            self._heard += more

    def said(self) -> str | None:
        """The last promise so far: to be asked just before the cut, for what is said later is nobody's promise."""
        while select.select([self._ears], [], [], 0)[0]:
            self._heard += os.read(self._ears, 1 << 16)
        lines = self._heard.decode().split("\n")[:-1]
        return lines[-1] if lines else None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._ears)


def cut(what: str, image: Path, target: Path, dice: random.Random) -> str | None:
    """One life until its cut; gives its last promise."""
    with mounted(image, target) as mount:
        writer = Writer(what, mount)
        try:
            writer.listen(dice.randint(0, LONGEST_LIFE))
            wait(dice.random() * 0.004)
            said = writer.said()
            cut_power(mount)
        finally:
            writer.kill()
    return said


def look(what: str, image: Path, target: Path, said: str | None) -> tuple[int, str | None]:
    """The power is back: the number of entries, and what is wrong. Leaves an empty file system."""
    with mounted(image, target) as mount:
        try:
            return ACTS[what][1](mount, said), None
        except (AssertionError, IndexError, OSError) as error:
            return 0, f"{type(error).__name__} {error}"
        finally:
            for path in mount.iterdir():
                if path.name != "lost+found":
                    shutil.rmtree(path)
            run("sync", "-f", mount)


def main(what: str, cuts: int, seed: int) -> None:
    footage(8)
    unit()
    dice, entries, wrong = random.Random(seed), 0, []
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        image, target = Path(folder) / "image", Path(folder) / "mount"
        make_ext4(image, SIZE_MB)
        for number in range(cuts):
            said = cut(what, image, target, dice)
            found, error = look(what, image, target, said)
            entries += found
            if error is not None:
                wrong.append(f"cut {number} after {said}: {error}")
    print(json.dumps({"cuts": cuts, "entries": entries, "wrong": wrong}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
