"""What the agent needs from the world, one small Protocol a thing.

An adapter in `device/hw/` or `sim/` implements one of these; `Hardware` is the bundle that the composition root gets.
Everything that an adapter calls back is called from the adapter's own thread, unless its docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evidence.model import Timestamp

Plane = NDArray[np.uint8]
Samples = NDArray[np.int16]
SOUND_RATE_HZ = 48_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture, planar YUV 4:2:0 limited range, writable in place: `y` is (height, width), `u` and `v` half that.

    `boot_us` is when the sensor saw it, on CLOCK_BOOTTIME.
    """

    y: Plane
    u: Plane
    v: Plane
    boot_us: int


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What the encoder makes: H.264 of this size and nominal rate; `extradata` holds SPS and PPS (Annex B)."""

    width: int
    height: int
    frames_per_s: int
    extradata: bytes


@dataclass(frozen=True, slots=True)
class VideoPacket:
    """One encoded picture (an Annex B access unit, no B-frames): `boot_us` is its capture time."""

    data: bytes
    boot_us: int
    key: bool


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """Mono 16-bit samples at 48 kHz.

    `first_sample` counts samples since the microphone started, lost ones included, so a jump is a loss.
    `boot_us` is when the block was complete, as the machine saw it: late by a varying bit, never early.
    """

    samples: Samples
    first_sample: int
    boot_us: int


class Camera(Protocol):
    """A picture source with its encoder.

    On a board with an H.264 chip both are hardware; elsewhere the adapter puts
    `device.capture.encoder.SoftwareEncoder` behind its frames.
    """

    def start(self, draw: Callable[[Frame], None], deliver: Callable[[VideoPacket], None]) -> VideoFormat:
        """Start capturing: every frame goes through `draw` before it is encoded, every packet to `deliver`, in order.

        Returns the format as soon as it is known. Raises CaptureError when there is no picture.
        """

    def request_key_frame(self) -> None:
        """Make the next frame a key frame, so that the present fragment ends. From any thread."""

    def stop(self) -> None:
        """Stop; no callback comes after this returns."""


class Microphone(Protocol):
    """A mono sound source, opened once and kept open."""

    def start(self, deliver: Callable[[SoundBlock], None]) -> None:
        """Start delivering blocks of 10 to 40 ms. Raises CaptureError when there is no microphone."""

    def stop(self) -> None:
        """Stop; no callback comes after this returns."""


class Press(StrEnum):
    """What an officer can do at the panel."""

    RECORD = "record"
    STOP = "stop"
    BOOKMARK = "bookmark"


class Light(StrEnum):
    """What the recorder shows: on = green, recording with picture = red."""

    STANDBY = "standby"
    RECORDING = "recording"
    FAULT = "fault"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ReasonGiven:
    """The officer explains the oldest open interruption by one of the known reasons (pingluo 8, changzhi 21)."""

    reason: str


class Panel(Protocol):
    """Buttons and lights."""

    def start(self, on_input: Callable[[Press | ReasonGiven], None]) -> None:
        """Report every press from now on."""

    def show(self, light: Light) -> None:
        """Change the light. Never blocks."""


@dataclass(frozen=True, slots=True)
class PowerReading:
    """`docked` means that the dock's contacts give power and network; `level_pct` is None where no gauge exists."""

    docked: bool
    level_pct: float | None


class PowerSource(Protocol):
    """The battery and the dock's contacts."""

    def read(self) -> PowerReading:
        """The present state. Never blocks."""


class Clock(Protocol):
    """All time there is."""

    def now(self) -> Timestamp:
        """Both clocks, read together."""

    def at(self, boot_us: int) -> Timestamp:
        """The same present relation of both clocks, applied to an instant of this boot: when a frame was captured."""

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for so long on this clock."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """Everything that differs between a Pi and a simulator."""

    camera: Camera
    microphone: Microphone
    panel: Panel
    power: PowerSource
    clock: Clock
