"""Keys that sign and keys that verify: Ed25519 and ECDSA P-256, named by their RFC 7638 thumbprint.

`Signer` is a port: the private key may lie in a file, a TPM or a secure element; callers cannot tell.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from evidence.errors import BadInputError, SignatureError

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
EDDSA = "EdDSA"
ES256 = "ES256"
P256_FIELD_BYTES = 32


def to_base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The opposite, strict: any other spelling of the same bytes is refused, so no bit can be flipped unseen."""
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError as error:
        raise BadInputError("base64url", str(error)) from error
    if to_base64url(data) != text:
        raise BadInputError("base64url", "not in its one canonical spelling")
    return data


class Signer(Protocol):
    """A private key that signs: `alg` is its JWS algorithm, `kid` the thumbprint of its public key."""

    @property
    def alg(self) -> str:
        """`EdDSA` or `ES256` (RFC 7518, RFC 8037)."""

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint, base64url."""

    def sign(self, data: bytes) -> bytes:
        """The JWS signature over `data`: 64 bytes for both algorithms."""


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public key that checks signatures."""

    public: PublicKey
    alg: str
    kid: str

    @classmethod
    def of(cls, public: object) -> VerifyKey:
        """Wrap a public key. Raises BadInputError for kinds other than Ed25519 and P-256."""
        jwk = public_jwk(public)
        assert isinstance(public, PublicKey)
        return cls(public, EDDSA if jwk["kty"] == "OKP" else ES256, thumbprint(jwk))

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return when the signature fits. Raises SignatureError."""
        try:
            if isinstance(self.public, ed25519.Ed25519PublicKey):
                self.public.verify(signature, data)
            else:
                self.public.verify(_der_from_raw(signature), data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise SignatureError("signature", f"does not fit the bytes and key {self.kid[:12]}") from error


class KeySigner:
    """A `Signer` whose private key is in memory (loaded from a file that one user can read)."""

    def __init__(self, private: PrivateKey) -> None:
        self._private = private
        self.verify_key = VerifyKey.of(private.public_key())

    @property
    def alg(self) -> str:
        return self.verify_key.alg

    @property
    def kid(self) -> str:
        return self.verify_key.kid

    def sign(self, data: bytes) -> bytes:
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(data)
        r, s = decode_dss_signature(self._private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(P256_FIELD_BYTES, "big") + s.to_bytes(P256_FIELD_BYTES, "big")

    @classmethod
    def from_pem(cls, pem: bytes, where: str) -> KeySigner:
        """Load an unencrypted PKCS#8 private key. Raises BadInputError."""
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
            raise BadInputError(where, "is not a private key in PEM") from error
        if not isinstance(private, PrivateKey):
            raise BadInputError(where, "holds a key that is neither Ed25519 nor P-256")
        return cls(private)


def public_jwk(public: object) -> dict[str, str]:
    """The required members of the key's JWK (RFC 7517, RFC 8037). Raises BadInputError."""
    if isinstance(public, ed25519.Ed25519PublicKey):
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": to_base64url(raw)}
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        numbers = public.public_numbers()
        x, y = (to_base64url(n.to_bytes(P256_FIELD_BYTES, "big")) for n in (numbers.x, numbers.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    raise BadInputError("key", "is neither Ed25519 nor P-256")


def thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638: SHA-256 over the required members in lexical order, base64url."""
    canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()
    return to_base64url(sha256(canonical).digest())


def _der_from_raw(signature: bytes) -> bytes:
    if len(signature) != 2 * P256_FIELD_BYTES:
        raise SignatureError("signature", f"has {len(signature)} bytes instead of 64")
    r = int.from_bytes(signature[:P256_FIELD_BYTES], "big")
    s = int.from_bytes(signature[P256_FIELD_BYTES:], "big")
    return encode_dss_signature(r, s)
