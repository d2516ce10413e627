"""The disc verbs, each with its crash guarantee. `Disc` is a port: the simulator's card and the fault tests wrap it.

Measured rules behind them (docs/adr/0007): sync file and folder before anything is acknowledged; a failed sync is never
retried, because the second one lies; a short write comes before ENOSPC.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from evidence.errors import DiscError, DiscFullError

OWN, GROUP_READS = 0o600, 0o640
"""Modes of files: for their owner alone; and for a second process of another user, which may read and no more."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Disc(Protocol):
    """The verbs. Every one raises DiscError (DiscFullError when there is no room) and leaves what it names intact."""

    def create(self, path: Path, data: bytes) -> None:
        """Make a new file. After return it survives a power cut, name and all. An existing file is an error."""

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        """Add to a file that is `at_bytes` long. After return the bytes survive a power cut; on error none are kept."""

    def write_at(self, path: Path, data: bytes | memoryview, offset_bytes: int) -> None:
        """Put bytes at an offset, in any order, making the file if need be. Survives only after `sync`."""

    def sync(self, path: Path) -> None:
        """What was written to the file, and its name, survive a power cut from now on."""

    def sync_data(self, path: Path) -> None:
        """As `sync`, for a file whose name survives already. Its pages leave the memory: nobody reads them soon."""

    def replace(self, path: Path, data: bytes) -> None:
        """Set a small file's whole content: after a power cut it is the old or the new one, never a mixture."""

    def move(self, source: Path, target: Path) -> None:
        """Rename, durable; never over an existing file."""

    def truncate(self, path: Path, size_bytes: int) -> None:
        """Cut a file off, durable."""

    def remove(self, path: Path) -> None:
        """Remove a file, durable. One that is not there is no error."""

    def free_bytes(self, folder: Path) -> int:
        """Room left for us on the file system of `folder`."""

    def open_database(self, uri: str) -> sqlite3.Connection:
        """Open what SQLite writes by itself, beside the verbs. It raises SQLite's errors, then and later."""


class PosixDisc:
    """The verbs on a POSIX file system (ext4, XFS, btrfs)."""

    mode = OWN
    """Of new files, as far as the umask lets them."""

    def create(self, path: Path, data: bytes) -> None:
        with _errors(path, "create"):
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.mode)
            try:
                _write_all(lambda view, _: os.write(made, view), data, 0)
                os.fsync(made)
            except OSError:
                path.unlink(missing_ok=True)
                raise
            finally:
                os.close(made)
            sync_folder(path.parent)

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        with _errors(path, "append to"), _opened(path, os.O_WRONLY) as file:
            size_bytes = os.fstat(file).st_size
            if size_bytes != at_bytes:
                raise DiscError(str(path), f"is {size_bytes} bytes long, expected {at_bytes}")
            try:
                _write_all(lambda view, offset: os.pwrite(file, view, offset), data, at_bytes)
                os.fdatasync(file)
            except OSError:
                # A disc that does not even do this is told by the next append: the file's end is not where it was.
                with suppress(OSError):
                    os.ftruncate(file, at_bytes)
                raise

    def write_at(self, path: Path, data: bytes | memoryview, offset_bytes: int) -> None:
        with _errors(path, "write to"), _opened(path, os.O_WRONLY | os.O_CREAT, self.mode) as file:
            _write_all(lambda view, offset: os.pwrite(file, view, offset), data, offset_bytes)

    def sync(self, path: Path) -> None:
        with _errors(path, "sync"), _opened(path, os.O_RDONLY) as file:
            os.fsync(file)
            sync_folder(path.parent)

    def sync_data(self, path: Path) -> None:
        with _errors(path, "sync"), _opened(path, os.O_RDONLY) as file:
            os.fdatasync(file)
            # The next part is written into these pages, not into ones that nobody has touched for long: a quarter of
            # the receiver's CPU where the machine is a virtual one.
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)

    def replace(self, path: Path, data: bytes) -> None:
        fresh = path.with_name(path.name + ".new")
        with _errors(path, "replace"):
            fresh.unlink(missing_ok=True)
            self.create(fresh, data)
            try:
                fresh.replace(path)
            except OSError:
                fresh.unlink()
                raise
            sync_folder(path.parent)

    def move(self, source: Path, target: Path) -> None:
        with _errors(target, "move to"):
            target.hardlink_to(source)
            sync_folder(target.parent)
            source.unlink()
            sync_folder(source.parent)

    def truncate(self, path: Path, size_bytes: int) -> None:
        with _errors(path, "truncate"), _opened(path, os.O_WRONLY) as file:
            if size_bytes > (present_bytes := os.fstat(file).st_size):
                raise DiscError(str(path), f"is {present_bytes} bytes long, cannot be cut to {size_bytes}")
            os.ftruncate(file, size_bytes)
            os.fsync(file)

    def remove(self, path: Path) -> None:
        with _errors(path, "remove"):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def free_bytes(self, folder: Path) -> int:
        with _errors(folder, "measure"):
            state = os.statvfs(folder)
            return state.f_bavail * state.f_frsize

    def open_database(self, uri: str) -> sqlite3.Connection:
        return open_database(uri)


class SharedDisc(PosixDisc):
    """The card that a second process reads, under a user of its own."""

    mode = GROUP_READS


def open_database(uri: str) -> sqlite3.Connection:
    """Every statement its own transaction; one thread at a time uses it, whichever."""
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    with _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as opened:
        os.fsync(opened)


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, all durable. Raises DiscError."""
    with _errors(folder, "make"):
        missing = [folder, *folder.parents]
        for path in reversed([path for path in missing if not path.is_dir()]):
            path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path.parent)


def _write_all(write: Callable[[memoryview, int], int], data: bytes | memoryview, offset_bytes: int) -> None:
    view = memoryview(data)
    while view:
        done = write(view, offset_bytes)
        if done == 0:
            raise OSError(errno.EIO, "the disc takes nothing")
        view, offset_bytes = view[done:], offset_bytes + done


@contextmanager
def _opened(path: Path, flags: int, mode: int = OWN) -> Iterator[int]:
    opened = os.open(path, flags, mode)
    try:
        yield opened
    finally:
        os.close(opened)


@contextmanager
def _errors(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = DiscFullError if error.errno in FULL else DiscError
        raise kind(str(path), f"cannot {verb}: {error.strerror or error}") from error
