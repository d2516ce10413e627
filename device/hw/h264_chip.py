"""The H.264 chip of the Raspberry Pi 4 and before, through picamera2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from device.config import CameraConfig
from device.hw.gate import Gate
from device.hw.layout import parameter_sets
from device.hw.picamera2_library import Library
from device.ports import Frame, VideoPacket


class H264Chip:
    """Encodes every frame of a configured `device` from its next start on; `hand_on` gets the packets.

    `extradata` is known from the first packet on. Raises RuntimeError or OSError when the chip cannot be opened.
    """

    def __init__(
        self,
        library: Library,
        device: Any,
        config: CameraConfig,
        gate: Gate,
        hand_on: Callable[[VideoPacket], None],
    ) -> None:
        self.extradata = b""
        self._hand_on = hand_on
        self._encoder = library.encoder(
            bitrate=config.bit_rate_bps,
            repeat=True,
            iperiod=config.frames_per_s,
            framerate=config.frames_per_s,
            profile="high",
        )
        device.start_encoder(self._encoder, _packets(library.output, gate, self._take), name="main")

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


def _packets(base: type[Any], gate: Gate, take: Callable[[bytes, bool, int], None]) -> Any:
    """Where picamera2 puts what the chip has encoded, from its own thread. It takes only its own kind of output."""

    class Packets(base):  # type: ignore[misc]  # picamera2 has no types
        def outputframe(
            self,
            frame: bytes,
            keyframe: bool = True,
            timestamp: int = 0,
            packet: object = None,  # noqa: ARG002  picamera2 passes it by position
            audio: bool = False,  # noqa: ARG002  the same
        ) -> None:
            gate.let_through(take, frame, keyframe, timestamp)

    return Packets()
