"""The camera adapter against a stand-in for picamera2 with its habits; what only the library knows, only a Pi shows."""

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from device.config import CameraConfig
from device.hw.picamera2_camera import Picamera2Camera
from device.hw.picamera2_library import has_chip, load_library
from device.ports import Frame, VideoPacket
from evidence.errors import CaptureError, ConfigError
from tests.device.fake_picamera2 import FIRST_NS, FRAME_NS, HEIGHT, WIDTH, Camera, Request, library

CONFIG = CameraConfig(WIDTH, HEIGHT, 30, 500_000)


class Recording:
    """An adapter over a fake camera, and what came out of it."""

    def __init__(self, *, chip: bool) -> None:
        self.camera = Camera()
        self.adapter = Picamera2Camera(CONFIG, library(self.camera, chip=chip), 2.0, 0.2)
        self.drawn: list[int] = []
        self.packets: list[VideoPacket] = []

    def draw(self, frame: Frame) -> None:
        frame.y[:] = 235
        self.drawn.append(frame.boot_us)


@pytest.fixture(params=[False, True], ids=["x264", "chip"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return Recording(chip=request.param)


def test_every_frame_is_drawn_and_comes_out_at_its_capture_time(recording: Recording) -> None:
    requests: list[Request] = []
    recording.camera.spoil = lambda _, request: requests.append(request)
    format_ = recording.adapter.start(recording.draw, recording.packets.append)
    recording.camera.thread.join(10)
    recording.adapter.stop()
    times = [(FIRST_NS + number * FRAME_NS) // 1000 for number in range(recording.camera.frames)]
    assert recording.drawn == times
    assert [packet.boot_us for packet in recording.packets] == times
    assert [packet.key for packet in recording.packets][:2] == [True, False]
    assert (format_.width, format_.height, format_.frames_per_s) == (WIDTH, HEIGHT, 30)
    assert format_.extradata.startswith(b"\0\0\0\1")
    assert all((request.buffer[:HEIGHT, :WIDTH] == 235).all() for request in requests)
    assert all((request.buffer[:HEIGHT, WIDTH:] == 128).all() for request in requests)
    assert recording.camera.wanted["colour_space"] == "Rec709"


def test_a_key_frame_can_be_asked_for(recording: Recording) -> None:
    recording.camera.spoil = lambda number, _: recording.adapter.request_key_frame() if number == 6 else None
    recording.adapter.start(recording.draw, recording.packets.append)
    recording.camera.thread.join(10)
    assert [number for number, packet in enumerate(recording.packets) if packet.key] == [0, 6]


def test_it_starts_again_after_a_stop(recording: Recording) -> None:
    for _ in range(2):
        recording.adapter.start(recording.draw, recording.packets.append)
        recording.camera.thread.join(10)
        recording.adapter.stop()
    assert len(recording.packets) == 2 * recording.camera.frames


def raising(error: Exception) -> Callable[[Frame], None]:
    def draw(frame: Frame) -> None:
        if frame.boot_us > FIRST_NS // 1000 + 100_000:
            raise error

    return draw


@pytest.mark.parametrize("error", [CaptureError("overlay", "wrong size"), RuntimeError("Event loop is closed")])
def test_an_error_in_a_callback_silences_the_camera_and_spares_its_thread(
    recording: Recording, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    recording.adapter.start(raising(error), recording.packets.append)
    recording.camera.thread.join(10)
    assert recording.camera.died is None
    assert len(recording.packets) == 4
    assert [record.getMessage() for record in caplog.records] == [f"the camera gives no picture any more: {error}"]
    recording.adapter.stop()


def test_a_frame_without_a_time_silences_the_camera_too() -> None:
    recording = Recording(chip=False)
    recording.camera.spoil = lambda _, request: request.metadata.clear()
    with pytest.raises(CaptureError, match="gives no picture within 2 s"):
        recording.adapter.start(recording.draw, recording.packets.append)
    assert recording.camera.died is None


def test_nothing_is_delivered_after_a_stop(recording: Recording) -> None:
    go_on = threading.Event()
    recording.camera.spoil = lambda number, _: None if number != 5 else bool(go_on.wait(10)) and None
    recording.camera.hangs = True
    recording.adapter.start(recording.draw, recording.packets.append)
    with pytest.raises(CaptureError, match="does not stop within"):
        recording.adapter.stop()
    seen = len(recording.drawn), len(recording.packets)
    go_on.set()
    recording.camera.thread.join(10)
    assert (len(recording.drawn), len(recording.packets)) == seen
    recording.adapter.stop()


def test_no_picture_is_a_capture_error(recording: Recording) -> None:
    recording.camera.frames = 0
    with pytest.raises(CaptureError, match="gives no picture within 2 s"):
        recording.adapter.start(recording.draw, recording.packets.append)


def test_a_size_that_the_camera_alters_is_refused(recording: Recording) -> None:
    recording.camera.size = (WIDTH - 2, HEIGHT)
    with pytest.raises(CaptureError, match="choose another width and height"):
        recording.adapter.start(recording.draw, recording.packets.append)


def test_a_camera_that_refuses_is_a_capture_error(recording: Recording) -> None:
    recording.camera.refusal = RuntimeError("Failed to start camera: Device or resource busy")
    with pytest.raises(CaptureError, match="does not start: Failed"):
        recording.adapter.start(recording.draw, recording.packets.append)


@pytest.mark.parametrize(
    ("old_board", "node", "chip"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_only_an_old_board_with_its_node_has_a_chip(tmp_path: Path, old_board: bool, node: bool, chip: bool) -> None:
    """A Pi 5 has none whatever its video nodes, and a PC with a webcam is no old board."""
    assert has_chip(old_board, tmp_path if node else tmp_path / "video11") is chip


def test_a_camera_that_is_missing_is_told_and_found_when_it_is_there() -> None:
    camera, there = Camera(), False

    def open_camera() -> Camera:
        if not there:
            raise IndexError("list index out of range")
        return camera

    packets: list[VideoPacket] = []
    adapter = Picamera2Camera(CONFIG, replace(library(camera, chip=False), open_camera=open_camera), 2.0, 0.2)
    for _ in range(2):
        with pytest.raises(CaptureError, match="camera: cannot be opened: list index"):
            adapter.start(lambda _: None, packets.append)
        adapter.stop()
    there = True
    adapter.start(lambda _: None, packets.append)
    adapter.stop()
    assert packets


def test_a_missing_library_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libcamera", None)
    with pytest.raises(ConfigError, match="apt install python3-picamera2"):
        load_library()
