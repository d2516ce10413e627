"""Cards that fail, at the `Disc` port: one whose power goes, one that refuses."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evidence.errors import DiscError, DiscFullError
from evidence.io.durable import PosixDisc
from evidence.signing import KeySigner, Signer

MEMORY = Path("/dev/shm")


@contextmanager
def fast_folder() -> Iterator[Path]:
    """A folder in memory where there is one: for tests that sync thousands of times and cut no real power."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


class PowerCutError(BaseException):
    """The power has gone. No program catches that, so it is no `Exception`."""


class Power:
    """Lasts for `steps` disc verbs and signatures; with `torn` the verb that meets the end is half done."""

    def __init__(self, steps: int | None = None, torn: bool = False) -> None:
        self._left = steps
        self._torn = torn
        self.used = 0
        self.gone = False

    def half_done(self) -> bool:
        """Whether the step that begins now is cut in its middle. Raises PowerCutError when it does not begin at all."""
        if self.gone:
            raise PowerCutError
        self.used += 1
        if self._left is None or self.used <= self._left:
            return False
        self.gone = True
        if self._torn:
            return True
        raise PowerCutError

    def step(self) -> None:
        if self.half_done():
            raise PowerCutError


class DyingSigner:
    """A `Signer`: every entry is signed right before it is committed, so here the power goes between two commits."""

    def __init__(self, signer: KeySigner, power: Power) -> None:
        self._signer = signer
        self._power = power

    @property
    def alg(self) -> str:
        return self._signer.alg

    @property
    def kid(self) -> str:
        return self._signer.kid

    def sign(self, data: bytes) -> bytes:
        self._power.step()
        return self._signer.sign(data)


class DyingDisc(PosixDisc):
    """A `Disc` under `power`. What a cut verb leaves behind is the worst that its contract allows."""

    def __init__(self, power: Power) -> None:
        self._power = power

    def create(self, path: Path, data: bytes) -> None:
        if self._power.half_done():
            path.write_bytes(data[: len(data) // 2])
            raise PowerCutError
        super().create(path, data)

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        if self._power.half_done():
            with path.open("ab") as file:
                file.write(data[: len(data) // 2])
            raise PowerCutError
        super().append(path, data, at_bytes)

    def sync(self, path: Path) -> None:
        self._power.step()
        super().sync(path)

    def replace(self, path: Path, data: bytes) -> None:
        if self._power.half_done():
            path.with_name(f"{path.name}.new").write_bytes(data[: len(data) // 2])
            raise PowerCutError
        # It makes its fresh file with `create`, which is a place to die as well.
        super().replace(path, data)

    def truncate(self, path: Path, size_bytes: int) -> None:
        if self._power.half_done():
            os.truncate(path, size_bytes)
            raise PowerCutError
        super().truncate(path, size_bytes)

    def remove(self, path: Path) -> None:
        if self._power.half_done():
            path.unlink(missing_ok=True)
            raise PowerCutError
        super().remove(path)


def signer_under(power: Power, signer: KeySigner) -> Signer:
    return DyingSigner(signer, power)


class FaultyDisc(PosixDisc):
    """A `Disc` that refuses the verbs in `refused` with an errno.

    With `kept` the bytes of a refused append stay in the file: what a failed sync leaves when the card does not even
    let itself be cut back.
    """

    def __init__(self, refused: dict[str, int] | None = None, kept: bool = False) -> None:
        self.refused = refused or {}
        self.kept = kept
        self.calls: list[str] = []

    def create(self, path: Path, data: bytes) -> None:
        self._meet("create", path)
        super().create(path, data)

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        if "append" in self.refused and self.kept:
            with path.open("ab") as file:
                file.write(data)
        self._meet("append", path)
        super().append(path, data, at_bytes)

    def sync(self, path: Path) -> None:
        self._meet("sync", path)
        super().sync(path)

    def replace(self, path: Path, data: bytes) -> None:
        self._meet("replace", path)
        super().replace(path, data)

    def truncate(self, path: Path, size_bytes: int) -> None:
        self._meet("truncate", path)
        super().truncate(path, size_bytes)

    def remove(self, path: Path) -> None:
        self._meet("remove", path)
        super().remove(path)

    def free_bytes(self, folder: Path) -> int:
        self._meet("free_bytes", folder)
        return super().free_bytes(folder)

    def _meet(self, verb: str, path: Path) -> None:
        self.calls.append(verb)
        if (number := self.refused.get(verb)) is not None:
            kind = DiscFullError if number == errno.ENOSPC else DiscError
            raise kind(str(path), f"cannot {verb}: {os.strerror(number)}")
