"""Keeps the camera alive: starts it, notices that no picture comes, starts it again, rests it when the board is hot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from device.capture.picture_times import STALL_US
from device.intake import Intake
from device.ports import Frame, Hardware, VideoFormat
from evidence.errors import CaptureError

WATCH_S = 0.5
RETRY_S = 2.0
PATIENCE_US = 60_000_000
"""A camera that is lost for longer may be stuck in this process: then only a new one frees it (docs/adr/0011)."""


class CameraWatch:
    """One camera. `on_lost` and `on_back` are called in the event loop, once for each change."""

    def __init__(
        self,
        hardware: Hardware,
        intake: Intake,
        draw: Callable[[Frame], None],
        on_lost: Callable[[int], None],
        on_back: Callable[[], None],
    ) -> None:
        """`on_lost` gets the boot time of the last picture; `on_back` is also called for the very first one."""
        self._camera = hardware.camera
        self._intake = intake
        self._clock = hardware.clock
        self._progress = hardware.progress
        self._draw = draw
        self._on_lost = on_lost
        self._on_back = on_back
        self._lost: bool | None = None
        self._resting = False
        self._started_us = self._clock.now().boot_us
        self._lost_since_us = self._started_us

    @property
    def lost(self) -> bool:
        """No picture comes, although one should."""
        return self._lost is True

    async def start(self) -> VideoFormat:
        """Start the camera; while there is none, try again. A recorder without a camera waits for one."""
        while True:
            try:
                video = await asyncio.to_thread(self._camera.start, self._draw, self._intake.video)
            except CaptureError:
                self._lose(self._started_us)
                self._refused()
                await self._clock.sleep(RETRY_S)
                continue
            self._started_us = self._clock.now().boot_us
            return video

    async def look(self) -> None:
        """Once in a while: is there a picture? If not for two seconds, start the camera again."""
        last_us = self._intake.last_video_boot_us or 0
        if self._resting:
            self._progress()
            return
        if self._clock.now().boot_us - max(last_us, self._started_us) > STALL_US:
            self._lose(max(last_us, self._started_us) if self._lost is None else last_us)
            await self._start_again()
        elif self._lost is not False and last_us > self._started_us:
            self._lost = False
            self._on_back()

    async def rest(self) -> None:
        """Stop the camera to let the board cool down."""
        self._resting = True
        await asyncio.to_thread(self._camera.stop)

    async def wake(self) -> None:
        """Go on after a rest."""
        self._resting = False
        await self._start_again()

    async def stop(self) -> None:
        """No picture comes after this."""
        await asyncio.to_thread(self._camera.stop)

    def _lose(self, last_us: int) -> None:
        if self._lost is not True:
            self._lost = True
            self._lost_since_us = self._clock.now().boot_us
            self._on_lost(last_us)

    async def _start_again(self) -> None:
        await asyncio.to_thread(self._camera.stop)
        try:
            await asyncio.to_thread(self._camera.start, self._draw, self._intake.video)
        except CaptureError:
            self._refused()
            return
        self._started_us = self._clock.now().boot_us

    def _refused(self) -> None:
        if self._clock.now().boot_us - self._lost_since_us < PATIENCE_US:
            self._progress()
