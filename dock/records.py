"""What the receiver knows of each recorder, read from journals and catalogue; a cache that is safe to lose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from dock.catalogue import Catalogue
from dock.dock_journal import DockJournal
from dock.enrolment import enrolled_key
from dock.folder import JOURNAL_OWNER, DockFolder
from dock.manifest import Part, Seal, part_of, read_seal
from dock.mirror import Mirror, Verdict
from evidence.certificates import Trust
from evidence.errors import UnknownKeyError
from evidence.io.durable import Disc
from evidence.io.token_file import TokenFile
from evidence.journal import Entry, Head, read_entry, token_hash
from evidence.kinds import PART_KINDS
from evidence.signing import VerifyKey

RECORDERS_LIMIT = 1024
SEGMENTS_LIMIT = 256
KNOWN_LIMIT = 16_384


@dataclass(slots=True)
class Progress:
    """One segment on its way in."""

    seal: Seal | None
    receipt: str | None
    parts: dict[int, Part]
    """Durable, by index: the only ones that count."""
    coming: dict[int, Part] = field(default_factory=dict)
    """Checked, and on their way to the disc: acknowledged to nobody, and lost if this process is."""
    offered_parts: int = 0
    rejected: dict[int, int] | None = None
    """Which parts were rejected how often; None until somebody asks."""

    @property
    def expected_parts(self) -> int:
        """How many parts there are, by the seal or else by the recorder's word; 0 when nobody has said it yet."""
        return len(self.seal.places) if self.seal else self.offered_parts

    def has(self, part: Part) -> bool:
        """Whether nothing is left to do about this part but to wait for the disc."""
        return part in (self.parts.get(part.part), self.coming.get(part.part))

    def end_coming(self, part: Part, durable: bool) -> None:
        """The disc is done with this part."""
        self.coming.pop(part.part)
        if durable:
            self.parts[part.part] = part

    def drop_contradicting(self) -> list[Part]:
        """Forget the parts taken before the seal was known which it does not have like this."""
        wrong = [part for part in self.parts.values() if self.seal and not self.seal.has(part)]
        for part in wrong:
            self.parts.pop(part.part)
        return wrong

    def all_parts(self) -> Iterator[Part]:
        """Those that are durable and those that may be soon."""
        return chain(self.parts.values(), self.coming.values())

    def sealed(self) -> Entry | None:
        """The seal, when every part of its manifest is durable."""
        return self.seal.entry if self.seal and len(self.parts) == self.expected_parts else None


@dataclass(slots=True)
class Recorder:
    """One recorder: its key, the end of the dock's copy of its journal, its segments on their way in."""

    device: str
    key: VerifyKey
    head: Head
    assignment: str | None
    segments: dict[str, Progress] = field(default_factory=dict)
    known_parts: dict[str, Part] = field(default_factory=dict)
    """Parts by the hash of their entry's token, which has been checked: it comes twice, in the journal and again."""


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
            file.append([entry.token for entry in verdict.fresh])
            recorder.known_parts.update(
                (token_hash(entry.token), part_of(entry)) for entry in verdict.fresh if entry.kind in PART_KINDS
            )
            self._catalogue.catch_up(recorder.device, file.path, verdict.fresh)
        recorder.head = self._catalogue.head(recorder.device)
        for seal in verdict.seals:
            progress = self.progress(recorder, str(seal.fields["segment"]))
            progress.seal = progress.seal or read_seal(seal)
        return verdict

    def trim(self) -> None:
        """Keep the memory bounded. Only while no batch is under way: for that, this knows more than the catalogue."""
        if len(self._recorders) > RECORDERS_LIMIT:
            self._recorders.clear()
        for recorder in self._recorders.values():
            if len(recorder.segments) > SEGMENTS_LIMIT:
                recorder.segments.clear()
            if len(recorder.known_parts) > KNOWN_LIMIT:
                recorder.known_parts.clear()

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
