"""The little of picamera2 that the camera adapter touches, run by a thread as picamera2 runs it.

A callback that raises ends that thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from device.capture.encoder import SoftwareEncoder
from device.hw.picamera2_library import Library
from device.ports import Frame

WIDTH, HEIGHT, STRIDE = 320, 180, 384
FIRST_NS, FRAME_NS = 5_000_000_000, 33_333_333


class Request:
    """A completed request: one padded YUV420 buffer and its metadata."""

    def __init__(self, number: int) -> None:
        self.buffer = np.full((HEIGHT * 3 // 2, STRIDE), 128, np.uint8)
        self.metadata = {"SensorTimestamp": FIRST_NS + number * FRAME_NS}

    def get_metadata(self) -> dict[str, Any]:
        return self.metadata


class Output:
    """The base class of outputs."""


class H264Encoder:
    """The chip: x264 in its place, with the parameter sets before every key frame as `repeat` asks for."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.encoder = SoftwareEncoder(WIDTH, HEIGHT, settings["framerate"], settings["bitrate"])
        self.firsttimestamp: int | None = None
        self.output: Any = None

    def force_key_frame(self) -> None:
        self.encoder.request_key_frame()

    def encode(self, request: Request) -> None:
        stamp_us = request.metadata["SensorTimestamp"] // 1000
        self.firsttimestamp = self.firsttimestamp or stamp_us
        y = request.buffer[:HEIGHT, :WIDTH]
        grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
        for packet in self.encoder.encode(Frame(y, grey, grey, stamp_us)):
            data = self.encoder.format.extradata * packet.key + packet.data
            self.output.outputframe(data, packet.key, stamp_us - self.firsttimestamp, None, False)


class Camera:
    """What `picamera2.Picamera2()` gives. `frames` is how many come by; `spoil` may change a request beforehand."""

    def __init__(self) -> None:
        self.frames = 10
        self.size = (WIDTH, HEIGHT)
        self.spoil: Callable[[int, Request], None] = lambda _number, _request: None
        self.hangs = False
        self.refusal: Exception | None = None
        self.pre_callback: Callable[[Request], None] | None = None
        self.encoders: list[H264Encoder] = []
        self.thread: threading.Thread | None = None
        self.died: BaseException | None = None

    def create_video_configuration(self, **wanted: Any) -> dict[str, Any]:
        return wanted

    def configure(self, wanted: dict[str, Any]) -> None:
        self.wanted = wanted

    def camera_configuration(self) -> dict[str, Any]:
        return {"main": {"size": self.size, "format": self.wanted["main"]["format"], "stride": STRIDE}}

    def start_encoder(self, encoder: H264Encoder, output: Output, name: str) -> None:
        assert name == "main"
        encoder.output = output
        self.encoders.append(encoder)

    def start(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop_recording(self) -> None:
        if self.hangs:
            threading.Event().wait()
        if self.thread is not None:
            self.thread.join()
        self.encoders.clear()

    def close(self) -> None: ...

    def _run(self) -> None:
        try:
            for number in range(self.frames):
                request = Request(number)
                self.spoil(number, request)
                assert self.pre_callback is not None
                self.pre_callback(request)
                for encoder in self.encoders:
                    encoder.encode(request)
        except BaseException as error:  # noqa: BLE001  the tests ask for it
            self.died = error


@contextmanager
def mapped_array(request: Request, name: str) -> Any:
    assert name == "main"
    yield SimpleNamespace(array=request.buffer)


def library(camera: Camera, *, chip: bool) -> Library:
    """picamera2 with this camera."""
    return Library(lambda: camera, mapped_array, "Rec709", H264Encoder, Output, chip)
