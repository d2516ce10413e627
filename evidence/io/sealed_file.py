"""A sealed file on a disc, opened part by part with the vault's private key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evidence.errors import BadInputError, RejectedError
from evidence.io.verifying import reading
from evidence.sealing import HEADER_LIMIT_BYTES, SealedHead, VaultKey, open_parts, read_head, unlock

HEAD_LIMIT_BYTES = HEADER_LIMIT_BYTES + 16


def opened_parts(path: Path, vault_key: VaultKey) -> Iterator[bytes]:
    """The plain parts, one in memory at a time, each verified before it is given.

    Raises BadInputError when it is no sealed file, UnknownKeyError for another vault's, RejectedError that names the
    part for one that is altered, or that the file ends within.
    """
    with reading(path) as read:
        size_bytes = path.stat().st_size
        head = _head(path, read(0, HEAD_LIMIT_BYTES))
        ended_at = yield from open_parts(read, size_bytes, head, unlock(head, vault_key))
    if ended_at < size_bytes:
        raise RejectedError(f"{path} byte {ended_at}", "a part begins that the file ends within")


def opened_bytes(path: Path, vault_key: VaultKey) -> bytes:
    """The whole plain file: for a photo, a note, a test. Raises as `opened_parts`."""
    return b"".join(opened_parts(path, vault_key))


def _head(path: Path, stored: bytes) -> SealedHead:
    try:
        return read_head(stored)
    except BadInputError as error:
        raise BadInputError(str(path), error.what, error.hint) from error
