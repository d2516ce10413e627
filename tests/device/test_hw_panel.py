"""The panel on gpiozero's own mock pins: real button, hold, light and buzzer code, no board."""

import logging
import queue
import threading
from collections.abc import Iterator
from itertools import chain

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from device.gestures import Button
from device.hw.gpiozero_panel import (
    BLUE_PIN,
    BUTTON_PINS,
    BUZZER_PIN,
    CASE_PIN,
    GREEN_PIN,
    RED_PIN,
    VIBRATION_PIN,
    GpiozeroPanel,
)
from device.ports import Buzz, Light, Press
from device.signals import BUZZES, LIGHTS
from evidence.errors import CaptureError

HOLDS_S = dict.fromkeys(Button, 0.1)
PATIENCE_S = 5
LATENESS_S = 0.4
"""A busy machine may be late; it is never early."""
TAKEN = {0, 1, 2, 3, 18, 19, 20, 21}
"""HAT memory, I2C (battery gauge), I2S (sound card)."""


class Board:
    """A panel, what it reports, and fingers on its buttons."""

    def __init__(self) -> None:
        self.pins = MockFactory()
        self.inputs: queue.Queue[Press] = queue.Queue()
        self.panel = GpiozeroPanel(self.pins, HOLDS_S)
        self.pins.pin(CASE_PIN).drive_low()

    def press(self, button: Button) -> None:
        self.pins.pin(BUTTON_PINS[button]).drive_low()

    def release(self, button: Button) -> None:
        self.pins.pin(BUTTON_PINS[button]).drive_high()

    def reported(self, count: int) -> list[Press]:
        return [self.inputs.get(timeout=PATIENCE_S) for _ in range(count)]

    def shines(self) -> tuple[int, ...]:
        return tuple(int(self.pins.pin(pin).state) for pin in (RED_PIN, GREEN_PIN, BLUE_PIN))

    def changes(self, pin: int, count: int) -> list[tuple[float, bool]]:
        """The first `count` changes of an output, each with the seconds since the one before."""
        tick = threading.Event()
        for _ in range(PATIENCE_S * 200):
            if len(self.pins.pin(pin).states) > count:
                break
            tick.wait(0.005)
        return [(change.timestamp, bool(change.state)) for change in self.pins.pin(pin).states[1 : count + 1]]


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.panel.close()
    assert not any(board.shines())
    assert not board.pins.pin(BUZZER_PIN).state


def test_no_pin_is_used_twice_or_belongs_to_somebody_else() -> None:
    pins = [*BUTTON_PINS.values(), CASE_PIN, RED_PIN, GREEN_PIN, BLUE_PIN, BUZZER_PIN, VIBRATION_PIN]
    assert len(set(pins)) == 9
    assert not set(pins) & TAKEN
    assert all(0 <= pin <= 27 for pin in pins)


def test_each_button_says_what_a_tap_means(board: Board) -> None:
    board.panel.start(board.inputs.put)
    for button in Button:
        board.press(button)
        board.release(button)
    assert board.reported(3) == [Press.RECORD, Press.MARK, Press.STILL]


def test_record_is_reported_before_the_finger_leaves(board: Board) -> None:
    board.panel.start(board.inputs.put)
    board.press(Button.REC)
    assert board.reported(1) == [Press.RECORD]


def test_each_button_says_what_a_hold_means(board: Board) -> None:
    board.panel.start(board.inputs.put)
    board.panel.show(Light.RECORDING)
    for button, presses in (
        (Button.REC, [Press.RECORD, Press.STOP]),
        (Button.MARK, [Press.NOTE_BEGIN]),
        (Button.SNAP, [Press.PAUSE]),
    ):
        board.press(button)
        assert board.reported(len(presses)) == presses
        board.release(button)
        if button is Button.MARK:
            assert board.reported(1) == [Press.NOTE_END]
    board.press(Button.MARK)
    board.release(Button.MARK)
    assert board.reported(1) == [Press.MARK], "and nothing came of letting go"


def test_the_press_that_starts_a_recording_never_stops_it(board: Board) -> None:
    board.panel.start(board.inputs.put)
    board.panel.show(Light.STANDBY)
    board.press(Button.REC)
    board.panel.show(Light.RECORDING)
    assert board.reported(1) == [Press.RECORD]
    assert not board.panel._buttons[Button.REC].wait_for_inactive(LATENESS_S)
    assert board.panel._buttons[Button.REC].is_held
    board.release(Button.REC)
    board.press(Button.REC)
    assert board.reported(2) == [Press.RECORD, Press.STOP]


