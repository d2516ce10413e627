"""The recorder's task: packets -> fragments -> ring or card -> sealed segments, and the breaks in between.

It never stops for a fault that is not the camera's: when the card refuses, fragments go round in the ring again until
it takes them, and the break is journalled as soon as anything can be.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from device.capture.muxer import FragmentMuxer, MediaFragment
from device.capture.overlay import Mark, Overlay
from device.capture.ring import PreEventRing
from device.config import RecordingConfig
from device.disc_thread import DiscThread
from device.intake import CameraStalled, Dropped, Intake, Item, Start, Stop, StopOverdue
from device.interruptions import unexplained
from device.numbers import Numbers
from device.ports import Frame, Hardware, SoundBlock, VideoPacket
from device.recovery import OpenInterruption
from device.spool import SegmentState, Spool
from evidence.errors import CaptureError, DiscError, DiscFullError
from evidence.model import Officer, Timestamp

RETRY_US = 5_000_000
STALL_US = 2_000_000
STOP_LIMIT_US = 3_000_000
WATCH_S = 0.5
MICROPHONE_START_US = 2_000_000
"""A microphone takes up to this long to begin; silence before that is no loss of anything."""
SHORTEST_GAP_US = 40_000
"""The account bridges less (GA/T 947.2)."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Break:
    """A running interruption: it ends with the next fragment that the card takes, not tried before `retry_boot_us`."""

    interruption: str
    retry_boot_us: int


