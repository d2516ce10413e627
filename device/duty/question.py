"""A question that the officer answers with gloves on: one press of MARK is the first answer, two are the second. Pure.

Each press is counted back by voice; when no further press comes, the answer stands.
"""

from __future__ import annotations

from dataclasses import dataclass

SETTLE_US = 2_500_000
"""So long after the last press, and after the voice has counted it back, the choice stands."""


@dataclass(frozen=True, slots=True)
class Question:
    """`subject` is the interruption or pause that is asked about, `options` the codes in the order of presses."""

    subject: str
    options: tuple[str, ...]
    until_us: int
    presses: int = 0
    settles_us: int = 0

    @property
    def chosen(self) -> str | None:
        """What the presses so far mean."""
        return self.options[self.presses - 1] if self.presses else None

    def press(self) -> Question:
        """One press more; after the last option comes the first again. `spoken` has to follow."""
        return Question(self.subject, self.options, self.until_us, self.presses % len(self.options) + 1)

    def spoken(self, until_us: int) -> Question:
        """The voice has counted back until then."""
        return Question(self.subject, self.options, self.until_us, self.presses, until_us + SETTLE_US)

    def settled(self, now_us: int) -> bool:
        """The choice stands."""
        return self.presses > 0 and now_us >= self.settles_us

    def expired(self, now_us: int) -> bool:
        """Nobody has answered."""
        return self.presses == 0 and now_us >= self.until_us
