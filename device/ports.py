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
    """What an officer can do at the panel: three large buttons and a case switch, no double-clicks, no chords."""

    RECORD = "record"
    """REC was pressed."""
    STOP = "stop"
    """REC was held for two seconds."""
    MARK = "mark"
    """MARK was pressed and let go: a bookmark, or one step through the reasons while the recorder asks."""
    NOTE_BEGIN = "note_begin"
    """MARK is being held: a spoken note begins."""
    NOTE_END = "note_end"
    """MARK was let go after a note."""
    STILL = "still"
    """SNAP was pressed and let go."""
    PAUSE = "pause"
    """SNAP was held."""
    CASE_OPENED = "case_opened"
    CASE_CLOSED = "case_closed"


class Light(StrEnum):
    """What the light shows, one pattern each in `device.signals.LIGHTS`."""

    OFF = "off"
    STARTING = "starting"
    STANDBY = "standby"
    RECORDING = "recording"
    RECORDING_LOW = "recording_low"
    """Recording, and battery or storage runs out."""
    SOUND_ONLY = "sound_only"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    DOCKED = "docked"
    OFFLOADED = "offloaded"
    LOW = "low"
    """Battery or storage runs out."""
    FAULT = "fault"


class Buzz(StrEnum):
    """What buzzer and vibration say, one pattern each in `device.signals.BUZZES`."""

    STARTED = "started"
    STOPPED = "stopped"
    DONE = "done"
    """A press did what it should: a bookmark, a photo, a choice."""
    REFUSED = "refused"
    """A press that has no use now."""
    ASK = "ask"
    """The recorder wants an answer."""
    LOW = "low"
    FAULT = "fault"


class Panel(Protocol):
    """Buttons, light, buzzer and vibration. Musts: all three."""

    def start(self, on_input: Callable[[Press], None]) -> None:
        """Report every press from now on."""

    def show(self, light: Light) -> None:
        """Change the light. Never blocks."""

    def buzz(self, buzz: Buzz) -> None:
        """Sound and shake once. Never blocks; a second call may cut the first short."""


class Speaker(Protocol):
    """What the officer hears the recorder say. A recorder without one still records."""

    def play(self, samples: Samples) -> None:
        """Queue mono sound at 48 kHz behind what is being played. Never blocks, never raises."""

    def stop(self) -> None:
        """Be silent at once and forget what is queued."""


@dataclass(frozen=True, slots=True)
class PowerReading:
    """`docked` means that the dock's contacts give power and network; what no gauge tells is None."""

    docked: bool
    level_pct: float | None
    volts: float | None = None
    charging: bool = False


class PowerSource(Protocol):
    """The battery and the dock's contacts."""

    def read(self) -> PowerReading:
        """The present state. Never blocks."""


@dataclass(frozen=True, slots=True)
class HeatReading:
    """The board's temperature, None where nothing measures it, and whether it has slowed down to protect itself."""

    celsius: float | None
    throttled: bool


class Thermometer(Protocol):
    """The board's own temperature."""

    def read(self) -> HeatReading:
        """The present state. Never blocks, never raises."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the recorder is (WGS 84): degrees north and east, metres above the sea where known."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float | None


class Locator(Protocol):
    """The GNSS receiver, if any."""

    def read(self) -> Position | None:
        """The last fix, None without one or when it is older than half a minute. Never blocks, never raises."""


class Clock(Protocol):
    """All time there is."""

    def now(self) -> Timestamp:
        """Both clocks, read together."""

    def at(self, boot_us: int) -> Timestamp:
        """The same present relation of both clocks, applied to an instant of this boot: when a frame was captured."""

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for so long on this clock."""


def unwatched() -> None:
    """The progress of a recorder that nobody watches."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """Everything that differs between a Pi and a simulator."""

    camera: Camera
    microphone: Microphone
    speaker: Speaker
    panel: Panel
    power: PowerSource
    thermometer: Thermometer
    locator: Locator
    clock: Clock
    progress: Callable[[], None] = unwatched
    """Called whenever a piece of the recorder's work has come to its end: a fragment is durable, or has found its place
    in the ring; a card or a camera that is tried again has answered. Never from a timer: whoever watches (systemd) ends
    a recorder that hangs, and starts it again. Never blocks, never raises."""
