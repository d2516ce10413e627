"""Who this recorder is: its keys, its certificates, the dock it is pinned to, the officer it is assigned to.

identity/signing.key   signs the journal; made here, never leaves; or
identity/token.toml    where it lies in a token (device/signing_key.py)
identity/link.key      opens the TLS connection; so the process with the network needs no signing key (ADR 0006)
identity/request.pem   what the dock signs at enrolment
identity/signing.pem link.pem ca.pem dock.pem vault.pem dock.toml assignment.jws   what the dock gave
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from device.signing_key import keep_key, load_signer, make_signing_key, read_file
from evidence.certificates import Role, Trust, chain_from_pem
from evidence.errors import BadInputError, ConfigError, LiuhenError, UnknownKeyError
from evidence.io.durable import Disc, make_folder
from evidence.io.key_place import KeyPlace
from evidence.model import DEVICE_ID, Officer
from evidence.receipts import read_assignment
from evidence.signing import PrivateKey, Signer, VerifyKey
from evidence.toml import read_toml

LINK_KEY, REQUEST, ASSIGNMENT = "link.key", "request.pem", "assignment.jws"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkIdentity:
    """What an enrolled recorder's uplink knows: whose evidence it carries, and to which dock. No signing key."""

    folder: Path
    device: str
    dock_key: VerifyKey
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Identity(LinkIdentity):
    """An enrolled recorder."""

    signer: Signer
    certificates: tuple[bytes, ...]
    """Ours and the issuing CA's, in DER, as they stand in `x5c`."""
    vault_key: ec.EllipticCurvePublicKey

    def officer(self) -> Officer | None:
        """Who wears the recorder by the dock's latest word. What proves nothing is said and assigns nobody."""
        path = self.folder / ASSIGNMENT
        try:
            token = path.read_text("ascii", errors="replace").strip()
            return read_assignment(token, self.dock_key, self.device)
        except FileNotFoundError:
            return None
        except (OSError, LiuhenError) as error:
            log.warning("%s: nobody is assigned: %s", path, error)
            return None


def provision(folder: Path, device: str, disc: Disc, place: KeyPlace | None = None) -> Path:
    """Make the recorder's two keys and the request for their certificates; returns the request's path.

    `place` is where in a token the signing key is to lie, None for a file. Keys that are there already are kept.
    Raises BadInputError for an impossible id, DiscError, KeyAwayError.
    """
    if not DEVICE_ID.fullmatch(device):
        raise BadInputError(f"device id {device!r}", "is impossible", "3 to 32 letters, digits and hyphens")
    make_folder(folder)
    signing, link = make_signing_key(folder, disc, place), keep_key(folder / LINK_KEY, disc, _link_key)
    requests = b"".join(_request(key, device) for key in (signing, link))
    disc.replace(folder / REQUEST, requests)
    return folder / REQUEST


def load_identity(folder: Path) -> Identity:
    """Read what provisioning and enrolment left. Raises ConfigError when a file is missing, BadInputError.

    No date is looked at: a recorder whose clock is wrong, or whose certificate ran out, records all the same.
    """
    return read_identity(folder, lambda name: read_file(folder, name))


def read_identity(folder: Path, read: Callable[[str], bytes]) -> Identity:
    """The identity of a folder whose files `read` gives by name. Raises ConfigError, BadInputError, UnknownKeyError."""
    trust = Trust(read("ca.pem"), str(folder / "ca.pem"))
    certificates = chain_from_pem(read("signing.pem"), str(folder / "signing.pem"))
    own, dock = trust.identify_der(certificates), trust.identify_pem(read("dock.pem"), str(folder / "dock.pem"))
    signer = load_signer(folder, own.key)
    if own.key.kid != signer.kid or own.role is not Role.RECORDER or dock.role is not Role.DOCK:
        raise UnknownKeyError(str(folder), "holds certificates that are not for this recorder and its dock")
    host, port = _dock_address(folder / "dock.toml", read("dock.toml"))
    vault_key = _vault_key(folder / "vault.pem", trust, read("vault.pem"))
    return Identity(folder, own.name, dock.key, host, port, signer, certificates, vault_key)


def load_link_identity(folder: Path) -> LinkIdentity:
    """Read what the uplink needs; the signing key may be out of reach. Raises as `load_identity`."""
    trust = Trust(read_file(folder, "ca.pem"), str(folder / "ca.pem"))
    own, dock = (trust.identify_pem(read_file(folder, one), str(folder / one)) for one in ("link.pem", "dock.pem"))
    if own.role is not Role.LINK or dock.role is not Role.DOCK:
        raise UnknownKeyError(str(folder), "holds certificates that are not for this recorder's link and its dock")
    host, port = _dock_address(folder / "dock.toml", read_file(folder, "dock.toml"))
    return LinkIdentity(folder, own.name, dock.key, host, port)


def _vault_key(path: Path, trust: Trust, pem: bytes) -> ec.EllipticCurvePublicKey:
    """What evidence is sealed to. Without it nothing is recorded: plain evidence is never written."""
    vault = trust.identify_pem(pem, str(path))
    if vault.role is not Role.VAULT or not isinstance(vault.key.public, ec.EllipticCurvePublicKey):
        raise UnknownKeyError(str(path), "is not the certificate of a vault", "enrol again: liuhen dock enrol")
    return vault.key.public


def _dock_address(path: Path, text: bytes) -> tuple[str, int]:
    given = read_toml(text, str(path))
    match given:
        case {"host": str(host), "port": int(port)} if host and 0 < port < 65536:
            return host, port
    raise ConfigError(str(path), "does not give host and port of the dock")


def _link_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _request(key: PrivateKey, device: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)
