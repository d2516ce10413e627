r"""Encryption at rest that the recorder itself cannot undo (design section 6, docs/FORMAT.md section 5). Pure.

Every file has a random key of its own, wrapped to the unit's vault key (HPKE, RFC 9180), and is written as records: one
a part, each sealed by ChaCha20-Poly1305 (RFC 8439) and bound to recorder, file and place. A record's header is in the
clear, so that a recorder that holds no key finds its whole records after a power cut; it is authenticated all the same.

    file   = head record record ...
    head   = "LIUHEN\0\1" | u16 n | JSON of n bytes
    record = u32 n | JSON of n bytes | u32 m | m bytes: the sealed part with its tag
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from cryptography.exceptions import InternalError, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from evidence.errors import BadInputError, RejectedError, UnknownKeyError
from evidence.hpke import ENC_BYTES, KEY_BYTES, Agreement, open_base, seal_base
from evidence.kinds import HASH
from evidence.model import COUNT_END, DEVICE_ID, SEGMENT_ID, is_whole
from evidence.signing import from_base64url, public_jwk, thumbprint, to_base64url

MAGIC = b"LIUHEN\x00\x01"
TAG_BYTES = 16
HEADER_LIMIT_BYTES = 512
"""No JSON in a sealed file is longer; ours have about 300 bytes in a head and 160 in a record."""
HEAD_LIMIT_BYTES = len(MAGIC) + 2 + HEADER_LIMIT_BYTES
OVERHEAD_LIMIT_BYTES = HEAD_LIMIT_BYTES + 4 + HEADER_LIMIT_BYTES + 4 + TAG_BYTES
"""So much larger than its plain bytes a stored part is at most."""
PART_LIMIT_BYTES = 64 * 1024 * 1024
INFO_FIELDS = ("pts_us", "duration_us", "frames", "samples")
"""What the header of a fragment's record says beside the rest, and its entry as well."""

Octets = bytes | bytearray | memoryview
Read = Callable[[int, int], Octets]
"""So many bytes from an offset on; fewer at the end."""


class VaultKey(Agreement, Protocol):
    """The private vault key, wherever it lies."""

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint of its public part."""


class KeyVaultKey:
    """A `VaultKey` in memory."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self.public = private.public_key()
        self.kid = thumbprint(public_jwk(self.public))

    def exchange(self, peer: ec.EllipticCurvePublicKey) -> bytes:
        return self._private.exchange(ec.ECDH(), peer)

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes, where: str) -> KeyVaultKey:
        """Load a PKCS#8 key that this passphrase protects. Raises BadInputError."""
        try:
            private = serialization.load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
            raise BadInputError(where, "is no vault key that this passphrase opens", "check the passphrase") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise BadInputError(where, "holds a key that is not P-256")
        return cls(private)


@dataclass(frozen=True, slots=True)
class SealedHead:
    """The head of a sealed file: whose it is, and its key, wrapped to the vault key `vault`.

    `stored` are its own bytes. `name` is the segment's, or the hash of the plain photo or note.
    """

    device: str
    name: str
    vault: str
    enc: bytes
    key: bytes
    stored: bytes

    @property
    def digest(self) -> bytes:
        """What binds every record to this head."""
        return sha256(self.stored).digest()


@dataclass(frozen=True, slots=True)
class Record:
    """A record that is structurally whole: where it lies, in bytes, and what its clear header says."""

    start: int
    end: int
    index: int
    plain_bytes: int
    sha256: str
    info: Mapping[str, int]
    bound: bytes
    """Its length field and JSON as they stand there: authenticated with the sealed bytes."""

    @property
    def sealed_at(self) -> int:
        """Where the sealed bytes begin."""
        return self.end - self.plain_bytes - TAG_BYTES


