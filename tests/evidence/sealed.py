"""A sealed segment and a sealed photo made with fixed keys, so that every byte can be made again.

Never like this in use: the key of a file and the ephemeral key of HPKE must be random, and only vectors may know them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.hpke import key_schedule, shared_secret
from evidence.sealing import KeyVaultKey, key_purpose, read_head, seal_record, write_head
from evidence.signing import public_jwk, to_base64url
from tests.evidence.golden import RECORDER, RECORDING, SEGMENT, Writer, hash_of, stamp


def scalar(name: str) -> ec.EllipticCurvePrivateKey:
    """A fixed private key of P-256."""
    return ec.derive_private_key(
        int.from_bytes(sha256(f"liuhen golden {name}".encode()).digest()[:31], "big"), ec.SECP256R1()
    )


VAULT_PRIVATE = scalar("vault")
VAULT = KeyVaultKey(VAULT_PRIVATE)
VAULT_JWK = {
    **public_jwk(VAULT.public),
    "d": to_base64url(VAULT_PRIVATE.private_numbers().private_value.to_bytes(32, "big")),
}
PLAIN = (b"ftyp and moov", b"moof and mdat", b"moof and a longer mdat", b"moof, mdat")
PHOTO = b"a photo with its EXIF"


def seal_file(parts: Sequence[bytes], name: str = SEGMENT, device: str = RECORDER) -> tuple[bytes, ...]:
    """The stored parts of a sealed file; the first has the head before it."""
    ephemeral, key = scalar(f"ephemeral {name}"), sha256(f"liuhen golden key {name}".encode()).digest()
    enc = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    agreed = ephemeral.exchange(ec.ECDH(), VAULT.public)
    wrap, nonce = key_schedule(shared_secret(agreed, enc, VAULT.public), key_purpose(device, name))
    head = write_head(device, name, VAULT.kid, enc, ChaCha20Poly1305(wrap).encrypt(nonce, key, b""))
    aead, digest = ChaCha20Poly1305(key), read_head(head).digest
    records = [seal_record(aead, digest, header(index, part), part) for index, part in enumerate(parts)]
    return (head + records[0], *records[1:])


def header(index: int, part: bytes) -> dict[str, Any]:
    """What the clear header of a record says."""
    return {"index": index, "bytes": len(part), "sha256": hash_of(part), **(fragment_info(index) if index else {})}


def fragment_info(index: int) -> Mapping[str, int]:
    return {"pts_us": (index - 1) * 1_000_000, "duration_us": 1_000_000, "frames": 30, "samples": 48_000}


def sealed_journal() -> Writer:
    """A journal with the sealed segment and the sealed photo, their entries as a recorder writes them."""
    writer = Writer()
    writer.add("journal_opened")
    stored, offset = seal_file(PLAIN), 0
    described = [describe(sealed, plain) for sealed, plain in zip(stored, PLAIN, strict=True)]
    for index, part in enumerate(described):
        own = (
            fragment_info(index)
            if index
            else {"recording": RECORDING, "epoch_boot_us": stamp().boot_us, "boot": stamp().boot}
        )
        place = {"segment": SEGMENT, "index": index, "offset_bytes": offset}
        writer.add("fragment" if index else "init", {**place, **part, **own})
        offset += part["stored_bytes"]
    whole = b"".join(PLAIN)
    writer.add("segment", {
        "segment": SEGMENT, "recording": RECORDING, "trigger": "button", "officer": "110123",
        "epoch": stamp().to_fields(), "bytes": len(whole), "sha256": hash_of(whole), "stored_bytes": offset,
        "parts": [[one[name] for name in ("stored_bytes", "stored_sha256", "bytes", "sha256")] for one in described],
        "frames": 90, "samples": 144_000, "duration_us": 3_000_000, "complete": True,
    }, certified=True)  # fmt: skip
    (photo,) = seal_file([PHOTO], hash_of(PHOTO))
    about = {"recording": RECORDING, "segment": SEGMENT, "index": 1, "captured_boot_us": stamp().boot_us}
    size = {"width": 64, "height": 48}
    fields = {name: value for name, value in describe(photo, PHOTO).items() if name != "sha256"}
    writer.add("still", {"blob": hash_of(PHOTO), **fields, **about, **size}, certified=True)
    return writer


def describe(stored: bytes, plain: bytes) -> dict[str, Any]:
    return {
        "bytes": len(plain), "sha256": hash_of(plain), "stored_bytes": len(stored), "stored_sha256": hash_of(stored),
    }  # fmt: skip
