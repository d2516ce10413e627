"""What broke the recording and what still needs explaining (pingluo 8, changzhi 21, xuchang 19)."""

from __future__ import annotations

from evidence.io.journal_store import JournalStore

REASONS = ("device_fault", "weather", "battery", "storage", "obstruction", "other")


def unexplained(journal: JournalStore) -> tuple[str, ...]:
    """Interruptions without a reason, oldest first."""
    reasons = {entry.fields["interruption"] for entry in journal.of_kind("reason")}
    broken = (entry.fields["interruption"] for entry in journal.of_kind("interruption"))
    return tuple(one for one in broken if one not in reasons)
