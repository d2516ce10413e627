"""Enrolling the persons of a unit and taking them off again: a key, a certificate, and the entries that say so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from dock.authority import Purpose
from dock.clock import Clock
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from dock.issuing import load_issuing, time_of
from dock.journal_reader import LedgerReader
from evidence.certificates import DAMAGE, Trust
from evidence.errors import BadInputError, ConfigError, UnknownKeyError
from evidence.io.durable import Disc, make_folder
from evidence.journal import Entry
from evidence.model import DEVICE_ID, Timestamp
from evidence.persons import Act, Person, sign_statement
from evidence.signing import KeySigner, PublicKey, Signer, VerifyKey

NAME_LIMIT = 64


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A person at the keyboard: what he signs with. The signer may as well be a token."""

    person: str
    signer: Signer
    chain: tuple[bytes, ...]

    def sign(self, act: Act, about: dict[str, object], at: Timestamp) -> str:
        """A statement of this person."""
        return sign_statement(self.signer, self.chain, self.person, act, about, at)


class PersonDesk:
    """The unit's persons at one dock."""

    def __init__(self, folder: DockFolder, disc: Disc, clock: Clock) -> None:
        """Raises ConfigError when the folder is no dock."""
        self._folder = folder
        self._disc = disc
        self._clock = clock
        self._journal = DockJournal(folder, disc, clock)
        self._reader = LedgerReader(folder, Trust(folder.ca_certificate.read_bytes(), str(folder.ca_certificate)))

    def enrol(self, person: str, name: str, roles: Collection[Act], passphrase: bytes, out: Path) -> Person:
        """Make a person's key behind this passphrase, certify it, journal it; his two files appear in `out`.

        Raises BadInputError for a number that is taken or impossible, ConfigError without the CA, DiscError.
        """
        _check_person(person, name)
        private = ed25519.Ed25519PrivateKey.generate()
        protection = serialization.BestAvailableEncryption(passphrase)
        key = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
        made = Person(person, VerifyKey.of(private.public_key()).kid, name.strip(), frozenset(roles))
        with self._journal.adding() as add:
            if known := self._reader.catch_up().persons.active(person):
                what = f"已登记 is enrolled as {known.name} with key {known.kid[:12]}"
                raise BadInputError(f"人员 person {person}", what, "liuhen dock person revoke takes a key away")
            chain = certify_person(self._folder, self._clock, person, private.public_key())
            make_folder(out)
            self._disc.create(out / f"{person}.key", key)
            self._disc.create(out / f"{person}.pem", chain)
            roles_listed = sorted(role.value for role in roles)
            add("person_enrolled", {"person": person, "kid": made.kid, "name": made.name, "roles": roles_listed})
        return made

    def revoke(self, person: str, why: str) -> Entry:
        """Journal that a person's key counts no more, whatever it signs. Raises UnknownKeyError, DiscError."""
        if not 0 < len(why.strip()) <= 1024:
            raise BadInputError("--why", "does not say why", "1 to 1024 characters")
        with self._journal.adding() as add:
            known = self._reader.catch_up().persons.active(person)
            if known is None:
                raise UnknownKeyError(f"人员 person {person}", "未登记 is not enrolled", "liuhen dock person list")
            return add("person_revoked", {"person": person, "kid": known.kid, "why": why.strip()})

    def persons(self) -> list[Person]:
        """Everybody whom the journal knows, in the order of their enrolment. Raises LiuhenError for a bad journal."""
        with self._journal.held():
            return list(self._reader.catch_up().persons.by_kid.values())


def certify_person(folder: DockFolder, clock: Clock, person: str, public: PublicKey) -> bytes:
    """The seam to the unit's CA: a person's certificate and those above it but the root, in PEM. Raises ConfigError."""
    authority = load_issuing(folder)
    return authority.chain_pem(authority.issue(person, Purpose.PERSON, public, time_of(clock)))


def load_person(path: Path, passphrase: bytes) -> PersonKey:
    """A person's key file, `PERSON.key` with `PERSON.pem` beside it. Raises BadInputError, ConfigError."""
    beside = path.with_suffix(".pem")
    try:
        key, pem = path.read_bytes(), beside.read_bytes()
    except OSError as error:
        raise ConfigError(str(error.filename), f"cannot be read: {error.strerror}", "give PERSON.key") from error
    try:
        private = serialization.load_pem_private_key(key, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise BadInputError(
            str(path), "口令不符 is no key that this passphrase opens", "check the passphrase"
        ) from error
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise BadInputError(str(path), "holds a key that is not Ed25519")
    try:
        certificates = x509.load_pem_x509_certificates(pem)
        [name] = certificates[0].subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except DAMAGE as error:
        raise BadInputError(str(beside), "holds no certificate of a person") from error
    if certificates[0].public_key() != private.public_key():
        raise BadInputError(str(beside), "is the certificate of another key")
    chain = tuple(one.public_bytes(serialization.Encoding.DER) for one in certificates)
    return PersonKey(str(name.value), KeySigner(private), chain)


def _check_person(person: str, name: str) -> None:
    if not DEVICE_ID.fullmatch(person):
        raise BadInputError(f"--number {person[:40]}", "is no number of a person", "3 to 32 letters, digits or hyphens")
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        raise BadInputError("name", "is no name of a person", f"1 to {NAME_LIMIT} characters on one line")
