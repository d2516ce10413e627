"""Two buttons and a three-coloured light at the GPIO header, through gpiozero."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from device.hw.missing import missing_library
from device.ports import Buzz, Light, Press
from device.signals import LIGHTS
from evidence.errors import CaptureError

# Broadcom numbers; the buttons connect to ground, the light has a common cathode.
RECORD_PIN = 17
MARK_PIN = 27
RED_PIN, GREEN_PIN, BLUE_PIN = 22, 23, 24
HOLD_S = 2.0
BOUNCE_S = 0.02


class GpiozeroPanel:
    """A `Panel`. REC: a press records, and a press of two seconds while recording stops. MARK: a press bookmarks.

    Presses are reported from gpiozero's threads. Raises ConfigError without gpiozero, CaptureError without GPIO.
    """

    def __init__(self, hold_s: float = HOLD_S) -> None:
        try:
            import gpiozero  # noqa: PLC0415  only a recorder has it
        except ImportError as error:
            raise missing_library("panel", "python3-gpiozero", error) from error
        self._shown = Light.OFF
        self._may_stop = False
        try:
            with warnings.catch_warnings():
                # gpiozero warns of each pin library that it tries in vain, and then says so in one error.
                warnings.simplefilter("ignore")
                self._record = gpiozero.Button(RECORD_PIN, hold_time=hold_s, bounce_time=BOUNCE_S)
                self._mark = gpiozero.Button(MARK_PIN, bounce_time=BOUNCE_S)
                self._light = gpiozero.RGBLED(RED_PIN, GREEN_PIN, BLUE_PIN, pwm=False)
        except (gpiozero.GPIOZeroError, OSError) as error:
            hint = "on a Raspberry Pi: apt install python3-lgpio, and be in the group gpio"
            raise CaptureError("panel", f"no GPIO: {error}", hint) from error

    def start(self, on_input: Callable[[Press], None]) -> None:
        def record() -> None:
            # The press that starts a recording must not stop it again by lasting long.
            self._may_stop = self._shown in {Light.RECORDING, Light.FAULT}
            on_input(Press.RECORD)

        def hold() -> None:
            if self._may_stop:
                on_input(Press.STOP)

        self._record.when_pressed = record
        self._record.when_held = hold
        self._mark.when_pressed = lambda: on_input(Press.MARK)

    def show(self, light: Light) -> None:
        self._shown = light
        self._light.value = LIGHTS[light].colour

    def buzz(self, buzz: Buzz) -> None:
        pass
