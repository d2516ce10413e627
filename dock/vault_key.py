"""The unit's vault key: what evidence is sealed to. Its private part lies in a file that a passphrase protects."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.io.durable import PosixDisc


def make_vault_key(path: Path, passphrase: bytes) -> ec.EllipticCurvePublicKey:
    """Make the private key in a new file, PKCS#8 behind the passphrase; returns its public part. Raises DiscError."""
    private = ec.generate_private_key(ec.SECP256R1())
    protection = serialization.BestAvailableEncryption(passphrase)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    PosixDisc().create(path, pem)
    return private.public_key()
