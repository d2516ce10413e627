"""What the receiver knows of each recorder, read from journals and catalogue; a cache that is safe to lose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dock.catalogue import Catalogue
from dock.dock_journal import DockJournal
from dock.enrolment import enrolled_key
from dock.folder import JOURNAL_OWNER, DockFolder
from dock.manifest import Part, Seal, read_seal
from dock.mirror import Mirror, Verdict
from evidence.certificates import Trust
from evidence.errors import UnknownKeyError
from evidence.io.durable import Disc
from evidence.io.token_file import TokenFile
from evidence.journal import Entry, Head, read_entry, token_hash
from evidence.signing import VerifyKey

RECORDERS_LIMIT = 1024
SEGMENTS_LIMIT = 256
VERIFIED_LIMIT = 16_384


@dataclass(slots=True)
class Progress:
    """One segment on its way in."""

    seal: Seal | None
    receipt: str | None
    parts: dict[int, Part]
    offered_parts: int = 0
    rejected: dict[int, int] | None = None
    """Which parts were rejected how often; None until somebody asks."""

    @property
    def expected_parts(self) -> int:
        """How many parts there are, by the seal or else by the recorder's word; 0 when nobody has said it yet."""
        return len(self.seal.places) if self.seal else self.offered_parts

    def contradicting(self) -> list[Part]:
        """Parts stored before the seal was known, which it does not have like this."""
        return [part for part in self.parts.values() if self.seal and not self.seal.has(part)]

    def sealed(self) -> Entry | None:
        """The seal, when every part of its manifest is stored."""
        return self.seal.entry if self.seal and len(self.parts) == self.expected_parts else None


@dataclass(slots=True)
class Recorder:
    """One recorder: its key, the end of the dock's copy of its journal, its segments on their way in."""

    device: str
    key: VerifyKey
    head: Head
    assignment: str | None
    segments: dict[str, Progress] = field(default_factory=dict)
    verified: set[str] = field(default_factory=set)
    """Hashes of tokens whose signature has been checked: an entry comes twice, in the journal and with its part."""


class Records:
    """Finds recorders and segments, and adds to the copies of the recorders' journals."""

    def __init__(self, folder: DockFolder, disc: Disc, journal: DockJournal, catalogue: Catalogue) -> None:
        self._folder = folder
        self._disc = disc
        self._journal = journal
        self._catalogue = catalogue
        self._trust = Trust(folder.ca_certificate.read_bytes(), str(folder.ca_certificate))
        self._recorders: dict[str, Recorder] = {}

    def recorder(self, device: str) -> Recorder:
        """Raises UnknownKeyError for a recorder that is not enrolled."""
        if device not in self._recorders:
            self._recorders[device] = self._load(device)
        return self._recorders[device]

    def progress(self, recorder: Recorder, segment: str) -> Progress:
        """What is known of a segment."""
        if segment not in recorder.segments:
            row = self._catalogue.segment(recorder.device, segment)
            seal = read_seal(read_entry(row.seal, f"seal of {segment}")) if row and row.seal else None
            parts = {part.part: part for part in self._catalogue.parts(recorder.device, segment)}
            recorder.segments[segment] = Progress(seal, row.receipt if row else None, parts)
        return recorder.segments[segment]

    def look_for_assignment(self, recorder: Recorder) -> None:
        """Another process may have enrolled or assigned since."""
        self._catch_up_own()
        row = self._catalogue.device(recorder.device)
        recorder.assignment = row.assignment if row else None

    def add_entries(self, recorder: Recorder, tokens: Sequence[str]) -> Verdict:
        """Append what continues the recorder's journal, durable."""
        mirror = Mirror(self._folder.journal(recorder.device), recorder.device, recorder.key, self._trust)
        file = self._mirror_file(recorder.device)
        with file.locked() as head:
            # The lock's word counts: another process may have appended since we last looked.
            verdict = mirror.judge(head, tokens)
            file.append(verdict.fresh)
            recorder.verified.update(map(token_hash, verdict.fresh))
            self._catalogue.catch_up(recorder.device, file.path)
        recorder.head = self._catalogue.head(recorder.device)
        for seal in verdict.seals:
            progress = self.progress(recorder, str(seal.fields["segment"]))
            progress.seal = progress.seal or read_seal(seal)
        return verdict

    def trim(self) -> None:
        """Keep the memory bounded. Between batches only: within one, the cache is ahead of the catalogue."""
        if len(self._recorders) > RECORDERS_LIMIT:
            self._recorders.clear()
        for recorder in self._recorders.values():
            if len(recorder.segments) > SEGMENTS_LIMIT:
                recorder.segments.clear()
            if len(recorder.verified) > VERIFIED_LIMIT:
                recorder.verified.clear()

    def forget(self) -> None:
        """Read everything anew: something failed half way."""
        self._recorders.clear()

    def _load(self, device: str) -> Recorder:
        self._catch_up_own()
        row, key = self._catalogue.device(device), enrolled_key(self._folder, self._trust, device)
        if row is None or key is None or key.kid != row.kid:
            raise UnknownKeyError(f"recorder {device}", "is not enrolled at this dock", "liuhen dock enrol")
        file = self._mirror_file(device)
        with file.locked():
            if self._catalogue.is_behind(device, file.path):
                # Written by a process that died before its sync returned, perhaps.
                self._disc.sync(file.path)
                self._catalogue.catch_up(device, file.path)
        return Recorder(device, key, self._catalogue.head(device), row.assignment)

    def _catch_up_own(self) -> None:
        if self._catalogue.is_behind(JOURNAL_OWNER, self._journal.path):
            with self._journal.held():
                self._disc.sync(self._journal.path)
                self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)

    def _mirror_file(self, device: str) -> TokenFile:
        return TokenFile(self._folder.journal(device), device, self._disc, self._journal.signer)
