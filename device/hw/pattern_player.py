"""Plays on-and-off patterns at output pins in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")


class PatternPlayer(Generic[Value]):
    """Puts one value after the other, each for its time; the newest pattern wins at once, and the last value stays."""

    def __init__(self, name: str, put: Callable[[Value], None]) -> None:
        self._put = put
        self._wake = threading.Condition()
        self._next: Iterator[tuple[Value, int]] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def play(self, steps: Iterable[tuple[Value, int]]) -> None:
        """Play (value, milliseconds) from now on instead of what is playing. Never blocks; from any thread."""
        with self._wake:
            self._next = iter(steps)
            self._wake.notify()

    def close(self, rest: Value) -> None:
        """End the thread and leave this value."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        self._put(rest)

    def _run(self) -> None:
        steps: Iterator[tuple[Value, int]] = iter(())
        while True:
            value_ms = next(steps, None)
            if value_ms is not None:
                self._put(value_ms[0])
            with self._wake:
                self._wake.wait_for(self._told, None if value_ms is None else value_ms[1] / 1000)
                if self._closed:
                    return
                if self._next is not None:
                    steps, self._next = self._next, None

    def _told(self) -> bool:
        return self._closed or self._next is not None
