"""Names for recordings, segments and interruptions: the boot's random id and a count that outlives a restart."""

from __future__ import annotations

from collections.abc import Iterable

from evidence.io.journal_store import JournalStore
from evidence.model import segment_id

PREFIX = 12


class Numbers:
    """Counts on from what the journal holds of this boot, so that a restarted agent never names a thing twice."""

    def __init__(self, journal: JournalStore, boot: str) -> None:
        self._boot = boot
        self._segments = self._count(journal.segments_with("init"))
        started, broken = journal.of_kind("recording_started"), journal.of_kind("interruption")
        self._recordings = self._count(entry.fields["recording"] for entry in started)
        self._interruptions = self._count(entry.fields["interruption"] for entry in broken)

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

    def _count(self, names: Iterable[str]) -> int:
        return sum(1 for name in names if name.startswith(self._boot[:PREFIX]))
