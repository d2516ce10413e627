"""Making a dock and enrolling recorders: the unit's keys and certificates, and the entries that say so."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from secrets import token_urlsafe

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from dock.authority import Authority, Purpose, Request, certificate_pem, host_name, read_request
from dock.broker import HEAD, broker_acl, broker_config, broker_passwords, receivers_acl
from dock.clock import Clock
from dock.dock_journal import Add, DockJournal
from dock.folder import JOURNAL_OWNER, DockFolder, Settings, read_settings
from dock.issuing import BROKER, VAULT, issue_own, keep_issuing, load_issuing, read_leaf, read_trust, time_of
from dock.revocation import Known, RevokedSerials, known_of, publish
from dock.vault_key import make_vault_key
from evidence.certificates import Role, Trust
from evidence.errors import BadInputError, ConfigError
from evidence.io.durable import Disc, make_folder
from evidence.io.font import refuse_undrawable
from evidence.io.key_place import KeyPlace
from evidence.io.token_file import read_lines
from evidence.io.token_key import Use, make_token_key
from evidence.journal import read_entry
from evidence.model import Officer
from evidence.signing import PublicKey, VerifyKey

RESERVED_NAME = re.compile(r"dock|broker|head|vault|receiver-.*", re.IGNORECASE)
LOOPBACK_NAMES = ("localhost", "127.0.0.1")
RECEIVERS_LIMIT = 16
SOCKET_PATH_BYTES = 107
"""What Linux leaves of `sockaddr_un` for a path (unix(7))."""
PASSPHRASE_BYTES = 24


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a recorder gets: files by name, to be put into its folder of keys."""

    device: str
    kid: str
    files: Mapping[str, bytes]


def init(folder: DockFolder, disc: Disc, clock: Clock, settings: Settings, listen: str, hosts: Sequence[str],
         receivers: int, as_root: bool, vault_place: KeyPlace | None = None) -> None:  # fmt: skip
    """Make a dock: root, issuing CA, keys, certificates, broker configuration. Nothing in it has a default password.

    `vault_place` is where in a token the vault key is to lie, None for a file behind a passphrase. Raises ConfigError
    when there is a dock already, KeyAwayError when the token is not there.
    """
    _refuse_impossible(folder, receivers)
    in_token = None if vault_place is None else make_token_key(vault_place, Use.AGREE).public_key()
    own = (folder.private, folder.tls, folder.vault, folder.broker, folder.carried_away)
    for path in (*own, folder.enrolled("any").parent, folder.link("any").parent):
        make_folder(path)
    now = time_of(clock)
    root = Authority.make(now)
    authority = root.make_issuing(now)
    disc.create(folder.ca_certificate, certificate_pem(root.certificate))
    disc.create(folder.root_key, root.key_pem())
    keep_issuing(folder, disc, authority)
    publish(folder, disc, authority, set(), now)
    all_hosts = tuple(dict.fromkeys((*LOOPBACK_NAMES, *hosts)))
    issue_own(folder, disc, authority, now, JOURNAL_OWNER, ed25519.Ed25519PrivateKey.generate())
    issue_own(folder, disc, authority, now, BROKER, link_key(), all_hosts)
    issue_own(folder, disc, authority, now, HEAD, link_key())
    if vault_place is not None:
        disc.create(folder.vault_place, vault_place.to_toml())
    vault = in_token or _vault_key_in_file(folder, disc)
    certificate = authority.issue(VAULT, Purpose.VAULT, vault, now)
    disc.create(folder.vault_certificate, authority.chain_pem(certificate))
    _configure_broker(folder, disc, settings, listen, receivers, as_root)
    with DockJournal(folder, disc, clock).adding() as add:
        add("vault_key", {"kid": VerifyKey.of(vault).kid})
    disc.create(folder.settings, _toml(asdict(settings)))


def _vault_key_in_file(folder: DockFolder, disc: Disc) -> ec.EllipticCurvePublicKey:
    passphrase = token_urlsafe(PASSPHRASE_BYTES).encode("ascii")
    disc.create(folder.vault_passphrase, passphrase + b"\n")
    return make_vault_key(folder.vault_key, passphrase)


