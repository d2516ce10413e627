"""The issuing CA of a dock's folder, and the certificates of the dock's own processes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from dock.authority import Authority, Purpose, certificate_pem, private_pem
from dock.broker import HEAD
from dock.clock import Clock
from dock.folder import JOURNAL_OWNER, DockFolder
from evidence.certificates import DAMAGE, Trust
from evidence.errors import BadInputError, ConfigError
from evidence.io.durable import Disc
from evidence.model import EPOCH
from evidence.signing import PrivateKey

ISSUING, BROKER, VAULT = "issuing", "broker", "vault"
OWN: dict[str, Purpose] = {
    JOURNAL_OWNER: Purpose.DOCK, BROKER: Purpose.BROKER, HEAD: Purpose.CLIENT, VAULT: Purpose.VAULT,
}  # fmt: skip
"""Whom a dock makes a certificate for when it is made."""


def load_issuing(folder: DockFolder) -> Authority:
    """The issuing CA. Raises ConfigError when its key is not here, BadInputError."""
    return _load(folder.key(ISSUING), folder.certificate(ISSUING), "enrol where the issuing CA is")


def load_root(folder: DockFolder, carried: Path) -> Authority:
    """The root, from where it has been carried. Raises ConfigError, BadInputError when it is another unit's."""
    return _load(carried / folder.root_key.name, folder.ca_certificate, "bring the folder `root` that was carried away")


def keep_issuing(folder: DockFolder, disc: Disc, authority: Authority) -> None:
    """Put a new issuing CA into the folder, in place of one that is there."""
    disc.replace(folder.key(ISSUING), authority.key_pem())
    disc.replace(folder.certificate(ISSUING), certificate_pem(authority.certificate))


def own_certificate(folder: DockFolder, name: str) -> Path:
    """Where the certificate of one of the dock's own lies."""
    return folder.vault_certificate if name == VAULT else folder.certificate(name)


def issue_own(folder: DockFolder, disc: Disc, authority: Authority, now: datetime, name: str, key: PrivateKey,
              hosts: Sequence[str] = ()) -> None:  # fmt: skip
    """A key and its certificate for one of the dock's own, in place of those that are there. Raises DiscError."""
    disc.replace(folder.key(name), private_pem(key))
    certificate = authority.issue(name, OWN[name], key.public_key(), now, hosts)
    disc.replace(folder.certificate(name), authority.chain_pem(certificate))


def read_trust(folder: DockFolder) -> Trust:
    """The unit's root. Raises ConfigError when the folder is no dock."""
    try:
        return Trust(folder.ca_certificate.read_bytes(), str(folder.ca_certificate))
    except OSError as error:
        hint = "make a dock with: liuhen dock init DIR"
        raise ConfigError(str(folder.root), f"is no dock folder: {error.strerror}", hint) from error


def read_leaf(path: Path) -> x509.Certificate:
    """The first certificate of a file. Raises BadInputError."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, *DAMAGE) as error:
        raise BadInputError(str(path), "holds no readable certificate") from error


def time_of(clock: Clock) -> datetime:
    """The present time, as certificates have it."""
    return EPOCH + timedelta(microseconds=clock.now().utc_us)


def _load(key: Path, certificate: Path, hint: str) -> Authority:
    try:
        return Authority.from_pem(key.read_bytes(), certificate.read_bytes(), str(key))
    except OSError as error:
        raise ConfigError(str(key), f"cannot be read: {error.strerror}", hint) from error
