"""The simulated buttons and lights: the world presses, and may look at what was shown."""

from __future__ import annotations

from collections.abc import Callable

from device.ports import Light, Press, ReasonGiven
from sim.clock import SimClock


class SimPanel:
    """A `Panel`. `shown` keeps every change of the light with its boot time in microseconds."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._on_input: Callable[[Press | ReasonGiven], None] | None = None
        self.shown: list[tuple[int, Light]] = []

    def start(self, on_input: Callable[[Press | ReasonGiven], None]) -> None:
        """Report every press from now on, from the thread of the world that presses."""
        self._on_input = on_input

    def show(self, light: Light) -> None:
        """Change the light. Never blocks."""
        if not self.shown or self.shown[-1][1] is not light:
            self.shown.append((self._clock.boot_us(), light))

    def press(self, button: Press) -> None:
        """The officer presses a button; one that is pressed before the recorder listens does nothing."""
        self._report(button)

    def explain(self, reason: str) -> None:
        """The officer gives one of the known reasons for an interruption."""
        self._report(ReasonGiven(reason))

    def _report(self, what: Press | ReasonGiven) -> None:
        if self._on_input is not None:
            self._on_input(what)
