"""One recorder on one spool: the folder itself is locked, so no file is left and a dead process holds nothing."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evidence.errors import DiscError

HINT = "stop it first: systemctl stop liuhen-recorder, or end `liuhen device run`"


class HeldError(DiscError):
    """Another recorder works on this spool."""


@contextmanager
def holding(spool: Path) -> Iterator[None]:
    """Be the only one on this spool. A spool that is not there yet is nobody's. Raises HeldError, DiscError."""
    if not spool.is_dir():
        yield
        return
    try:
        held = os.open(spool, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DiscError(str(spool), f"cannot be opened: {error.strerror}") from error
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HeldError(str(spool), "is in use by a running recorder", HINT) from error
        yield
    finally:
        os.close(held)
