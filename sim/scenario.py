"""What the world does to the recorder, and when: a scenario in TOML, read strictly.

Example: `sim/scenarios/shift.toml`. Anything unknown, missing or impossible is a ConfigError of one line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from evidence.errors import ConfigError
from evidence.toml import read_toml
from sim.step_values import read_value
from sim.steps import LONGEST_S, STEPS, Dock, Step


@dataclass(frozen=True, slots=True)
class Temper:
    """How an officer deals with what the recorder asks: how often at all, from 0 to 1, and after how long."""

    diligence: float
    after_s: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A shift as the world sees it: the steps stand in the order of their times.

    Without an `officer`, nobody does anything but what the steps say.
    """

    title: str
    steps: tuple[Step, ...]
    officer: Temper | None = None

    def scaled_to(self, seconds: float) -> Scenario:
        """The same story in a shift of this length, at the end of which the (last) `dock` step falls.

        Outages become shorter with a shorter shift, so that they do not run into the next step, but never longer.
        Raises ConfigError when no step docks the recorder, or none has time to pass before.
        """
        docks = [step.at_s for step in self.steps if isinstance(step, Dock)]
        if not docks or docks[-1] <= 0:
            raise ConfigError(f"scenario {self.title!r}", "does not end in the dock", 'add a step with do = "dock"')
        if not (math.isfinite(seconds) and 0 < seconds <= LONGEST_S):
            raise ConfigError("length of the shift", f"{seconds} s", f"give more than 0 and at most {LONGEST_S:g} s")
        factor = seconds / docks[-1]
        return replace(self, steps=tuple(_scaled(step, factor) for step in self.steps))


def _scaled(step: Step, factor: float) -> Step:
    changes = {"at_s": step.at_s * factor}
    for outage in ("off_s", "for_s"):
        if hasattr(step, outage):
            changes[outage] = getattr(step, outage) * min(factor, 1.0)
    return replace(step, **changes)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises ConfigError."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(str(path), f"cannot be read: {reason}", "give a scenario file") from error
    return parse_scenario(data, str(path))


def parse_scenario(data: bytes, where: str) -> Scenario:
    """Read a scenario; `where` names it in errors. Raises ConfigError."""
    table = read_toml(data, where)
    _refuse_unknown(where, table, ("title", "step"))
    title = table.get("title")
    if not isinstance(title, str) or not title.strip():
        raise ConfigError(where, "title is missing or is not a text", 'write title = "..."')
    rows = table.get("step")
    if not isinstance(rows, list) or not rows:
        raise ConfigError(where, "has no steps", "write at least one [[step]]")
    steps = tuple(_step(f"{where}: step {number}", row) for number, row in enumerate(rows, start=1))
    for number, (before, after) in enumerate(pairwise(steps), start=2):
        if after.at_s < before.at_s:
            what = f"at_s = {after.at_s:g} comes before the step above it ({before.at_s:g})"
            raise ConfigError(f"{where}: step {number}", what, "put the steps in order of time")
    return Scenario(title, steps)


def _step(where: str, row: Any) -> Step:
    if not isinstance(row, dict):
        raise ConfigError(where, f"{row!r} is not a table", "write [[step]]")
    do = row.get("do")
    kind = STEPS.get(do) if isinstance(do, str) else None
    if kind is None:
        raise ConfigError(where, f"do = {repr(do)[:60]} is not known", f"one of: {', '.join(STEPS)}")
    wanted = {field.name: field.default for field in fields(kind)}
    _refuse_unknown(where, row, ("do", *wanted))
    values: dict[str, Any] = {}
    for name, default in wanted.items():
        if name in row:
            values[name] = read_value(kind, name, f"{where}: {name}", row[name])
        elif default is MISSING:
            raise ConfigError(where, f'do = "{do}" needs {name}', f"write {name} = ...")
    return kind(**values)


def _refuse_unknown(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(where, f"{key!r} is not known", f"known here: {', '.join(known)}")
