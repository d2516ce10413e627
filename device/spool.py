"""The recorder's card: segments that wait for the dock, and the journal that says what they are.

    spool/journal.db          every entry, durable before anything else happens
    spool/segments/ID.mp4     init section and fragments, playable at any time
    spool/blobs/HASH.jpg      a photo; HASH.m4a a spoken note
    spool/receipts/NAME.jws   the dock's signed word, put there by the uplink: the receipt for a segment or a blob,
                              report-ID its receipt for an urgent report, written-ID a written explanation

The order is always the same: bytes durable, then the entry that speaks of them. So whatever is journalled is there, and
whatever is there and not journalled is the tail that recovery looks after (design section 4).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from device.capture.muxer import MediaFragment
from device.ports import Clock
from evidence.errors import BadInputError, DiscError, DiscFullError
from evidence.io.durable import Disc, make_folder
from evidence.io.journal_store import JournalStore, head_path, state_head
from evidence.journal import Chain, Entry
from evidence.kinds import ALONE_KINDS, BLOB_KINDS, BLOB_SUFFIXES
from evidence.model import FragmentInfo, Officer, Timestamp
from evidence.receipts import STORED, word_file
from evidence.sealing import seal_part
from evidence.signing import Signer, to_base64url
from evidence.wire import BLOB_LIMIT_BYTES

RESERVE_BYTES = 8 * 1024 * 1024
"""Kept free of pictures, so that a full card still takes the entries that say so and those that free it."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpoolPaths:
    """Where things lie on the card."""

    root: Path

    @property
    def journal(self) -> Path:
        """The journal's database."""
        return self.root / "journal.db"

    def segment(self, segment: str) -> Path:
        """The file of one segment."""
        return self.root / "segments" / f"{segment}.mp4"

    def blob(self, kind: str, blob: str) -> Path:
        """The file of one photo or note, of this kind of entry."""
        return self.root / "blobs" / f"{blob}{BLOB_SUFFIXES[kind]}"

    def word(self, kind: str, name: str) -> Path:
        """The dock's word of this kind on the thing of this name."""
        return self.root / "receipts" / word_file(kind, name)

    def receipt(self, name: str) -> Path:
        """The dock's receipt for one segment or blob."""
        return self.word(STORED, name)


@dataclass(slots=True)
class SegmentState:
    """A segment that is being written: where its file ends, and what its seal will say.

    `torn` while bytes may lie behind that end that no entry speaks of.
    """

    segment: str
    recording: str
    officer: str | None
    stored_bytes: int = 0
    plain_bytes: int = 0
    frames: int = 0
    samples: int = 0
    duration_us: int = 0
    complete: bool = True
    torn: bool = False
    parts: list[list[Any]] = field(default_factory=list)
    digest: Any = field(default_factory=sha256)

    def take(self, fields: Mapping[str, Any], plain: bytes) -> None:
        """Count one part in, as its entry describes it."""
        self.stored_bytes += fields["stored_bytes"]
        self.plain_bytes += fields["bytes"]
        self.frames += fields.get("frames", 0)
        self.samples += fields.get("samples", 0)
        self.duration_us += fields.get("duration_us", 0)
        self.parts.append([fields["stored_bytes"], fields["stored_sha256"]])
        self.digest.update(plain)


