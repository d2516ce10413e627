"""The clock of a declared pause: when to remind that it ends, and that it has ended. Pure (xuchang 19, changzhi 18)."""

from __future__ import annotations

from dataclasses import dataclass, replace

REMIND_LEFT_S = (600, 300, 60, 0)
OVERDUE_EVERY_S = 300


@dataclass(frozen=True, slots=True)
class Pause:
    """A running pause of at most `limit_s` seconds; `began_us` may lie before this boot, and is negative then."""

    pause: str
    recording: str | None
    began_us: int
    limit_s: int
    reasoned: bool = False
    reminded_left_s: int | None = None

    def left_s(self, now_us: int) -> int:
        """Seconds until the limit; negative beyond it."""
        return self.limit_s - (now_us - self.began_us) // 1_000_000

    def due(self, now_us: int) -> int | None:
        """The mark that has been passed since the last reminder: seconds left, 0 or less when the limit is over."""
        left_s = self.left_s(now_us)
        marks = [mark for mark in REMIND_LEFT_S if mark < self.limit_s]
        if left_s <= 0:
            marks.append(-(-left_s // OVERDUE_EVERY_S) * OVERDUE_EVERY_S)
        passed = [mark for mark in marks if left_s <= mark]
        if not passed or (self.reminded_left_s is not None and min(passed) >= self.reminded_left_s):
            return None
        return min(passed)

    def reminded(self, mark_s: int) -> Pause:
        """The officer was reminded at this mark."""
        return replace(self, reminded_left_s=mark_s)
