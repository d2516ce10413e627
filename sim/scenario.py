"""What the world does to the recorder, and when: a scenario in TOML, read strictly.

Example: `sim/scenarios/shift.toml`. Anything unknown, missing or impossible is a ConfigError of one line.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from enum import StrEnum
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from device.interruptions import Reason
from device.ports import Press
from evidence.errors import ConfigError
from evidence.model import ClockGrade

LONGEST_S = 7 * 86_400.0
LARGEST_CLOCK_STEP_S = 10 * 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Step:
    """Something happens, `at_s` seconds after the shift began."""

    at_s: float


@dataclass(frozen=True, slots=True)
class PressButton(Step):
    """The officer presses a button."""

    button: Press


@dataclass(frozen=True, slots=True)
class Explain(Step):
    """The officer gives the reason of the oldest open interruption."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Dock(Step):
    """The officer puts the recorder into the dock."""


@dataclass(frozen=True, slots=True)
class Undock(Step):
    """The officer takes the recorder out of the dock."""


@dataclass(frozen=True, slots=True)
class ClockStep(Step):
    """Somebody sets the recorder's UTC."""

    by_s: float
    grade: ClockGrade


@dataclass(frozen=True, slots=True)
class PowerCut(Step):
    """The battery comes loose for `off_s` seconds."""

    off_s: float = 3.0


@dataclass(frozen=True, slots=True)
class BrokerKill(Step):
    """The broker is killed, and started again after `off_s` seconds."""

    off_s: float


@dataclass(frozen=True, slots=True)
class DockKill(Step):
    """The dock's receiver is killed, and started again after `off_s` seconds."""

    off_s: float


@dataclass(frozen=True, slots=True)
class CameraHang(Step):
    """The camera gives no picture for `for_s` seconds."""

    for_s: float


@dataclass(frozen=True, slots=True)
class MicrophoneUnplug(Step):
    """The microphone is unplugged for `for_s` seconds."""

    for_s: float


STEPS: Mapping[str, type[Step]] = {
    "press": PressButton,
    "explain": Explain,
    "dock": Dock,
    "undock": Undock,
    "clock_step": ClockStep,
    "power_cut": PowerCut,
    "broker_kill": BrokerKill,
    "dock_kill": DockKill,
    "camera_hang": CameraHang,
    "microphone_unplug": MicrophoneUnplug,
}
"""What may stand in `do`."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A shift as the world sees it: the steps stand in the order of their times."""

    title: str
    steps: tuple[Step, ...]

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
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(str(path), f"cannot be read: {reason}", "give a scenario file") from error
    return parse_scenario(text, str(path))


def parse_scenario(text: str, where: str) -> Scenario:
    """Read a scenario; `where` names it in errors. Raises ConfigError."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(where, f"is not TOML: {' '.join(str(error).split())}") from error
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
        raise ConfigError(where, f"do = {do!r} is not known", f"one of: {', '.join(STEPS)}")
    wanted = {field.name: field.default for field in fields(kind)}
    _refuse_unknown(where, row, ("do", *wanted))
    values: dict[str, Any] = {}
    for name, default in wanted.items():
        if name in row:
            values[name] = READERS[name](f"{where}: {name}", row[name])
        elif default is MISSING:
            raise ConfigError(where, f'do = "{do}" needs {name}', f"write {name} = ...")
    return kind(**values)


def _refuse_unknown(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(where, f"{key!r} is not known", f"known here: {', '.join(known)}")


def _number(least: float, most: float, where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigError(where, f"{value!r} cannot be", f"give a number from {least:g} to {most:g}")
    return float(value)


def _word(words: type[StrEnum], where: str, value: Any) -> StrEnum:
    if not isinstance(value, str) or value not in {word.value for word in words}:
        raise ConfigError(where, f"{value!r} is not known", f"one of: {', '.join(words)}")
    return words(value)


READERS: Mapping[str, Callable[[str, Any], float | StrEnum]] = {
    "at_s": partial(_number, 0.0, LONGEST_S),
    "off_s": partial(_number, 0.0, LONGEST_S),
    "for_s": partial(_number, 0.0, LONGEST_S),
    "by_s": partial(_number, -LARGEST_CLOCK_STEP_S, LARGEST_CLOCK_STEP_S),
    "button": partial(_word, Press),
    "reason": partial(_word, Reason),
    "grade": partial(_word, ClockGrade),
}
"""How each key of a step is read."""
