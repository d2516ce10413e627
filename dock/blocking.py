"""What the dock does about a recorder that has shown itself to be two, or another: it blocks it, and says why.

Only what the recorder's own key has signed blocks it (`evidence.forks`), so that nobody on the way can. Nothing of it
is lost: it records on, and what it sends lands, its footage in `dock/incoming`, the other branch of its journal in
quarantine. Nothing of it is finished: no receipt, so that it keeps its own copy for whoever looks into it.
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
from evidence.journal import Entry, read_entry, token_hash

LOG = logging.getLogger("liuhen.dock")
SET_BACK_LIMIT = 256
"""So often the dock's journal says that a recorder's clock was set back; a broken one must not fill it."""


class Blocking:
    """The receiver's side."""

    def __init__(self, journal: DockJournal, catalogue: Catalogue) -> None:
        self._journal = journal
        self._catalogue = catalogue

    def block(self, recorder: Recorder, error: ForkError) -> None:
        """Journal that it is blocked, unless it is; once more where it is seen only now where the branches part.

        What it was blocked for and cleared of does not block it again: whoever has kept a copy could do that for ever.
        Raises DiscError.
        """
        came = error.came
        fields = {
            "recorder": recorder.device, "why": error.cause.value,
            "entry_seq": came.seq, "entry_hash": error.held_hash, "other_hash": came.head.hash,
        }  # fmt: skip
        with self._journal.adding() as add:
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
            if self._says_more(recorder.device, error):
                LOG.error("BLOCKED recorder=%s cause=%s entry=%d", recorder.device, error.cause, came.seq)
                add("blocked", fields)
                self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
        recorder.blocked = self._catalogue.block(recorder.device) is not None

    def _says_more(self, device: str, error: ForkError) -> bool:
        if self._catalogue.blocked_for(device, token_hash(error.came.token)):
            return False
        known = self._catalogue.block(device)
        return known is None or (error.parts_here and error.came.seq < read_entry(known).fields["entry_seq"])

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
    """Why a recorder is blocked, and how often which cause was found with it."""

    blocked: Entry
    findings: Mapping[str, int]


def blocked_recorders(folder: DockFolder) -> list[Standing]:
    """Those that wait for two persons, as far as the receiver has journalled. Raises DiscError."""
    if not folder.catalogue.exists():
        return []
    catalogue = Catalogue(folder.catalogue)
    try:
        entries = [read_entry(token) for token in catalogue.blocks()]
        return [Standing(entry, catalogue.findings(str(entry.fields["recorder"]))) for entry in entries]
    finally:
        catalogue.close()
