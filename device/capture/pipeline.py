"""From sensor to fragment: camera, overlay, microphone and muxer, one run from the start of capture to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from device.capture.camera_watch import CameraWatch
from device.capture.muxer import FragmentMuxer, MediaFragment
from device.capture.overlay import Mark, Overlay
from device.capture.picture_times import PictureTimes, Skipped
from device.intake import Intake
from device.ports import Frame, Hardware, SoundBlock, VideoPacket
from evidence.errors import CaptureError

MICROPHONE_START_US = 2_000_000
"""A microphone takes up to this long to begin; silence before that is no loss of anything."""


class Capture:
    """Owns everything that sees and hears. `camera` is looked after by whoever calls `camera.look`."""

    def __init__(
        self,
        hardware: Hardware,
        intake: Intake,
        overlay: Overlay,
        mark: Callable[[], Mark],
        on_lost: Callable[[int], None],
        on_back: Callable[[], None],
    ) -> None:
        """`mark` says, from the camera's thread, what the pictures show of the state; the others: see CameraWatch."""
        self._clock = hardware.clock
        self._intake = intake
        self._microphone = hardware.microphone
        self._mark = mark
        self._muxer: FragmentMuxer | None = None
        self._times = PictureTimes(1)
        self.overlay = overlay
        self.epoch = self._clock.now()
        """The instant of the muxer's time stamp zero."""
        self.camera = CameraWatch(hardware, intake, self._draw, on_lost, on_back)
        self.request_key_frame = hardware.camera.request_key_frame
        self.on_picture: Callable[[Frame], None] = lambda _: None
        """Sees every picture with its overlay, in the camera's thread; must copy what it keeps."""

    @property
    def init(self) -> bytes:
        """The init section of every segment. Only after `start`."""
        return self._running.init

    @property
    def sound_lost(self) -> bool:
        """Silence is being recorded, because the microphone gives nothing."""
        return self._muxer is not None and self._muxer.sound_lost

    @property
    def settled(self) -> bool:
        """The microphone has had time to begin."""
        return self._clock.now().boot_us > self.epoch.boot_us + MICROPHONE_START_US

    async def start(self) -> bool:
        """Start camera, muxer and microphone; waits for a camera. False when there is no microphone."""
        self.epoch = self._clock.now()
        video = await self.camera.start()
        self._times = PictureTimes(video.frames_per_s)
        self._muxer = FragmentMuxer(video, sound=True, epoch_boot_us=self.epoch.boot_us)
        try:
            await asyncio.to_thread(self._microphone.start, self._intake.sound)
        except CaptureError:
            return False
        return True

    def add_picture(self, packet: VideoPacket) -> tuple[Skipped | None, list[MediaFragment]]:
        """What is missing before this picture, and the fragments that it completes. Raises CaptureError."""
        return self._times.see(packet), self._cut(self._running.add_video(packet))

    def add_sound(self, block: SoundBlock) -> list[MediaFragment]:
        """The fragments that this sound completes. Raises CaptureError."""
        return self._cut(self._running.add_sound(block))

    def told_until(self, boot_us: int) -> None:
        """What is missing of the pictures up to here has been said already."""
        self._times.told_until(boot_us)

    def take_lost_sound(self) -> list[tuple[int, int]]:
        """The intervals (from, to) in boot_us that became silence, each once."""
        lost = self._running.take_lost_sound()
        return [one for one in lost if one[1] >= self.epoch.boot_us + MICROPHONE_START_US]

    async def end(self) -> list[MediaFragment]:
        """Stop everything, whatever of it fails, and give the last fragments."""
        try:
            await self.camera.stop()
        finally:
            await asyncio.to_thread(self._microphone.stop)
        if self._muxer is None:
            return []
        self._times.end()
        return self._cut(self._muxer.finish())

    @property
    def _running(self) -> FragmentMuxer:
        assert self._muxer is not None
        return self._muxer

    def _cut(self, fragments: list[MediaFragment]) -> list[MediaFragment]:
        return [self._times.cut(fragment) for fragment in fragments]

    def _draw(self, frame: Frame) -> None:
        self.overlay.draw(frame, self._clock.at(frame.boot_us), self._mark())
        self.on_picture(frame)
