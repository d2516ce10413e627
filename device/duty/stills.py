"""Photos from the running camera: the next picture, with its overlay, kept once it is known which fragment shows it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from device.capture.muxer import MediaFragment
from device.capture.still import StillFacts, add_exif, copy_frame, encode_still
from device.duty.tools import Tools
from device.ports import Buzz, Frame, Locator, Position
from device.segment_writer import end_us
from evidence.errors import DiscError
from evidence.model import Officer, Timestamp

WAIT_LIMIT_US = 15_000_000
"""A picture whose fragment the card does not take is kept without one."""
PENDING_LIMIT = 8
"""A 1080p picture is 3 MB in memory."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """One copied picture, and what was known when it was captured."""

    frame: Frame
    at: Timestamp
    recording: str | None
    position: Position | None


class Stills:
    """Presses of SNAP, pictures that wait for their fragment, and their way to the card."""

    def __init__(self, tools: Tools, locator: Locator, officer: Callable[[], Officer | None], software: str) -> None:
        self._tools = tools
        self._locator = locator
        self._officer = officer
        self._software = software
        self._wanted = 0
        self._pending: list[Picture] = []
        self._ready: list[tuple[Picture, str | None, int | None]] = []
        self._loop = asyncio.get_running_loop()
        tools.recorder.capture.on_picture = self._see

    def take(self) -> bool:
        """Keep the next picture; false when too many wait already."""
        if len(self._pending) + len(self._ready) + self._wanted >= PENDING_LIMIT:
            return False
        self._wanted += 1
        return True

    async def tick(self) -> None:
        """Put on the card what is ready."""
        now_us = self._tools.now_us()
        for picture in tuple(self._pending):
            if picture.recording is None or now_us - picture.at.boot_us > WAIT_LIMIT_US:
                self._pending.remove(picture)
                self._ready.append((picture, None, None))
        while self._ready:
            await self._keep(*self._ready.pop(0))

    def _see(self, frame: Frame) -> None:
        """In the camera's thread."""
        if self._wanted:
            self._wanted -= 1
            self._loop.call_soon_threadsafe(self._taken, copy_frame(frame), self._tools.clock.at(frame.boot_us))

    def _taken(self, frame: Frame, at: Timestamp) -> None:
        self._pending.append(Picture(frame, at, self._tools.recorder.recording, self._locator.read()))

    def kept(self, fragment: MediaFragment, segment: str, index: int) -> None:
        """A fragment is durable: pictures that it shows belong to it."""
        for picture in tuple(self._pending):
            if fragment.first_frame_boot_us <= picture.at.boot_us < end_us(fragment):
                self._pending.remove(picture)
                self._ready.append((picture, segment, index))

    async def _keep(self, picture: Picture, segment: str | None, index: int | None) -> None:
        jpeg = await asyncio.to_thread(encode_still, picture.frame)
        height, width = picture.frame.y.shape
        fields: dict[str, Any] = {
            "recording": picture.recording, "segment": segment, "index": index,
            "captured_boot_us": picture.at.boot_us, "width": width, "height": height,
        }  # fmt: skip

        def make(entry: int) -> bytes:
            facts = StillFacts(
                device=self._tools.spool.device,
                software=self._software,
                officer=self._officer(),
                captured=picture.at,
                position=picture.position,
                entry=entry,
                recording=picture.recording,
                segment=segment,
                index=index,
            )
            return add_exif(jpeg, facts)

        try:
            await self._tools.thread.run(self._tools.spool.keep_blob, "still", make, self._tools.clock.now(), **fields)
        except DiscError as error:
            log.warning("photo not kept: %s", error)
            self._tools.buzz(Buzz.FAULT)
