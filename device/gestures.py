"""What fingers on three buttons mean: presses and holds -> `Press`, one table and one rule for two at once. Pure.

Starting to record must always work, and whatever ends or suspends recording must never happen by chance. So REC
reports RECORD the moment it goes down, whatever else is pressed; everything else needs one button alone. A squeeze in
a struggle can start a recording, and cannot stop or pause one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from device.ports import Light, Press


class Button(StrEnum):
    """The three buttons."""

    REC = "rec"
    MARK = "mark"
    SNAP = "snap"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a button says, and when.

    As it goes `down`; when it is let go before `hold_s` seconds (`tap`) or is still down after them (`hold`); when it
    is let go after that (`end`).
    """

    hold_s: float
    hold: Press
    down: Press | None = None
    tap: Press | None = None
    end: Press | None = None


MEANINGS: Mapping[Button, Meaning] = {
    Button.REC: Meaning(2.0, hold=Press.STOP, down=Press.RECORD),
    Button.MARK: Meaning(0.8, hold=Press.NOTE_BEGIN, tap=Press.MARK, end=Press.NOTE_END),
    Button.SNAP: Meaning(2.0, hold=Press.PAUSE, tap=Press.STILL),
}
RUNNING = frozenset({Light.RECORDING, Light.RECORDING_LOW, Light.INTERRUPTED})
"""Lights of a recording. A press of REC under any other light starts one, and must not stop it by lasting long."""


class Gestures:
    """The fingers on one panel's buttons. Each method gives what is to be reported now, None for nothing.

    Not for use from two threads at once. A release or a hold without its press means nothing.
    """

    def __init__(self) -> None:
        self._down: set[Button] = set()
        self._held: set[Button] = set()
        self._together = False
        self._may_stop = False

    def down(self, button: Button, shown: Light) -> Press | None:
        """A button goes down under this light. From a second one on, until all are up, only REC means anything."""
        self._together = self._together or bool(self._down - {button})
        self._down.add(button)
        if button is Button.REC:
            self._may_stop = shown in RUNNING
        return MEANINGS[button].down

    def held(self, button: Button) -> Press | None:
        """A button has been down for its `hold_s`."""
        forbidden = button is Button.REC and not self._may_stop
        if button not in self._down - self._held or self._together or forbidden:
            return None
        self._held.add(button)
        return MEANINGS[button].hold

    def up(self, button: Button) -> Press | None:
        """A button is let go. What it began with a hold, it ends, whatever else was pressed since."""
        if button not in self._down:
            return None
        said = self._said_by_letting_go(button)
        self._down.remove(button)
        self._held.discard(button)
        self._together = self._together and bool(self._down)
        return said

    def _said_by_letting_go(self, button: Button) -> Press | None:
        if button in self._held:
            return MEANINGS[button].end
        return None if self._together else MEANINGS[button].tap
