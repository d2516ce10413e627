"""The locators behind the port: gpsd's protocol over a true socket, and the simulated walk."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.hw.gpsd_locator import LONGEST_LINE_BYTES, WATCH, GpsdLocator, position_of
from device.ports import Locator, Position
from sim.locator import PINGLUO, SimLocator
from tests.device.hand_clock import HandClock

PATIENCE_S = 10
FIX = {"class": "TPV", "mode": 3, "lat": 38.9066, "lon": 106.545, "altMSL": 1100.2}
PLACE = Position(38.9066, 106.545, 1100.2)


@pytest.mark.parametrize(
    ("report", "position"),
    [
        (FIX, PLACE),
        ({**FIX, "mode": 2}, Position(38.9066, 106.545, None)),
        ({"class": "TPV", "mode": 3, "lat": -1, "lon": 2, "alt": 7}, Position(-1.0, 2.0, 7.0)),
        ({**FIX, "altMSL": float("nan")}, Position(38.9066, 106.545, None)),
        ({**FIX, "mode": 1}, None),
        ({**FIX, "mode": 0}, None),
        ({**FIX, "mode": "3"}, None),
        ({**FIX, "mode": None}, None),
        ({**FIX, "mode": []}, None),
        ({**FIX, "class": "SKY"}, None),
        ({**FIX, "lat": 91}, None),
        ({**FIX, "lon": float("inf")}, None),
        ({**FIX, "lat": float("nan")}, None),
        ({**FIX, "lat": "38"}, None),
        ({**FIX, "lat": True}, None),
        ({"class": "TPV", "mode": 3, "lat": 1}, None),
        ([], None),
        ("TPV", None),
    ],
)
def test_what_a_report_says(report: Any, position: Position | None) -> None:
    assert position_of(json.dumps(report).encode()) == position


@given(line=st.binary(max_size=60))
def test_no_line_makes_it_raise(line: bytes) -> None:
    assert position_of(line) is None


def test_a_line_that_nests_without_end_is_nonsense() -> None:
    assert position_of(b"[" * 60_000) is None


class Daemon:
    """A gpsd behind a door of its own; `say` answers whoever watches."""

    def __init__(self, address: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(address))
        self._listener.listen()
        self._listener.settimeout(PATIENCE_S)
        self.address = address

    def accept(self) -> socket.socket:
        opened, _ = self._listener.accept()
        opened.settimeout(PATIENCE_S)
        assert opened.recv(len(WATCH), socket.MSG_WAITALL) == WATCH
        return opened

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path / "gpsd")
    yield made
    made.close()


def say(opened: socket.socket, *reports: Any) -> None:
    opened.sendall(b"".join(json.dumps(report).encode() + b"\r\n" for report in reports))


def until_known(locator: Locator, position: Position) -> None:
    """The locator's thread needs its moment; the clock stands still meanwhile."""
    patience = threading.Event()
    for _ in range(PATIENCE_S * 1000):
        if locator.read() == position:
            return
        patience.wait(0.001)
    pytest.fail(f"{position} was never known")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def locator(daemon: Daemon, clock: HandClock) -> Iterator[GpsdLocator]:
    made = GpsdLocator(clock, daemon.address, again_s=0.01)
    yield made
    made.close()


def test_a_fix_is_known_for_half_a_minute(daemon: Daemon, clock: HandClock, locator: GpsdLocator) -> None:
    assert locator.read() is None
    with daemon.accept() as opened:
        say(opened, {"class": "VERSION", "release": "3.22"}, {"class": "TPV", "mode": 1}, FIX)
        until_known(locator, PLACE)
        clock.advance(30)
        assert locator.read() == PLACE
        clock.advance(0.001)
        assert locator.read() is None
        say(opened, {**FIX, "lat": 39.0})
        until_known(locator, Position(39.0, 106.545, 1100.2))


def test_a_daemon_that_goes_is_looked_for_again(daemon: Daemon, locator: GpsdLocator) -> None:
    daemon.accept().close()
    with daemon.accept() as second:
        with suppress(ConnectionError):
            second.sendall(b"\x00\xff nonsense\n" + b"x" * (LONGEST_LINE_BYTES + 1))
        with daemon.accept() as third:
            say(third, FIX)
            until_known(locator, PLACE)


def test_without_a_daemon_nothing_is_known_and_nothing_fails(clock: HandClock, tmp_path: Path) -> None:
    locator = GpsdLocator(clock, tmp_path / "none", again_s=0.01)
    assert locator.read() is None
    locator.close()
    assert locator.read() is None


def test_closing_does_not_wait_for_a_silent_daemon(daemon: Daemon, clock: HandClock) -> None:
    locator = GpsdLocator(clock, daemon.address)
    with daemon.accept():
        locator.close()


def test_the_simulated_fix_grows_old_like_a_true_one() -> None:
    clock = HandClock()
    sim = SimLocator(lambda: clock.boot_us)
    locator: Locator = sim
    clock.advance(100)
    last = locator.read()
    sim.lose_fix()
    clock.advance(30)
    assert locator.read() == last
    sim.lose_fix()
    clock.advance(0.001)
    assert locator.read() is None
    sim.find_fix()
    assert locator.read() not in (None, last)


def test_the_walk_is_the_seeds_and_stays_at_home() -> None:
    def walk(seed: int) -> list[Position | None]:
        clock = HandClock()
        sim = SimLocator(lambda: clock.boot_us, seed)
        places = []
        for _ in range(600):
            clock.advance(60)
            places.append(sim.read())
        return places

    assert walk(1) == walk(1) != walk(2)
    for before, after in pairwise(walk(1)):
        assert before is not None
        assert after is not None
        assert abs(after.latitude_deg - PINGLUO.latitude_deg) < 0.003
        assert abs(after.longitude_deg - PINGLUO.longitude_deg) < 0.004
        assert abs(after.latitude_deg - before.latitude_deg) * 111_320 < 60 * 1.5
