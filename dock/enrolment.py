"""Making a dock and enrolling recorders: the unit's keys and certificates, and the entries that say so."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from secrets import token_urlsafe

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from dock.authority import Authority, Purpose, Request, certificate_pem, host_name, private_pem, read_request
from dock.broker import HEAD, broker_acl, broker_config, broker_passwords, receivers_acl
from dock.clock import Clock
from dock.dock_journal import Add, DockJournal
from dock.folder import JOURNAL_OWNER, DockFolder, Settings, read_settings
from evidence.certificates import Role, Trust
from evidence.errors import BadInputError, ConfigError
from evidence.io.durable import Disc, make_folder
from evidence.io.font import refuse_undrawable
from evidence.io.token_file import read_lines
from evidence.journal import read_entry
from evidence.model import EPOCH, Officer
from evidence.signing import PrivateKey, VerifyKey

RESERVED_NAME = re.compile(r"dock|broker|head|receiver-.*", re.IGNORECASE)
LOOPBACK_NAMES = ("localhost", "127.0.0.1")
RECEIVERS_LIMIT = 16
SOCKET_PATH_BYTES = 107
"""What Linux leaves of `sockaddr_un` for a path (unix(7))."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a recorder gets: files by name, to be put into its folder of keys."""

    device: str
    kid: str
    files: Mapping[str, bytes]


def init(folder: DockFolder, disc: Disc, clock: Clock, settings: Settings, listen: str, hosts: Sequence[str],
         receivers: int, as_root: bool) -> None:  # fmt: skip
    """Make a dock: root, keys, certificates, broker configuration. Raises ConfigError when there is one already."""
    if folder.private.exists() and any(folder.private.iterdir()):
        raise ConfigError(str(folder.private), "is not empty: a dock's keys are made once", "choose another folder")
    too_long_bytes = len(os.fsencode(folder.broker_socket.absolute())) - SOCKET_PATH_BYTES
    if too_long_bytes > 0:
        what = f"is {too_long_bytes} bytes too long a path for the broker's socket in it"
        raise ConfigError(str(folder.root.absolute()), what, "choose a folder with a shorter path")
    if not 1 <= receivers <= RECEIVERS_LIMIT:
        raise ConfigError("receivers", f"must be 1 to {RECEIVERS_LIMIT}, not {receivers}")
    for path in (folder.private, folder.vault, folder.broker, folder.enrolled("any").parent):
        make_folder(path)
    now = _now(clock)
    authority = Authority.make(now)
    disc.create(folder.ca_certificate, certificate_pem(authority.root))
    disc.create(folder.key("ca"), authority.key_pem())
    all_hosts = tuple(dict.fromkeys((*LOOPBACK_NAMES, *hosts)))
    _issue(folder, disc, authority, now, JOURNAL_OWNER, Purpose.DOCK, ed25519.Ed25519PrivateKey.generate())
    _issue(folder, disc, authority, now, "broker", Purpose.BROKER, _link_key(), all_hosts)
    _issue(folder, disc, authority, now, HEAD, Purpose.CLIENT, _link_key())
    passwords = {f"receiver-{number}": token_urlsafe() for number in range(1, receivers + 1)}
    for name, password in passwords.items():
        disc.create(folder.password(name), password.encode("ascii"))
    config = broker_config(str(folder.root.absolute()), listen, settings.port, as_root)
    disc.create(folder.broker / "mosquitto.conf", config.encode())
    disc.create(folder.broker / "acl", broker_acl().encode())
    disc.create(folder.broker / "acl-receivers", receivers_acl(passwords).encode())
    disc.create(folder.broker / "passwords", broker_passwords(passwords).encode())
    disc.create(folder.settings, _toml(asdict(settings)))


def choose_settings(hosts: Sequence[str], listen: str, port: int) -> Settings:
    """Recorders use the first name given for the dock, or the address that the broker listens on."""
    try:
        address = ip_address(listen)
    except ValueError as error:
        raise ConfigError(f"--listen {listen}", "is not an address", "for example 127.0.0.1 or 0.0.0.0") from error
    for host in hosts:
        host_name(host)
    if not 0 < port < 65536:
        raise ConfigError(f"--port {port}", "is not a port number")
    near = "127.0.0.1" if address.is_loopback or address.is_unspecified else listen
    return Settings(hosts[0] if hosts else near, port)


