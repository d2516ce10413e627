"""Taking a recorder's keys back: the entry in the journal, and the list (CRL) that broker and receivers obey.

The journal decides. The list is made from it, so that a revocation which a power cut interrupted is repeated safely.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dock.authority import BACK, Authority
from dock.clock import Clock
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from dock.issuing import load_issuing, read_leaf, time_of
from evidence.certificates import DAMAGE
from evidence.errors import BadInputError, ConfigError, UnknownKeyError
from evidence.io.durable import Disc
from evidence.io.token_file import TokenFile, read_lines
from evidence.journal import EMPTY, Entry, read_entry

LIST_END = b"-----END X509 CRL-----\n"


@dataclass(frozen=True, slots=True)
class Known:
    """What the dock's journal says of one recorder's keys: its last enrolment, all its link certificates, its end."""

    enrolled: Entry | None
    link_serials: frozenset[int]
    revoked: Entry | None


def known_of(journal: DockJournal, recorder: str) -> Known:
    """Read the journal, whose lock the caller holds. Raises BadInputError."""
    return _known(journal).get(recorder, Known(None, frozenset(), None))


def revoke(folder: DockFolder, disc: Disc, clock: Clock, recorder: str, why: str) -> Entry:
    """Revoke a recorder's certificates, for ever; a recorder that is revoked already stays so, with its first reason.

    Raises BadInputError for one that is not enrolled, ConfigError when the issuing CA is not here, DiscError.
    """
    if not why.strip():
        raise BadInputError("--why", "is empty", "say what happened, for whoever asks in ten years")
    journal, authority = DockJournal(folder, disc, clock), load_issuing(folder)
    copy = TokenFile(folder.journal(recorder), recorder, disc, journal.signer)
    with journal.adding() as add:
        known = known_of(journal, recorder)
        if known.enrolled is None:
            raise BadInputError(f"recorder {recorder}", "is not enrolled at this dock")
        entry = known.revoked
        # Nobody may add to our copy between the entry that says where it ended and the list that receivers obey.
        # A recorder that never came has none, and gets none.
        with copy.locked() if copy.path.exists() else nullcontext(EMPTY) as head:
            if entry is None:
                said = {"recorder": recorder, "kid": known.enrolled.fields["kid"], "why": why.strip()}
                entry = add("revoked", {**said, "last_seq": head.seq, "last_hash": head.hash})
            publish(folder, disc, authority, revoked_serials(folder, journal), time_of(clock))
    return entry


def revoked_serials(folder: DockFolder, journal: DockJournal) -> set[int]:
    """Every certificate that belongs to a revoked recorder. The caller holds the journal's lock."""
    serials: set[int] = set()
    for recorder, known in _known(journal).items():
        if known.revoked is not None:
            serials |= {*known.link_serials, read_leaf(folder.enrolled(recorder)).serial_number}
    return serials


def publish(folder: DockFolder, disc: Disc, authority: Authority, serials: set[int], now: datetime,
            beside: bytes = b"") -> None:  # fmt: skip
    """Write the list anew. `beside` are lists of other CAs whose certificates are still to be served."""
    number, since = 1, now - BACK
    if folder.crl.exists():
        before = read_lists(folder.crl)
        number += max(one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for one in before)
        # OpenSSL keeps lists that it has read before and takes the newest: one of the same second would not be obeyed.
        since = max(since, *(one.last_update_utc + timedelta(seconds=1) for one in before))
    ours = authority.revoke(serials, number, since).public_bytes(Encoding.PEM)
    disc.replace(folder.crl, ours + beside)


def read_lists(path: Path) -> list[x509.CertificateRevocationList]:
    """The lists in a file, one a CA. Raises ConfigError when it is missing or damaged: then nobody is let in."""
    try:
        blocks = [block + LIST_END for block in path.read_bytes().split(LIST_END)[:-1]]
        lists = [x509.load_pem_x509_crl(block) for block in blocks]
    except (OSError, *DAMAGE) as error:
        raise ConfigError(str(path), f"is no readable list of revoked certificates: {error}") from error
    if not lists:
        raise ConfigError(str(path), "holds no list of revoked certificates")
    return lists


class RevokedSerials:
    """What the list says, read again whenever it has been replaced. Asking costs one stat."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._serials: frozenset[int] = frozenset()

    def now(self) -> frozenset[int]:
        """The serial numbers that are revoked. Raises ConfigError when nobody can say."""
        try:
            status = self._path.stat()
        except OSError as error:
            raise ConfigError(str(self._path), f"cannot be read: {error.strerror}", "liuhen dock revoke") from error
        seen = (status.st_ino, status.st_mtime_ns)
        if seen != self._seen:
            self._serials = frozenset(revoked.serial_number for one in read_lists(self._path) for revoked in one)
            self._seen = seen
        return self._serials

    def refuse(self, certificate: Path) -> None:
        """Raises UnknownKeyError when this certificate is revoked, ConfigError when nobody can say."""
        if read_leaf(certificate).serial_number in self.now():
            raise UnknownKeyError(f"recorder {certificate.stem}", "was revoked: nothing of it is taken any more")


def _known(journal: DockJournal) -> dict[str, Known]:
    known: dict[str, Known] = {}
    for token in read_lines(journal.path) if journal.path.exists() else ():
        entry = read_entry(token, str(journal.path))
        if entry.kind not in ("enrolled", "revoked"):
            continue
        recorder = str(entry.fields["recorder"])
        before = known.get(recorder, Known(None, frozenset(), None))
        if entry.kind == "revoked":
            known[recorder] = Known(before.enrolled, before.link_serials, before.revoked or entry)
        else:
            serials = before.link_serials | {int(entry.fields["link_serial"], 16)}
            known[recorder] = Known(entry, serials, before.revoked)
    return known
