"""Named bands over a reading, and the prompts of a countdown: two small rules with hysteresis. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Generic, TypeVar

Band = TypeVar("Band", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Limit(Generic[Band]):
    """A band is entered when the reading reaches `enter`, and left for a better one when it is beyond `leave`.

    Where little is bad `enter` lies below `leave`; where much is bad, above it. Between the two nothing changes.
    """

    band: Band
    enter: float
    leave: float


class Bands(Generic[Band]):
    """The best band, which needs no limit, and the worse ones in order. Raises ValueError for an impossible table."""

    def __init__(self, best: Band, worse: Sequence[Limit[Band]]) -> None:
        self._order = (best, *(limit.band for limit in worse))
        self._sign = 1 if worse[0].enter < worse[0].leave else -1
        self._limits = [(self._sign * limit.enter, self._sign * limit.leave) for limit in worse]
        in_order = all(one[0] > two[0] and one[1] > two[1] for one, two in pairwise(self._limits))
        if len(set(self._order)) < len(self._order) or not in_order or any(e >= leave for e, leave in self._limits):
            raise ValueError(f"bands {', '.join(self._order)} are not in order")

    def after(self, band: Band, reading: float) -> Band:
        """The band that follows `band` at this reading."""
        reading, present = self._sign * reading, self._order.index(band)
        held = [place for place, (enter, leave) in enumerate(self._limits, start=1)
                if reading <= (leave if place <= present else enter)]  # fmt: skip
        return self._order[max(held, default=0)]


class Countdown:
    """Says each step once on the way down, and again only after the reading has been well above the step before it."""

    def __init__(self, steps: Sequence[int]) -> None:
        self._steps = tuple(sorted(steps, reverse=True))
        # A reading says the nearest step, so a step may be said from half-way to the one before it.
        self._again = {step: 1.25 * before for before, step in pairwise((self._steps[0], *self._steps))}
        self._said: set[int] = set()

    def look(self, reading: float) -> int | None:
        """The step to announce now. A reading that falls past several says the nearest one, and those no more."""
        self._said = {step for step in self._said if reading <= self._again[step]}
        due = {step for step in self._steps if reading <= step} - self._said
        if not due:
            return None
        nearest = min(self._steps, key=lambda step: abs(step - reading))
        self._said |= due | {nearest}
        return nearest
