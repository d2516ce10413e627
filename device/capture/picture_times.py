"""When pictures were seen, against what the muxer makes of it, and which pictures the sensor never gave. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from device.capture.muxer import MediaFragment
from device.ports import VideoPacket

STALL_US = 2_000_000
"""A longer gap is no hiccup of the sensor but a break of the recording."""
SHORTEST_GAP_US = 40_000
"""The account bridges less (GA/T 947.2)."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Pictures that the sensor did not give, between one that was due at `from_boot_us` and the next one."""

    frames: int
    from_boot_us: int
    to_boot_us: int
    stalled: bool
    """It took so long that the recording was broken."""

    def to_fields(self) -> dict[str, Any]:
        """The fields of the entry `skipped`."""
        return {"frames": self.frames, "from_boot_us": self.from_boot_us, "to_boot_us": self.to_boot_us}


class PictureTimes:
    """Follows the pictures on their way into the muxer and the fragments on their way out."""

    def __init__(self, frames_per_s: int) -> None:
        self._frame_us = 1_000_000 // frames_per_s
        self._last_us = 0
        self._told_us = 0
        self._gop_ends_us: deque[int] = deque()

    def see(self, packet: VideoPacket) -> Skipped | None:
        """Before a packet is muxed: what is missing before it, if that is worth saying."""
        told_us, self._told_us = self._told_us, packet.boot_us
        if packet.key and self._last_us:
            self._gop_ends_us.append(self._last_us + self._frame_us)
        self._last_us = packet.boot_us
        gap_us = packet.boot_us - told_us
        if not told_us or gap_us <= self._frame_us * 3 // 2:
            return None
        missing = round(gap_us / self._frame_us) - 1
        return Skipped(missing, told_us + self._frame_us, packet.boot_us, stalled=gap_us >= STALL_US)

    def told_until(self, boot_us: int) -> None:
        """What is missing up to here has been said already."""
        self._told_us = boot_us

    def end(self) -> None:
        """No more pictures come: the last one was seen for one frame."""
        self._gop_ends_us.append(self._last_us + self._frame_us)

    def cut(self, fragment: MediaFragment) -> MediaFragment:
        """The muxer shows the last picture before a gap until the next one; it was seen for one frame."""
        seen_us = self._gop_ends_us.popleft() - fragment.first_frame_boot_us
        if fragment.info.duration_us <= seen_us + SHORTEST_GAP_US:
            return fragment
        return replace(fragment, info=replace(fragment.info, duration_us=seen_us))
