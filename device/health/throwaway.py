"""Keys and a root for one self-test: what is signed with them proves nothing to anybody else, by design."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from evidence.certificates import Role, Trust
from evidence.model import EPOCH
from evidence.sealing import KeyVaultKey
from evidence.signing import KeySigner

DEVICE = "SELF-TEST"
LIFE = timedelta(days=365 * 200)


@dataclass(frozen=True, slots=True)
class Throwaway:
    """A signer, its certificate in DER, the root that vouches for it, and a vault key; all in memory only."""

    signer: KeySigner
    certificate: bytes
    trust: Trust
    vault_key: KeyVaultKey


def make_throwaway() -> Throwaway:
    """New keys, valid at whatever the clock shows: a wrong clock is found by its own check."""
    root_key, key = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "liuhen self-test")])
    name = x509.Name([
        x509.NameAttribute(NameOID.COMMON_NAME, DEVICE),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, Role.RECORDER),
    ])  # fmt: skip
    root = _issue(root_name, root_name, root_key, root_key)
    leaf = _issue(root_name, name, root_key, key)
    return Throwaway(
        KeySigner(key),
        leaf.public_bytes(serialization.Encoding.DER),
        Trust(root.public_bytes(serialization.Encoding.PEM), "self-test root"),
        KeyVaultKey(ec.generate_private_key(ec.SECP256R1())),
    )


def _issue(
    issuer: x509.Name, subject: x509.Name, by: ed25519.Ed25519PrivateKey, key: ed25519.Ed25519PrivateKey
) -> x509.Certificate:
    builder = x509.CertificateBuilder().issuer_name(issuer).subject_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(EPOCH).not_valid_after(EPOCH + LIFE).sign(by, None)
