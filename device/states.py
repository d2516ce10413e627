"""The recorder's states: one table, pure. An input that is not in it raises and changes nothing.

docs/STATES.md is drawn from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from evidence.errors import BadInputError


class State(StrEnum):
    """What the recorder is doing."""

    STARTING = "starting"
    """Switched on, no picture yet."""
    STANDBY = "standby"
    """Capturing into the pre-event ring."""
    RECORDING = "recording"
    """Every fragment becomes durable."""
    PAUSED = "paused"
    """A declared pause where it must not run: nothing is kept, not even in memory (xuchang 19, changzhi 18)."""
    INTERRUPTED = "interrupted"
    """A recording is running, but something keeps it from becoming durable."""
    DOCKED = "docked"
    """In the dock: giving its evidence away, capturing nothing that stays."""
    STOPPING = "stopping"
    """Sealing, then off. Nothing leads out of it."""
    FAULT = "fault"
    """No picture, and no recording running."""


class Input(StrEnum):
    """What can happen to it."""

    READY = "picture comes"
    """The camera gives pictures (again)."""
    CAMERA_LOST = "picture lost"
    RECORD = "REC pressed"
    STOP = "REC held"
    MARK = "MARK pressed"
    NOTE_BEGIN = "MARK held"
    NOTE_END = "MARK let go"
    STILL = "SNAP pressed"
    PAUSE = "SNAP held"
    BROKEN = "recording broke"
    MENDED = "recording goes on"
    RESUME = "broken recording found"
    """At start: the last run left a recording that was interrupted."""
    RESUME_PAUSE = "pause found"
    """At start: the last run left a declared pause."""
    DOCK = "put into dock"
    UNDOCK = "taken out of dock"
    SHUT_DOWN = "switch off"
    BATTERY_CRITICAL = "battery critical"


class Action(StrEnum):
    """What the recorder has to do on the way."""

    NOTHING = "nothing"
    CHECK = "check before use"
    START = "start recording"
    STOP = "stop recording"
    MARK = "bookmark or choose"
    BEGIN_NOTE = "begin note"
    END_NOTE = "end note"
    STILL = "take photo"
    PAUSE = "pause"
    EXTEND_PAUSE = "extend pause"
    END_PAUSE = "end pause, record"
    END_PAUSE_AND_STOP = "end pause, stop"
    TELL_BROKEN = "tell of the break"
    ASK_REASON = "ask for the reason"
    GO_ON = "go on, check"
    DOCK = "dock"
    STOP_AND_DOCK = "stop, dock"
    END_PAUSE_AND_DOCK = "end pause, dock"
    UNDOCK = "undock, sign on"
    SHUT_DOWN = "switch off"
    POWER_DOWN = "seal, switch off"


S, G, A = State, Input, Action

TABLE: Mapping[tuple[State, Input], tuple[State, Action]] = {
    (S.STARTING, G.READY): (S.STANDBY, A.CHECK),
    # An officer who presses at once must not wait for the picture.
    (S.STARTING, G.RECORD): (S.RECORDING, A.START),
    (S.STARTING, G.CAMERA_LOST): (S.FAULT, A.NOTHING),
    (S.STARTING, G.RESUME): (S.INTERRUPTED, A.GO_ON),
    (S.STARTING, G.RESUME_PAUSE): (S.PAUSED, A.NOTHING),
    (S.STARTING, G.DOCK): (S.DOCKED, A.DOCK),
    (S.STARTING, G.SHUT_DOWN): (S.STOPPING, A.SHUT_DOWN),
    (S.STANDBY, G.RECORD): (S.RECORDING, A.START),
    (S.STANDBY, G.MARK): (S.STANDBY, A.MARK),
    (S.STANDBY, G.NOTE_BEGIN): (S.STANDBY, A.BEGIN_NOTE),
    (S.STANDBY, G.NOTE_END): (S.STANDBY, A.END_NOTE),
    (S.STANDBY, G.STILL): (S.STANDBY, A.STILL),
    (S.STANDBY, G.PAUSE): (S.PAUSED, A.PAUSE),
    (S.STANDBY, G.CAMERA_LOST): (S.FAULT, A.NOTHING),
    (S.STANDBY, G.DOCK): (S.DOCKED, A.DOCK),
    (S.STANDBY, G.SHUT_DOWN): (S.STOPPING, A.SHUT_DOWN),
    (S.STANDBY, G.BATTERY_CRITICAL): (S.STOPPING, A.POWER_DOWN),
    # Every hold begins as a press: it must not be felt as one that has no use.
    (S.RECORDING, G.RECORD): (S.RECORDING, A.NOTHING),
    (S.RECORDING, G.STOP): (S.STANDBY, A.STOP),
    (S.RECORDING, G.MARK): (S.RECORDING, A.MARK),
    (S.RECORDING, G.NOTE_BEGIN): (S.RECORDING, A.BEGIN_NOTE),
    (S.RECORDING, G.NOTE_END): (S.RECORDING, A.END_NOTE),
    (S.RECORDING, G.STILL): (S.RECORDING, A.STILL),
    (S.RECORDING, G.PAUSE): (S.PAUSED, A.PAUSE),
    (S.RECORDING, G.BROKEN): (S.INTERRUPTED, A.TELL_BROKEN),
    (S.RECORDING, G.DOCK): (S.DOCKED, A.STOP_AND_DOCK),
    (S.RECORDING, G.SHUT_DOWN): (S.STOPPING, A.SHUT_DOWN),
    (S.RECORDING, G.BATTERY_CRITICAL): (S.STOPPING, A.POWER_DOWN),
    (S.INTERRUPTED, G.MENDED): (S.RECORDING, A.ASK_REASON),
    (S.INTERRUPTED, G.RECORD): (S.INTERRUPTED, A.NOTHING),
    (S.INTERRUPTED, G.STOP): (S.STANDBY, A.STOP),
    (S.INTERRUPTED, G.MARK): (S.INTERRUPTED, A.MARK),
    (S.INTERRUPTED, G.NOTE_BEGIN): (S.INTERRUPTED, A.BEGIN_NOTE),
    (S.INTERRUPTED, G.NOTE_END): (S.INTERRUPTED, A.END_NOTE),
    (S.INTERRUPTED, G.DOCK): (S.DOCKED, A.STOP_AND_DOCK),
    (S.INTERRUPTED, G.SHUT_DOWN): (S.STOPPING, A.SHUT_DOWN),
    (S.INTERRUPTED, G.BATTERY_CRITICAL): (S.STOPPING, A.POWER_DOWN),
    (S.PAUSED, G.RECORD): (S.RECORDING, A.END_PAUSE),
    (S.PAUSED, G.STOP): (S.STANDBY, A.END_PAUSE_AND_STOP),
    (S.PAUSED, G.PAUSE): (S.PAUSED, A.EXTEND_PAUSE),
    (S.PAUSED, G.MARK): (S.PAUSED, A.MARK),
    (S.PAUSED, G.DOCK): (S.DOCKED, A.END_PAUSE_AND_DOCK),
    (S.PAUSED, G.SHUT_DOWN): (S.STOPPING, A.SHUT_DOWN),
    (S.PAUSED, G.BATTERY_CRITICAL): (S.STOPPING, A.POWER_DOWN),
    (S.DOCKED, G.UNDOCK): (S.STANDBY, A.UNDOCK),
    (S.DOCKED, G.MARK): (S.DOCKED, A.MARK),
    (S.DOCKED, G.NOTE_BEGIN): (S.DOCKED, A.BEGIN_NOTE),
    (S.DOCKED, G.NOTE_END): (S.DOCKED, A.END_NOTE),
    (S.DOCKED, G.SHUT_DOWN): (S.STOPPING, A.SHUT_DOWN),
    (S.FAULT, G.READY): (S.STANDBY, A.CHECK),
    # The machine is at fault, not the officer: what should have been recorded counts from here.
    (S.FAULT, G.RECORD): (S.INTERRUPTED, A.START),
    (S.FAULT, G.RESUME): (S.INTERRUPTED, A.GO_ON),
    (S.FAULT, G.RESUME_PAUSE): (S.PAUSED, A.NOTHING),
    (S.FAULT, G.MARK): (S.FAULT, A.MARK),
    (S.FAULT, G.NOTE_BEGIN): (S.FAULT, A.BEGIN_NOTE),
    (S.FAULT, G.NOTE_END): (S.FAULT, A.END_NOTE),
    (S.FAULT, G.DOCK): (S.DOCKED, A.DOCK),
    (S.FAULT, G.SHUT_DOWN): (S.STOPPING, A.SHUT_DOWN),
    (S.FAULT, G.BATTERY_CRITICAL): (S.STOPPING, A.POWER_DOWN),
}


class IllegalInputError(BadInputError):
    """An input that the present state does not know."""


def step(state: State, given: Input) -> tuple[State, Action]:
    """The next state and what to do. Raises IllegalInputError and changes nothing."""
    try:
        return TABLE[state, given]
    except KeyError as error:
        raise IllegalInputError(f"recorder in {state}", f"has no use for {given}") from error
