"""The battery in minutes: bands, prompts, and whether it lasts the shift. Pure.

Minutes left are minutes of recording until the recorder seals and stops by itself, which it does with 3 % or two
minutes in hand. After the low-battery alarm 5 to 30 of them remain (GA/T 947.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from device.ports import PowerReading
from device.watch.bands import Bands, Countdown, Limit
from device.watch.discharge import MINUTE_US, UNKNOWN_BATTERY, Discharge, LearntBattery

STOP_PCT = 3.0
STOP_MINUTES = 2.0
"""Where the recorder seals and stops: whichever of the two comes first."""
PROMPT_MINUTES = (30, 20, 10, 5)
HOLD_US = MINUTE_US
"""A gauge may be silent for so long before its level is unknown."""
JUMP_PCT = 5.0
FASTEST_PCT_PER_MINUTE = 2.0
CONFIRM_US = 10_000_000
"""A jump is believed when it has stood for so long: one wrong reading must never stop a recording."""
DOUBTED_PCT = 10.0
"""A first reading as low as this must stand as well."""


class BatteryBand(StrEnum):
    """How the battery is, best first; unknown is none of them."""

    GOOD = "good"
    LOW = "low"
    """The alarm is on."""
    CRITICAL = "critical"
    """Seal now, and stop."""
    UNKNOWN = "unknown"
    """No gauge, or it has fallen silent. Never an alarm."""


BANDS = Bands(
    BatteryBand.GOOD,
    (Limit(BatteryBand.LOW, enter=15, leave=20), Limit(BatteryBand.CRITICAL, enter=0, leave=3)),
)
"""Over minutes left."""


@dataclass(frozen=True, slots=True)
class BatteryState:
    """`announce` are minutes to say aloud now; `shift_left_minutes` is what remains of the planned shift."""

    level_pct: int | None
    minutes_left: int | None
    band: BatteryBand
    announce: int | None
    lasts_shift: bool | None
    shift_left_minutes: int


class Gauge:
    """Believes a gauge: over short silence, in steps, and in jumps only when they stand."""

    def __init__(self) -> None:
        self.level_pct: float | None = None
        self._seen_us = 0
        self._doubted: tuple[int, float] | None = None

    def look(self, boot_us: int, level_pct: float | None) -> bool:
        """Take a reading in; true when the level does not follow from the one before it."""
        if level_pct is None or not 0 <= level_pct <= 100:
            self._doubted = None
            if boot_us - self._seen_us > HOLD_US:
                self.level_pct = None
            return False
        follows = self._follows(boot_us, level_pct)
        if not follows and not self._stands(boot_us, level_pct):
            return False
        jumped = self.level_pct is None or not follows
        self.level_pct, self._seen_us, self._doubted = level_pct, boot_us, None
        return jumped

    def _follows(self, boot_us: int, level_pct: float) -> bool:
        if self.level_pct is None:
            return level_pct > DOUBTED_PCT
        minutes = (boot_us - self._seen_us) / MINUTE_US
        return abs(level_pct - self.level_pct) <= JUMP_PCT + FASTEST_PCT_PER_MINUTE * minutes

    def _stands(self, boot_us: int, level_pct: float) -> bool:
        if self._doubted is None or abs(level_pct - self._doubted[1]) > JUMP_PCT:
            self._doubted = boot_us, level_pct
        return boot_us - self._doubted[0] >= CONFIRM_US


class BatteryWatch:
    """Fed with every reading. `learnt` goes in from the state file and comes out for it."""

    def __init__(self, planned_shift_minutes: int, learnt: LearntBattery = UNKNOWN_BATTERY) -> None:
        self._planned_minutes = planned_shift_minutes
        self._gauge = Gauge()
        self._discharge = Discharge(learnt)
        self._countdown = Countdown(PROMPT_MINUTES)
        self._band: BatteryBand = BatteryBand.GOOD
        self._worn_since_us: int | None = None
        self._stepped: tuple[int, float] = (0, -1.0)

    @property
    def learnt(self) -> LearntBattery:
        """What this battery has shown until now."""
        return self._discharge.learnt

    def look(self, boot_us: int, reading: PowerReading) -> BatteryState:
        """What a reading at `boot_us` means. Boot time never goes back within one watch."""
        begins = self._worn_since_us is None
        shift_left = self._shift_left(boot_us, reading.docked)
        jumped = self._gauge.look(boot_us, reading.level_pct)
        level_pct = self._gauge.level_pct
        if level_pct is None:
            return BatteryState(None, None, BatteryBand.UNKNOWN, None, None, shift_left)
        if jumped or begins or reading.docked:
            self._discharge.restart(boot_us, level_pct)
            self._stepped = boot_us, level_pct
        else:
            self._discharge.look(boot_us, level_pct)
        minutes = self._minutes_left(boot_us, level_pct)
        self._band = BANDS.after(self._band, minutes)
        # In the dock it fills: nothing to stop, and nothing to say.
        band = BatteryBand.LOW if reading.docked and self._band is BatteryBand.CRITICAL else self._band
        announce = None if reading.docked else self._countdown.look(minutes)
        return BatteryState(round(level_pct), int(minutes), band, announce, minutes >= shift_left, shift_left)

    def _minutes_left(self, boot_us: int, level_pct: float) -> float:
        """A gauge in whole percent stands still for minutes; in between the battery goes on emptying."""
        if level_pct != self._stepped[1]:
            self._stepped = boot_us, level_pct
        rate = self._discharge.pct_per_minute
        within_step_pct = min(1.0, rate * (boot_us - self._stepped[0]) / MINUTE_US)
        stop_pct = max(STOP_PCT, STOP_MINUTES * rate)
        return max(0.0, (level_pct - within_step_pct - stop_pct) / rate)

    def _shift_left(self, boot_us: int, docked: bool) -> int:
        if docked:
            self._worn_since_us = None
            return self._planned_minutes
        if self._worn_since_us is None:
            self._worn_since_us = boot_us
        return max(0, self._planned_minutes - (boot_us - self._worn_since_us) // MINUTE_US)
