"""The way to the broker as its users know it: a link over a network, or a simulated world's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from evidence.io.mqtt import Incoming, LinkConfig, LinkState


class Road(Protocol):
    """What `evidence.io.mqtt.Link` is over a network."""

    def start(self) -> None:
        """Connect, and stay connected until `stop`. Returns at once."""

    def subscribe(self, topics: Iterable[str]) -> None:
        """Ask for these topics, now and after every reconnection."""

    def publish(self, topic: str, payload: bytes | bytearray, *, retain: bool = False) -> None:
        """Send. Raises LinkError when the link is down or its window is full; then nothing was taken."""

    def stop(self) -> None:
        """Say goodbye."""


OpenRoad = Callable[
    [LinkConfig, Callable[[Incoming], None], Callable[[LinkState], None], Callable[[str, str], None]], Road
]
"""Makes the way to the broker; the callbacks are for messages, for its state, and for what the broker refuses."""
