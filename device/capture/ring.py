"""The pre-event buffer: what was seen before somebody pressed the button."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from device.capture.muxer import MediaFragment


class PreEventRing:
    """The fragments that touch the last `seconds`, in memory only; none for 0 seconds."""

    def __init__(self, seconds: float) -> None:
        self._length_us = round(seconds * 1_000_000)
        self._fragments: deque[MediaFragment] = deque()

    def push(self, fragment: MediaFragment) -> None:
        """Add the newest fragment and forget those that ended too long before its end."""
        self._fragments.append(fragment)
        horizon_us = _end_us(fragment) - self._length_us
        while self._fragments and _end_us(self._fragments[0]) <= horizon_us:
            self._fragments.popleft()

    def push_all(self, fragments: Iterable[MediaFragment]) -> None:
        """Add several, oldest first."""
        for fragment in fragments:
            self.push(fragment)

    def drain(self) -> list[MediaFragment]:
        """Everything held, oldest first. The ring is empty afterwards."""
        fragments = list(self._fragments)
        self._fragments.clear()
        return fragments


def _end_us(fragment: MediaFragment) -> int:
    return fragment.first_frame_boot_us + fragment.info.duration_us
