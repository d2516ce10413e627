"""The dock's own journal: who was enrolled, what was stored, what was rejected; the same chain as a recorder's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from dock.clock import Clock
from dock.folder import JOURNAL_OWNER, DockFolder
from evidence.certificates import der_from_pem
from evidence.errors import ConfigError
from evidence.io.durable import Disc
from evidence.io.token_file import TokenFile
from evidence.journal import EMPTY, Chain, Entry, Head
from evidence.receipts import WORDS
from evidence.signing import KeySigner, Signer


class Add(Protocol):
    """Appends one entry; after return it is durable."""

    def __call__(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Raises BadInputError, DiscError."""


class DockJournal:
    """Appends entries under a lock that other processes of this dock respect."""

    def __init__(self, folder: DockFolder, disc: Disc, clock: Clock) -> None:
        """Load key and certificate. Raises ConfigError when the folder is no dock."""
        self.signer = load_signer(folder)
        path = folder.certificate("dock")
        self._certificate = der_from_pem(path.read_bytes(), str(path))
        self._file = TokenFile(folder.journal(JOURNAL_OWNER), JOURNAL_OWNER, disc, self.signer)
        self._clock = clock
        self.path = self._file.path

    @contextmanager
    def adding(self) -> Iterator[Add]:
        """Hold the journal and give what appends to it."""
        with self._file.locked() as head:
            yield _adder(self._file, Chain(JOURNAL_OWNER, self.signer, head), self._certificate, self._clock)

    @contextmanager
    def held(self) -> Iterator[Head]:
        """Hold the journal, to read it whole."""
        with self._file.locked() as head:
            yield head


def _adder(file: TokenFile, chain: Chain, certificate: bytes, clock: Clock) -> Add:
    def add(kind: str, fields: Mapping[str, Any]) -> Entry:
        # The dock's word to a recorder travels alone, so it carries the certificate that it is to be checked with.
        x5c = (certificate,) if chain.head == EMPTY or kind in WORDS else ()
        entry = chain.make(clock.now(), kind, fields, x5c)
        file.append([entry.token])
        chain.advance(entry)
        return entry

    return add


def load_signer(folder: DockFolder) -> Signer:
    """The dock's key. Raises ConfigError when there is none."""
    path = folder.key("dock")
    try:
        return KeySigner.from_pem(path.read_bytes(), str(path))
    except OSError as error:
        hint = "make a dock with: liuhen dock init DIR"
        raise ConfigError(str(path), f"cannot be read: {error.strerror}", hint) from error
