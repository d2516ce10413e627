"""The key that signs the journal: Ed25519 in a file, or P-256 in a token. Whoever signs with it cannot tell.

identity/signing.key   the key itself, or
identity/token.toml    where it lies (evidence/io/key_place.py)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from evidence.errors import BadInputError, ConfigError
from evidence.io.durable import Disc
from evidence.io.key_place import KeyPlace, read_place
from evidence.io.token_key import TokenKey, Use, make_token_key
from evidence.signing import KeySigner, PrivateKey, Signer, VerifyKey

SIGNING_KEY, TOKEN = "signing.key", "token.toml"
NEW_FOLDER = "a recorder with a new key: a new folder"


def make_signing_key(folder: Path, disc: Disc, place: KeyPlace | None) -> PrivateKey:
    """Make the signing key where it belongs; one that is there is kept, and a recorder has one.

    Raises ConfigError when it is somewhere else already, KeyAwayError, BadInputError, DiscError.
    """
    file, token = folder / SIGNING_KEY, folder / TOKEN
    if place is None and not token.exists():
        return keep_key(file, disc, ed25519.Ed25519PrivateKey.generate)
    if file.exists():
        raise ConfigError(
            str(file), "is this recorder's signing key already", "a recorder with a new key: a new folder"
        )
    known = read_place(read_file(folder, TOKEN), str(token)) if token.exists() else None
    if known is not None and place not in (None, known):
        raise ConfigError(str(token), f"names {known} already", NEW_FOLDER)
    chosen = place or known
    assert chosen is not None
    text = chosen.to_toml()
    key = make_token_key(chosen, Use.SIGN)
    disc.replace(token, text)
    return key


def load_signer(folder: Path, certified: VerifyKey) -> Signer:
    """The signer; a token is opened with the first signature, so that one that is away keeps nobody from starting.

    Raises ConfigError when a file is missing or there are two keys, BadInputError for a damaged one.
    """
    file, token = folder / SIGNING_KEY, folder / TOKEN
    if not token.exists():
        return KeySigner.from_pem(read_file(folder, SIGNING_KEY), str(file))
    if file.exists():
        raise ConfigError(str(folder), f"holds both {SIGNING_KEY} and {TOKEN}", "remove the one that is not certified")
    if not isinstance(certified.public, ec.EllipticCurvePublicKey):
        raise BadInputError(str(token), "speaks of a token, and the certificate is for a key in a file")
    return KeySigner(TokenKey(read_place(read_file(folder, TOKEN), str(token)), certified.public))


def keep_key(path: Path, disc: Disc, make: Callable[[], PrivateKey]) -> PrivateKey:
    """The private key in a file, made when there is none. Raises BadInputError, DiscError."""
    if path.exists():
        return _load_key(path)
    private = make()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Not `create`: half a key, left by a power cut, would be kept for ever.
    disc.replace(path, pem)
    return private


def read_file(folder: Path, name: str) -> bytes:
    """A file of the recorder's identity. Raises ConfigError that says how it comes there."""
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        hint = "enrol again: liuhen device provision, liuhen dock enrol, liuhen device adopt"
        raise ConfigError(str(folder / name), f"cannot be read: {error.strerror}", hint) from error


def _load_key(path: Path) -> PrivateKey:
    try:
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadInputError(str(path), "is not a private key in PEM") from error
    if not isinstance(loaded, PrivateKey):
        raise BadInputError(str(path), "holds a key that is neither Ed25519 nor P-256")
    return loaded
