from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_clip, make_still

from device.ports import Frame, VideoPacket
from evidence.errors import BadInputError, CaptureError
from evidence.model import ClockGrade
from sim.camera import LATE_FRAMES, SimCamera
from sim.clock import SimClock

WIDTH, HEIGHT, RATE = 320, 180, 25


def camera_on(path: Path) -> SimCamera:
    clock = SimClock("a" * 32, 480, ClockGrade.RTC)
    return SimCamera(path, WIDTH, HEIGHT, frames_per_s=RATE, bit_rate_bps=500_000, clock=clock)


@contextmanager
def running(camera: SimCamera, draw: Callable[[Frame], None] = lambda _: None) -> Iterator[queue.Queue[VideoPacket]]:
    packets: queue.Queue[VideoPacket] = queue.Queue()
    camera.start(draw, packets.put)
    try:
        yield packets
    finally:
        camera.stop()


def take(packets: queue.Queue[VideoPacket], count: int) -> list[VideoPacket]:
    return [packets.get(timeout=10) for _ in range(count)]


def falls_silent(packets: queue.Queue[VideoPacket]) -> bool:
    """At most the frame in hand comes out; then nothing for five ticks."""
    for _ in range(3):
        try:
            packets.get(timeout=0.2)
        except queue.Empty:
            return True
    return False


def decode(packets: list[VideoPacket], extradata: bytes) -> list[np.ndarray]:
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = extradata
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet.data))]
    frames += decoder.decode(None)
    return [frame.to_ndarray()[:HEIGHT] for frame in frames]


def test_packets_come_at_exact_ticks_and_begin_with_a_key_frame(tmp_path: Path) -> None:
    camera = camera_on(make_clip(tmp_path / "c.mp4"))
    with running(camera) as packets:
        seen = take(packets, 12)
    assert seen[0].key
    assert all(packet.boot_us % (1_000_000 // RATE) == 0 for packet in seen)
    assert all(after.boot_us > before.boot_us for before, after in pairwise(seen))
    assert camera.frames_captured == 12 + packets.qsize()


def test_the_format_is_known_at_once(tmp_path: Path) -> None:
    camera = camera_on(make_still(tmp_path / "s.png"))
    made = camera.start(lambda _: None, lambda _: None)
    camera.stop()
    assert (made.width, made.height, made.frames_per_s) == (WIDTH, HEIGHT, RATE)
    assert made.extradata


def test_no_drawing_is_left_in_the_next_picture(tmp_path: Path) -> None:
    """On a still each frame gets a white bar at a place of its own; only that bar may be seen in it."""
    camera = camera_on(make_still(tmp_path / "s.png", (WIDTH, HEIGHT)))
    drawn = 0

    def draw(frame: Frame) -> None:
        nonlocal drawn
        frame.y[drawn % 10 * 16 : drawn % 10 * 16 + 16] = 235
        drawn += 1

    packets: queue.Queue[VideoPacket] = queue.Queue()
    extradata = camera.start(draw, packets.put).extradata
    seen = take(packets, 10)
    camera.stop()
    pictures = decode(seen, extradata)
    assert len(pictures) == 10
    for number, picture in enumerate(pictures):
        rows = picture.mean(axis=1)
        bright = {row // 16 for row in range(160) if rows[row] > 190}
        assert bright == {number}


def test_frames_are_one_writable_block_with_the_tick_s_time(tmp_path: Path) -> None:
    frames: list[Frame] = []
    with running(camera_on(make_clip(tmp_path / "c.mp4")), frames.append) as packets:
        seen = take(packets, 3)
    frame = frames[0]
    assert frame.y.base is not None
    assert frame.y.base is frame.u.base
    assert frame.u.base is frame.v.base
    assert frame.y.flags.writeable
    assert [packet.boot_us for packet in seen] == [frame.boot_us for frame in frames[:3]]


def test_a_key_frame_comes_when_asked_for(tmp_path: Path) -> None:
    camera = camera_on(make_clip(tmp_path / "c.mp4"))
    with running(camera) as packets:
        take(packets, 3)
        camera.request_key_frame()
        assert any(packet.key for packet in take(packets, 4))


def test_a_machine_too_slow_skips_ticks_and_counts_them(tmp_path: Path) -> None:
    camera = camera_on(make_still(tmp_path / "s.png"))
    busy = threading.Event()
    blocked = threading.Event()

    def draw(_: Frame) -> None:
        if not blocked.is_set():
            blocked.set()
            busy.wait(0.4)

    with running(camera, draw) as packets:
        seen = take(packets, 8)
    period_us = 1_000_000 // RATE
    gaps = [(after.boot_us - before.boot_us) // period_us for before, after in pairwise(seen)]
    assert camera.frames_skipped >= 10 - LATE_FRAMES - 2
    assert sum(gap - 1 for gap in gaps) <= camera.frames_skipped
    assert max(gaps) > 3
    assert all(packet.boot_us % period_us == 0 for packet in seen)


def test_a_hung_camera_is_silent_until_the_world_fixes_it(tmp_path: Path) -> None:
    camera = camera_on(make_clip(tmp_path / "c.mp4"))
    with running(camera) as packets:
        take(packets, 2)
        camera.hang()
        assert falls_silent(packets)
        with pytest.raises(CaptureError, match="gives no picture"):
            camera.start(lambda _: None, lambda _: None)
        camera.recover()
        take(packets, 2)


def test_nothing_comes_after_stop_and_it_starts_again(tmp_path: Path) -> None:
    camera = camera_on(make_clip(tmp_path / "c.mp4"))
    for _ in range(2):
        with running(camera) as packets:
            assert take(packets, 2)[0].key
        left = packets.qsize()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("sim ")]
        assert packets.qsize() == left


def test_a_clip_that_cannot_be_used_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadInputError):
        camera_on(tmp_path / "none.mp4")


def test_a_clip_that_has_gone_is_a_camera_without_a_picture(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "c.mp4")
    camera = camera_on(path)
    shutil.move(path, tmp_path / "elsewhere.mp4")
    with pytest.raises(CaptureError, match="gives no picture"):
        camera.start(lambda _: None, lambda _: None)
