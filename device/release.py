"""Freeing the card: only against a verified receipt, oldest first, and only when room is wanted (design section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from device.capture.encoder import SOUND_BIT_RATE_BPS
from device.config import CameraConfig, StorageConfig
from device.dock_words import Words
from device.spool import Spool
from evidence.errors import LiuhenError
from evidence.journal import Entry
from evidence.kinds import BLOB_KINDS
from evidence.receipts import BLOB_STORED, REPORT_TAKEN, STORED, read_word
from evidence.signing import VerifyKey


@dataclass(slots=True)
class Releaser:
    """Believes the dock's word and frees what it has. Runs on the disc thread."""

    spool: Spool
    dock_key: VerifyKey
    camera: CameraConfig
    storage: StorageConfig
    releasable_bytes: int = 0
    """Room that could be freed, as of the last `run`."""
    reports_taken: int = 0
    """Urgent reports that the dock was found to have taken since this was made."""

    @property
    def wanted_bytes(self) -> int:
        """The room that the planned shift needs at the present bit rate."""
        rate_bps = self.camera.bit_rate_bps + SOUND_BIT_RATE_BPS
        return self.storage.wanted_free_minutes * 60 * rate_bps // 8

    def run(self) -> int:
        """Journal what the dock said, then free what may be freed and is wanted. Returns how much was. DiscError."""
        self._note_words()
        freed = 0
        waiting = self._releasable()
        for entry in waiting:
            if self.spool.disc.free_bytes(self.spool.paths.root) >= self.wanted_bytes:
                break
            self._release(entry)
            freed += 1
        self.releasable_bytes = sum(entry.fields["stored_bytes"] for entry in waiting[freed:])
        return freed

    def all_received(self) -> bool:
        """The dock has all evidence that there is. DiscError."""
        awaited = Words(self.spool.paths, self.spool.journal).awaited()
        return not any(word.kind in {STORED, BLOB_STORED} for word in awaited)

    def _note_words(self) -> None:
        words = Words(self.spool.paths, self.spool.journal)
        for word in list(words.awaited()):
            if not word.path.exists():
                continue
            try:
                said = read_word(word.path.read_text("ascii", errors="replace").strip(), self.dock_key)
                word.check(said)
            except LiuhenError:
                # Not our dock's word on exactly this: it proves nothing, and must not stay in a true one's way.
                self.spool.disc.remove(word.path)
                continue
            # The uplink may still be putting it there: what is journalled must survive a power cut first.
            self.spool.disc.sync(word.path)
            dock = {"dock": said.device, "dock_seq": said.seq, "dock_hash": said.head.hash}
            self.spool.note(word.noted_as, **word.about, **dock)
            self.reports_taken += word.kind == REPORT_TAKEN

    def _releasable(self) -> list[Entry]:
        """Seals and blobs that have a receipt, oldest first."""
        segments, blobs = (self.spool.journal.segments_with("receipt"), self.spool.blobs_with("blob_receipt"))
        segments -= self.spool.journal.segments_with("released")
        blobs -= self.spool.blobs_with("blob_released")
        ready: list[Entry] = []
        for entry in self.spool.journal.of_kind("segment", *BLOB_KINDS):
            if entry.kind == "segment":
                ready += [entry] if entry.fields["segment"] in segments else []
            elif entry.fields["blob"] in blobs:
                blobs.remove(entry.fields["blob"])
                ready.append(entry)
        return ready

    def _release(self, entry: Entry) -> None:
        # Journal first: a cut in between leaves a file that the next start removes, never an unexplained loss.
        stored_bytes = entry.fields["stored_bytes"]
        if entry.kind == "segment":
            segment = entry.fields["segment"]
            self.spool.note("released", segment=segment, stored_bytes=stored_bytes)
            self.spool.disc.remove(self.spool.paths.segment(segment))
        else:
            blob = entry.fields["blob"]
            self.spool.note("blob_released", blob=blob, stored_bytes=stored_bytes)
            self.spool.disc.remove(self.spool.paths.blob(blob))
