"""The check before use, at sign-on (weixian 15, xuchang 20): go or no-go, from readings. Pure.

No-go means: take another recorder. It never keeps this one from recording.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from device.watch.battery import BatteryBand, BatteryState
from device.watch.clock import is_believable
from device.watch.heat import HeatBand, HeatState
from device.watch.storage import StorageBand, StorageState
from evidence.model import Timestamp

CERTIFICATE_DAYS = 14
"""Two weeks are enough to enrol again at the dock."""


class Finding(StrEnum):
    """How one item is."""

    OK = "ok"
    WARNING = "warning"
    """Fit for duty, and somebody should look after it."""
    FAILED = "failed"
    """Not fit for duty."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What is looked at. `officer` is the number of the one who wears it, `certificate_days_left` None if unknown."""

    battery: BatteryState
    storage: StorageState
    heat: HeatState
    camera_ok: bool
    microphone_ok: bool
    card_ok: bool
    clock: Timestamp
    officer: str | None
    certificate_days_left: int | None
    open_interruptions: int


@dataclass(frozen=True, slots=True)
class Check:
    """The result: `findings` are (item, state, reading), in the order of the table."""

    fit: bool
    findings: tuple[tuple[str, str, str], ...]

    def to_fields(self) -> dict[str, Any]:
        """The fields of the entry `pre_use_check`."""
        return {"fit": self.fit, "findings": [list(one) for one in self.findings]}


Test = Callable[[Readings], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: what makes the item a no-go, what only a warning, and how its reading is told."""

    item: str
    fails: Test
    warns: Test
    tell: Callable[[Readings], str]


def _never(_: Readings) -> bool:
    return False


def _tell_battery(given: Readings) -> str:
    if given.battery.level_pct is None:
        return "unknown"
    return f"{given.battery.level_pct} %, {given.battery.minutes_left} min"


def _tell_heat(given: Readings) -> str:
    celsius = "unknown" if given.heat.celsius is None else f"{given.heat.celsius} °C"
    return f"{celsius}, throttled" if given.heat.throttled else celsius


def _tell_certificate(given: Readings) -> str:
    return "unknown" if given.certificate_days_left is None else f"{given.certificate_days_left} days"


def _works(works: bool) -> str:
    return "works" if works else "does not work"


RULES = (
    Rule(
        "battery",
        lambda r: r.battery.band in (BatteryBand.LOW, BatteryBand.CRITICAL),
        lambda r: r.battery.band is BatteryBand.UNKNOWN or r.battery.lasts_shift is False,
        _tell_battery,
    ),
    Rule(
        "storage",
        lambda r: r.storage.band is not StorageBand.GOOD,
        lambda r: not r.storage.lasts_shift,
        lambda r: f"{r.storage.minutes_left} min",
    ),
    Rule(
        "heat",
        lambda r: r.heat.band is HeatBand.CRITICAL,
        lambda r: r.heat.band is HeatBand.HOT or r.heat.throttled,
        _tell_heat,
    ),
    Rule("camera", lambda r: not r.camera_ok, _never, lambda r: _works(r.camera_ok)),
    Rule("microphone", lambda r: not r.microphone_ok, _never, lambda r: _works(r.microphone_ok)),
    Rule("card", lambda r: not r.card_ok, _never, lambda r: _works(r.card_ok)),
    Rule("clock", _never, lambda r: not is_believable(r.clock), lambda r: r.clock.grade.value),
    Rule("officer", _never, lambda r: r.officer is None, lambda r: r.officer or "unassigned"),
    Rule(
        "certificate",
        lambda r: r.certificate_days_left is not None and r.certificate_days_left < 0,
        lambda r: r.certificate_days_left is None or r.certificate_days_left < CERTIFICATE_DAYS,
        _tell_certificate,
    ),
    Rule("interruptions", _never, lambda r: r.open_interruptions > 0, lambda r: f"{r.open_interruptions} open"),
)


def check(given: Readings) -> Check:
    """Judge the readings by the table."""
    states = [_state(rule, given) for rule in RULES]
    findings = tuple((rule.item, state.value, rule.tell(given)) for rule, state in zip(RULES, states, strict=True))
    return Check(Finding.FAILED not in states, findings)


def _state(rule: Rule, given: Readings) -> Finding:
    if rule.fails(given):
        return Finding.FAILED
    return Finding.WARNING if rule.warns(given) else Finding.OK
