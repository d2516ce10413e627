"""Camera and microphone as the recorder has them, with an eye and an ear on what they deliver."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from device.health.facts import CameraFacts, MicrophoneFacts
from device.health.limits import NOTHING_DBFS
from device.ports import (
    SOUND_RATE_HZ,
    Camera,
    Clock,
    Frame,
    Hardware,
    Microphone,
    Samples,
    SoundBlock,
    VideoFormat,
    VideoPacket,
)
from evidence.errors import CaptureError

RATE_WINDOW_US = 5_000_000
SOUND_WINDOW_S = 10
FULL_SCALE = 32_768
MICROPHONE_LATE_US = 2_000_000
"""After so long without a block a microphone counts as gone, as it does for the muxer's silence."""


def level_dbfs(samples: Samples) -> float:
    """RMS against full scale, -96 for digital silence."""
    rms = math.sqrt(float(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
    return max(NOTHING_DBFS, 20 * math.log10(rms / FULL_SCALE)) if rms else NOTHING_DBFS


class GaugedCamera:
    """A `Camera` that counts what another one delivers. Read from any thread."""

    def __init__(self, camera: Camera, clock: Clock) -> None:
        self._camera = camera
        self._clock = clock
        self._nominal_frames_per_s: int | None = None
        self._asked = self._running = False
        self._frames_us: deque[int] = deque()

    def start(self, draw: Callable[[Frame], None], deliver: Callable[[VideoPacket], None]) -> VideoFormat:
        def see(packet: VideoPacket) -> None:
            self._see(packet.boot_us)
            deliver(packet)

        self._frames_us.clear()
        self._asked = True
        video = self._camera.start(draw, see)
        self._nominal_frames_per_s = video.frames_per_s
        self._running = True
        return video

    def request_key_frame(self) -> None:
        self._camera.request_key_frame()

    def stop(self) -> None:
        self._running = False
        self._camera.stop()

    def facts(self) -> CameraFacts | None:
        """None before the first start."""
        if not self._asked:
            return None
        now_us = self._clock.now().boot_us
        times = [one for one in tuple(self._frames_us) if one > now_us - RATE_WINDOW_US]
        whole = len(times) > 1 and times[-1] > times[0]
        rate = (len(times) - 1) * 1e6 / (times[-1] - times[0]) if whole else None
        last = tuple(self._frames_us)[-1:]
        age_s = (now_us - last[0]) / 1e6 if last else None
        return CameraFacts(self._running, self._nominal_frames_per_s, rate, age_s)

    def _see(self, boot_us: int) -> None:
        self._frames_us.append(boot_us)
        while self._frames_us[0] < boot_us - RATE_WINDOW_US:
            self._frames_us.popleft()


class GaugedMicrophone:
    """A `Microphone` whose level another thread may read."""

    def __init__(self, microphone: Microphone, clock: Clock) -> None:
        self._microphone = microphone
        self._clock = clock
        self._started = False
        self._last_us: int | None = None
        self._second: list[Samples] = []
        self._levels_dbfs: deque[float] = deque(maxlen=SOUND_WINDOW_S)

    def start(self, deliver: Callable[[SoundBlock], None]) -> None:
        def hear(block: SoundBlock) -> None:
            self._hear(block)
            deliver(block)

        self._started = True
        self._last_us = None
        try:
            self._microphone.start(hear)
        except CaptureError:
            self._levels_dbfs.clear()
            raise
        self._last_us = self._clock.now().boot_us

    def stop(self) -> None:
        self._microphone.stop()

    def facts(self) -> MicrophoneFacts | None:
        """None before the first start."""
        if not self._started:
            return None
        plugged = self._last_us is not None and self._clock.now().boot_us - self._last_us < MICROPHONE_LATE_US
        return MicrophoneFacts(plugged, max(tuple(self._levels_dbfs), default=None) if plugged else None)

    def _hear(self, block: SoundBlock) -> None:
        self._last_us = block.boot_us
        self._second.append(block.samples)
        if sum(map(len, self._second)) >= SOUND_RATE_HZ:
            self._levels_dbfs.append(level_dbfs(np.concatenate(self._second)))
            self._second = []


def gauged(hardware: Hardware) -> tuple[Hardware, GaugedCamera, GaugedMicrophone]:
    """The same hardware with gauges, and the gauges."""
    camera = GaugedCamera(hardware.camera, hardware.clock)
    microphone = GaugedMicrophone(hardware.microphone, hardware.clock)
    return replace(hardware, camera=camera, microphone=microphone), camera, microphone
