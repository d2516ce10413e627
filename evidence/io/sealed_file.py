"""A sealed file on a disc, opened part by part with the vault's private key."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from evidence.errors import BadInputError
from evidence.io.new_file import new_file
from evidence.io.verifying import reading
from evidence.sealing import HEAD_LIMIT_BYTES, SealedHead, VaultKey, open_parts, read_head, unlock
from evidence.signing import to_base64url


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """What came out of a sealed file: whose it is, how much, and the hash of all plain bytes.

    `name` is the segment's, or the hash of the plain photo or note. `torn_bytes` at the end of the sealed file belong
    to a part that it ends within; 0 but for a card that was cut off and has not recovered.
    """

    device: str
    name: str
    parts: int
    plain_bytes: int
    sha256: str
    torn_bytes: int


def open_file(source: Path, target: Path, vault_key: VaultKey) -> OpenedFile:
    """Write the plain bytes of a sealed file into a new one, up to its last whole part, one part in memory at a time.

    Every part is verified before it is written; when one is refused, nothing is left. Whether all parts are there only
    the seal can say (`liuhen verify`). Raises as `opened_parts`, BadInputError when the target is there already,
    DiscError.
    """
    parts, plain_bytes, whole = 0, 0, sha256()
    opening = opened_parts(source, vault_key)
    with new_file(target) as file:
        while True:
            try:
                part = next(opening)
            except StopIteration as end:
                head, torn_bytes = end.value
                break
            file.write(part)
            whole.update(part)
            parts, plain_bytes = parts + 1, plain_bytes + len(part)
    return OpenedFile(head.device, head.name, parts, plain_bytes, to_base64url(whole.digest()), torn_bytes)


def opened_parts(path: Path, vault_key: VaultKey) -> Generator[bytes, None, tuple[SealedHead, int]]:
    """The plain parts, one in memory at a time, each verified before it is given; at last the head and the torn bytes.

    Raises BadInputError when it is no sealed file, UnknownKeyError for another vault's, RejectedError that names the
    part for one that is altered.
    """
    with reading(path) as read:
        size_bytes = path.stat().st_size
        head = _head(path, read(0, HEAD_LIMIT_BYTES))
        ended_at = yield from open_parts(read, size_bytes, head, unlock(head, vault_key))
    return head, size_bytes - ended_at


def opened_bytes(path: Path, vault_key: VaultKey) -> bytes:
    """The plain bytes of a small file: a photo, a note. Raises as `opened_parts`."""
    return b"".join(opened_parts(path, vault_key))


def _head(path: Path, stored: bytes) -> SealedHead:
    try:
        return read_head(stored)
    except BadInputError as error:
        raise BadInputError(str(path), error.what, error.hint) from error
