"""The simulated power: a battery that empties as the recorder's clock runs, and the dock's contacts."""

from __future__ import annotations

import threading
from collections.abc import Callable

from device.ports import PowerReading
from sim.battery import Load, SimBattery


class SimPower:
    """A `PowerSource`; the recorder is worn until the world docks it.

    `boot_us` reads the recorder's clock and `load` says what it does at present. Usable from any thread.
    """

    def __init__(self, battery: SimBattery, boot_us: Callable[[], int], load: Callable[[], Load]) -> None:
        self._battery = battery
        self._boot_us = boot_us
        self._load = load
        self._docked = False
        self._lock = threading.Lock()
        self._seen_us = boot_us()
        self._drawn = load()

    def read(self) -> PowerReading:
        """The present state. Never blocks."""
        with self._lock:
            self._catch_up()
            battery, docked = self._battery, self._docked
            charging = docked and battery.charge_pct < 100
            return PowerReading(docked, battery.level_pct, round(battery.volts, 3), charging)

    def is_gone(self) -> bool:
        """True when the battery has given up: the world then cuts the power."""
        with self._lock:
            self._catch_up()
            return self._battery.is_empty and not self._docked

    def dock(self) -> None:
        """The officer puts the recorder into the dock."""
        self._turn(docked=True)

    def undock(self) -> None:
        """The officer takes it out."""
        self._turn(docked=False)

    def change(self, happen: Callable[[SimBattery], None]) -> None:
        """Something happens to the battery: frost, a collapse, a gauge that falls silent."""
        with self._lock:
            self._catch_up()
            happen(self._battery)

    def _turn(self, docked: bool) -> None:
        with self._lock:
            self._catch_up()
            self._docked = docked

    def _catch_up(self) -> None:
        """The time since the last look went by at the load that was seen then."""
        now_us = self._boot_us()
        self._battery.pass_time((now_us - self._seen_us) / 1_000_000, self._drawn, self._docked)
        self._seen_us, self._drawn = now_us, self._load()