class Sealer:
    """Writes one sealed file. The key is made here, lives only here, and is gone with this object."""

    def __init__(self, vault: ec.EllipticCurvePublicKey, device: str, name: str) -> None:
        """`name` is the segment's, or the hash of the plain photo or note."""
        key = ChaCha20Poly1305.generate_key()
        enc, wrapped = seal_base(vault, key, key_purpose(device, name))
        self._aead = ChaCha20Poly1305(key)
        self._head = write_head(device, name, thumbprint(public_jwk(vault)), enc, wrapped)
        self._digest = sha256(self._head).digest()
        self._next = 0

    def seal(self, plain: Octets, fields: Mapping[str, int] | None = None, plain_sha256: str | None = None) -> bytes:
        """The stored bytes of the next part; `fields` are a fragment's `INFO_FIELDS`, the hash one that is known.

        An index is used once, whatever becomes of the bytes: a part that could not be written is sealed anew in
        another file.
        """
        index, self._next = self._next, self._next + 1
        header = {
            "index": index,
            "bytes": len(plain),
            "sha256": plain_sha256 or to_base64url(sha256(plain).digest()),
            **(fields or {}),
        }
        record = seal_record(self._aead, self._digest, header, plain)
        return record if index else self._head + record


def write_head(device: str, name: str, vault: str, enc: bytes, key: bytes) -> bytes:
    """The head of a sealed file; `enc` and `key` are what HPKE gave for its key."""
    fields = {"device": device, "name": name, "vault": vault, "enc": to_base64url(enc), "key": to_base64url(key)}
    text = _json(fields)
    return MAGIC + struct.pack(">H", len(text)) + text


def seal_record(aead: ChaCha20Poly1305, head_digest: bytes, header: Mapping[str, Any], plain: Octets) -> bytes:
    """One record, sealed. No two with one key and one index, ever: that would open both."""
    text = _json(header)
    bound = struct.pack(">I", len(text)) + text
    sealed = aead.encrypt(_nonce(header["index"]), plain, head_digest + bound)
    return b"".join((bound, struct.pack(">I", len(sealed)), sealed))


def read_head(stored: Octets) -> SealedHead:
    """The head at the beginning of a sealed file. Raises BadInputError when no whole one is there."""
    begins = len(MAGIC) + 2
    given = bytes(stored[: begins + HEADER_LIMIT_BYTES])
    if not given.startswith(MAGIC) or len(given) < begins:
        raise BadInputError("sealed file", "does not begin like one", "a file of version 1 begins with LIUHEN 0 1")
    (length,) = struct.unpack_from(">H", given, len(MAGIC))
    fields = _read_json(given[begins : begins + length]) if length <= HEADER_LIMIT_BYTES else None
    if fields is None or begins + length > len(given) or set(fields) != {"device", "name", "vault", "enc", "key"}:
        raise BadInputError("sealed file", "has no whole head")
    enc, key = _octets(fields["enc"], ENC_BYTES), _octets(fields["key"], KEY_BYTES + TAG_BYTES)
    named = _is(DEVICE_ID, fields["device"]) and (_is(SEGMENT_ID, fields["name"]) or _is(HASH, fields["name"]))
    if not named or not _is(HASH, fields["vault"]) or enc is None or key is None:
        raise BadInputError("sealed file", "has an impossible head")
    return SealedHead(fields["device"], fields["name"], fields["vault"], enc, key, given[: begins + length])


def unlock(head: SealedHead, vault_key: VaultKey) -> bytes:
    """The key of a sealed file. Raises UnknownKeyError when it is for another vault, RejectedError when altered."""
    if head.vault != vault_key.kid:
        what = f"is sealed to the vault key {head.vault[:12]}, not to {vault_key.kid[:12]}"
        raise UnknownKeyError(head.name, what, "open it with the key of that vault")
    try:
        return open_base(vault_key, head.enc, head.key, key_purpose(head.device, head.name))
    except BadInputError as error:
        raise RejectedError(head.name, "has a head that is not what the recorder wrote") from error


