"""Split custody of the vault key: its file is locked anew, and two of three shares open it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from secrets import token_bytes

from cryptography.hazmat.primitives import serialization

from dock.clock import Clock
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from dock.shares import NEEDED, SECRET_BYTES, SHARES, join_shares, split_secret
from dock.vault_key import load_vault_key
from evidence.errors import ConfigError
from evidence.io.durable import Disc, make_folder
from evidence.journal import Entry
from evidence.sealing import KeyVaultKey
from evidence.signing import to_base64url

SHARE_LIMIT_BYTES = 4096


def split_vault_key(folder: DockFolder, disc: Disc, clock: Clock, passphrase: bytes, out: Path) -> Entry:
    """Write three shares into `out`, then lock the file of the vault key with what they hold; journalled.

    The passphrase opens it no more; a copy of the file from before it still does. Raises BadInputError for another
    passphrase, ConfigError, DiscError. A power cut leaves the old lock or the new one, never a new one without shares.
    """
    path = folder.vault_key
    kid = load_vault_key(path, passphrase).kid
    secret = token_bytes(SECRET_BYTES)
    private = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    protection = serialization.BestAvailableEncryption(_passphrase(secret))
    locked = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    make_folder(out)
    for number, share in enumerate(split_secret(secret), 1):
        disc.create(out / f"share-{number}.txt", f"{share}\n".encode("ascii"))
    with DockJournal(folder, disc, clock).adding() as add:
        entry = add("vault_key_split", {"kid": kid, "shares": SHARES, "needed": NEEDED})
        disc.replace(path, locked)
    return entry


def unlock_with_shares(path: Path, shares: Sequence[Path]) -> KeyVaultKey:
    """The vault key, by two of its shares. Raises BadInputError that says what is wrong with them, ConfigError."""
    secret = join_shares([_read(share) for share in shares])
    return load_vault_key(path, _passphrase(secret))


def _passphrase(secret: bytes) -> bytes:
    return to_base64url(secret).encode("ascii")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(SHARE_LIMIT_BYTES).decode("utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}", "give the file of a share") from error
