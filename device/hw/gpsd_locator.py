"""The GNSS receiver, through gpsd's JSON protocol (gpsd_json(5), versions 3.17 and later)."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from device.ports import Clock, Position

GPSD = Path("/run/liuhen-gpsd")
"""Its door in the file system (systemd/liuhen-gpsd.socket): the recorder has no network."""
WATCH = b'?WATCH={"enable":true,"json":true};\n'
STALE_US = 30_000_000
SILENCE_S = 30.0
"""A daemon that says nothing for so long is asked anew; without a receiver it has nothing to say."""
AGAIN_S = 5.0
LONGEST_LINE_BYTES = 65_536
log = logging.getLogger(__name__)


class GpsdLocator:
    """A `Locator`. A thread of its own listens and, when the daemon goes, comes back; `read` only looks."""

    def __init__(self, clock: Clock, address: Path = GPSD, again_s: float = AGAIN_S) -> None:
        self._clock = clock
        self._address = address
        self._again_s = again_s
        self._stop = threading.Event()
        self._socket: socket.socket | None = None
        self._fix: tuple[int, Position] | None = None
        self._thread = threading.Thread(target=self._live, name="gpsd", daemon=True)
        self._thread.start()

    def read(self) -> Position | None:
        fix = self._fix
        if fix is None or self._clock.now().boot_us - fix[0] > STALE_US:
            return None
        return fix[1]

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if (opened := self._socket) is not None:
            # Closing alone would not wake the thread that waits for it.
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _live(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except OSError as error:
                log.info("gpsd: %s", error)
            self._stop.wait(self._again_s)

    def _listen(self) -> None:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.settimeout(SILENCE_S)
            opened.connect(str(self._address))
            self._socket = opened
            opened.sendall(WATCH)
            for line in _lines(opened, self._stop):
                position = position_of(line)
                if position is not None:
                    self._fix = self._clock.now().boot_us, position


def _lines(opened: socket.socket, stop: threading.Event) -> Iterator[bytes]:
    waiting = b""
    while not stop.is_set() and (some := opened.recv(4096)):
        *whole, waiting = (waiting + some).split(b"\n")
        yield from whole
        if len(waiting) > LONGEST_LINE_BYTES:
            raise OSError("the daemon's line has no end")


def position_of(line: bytes) -> Position | None:
    """The position in one report; None for any other report, for one without a fix (mode below 2) and for nonsense."""
    try:
        report = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(report, dict) or report.get("class") != "TPV":
        return None
    latitude_deg, longitude_deg = _number(report.get("lat"), 90), _number(report.get("lon"), 180)
    if report.get("mode") not in (2, 3) or latitude_deg is None or longitude_deg is None:
        return None
    # `alt` is what versions before 3.20 call the height above the sea; only a fix in three dimensions has one.
    altitude_m = _number(report.get("altMSL", report.get("alt")), 100_000) if report["mode"] == 3 else None
    return Position(latitude_deg, longitude_deg, altitude_m)


def _number(value: Any, limit: float) -> float | None:
    """JSON as Python reads it also knows NaN and infinities; neither lies within a limit."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not -limit <= value <= limit:
        return None
    return float(value)
