"""The simulated speaker: the world hears what the recorder says."""

from __future__ import annotations

from device.ports import Samples


class SimSpeaker:
    """A `Speaker`. `heard` keeps everything that was queued."""

    def __init__(self) -> None:
        self.heard: list[Samples] = []

    def play(self, samples: Samples) -> None:
        """Queue sound."""
        self.heard.append(samples)

    def stop(self) -> None:
        """Be silent."""
