"""The recorder's states: the whole table, and nothing beside it."""

from __future__ import annotations

from itertools import product

import pytest

from device.states import TABLE, Action, IllegalInputError, Input, State, step

ALLOWED = [
    (State.STANDBY, Input.RECORD, State.RECORDING, Action.START),
    (State.STANDBY, Input.RESUME, State.RECORDING, Action.RESUME),
    (State.STANDBY, Input.BOOKMARK, State.STANDBY, Action.BOOKMARK),
    (State.STANDBY, Input.DOCK, State.DOCKED, Action.DOCK),
    (State.RECORDING, Input.STOP, State.STANDBY, Action.STOP),
    (State.RECORDING, Input.BOOKMARK, State.RECORDING, Action.BOOKMARK),
    (State.RECORDING, Input.DOCK, State.DOCKED, Action.STOP_AND_DOCK),
    (State.DOCKED, Input.UNDOCK, State.STANDBY, Action.UNDOCK),
]
REFUSED = sorted(set(product(State, Input)) - {(state, given) for state, given, _, _ in ALLOWED})


@pytest.mark.parametrize(("state", "given", "then", "action"), ALLOWED)
def test_an_input_that_has_a_use_leads_on(state: State, given: Input, then: State, action: Action) -> None:
    assert step(state, given) == (then, action)


@pytest.mark.parametrize(("state", "given"), REFUSED)
def test_any_other_input_is_refused(state: State, given: Input) -> None:
    with pytest.raises(IllegalInputError, match=f"recorder in {state}: has no use for {given}"):
        step(state, given)


def test_every_state_can_be_reached_and_left() -> None:
    assert {state for state, _ in TABLE} == set(State) == {state for state, _ in TABLE.values()}


def test_no_recording_outlives_the_dock() -> None:
    """Whatever leads out of a recording ends it, or ends nothing."""
    for (state, _), (then, action) in TABLE.items():
        if state is State.RECORDING and then is not State.RECORDING:
            assert action in (Action.STOP, Action.STOP_AND_DOCK)
