"""A file that is written once, piece by piece: whole at the end, or not there at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from evidence.errors import BadInputError, DiscError
from evidence.io.durable import sync_folder


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner may read, durable when the block ends well, removed when it does not.

    Never written over another one. Raises BadInputError when there is one, DiscError.
    """
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BadInputError(str(path), "is there already", "it is never written over: choose another name") from error
    except OSError as error:
        raise DiscError(str(path), f"cannot create: {error.strerror}") from error
    whole = False
    try:
        with os.fdopen(opened, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
        whole = True
    except OSError as error:
        raise DiscError(str(path), f"cannot write: {error.strerror}") from error
    finally:
        if not whole:
            path.unlink(missing_ok=True)
