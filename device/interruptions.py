"""What may explain an interruption or a pause, and what still needs explaining (pingluo 8, changzhi 21, xuchang 19)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from device.spool import Spool
from evidence.standing import STANDING_KINDS, Standing, standings


class Reason(StrEnum):
    """What an officer may give as the reason of an interruption; chosen by as many presses of MARK."""

    DEVICE_FAULT = "device_fault"
    WEATHER = "weather"
    BATTERY = "battery"
    STORAGE = "storage"
    OBSTRUCTION = "obstruction"
    OTHER = "other"


SPOKEN = "spoken"
"""The reason is what the officer says in the note."""


class PauseReason(StrEnum):
    """Why recording may be suspended."""

    DANGEROUS_CHEMICALS = "dangerous_chemicals"
    SECRETS = "secrets"
    UNSUITABLE = "unsuitable"
    ORDERED = "ordered"


AUTHORITIES: Mapping[PauseReason, str] = {
    PauseReason.DANGEROUS_CHEMICALS: "xuchang 19",
    PauseReason.SECRETS: "xuchang 19",
    PauseReason.UNSUITABLE: "changzhi 18",
    PauseReason.ORDERED: "head of the unit",
}
"""Who or what allows it."""


def standing_of_all(spool: Spool) -> dict[str, Standing]:
    """The standing of every interruption that the card knows or has refused to take, oldest first. Raises DiscError."""
    return standings(spool.told(*STANDING_KINDS))


def unexplained(spool: Spool) -> tuple[str, ...]:
    """Interruptions that nobody has said a reason for, oldest first. Raises DiscError."""
    reasoned = {fields["interruption"] for _, fields in spool.told("reason")}
    needy = {Standing.OPEN, Standing.REPORTED}
    return tuple(one for one, state in standing_of_all(spool).items() if state in needy and one not in reasoned)
