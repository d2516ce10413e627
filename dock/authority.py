"""The unit's CAs: a root, an issuing CA below it, and what they issue (RFC 5280). Pure but for chance.

What a certificate may do is decided here and nowhere else; a request's own wishes are never copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import ip_address
from secrets import token_hex

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from evidence.certificates import DAMAGE, Role
from evidence.errors import BadInputError
from evidence.model import DEVICE_ID, EPOCH
from evidence.signing import PrivateKey, PublicKey, VerifyKey

ROOT_LIFE = timedelta(days=40 * 365)
ISSUING_LIFE = timedelta(days=20 * 365)
LEAF_LIFE = timedelta(days=5 * 365)
BACK = timedelta(hours=1)
"""By how much the clocks of the dock and the broker may differ."""
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""RFC 9336. It also keeps a signing certificate from opening a TLS connection."""
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
AGREEMENT = x509.KeyUsage(
    digital_signature=False, key_cert_sign=False, crl_sign=False, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=True, encipher_only=False, decipher_only=False,
)  # fmt: skip
REQUEST_END = b"-----END CERTIFICATE REQUEST-----"
REQUEST_LIMIT_BYTES = 16 * 1024


class Purpose(Enum):
    """What a certificate is for: its role in the subject, and its extended key usage."""

    RECORDER = (Role.RECORDER, DOCUMENT_SIGNING)
    DOCK = (Role.DOCK, DOCUMENT_SIGNING)
    CLIENT = (Role.LINK, ExtendedKeyUsageOID.CLIENT_AUTH)
    BROKER = (Role.LINK, ExtendedKeyUsageOID.SERVER_AUTH)
    PERSON = (Role.PERSON, DOCUMENT_SIGNING)
    VAULT = (Role.VAULT, None)


@dataclass(frozen=True, slots=True)
class Request:
    """What a recorder asks for, its possession of both private keys proven."""

    device: str
    signing: PublicKey
    link: PublicKey


class Authority:
    """A CA's key at work: the root, or the issuing CA that it vouches for."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate = certificate

    @property
    def is_root(self) -> bool:
        """Whether nobody stands above it."""
        return self.certificate.issuer == self.certificate.subject

    def issue(
        self, name: str, purpose: Purpose, public: PublicKey, now: datetime, hosts: Sequence[str] = ()
    ) -> x509.Certificate:
        """A certificate for a public key, never valid beyond our own. `hosts` are names and addresses of a server."""
        role, usage = purpose.value
        # A recorder's clock may be unset until the dock sets it: the broker it asks first must be valid at any time.
        begins = EPOCH if purpose is Purpose.BROKER else now - BACK
        builder = self._builder(_name(name, role), public, begins, now + LEAF_LIFE)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(AGREEMENT if usage is None else _usage(authority=False), critical=True)
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if hosts:
            names = x509.SubjectAlternativeName([host_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def chain_pem(self, certificate: x509.Certificate) -> bytes:
        """What we have issued, and behind it what leads to the root, which everybody has."""
        return certificate_pem(certificate) + (b"" if self.is_root else certificate_pem(self.certificate))

    def make_issuing(self, now: datetime) -> Authority:
        """A new CA below the root, which may issue leaves and nothing else; for the broker it is valid at any time."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"liuhen issuing {token_hex(4)}")])
        builder = self._builder(name, key.public_key(), EPOCH, now + ISSUING_LIFE)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(authority=True), critical=True)
        return Authority(key, builder.sign(self._key, hashes.SHA256()))

    def revoke(self, serials: Iterable[int], number: int, since: datetime) -> x509.CertificateRevocationList:
        """The list of all that is revoked, as of `since` (RFC 5280, section 5).

        It ends with us, not sooner: broker and receiver read the file that lies beside them, every revocation writes it
        anew, and a list that ran out would keep every recorder of the unit from handing in its evidence.
        """
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(since).next_update(self.certificate.not_valid_after_utc)
        for serial in sorted(set(serials)):
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
            builder = builder.add_revoked_certificate(one)
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        return builder.add_extension(self._issuer(), critical=False).sign(self._key, hashes.SHA256())

    @classmethod
    def make(cls, now: datetime) -> Authority:
        """A new root, valid from the beginning of time because a recorder's clock may be unset."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"liuhen root {token_hex(4)}")])
        builder = _builder(name, name, key.public_key(), EPOCH, now + ROOT_LIFE)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        builder = builder.add_extension(_usage(authority=True), critical=True)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @classmethod
    def from_pem(cls, key: bytes, certificate: bytes, where: str) -> Authority:
        """Load a CA. Raises BadInputError."""
        try:
            private = serialization.load_pem_private_key(key, password=None)
            own = x509.load_pem_x509_certificate(certificate)
        except (ValueError, TypeError) as error:
            raise BadInputError(where, "is not a readable CA key with its certificate") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != own.public_key():
            raise BadInputError(where, "key and certificate do not belong together")
        return cls(private, own)

    def key_pem(self) -> bytes:
        """The CA's private key, PKCS#8."""
        return private_pem(self._key)

    def _issuer(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())

    def _builder(
        self, subject: x509.Name, public: PublicKey, begins: datetime, ends: datetime
    ) -> x509.CertificateBuilder:
        last = min(ends, self.certificate.not_valid_after_utc)
        builder = _builder(subject, self.certificate.subject, public, begins, last)
        return builder.add_extension(self._issuer(), critical=False)


