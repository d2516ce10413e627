"""What the recorder tells the controller, and the interruption that is running."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from evidence.model import Timestamp


class Happening(Enum):
    """What the recorder tells the controller."""

    BROKEN = auto()
    MENDED = auto()
    CAMERA_LOST = auto()
    CAMERA_BACK = auto()
    SOUND_LOST = auto()
    SOUND_BACK = auto()
    CARD_REFUSED = auto()
    CARD_TAKES = auto()


@dataclass(slots=True)
class Break:
    """A running interruption: it ends with the next fragment that the card takes.

    That is not tried before `retry_boot_us`, and not at all while it is `held`.
    """

    interruption: str
    cause: str
    began: Timestamp
    retry_boot_us: int
    held: bool = False

    def waits(self, now_us: int, stopping: bool) -> bool:
        """Whether the card is not to be tried now; before the end of a recording it is tried in any case."""
        return self.held or (not stopping and now_us < self.retry_boot_us)

    def ends_with(self, boot: str, first_frame_boot_us: int) -> bool:
        """Whether a durable fragment ends it: one that was seen before proves nothing about what broke."""
        return self.began.boot != boot or first_frame_boot_us >= self.began.boot_us

    def to_fields(self, recording: str, part: str | None) -> dict[str, Any]:
        """The fields of the entry `interruption`."""
        return {
            "interruption": self.interruption,
            "recording": recording,
            "cause": self.cause,
            "part": part,
            "began": self.began.to_fields(),
        }
