"""Freeing the card: only against a verified receipt, oldest first, and only when room is wanted (design section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from device.capture.encoder import SOUND_BIT_RATE_BPS
from device.config import CameraConfig, StorageConfig
from device.spool import Spool
from evidence.errors import LiuhenError
from evidence.journal import Entry
from evidence.receipts import check_receipt, read_receipt
from evidence.signing import VerifyKey


@dataclass(slots=True)
class Releaser:
    """Believes receipts and frees segments. Runs on the disc thread."""

    spool: Spool
    dock_key: VerifyKey
    camera: CameraConfig
    storage: StorageConfig
    releasable_bytes: int = 0
    """Room that could be freed, as of the last `run`."""

    @property
    def wanted_bytes(self) -> int:
        """The room that the planned shift needs at the present bit rate."""
        rate_bps = self.camera.bit_rate_bps + SOUND_BIT_RATE_BPS
        return self.storage.wanted_free_minutes * 60 * rate_bps // 8

    def run(self) -> int:
        """Journal new receipts, then free what may be freed and is wanted. Returns the segments freed. DiscError."""
        self._note_receipts()
        freed = 0
        waiting = self._releasable()
        for seal in waiting:
            if self.spool.disc.free_bytes(self.spool.paths.root) >= self.wanted_bytes:
                break
            self._release(seal)
            freed += 1
        self.releasable_bytes = sum(seal.fields["stored_bytes"] for seal in waiting[freed:])
        return freed

    def all_received(self) -> bool:
        """The dock has every sealed segment. DiscError."""
        return not self.spool.journal.segments_with("segment") - self.spool.journal.segments_with("receipt")

    def _note_receipts(self) -> None:
        known = self.spool.journal.segments_with("receipt")
        for seal in list(self.spool.journal.of_kind("segment")):
            segment = seal.fields["segment"]
            path = self.spool.paths.receipt(segment)
            if segment in known or not path.exists():
                continue
            try:
                receipt = read_receipt(path.read_text("ascii", errors="replace").strip(), self.dock_key)
                check_receipt(receipt, seal)
            except LiuhenError:
                # Not a receipt of our dock for this segment: it proves nothing, and must not stay in a true one's way.
                self.spool.disc.remove(path)
                continue
            # The uplink may still be putting it there: what is journalled must survive a power cut first.
            self.spool.disc.sync(path)
            self.spool.note(
                "receipt", segment=segment, dock=receipt.device, dock_seq=receipt.seq, dock_hash=receipt.head.hash
            )

    def _releasable(self) -> list[Entry]:
        """Seals that have a receipt, oldest first."""
        freed, received = (self.spool.journal.segments_with(kind) for kind in ("released", "receipt"))
        seals = self.spool.journal.of_kind("segment")
        return [seal for seal in seals if seal.fields["segment"] in received - freed]

    def _release(self, seal: Entry) -> None:
        segment = seal.fields["segment"]
        # Journal first: a cut in between leaves a file that the next start removes, never an unexplained loss.
        self.spool.note("released", segment=segment, stored_bytes=seal.fields["stored_bytes"])
        self.spool.disc.remove(self.spool.paths.segment(segment))
