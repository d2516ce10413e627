"""The GNSS receiver, through gpsd."""

from __future__ import annotations

from device.ports import Position


class GpsdLocator:
    """A `Locator`."""

    def read(self) -> Position | None:
        """The last fix."""
        return None
