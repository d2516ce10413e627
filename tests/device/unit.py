"""A unit: its root, one recorder, its dock, its vault key, and what the dock signs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from device.ports import Clock
from dock.authority import Authority, Purpose, certificate_pem
from evidence.certificates import Trust
from evidence.io.sealed_file import opened_bytes
from evidence.journal import Chain, Entry
from evidence.model import EPOCH, Officer
from evidence.receipts import BLOB_STORED, DOCK, EXPLANATION, STORED
from evidence.sealing import KeyVaultKey
from evidence.signing import KeySigner

DEVICE = "BWC-0001"
OFFICER = Officer("110123", "张三", "交警一大队")


@dataclass(frozen=True)
class Party:
    """A key with its certificate."""

    signer: KeySigner
    certificate: bytes


def opened(path: Path) -> bytes:
    """The plain bytes of a sealed file of the unit's recorder, up to its last whole part."""
    return opened_bytes(path, unit().vault)


@dataclass(frozen=True)
class Unit:
    """`stranger` is another unit's dock."""

    trust: Trust
    recorder: Party
    dock: Party
    stranger: Party
    vault: KeyVaultKey

    def receipt(self, seal: Entry, clock: Clock, by: Party | None = None, **changed: Any) -> str:
        """The dock's receipt for a sealed segment, or one that is wrong in what is `changed`."""
        dock = by or self.dock
        fields: Mapping[str, Any] = {
            "recorder": seal.device,
            "segment": seal.fields["segment"],
            "sha256": seal.fields["sha256"],
            "stored_bytes": seal.fields["stored_bytes"],
            "seal_seq": seal.seq,
            "seal_hash": seal.head.hash,
        }
        chain = Chain(DOCK, dock.signer)
        return chain.make(clock.now(), STORED, {**fields, **changed}, [dock.certificate]).token

    def word(self, kind: str, entry: Entry, clock: Clock, by: Party | None = None, **changed: Any) -> str:
        """Another word of the dock on an entry of ours, true but for what is `changed`."""
        dock = by or self.dock
        own: Mapping[str, Any] = {"recorder": entry.device}
        if kind == EXPLANATION:
            own = {**own, "author": "110123", "text": "电池老化，已更换。"}
        else:
            own = {**own, "entry_seq": entry.seq, "entry_hash": entry.head.hash}
        names = ("blob", "stored_bytes") if kind == BLOB_STORED else ("interruption",)
        fields = {**own, **{name: entry.fields[name] for name in names}, **changed}
        return Chain(DOCK, dock.signer).make(clock.now(), kind, fields, [dock.certificate]).token


@cache
def unit() -> Unit:
    authority, stranger = Authority.make(_NOW), Authority.make(_NOW)
    return Unit(
        Trust(certificate_pem(authority.certificate)),
        _party(authority, DEVICE, Purpose.RECORDER),
        _party(authority, DOCK, Purpose.DOCK),
        _party(stranger, DOCK, Purpose.DOCK),
        KeyVaultKey(ec.generate_private_key(ec.SECP256R1())),
    )


_NOW = EPOCH.replace(year=2026, month=11)


def _party(authority: Authority, name: str, purpose: Purpose) -> Party:
    key = ed25519.Ed25519PrivateKey.generate()
    certificate = authority.issue(name, purpose, key.public_key(), _NOW)
    return Party(KeySigner(key), certificate.public_bytes(Encoding.DER))
