"""Where everything lies in a dock's folder: the one table of its paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evidence.errors import ConfigError
from evidence.kinds import SEALED_BLOB, SEALED_SEGMENT
from evidence.toml import read_toml

JOURNAL_NAME = "journal.jws"
JOURNAL_OWNER = "dock"


@dataclass(frozen=True, slots=True)
class DockFolder:
    """The paths below `root`, as `liuhen dock init` makes them."""

    root: Path

    @property
    def ca_certificate(self) -> Path:
        """The root certificate: the one thing that a verifier has to be given."""
        return self.root / "ca.pem"

    @property
    def private(self) -> Path:
        """What only the dock may read: keys, catalogue, broker, what is coming in."""
        return self.root / "dock"

    @property
    def carried_away(self) -> Path:
        """What is made here and must not stay here."""
        return self.root / "root"

    @property
    def root_key(self) -> Path:
        """The root's private key, until it is carried away."""
        return self.carried_away / "root.key"

    @property
    def vault_certificate(self) -> Path:
        """The certificate of the key that evidence is sealed to."""
        return self.root / "vault.pem"

    @property
    def vault_key(self) -> Path:
        """Its private key, behind a passphrase."""
        return self.private / "vault.key"

    @property
    def vault_place(self) -> Path:
        """Where it lies instead, when a token holds it (evidence/io/key_place.py)."""
        return self.private / "vault.toml"

    @property
    def vault_passphrase(self) -> Path:
        """That passphrase, until it is carried away."""
        return self.carried_away / "vault.passphrase"

    @property
    def tls(self) -> Path:
        """What the broker reads again when it is told to. A folder, for in its sandbox a file stays the old one."""
        return self.private / "tls"

    @property
    def crl(self) -> Path:
        """The list of revoked certificates, which broker and receivers obey."""
        return self.tls / "crl.pem"

    @property
    def vault(self) -> Path:
        """Evidence and journals."""
        return self.root / "vault"

    @property
    def catalogue(self) -> Path:
        """The SQLite file of `dock.catalogue`."""
        return self.private / "catalogue.db"

    @property
    def broker(self) -> Path:
        """The broker's configuration."""
        return self.private / "broker"

    @property
    def broker_pid(self) -> Path:
        """Where a running broker says its process id."""
        return self.broker / "mosquitto.pid"

    @property
    def settings(self) -> Path:
        """Host and port, as chosen at init."""
        return self.private / "dock.toml"

    @property
    def broker_socket(self) -> Path:
        """Where the broker listens for the receivers of this machine."""
        return self.broker / "socket"

    def password(self, receiver: str) -> Path:
        """What a receiver proves itself with at that socket."""
        return self.private / f"{receiver}.password"

    def key(self, name: str) -> Path:
        """The private key called `name`: issuing, dock, broker, head."""
        return self._home(name) / f"{name}.key"

    def certificate(self, name: str) -> Path:
        """The certificate beside that key."""
        return self._home(name) / f"{name}.pem"

    def _home(self, name: str) -> Path:
        return self.tls if name == "broker" else self.private

    def enrolled(self, device: str) -> Path:
        """The signing certificate of a recorder."""
        return self.private / "enrolled" / f"{device}.pem"

    def link(self, device: str) -> Path:
        """The certificate with which it opens its connection."""
        return self.private / "links" / f"{device}.pem"

    def journal(self, owner: str) -> Path:
        """The dock's own journal, or its copy of a recorder's."""
        return self.vault / owner / JOURNAL_NAME

    def incoming(self, device: str, segment: str) -> Path:
        """The parts of a segment that is not complete yet, each at its offset."""
        return self.private / "incoming" / device / f"{segment}.part"

    def segment(self, device: str, segment: str) -> Path:
        """A complete segment."""
        return self.vault / device / f"{segment}{SEALED_SEGMENT}"

    def seal(self, device: str, segment: str) -> Path:
        """The recorder's `segment` entry beside it."""
        return self.vault / device / f"{segment}.jws"

    def blob(self, device: str, blob: str) -> Path:
        """A photo or a note, sealed; the entry lies beside it."""
        return self.vault / device / "blobs" / f"{blob}{SEALED_BLOB}"

    def report(self, device: str, interruption: str) -> Path:
        """The recorder's entry that is its urgent report of an interruption."""
        return self.vault / device / "reports" / f"{interruption}.jws"

    def health(self, device: str) -> Path:
        """The latest health card of a recorder."""
        return self.private / "health" / f"{device}.jws"

    def quarantine(self, device: str) -> Path:
        """What a recorder sent and the dock must not store as evidence."""
        return self.root / "quarantine" / device


@dataclass(frozen=True, slots=True)
class Settings:
    """How recorders reach the broker."""

    host: str
    port: int


def read_settings(folder: DockFolder) -> Settings:
    """What `liuhen dock init` chose. Raises ConfigError when the folder is none of its making."""
    try:
        fields = read_toml(folder.settings.read_bytes(), str(folder.settings))
        return Settings(str(fields["host"]), int(fields["port"]))
    except OSError as error:
        hint = "make a dock with: liuhen dock init DIR"
        raise ConfigError(str(folder.root), f"is no dock folder: {error.strerror}", hint) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(str(folder.settings), f"cannot be read: {error}", "needs host, port") from error