def _refuse_impossible(folder: DockFolder, receivers: int) -> None:
    if folder.private.exists() and any(folder.private.iterdir()):
        raise ConfigError(str(folder.private), "is not empty: a dock's keys are made once", "choose another folder")
    too_long_bytes = len(os.fsencode(folder.broker_socket.absolute())) - SOCKET_PATH_BYTES
    if too_long_bytes > 0:
        what = f"is {too_long_bytes} bytes too long a path for the broker's socket in it"
        raise ConfigError(str(folder.root.absolute()), what, "choose a folder with a shorter path")
    if not 1 <= receivers <= RECEIVERS_LIMIT:
        raise ConfigError("receivers", f"must be 1 to {RECEIVERS_LIMIT}, not {receivers}")


def _configure_broker(folder: DockFolder, disc: Disc, settings: Settings, listen: str, receivers: int,
                      as_root: bool) -> None:  # fmt: skip
    passwords = {f"receiver-{number}": token_urlsafe() for number in range(1, receivers + 1)}
    for name, password in passwords.items():
        disc.create(folder.password(name), password.encode("ascii"))
    config = broker_config(str(folder.root.absolute()), listen, settings.port, as_root)
    disc.create(folder.broker / "mosquitto.conf", config.encode())
    disc.create(folder.broker / "acl", broker_acl().encode())
    disc.create(folder.broker / "acl-receivers", receivers_acl(passwords).encode())
    disc.create(folder.broker / "passwords", broker_passwords(passwords).encode())


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
          officer: Officer | None, replaces: str | None = None) -> Enrolment:  # fmt: skip
    """Issue a recorder's certificates and journal it; the same request again gives the same enrolment.

    `replaces` is the recorder whose place it takes after a repair; it is for the caller to revoke that one.
    Raises BadInputError for a request that cannot be, ConfigError when the folder is no dock.
    """
    request = read_request(request_pem, where)
    if officer is not None:
        refuse_undrawable(officer)
    if RESERVED_NAME.fullmatch(request.device):
        raise BadInputError(where, f"asks for the name {request.device!r}, which the dock itself uses")
    desk = EnrolmentDesk(folder, disc, clock)
    with desk.journal.adding() as add:
        if replaces is not None and (replaces == request.device or known_of(desk.journal, replaces).enrolled is None):
            raise BadInputError(f"--replaces {replaces}", "is no other recorder of this dock")
        desk.certify(add, request, replaces)
        return desk.files_for(add, request.device, officer)


