"""The simulated panel, twice: the real adapter on mock pins, and a quick one for days that pass in minutes.

Both report the same `Press` for the same deed of the officer, and keep what was shown. Pins and holds need real time,
so only the quick one can live under an accelerated clock.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum

from gpiozero.pins.mock import MockFactory, MockPin

from device.gestures import MEANINGS, Button, Gestures
from device.hw.gpiozero_panel import (
    BLUE_PIN,
    BUTTON_PINS,
    BUZZER_PIN,
    CASE_PIN,
    GREEN_PIN,
    HOLDS_S,
    RED_PIN,
    VIBRATION_PIN,
    GpiozeroPanel,
)
from device.ports import Buzz, Clock, Light, Press

PATIENCE_S = 1.0
"""So much longer than needed an officer holds a button that does not do anything."""
KEPT_CHANGES = 100


class Finger(Enum):
    """One movement of a deed."""

    DOWN = "down"
    HOLD = "hold"
    UP = "up"


DEEDS: Mapping[Press, tuple[Button, tuple[Finger, ...]]] = {
    Press.RECORD: (Button.REC, (Finger.DOWN, Finger.UP)),
    Press.STOP: (Button.REC, (Finger.DOWN, Finger.HOLD, Finger.UP)),
    Press.MARK: (Button.MARK, (Finger.DOWN, Finger.UP)),
    Press.NOTE_BEGIN: (Button.MARK, (Finger.DOWN, Finger.HOLD)),
    Press.NOTE_END: (Button.MARK, (Finger.UP,)),
    Press.STILL: (Button.SNAP, (Finger.DOWN, Finger.UP)),
    Press.PAUSE: (Button.SNAP, (Finger.DOWN, Finger.HOLD, Finger.UP)),
}
"""How an officer does what a `Press` of the buttons stands for."""


class Seen:
    """What a panel has shown and sounded: every change of the light and every buzz, with its boot time in us."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.shown: list[tuple[int, Light]] = []
        self.buzzed: list[tuple[int, Buzz]] = []

    def show(self, light: Light) -> None:
        """Change the light. Never blocks."""
        if not self.shown or self.shown[-1][1] is not light:
            self.shown.append((self._clock.now().boot_us, light))

    def buzz(self, buzz: Buzz) -> None:
        """Sound and shake. Never blocks."""
        self.buzzed.append((self._clock.now().boot_us, buzz))


class SimPanel(Seen):
    """A `Panel` without pins: a deed is reported at once, from the thread of the world, however long it would take."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._gestures = Gestures()
        self._light = Light.OFF
        self._case_open = False
        self._on_input: Callable[[Press], None] | None = None

    def start(self, on_input: Callable[[Press], None]) -> None:
        """Report every press from now on, and that the case is open if it is."""
        self._on_input = on_input
        if self._case_open:
            self._report(Press.CASE_OPENED)

    def show(self, light: Light) -> None:
        """Change the light. Never blocks."""
        super().show(light)
        self._light = light

    def press(self, deed: Press) -> None:
        """The officer does what this stands for; before the recorder listens it does nothing."""
        if deed in DEEDS:
            button, fingers = DEEDS[deed]
            for finger in fingers:
                self._report(self._move(button, finger))
        elif self._case_open != (deed is Press.CASE_OPENED):
            self._case_open = not self._case_open
            self._report(deed)

    def _move(self, button: Button, finger: Finger) -> Press | None:
        if finger is Finger.DOWN:
            return self._gestures.down(button, self._light)
        return self._gestures.held(button) if finger is Finger.HOLD else self._gestures.up(button)

    def _report(self, press: Press | None) -> None:
        if press is not None and self._on_input is not None:
            self._on_input(press)


class WorldPin(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """A mock pin that does not remember a whole day of blinking."""

    def clear_states(self) -> None:
        """Forget."""
        super().clear_states()
        self.states: deque[object] = deque(maxlen=KEPT_CHANGES)


class PinPanel(Seen):
    """A `Panel`: the board's own, on mock pins. The world's fingers move pins; what it sees it reads from pins.

    Deeds are done by a hand of its own, one after the other, so that a long hold does not stop the world.
    """

    def __init__(self, clock: Clock, holds_s: Mapping[Button, float] = HOLDS_S) -> None:
        super().__init__(clock)
        self._holds_s = holds_s
        self._pins = MockFactory(pin_class=WorldPin)
        self._panel = GpiozeroPanel(self._pins, holds_s)
        self._awaited: Press | None = None
        self._felt = threading.Event()
        self._deeds: queue.SimpleQueue[Press | None] = queue.SimpleQueue()
        self._hand = threading.Thread(target=self._do_deeds, name="officer's hand", daemon=True)
        self.close_case()
        self._hand.start()

    def start(self, on_input: Callable[[Press], None]) -> None:
        """Report every press from now on, from the panel's own thread."""

        def feel(press: Press) -> None:
            on_input(press)
            if press is self._awaited:
                self._felt.set()

        self._panel.start(feel)

    def show(self, light: Light) -> None:
        """Change the light. Never blocks."""
        super().show(light)
        self._panel.show(light)

    def buzz(self, buzz: Buzz) -> None:
        """Sound and shake. Never blocks."""
        super().buzz(buzz)
        self._panel.buzz(buzz)

    def down(self, button: Button) -> None:
        """A finger presses a button."""
        self._pins.pin(BUTTON_PINS[button]).drive_low()

    def up(self, button: Button) -> None:
        """The finger lets go."""
        self._pins.pin(BUTTON_PINS[button]).drive_high()

    def open_case(self) -> None:
        """Somebody opens the case."""
        self._pins.pin(CASE_PIN).drive_high()

    def close_case(self) -> None:
        """Somebody shuts the case."""
        self._pins.pin(CASE_PIN).drive_low()

    def press(self, deed: Press) -> None:
        """The officer does what this stands for, after what was asked before; returns at once."""
        self._deeds.put(deed)

    @property
    def colour(self) -> tuple[int, int, int]:
        """Red, green and blue as the light shines this instant."""
        red, green, blue = (int(self._pins.pin(pin).state) for pin in (RED_PIN, GREEN_PIN, BLUE_PIN))
        return red, green, blue

    @property
    def loud(self) -> bool:
        """Whether buzzer and motor run this instant."""
        return bool(self._pins.pin(BUZZER_PIN).state and self._pins.pin(VIBRATION_PIN).state)

    def close(self) -> None:
        """Power off."""
        self._deeds.put(None)
        self._felt.set()
        self._hand.join()
        self._panel.close()

    def _do_deeds(self) -> None:
        while (deed := self._deeds.get()) is not None:
            self._do(deed)

    def _do(self, deed: Press) -> None:
        if deed is Press.CASE_OPENED:
            self.open_case()
        elif deed is Press.CASE_CLOSED:
            self.close_case()
        else:
            button, fingers = DEEDS[deed]
            for finger in fingers:
                self._move(button, finger)

    def _move(self, button: Button, finger: Finger) -> None:
        if finger is Finger.DOWN:
            self._felt.clear()
            self._awaited = MEANINGS[button].hold
            self.down(button)
        elif finger is Finger.HOLD:
            # A busy machine may be late to see it; the officer waits for the recorder to answer.
            self._felt.wait(self._holds_s[button] + PATIENCE_S)
        else:
            self.up(button)
