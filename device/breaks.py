"""What the recorder tells the controller, and the interruption that is running."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

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
