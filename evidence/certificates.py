"""The unit's certificates: who may sign what. Pure: bytes in, certificate or error out (RFC 5280)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from evidence.errors import BadInputError, UnknownKeyError
from evidence.signing import VerifyKey

DAMAGE = (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion)
"""What the library raises for bytes that are no usable certificate."""


class Role(StrEnum):
    """What a certificate is for; stands in its subject as organizational unit, put there by the CA."""

    RECORDER = "recorder"
    """Signs the journal of the recorder that is its common name."""
    DOCK = "dock"
    """Signs receipts and the dock's journal."""
    LINK = "link"
    """Opens the TLS connection to the broker; signs nothing that is kept."""
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

    def identify(self, certificate: x509.Certificate) -> Identity:
        """Who the certificate belongs to. Raises UnknownKeyError when our root did not issue it."""
        try:
            _check_issued(certificate, self.root)
        except DAMAGE as error:
            raise UnknownKeyError("certificate", "was not issued by the trusted CA") from error
        name, role = _only(certificate, NameOID.COMMON_NAME), _only(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)
        if role not in set(Role):
            raise UnknownKeyError("certificate", f"has the unknown role {role!r}")
        return Identity(name, Role(role), VerifyKey.of(certificate.public_key()))

    def identify_der(self, der: bytes) -> Identity:
        """The same for DER bytes, as they stand in an `x5c` header. Raises BadInputError, UnknownKeyError."""
        try:
            certificate = x509.load_der_x509_certificate(der)
        except DAMAGE as error:
            raise BadInputError("certificate", "is not a certificate in DER") from error
        return self.identify(certificate)

    def identify_pem(self, pem: bytes, where: str) -> Identity:
        """The same for a PEM file. Raises BadInputError, UnknownKeyError."""
        return self.identify_der(der_from_pem(pem, where))


def der_from_pem(pem: bytes, where: str) -> bytes:
    """The DER bytes of a certificate in PEM. Raises BadInputError."""
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    except DAMAGE as error:
        raise BadInputError(where, "is not a certificate in PEM") from error


def _check_issued(certificate: x509.Certificate, root: x509.Certificate) -> None:
    certificate.verify_directly_issued_by(root)
    # How many bits of the signature are unused is the one byte that no signature covers; ours always use all of them.
    if not certificate.public_bytes(serialization.Encoding.DER).endswith(b"\0" + certificate.signature):
        raise ValueError("unused bits in the signature")


def _only(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    values = certificate.subject.get_attributes_for_oid(oid)
    if len(values) != 1:
        raise UnknownKeyError("certificate", f"has {len(values)} values for {oid.dotted_string} instead of one")
    return str(values[0].value)
