"""HPKE (RFC 9180) in base mode, the receiver's side, over a key agreement that may lie in a token. Pure.

One suite: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305. The sender's side is the library's own
(`cryptography.hazmat.primitives.hpke.Suite`); its `decrypt` wants the private key itself, which a token never gives.
"""

from __future__ import annotations

import hmac
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.errors import BadInputError

SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
ENC_BYTES = 65
"""An encapsulated key: an uncompressed point of P-256 (section 7.1.1)."""
KEY_BYTES, NONCE_BYTES, HASH_BYTES = 32, 12, 32
_KEM_ID = b"KEM\x00\x10"
_SUITE_ID = b"HPKE\x00\x10\x00\x01\x00\x03"
_MODE_BASE = b"\x00"


class Agreement(Protocol):
    """A private key of P-256 that agrees, and does nothing else."""

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        """Its public part."""

    def exchange(self, peer: ec.EllipticCurvePublicKey) -> bytes:
        """Raw ECDH: the x-coordinate of the shared point, 32 bytes (section 7.1)."""


def seal_base(public: ec.EllipticCurvePublicKey, plain: bytes, info: bytes) -> tuple[bytes, bytes]:
    """The encapsulated key, and the plain bytes sealed to this public key with empty `aad` (SealBase, section 6.1)."""
    sealed = SUITE.encrypt(plain, public, info)
    return sealed[:ENC_BYTES], sealed[ENC_BYTES:]


def open_base(key: Agreement, enc: bytes, sealed: bytes, info: bytes, aad: bytes = b"") -> bytes:
    """What was sealed to this key (OpenBase, section 6.1). Raises BadInputError when it was not, or is altered."""
    try:
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), enc)
    except ValueError as error:
        raise BadInputError("encapsulated key", "is no point of P-256") from error
    if len(enc) != ENC_BYTES:
        raise BadInputError("encapsulated key", "is not an uncompressed point")
    shared = shared_secret(key.exchange(peer), enc, key.public)
    wrap, nonce = key_schedule(shared, info)
    try:
        return ChaCha20Poly1305(wrap).decrypt(nonce, sealed, aad)
    except InvalidTag as error:
        raise BadInputError("wrapped key", "was not sealed to this key for this purpose, or is altered") from error


def shared_secret(agreed: bytes, enc: bytes, public: ec.EllipticCurvePublicKey) -> bytes:
    """ExtractAndExpand of DHKEM (section 4.1); `agreed` is the raw ECDH of either side."""
    context = enc + public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    extracted = _labeled_extract(_KEM_ID, b"", b"eae_prk", agreed)
    return _labeled_expand(_KEM_ID, extracted, b"shared_secret", context, HASH_BYTES)


def key_schedule(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """The AEAD's key and its first nonce in base mode, without a pre-shared key (KeySchedule, section 5.1)."""
    named = _labeled_extract(_SUITE_ID, b"", b"psk_id_hash", b"")
    context = _MODE_BASE + named + _labeled_extract(_SUITE_ID, b"", b"info_hash", info)
    secret = _labeled_extract(_SUITE_ID, shared, b"secret", b"")
    key = _labeled_expand(_SUITE_ID, secret, b"key", context, KEY_BYTES)
    return key, _labeled_expand(_SUITE_ID, secret, b"base_nonce", context, NONCE_BYTES)


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")


def _labeled_expand(suite: bytes, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
    return HKDFExpand(hashes.SHA256(), length, info).derive(secret)
