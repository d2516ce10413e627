"""The unit's vault key, which evidence is sealed to. Its private part is in a file behind a passphrase, or a token."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.errors import ConfigError
from evidence.io.durable import PosixDisc
from evidence.io.key_place import read_place
from evidence.io.token_key import TokenKey
from evidence.sealing import KeyVaultKey


def make_vault_key(path: Path, passphrase: bytes) -> ec.EllipticCurvePublicKey:
    """Make the private key in a new file, PKCS#8 behind the passphrase; returns its public part. Raises DiscError."""
    private = ec.generate_private_key(ec.SECP256R1())
    protection = serialization.BestAvailableEncryption(passphrase)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    PosixDisc().create(path, pem)
    return private.public_key()


def load_vault_key(path: Path, passphrase: bytes) -> KeyVaultKey:
    """Unlock the private key. Raises ConfigError when it is not there, BadInputError for another passphrase."""
    try:
        return KeyVaultKey.from_pem(path.read_bytes(), passphrase, str(path))
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}", "give the vault key of this dock") from error


def load_token_vault_key(place: Path, certified: ec.EllipticCurvePublicKey) -> KeyVaultKey:
    """The vault key in the token that `place` names; the token is opened with its first use, by its PIN.

    Raises ConfigError when the file is not there or names no place; KeyAwayError comes later, from opening.
    """
    try:
        text = place.read_bytes()
    except OSError as error:
        raise ConfigError(str(place), f"cannot be read: {error.strerror}", "give the vault key of this dock") from error
    return KeyVaultKey(TokenKey(read_place(text, str(place)), certified))
