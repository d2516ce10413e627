"""The one hop from the capture threads to the recorder: a bounded queue that drops whole GOPs and says so."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from device.ports import SoundBlock, VideoPacket

ITEMS_PER_PACKET = 10
"""Blocks come up to 100 times a second, pictures 10 times or more."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Pictures that the recorder was too slow for: from the first to the last dropped frame's capture time."""

    frames: int
    from_boot_us: int
    to_boot_us: int

    def to_fields(self) -> dict[str, Any]:
        """The fields of the entry `dropped`."""
        return {"frames": self.frames, "from_boot_us": self.from_boot_us, "to_boot_us": self.to_boot_us}


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a recording of this id. `trigger` says why."""

    trigger: str
    recording: str


class Ending(Enum):
    """How a run of fragments ends."""

    STOP = auto()
    """The recording is over."""
    PAUSE = auto()
    """Nothing is kept until `Resume`; the recording goes on afterwards."""
    CUT = auto()
    """The recorder goes off in mid-recording: an interruption, which waits for the next start."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End with the fragment that holds this moment; `done` is set when it is sealed.

    `trigger` says why; of a `CUT` it is the cause of the interruption.
    """

    trigger: str
    done: asyncio.Event
    ending: Ending = Ending.STOP


@dataclass(frozen=True, slots=True)
class Resume:
    """The pause is over: keep what is seen from now on."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Something forbids recording until `Release`: `part` says what, as in an interruption."""

    part: str


@dataclass(frozen=True, slots=True)
class Release:
    """What held the recording is over."""


@dataclass(frozen=True, slots=True)
class CameraStalled:
    """No picture has come since this instant."""

    since_boot_us: int


@dataclass(frozen=True, slots=True)
class StopOverdue:
    """The picture that should end the recording does not come: end it without."""


Command = Start | Stop | StopOverdue | Resume | Hold | Release | CameraStalled
Item = VideoPacket | SoundBlock | Dropped | Command


class Intake:
    """Video and sound come from their own threads, commands from the event loop; `get` gives all of it in order."""

    def __init__(self, limit_packets: int) -> None:
        """At most `limit_packets` pictures wait, and ten times as many items. To be made in its own event loop."""
        self._loop = asyncio.get_running_loop()
        self._limit_packets = limit_packets
        self._items: deque[Item] = deque()
        self._arrived = asyncio.Event()
        self._waiting_packets = 0
        self._dropped: Dropped | None = None
        self.last_video_boot_us: int | None = None

    def video(self, packet: VideoPacket) -> None:
        """From the camera's thread."""
        self._loop.call_soon_threadsafe(self._take_video, packet)

    def sound(self, block: SoundBlock) -> None:
        """From the microphone's thread."""
        self._loop.call_soon_threadsafe(self._take_sound, block)

    def command(self, item: Command) -> None:
        """From the event loop."""
        self._put(item)

    async def get(self) -> Item:
        """The next item, waiting for it."""
        while not self._items:
            self._arrived.clear()
            await self._arrived.wait()
        item = self._items.popleft()
        if isinstance(item, VideoPacket):
            self._waiting_packets -= 1
        return item

    def _put(self, item: Item) -> None:
        self._items.append(item)
        self._arrived.set()

    def _take_sound(self, block: SoundBlock) -> None:
        # A block that is left out shows in the count of the next one, and becomes silence that is journalled.
        if len(self._items) < ITEMS_PER_PACKET * self._limit_packets:
            self._put(block)

    def _take_video(self, packet: VideoPacket) -> None:
        self.last_video_boot_us = packet.boot_us
        full = self._waiting_packets >= self._limit_packets
        # Without its key frame a picture cannot be decoded: what follows a dropped one is dropped up to the next key.
        if full or (self._dropped and not packet.key):
            first_us = self._dropped.from_boot_us if self._dropped else packet.boot_us
            count = self._dropped.frames + 1 if self._dropped else 1
            self._dropped = Dropped(count, first_us, packet.boot_us)
            return
        if self._dropped:
            self._put(self._dropped)
            self._dropped = None
        self._waiting_packets += 1
        self._put(packet)