def read_request(pem: bytes, where: str) -> Request:
    """Two CSRs, signing key first, link key second. Raises BadInputError that says what is wrong with them."""
    if len(pem) > REQUEST_LIMIT_BYTES:
        raise BadInputError(where, f"is longer than {REQUEST_LIMIT_BYTES} bytes", "two requests are shorter")
    blocks = [block.strip() + b"\n" + REQUEST_END for block in pem.split(REQUEST_END)[:-1]]
    if len(blocks) != 2:
        raise BadInputError(where, f"holds {len(blocks)} certificate requests instead of two", "signing key, link key")
    (device, signing), (link_device, link) = (_read_one(block, where) for block in blocks)
    if device != link_device:
        raise BadInputError(where, f"is for two names, {device!r} and {link_device!r}")
    if VerifyKey.of(signing).kid == VerifyKey.of(link).kid:
        raise BadInputError(where, "uses one key both to sign evidence and to open the link", "make two keys")
    return Request(device, signing, link)


def private_pem(key: PrivateKey) -> bytes:
    """PKCS#8, not encrypted: the file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """One certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _read_one(pem: bytes, where: str) -> tuple[str, PublicKey]:
    try:
        request = x509.load_pem_x509_csr(pem)
        proven = request.is_signature_valid
        public = request.public_key()
        names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except UnsupportedAlgorithm as error:
        raise BadInputError(where, "asks for a certificate for a key that is neither Ed25519 nor P-256") from error
    except DAMAGE as error:
        raise BadInputError(where, "holds an unreadable certificate request") from error
    VerifyKey.of(public)
    if not proven:
        raise BadInputError(where, "is not signed by the key that it wants a certificate for")
    if len(names) != 1 or not DEVICE_ID.fullmatch(str(names[0].value)):
        raise BadInputError(where, "names no recorder", "common name: 3 to 32 letters, digits or hyphens")
    assert isinstance(public, PublicKey)
    return str(names[0].value), public


def _name(name: str, role: Role) -> x509.Name:
    fields = ((NameOID.ORGANIZATIONAL_UNIT_NAME, role.value), (NameOID.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in fields])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: PublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def host_name(host: str) -> x509.GeneralName:
    """A host as it stands in a server's certificate. Raises BadInputError for what is neither name nor address."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError as error:
        if HOST_NAME.fullmatch(host):
            return x509.DNSName(host)
        raise BadInputError(f"host {host!r}", "is neither a name nor an address", "for example dock.unit.cn") from error
