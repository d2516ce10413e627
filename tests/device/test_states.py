"""The table of states: what leads where, that nothing else changes anything, and the diagram that is drawn from it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.states import TABLE, Action, IllegalInputError, Input, State, step
from device.states_diagram import DIAGRAM, draw

ALL = [(state, given) for state in State for given in Input]
SHIFTS = [
    ([Input.READY, Input.RECORD, Input.MARK, Input.STOP, Input.DOCK, Input.UNDOCK], State.STANDBY),
    ([Input.READY, Input.RECORD, Input.BROKEN, Input.MENDED, Input.STOP], State.STANDBY),
    ([Input.READY, Input.RECORD, Input.PAUSE, Input.PAUSE, Input.RECORD], State.RECORDING),
    ([Input.READY, Input.RECORD, Input.PAUSE, Input.DOCK], State.DOCKED),
    ([Input.RESUME, Input.MENDED, Input.DOCK], State.DOCKED),
    ([Input.RESUME_PAUSE, Input.STOP], State.STANDBY),
    ([Input.RECORD, Input.BATTERY_CRITICAL], State.STOPPING),
    ([Input.CAMERA_LOST, Input.RECORD, Input.MENDED], State.RECORDING),
    ([Input.CAMERA_LOST, Input.READY], State.STANDBY),
]


@pytest.mark.parametrize(("inputs", "end"), SHIFTS)
def test_shifts_as_officers_know_them(inputs: Iterable[Input], end: State) -> None:
    state = State.STARTING
    for one in inputs:
        state, _ = step(state, one)
    assert state is end


@pytest.mark.parametrize(("state", "given_input"), [one for one in ALL if one not in TABLE])
def test_what_is_not_in_the_table_raises(state: State, given_input: Input) -> None:
    with pytest.raises(IllegalInputError, match=f"recorder in {state}: has no use for"):
        step(state, given_input)


def test_every_state_is_reached_and_every_action_is_used() -> None:
    assert {state for state, _ in TABLE.values()} | {State.STARTING} == set(State)
    assert {action for _, action in TABLE.values()} == set(Action)
    assert {given_input for _, given_input in TABLE} == set(Input)


def test_nothing_leads_out_of_stopping_and_everything_can_be_switched_off() -> None:
    assert not [state for state, _ in TABLE if state is State.STOPPING]
    assert all((state, Input.SHUT_DOWN) in TABLE for state in State if state is not State.STOPPING)


def test_a_press_of_rec_is_never_ignored_while_the_recorder_is_worn() -> None:
    worn = set(State) - {State.DOCKED, State.STOPPING, State.RECORDING, State.INTERRUPTED}
    assert all(step(state, Input.RECORD)[0] in {State.RECORDING, State.INTERRUPTED} for state in worn)


@given(st.lists(st.sampled_from(Input)))
def test_a_recording_never_ends_but_by_a_stop_the_dock_or_switching_off(inputs: list[Input]) -> None:
    state, running, begun_by_a_pause = State.STARTING, False, False
    ends = {Action.STOP, Action.STOP_AND_DOCK, Action.END_PAUSE_AND_STOP, Action.END_PAUSE_AND_DOCK}
    begins = {Action.START, Action.GO_ON}
    for one in inputs:
        try:
            state, action = step(state, one)
        except IllegalInputError:
            continue
        running = action in begins or (running and action not in ends)
        begun_by_a_pause = (begun_by_a_pause or action is Action.END_PAUSE) and action not in ends
        if state in {State.RECORDING, State.INTERRUPTED}:
            assert running or begun_by_a_pause
        if state in {State.STANDBY, State.DOCKED}:
            assert not running


def test_the_diagram_is_drawn_from_the_table() -> None:
    assert (Path(__file__).resolve().parents[2] / DIAGRAM).read_text("utf-8") == draw()
