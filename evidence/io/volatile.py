"""Small files that tell how things are now: whole for every reader, and not worth a sync."""

from __future__ import annotations

import os
from pathlib import Path

from evidence.errors import DiscError

READABLE_BY_ALL = 0o644


def set_whole(path: Path, data: bytes) -> None:
    """Set a file's content; who reads sees the old or the new one. May be lost in a power cut. Raises DiscError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(data)
        fresh.chmod(READABLE_BY_ALL)
        fresh.replace(path)
    except OSError as error:
        raise DiscError(str(path), f"cannot be set: {error.strerror}") from error
