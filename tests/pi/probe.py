"""What a process may do where this one stands: one line of JSON, a name and "yes" or the error's name each."""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

IDENTITY, SPOOL = Path("/var/lib/liuhen/identity"), Path("/var/lib/liuhen/spool")


def write(path: Path) -> None:
    path.write_text("x")
    path.unlink()


def replace(path: Path) -> None:
    """Put another file into its place, as who steals or swaps a key."""
    fresh = path.with_name("swapped")
    fresh.write_text("x")
    try:
        fresh.replace(path)
    finally:
        with suppress(OSError):
            fresh.unlink()


def open_node(path: str) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))


def ask_clock() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.adjtimex(ctypes.create_string_buffer(512)) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")


def connect() -> None:
    with socket.socket(socket.AF_INET) as tried, suppress(ConnectionRefusedError):
        tried.connect(("127.0.0.1", 9))


ATTEMPTS: dict[str, Callable[[], object]] = {
    "read signing.key": (IDENTITY / "signing.key").read_bytes,
    "read link.key": (IDENTITY / "link.key").read_bytes,
    "replace signing.key": lambda: replace(IDENTITY / "signing.key"),
    "write a segment": lambda: write(SPOOL / "segments" / "probe"),
    "write a word": lambda: write(SPOOL / "receipts" / "probe"),
    "write the system": lambda: write(Path("/usr/probe")),
    "open the camera": lambda: open_node("/dev/video0"),
    "open the memory": lambda: open_node("/dev/mem"),
    "open the card itself": lambda: open_node("/dev/card0"),
    "use the network": connect,
    "ask the clock": ask_clock,
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, 0),
    "run as real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "write and execute": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
}


def attempt(what: Callable[[], object]) -> str:
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "yes"


if __name__ == "__main__":
    print("PROBE " + json.dumps({name: attempt(what) for name, what in ATTEMPTS.items()}))
