"""Who this recorder is: its keys, its certificates, the dock it is pinned to, the officer it is assigned to.

identity/signing.key   signs the journal; made here, never leaves
identity/link.key      opens the TLS connection; so the process with the network needs no signing key (ADR 0006)
identity/request.pem   what the dock signs at enrolment
identity/signing.pem link.pem ca.pem dock.pem dock.toml assignment.jws   what the dock gave
"""

from __future__ import annotations

import logging
import tomllib
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from evidence.certificates import Role, Trust, der_from_pem
from evidence.errors import BadInputError, ConfigError, LiuhenError, UnknownKeyError
from evidence.io.durable import Disc, make_folder
from evidence.model import DEVICE_ID, Officer
from evidence.receipts import read_assignment
from evidence.signing import KeySigner, PrivateKey, VerifyKey

SIGNING_KEY, LINK_KEY, REQUEST, ASSIGNMENT = "signing.key", "link.key", "request.pem", "assignment.jws"
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

    signer: KeySigner
    certificate: bytes

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


def provision(folder: Path, device: str, disc: Disc) -> Path:
    """Make the recorder's two keys and the request for their certificates; returns the request's path.

    Keys that are there already are kept. Raises BadInputError for an impossible id, DiscError.
    """
    if not DEVICE_ID.fullmatch(device):
        raise BadInputError(f"device id {device!r}", "is impossible", "3 to 32 letters, digits and hyphens")
    make_folder(folder)
    signing, link = _key(folder / SIGNING_KEY, disc, signing=True), _key(folder / LINK_KEY, disc, signing=False)
    requests = b"".join(_request(key, device) for key in (signing, link))
    disc.replace(folder / REQUEST, requests)
    return folder / REQUEST


def load_identity(folder: Path) -> Identity:
    """Read what provisioning and enrolment left. Raises ConfigError when a file is missing, BadInputError."""
    trust = Trust(_read(folder, "ca.pem"), str(folder / "ca.pem"))
    certificate = der_from_pem(_read(folder, "signing.pem"), str(folder / "signing.pem"))
    own, dock = trust.identify_der(certificate), trust.identify_pem(_read(folder, "dock.pem"), str(folder / "dock.pem"))
    signer = KeySigner.from_pem(_read(folder, SIGNING_KEY), str(folder / SIGNING_KEY))
    if own.key.kid != signer.kid or own.role is not Role.RECORDER or dock.role is not Role.DOCK:
        raise UnknownKeyError(str(folder), "holds certificates that are not for this recorder and its dock")
    return Identity(folder, own.name, dock.key, *_dock_address(folder), signer, certificate)


def load_link_identity(folder: Path) -> LinkIdentity:
    """Read what the uplink needs; the signing key may be out of reach. Raises as `load_identity`."""
    trust = Trust(_read(folder, "ca.pem"), str(folder / "ca.pem"))
    own, dock = (trust.identify_pem(_read(folder, name), str(folder / name)) for name in ("link.pem", "dock.pem"))
    if own.role is not Role.LINK or dock.role is not Role.DOCK:
        raise UnknownKeyError(str(folder), "holds certificates that are not for this recorder's link and its dock")
    return LinkIdentity(folder, own.name, dock.key, *_dock_address(folder))


def _dock_address(folder: Path) -> tuple[str, int]:
    path = folder / "dock.toml"
    try:
        given = tomllib.loads(_read(folder, path.name).decode())
    except ValueError as error:
        raise ConfigError(str(path), "does not give host and port of the dock") from error
    match given:
        case {"host": str(host), "port": int(port)} if host and 0 < port < 65536:
            return host, port
    raise ConfigError(str(path), "does not give host and port of the dock")


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        hint = "run: liuhen device provision, then liuhen dock enrol"
        raise ConfigError(str(folder / name), f"cannot be read: {error.strerror}", hint) from error


def _key(path: Path, disc: Disc, *, signing: bool) -> PrivateKey:
    if path.exists():
        return _load_key(path)
    private = ed25519.Ed25519PrivateKey.generate() if signing else ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Not `create`: half a key, left by a power cut, would be kept for ever.
    disc.replace(path, pem)
    return private


def _load_key(path: Path) -> PrivateKey:
    try:
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadInputError(str(path), "is not a private key in PEM") from error
    if not isinstance(loaded, PrivateKey):
        raise BadInputError(str(path), "holds a key that is neither Ed25519 nor P-256")
    return loaded


def _request(key: PrivateKey, device: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)
