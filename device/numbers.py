"""Names for recordings, segments, breaks and pauses: the boot's random id and a count that outlives a restart."""

from __future__ import annotations

from collections.abc import Iterable

from evidence.io.journal_store import JournalStore
from evidence.model import segment_id

PREFIX = 12


class Numbers:
    """Counts on from the highest that the journal holds of this boot, so that nothing is ever named twice.

    A name that the card refused may be missing in between.
    """

    def __init__(self, journal: JournalStore, boot: str) -> None:
        self._boot = boot
        self._segments = self._highest(journal.segments_with("init"))
        started, broken = journal.of_kind("recording_started"), journal.of_kind("interruption")
        self._recordings = self._highest(entry.fields["recording"] for entry in started)
        self._interruptions = self._highest(entry.fields["interruption"] for entry in broken)
        self._pauses = self._highest(entry.fields["pause"] for entry in journal.of_kind("paused"))

    def next_segment(self) -> str:
        """For example 3f2a9c1b7d04-00012."""
        self._segments += 1
        return segment_id(self._boot, self._segments)

    def next_recording(self) -> str:
        """For example 3f2a9c1b7d04-r0003."""
        self._recordings += 1
        return f"{self._boot[:PREFIX]}-r{self._recordings:04d}"

    def next_interruption(self) -> str:
        """For example 3f2a9c1b7d04-i0001."""
        self._interruptions += 1
        return f"{self._boot[:PREFIX]}-i{self._interruptions:04d}"

    def next_pause(self) -> str:
        """For example 3f2a9c1b7d04-p0001."""
        self._pauses += 1
        return f"{self._boot[:PREFIX]}-p{self._pauses:04d}"

    def _highest(self, names: Iterable[str]) -> int:
        mine = (name for name in names if name.startswith(self._boot[:PREFIX]))
        return max((int(name[PREFIX + 1 :].lstrip("rip")) for name in mine), default=0)
