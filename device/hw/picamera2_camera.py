"""The camera of a Raspberry Pi through picamera2, with the board's own H.264 chip or x264 behind it."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from device.capture.encoder import SoftwareEncoder
from device.config import CameraConfig
from device.hw.gate import Gate
from device.hw.h264_chip import H264Chip
from device.hw.layout import planes
from device.hw.picamera2_library import Library
from device.ports import Frame, VideoFormat, VideoPacket
from evidence.errors import CaptureError

FIRST_PICTURE_S = 5.0
STOP_LIMIT_S = 3.0
DEVICE_ERRORS = (RuntimeError, ValueError, OSError, IndexError)
"""What picamera2 raises when a camera is missing, taken, or refuses."""

log = logging.getLogger(__name__)


class _Encoder(Protocol):
    extradata: bytes

    def take(self, frame: Frame) -> None: ...

    def request_key_frame(self) -> None: ...


class Picamera2Camera:
    """A `Camera`, the first one that libcamera knows; once it is open it stays open."""

    def __init__(
        self,
        config: CameraConfig,
        library: Library,
        first_picture_s: float = FIRST_PICTURE_S,
        stop_limit_s: float = STOP_LIMIT_S,
    ) -> None:
        self._config = config
        self._library = library
        self._first_picture_s = first_picture_s
        self._stop_limit_s = stop_limit_s
        self._device: Any = None
        self._gate: Gate | None = None
        self._encoder: _Encoder | None = None

    def start(self, draw: Callable[[Frame], None], deliver: Callable[[VideoPacket], None]) -> VideoFormat:
        """Start, and wait for the first picture.

        Raises CaptureError without a camera, when no picture comes, or when the size cannot be had.
        """
        began = threading.Event()

        def hand_on(packet: VideoPacket) -> None:
            deliver(packet)
            began.set()

        self._open()
        gate = self._gate = Gate()
        try:
            self._configure()
            encoder = self._encoder = self._open_encoder(gate, hand_on)
            self._device.pre_callback = lambda request: gate.let_through(self._see, request, draw, encoder)
            self._device.start()
        except DEVICE_ERRORS as error:
            self.stop()
            raise CaptureError("camera", f"does not start: {error}") from error
        if not began.wait(self._first_picture_s):
            self.stop()
            raise CaptureError("camera", f"gives no picture within {self._first_picture_s:.0f} s", "check its cable")
        return VideoFormat(self._config.width, self._config.height, self._config.frames_per_s, encoder.extradata)

    def request_key_frame(self) -> None:
        if self._encoder is not None:
            self._encoder.request_key_frame()

    def stop(self) -> None:
        """Stop. Raises CaptureError, once, when the camera cannot be stopped: then only a new process helps."""
        gate, self._gate = self._gate, None
        if gate is None:
            return
        gate.shut()
        # picamera2 waits for its camera without end, for example when the cable came loose.
        stopping = threading.Thread(target=self._stop_device, name="camera stop", daemon=True)
        stopping.start()
        stopping.join(self._stop_limit_s)
        if stopping.is_alive():
            atexit.unregister(self._device.close)  # it would wait as long
            raise CaptureError(
                "camera", f"does not stop within {self._stop_limit_s:.0f} s", "the recorder must start anew"
            )

    def _open(self) -> None:
        # Not at construction: a recorder whose camera is missing still has a light and a voice to say so.
        if self._device is not None:
            return
        try:
            self._device = self._library.open_camera()
        except DEVICE_ERRORS as error:
            hint = "check its cable, and that no other program has it"
            raise CaptureError("camera", f"cannot be opened: {error}", hint) from error

    def _configure(self) -> None:
        config, size = self._config, (self._config.width, self._config.height)
        frame_us = 1_000_000 // config.frames_per_s
        self._device.configure(
            self._device.create_video_configuration(
                main={"size": size, "format": "YUV420"},
                colour_space=self._library.colour_space,
                controls={"FrameDurationLimits": (frame_us, frame_us)},
            )
        )
        given = self._device.camera_configuration()["main"]
        if tuple(given["size"]) != size or given["format"] != "YUV420":
            what = f"gives {given['size']} {given['format']} instead of {size} YUV420"
            raise CaptureError("camera", what, "choose another width and height in [camera]")

    def _open_encoder(self, gate: Gate, hand_on: Callable[[VideoPacket], None]) -> _Encoder:
        if self._library.chip:
            return H264Chip(self._library, self._device, self._config, gate, hand_on)
        return _Software(self._config, hand_on)

    def _see(self, request: Any, draw: Callable[[Frame], None], encoder: _Encoder) -> None:
        """In picamera2's thread: draw into the camera's own buffer, which is ours only as long as it is mapped."""
        boot_us = int(request.get_metadata()["SensorTimestamp"]) // 1000
        with self._library.mapped_array(request, "main") as mapped:
            frame = Frame(*planes(mapped.array, self._config.width, self._config.height), boot_us)
            draw(frame)
            encoder.take(frame)

    def _stop_device(self) -> None:
        try:
            self._device.stop_recording()
        except DEVICE_ERRORS as error:
            log.error("the camera does not stop cleanly: %s", error)


class _Software:
    """x264 in picamera2's thread."""

    def __init__(self, config: CameraConfig, hand_on: Callable[[VideoPacket], None]) -> None:
        self._encoder = SoftwareEncoder(config.width, config.height, config.frames_per_s, config.bit_rate_bps)
        self._hand_on = hand_on
        self.extradata = self._encoder.format.extradata

    def take(self, frame: Frame) -> None:
        for packet in self._encoder.encode(frame):
            self._hand_on(packet)

    def request_key_frame(self) -> None:
        self._encoder.request_key_frame()
