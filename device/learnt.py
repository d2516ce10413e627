"""What the recorder learns and keeps over restarts: how fast its battery empties. No evidence; lost without harm."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from device.watch.discharge import UNKNOWN_BATTERY, LearntBattery
from evidence.errors import BadInputError, DiscError
from evidence.io.durable import Disc, make_folder

FILE = "battery.json"
log = logging.getLogger(__name__)


def load_learnt(folder: Path) -> LearntBattery:
    """What an earlier run kept; what cannot be read is said and learnt anew."""
    path = folder / FILE
    try:
        return LearntBattery.from_fields(json.loads(path.read_text("utf-8")), str(path))
    except FileNotFoundError:
        return UNKNOWN_BATTERY
    except (OSError, ValueError, RecursionError, BadInputError) as error:
        log.warning("%s: learnt anew: %s", path, error)
        return UNKNOWN_BATTERY


def keep_learnt(folder: Path, learnt: LearntBattery, disc: Disc) -> None:
    """Keep it for the next run. A card that refuses costs nothing but that."""
    try:
        make_folder(folder)
        disc.replace(folder / FILE, json.dumps(learnt.to_fields()).encode())
    except DiscError as error:
        log.warning("not kept: %s", error)
