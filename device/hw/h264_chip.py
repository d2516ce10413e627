"""The H.264 chip of the Raspberry Pi 4 and before, through picamera2. Importing this needs picamera2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from picamera2.encoders import H264Encoder
from picamera2.outputs import Output
from picamera2.platform import Platform, get_platform

from device.config import CameraConfig
from device.hw.gate import Gate
from device.hw.layout import parameter_sets
from device.ports import Frame, VideoPacket

CHIP = Path("/dev/video11")


def has_chip() -> bool:
    """Whether this board encodes in hardware. To picamera2 everything but a Pi 5 does, even a PC with a webcam."""
    return get_platform() == Platform.VC4 and CHIP.exists()


class H264Chip:
    """Encodes every frame of a configured `device` from its next start on; `hand_on` gets the packets.

    `extradata` is known from the first packet on. Raises RuntimeError or OSError when the chip cannot be opened.
    """

    def __init__(self, device: Any, config: CameraConfig, gate: Gate, hand_on: Callable[[VideoPacket], None]) -> None:
        self.extradata = b""
        self._hand_on = hand_on
        self._encoder = H264Encoder(
            bitrate=config.bit_rate_bps,
            repeat=True,
            iperiod=config.frames_per_s,
            framerate=config.frames_per_s,
            profile="high",
        )
        device.start_encoder(self._encoder, _Packets(gate, self._take), name="main")

    def take(self, frame: Frame) -> None:
        """Nothing to do: picamera2 gives the drawn buffer to the chip by itself."""

    def request_key_frame(self) -> None:
        """Make the next frame a key frame. From any thread."""
        self._encoder.force_key_frame()

    def _take(self, data: bytes, key: bool, since_first_us: int) -> None:
        if not self.extradata:
            self.extradata = parameter_sets(data) if key else b""
        if self.extradata:
            self._hand_on(VideoPacket(data, self._encoder.firsttimestamp + since_first_us, key))


class _Packets(Output):  # type: ignore[misc]  # picamera2 has no types
    """Where picamera2 puts what the chip has encoded, from its own thread."""

    def __init__(self, gate: Gate, take: Callable[[bytes, bool, int], None]) -> None:
        super().__init__()
        self._gate = gate
        self._take = take

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int = 0,
        packet: object = None,  # noqa: ARG002  picamera2 passes it by position
        audio: bool = False,  # noqa: ARG002  the same
    ) -> None:
        self._gate.let_through(self._take, frame, keyframe, timestamp)
