"""Entry <-> JWS token, and the rules of the chain (design section 5, docs/FORMAT.md).

An entry is a compact JWS (RFC 7515). Its payload names the journal's owner, its place in the chain, the SHA-256 of the
token before it, both clocks, its kind and the kind's own fields. What is signed is the token's own bytes, so nothing
depends on how anybody else would write the same JSON.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from evidence.errors import BadInputError, ChainError, NewerVersionError, SignatureError
from evidence.kinds import HASH, check_fields
from evidence.model import COUNT_END, DEVICE_ID, Timestamp, is_whole
from evidence.signing import EDDSA, ES256, Signer, VerifyKey, from_base64url, to_base64url

VERSION = 1
ENTRY_TYPE = "liuhen-entry"
HEAD_TYPE = "liuhen-head"
COMMON_FIELDS = ("v", "device", "seq", "prev", "at", "kind")
KIND_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
TOKEN_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain: its number and the hash of its token. A chain without entries has `seq` -1."""

    seq: int
    hash: str | None


EMPTY = Head(-1, None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as read from its token; nothing here is trusted until `verify` has returned."""

    token: str
    alg: str
    kid: str
    x5c: tuple[bytes, ...]
    device: str
    seq: int
    prev: str | None
    at: Timestamp
    kind: str
    fields: Mapping[str, Any]

    @property
    def head(self) -> Head:
        """What the next entry has to point at."""
        return Head(self.seq, token_hash(self.token))

    def verify(self, key: VerifyKey) -> None:
        """Check the signature. Raises SignatureError."""
        # The token was taken apart when it was read; only its signature is needed again.
        signature = from_base64url(self.token.rpartition(".")[2])
        _check_signature(self.token, (self.alg, self.kid), signature, key, f"entry {self.seq} of {self.device}")


def token_hash(token: str) -> str:
    """SHA-256 over the token's ASCII bytes, base64url: what the next entry carries as `prev`."""
    return to_base64url(sha256(token.encode("ascii")).digest())


def sign_token(signer: Signer, token_type: str, payload: Mapping[str, Any], x5c: Iterable[bytes] = ()) -> str:
    """A compact JWS over the payload as JSON. `x5c` are certificates in DER, the signer's first (RFC 7515, 4.1.6)."""
    header: dict[str, Any] = {"alg": signer.alg, "kid": signer.kid, "typ": token_type}
    if chain := [b64encode(der).decode("ascii") for der in x5c]:
        header["x5c"] = chain
    signed = ".".join(to_base64url(_json(part)) for part in (header, payload))
    return f"{signed}.{to_base64url(signer.sign(signed.encode('ascii')))}"


def verify_token(token: str, key: VerifyKey, where: str) -> None:
    """Check a token's algorithm, key id and signature against one key. Raises SignatureError, BadInputError."""
    header, _, signature = _split(token, where)
    _check_signature(token, (header.get("alg"), header.get("kid")), signature, key, where)


def read_token(token: str, token_type: str, where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload of a token of this type and of our version. Raises BadInputError, NewerVersionError."""
    header, payload, _ = _split(token, where)
    if header.get("typ") != token_type:
        raise BadInputError(where, f"is of type {header.get('typ')!r}, not {token_type}")
    if header.get("alg") not in (EDDSA, ES256) or not isinstance(header.get("kid"), str):
        raise BadInputError(where, "names no algorithm and key of ours")
    if "crit" in header:
        raise BadInputError(where, "demands an extension that nobody here knows (RFC 7515, 4.1.11)")
    version = payload.get("v")
    if not is_whole(version, VERSION, COUNT_END):
        raise BadInputError(where, f"has format version {str(version)[:20]!r}")
    if version != VERSION:
        raise NewerVersionError(where, f"has format version {version}, this program knows {VERSION}", "update liuhen")
    return header, payload


def read_certificates(token: str, where: str) -> tuple[bytes, ...]:
    """The certificates (DER) in the header of a token of any version. Raises BadInputError."""
    header, _, _ = _split(token, where)
    return _certificates(header, where)


def read_entry(token: str, where: str = "entry") -> Entry:
    """Parse a token without trusting it. Raises BadInputError, NewerVersionError."""
    header, payload = read_token(token, ENTRY_TYPE, where)
    for name in COMMON_FIELDS:
        if name not in payload:
            raise BadInputError(where, f"lacks the field {name}")
    seq, prev, device, kind = (payload[name] for name in ("seq", "prev", "device", "kind"))
    if not is_whole(seq, 0, COUNT_END):
        raise BadInputError(where, f"has sequence number {str(seq)[:20]!r}")
    if not (_is(DEVICE_ID, device) and _is(KIND_NAME, kind) and (prev is None or _is(HASH, prev))):
        raise BadInputError(where, "has an impossible device, kind or prev")
    fields = {name: value for name, value in payload.items() if name not in COMMON_FIELDS}
    check_fields(kind, fields, f"{where}, kind {kind}")
    return Entry(
        token, header["alg"], header["kid"], _certificates(header, where), device, seq, prev,
        Timestamp.from_fields(payload["at"]), kind, fields,
    )  # fmt: skip


def check_link(head: Head, entry: Entry) -> None:
    """Check that `entry` is the one after `head`. Raises ChainError that says what is wrong with its place."""
    where = f"entry {entry.seq} of {entry.device}"
    if entry.seq > head.seq + 1:
        raise ChainError(where, f"entries {head.seq + 1} to {entry.seq - 1} before it are missing")
    if entry.seq <= head.seq:
        raise ChainError(where, f"stands after entry {head.seq}: repeated, swapped or forked")
    if entry.prev != head.hash:
        raise ChainError(where, "does not carry the hash of the entry before it")


class Chain:
    """Writes the next entries of one journal. The caller stores each token before it asks for the next one."""

    def __init__(self, owner: str, signer: Signer, head: Head = EMPTY) -> None:
        self.owner = owner
        self.head = head
        self._signer = signer

    def make(self, at: Timestamp, kind: str, fields: Mapping[str, Any], x5c: Iterable[bytes] = ()) -> Entry:
        """The entry that would come next; the chain does not move. Raises BadInputError for fields not of the kind."""
        if taken := set(fields) & set(COMMON_FIELDS):
            raise BadInputError(f"kind {kind}", f"has {sorted(taken)[0]} among its own fields")
        payload = {
            "v": VERSION, "device": self.owner, "seq": self.head.seq + 1, "prev": self.head.hash,
            "at": at.to_fields(), "kind": kind, **fields,
        }  # fmt: skip
        return read_entry(sign_token(self._signer, ENTRY_TYPE, payload, x5c))

    def advance(self, entry: Entry) -> None:
        """The entry is durable: the next one points at it. Raises ChainError."""
        check_link(self.head, entry)
        self.head = entry.head


def sign_head(signer: Signer, owner: str, head: Head, file_sha256: str | None = None, x5c: Iterable[bytes] = ()) -> str:
    """A statement of where a journal ended, kept beside it, so that a missing tail is seen.

    `file_sha256` covers the journal's file where that holds bytes that no entry covers (an SQLite database).
    """
    payload = {"v": VERSION, "journal": owner, "seq": head.seq, "hash": head.hash, "file_sha256": file_sha256}
    return sign_token(signer, HEAD_TYPE, payload, x5c)


@dataclass(frozen=True, slots=True)
class StatedHead:
    """A head statement as read from its token; nothing here is trusted until `verify` has returned."""

    token: str
    x5c: tuple[bytes, ...]
    journal: str
    head: Head
    file_sha256: str | None

    def verify(self, key: VerifyKey) -> None:
        """Check the signature. Raises SignatureError."""
        verify_token(self.token, key, f"head of {self.journal}")


def read_head(token: str, where: str = "head") -> StatedHead:
    """Parse a head statement without trusting it. Raises BadInputError, NewerVersionError."""
    header, payload = read_token(token, HEAD_TYPE, where)
    fields: list[Any] = [payload.get(name) for name in ("journal", "seq", "hash", "file_sha256")]
    journal, seq, chained, file_hash = fields
    hashes = all(one is None or _is(HASH, one) for one in (chained, file_hash))
    if not (_is(DEVICE_ID, journal) and is_whole(seq, EMPTY.seq, COUNT_END) and hashes):
        raise BadInputError(where, "does not state where a journal ended")
    return StatedHead(token, _certificates(header, where), journal, Head(seq, chained), file_hash)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _read_json(data: bytes) -> Any:
    text = data.decode("utf-8")
    value = json.loads(text)
    if "\\u" in text:
        # Half a character (a lone surrogate) is a ValueError here and not where somebody stores or prints it.
        _json(value)
    return value


def _is(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _split(token: str, where: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    if len(token) > TOKEN_LIMIT_BYTES:
        raise BadInputError(where, f"is longer than {TOKEN_LIMIT_BYTES} bytes")
    parts = token.split(".")
    if len(parts) != 3:
        raise BadInputError(where, "is not a compact JWS of three parts")
    try:
        header, payload = (_read_json(from_base64url(part)) for part in parts[:2])
        signature = from_base64url(parts[2])
    except (ValueError, RecursionError, BadInputError) as error:
        raise BadInputError(where, "is not a readable JWS") from error
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise BadInputError(where, "has a header or payload that is no JSON object")
    return header, payload, signature


def _certificates(header: Mapping[str, Any], where: str) -> tuple[bytes, ...]:
    chain = header.get("x5c", [])
    if not isinstance(chain, list):
        raise BadInputError(where, "has an x5c header that is no list")
    try:
        return tuple(b64decode(der, validate=True) for der in chain)
    except (ValueError, TypeError) as error:
        raise BadInputError(where, "has an unreadable x5c header") from error


def _check_signature(token: str, named: tuple[Any, Any], signature: bytes, key: VerifyKey, where: str) -> None:
    if named != (key.alg, key.kid):
        raise SignatureError(where, f"names key {str(named[1])[:12]}, expected {key.kid[:12]} ({key.alg})")
    try:
        key.verify(signature, token.rpartition(".")[0].encode("ascii"))
    except SignatureError as error:
        raise SignatureError(where, "has a signature that does not fit its bytes") from error