class Recorder:
    """Owns the muxer, the ring and the open segment. Commands and packets come through the intake, in one order."""

    def __init__(
        self,
        config: RecordingConfig,
        hardware: Hardware,
        intake: Intake,
        spool: Spool,
        disc: DiscThread,
        overlay: Overlay,
        officer: Officer | None,
        numbers: Numbers,
    ) -> None:
        self._config = config
        self._hardware = hardware
        self._clock = hardware.clock
        self._intake = intake
        self._spool = spool
        self._disc = disc
        self._overlay = overlay
        self._officer = officer
        self._ring = PreEventRing(config.pre_event_s)
        self._epoch = self._clock.now()
        self._muxer: FragmentMuxer | None = None
        self._recording: str | None = None
        self._segment: SegmentState | None = None
        self._segment_began_us = 0
        self._unsealed: list[tuple[SegmentState, str]] = []
        self._frame_us = 0
        self._last_frame_us = 0
        self._told_us = 0
        self._gop_ends_us: deque[int] = deque()
        self._break: Break | None = None
        self._stop: Stop | None = None
        self._stop_boot_us = 0
        self._numbers = numbers

    @property
    def recording(self) -> str | None:
        """The id of the running recording."""
        return self._recording

    def go_on(self, interrupted: OpenInterruption) -> None:
        """Continue a recording that a power loss broke: with the next fragment, and all that is in the ring."""
        now = self._clock.now()
        self._recording = interrupted.recording
        self._break = Break(interrupted.interruption, now.boot_us)

    async def note(self, kind: str, **fields: Any) -> None:
        """Journal what happens now, at once or as soon as the card takes entries again."""
        await self._disc.run(self._spool.note_or_keep, kind, self._clock.now(), **fields)

    async def unexplained(self) -> tuple[str, ...]:
        """The interruptions that still need a reason, oldest first. Raises DiscError."""
        return await self._disc.run(unexplained, self._spool)

    async def run(self) -> None:
        """Capture until cancelled. Raises CaptureError when there is no camera at all."""
        self._epoch = self._clock.now()
        video = await asyncio.to_thread(self._hardware.camera.start, self._draw, self._intake.video)
        if self._intake.last_video_boot_us is None:
            self._intake.last_video_boot_us = self._epoch.boot_us
        self._frame_us = 1_000_000 // video.frames_per_s
        self._muxer = FragmentMuxer(video, sound=True, epoch_boot_us=self._epoch.boot_us)
        try:
            await self._start_microphone()
            while True:
                await self._handle(await self._intake.get())
        finally:
            await self._end_capture(self._muxer)

    async def _end_capture(self, muxer: FragmentMuxer) -> None:
        """Whatever of it fails, the rest is done."""
        try:
            await asyncio.to_thread(self._hardware.camera.stop)
        finally:
            try:
                await asyncio.to_thread(self._hardware.microphone.stop)
            finally:
                await self._save_rest(muxer.finish())

    async def _save_rest(self, fragments: list[MediaFragment]) -> None:
        """A recording that still runs here is ended by a fault of ours: what there is of it is sealed."""
        if self._recording is not None:
            self._gop_ends_us.append(self._last_frame_us + self._frame_us)
            await self._keep_all(fragments)
            await self._seal("device_fault")

    async def watch(self) -> None:
        """Restart a camera that stalls, and end a stop that waits for a picture which never comes."""
        while True:
            await self._clock.sleep(WATCH_S)
            now_us = self._clock.now().boot_us
            last_us = self._intake.last_video_boot_us
            if last_us is not None and now_us - last_us > STALL_US:
                self._intake.command(CameraStalled(last_us))
                await self._restart_camera()
            if self._stop and now_us - self._stop_boot_us > STOP_LIMIT_US:
                self._intake.command(StopOverdue())

    async def _handle(self, item: Item) -> None:
        assert self._muxer is not None
        match item:
            case VideoPacket():
                await self._note_gap(item)
                await self._keep_all(self._mux_video(item))
            case SoundBlock():
                await self._keep_all(self._muxer.add_sound(item))
            case Start():
                await self._start(item.trigger)
            case Stop():
                self._begin_stop(item)
            case StopOverdue() if self._stop:
                await self._finish()
            case Dropped():
                await self.note(
                    "dropped", frames=item.frames, from_boot_us=item.from_boot_us, to_boot_us=item.to_boot_us
                )
                self._told_us = item.to_boot_us
                await self._interrupt("device_fault", self._clock.at(item.from_boot_us))
            case CameraStalled():
                await self._interrupt("device_fault", self._clock.at(item.since_boot_us))

    def _draw(self, frame: Frame) -> None:
        # While the card takes nothing the picture must not claim that it is being recorded.
        mark = Mark.RECORDING if self._recording is not None and self._break is None else Mark.STANDBY
        self._overlay.draw(frame, self._clock.at(frame.boot_us), mark)

    async def _start_microphone(self) -> None:
        """A recorder without sound still records (the muxer feeds silence and says so)."""
        try:
            await asyncio.to_thread(self._hardware.microphone.start, self._intake.sound)
        except CaptureError:
            now_us = self._clock.now().boot_us
            await self.note("sound_lost", from_boot_us=now_us, to_boot_us=now_us)

    async def _restart_camera(self) -> None:
        camera = self._hardware.camera
        await asyncio.to_thread(camera.stop)
        try:
            await asyncio.to_thread(camera.start, self._draw, self._intake.video)
        except CaptureError:
            return
        self._intake.last_video_boot_us = self._clock.now().boot_us

    async def _start(self, trigger: str) -> None:
        self._recording = self._numbers.next_recording()
        officer = self._officer.number if self._officer else None
        await self.note("recording_started", recording=self._recording, trigger=trigger, officer=officer)
        await self._write_run([])

    def _begin_stop(self, stop: Stop) -> None:
        if self._recording is None:
            stop.done.set()
            return
        self._stop = stop
        self._stop_boot_us = self._clock.now().boot_us
        self._hardware.camera.request_key_frame()

    async def _finish(self) -> None:
        """Seal and end the recording."""
        stop, self._stop = self._stop, None
        recording, self._recording = self._recording, None
        assert stop is not None
        await self._seal(stop.trigger)
        self._break = None
        await self.note(
            "recording_stopped", recording=recording, trigger=stop.trigger, ended_boot_us=self._stop_boot_us
        )
        stop.done.set()

    async def _note_gap(self, packet: VideoPacket) -> None:
        """Pictures that the sensor did not give: no camera says so, capture times do. A stall is a break of its own."""
        gap_us = packet.boot_us - self._told_us
        if self._recording and self._told_us and self._frame_us * 3 // 2 < gap_us < STALL_US:
            await self.note(
                "skipped",
                frames=round(gap_us / self._frame_us) - 1,
                from_boot_us=self._told_us + self._frame_us,
                to_boot_us=packet.boot_us,
            )
        self._told_us = packet.boot_us

    def _mux_video(self, packet: VideoPacket) -> list[MediaFragment]:
        assert self._muxer is not None
        if packet.key and self._last_frame_us:
            self._gop_ends_us.append(self._last_frame_us + self._frame_us)
        self._last_frame_us = packet.boot_us
        return self._muxer.add_video(packet)

    def _seen(self, fragment: MediaFragment) -> MediaFragment:
        """The muxer shows the last picture before a gap until the next one; it was seen for one frame."""
        seen_us = self._gop_ends_us.popleft() - fragment.first_frame_boot_us
        if fragment.info.duration_us <= seen_us + SHORTEST_GAP_US:
            return fragment
        return replace(fragment, info=replace(fragment.info, duration_us=seen_us))

    async def _keep_all(self, fragments: list[MediaFragment]) -> None:
        for fragment in fragments:
            await self._keep(self._seen(fragment))
        await self._note_sound_losses()

    async def _keep(self, fragment: MediaFragment) -> None:
        if self._recording is None:
            self._ring.push(fragment)
            return
        await self._write_run([fragment])
        if self._stop and end_us(fragment) >= self._stop_boot_us:
            await self._finish()

    async def _write_run(self, fragments: list[MediaFragment]) -> None:
        """Write what waits in the ring and these, in order; from the first one that the card refuses, they wait."""
        waiting = deque([*self._ring.drain(), *fragments])
        if self._stop is None and self._break and self._clock.now().boot_us < self._break.retry_boot_us:
            self._keep_waiting(waiting)
            return
        while waiting:
            try:
                await self._write(waiting[0])
            except DiscError as error:
                self._keep_waiting(waiting)
                await self._refused(error, waiting[0])
                return
            waiting.popleft()
            await self._end_break()

    def _keep_waiting(self, fragments: Iterable[MediaFragment]) -> None:
        for fragment in fragments:
            self._ring.push(fragment)

    async def _write(self, fragment: MediaFragment) -> None:
        length_us = end_us(fragment) - self._segment_began_us
        if self._segment and length_us > self._config.segment_s * 1_000_000:
            await self._seal("length")
        if self._segment is None:
            self._segment = await self._open_segment(fragment)
        await self._disc.run(self._spool.append, self._segment, fragment)

    async def _open_segment(self, fragment: MediaFragment) -> SegmentState:
        assert self._muxer is not None
        assert self._recording is not None
        self._segment_began_us = fragment.first_frame_boot_us
        name = self._numbers.next_segment()
        return await self._disc.run(
            self._spool.open_segment, name, self._recording, self._officer, self._muxer.init, self._epoch
        )

    async def _seal(self, trigger: str) -> None:
        """Seal the open segment; one that cannot be sealed now is tried again, at last by the next start's recovery."""
        if self._segment is not None:
            self._unsealed.append((self._segment, trigger))
            self._segment = None
        for waiting in tuple(self._unsealed):
            try:
                await self._disc.run(self._spool.seal, *waiting)
            except DiscError as error:
                log.warning("%s is not sealed yet: %s", waiting[0].segment, error)
                continue
            self._unsealed.remove(waiting)

    async def _refused(self, error: DiscError, fragment: MediaFragment) -> None:
        """The card took no fragment. One fault may be a chance; a full card, or the next fault, is given some time."""
        began = self._clock.at(fragment.first_frame_boot_us)
        full, again = isinstance(error, DiscFullError), self._break is not None
        await self._interrupt("storage_full" if full else "device_fault", began)
        if self._break and (full or again):
            self._break.retry_boot_us = self._clock.now().boot_us + RETRY_US

    async def _interrupt(self, cause: str, began: Timestamp) -> None:
        if self._recording is None:
            return
        await self._seal(cause)
        if self._break is None:
            self._break = Break(self._numbers.next_interruption(), self._clock.now().boot_us)
            await self.note(
                "interruption",
                interruption=self._break.interruption,
                recording=self._recording,
                cause=cause,
                began=began.to_fields(),
            )

    async def _end_break(self) -> None:
        broken, self._break = self._break, None
        if broken is not None:
            await self.note("resumed", interruption=broken.interruption, recording=self._recording)

    async def _note_sound_losses(self) -> None:
        assert self._muxer is not None
        for from_us, to_us in self._muxer.take_lost_sound():
            if to_us < self._epoch.boot_us + MICROPHONE_START_US:
                continue
            await self.note("sound_lost", from_boot_us=from_us, to_boot_us=to_us)


def end_us(fragment: MediaFragment) -> int:
    """When the fragment's last frame ends, on the boot clock."""
    return fragment.first_frame_boot_us + fragment.info.duration_us
