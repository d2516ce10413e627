"""The unit's certificates: who may sign what. Pure: bytes in, certificate or error out (RFC 5280).

The unit's root, which is kept apart, vouches for an issuing CA, and that for whoever works: chains are [leaf, issuing].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from evidence.errors import BadInputError, UnknownKeyError
from evidence.model import EPOCH, ClockGrade, Timestamp
from evidence.signing import VerifyKey

DAMAGE = (
    ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm,
    x509.InvalidVersion, x509.ExtensionNotFound, x509.DuplicateExtension,
)  # fmt: skip
"""What the library raises for bytes that are no usable certificate."""
CHAIN_LIMIT = 2
"""A leaf and the issuing CA above it."""
KNOWN_TIME = frozenset({ClockGrade.DOCK, ClockGrade.NTP, ClockGrade.GNSS})
"""Grades of a clock that somebody other than the recorder itself has set."""


class Role(StrEnum):
    """What a certificate is for; stands in its subject as organizational unit, put there by the CA."""

    RECORDER = "recorder"
    """Signs the journal of the recorder that is its common name."""
    DOCK = "dock"
    """Signs receipts and the dock's journal."""
    LINK = "link"
    """Opens the TLS connection to the broker; signs nothing that is kept."""
    PERSON = "person"
    """Signs statements: somebody of the unit, whose number is its common name."""
    VAULT = "vault"
    """Evidence is sealed to it; it agrees on keys and signs nothing at all."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a certificate says once its CA has been checked."""

    name: str
    role: Role
    key: VerifyKey


class Trust:
    """The unit's root certificate: the one thing that a verifier has to be given."""

    def __init__(self, pem: bytes, where: str = "trust") -> None:
        """Read exactly one self-signed certificate in PEM. Raises BadInputError for anything else, even one bit."""
        try:
            self.root = x509.load_pem_x509_certificate(pem)
            _check_issued(self.root, self.root)
        except DAMAGE as error:
            raise BadInputError(where, "is not an undamaged root certificate in PEM") from error
        if self.root.public_bytes(serialization.Encoding.PEM) != pem:
            raise BadInputError(where, "holds more or other than one certificate in PEM")
        self.pem = pem

    def identify(self, chain: Sequence[x509.Certificate], at: datetime | None = None) -> Identity:
        """Who the first certificate of a chain belongs to, as of `at` where a time is known.

        Raises UnknownKeyError when our root does not vouch for it, or did not at that time.
        """
        if not 1 <= len(chain) <= CHAIN_LIMIT:
            raise UnknownKeyError("certificate", f"comes in a chain of {len(chain)} instead of leaf and issuing CA")
        try:
            for certificate, issuer in pairwise((*chain, self.root)):
                _check_issued(certificate, issuer)
            for issuer in chain[1:]:
                _check_may_issue(issuer)
        except DAMAGE as error:
            raise UnknownKeyError("certificate", "was not issued by the trusted CA") from error
        if at is not None:
            for certificate in chain:
                _check_date(certificate, at)
        leaf = chain[0]
        name, role = _only(leaf, NameOID.COMMON_NAME), _only(leaf, NameOID.ORGANIZATIONAL_UNIT_NAME)
        if role not in set(Role):
            raise UnknownKeyError("certificate", f"has the unknown role {role!r}")
        return Identity(name, Role(role), VerifyKey.of(leaf.public_key()))

    def identify_der(self, chain: Sequence[bytes], at: datetime | None = None) -> Identity:
        """The same for certificates in DER, as they stand in `x5c`. Raises BadInputError, UnknownKeyError."""
        try:
            read = [x509.load_der_x509_certificate(der) for der in chain[: CHAIN_LIMIT + 1]]
        except DAMAGE as error:
            raise BadInputError("certificate", "is not a certificate in DER") from error
        return self.identify(read, at)

    def identify_pem(self, pem: bytes, where: str, at: datetime | None = None) -> Identity:
        """The same for a PEM file that holds the chain. Raises BadInputError, UnknownKeyError."""
        return self.identify_der(chain_from_pem(pem, where), at)


def known_time(at: Timestamp) -> datetime | None:
    """When an entry was signed, as far as that is known.

    None for a clock that was unset or ran by itself: a recorder whose RTC woke up in another year must not lose
    its evidence over the dates in a certificate.
    """
    return EPOCH + timedelta(microseconds=at.utc_us) if at.grade in KNOWN_TIME else None


def chain_from_pem(pem: bytes, where: str) -> tuple[bytes, ...]:
    """The certificates in a PEM file, each in DER. Raises BadInputError when there is none."""
    try:
        read = x509.load_pem_x509_certificates(pem)
        return tuple(one.public_bytes(serialization.Encoding.DER) for one in read)
    except DAMAGE as error:
        raise BadInputError(where, "is not a certificate in PEM") from error


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    certificate.verify_directly_issued_by(issuer)
    # How many bits of the signature are unused is the one byte that no signature covers; ours always use all of them.
    if not certificate.public_bytes(serialization.Encoding.DER).endswith(b"\0" + certificate.signature):
        raise ValueError("unused bits in the signature")


def _check_may_issue(issuer: x509.Certificate) -> None:
    """A leaf must not vouch for others (RFC 5280, 6.1.4 (k) and (n))."""
    extensions = issuer.extensions
    may = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    if not (may and extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign):
        raise ValueError("is no CA")


def _check_date(certificate: x509.Certificate, at: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins <= at <= ends:
        what = f"was not valid on {at:%Y-%m-%d}, only from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
        raise UnknownKeyError("certificate", what)


def _only(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    values = certificate.subject.get_attributes_for_oid(oid)
    if len(values) != 1:
        raise UnknownKeyError("certificate", f"has {len(values)} values for {oid.dotted_string} instead of one")
    return str(values[0].value)
