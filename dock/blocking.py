"""What the dock does about a recorder that has shown itself to be two, or another: it blocks it, and says why.

Only what the recorder's own key has signed blocks it (`evidence.forks`), so that nobody on the way can. A blocked
recorder is answered nothing and told nothing: whoever holds a clone need not know that it was found.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from dock.catalogue import Catalogue
from dock.dock_journal import DockJournal
from dock.folder import JOURNAL_OWNER, DockFolder
from dock.mirror import Verdict
from dock.records import Recorder
from evidence.forks import Cause, ForkError
from evidence.journal import Entry, read_entry

LOG = logging.getLogger("liuhen.dock")
SET_BACK_LIMIT = 256
"""So often the dock's journal says that a recorder's clock was set back; a broken one must not fill it."""


class Blocking:
    """The receiver's side."""

    def __init__(self, journal: DockJournal, catalogue: Catalogue) -> None:
        self._journal = journal
        self._catalogue = catalogue

    def block(self, recorder: Recorder, error: ForkError) -> None:
        """Journal that it is blocked, unless it is already: one cause is enough. Raises DiscError."""
        recorder.blocked = True
        came = error.came
        LOG.error("BLOCKED recorder=%s cause=%s entry=%d", recorder.device, error.cause, came.seq)
        fields = {
            "recorder": recorder.device, "why": error.cause.value,
            "entry_seq": came.seq, "entry_hash": error.held_hash, "other_hash": came.head.hash,
        }  # fmt: skip
        with self._journal.adding() as add:
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
            if self._catalogue.block(recorder.device) is None:
                add("blocked", fields)
                self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)

    def note(self, device: str, verdict: Verdict) -> None:
        """Count what came again or too early, and journal where UTC was set back. Raises DiscError."""
        self._catalogue.count(device, {cause.value: times for cause, times in verdict.counted.items()})
        for entry, back_us in verdict.set_back:
            self._note_set_back(device, entry, back_us)

    def _note_set_back(self, device: str, entry: Entry, back_us: int) -> None:
        LOG.warning("clock set back recorder=%s entry=%d by_us=%d", device, entry.seq, back_us)
        if self._catalogue.findings(device).get(Cause.CLOCK_SET_BACK, 0) >= SET_BACK_LIMIT:
            return
        fields = {"recorder": device, "entry_seq": entry.seq, "entry_hash": entry.head.hash, "back_us": back_us}
        with self._journal.adding() as add:
            add(Cause.CLOCK_SET_BACK, fields)
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the dock has found about one recorder: why it is blocked, if it is, and how often which cause was found."""

    blocked: Entry | None
    findings: Mapping[str, int]


def standing_of(folder: DockFolder, device: str) -> Standing:
    """For whoever looks on; what the receiver has journalled is in the catalogue. Raises DiscError."""
    if not folder.catalogue.exists():
        return Standing(None, {})
    catalogue = Catalogue(folder.catalogue)
    try:
        token = catalogue.block(device)
        return Standing(None if token is None else read_entry(token), catalogue.findings(device))
    finally:
        catalogue.close()
