"""The simulated camera: the clip as a sensor with its own steady ticks would see it, with an encoder behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from device.capture.encoder import SoftwareEncoder
from device.ports import Frame, VideoFormat, VideoPacket
from evidence.errors import BadInputError, CaptureError
from sim.clip import Clip, read_facts
from sim.clock import SimClock
from sim.letterbox import blank_picture

LATE_FRAMES = 3
"""So many ticks may wait for a busy machine, as in the buffers of a real sensor; what is older is skipped."""

log = logging.getLogger(__name__)


class SimCamera:
    """A `Camera` that sees the clip, at the exact instants k / `frames_per_s` of boot time.

    Media time is boot time, so that a microphone beside it hears the same scene. Raises BadInputError when the clip
    cannot be used. `frames_captured` and `frames_skipped` (a machine too slow) count since it was made.
    """

    def __init__(
        self, clip_path: Path, width: int, height: int, *, frames_per_s: int, bit_rate_bps: int, clock: SimClock
    ) -> None:
        read_facts(clip_path)
        self._clip_path = clip_path
        self._width = width
        self._height = height
        self._frames_per_s = frames_per_s
        self._bit_rate_bps = bit_rate_bps
        self._clock = clock
        self._encoder: SoftwareEncoder | None = None
        self._hung = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.frames_captured = 0
        self.frames_skipped = 0

    def start(self, draw: Callable[[Frame], None], deliver: Callable[[VideoPacket], None]) -> VideoFormat:
        """Start capturing. Raises CaptureError when hung, when the clip has gone, or for a size that cannot be."""
        if self._hung.is_set():
            raise CaptureError("camera", "gives no picture")
        encoder = SoftwareEncoder(self._width, self._height, self._frames_per_s, self._bit_rate_bps)
        try:
            clip = Clip(self._clip_path, self._width, self._height, from_us=self._clock.boot_us())
        except BadInputError as error:
            raise CaptureError("camera", f"gives no picture: {error}") from error
        self._encoder = encoder
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._run, args=(clip, encoder, draw, deliver), name="sim camera", daemon=True
        )
        self._thread.start()
        return encoder.format

    def request_key_frame(self) -> None:
        """Make the next frame a key frame. From any thread."""
        if self._encoder is not None:
            self._encoder.request_key_frame()

    def stop(self) -> None:
        """Stop; no callback comes after this returns."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def hang(self) -> None:
        """The world shakes the cable loose: no picture comes any more, nor an error."""
        self._hung.set()

    def recover(self) -> None:
        """The world fixes the cable."""
        self._hung.clear()

    def _run(
        self,
        clip: Clip,
        encoder: SoftwareEncoder,
        draw: Callable[[Frame], None],
        deliver: Callable[[VideoPacket], None],
    ) -> None:
        # One buffer is enough, for the encoder has done with it when it returns. It must not be the clip's own memory,
        # which later pictures are predicted from and which a held picture is taken from again.
        buffer = blank_picture(self._width, self._height)

        def hand_out(packets: list[VideoPacket]) -> None:
            for packet in packets:
                deliver(packet)

        def shoot(tick_us: int) -> None:
            picture = clip.picture_at(tick_us, wait=False)
            if self._hung.is_set():
                return
            for into, plane in zip(buffer, picture, strict=True):
                np.copyto(into, plane)
            frame = Frame(buffer.y, buffer.u, buffer.v, tick_us)
            draw(frame)
            hand_out(encoder.encode(frame))
            self.frames_captured += 1

        try:
            self._tick(shoot)
            hand_out(encoder.finish())
        except (BadInputError, CaptureError) as error:
            log.error("the camera gives no picture any more: %s", error)
        finally:
            clip.close()

    def _tick(self, shoot: Callable[[int], None]) -> None:
        """Call `shoot` at every tick until stopped; a tick keeps its own exact time however late it is served."""
        tick = self._tick_at(self._clock.boot_us()) + 1
        while self._clock.wait_until(tick_us := tick * 1_000_000 // self._frames_per_s, self._stop):
            shoot(tick_us)
            oldest = self._tick_at(self._clock.boot_us()) - LATE_FRAMES
            self.frames_skipped += max(0, oldest - (tick + 1))
            tick = max(tick + 1, oldest)

    def _tick_at(self, boot_us: int) -> int:
        return boot_us * self._frames_per_s // 1_000_000
