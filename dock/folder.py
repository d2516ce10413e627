"""Where everything lies in a dock's folder: the one table of its paths."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from evidence.errors import ConfigError
from evidence.kinds import BLOB_SUFFIXES

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
        """The private key called `name`: ca, dock, broker, head."""
        return self.private / f"{name}.key"

    def certificate(self, name: str) -> Path:
        """The certificate beside that key."""
        return self.private / f"{name}.pem"

    def enrolled(self, device: str) -> Path:
        """The signing certificate of a recorder."""
        return self.private / "enrolled" / f"{device}.pem"

    def journal(self, owner: str) -> Path:
        """The dock's own journal, or its copy of a recorder's."""
        return self.vault / owner / JOURNAL_NAME

    def incoming(self, device: str, segment: str) -> Path:
        """The parts of a segment that is not complete yet, each at its offset."""
        return self.private / "incoming" / device / f"{segment}.part"

    def segment(self, device: str, segment: str) -> Path:
        """A complete segment."""
        return self.vault / device / f"{segment}.mp4"

    def seal(self, device: str, segment: str) -> Path:
        """The recorder's `segment` entry beside it."""
        return self.vault / device / f"{segment}.jws"

    def blob(self, device: str, kind: str, blob: str) -> Path:
        """A photo or a note, of this kind of entry; the entry lies beside it."""
        return self.vault / device / "blobs" / f"{blob}{BLOB_SUFFIXES[kind]}"

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
        fields = tomllib.loads(folder.settings.read_text("utf-8"))
        return Settings(str(fields["host"]), int(fields["port"]))
    except OSError as error:
        hint = "make a dock with: liuhen dock init DIR"
        raise ConfigError(str(folder.root), f"is no dock folder: {error.strerror}", hint) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(str(folder.settings), f"cannot be read: {error}", "needs host, port") from error
