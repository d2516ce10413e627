"""How fast a battery empties: what the last minutes show, blended with what this battery has shown before. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.errors import BadInputError

MINUTE_US = 60_000_000
RECENT_US = 40 * MINUTE_US
PRIOR_MINUTES = 40.0
"""What was learnt weighs as much as so many recent minutes: a few steps of a gauge are no trend."""
MARK_US = 10_000_000
MEMORY_MINUTES = 1200.0
"""Two to three shifts: a battery ages over months, and load and season change faster."""
MOST = 1e6
"""More minutes, or percent, than any state file can have come by."""
SLOWEST_PCT_PER_MINUTE = 0.02
"""Nothing that records lasts longer than three days; it also keeps the minutes finite."""


@dataclass(frozen=True, slots=True)
class LearntBattery:
    """What this battery has shown: it fell by `fallen_pct` in `minutes` of use. Old use fades."""

    fallen_pct: float
    minutes: float

    @property
    def pct_per_minute(self) -> float:
        """Percent of the gauge a minute, on the average."""
        return max(SLOWEST_PCT_PER_MINUTE, self.fallen_pct / self.minutes)

    def plus(self, fallen_pct: float, minutes: float) -> LearntBattery:
        """With so much more use; a gauge that rises a little takes back what it fell too much."""
        fade = min(1.0, MEMORY_MINUTES / (self.minutes + minutes))
        return LearntBattery(max(0.0, self.fallen_pct + fallen_pct) * fade, (self.minutes + minutes) * fade)

    def to_fields(self) -> dict[str, float]:
        """The JSON form, for the agent's state file."""
        return {"fallen_pct": self.fallen_pct, "minutes": self.minutes}

    @classmethod
    def from_fields(cls, fields: Any, where: str) -> LearntBattery:
        """Read the JSON form. Raises BadInputError for anything else."""
        given = fields if isinstance(fields, Mapping) else {}
        fallen_pct, minutes = _amount(given.get("fallen_pct")), _amount(given.get("minutes"))
        if fallen_pct is None or not minutes:
            raise BadInputError(where, "is not what a battery has shown", "remove it; the recorder learns anew")
        return cls(fallen_pct, minutes)


UNKNOWN_BATTERY = LearntBattery(fallen_pct=12.5, minutes=60.0)
"""Nothing is known: eight hours from full to empty, and soon outweighed by what is seen."""


def _amount(value: Any) -> float | None:
    possible = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST
    return float(value) if possible else None


class Discharge:
    """The present rate, from levels as they come."""

    def __init__(self, learnt: LearntBattery) -> None:
        self.learnt = learnt
        self._marks: deque[tuple[int, float]] = deque()
        self._last = (0, 0.0)
        self._fallen_pct = 0.0

    def restart(self, boot_us: int, level_pct: float) -> None:
        """What came before says nothing of what follows: it was charged, or the gauge has thought again."""
        self._marks.clear()
        self._marks.append((boot_us, self._fallen_pct))
        self._last = boot_us, level_pct

    def look(self, boot_us: int, level_pct: float) -> None:
        """The next level of the same discharge."""
        last_us, last_pct = self._last
        self._last = boot_us, level_pct
        self._fallen_pct += last_pct - level_pct
        self.learnt = self.learnt.plus(last_pct - level_pct, max(0, boot_us - last_us) / MINUTE_US)
        if boot_us - self._marks[-1][0] >= MARK_US:
            self._marks.append((boot_us, self._fallen_pct))
        while len(self._marks) > 1 and boot_us - self._marks[0][0] > RECENT_US:
            self._marks.popleft()

    @property
    def pct_per_minute(self) -> float:
        """Percent of the gauge a minute, now."""
        begin_us, begin_pct = self._marks[0] if self._marks else (self._last[0], self._fallen_pct)
        minutes = (self._last[0] - begin_us) / MINUTE_US
        fallen_pct = self._fallen_pct - begin_pct + PRIOR_MINUTES * self.learnt.pct_per_minute
        return max(SLOWEST_PCT_PER_MINUTE, fallen_pct / (minutes + PRIOR_MINUTES))
