"""Fingers on buttons: the table, two buttons at once, and the rule that nothing stops recording by chance."""

from hypothesis import given
from hypothesis import strategies as st

from device.gestures import MEANINGS, RUNNING, Button, Gestures
from device.ports import Light, Press

REC, MARK, SNAP = Button.REC, Button.MARK, Button.SNAP
MOVES = {"down": lambda fingers, button: fingers.down(button, Light.RECORDING)} | {
    "hold": lambda fingers, button: fingers.held(button),
    "up": lambda fingers, button: fingers.up(button),
}


def said(*moves: tuple[str, Button]) -> list[Press]:
    """What these moves report while recording."""
    fingers = Gestures()
    reported = (MOVES[move](fingers, button) for move, button in moves)
    return [press for press in reported if press is not None]


def test_each_button_alone() -> None:
    cases = {
        REC: ([Press.RECORD], [Press.RECORD, Press.STOP]),
        MARK: ([Press.MARK], [Press.NOTE_BEGIN, Press.NOTE_END]),
        SNAP: ([Press.STILL], [Press.PAUSE]),
    }
    for button, (tapped, held) in cases.items():
        assert said(("down", button), ("up", button)) == tapped
        assert said(("down", button), ("hold", button), ("up", button)) == held


def test_a_squeeze_records_and_does_not_stop() -> None:
    assert said(("down", REC), ("down", MARK), ("hold", REC), ("hold", MARK), ("up", MARK), ("up", REC)) == [
        Press.RECORD
    ]
    assert said(("down", SNAP), ("down", REC), ("hold", SNAP), ("hold", REC), ("up", SNAP), ("up", REC)) == [
        Press.RECORD
    ]


def test_two_small_buttons_together_mean_nothing_until_both_are_up() -> None:
    both = [("down", MARK), ("down", SNAP), ("hold", SNAP), ("up", SNAP)]
    assert said(*both, ("down", SNAP), ("up", SNAP), ("up", MARK)) == []
    assert said(*both, ("up", MARK), ("down", SNAP), ("up", SNAP)) == [Press.STILL]


def test_a_note_goes_on_while_rec_is_pressed_and_ends_with_its_button() -> None:
    moves = [("down", MARK), ("hold", MARK), ("down", REC), ("up", REC), ("down", SNAP), ("up", SNAP), ("up", MARK)]
    assert said(*moves) == [Press.NOTE_BEGIN, Press.RECORD, Press.NOTE_END]


def test_the_press_that_starts_a_recording_never_stops_it() -> None:
    for light in set(Light) - RUNNING:
        fingers = Gestures()
        assert fingers.down(REC, light) is Press.RECORD
        assert fingers.held(REC) is None
        assert fingers.up(REC) is None


def test_a_hold_that_comes_after_its_release_means_nothing() -> None:
    for button in Button:
        assert said(("hold", button)) == []
        assert said(("up", button)) == []
        assert said(("down", button), ("up", button), ("hold", button)) == said(("down", button), ("up", button))


@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.sampled_from(Button)), max_size=40))
def test_whatever_the_fingers_do(moves: list[tuple[str, Button]]) -> None:
    fingers, down = Gestures(), set[Button]()
    reported: list[Press] = []
    for move, button in moves:
        together = bool(down - {button})
        press = MOVES[move](fingers, button)
        if move == "down":
            down.add(button)
            assert (press is Press.RECORD) == (button is REC)
        elif move == "up":
            down.discard(button)
        if press is not None:
            reported.append(press)
            assert not (together and press in {Press.STOP, Press.PAUSE, Press.NOTE_BEGIN, Press.STILL, Press.MARK})
    notes = [press for press in reported if press in {Press.NOTE_BEGIN, Press.NOTE_END}]
    assert notes[::2] == [Press.NOTE_BEGIN] * len(notes[::2])
    assert notes[1::2] == [Press.NOTE_END] * len(notes[1::2])


def test_every_press_but_the_case_comes_from_one_button() -> None:
    meant = [
        press
        for meaning in MEANINGS.values()
        for press in (meaning.down, meaning.tap, meaning.hold, meaning.end)
        if press is not None
    ]
    assert sorted(meant) == sorted(set(Press) - {Press.CASE_OPENED, Press.CASE_CLOSED})
