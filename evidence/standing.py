"""What an interruption still needs: one table over the kinds of entries that speak of it. Pure.

Every interruption has a machine cause at once. It stays open until the officer says why (pingluo 8, changzhi 21,
xuchang 19). One that could not be resumed in time is reported to the head of the unit, and then wants writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """How far the explanation of an interruption has come."""

    OPEN = "open"
    """Nobody has said why."""
    EXPLAINED = "explained"
    """The officer gave a reason, by voice or by button."""
    REPORTED = "reported"
    """The head of the unit was told; only a written explanation closes it."""
    WRITTEN = "written"
    """The dock holds the written explanation."""


TABLE: Mapping[tuple[Standing, str], Standing] = {
    (Standing.OPEN, "reason"): Standing.EXPLAINED,
    (Standing.OPEN, "reported"): Standing.REPORTED,
    (Standing.OPEN, "written"): Standing.WRITTEN,
    (Standing.EXPLAINED, "reported"): Standing.REPORTED,
    (Standing.EXPLAINED, "written"): Standing.WRITTEN,
    (Standing.REPORTED, "written"): Standing.WRITTEN,
}
"""What is not here changes nothing: a second reason, a report that comes twice."""

STANDING_KINDS = ("interruption", *dict.fromkeys(kind for _, kind in TABLE))
"""The kinds of entries that `standings` looks at."""


def standings(told: Iterable[tuple[str, Mapping[str, Any]]], written: Iterable[str] = ()) -> dict[str, Standing]:
    """The standing of every interruption, oldest first, from entries in order, each as kind and fields.

    `written` names those that the dock's own journal holds an `explanation` of.
    """
    found: dict[str, Standing] = {}
    for kind, fields in told:
        if kind not in STANDING_KINDS:
            continue
        name = fields["interruption"]
        if kind == "interruption":
            found.setdefault(name, Standing.OPEN)
        elif name in found:
            found[name] = TABLE.get((found[name], kind), found[name])
    for name in written:
        if name in found:
            found[name] = TABLE.get((found[name], "written"), found[name])
    return found
