"""One suite over both simulated panels: the real adapter on mock pins, and the quick one."""

import queue
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from device.gestures import Button
from device.ports import Buzz, Light, Panel, Press
from evidence.model import ClockGrade
from sim.clock import SimClock
from sim.panel import PinPanel, SimPanel

HOLDS_S = dict.fromkeys(Button, 0.05)
PATIENCE_S = 10


class PressedPanel(Panel, Protocol):
    """A panel with the world's verb."""

    shown: list[tuple[int, Light]]
    buzzed: list[tuple[int, Buzz]]

    def press(self, deed: Press) -> None: ...


def quick(clock: SimClock) -> tuple[PressedPanel, Callable[[], None]]:
    return SimPanel(clock), lambda: None


def on_pins(clock: SimClock) -> tuple[PressedPanel, Callable[[], None]]:
    panel = PinPanel(clock, HOLDS_S)
    return panel, panel.close


class Desk:
    """A panel, and everything that it reported."""

    def __init__(self, panel: PressedPanel) -> None:
        self.panel = panel
        self.reported: queue.Queue[Press] = queue.Queue()

    def start(self) -> None:
        self.panel.start(self.reported.put)

    def after(self, *deeds: Press) -> list[Press]:
        """What is reported of these, up to a last bookmark, which is not among them."""
        for deed in (*deeds, Press.MARK):
            self.panel.press(deed)
        found: list[Press] = []
        while (press := self.reported.get(timeout=PATIENCE_S)) is not Press.MARK:
            found.append(press)
        return found


@pytest.fixture(params=[quick, on_pins], ids=["quick", "pins"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    panel, close = request.param(SimClock(uuid.uuid4().hex, 480, ClockGrade.NTP))
    yield Desk(panel)
    close()


def test_what_the_officer_does_is_what_is_reported(desk: Desk) -> None:
    desk.panel.show(Light.RECORDING)
    desk.start()
    assert desk.after(Press.STOP) == [Press.RECORD, Press.STOP]
    assert desk.after(Press.RECORD, Press.STILL, Press.PAUSE) == [Press.RECORD, Press.STILL, Press.PAUSE]
    assert desk.after(Press.NOTE_BEGIN, Press.NOTE_END) == [Press.NOTE_BEGIN, Press.NOTE_END]
    assert desk.after(Press.CASE_OPENED, Press.CASE_CLOSED) == [Press.CASE_OPENED, Press.CASE_CLOSED]


def test_rec_works_while_a_note_is_spoken_and_cannot_stop_then(desk: Desk) -> None:
    desk.panel.show(Light.RECORDING)
    desk.start()
    assert desk.after(Press.NOTE_BEGIN, Press.STILL, Press.PAUSE, Press.STOP, Press.NOTE_END) == [
        Press.NOTE_BEGIN, Press.RECORD, Press.NOTE_END,
    ]  # fmt: skip


def test_the_press_that_starts_a_recording_does_not_stop_it(desk: Desk) -> None:
    for light in (Light.STANDBY, Light.PAUSED, Light.FAULT):
        desk.panel.show(light)
    desk.start()
    assert desk.after(Press.STOP) == [Press.RECORD]


def test_a_case_that_is_open_from_the_start_is_reported(desk: Desk) -> None:
    desk.panel.press(Press.CASE_OPENED)
    desk.start()
    assert desk.after(Press.CASE_OPENED, Press.CASE_CLOSED) == [Press.CASE_OPENED, Press.CASE_CLOSED]


def test_an_open_case_is_reported_to_whoever_listens_next(desk: Desk) -> None:
    desk.start()
    assert desk.after(Press.CASE_OPENED) == [Press.CASE_OPENED]
    desk.start()
    assert desk.after(Press.CASE_CLOSED) == [Press.CASE_OPENED, Press.CASE_CLOSED]


def test_a_case_that_is_shut_is_not_worth_a_word(desk: Desk) -> None:
    desk.start()
    assert desk.after(Press.CASE_CLOSED) == []


def test_what_was_shown_and_sounded_is_kept(desk: Desk) -> None:
    for light in (Light.STANDBY, Light.RECORDING, Light.RECORDING, Light.STANDBY):
        desk.panel.show(light)
    desk.panel.buzz(Buzz.STARTED)
    desk.panel.buzz(Buzz.STARTED)
    assert [light for _, light in desk.panel.shown] == [Light.STANDBY, Light.RECORDING, Light.STANDBY]
    assert [buzz for _, buzz in desk.panel.buzzed] == [Buzz.STARTED, Buzz.STARTED]
    assert all(at_us >= 0 for at_us, _ in desk.panel.shown + desk.panel.buzzed)


def test_the_world_sees_the_light_at_the_pins() -> None:
    clock = SimClock(uuid.uuid4().hex, 480, ClockGrade.NTP)
    panel = PinPanel(clock, HOLDS_S)
    try:
        panel.show(Light.RECORDING)
        until(clock, lambda: panel.colour == (1, 0, 0))
        panel.buzz(Buzz.FAULT)
        until(clock, lambda: panel.loud)
        panel.show(Light.OFF)
        until(clock, lambda: panel.colour == (0, 0, 0))
    finally:
        panel.close()


def until(clock: SimClock, holds: Callable[[], bool]) -> None:
    never = threading.Event()
    while not holds():
        assert clock.boot_us() < PATIENCE_S * 1_000_000
        clock.wait_until(clock.boot_us() + 1_000, never)
