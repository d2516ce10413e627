"""What the recorder learns and keeps over restarts: how fast its battery empties. No evidence; lost without harm."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from device.watch.discharge import UNKNOWN_BATTERY, LearntBattery
from evidence.errors import BadInputError, DiscError
from evidence.io.durable import Disc, make_folder

FILE = "battery.json"
ENOUGH_MINUTES = 300.0
"""Less use than this says nothing about a battery's health."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Learnt:
    """How the battery empties now, and how slowly it did in its best time, in percent a minute; None at first."""

    battery: LearntBattery
    best_pct_per_minute: float | None

    def now(self, battery: LearntBattery) -> Learnt:
        """With what it has shown since."""
        if battery.minutes < ENOUGH_MINUTES:
            return Learnt(battery, self.best_pct_per_minute)
        rate = battery.pct_per_minute
        best = rate if self.best_pct_per_minute is None else min(rate, self.best_pct_per_minute)
        return Learnt(battery, best)

    @property
    def capacity_pct(self) -> float | None:
        """What the battery holds, of what it held in its best time; None while too little is known."""
        if self.best_pct_per_minute is None or self.battery.minutes < ENOUGH_MINUTES:
            return None
        return 100 * self.best_pct_per_minute / self.battery.pct_per_minute


def load_learnt(folder: Path) -> Learnt:
    """What an earlier run kept; what cannot be read is said and learnt anew."""
    path = folder / FILE
    try:
        return _read(json.loads(path.read_text("utf-8")), str(path))
    except FileNotFoundError:
        return Learnt(UNKNOWN_BATTERY, None)
    except (OSError, ValueError, RecursionError, BadInputError) as error:
        log.warning("%s: learnt anew: %s", path, error)
        return Learnt(UNKNOWN_BATTERY, None)


def keep_learnt(folder: Path, learnt: Learnt, disc: Disc) -> None:
    """Keep it for the next run. A card that refuses costs nothing but that."""
    fields = {**learnt.battery.to_fields(), "best_pct_per_minute": learnt.best_pct_per_minute}
    try:
        make_folder(folder)
        disc.replace(folder / FILE, json.dumps(fields).encode())
    except DiscError as error:
        log.warning("not kept: %s", error)


def _read(fields: object, where: str) -> Learnt:
    battery = LearntBattery.from_fields(fields, where)
    best = fields.get("best_pct_per_minute") if isinstance(fields, dict) else None
    known = isinstance(best, float) and 0 < best < 100
    return Learnt(battery, best if known else None)