class Spool:
    """The writing end: one process, one thread (the disc thread) at a time."""

    def __init__(
        self, root: Path, device: str, disc: Disc, clock: Clock, signer: Signer, certificates: Iterable[bytes]
    ) -> None:
        """Open or create. Raises DiscError, BadInputError."""
        self.paths = SpoolPaths(root)
        self.disc = disc
        self.device = device
        self._clock = clock
        self._signer = signer
        self._certificates = tuple(certificates)
        for folder in (root / "segments", root / "blobs", root / "receipts"):
            make_folder(folder)
        # A stated head belongs to a closed journal; from here on this one is open.
        disc.remove(head_path(self.paths.journal))
        # What a power cut left of a `replace`: the old file, or none, is the one that counts.
        for unfinished in (*root.glob("*.new"), *self.paths.receipt("any").parent.glob("*.new")):
            disc.remove(unfinished)
        self.journal = JournalStore(self.paths.journal, open_database=disc.open_database)
        self._chain = Chain(device, signer, self.journal.head())
        self._refused: deque[tuple[str, Timestamp, dict[str, Any]]] = deque()

    @property
    def is_new(self) -> bool:
        """True when nothing has been journalled yet."""
        return self._chain.head.seq < 0

    @property
    def head_seq(self) -> int:
        """The number of the last entry."""
        return self._chain.head.seq

    def note(self, kind: str, at: Timestamp | None = None, /, **fields: Any) -> Entry:
        """Journal what happens now (or was at `at`), behind all that were refused; then it is durable. DiscError."""
        at = at or self._clock.now()
        self._note_refused()
        return self._note(kind, at, fields)

    def note_or_keep(self, kind: str, at: Timestamp, **fields: Any) -> None:
        """Journal what happened at `at`; if the card refuses, it is kept in memory and goes before the next entry."""
        self._refused.append((kind, at, fields))
        self.note_refused()

    @property
    def refused(self) -> int:
        """How many entries wait in memory."""
        return len(self._refused)

    def note_refused(self) -> None:
        """Journal what waits in memory, as far as the card takes it."""
        try:
            self._note_refused()
        except DiscError as error:
            log.warning("%d entries wait: %s", len(self._refused), error)

    def told(self, *kinds: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Kind and fields of all entries of these kinds, oldest first, refused ones included. Raises DiscError."""
        refused = [(kind, fields) for kind, _, fields in self._refused if kind in kinds]
        return [*((entry.kind, entry.fields) for entry in self.journal.of_kind(*kinds)), *refused]

    def blobs_with(self, kind: str) -> set[str]:
        """The photos and notes about which an entry of this kind exists. Raises DiscError."""
        return {entry.fields["blob"] for entry in self.journal.of_kind(kind)}

    def open_segment(
        self, segment: str, recording: str, officer: Officer | None, init: bytes, epoch: Timestamp
    ) -> SegmentState:
        """Begin a segment's file with its init section. `epoch` is the instant of the muxer's time stamp zero.

        Raises DiscError; then a file may be left behind that the recovery of the next start finds.
        """
        state = SegmentState(segment, recording, officer.number if officer else None)
        stored = seal_part(init)
        self._refuse_without_room(len(stored))
        self.disc.create(self.paths.segment(segment), stored)
        self._note_part("init", state, init, stored, recording=recording, epoch_boot_us=epoch.boot_us, boot=epoch.boot)
        return state

    def append(self, state: SegmentState, fragment: MediaFragment) -> Entry:
        """Make one fragment durable, then journal it.

        Raises DiscError: the segment can only be sealed then, and but for a full card it is suspect.
        """
        stored = seal_part(fragment.data)
        self._refuse_without_room(len(stored))
        state.torn = True
        try:
            self.disc.append(self.paths.segment(state.segment), stored, state.stored_bytes)
        except DiscFullError:
            raise
        except DiscError:
            state.complete = False
            raise
        entry = self._note_part("fragment", state, fragment.data, stored, **info_fields(fragment.info))
        state.torn = False
        return entry

    def adopt(self, state: SegmentState, plain: bytes, stored: bytes, fields: Mapping[str, Any]) -> Entry:
        """Journal a fragment that was found on the card after a power cut and has been synced since."""
        return self._note_part("recovered", state, plain, stored, **fields)

    def seal(self, state: SegmentState, trigger: str) -> Entry:
        """Sign the segment's manifest. `trigger` says why it ends here. Raises DiscError; may be tried again."""
        if state.torn:
            self.disc.truncate(self.paths.segment(state.segment), state.stored_bytes)
            state.torn = False
        return self.note(
            "segment",
            segment=state.segment,
            recording=state.recording,
            trigger=trigger,
            officer=state.officer,
            bytes=state.plain_bytes,
            sha256=to_base64url(state.digest.digest()),
            stored_bytes=state.stored_bytes,
            parts=state.parts,
            frames=state.frames,
            samples=state.samples,
            duration_us=state.duration_us,
            complete=state.complete,
        )

    def keep_blob(self, kind: str, make: Callable[[int], bytes], at: Timestamp, **fields: Any) -> Entry:
        """Make a photo or a note durable, then journal it as of `at`; `fields` are the kind's own, but for the blob's.

        `make` gets the number that the entry will have and gives the bytes, which may name it: so no two are the same.
        Raises DiscError: then it is not journalled, and a file that may be left behind is removed, and said, by the
        recovery of the next start. Raises BadInputError for more than `BLOB_LIMIT_BYTES`.
        """
        self._note_refused()
        plain = make(self.head_seq + 1)
        stored = seal_part(plain)
        if len(stored) > BLOB_LIMIT_BYTES:
            raise BadInputError(kind, f"has {len(stored)} bytes, more than {BLOB_LIMIT_BYTES}", "make it shorter")
        blob = to_base64url(sha256(plain).digest())
        if all(entry.fields["blob"] != blob for entry in self.journal.of_kind(*BLOB_KINDS)):
            self._put_blob(self.paths.blob(kind, blob), stored)
        described = {
            "blob": blob,
            "bytes": len(plain),
            "stored_bytes": len(stored),
            "stored_sha256": blob if stored is plain else to_base64url(sha256(stored).digest()),
        }
        return self._note(kind, at, {**described, **fields})

    def close(self) -> None:
        """Close the journal and state its head, so that not a byte of it can change unseen. Raises DiscError."""
        self.journal.close()
        state_head(self.paths.journal, self.disc, self._signer, self._chain, self._certificates)

    def _put_blob(self, path: Path, stored: bytes) -> None:
        self._refuse_without_room(len(stored))
        if path.exists():
            # It was refused its entry, and the same was made again.
            self.disc.remove(path)
        self.disc.create(path, stored)

    def _note_refused(self) -> None:
        while self._refused:
            self._note(*self._refused[0])
            self._refused.popleft()

    def _note(self, kind: str, at: Timestamp, fields: Mapping[str, Any]) -> Entry:
        x5c = self._certificates if self.is_new or kind in ALONE_KINDS else ()
        entry = self._chain.make(at, kind, fields, x5c)
        self.journal.add(entry)
        self._chain.advance(entry)
        return entry

    def _refuse_without_room(self, size_bytes: int) -> None:
        if self.disc.free_bytes(self.paths.root) < size_bytes + RESERVE_BYTES:
            raise DiscFullError(
                str(self.paths.root), f"less than the reserve of {RESERVE_BYTES >> 20} MiB would be left"
            )

    def _note_part(self, kind: str, state: SegmentState, plain: bytes, stored: bytes, **more: Any) -> Entry:
        plain_hash = to_base64url(sha256(plain).digest())
        entry = self.note(
            kind,
            segment=state.segment,
            index=len(state.parts),
            offset_bytes=state.stored_bytes,
            bytes=len(plain),
            sha256=plain_hash,
            stored_bytes=len(stored),
            stored_sha256=plain_hash if stored is plain else to_base64url(sha256(stored).digest()),
            **more,
        )
        state.take(entry.fields, plain)
        return entry


def info_fields(info: FragmentInfo) -> dict[str, int]:
    """The fields of a fragment's entry that come from its own boxes."""
    return {
        "pts_us": info.pts_us,
        "duration_us": info.duration_us,
        "frames": info.frames,
        "samples": info.samples,
    }
