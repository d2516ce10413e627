"""Three buttons, a case switch, a three-coloured light, a buzzer and a vibration motor at the GPIO header.

Wiring (Broadcom numbers; the number at the header in brackets)::

    REC    4 (7)     to ground when pressed
    MARK   5 (29)    to ground when pressed
    SNAP   6 (31)    to ground when pressed
    case  16 (36)    to ground while the case is shut, so that a cut wire counts as an opened case
    red   22 (15)    each through its resistor to the light, whose cathode is common
    green 12 (32)
    blue  13 (33)
    buzzer    25 (22)  one that sounds by itself, through a transistor
    vibration 26 (37)  through a transistor with a free-wheeling diode

Left free: 0-3 (I2C: HAT memory, battery gauge, clock), 7-11 (SPI), 14 and 15 (UART: satellites), 18-21 (I2S: the sound
card), 17, 23, 24 and 27 (buttons and lights on the usual sound cards). The camera has wires of its own. At power on the
Pi pulls 4 to 6 up and the others down: nothing is pressed, lit or loud before this program runs. 1-wire, which would
take 4, must stay off.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import cycle

import gpiozero

from device.gestures import MEANINGS, Button, Gestures
from device.hw.pattern_player import PatternPlayer
from device.ports import Buzz, Light, Press
from device.signals import BUZZES, LIGHTS
from evidence.errors import CaptureError

BUTTON_PINS: Mapping[Button, int] = {Button.REC: 4, Button.MARK: 5, Button.SNAP: 6}
CASE_PIN = 16
RED_PIN, GREEN_PIN, BLUE_PIN = 22, 12, 13
BUZZER_PIN, VIBRATION_PIN = 25, 26
BOUNCE_S = 0.02
HOLDS_S: Mapping[Button, float] = {button: meaning.hold_s for button, meaning in MEANINGS.items()}
BLACK = (0, 0, 0)

log = logging.getLogger(__name__)


class GpiozeroPanel:
    """A `Panel`. `pins` is a gpiozero pin factory, the board's own by default; `holds_s` how long each hold takes.

    Presses are reported from a thread of the panel's own, in order: an error in whoever listens ends neither that
    thread nor one of gpiozero's. Raises CaptureError without GPIO.
    """

    def __init__(self, pins: gpiozero.Factory | None = None, holds_s: Mapping[Button, float] = HOLDS_S) -> None:
        self._gestures = Gestures()
        self._shown = Light.OFF
        self._case_open = False
        self._on_input: Callable[[Press], None] | None = None
        self._fingers = threading.Lock()
        try:
            with warnings.catch_warnings():
                # gpiozero warns of each pin library that it tries in vain, and then says so in one error.
                warnings.simplefilter("ignore")
                self._open(pins, holds_s)
        except (gpiozero.GPIOZeroError, OSError) as error:
            hint = "on a Raspberry Pi: apt install python3-lgpio, and be in the group gpio"
            raise CaptureError("panel", f"no GPIO: {error}", hint) from error
        self._reporter = ThreadPoolExecutor(1, "panel presses")
        self._lamp = PatternPlayer("panel light", self._put_colour)
        self._alarm = PatternPlayer("panel buzzer", self._put_loud)

    def _open(self, pins: gpiozero.Factory | None, holds_s: Mapping[Button, float]) -> None:
        self._buttons = {
            button: gpiozero.Button(pin, hold_time=holds_s[button], bounce_time=BOUNCE_S, pin_factory=pins)
            for button, pin in BUTTON_PINS.items()
        }
        self._case = gpiozero.DigitalInputDevice(CASE_PIN, pull_up=True, bounce_time=BOUNCE_S, pin_factory=pins)
        self._light = gpiozero.RGBLED(RED_PIN, GREEN_PIN, BLUE_PIN, pwm=False, pin_factory=pins)
        self._noises = [gpiozero.DigitalOutputDevice(pin, pin_factory=pins) for pin in (BUZZER_PIN, VIBRATION_PIN)]

    def start(self, on_input: Callable[[Press], None]) -> None:
        """Report every press from now on, and that the case is open if it is."""
        self._on_input = on_input
        for button, switch in self._buttons.items():
            switch.when_pressed = partial(self._down, button)
            switch.when_held = partial(self._held, button)
            switch.when_released = partial(self._up, button)
        self._case.when_activated = self._look_at_case
        self._case.when_deactivated = self._look_at_case
        # Whoever listens now has not heard of it, whoever has listened before.
        self._case_open = False
        self._look_at_case()

    def show(self, light: Light) -> None:
        """Change the light. Never blocks. The one that is shown already goes on in its rhythm."""
        if light is self._shown:
            return
        self._shown = light
        pattern = LIGHTS[light]
        steady = [(pattern.colour, pattern.on_ms)]
        self._lamp.play(cycle([*steady, (BLACK, pattern.off_ms)]) if pattern.off_ms else steady)

    def buzz(self, buzz: Buzz) -> None:
        """Sound and shake once. Never blocks; a second call cuts the first short."""
        self._alarm.play([step for on_ms, off_ms in BUZZES[buzz] for step in ((True, on_ms), (False, off_ms))])

    def close(self) -> None:
        """Report nothing more, be dark and silent, and give the pins back."""
        for device in (*self._buttons.values(), self._case):
            device.close()
        self._reporter.shutdown()
        self._lamp.close(BLACK)
        self._alarm.close(rest=False)
        for device in (self._light, *self._noises):
            device.close()

    def _down(self, button: Button) -> None:
        with self._fingers:
            self._report(self._gestures.down(button, self._shown))

    def _held(self, button: Button) -> None:
        with self._fingers:
            self._report(self._gestures.held(button))

    def _up(self, button: Button) -> None:
        with self._fingers:
            self._report(self._gestures.up(button))

    def _look_at_case(self) -> None:
        with self._fingers:
            is_open = not self._case.is_active
            if is_open != self._case_open:
                self._case_open = is_open
                self._report(Press.CASE_OPENED if is_open else Press.CASE_CLOSED)

    def _report(self, press: Press | None) -> None:
        if press is not None and self._on_input is not None:
            self._reporter.submit(self._on_input, press).add_done_callback(_log_failure)

    def _put_colour(self, colour: tuple[int, int, int]) -> None:
        self._light.value = colour

    def _put_loud(self, loud: bool) -> None:
        for noise in self._noises:
            noise.value = loud


def _log_failure(reported: Future[None]) -> None:
    error = reported.exception()
    if error is not None:
        log.error("a press was lost: %r", error)
