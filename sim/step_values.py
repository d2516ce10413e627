"""How the values of a scenario's steps are read: strictly, each within what the world can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from device.interruptions import PauseReason, Reason
from device.ports import Press
from evidence.errors import ConfigError
from evidence.model import ClockGrade
from sim.steps import (
    LONGEST_S,
    Ambient,
    Answer,
    AnswerPause,
    Battery,
    BatteryCollapse,
    By,
    CardError,
    CardFull,
    ClockStep,
    Line,
    PressButton,
    Speak,
    SpeakNote,
    Step,
)

LARGEST_CLOCK_STEP_S = 10 * 366 * 86_400.0
LARGEST_CARD_MB = 1_000_000.0


def _number(least: float, most: float, where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigError(where, f"{value!r} cannot be", f"give a number from {least:g} to {most:g}")
    return float(value)


def _word(words: type[StrEnum], where: str, value: Any) -> StrEnum:
    if not isinstance(value, str) or value not in {word.value for word in words}:
        raise ConfigError(where, f"{repr(value)[:60]} is not known", f"one of: {', '.join(words)}")
    return words(value)


Reader = Callable[[str, Any], float | StrEnum]
DURATION: Reader = partial(_number, 0.0, LONGEST_S)
READERS: Mapping[tuple[type[Step], str], Reader] = {
    (PressButton, "button"): partial(_word, Press),
    (Answer, "reason"): partial(_word, Reason),
    (Answer, "by"): partial(_word, By),
    (AnswerPause, "reason"): partial(_word, PauseReason),
    (Speak, "line"): partial(_word, Line),
    (SpeakNote, "line"): partial(_word, Line),
    (ClockStep, "by_s"): partial(_number, -LARGEST_CLOCK_STEP_S, LARGEST_CLOCK_STEP_S),
    (ClockStep, "grade"): partial(_word, ClockGrade),
    (Battery, "charge_pct"): partial(_number, 0.0, 100.0),
    (Battery, "health"): partial(_number, 0.05, 1.0),
    (BatteryCollapse, "to_pct"): partial(_number, 0.0, 99.0),
    (Ambient, "celsius"): partial(_number, -40.0, 90.0),
    (CardFull, "free_mb"): partial(_number, 0.0, LARGEST_CARD_MB),
    (CardError, "count"): partial(_number, 1.0, 1_000_000.0),
}
"""How each key of a step is read; what is not here is a time in seconds."""


def read_value(kind: type[Step], name: str, where: str, value: Any) -> float | StrEnum:
    """One value of a step. Raises ConfigError."""
    return READERS.get((kind, name), DURATION)(where, value)
