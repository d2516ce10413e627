"""A journal as a text file, one token a line: how the dock keeps its own journal and its copies of the recorders'.

Every byte of it is covered by a signature or is a line end, a stranger can read it with a text editor, and several
processes may append to it. Beside it lies a signed head, so that a missing tail is seen.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from evidence.errors import BadInputError, DiscError
from evidence.io.durable import Disc, make_folder
from evidence.io.journal_store import head_path
from evidence.journal import EMPTY, TOKEN_LIMIT_BYTES, Head, read_entry, sign_head
from evidence.signing import Signer


class TokenFile:
    """Appends and reads tokens. `signer` states the head after every append."""

    def __init__(self, path: Path, owner: str, disc: Disc, signer: Signer) -> None:
        self.path = path
        self._owner = owner
        self._disc = disc
        self._signer = signer

    @contextmanager
    def locked(self) -> Iterator[Head]:
        """Hold the file against other processes and give its present head; a torn last line is cut off first.

        A torn line was never acknowledged to anybody: an append returns only after its sync. Raises DiscError,
        BadInputError.
        """
        make_folder(self.path.parent)
        with self._lock():
            if not self.path.exists():
                self._disc.create(self.path, b"")
            last, end_bytes = self._last_line()
            if end_bytes != self._size_bytes():
                self._disc.truncate(self.path, end_bytes)
            yield EMPTY if last is None else read_entry(last, str(self.path)).head

    def append(self, tokens: Sequence[str]) -> None:
        """Add lines; after return they survive a power cut. Only inside `locked`. Raises DiscError."""
        if not tokens:
            return
        lines = "".join(f"{token}\n" for token in tokens).encode("ascii")
        self._disc.append(self.path, lines, self._size_bytes())
        self._state(read_entry(tokens[-1], str(self.path)).head)

    def restate(self) -> None:
        """State the present head anew, under a new key. Raises DiscError, BadInputError."""
        with self.locked() as head:
            if head != EMPTY:
                self._state(head)

    def tokens(self) -> Iterator[str]:
        """All lines, oldest first. Raises BadInputError for a torn last line."""
        if self.path.exists():
            yield from read_lines(self.path)

    def _state(self, head: Head) -> None:
        stated = sign_head(self._signer, self._owner, head)
        self._disc.replace(head_path(self.path), f"{stated}\n".encode("ascii"))

    def _lock(self) -> IO[bytes]:
        """The lock, held until it is closed."""
        try:
            lock = self.path.with_name(f".{self.path.name}.lock").open("ab")
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise DiscError(str(self.path), f"cannot be locked: {error.strerror}") from error
        return lock

    def _size_bytes(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise DiscError(str(self.path), f"cannot be measured: {error.strerror}") from error

    def _last_line(self) -> tuple[str | None, int]:
        """The last whole line and where it ends, from the end of the file backwards."""
        try:
            with self.path.open("rb") as file:
                start = max(0, file.seek(0, 2) - 2 * TOKEN_LIMIT_BYTES)
                file.seek(start)
                tail = file.read()
        except OSError as error:
            raise DiscError(str(self.path), f"cannot be read: {error.strerror}") from error
        end = tail.rfind(b"\n") + 1
        if end == 0 and start == 0:
            return None, 0
        if end == 0:
            raise BadInputError(str(self.path), "is no journal: no line of it ends")
        line = tail[: end - 1].rpartition(b"\n")[2]
        return line.decode("ascii", errors="replace"), start + end


def read_lines(path: Path) -> Iterator[str]:
    """Tokens of a text journal. Raises BadInputError for anything but ASCII lines, each ended by a line feed."""
    with path.open("rb") as file:
        # No token is longer; a damaged file without line feeds must not be read into memory whole.
        for number, line in enumerate(iter(lambda: file.readline(TOKEN_LIMIT_BYTES + 1), b""), 1):
            if not line.endswith(b"\n") or not line.isascii():
                raise BadInputError(f"{path} line {number}", "is torn or holds a byte that no token has")
            yield line[:-1].decode("ascii")
