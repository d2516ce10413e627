"""What broke the recording and what still needs explaining (pingluo 8, changzhi 21, xuchang 19)."""

from __future__ import annotations

from enum import StrEnum

from device.spool import Spool


class Reason(StrEnum):
    """What an officer may give as the reason of an interruption."""

    DEVICE_FAULT = "device_fault"
    WEATHER = "weather"
    BATTERY = "battery"
    STORAGE = "storage"
    OBSTRUCTION = "obstruction"
    OTHER = "other"


def unexplained(spool: Spool) -> tuple[str, ...]:
    """Interruptions without a reason, oldest first. Raises DiscError."""
    reasons = {fields["interruption"] for fields in spool.fields_of("reason")}
    broken = (fields["interruption"] for fields in spool.fields_of("interruption"))
    return tuple(one for one in broken if one not in reasons)
