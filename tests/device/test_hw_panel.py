"""The panel on gpiozero's own mock pins: real button, hold and light code, no board."""

import queue
import threading
from collections.abc import Iterator

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from device.hw.gpiozero_panel import BLUE_PIN, GREEN_PIN, MARK_PIN, RECORD_PIN, RED_PIN, GpiozeroPanel
from device.ports import Light, Press
from evidence.errors import CaptureError

HOLD_S = 0.1
LONGER_S = 0.4


class Board:
    """A panel, what it reports, and fingers on its buttons."""

    def __init__(self, pins: MockFactory) -> None:
        self.pins = pins
        self.inputs: queue.Queue[Press] = queue.Queue()
        self.panel = GpiozeroPanel(hold_s=HOLD_S)
        self.panel.start(self.inputs.put)

    def press(self, pin: int) -> None:
        self.pins.pin(pin).drive_low()

    def release(self, pin: int) -> None:
        self.pins.pin(pin).drive_high()

    def reported(self) -> Press:
        return self.inputs.get(timeout=5)


@pytest.fixture
def board() -> Iterator[Board]:
    gpiozero.Device.pin_factory = pins = MockFactory()
    board = Board(pins)
    yield board
    for device in (board.panel._record, board.panel._mark, board.panel._light):
        device.close()
    gpiozero.Device.pin_factory = None
    pins.reset()


def test_each_button_has_its_press(board: Board) -> None:
    for pin, press in ((RECORD_PIN, Press.RECORD), (MARK_PIN, Press.MARK)):
        board.press(pin)
        assert board.reported() is press
        board.release(pin)


def test_two_seconds_while_recording_stop(board: Board) -> None:
    board.panel.show(Light.RECORDING)
    board.press(RECORD_PIN)
    assert [board.reported(), board.reported()] == [Press.RECORD, Press.STOP]


def test_a_short_press_while_recording_does_not_stop(board: Board) -> None:
    board.panel.show(Light.RECORDING)
    board.press(RECORD_PIN)
    board.release(RECORD_PIN)
    assert board.reported() is Press.RECORD
    threading.Event().wait(LONGER_S)
    assert board.inputs.empty()


def test_the_press_that_starts_a_recording_never_stops_it(board: Board) -> None:
    board.panel.show(Light.STANDBY)
    board.press(RECORD_PIN)
    board.panel.show(Light.RECORDING)
    assert board.reported() is Press.RECORD
    threading.Event().wait(LONGER_S)
    assert board.inputs.empty()


@pytest.mark.parametrize(
    ("light", "lit"),
    [
        (Light.STANDBY, {GREEN_PIN}),
        (Light.RECORDING, {RED_PIN}),
        (Light.FAULT, {RED_PIN, GREEN_PIN, BLUE_PIN}),
        (Light.OFF, set()),
    ],
)
def test_every_light_has_its_colour(board: Board, light: Light, lit: set[int]) -> None:
    board.panel.show(light)
    assert {pin for pin in (RED_PIN, GREEN_PIN, BLUE_PIN) if board.pins.pin(pin).state} == lit


def test_a_machine_without_gpio_is_told_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "native")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    with pytest.raises(CaptureError, match=r"panel: no GPIO: [^\n]+apt install python3-lgpio"):
        GpiozeroPanel()
