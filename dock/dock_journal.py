"""The dock's own journal: who was enrolled, what was stored, what was rejected; the same chain as a recorder's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from cryptography.x509 import load_der_x509_certificate

from dock.clock import Clock
from dock.folder import JOURNAL_OWNER, DockFolder
from evidence.certificates import chain_from_pem
from evidence.errors import ConfigError
from evidence.io.durable import Disc
from evidence.io.token_file import TokenFile
from evidence.journal import Chain, Entry, Head
from evidence.receipts import WORDS
from evidence.signing import KeySigner, PrivateKey, Signer, VerifyKey


class Add(Protocol):
    """Appends one entry; after return it is durable."""

    def __call__(self, kind: str, fields: Mapping[str, Any]) -> Entry:
        """Raises BadInputError, DiscError."""


class DockJournal:
    """Appends entries under a lock that other processes of this dock respect."""

    def __init__(self, folder: DockFolder, disc: Disc, clock: Clock) -> None:
        """Load key and certificate. Raises ConfigError when the folder is no dock, or they do not fit together."""
        self.signer = load_signer(folder)
        self._certificate = folder.certificate(JOURNAL_OWNER)
        self._pem = self._read_pem()
        self._certificates = chain_from_pem(self._pem, str(self._certificate))
        self._file = TokenFile(folder.journal(JOURNAL_OWNER), JOURNAL_OWNER, disc, self.signer)
        self._clock = clock
        self._is_known = False
        self.path = self._file.path
        if VerifyKey.of(load_der_x509_certificate(self._certificates[0]).public_key()).kid != self.signer.kid:
            raise ConfigError(str(self._certificate), "is for another key than the dock has", "liuhen dock rekey")

    @contextmanager
    def adding(self) -> Iterator[Add]:
        """Hold the journal and give what appends to it. Raises ConfigError when the dock's key was replaced."""
        with self._file.locked() as head:
            if self._read_pem() != self._pem:
                # This process has the old key in memory, and the journal goes on under the new one.
                raise ConfigError(str(self._certificate), "was replaced", "start again what you were doing")
            yield self._adder(Chain(JOURNAL_OWNER, self.signer, head))

    @contextmanager
    def held(self) -> Iterator[Head]:
        """Hold the journal, to read it whole."""
        with self._file.locked() as head:
            yield head

    def _adder(self, chain: Chain) -> Add:
        def add(kind: str, fields: Mapping[str, Any]) -> Entry:
            # The dock's word to a recorder travels alone, so it carries the certificate that it is to be checked with.
            # So does our first entry: the dock may have got another key since the last one.
            x5c = () if self._is_known and kind not in WORDS else self._certificates
            entry = chain.make(self._clock.now(), kind, fields, x5c)
            self._file.append([entry.token])
            chain.advance(entry)
            self._is_known = True
            return entry

        return add

    def _read_pem(self) -> bytes:
        try:
            return self._certificate.read_bytes()
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise ConfigError(str(self._certificate), what, "liuhen dock renew, or liuhen dock rekey") from error


@contextmanager
def replacing_key(folder: DockFolder, disc: Disc, key: PrivateKey) -> Iterator[None]:
    """Hold the journal while the files of its key are replaced; the old one may be gone."""
    with TokenFile(folder.journal(JOURNAL_OWNER), JOURNAL_OWNER, disc, KeySigner(key)).locked():
        yield


def load_signer(folder: DockFolder) -> Signer:
    """The dock's key. Raises ConfigError when there is none."""
    path = folder.key("dock")
    try:
        return KeySigner.from_pem(path.read_bytes(), str(path))
    except OSError as error:
        hint = "make a dock with: liuhen dock init DIR"
        raise ConfigError(str(path), f"cannot be read: {error.strerror}", hint) from error
