"""The loudspeaker, through PyAudio."""

from __future__ import annotations

from device.ports import Samples


class PyAudioSpeaker:
    """A `Speaker`."""

    def play(self, samples: Samples) -> None:
        """Queue sound."""

    def stop(self) -> None:
        """Be silent."""
