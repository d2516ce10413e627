"""What broke the recording and what still needs explaining (pingluo 8, changzhi 21, xuchang 19)."""

from __future__ import annotations

from device.spool import Spool

REASONS = ("device_fault", "weather", "battery", "storage", "obstruction", "other")


def unexplained(spool: Spool) -> tuple[str, ...]:
    """Interruptions without a reason, oldest first. Raises DiscError."""
    reasons = {fields["interruption"] for fields in spool.fields_of("reason")}
    broken = (fields["interruption"] for fields in spool.fields_of("interruption"))
    return tuple(one for one in broken if one not in reasons)
