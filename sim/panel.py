"""The simulated buttons and lights: the world presses, and may look at what was shown."""

from __future__ import annotations

from collections.abc import Callable

from device.ports import Buzz, Light, Press
from sim.clock import SimClock


class SimPanel:
    """A `Panel`. `shown` keeps every change of the light with its boot time in microseconds."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._on_input: Callable[[Press], None] | None = None
        self.shown: list[tuple[int, Light]] = []
        self.buzzed: list[tuple[int, Buzz]] = []

    def start(self, on_input: Callable[[Press], None]) -> None:
        """Report every press from now on, from the thread of the world that presses."""
        self._on_input = on_input

    def show(self, light: Light) -> None:
        """Change the light. Never blocks."""
        if not self.shown or self.shown[-1][1] is not light:
            self.shown.append((self._clock.boot_us(), light))

    def buzz(self, buzz: Buzz) -> None:
        """Sound and shake. Never blocks."""
        self.buzzed.append((self._clock.boot_us(), buzz))

    def press(self, button: Press) -> None:
        """The officer presses a button; one that is pressed before the recorder listens does nothing."""
        self._report(button)

    def _report(self, what: Press) -> None:
        if self._on_input is not None:
            self._on_input(what)
