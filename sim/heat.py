"""The simulated board's temperature."""

from __future__ import annotations

from device.ports import HeatReading


class SimThermometer:
    """A `Thermometer` that the world heats and cools."""

    def __init__(self, celsius: float = 45.0) -> None:
        self.celsius = celsius

    def read(self) -> HeatReading:
        """The present state."""
        return HeatReading(self.celsius, throttled=self.celsius >= 80)
