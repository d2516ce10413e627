"""PortAudio, which microphone and speaker share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from device.hw.missing import missing_library

ONE_AT_A_TIME = threading.Lock()
"""Held while a stream is opened or closed: PortAudio keeps its streams in a list without a lock."""


def open_port_audio(thing: str) -> tuple[Any, Any]:
    """The module `pyaudio` and a `PyAudio` of it, for `thing`. Raises ConfigError without the library."""
    try:
        import pyaudio  # noqa: PLC0415  only a recorder has it
    except ImportError as error:
        raise missing_library(thing, "python3-pyaudio", error) from error
    # ALSA tells standard error of every device that it does not find, some hundred lines.
    with _silent_standard_error():
        return pyaudio, pyaudio.PyAudio()


@contextmanager
def _silent_standard_error() -> Iterator[None]:
    """C libraries write to the descriptor, past sys.stderr."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
