"""The recorder's states: one table, pure. An input that is not in it raises and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from evidence.errors import BadInputError


class State(StrEnum):
    """What the recorder is doing."""

    STANDBY = "standby"
    """Capturing into the pre-event ring."""
    RECORDING = "recording"
    """Every fragment becomes durable."""
    DOCKED = "docked"
    """In the dock: giving its evidence away, capturing nothing that stays."""


class Input(StrEnum):
    """What can happen to it."""

    RECORD = "record"
    STOP = "stop"
    BOOKMARK = "bookmark"
    RESUME = "resume"
    """An interrupted recording goes on after a restart."""
    DOCK = "dock"
    UNDOCK = "undock"


class Action(StrEnum):
    """What the recorder has to do on the way."""

    NOTHING = "nothing"
    START = "start"
    STOP = "stop"
    BOOKMARK = "bookmark"
    RESUME = "resume"
    DOCK = "dock"
    STOP_AND_DOCK = "stop and dock"
    UNDOCK = "undock"


TABLE: Mapping[tuple[State, Input], tuple[State, Action]] = {
    (State.STANDBY, Input.RECORD): (State.RECORDING, Action.START),
    (State.STANDBY, Input.RESUME): (State.RECORDING, Action.RESUME),
    (State.STANDBY, Input.BOOKMARK): (State.STANDBY, Action.BOOKMARK),
    (State.STANDBY, Input.DOCK): (State.DOCKED, Action.DOCK),
    (State.RECORDING, Input.STOP): (State.STANDBY, Action.STOP),
    (State.RECORDING, Input.BOOKMARK): (State.RECORDING, Action.BOOKMARK),
    (State.RECORDING, Input.DOCK): (State.DOCKED, Action.STOP_AND_DOCK),
    (State.DOCKED, Input.UNDOCK): (State.STANDBY, Action.UNDOCK),
}


class IllegalInputError(BadInputError):
    """An input that the present state does not know."""


def step(state: State, given: Input) -> tuple[State, Action]:
    """The next state and what to do. Raises IllegalInputError and changes nothing."""
    try:
        return TABLE[state, given]
    except KeyError as error:
        raise IllegalInputError(f"recorder in {state}", f"has no use for {given}") from error
