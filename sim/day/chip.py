"""The camera of a day: a chip that gives out pictures encoded beforehand, at the ticks of the world's time.

They are real H.264, in the order in which they were encoded, so that every segment plays; only that they do not show
the hour of the day, for nothing is drawn into a picture that is encoded already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import cycle, pairwise

from device.capture.encoder import SoftwareEncoder
from device.config import CameraConfig
from device.ports import Frame, VideoFormat, VideoPacket
from evidence.errors import CaptureError
from sim.day.clock import WorldClock
from sim.letterbox import blank_picture

CAMERA = CameraConfig(width=320, height=180, frames_per_s=4, bit_rate_bps=50_000)
"""Small, and slow as a time-lapse: a day is about what happens between the pictures."""
SCENES = 8


@dataclass(frozen=True)
class Footage:
    """Encoded scenes: each begins with a key frame and is one second long."""

    format: VideoFormat
    scenes: tuple[tuple[bytes, ...], ...]


@cache
def footage() -> Footage:
    """A bright bar that goes across the picture, encoded once for all days of this process."""
    config = CAMERA
    encoder = SoftwareEncoder(config.width, config.height, config.frames_per_s, config.bit_rate_bps)
    pictures = SCENES * config.frames_per_s
    picture = blank_picture(config.width, config.height)
    packets: list[VideoPacket] = []
    for number in range(pictures):
        picture.y[:] = 60
        left = number * config.width // pictures
        picture.y[:, left : left + 8] = 200
        packets += encoder.encode(Frame(picture.y, picture.u, picture.v, number * 1_000_000 // config.frames_per_s))
    packets += encoder.finish()
    keys = [number for number, packet in enumerate(packets) if packet.key]
    scenes = [tuple(one.data for one in packets[a:b]) for a, b in pairwise([*keys, len(packets)])]
    return Footage(encoder.format, tuple(scenes))


class ChipCamera:
    """A `Camera` whose callbacks come in the loop. `frames_captured` counts since it was made."""

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self._footage = footage()
        self._tick_us = 1_000_000 // self._footage.format.frames_per_s
        self._planes = blank_picture(CAMERA.width, CAMERA.height)
        self._scenes = cycle(self._footage.scenes)
        self._scene: list[bytes] = []
        self._hung = False
        self._timer: asyncio.TimerHandle | None = None
        self._draw: Callable[[Frame], None] = lambda _: None
        self._deliver: Callable[[VideoPacket], None] = lambda _: None
        self.frames_captured = 0

    def start(self, draw: Callable[[Frame], None], deliver: Callable[[VideoPacket], None]) -> VideoFormat:
        """Start capturing. Raises CaptureError when hung."""
        if self._hung:
            raise CaptureError("camera", "gives no picture")
        self._draw, self._deliver = draw, deliver
        self._scene = []
        self._wait_for_tick(self._clock.boot_us() // self._tick_us + 1)
        return self._footage.format

    def request_key_frame(self) -> None:
        """The next picture is the first of a scene."""
        self._scene = []

    def stop(self) -> None:
        """Stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def hang(self) -> None:
        """The world shakes the cable loose: no picture comes any more, nor an error."""
        self._hung = True

    def recover(self) -> None:
        """The world fixes the cable."""
        self._hung = False

    def _wait_for_tick(self, tick: int) -> None:
        wait_s = (tick * self._tick_us - self._clock.boot_us()) / 1_000_000
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._shoot, tick)

    def _shoot(self, tick: int) -> None:
        self._wait_for_tick(tick + 1)
        if self._hung:
            return
        key = not self._scene
        if key:
            self._scene = list(next(self._scenes))
            # Once a second is enough for what the recorder takes out of the pictures that pass it.
            self._draw(Frame(*self._planes, tick * self._tick_us))
        self.frames_captured += 1
        self._deliver(VideoPacket(self._scene.pop(0), tick * self._tick_us, key))