def test_a_squeeze_of_everything_records_and_neither_stops_nor_pauses(board: Board) -> None:
    board.panel.start(board.inputs.put)
    board.panel.show(Light.RECORDING)
    for button in Button:
        board.press(button)
    for button in Button:
        assert not board.panel._buttons[button].wait_for_inactive(LATENESS_S)
        assert board.panel._buttons[button].is_held
    for button in Button:
        board.release(button)
    board.press(Button.SNAP)
    board.release(Button.SNAP)
    assert board.reported(2) == [Press.RECORD, Press.STILL]


def test_the_case_is_watched_from_the_start(board: Board) -> None:
    board.pins.pin(CASE_PIN).drive_high()
    board.panel.start(board.inputs.put)
    assert board.reported(1) == [Press.CASE_OPENED]
    board.pins.pin(CASE_PIN).drive_low()
    board.pins.pin(CASE_PIN).drive_high()
    assert board.reported(2) == [Press.CASE_CLOSED, Press.CASE_OPENED]
    assert board.inputs.empty()


def test_an_error_in_whoever_listens_ends_nothing(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    def listen(press: Press) -> None:
        board.inputs.put(press)
        if press is not Press.STOP:
            raise RuntimeError("Event loop is closed")

    board.panel.start(listen)
    board.panel.show(Light.RECORDING)
    with caplog.at_level(logging.ERROR):
        board.press(Button.REC)
        assert board.reported(2) == [Press.RECORD, Press.STOP], "the hold comes from another thread"
        board.release(Button.REC)
    assert "Event loop is closed" in caplog.text


@pytest.mark.parametrize("light", [light for light in Light if not LIGHTS[light].off_ms])
def test_a_steady_light_shines_at_once_and_stays(board: Board, light: Light) -> None:
    board.panel.show(Light.FAULT)
    board.panel.show(light)
    lit = [pin for pin, on in zip((RED_PIN, GREEN_PIN, BLUE_PIN), LIGHTS[light].colour, strict=True) if on]
    tick = threading.Event()
    for _ in range(PATIENCE_S * 200):
        if board.shines() == LIGHTS[light].colour:
            break
        tick.wait(0.005)
    assert board.shines() == LIGHTS[light].colour
    for pin in lit:
        board.pins.pin(pin).clear_states()
    tick.wait(0.15)
    assert not any(len(board.pins.pin(pin).states) > 1 for pin in lit), "the blinking is over"


def test_a_blinking_light_keeps_its_rhythm_when_it_is_shown_again(board: Board) -> None:
    pattern = LIGHTS[Light.FAULT]
    board.panel.show(Light.FAULT)
    for _ in range(4):
        changes = board.changes(BLUE_PIN, 1)
        board.panel.show(Light.FAULT)
    changes = board.changes(BLUE_PIN, 4)
    assert [on for _, on in changes] == [True, False, True, False]
    for (seconds, on), planned_ms in zip(changes[1:], (pattern.on_ms, pattern.off_ms, pattern.on_ms), strict=True):
        assert planned_ms / 1000 - 0.01 <= seconds <= planned_ms / 1000 + LATENESS_S, on


@pytest.mark.parametrize("buzz", [Buzz.REFUSED, Buzz.STOPPED])
@pytest.mark.parametrize("pin", [BUZZER_PIN, VIBRATION_PIN])
def test_a_buzz_sounds_and_shakes_as_its_table_says(board: Board, buzz: Buzz, pin: int) -> None:
    board.panel.buzz(buzz)
    planned = [ms for ms in chain(*BUZZES[buzz]) if ms]
    changes = board.changes(pin, len(planned) + 1)
    assert [on for _, on in changes] == [number % 2 == 0 for number in range(len(planned) + 1)]
    for (seconds, _), ms in zip(changes[1:], planned, strict=True):
        assert ms / 1000 - 0.01 <= seconds <= ms / 1000 + LATENESS_S


def test_the_newest_buzz_wins(board: Board) -> None:
    board.panel.buzz(Buzz.FAULT)
    assert board.changes(BUZZER_PIN, 1)[0][1]
    board.panel.buzz(Buzz.DONE)
    (_, on), (seconds, still_on) = board.changes(BUZZER_PIN, 2)
    assert (on, still_on) == (True, False)
    assert seconds < BUZZES[Buzz.FAULT][0][0] / 1000


def test_a_machine_without_gpio_is_told_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "native")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    with pytest.raises(CaptureError, match=r"panel: no GPIO: [^\n]+apt install python3-lgpio"):
        GpiozeroPanel()