class EnrolmentDesk:
    """Issues recorders' certificates and keeps a copy of each. Raises ConfigError when the folder is no dock."""

    def __init__(self, folder: DockFolder, disc: Disc, clock: Clock) -> None:
        self.folder = folder
        self.journal = DockJournal(folder, disc, clock)
        self._disc = disc
        self._clock = clock
        self._settings = read_settings(folder)
        self._authority = load_issuing(folder)
        self._trust = read_trust(folder)

    def certify(self, add: Add, request: Request, replaces: str | None) -> None:
        """Both certificates for this request, unless they are there already. Raises BadInputError."""
        device, known = request.device, self._known(request.device)
        signing = enrolled_key(self.folder, self._trust, device)
        if signing is None:
            self._keep(Purpose.RECORDER, device, request.signing)
        elif signing.kid != VerifyKey.of(request.signing).kid:
            what = f"is enrolled with key {signing.kid[:12]}, the request has another one"
            hint = f"a recorder with a new key needs a new name: --replaces {device}"
            raise BadInputError(f"recorder {device}", what, hint)
        if not self.folder.link(device).exists() or _link(self.folder, device) != VerifyKey.of(request.link):
            self._keep(Purpose.CLIENT, device, request.link)
        # Written after the certificates and before anybody gets them; a power cut between is made good here.
        serial = read_leaf(self.folder.link(device)).serial_number
        if serial not in known.link_serials:
            self._note(add, device, replaces)

    def renew(self, add: Add, device: str) -> None:
        """New certificates for the keys that it has. Raises BadInputError for one that is not enrolled or revoked."""
        signing = enrolled_key(self.folder, self._trust, device)
        if self._known(device).enrolled is None or signing is None:
            raise BadInputError(f"recorder {device}", "is not enrolled at this dock", "liuhen dock enrol")
        self._keep(Purpose.RECORDER, device, signing)
        self._keep(Purpose.CLIENT, device, _link(self.folder, device))
        self._note(add, device, None)

    def files_for(self, add: Add, device: str, officer: Officer | None) -> Enrolment:
        """All that the recorder needs to know now; its assignment under the dock's present key."""
        assignment = self._assignment(add, device, officer)
        files = {
            "signing.pem": self.folder.enrolled(device).read_bytes(),
            "link.pem": self.folder.link(device).read_bytes(),
            "ca.pem": self._trust.pem,
            "vault.pem": self.folder.vault_certificate.read_bytes(),
            "dock.pem": self.folder.certificate(JOURNAL_OWNER).read_bytes(),
            "dock.toml": _toml({"host": self._settings.host, "port": self._settings.port}),
        }
        if assignment is not None:
            files["assignment.jws"] = assignment.encode("ascii")
        return Enrolment(device, VerifyKey.of(read_leaf(self.folder.enrolled(device)).public_key()).kid, files)

    def _known(self, device: str) -> Known:
        known = known_of(self.journal, device)
        if known.revoked is not None:
            what = f"was revoked: {known.revoked.fields['why']}"
            hint = f"make new keys under a new name, then enrol it with --replaces {device}"
            raise BadInputError(f"recorder {device}", what, hint)
        return known

    def _keep(self, purpose: Purpose, device: str, key: VerifyKey | PublicKey) -> None:
        public = key.public if isinstance(key, VerifyKey) else key
        path = self.folder.link(device) if purpose is Purpose.CLIENT else self.folder.enrolled(device)
        certificate = self._authority.issue(device, purpose, public, time_of(self._clock))
        self._disc.replace(path, self._authority.chain_pem(certificate))

    def _note(self, add: Add, device: str, replaces: str | None) -> None:
        kid = VerifyKey.of(read_leaf(self.folder.enrolled(device)).public_key()).kid
        serial = f"{read_leaf(self.folder.link(device)).serial_number:x}"
        add("enrolled", {"recorder": device, "kid": kid, "link_serial": serial, "replaces": replaces})

    def _assignment(self, add: Add, device: str, officer: Officer | None) -> str | None:
        """The token of the latest assignment. What a former key of the dock has signed is said again by this one."""
        if officer is not None:
            return add("assignment", {"recorder": device, **officer.to_fields()}).token
        latest = None
        for token in read_lines(self.journal.path):
            entry = read_entry(token, str(self.journal.path))
            if entry.kind == "assignment" and entry.fields["recorder"] == device:
                latest = entry
        if latest is not None and latest.kid != self.journal.signer.kid:
            latest = add("assignment", latest.fields)
        return None if latest is None else latest.token


def head_files(folder: DockFolder) -> Mapping[str, bytes]:
    """What the head of the unit needs to be told of urgent reports. Raises ConfigError when the folder is no dock."""
    settings = read_settings(folder)
    paths = (folder.ca_certificate, folder.certificate(HEAD), folder.key(HEAD))
    return {
        **{path.name: path.read_bytes() for path in paths},
        "dock.toml": _toml({"host": settings.host, "port": settings.port}),
    }


def enrolled_key(folder: DockFolder, trust: Trust, device: str) -> VerifyKey | None:
    """The key that a recorder signs with, None when it is not enrolled.

    Raises BadInputError, UnknownKeyError when it was revoked, ConfigError when nobody can say.
    """
    path = folder.enrolled(device)
    if not path.exists():
        return None
    RevokedSerials(folder.crl).refuse(path)
    identity = trust.identify_pem(path.read_bytes(), str(path))
    if identity.name != device or identity.role is not Role.RECORDER:
        raise BadInputError(str(path), f"is the certificate of {identity.role} {identity.name}")
    return identity.key


def link_key() -> ec.EllipticCurvePrivateKey:
    """A new key that opens connections."""
    return ec.generate_private_key(ec.SECP256R1())


def _link(folder: DockFolder, device: str) -> VerifyKey:
    return VerifyKey.of(read_leaf(folder.link(device)).public_key())


def _toml(fields: Mapping[str, str | int]) -> bytes:
    # A host is a name or an address and needs no escapes; `choose_settings` has refused everything else.
    lines = (f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"' for name, value in fields.items())
    return "\n".join((*lines, "")).encode("utf-8")