def open_parts(read: Read, size: int, head: SealedHead, key: bytes) -> Generator[bytes, None, int]:
    """The plain parts of a sealed file of `size` bytes, one after the other, each verified before it is given.

    Stops at a torn end and then returns where it begins; a whole file ends at `size`. That parts are missing at a
    border between records can only be seen by the seal. Raises RejectedError that names the part at anything that is
    not what the recorder sealed there.
    """
    aead, place, index = ChaCha20Poly1305(key), len(head.stored), 0
    while place < size:
        where = f"part {index} of {head.name}"
        record = read_record(read, place, size, where)
        if record is None:
            return place
        if record.index != index:
            raise RejectedError(where, f"is part {record.index}: repeated, swapped or left out")
        sealed = read(record.sealed_at, record.plain_bytes + TAG_BYTES)
        try:
            plain = aead.decrypt(_nonce(index), sealed, head.digest + record.bound)
        except InvalidTag as error:
            raise RejectedError(where, "is not what the recorder sealed") from error
        if to_base64url(sha256(plain).digest()) != record.sha256:
            raise RejectedError(where, "was sealed with the hash of something else")
        yield plain
        place, index = record.end, index + 1
    return place


def whole_records(data: Octets, place: int, index: int) -> Iterator[Record]:
    """The structurally whole records from `place` on, numbered from `index` on, up to whatever is none. No key."""

    def read(offset: int, length: int) -> Octets:
        return data[offset : offset + length]

    while place < len(data):
        try:
            record = read_record(read, place, len(data), "record")
        except RejectedError:
            return
        if record is None or record.index != index:
            return
        yield record
        place, index = record.end, index + 1


def read_record(read: Read, place: int, size: int, where: str) -> Record | None:
    """The record that begins at `place` in a file of `size` bytes, None when that ends within it.

    Raises RejectedError when no record can begin like this.
    """
    if place + 4 > size:
        return None
    (length,) = struct.unpack(">I", read(place, 4))
    if not 0 < length <= HEADER_LIMIT_BYTES:
        raise RejectedError(where, "does not begin like a record")
    body = place + 4 + length
    if body + 4 > size:
        return None
    bound = bytes(read(place, 4 + length))
    fields = _record_fields(bound[4:])
    (sealed_bytes,) = struct.unpack(">I", read(body, 4))
    if fields is None or sealed_bytes != fields["bytes"] + TAG_BYTES:
        raise RejectedError(where, "has an impossible header")
    end = body + 4 + sealed_bytes
    if end > size:
        return None
    info = {name: fields[name] for name in INFO_FIELDS if name in fields}
    return Record(place, end, fields["index"], fields["bytes"], fields["sha256"], info, bound)


def _record_fields(text: bytes) -> dict[str, Any] | None:
    """The header of a record, None when it is impossible. Part 0 is no fragment."""
    fields = _read_json(text)
    if fields is None or not is_whole(fields.get("index"), 0, COUNT_END):
        return None
    expected = {"index", "bytes", "sha256", *(INFO_FIELDS if fields["index"] else ())}
    if set(fields) != expected or not _is(HASH, fields["sha256"]):
        return None
    if not is_whole(fields["bytes"], 0, PART_LIMIT_BYTES):
        return None
    signed = fields["index"] == 0 or is_whole(fields["pts_us"], -COUNT_END, COUNT_END)
    counted = all(is_whole(fields[name], 0, COUNT_END) for name in INFO_FIELDS[1:] if name in fields)
    return fields if signed and counted else None


def key_purpose(device: str, name: str) -> bytes:
    """HPKE's `info`: a key that was wrapped for one file opens no other."""
    return f"liuhen segment key {device}/{name}".encode("ascii")


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode("ascii")


def _read_json(text: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _octets(text: Any, length: int) -> bytes | None:
    try:
        data = from_base64url(text) if isinstance(text, str) else b""
    except BadInputError:
        return None
    return data if len(data) == length else None


def _is(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
