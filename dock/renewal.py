"""Keys and certificates after the first day: renewal, a new key for the dock, a new issuing CA."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519

from dock.authority import Authority, Purpose
from dock.clock import Clock
from dock.dock_journal import DockJournal, replacing_key
from dock.enrolment import Enrolment, EnrolmentDesk
from dock.folder import JOURNAL_NAME, JOURNAL_OWNER, DockFolder
from dock.issuing import (
    BROKER,
    ISSUING,
    OWN,
    issue_own,
    keep_issuing,
    load_issuing,
    load_root,
    own_certificate,
    read_leaf,
    time_of,
)
from dock.revocation import publish, revoked_serials
from evidence.io.durable import Disc
from evidence.io.token_file import TokenFile
from evidence.signing import VerifyKey


class Loss(StrEnum):
    """What has happened to an issuing CA's key."""

    LOST = "lost"
    """Nobody has it: what it has issued goes on until it is renewed."""
    STOLEN = "stolen"
    """Somebody else may have it: nothing that it has issued is served any more."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """Until when one of the dock's own certificates is valid."""

    name: str
    ends: datetime


def renew_recorder(folder: DockFolder, disc: Disc, clock: Clock, recorder: str) -> Enrolment:
    """New certificates for a recorder's keys, and all that it needs to know now.

    Raises BadInputError for one that is not enrolled or was revoked, ConfigError, DiscError.
    """
    desk = EnrolmentDesk(folder, disc, clock)
    with desk.journal.adding() as add:
        desk.renew(add, recorder)
        return desk.files_for(add, recorder, None)


def renew_own(folder: DockFolder, disc: Disc, clock: Clock) -> None:
    """New certificates for the dock's own keys: dock, broker, head, vault. Raises ConfigError, DiscError."""
    authority, now = load_issuing(folder), time_of(clock)
    for name, purpose in OWN.items():
        path = own_certificate(folder, name)
        disc.replace(path, _renewed(authority, path, name, purpose, now))


def replace_dock_key(folder: DockFolder, disc: Disc, clock: Clock, why: str) -> str:
    """A new key for the dock, from now on; the entry `dock_key` says so. Returns its id.

    What the old key has signed stays as it is: it carries the old certificate. Receivers that run end and start anew.
    Raises ConfigError, DiscError.
    """
    key, authority = ed25519.Ed25519PrivateKey.generate(), load_issuing(folder)
    with replacing_key(folder, disc, key):
        issue_own(folder, disc, authority, time_of(clock), JOURNAL_OWNER, key)
    journal = DockJournal(folder, disc, clock)
    with journal.adding() as add:
        add("dock_key", {"kid": journal.signer.kid, "why": why})
    # The dock vouches for the end of every journal that it keeps, and its word is now that of the new key.
    for path in sorted(folder.vault.glob(f"*/{JOURNAL_NAME}")):
        TokenFile(path, path.parent.name, disc, journal.signer).restate()
    return journal.signer.kid


def replace_issuing(folder: DockFolder, disc: Disc, clock: Clock, carried: Path, loss: Loss) -> None:
    """A new issuing CA from the root that lies in `carried`, and new certificates for the dock's own keys.

    OpenSSL refuses a certificate whose CA has no list of revoked ones: so the list of a stolen CA is left out.
    Raises ConfigError, BadInputError when this is another unit's root, DiscError.
    """
    now, before = time_of(clock), folder.crl.read_bytes()
    authority = load_root(folder, carried).make_issuing(now)
    keep_issuing(folder, disc, authority)
    journal = DockJournal(folder, disc, clock)
    with journal.held():
        serials = revoked_serials(folder, journal)
    publish(folder, disc, authority, serials, now, before if loss is Loss.LOST else b"")
    renew_own(folder, disc, clock)


def expiries(folder: DockFolder) -> list[Expiry]:
    """Until when the dock's own certificates are valid, the first to end first. Raises BadInputError."""
    paths = {name: own_certificate(folder, name) for name in (*OWN, ISSUING)} | {"ca": folder.ca_certificate}
    read = (Expiry(name, read_leaf(path).not_valid_after_utc) for name, path in paths.items())
    return sorted(read, key=lambda one: one.ends)


def _renewed(authority: Authority, path: Path, name: str, purpose: Purpose, now: datetime) -> bytes:
    old = read_leaf(path)
    public = VerifyKey.of(old.public_key()).public
    hosts: list[str] = []
    if name == BROKER:
        names = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = [str(one.value) for one in names]
    return authority.chain_pem(authority.issue(name, purpose, public, now, hosts))
