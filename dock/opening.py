"""Opening evidence: what two persons have signed for, after the journal says so, and only what the recorder signed.

The order is the point: the rules, then every byte checked against the recorder's entry, then the entry `opened`,
durable, and only then the first plain byte to whoever asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dock.clock import Clock
from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from dock.journal_reader import LedgerReader
from evidence.approvals import SHORT, View, refuse
from evidence.certificates import Trust
from evidence.errors import BadInputError, RejectedError
from evidence.io.durable import Disc, make_folder
from evidence.io.sealed_file import opened_parts
from evidence.io.verifying import one_line
from evidence.journal import Entry, read_entry
from evidence.kinds import BLOB_KINDS, BLOB_SUFFIXES, SEGMENT_SUFFIX
from evidence.model import SEGMENT_ID
from evidence.sealing import VaultKey
from evidence.signing import to_base64url
from evidence.verify import identify_signer, read_signed


@dataclass(frozen=True, slots=True)
class Handed:
    """What is handed out: the recorder's entry, the dock's entry that says so, and the plain bytes, part by part."""

    name: str
    entry: Entry
    opened: Entry
    parts: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A sealed file at the dock with its verified entry; `expected` are size and hash of its plain parts."""

    path: Path
    entry: Entry
    suffix: str
    expected: Sequence[tuple[int, str]]


class Opening:
    """The one way from sealed to plain at a dock: for the command, and for the console."""

    def __init__(self, folder: DockFolder, disc: Disc, clock: Clock) -> None:
        """Raises ConfigError when the folder is no dock."""
        self._folder = folder
        self._disc = disc
        self._journal = DockJournal(folder, disc, clock)
        self._trust = Trust(folder.ca_certificate.read_bytes(), str(folder.ca_certificate))
        self._reader = LedgerReader(folder, self._trust)

    def find(self, request: str) -> View:
        """A request by its name or the beginning of it, whatever its state. Raises RefusedError, BadInputError."""
        with self._journal.held():
            return self._reader.catch_up().find(request)

    def check(self, request: str, recorder: str, item: str) -> None:
        """Refuse before anybody is asked for the vault's passphrase. Raises RefusedError."""
        with self._journal.held():
            refuse(_where(item), self._reader.catch_up().may_open(request, recorder, item))

    def hand_out(self, request: str, recorder: str, item: str, key: VaultKey) -> Handed:
        """One opened thing, journalled before any of it can be read.

        Raises RefusedError, BadInputError or UnknownKeyError for another vault's key, RejectedError for bytes that are
        not what the recorder signed; then nothing has been opened and nothing is journalled.
        """
        with self._journal.adding() as add:
            refuse(_where(item), self._reader.catch_up().may_open(request, recorder, item))
            sealed = self._find(recorder, item)
            whole = sha256()
            for part in _plain(sealed, key):
                whole.update(part)
            digest = to_base64url(whole.digest())
            opened = add("opened", {"request": request, "recorder": recorder, "item": item, "sha256": digest})
        return Handed(f"{item}{sealed.suffix}", sealed.entry, opened, _plain(sealed, key))

    def write_out(self, request: str, recorder: str, item: str, key: VaultKey, out: Path) -> Handed:
        """The same into a folder: the opened file under its name with the recorder's entry beside it, both durable.

        With these two files `liuhen verify` says what they are. Raises as `hand_out`, DiscError.
        """
        self._refuse_present(out, item)
        make_folder(out)
        handed = self.hand_out(request, recorder, item, key)
        target = out / handed.name
        fresh, size_bytes = target.with_name(f".{handed.name}.part"), 0
        self._disc.remove(fresh)
        for part in handed.parts:
            self._disc.write_at(fresh, part, size_bytes)
            size_bytes += len(part)
        self._disc.sync(fresh)
        self._disc.replace(target.with_suffix(".jws"), f"{handed.entry.token}\n".encode("ascii"))
        self._disc.move(fresh, target)
        return handed

    def _find(self, recorder: str, item: str) -> _Sealed:
        """Where it lies, with the recorder's entry, whose signature is checked. Raises LiuhenError."""
        segment = SEGMENT_ID.fullmatch(item) is not None
        path = self._folder.segment(recorder, item) if segment else self._folder.blob(recorder, item)
        beside = path.with_suffix(".jws")
        if not path.is_file() or not beside.is_file():
            raise BadInputError(
                _where(item), f"尚未入库 of {recorder} is not in this dock's vault yet", "offload it first"
            )
        entry = read_signed(read_entry, one_line(beside), str(beside), self._trust, None)
        identify_signer(entry, self._trust)
        kinds, name = (("segment",), "segment") if segment else (BLOB_KINDS, "blob")
        if entry.device != recorder or entry.kind not in kinds or entry.fields[name] != item:
            raise RejectedError(str(beside), f"is not the entry of {item} of {recorder}")
        if segment:
            expected = [(part[2], part[3]) for part in entry.fields["parts"]]
            return _Sealed(path, entry, SEGMENT_SUFFIX, expected)
        return _Sealed(path, entry, BLOB_SUFFIXES[entry.kind], [(entry.fields["bytes"], item)])

    def _refuse_present(self, out: Path, item: str) -> None:
        for present in sorted(out.glob(f"{item}.*")):
            raise BadInputError(str(present), "已存在 is there already", "choose another folder")


def _plain(sealed: _Sealed, key: VaultKey) -> Iterator[bytes]:
    """The plain parts, each just what the recorder hashed and signed. Raises RejectedError at one that is not."""
    name, count = sealed.path.name, 0
    for count, part in enumerate(opened_parts(sealed.path, key), 1):
        said = sealed.expected[count - 1] if count <= len(sealed.expected) else None
        if said != (len(part), to_base64url(sha256(part).digest())):
            raise RejectedError(f"{name} part {count - 1}", "is not what the recorder signed")
        yield part
    if count < len(sealed.expected):
        raise RejectedError(name, f"ends after {count} of {len(sealed.expected)} parts")


def _where(item: str) -> str:
    return f"{item[:SHORT]}" if len(item) > 2 * SHORT else item