def enrol(folder: DockFolder, disc: Disc, clock: Clock, request_pem: bytes, where: str,
          officer: Officer | None) -> Enrolment:  # fmt: skip
    """Issue a recorder's certificates and journal it; the same request again gives the same enrolment.

    Raises BadInputError for a request that cannot be, ConfigError when the folder is no dock.
    """
    request = read_request(request_pem, where)
    if officer is not None:
        refuse_undrawable(officer)
    if RESERVED_NAME.fullmatch(request.device):
        raise BadInputError(where, f"asks for the name {request.device!r}, which the dock itself uses")
    settings = read_settings(folder)
    journal = DockJournal(folder, disc, clock)
    authority = _authority(folder)
    trust = Trust(folder.ca_certificate.read_bytes(), str(folder.ca_certificate))
    kid = VerifyKey.of(request.signing).kid
    with journal.adding() as add:
        signing = _signing_certificate(folder, disc, authority, trust, request, _now(clock))
        assignment = _journal(add, journal, request.device, kid, officer)
    link = authority.issue(request.device, Purpose.CLIENT, request.link, _now(clock))
    files = {
        "signing.pem": signing,
        "link.pem": certificate_pem(link),
        "ca.pem": trust.pem,
        "dock.pem": folder.certificate(JOURNAL_OWNER).read_bytes(),
        "dock.toml": _toml({"host": settings.host, "port": settings.port}),
    }
    if assignment is not None:
        files["assignment.jws"] = assignment.encode("ascii")
    return Enrolment(request.device, kid, files)


def head_files(folder: DockFolder) -> Mapping[str, bytes]:
    """What the head of the unit needs to be told of urgent reports. Raises ConfigError when the folder is no dock."""
    settings = read_settings(folder)
    paths = (folder.ca_certificate, folder.certificate(HEAD), folder.key(HEAD))
    return {
        **{path.name: path.read_bytes() for path in paths},
        "dock.toml": _toml({"host": settings.host, "port": settings.port}),
    }


def enrolled_key(folder: DockFolder, trust: Trust, device: str) -> VerifyKey | None:
    """The key that a recorder signs with, None when it is not enrolled. Raises BadInputError, UnknownKeyError."""
    path = folder.enrolled(device)
    if not path.exists():
        return None
    identity = trust.identify_pem(path.read_bytes(), str(path))
    if identity.name != device or identity.role is not Role.RECORDER:
        raise BadInputError(str(path), f"is the certificate of {identity.role} {identity.name}")
    return identity.key


def _signing_certificate(folder: DockFolder, disc: Disc, authority: Authority, trust: Trust, request: Request,
                         now: datetime) -> bytes:  # fmt: skip
    """The recorder's certificate: issued once, afterwards the same one again."""
    path = folder.enrolled(request.device)
    known = enrolled_key(folder, trust, request.device)
    if known is None:
        pem = certificate_pem(authority.issue(request.device, Purpose.RECORDER, request.signing, now))
        disc.replace(path, pem)
        return pem
    if known.kid != VerifyKey.of(request.signing).kid:
        what = f"is enrolled with key {known.kid[:12]}, the request has another one"
        raise BadInputError(f"recorder {request.device}", what, "a recorder with a new key needs a new name")
    return path.read_bytes()


def _journal(add: Add, journal: DockJournal, device: str, kid: str, officer: Officer | None) -> str | None:
    """Add what the journal does not say yet; the token of the recorder's latest assignment."""
    enrolled, assignment = False, None
    for token in read_lines(journal.path):
        entry = read_entry(token, str(journal.path))
        if entry.fields.get("recorder") == device:
            enrolled = enrolled or entry.kind == "enrolled"
            assignment = token if entry.kind == "assignment" else assignment
    if not enrolled:
        add("enrolled", {"recorder": device, "kid": kid})
    if officer is not None:
        fields = {"recorder": device, **officer.to_fields()}
        assignment = add("assignment", fields).token
    return assignment


def _issue(folder: DockFolder, disc: Disc, authority: Authority, now: datetime, name: str, purpose: Purpose,
           key: PrivateKey, hosts: Sequence[str] = ()) -> None:  # fmt: skip
    disc.create(folder.key(name), private_pem(key))
    certificate = authority.issue(name, purpose, key.public_key(), now, hosts)
    disc.create(folder.certificate(name), certificate_pem(certificate))


def _authority(folder: DockFolder) -> Authority:
    try:
        key = folder.key("ca").read_bytes()
        return Authority.from_pem(key, folder.ca_certificate.read_bytes(), str(folder.ca_certificate))
    except OSError as error:
        raise ConfigError(
            str(folder.key("ca")), f"cannot be read: {error.strerror}", "enrol where the CA is"
        ) from error


def _link_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _now(clock: Clock) -> datetime:
    return EPOCH + timedelta(microseconds=clock.now().utc_us)


def _toml(fields: Mapping[str, str | int]) -> bytes:
    # A host is a name or an address and needs no escapes; `choose_settings` has refused everything else.
    lines = (f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"' for name, value in fields.items())
    return "\n".join((*lines, "")).encode("utf-8")
