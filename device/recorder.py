"""The recorder's task: packets -> fragments -> ring or card -> sealed segments, and the breaks in between.

It never stops for a fault that is not the camera's: when the card refuses, fragments go round in the ring again until
it takes them, and the break is journalled as soon as anything can be.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
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
MICROPHONE_START_US = 1_000_000
"""A microphone takes up to this long to begin; silence before that is no loss of anything."""


@dataclass(slots=True)
class Break:
    """A running interruption; `noted` once it stands in the journal."""

    interruption: str
    cause: str
    began: Timestamp
    noted: bool
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
        self._mark = Mark.STANDBY
        self._recording: str | None = None
        self._segment: SegmentState | None = None
        self._segment_began_us = 0
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
        self._break = Break(interrupted.interruption, "power_loss", now, noted=True, retry_boot_us=now.boot_us)
        self._mark = Mark.RECORDING

    async def try_note(self, kind: str, **fields: Any) -> bool:
        """Journal an entry, or learn that the card takes nothing now."""
        try:
            await self._disc.run(self._spool.note, kind, **fields)
        except DiscError:
            return False
        return True

    async def unexplained(self) -> tuple[str, ...]:
        """The interruptions that still need a reason, oldest first."""
        return await self._disc.run(unexplained, self._spool.journal)

    async def run(self) -> None:
        """Capture until cancelled. Raises CaptureError when there is no camera at all."""
        self._epoch = self._clock.now()
        video = await asyncio.to_thread(self._hardware.camera.start, self._draw, self._intake.video)
        self._muxer = FragmentMuxer(video, sound=True, epoch_boot_us=self._epoch.boot_us)
        try:
            await self._start_microphone()
            while True:
                await self._handle(await self._intake.get())
        finally:
            await asyncio.to_thread(self._hardware.camera.stop)
            await asyncio.to_thread(self._hardware.microphone.stop)
            await self._save_rest(self._muxer.finish())

    async def _save_rest(self, fragments: list[MediaFragment]) -> None:
        """A recording that still runs here is ended by a fault of ours: what there is of it is sealed."""
        if self._recording is not None:
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
                await self._keep_all(self._muxer.add_video(item))
            case SoundBlock():
                await self._keep_all(self._muxer.add_sound(item))
            case Start():
                await self._start(item.trigger)
            case Stop():
                self._begin_stop(item)
            case StopOverdue() if self._stop:
                await self._finish()
            case Dropped():
                await self.try_note(
                    "dropped", frames=item.frames, from_boot_us=item.from_boot_us, to_boot_us=item.to_boot_us
                )
            case CameraStalled():
                await self._interrupt("device_fault", self._clock.at(item.since_boot_us))

    def _draw(self, frame: Frame) -> None:
        self._overlay.draw(frame, self._clock.at(frame.boot_us), self._mark)

    async def _start_microphone(self) -> None:
        """A recorder without sound still records (the muxer feeds silence and says so)."""
        try:
            await asyncio.to_thread(self._hardware.microphone.start, self._intake.sound)
        except CaptureError:
            now_us = self._clock.now().boot_us
            await self.try_note("sound_lost", from_boot_us=now_us, to_boot_us=now_us)

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
        self._mark = Mark.RECORDING
        officer = self._officer.number if self._officer else None
        if not await self.try_note("recording_started", recording=self._recording, trigger=trigger, officer=officer):
            await self._interrupt("device_fault", self._clock.now())
        await self._write_run(self._ring.drain())

    def _begin_stop(self, stop: Stop) -> None:
        self._stop = stop
        self._stop_boot_us = self._clock.now().boot_us
        self._hardware.camera.request_key_frame()

    async def _finish(self) -> None:
        """Seal and end the recording."""
        stop, self._stop = self._stop, None
        recording, self._recording = self._recording, None
        self._mark = Mark.STANDBY
        assert stop is not None
        await self._seal(stop.trigger)
        self._break = None
        await self.try_note(
            "recording_stopped", recording=recording, trigger=stop.trigger, ended_boot_us=self._stop_boot_us
        )
        stop.done.set()

    async def _keep_all(self, fragments: list[MediaFragment]) -> None:
        for fragment in fragments:
            await self._keep(fragment)
        await self._note_sound_losses()

    async def _keep(self, fragment: MediaFragment) -> None:
        if self._recording is None:
            self._ring.push(fragment)
            return
        await self._write_run([fragment])
        if self._stop and end_us(fragment) >= self._stop_boot_us:
            await self._finish()

    async def _write_run(self, fragments: list[MediaFragment]) -> None:
        """Write fragments in order; from the first one that the card refuses, they wait in the ring."""
        for fragment in fragments:
            self._ring.push(fragment)
        if self._break and not await self._end_break():
            return
        waiting = self._ring.drain()
        while waiting:
            try:
                await self._write(waiting[0])
            except DiscError as error:
                for fragment in waiting:
                    self._ring.push(fragment)
                cause = "storage_full" if isinstance(error, DiscFullError) else "device_fault"
                await self._interrupt(cause, self._clock.at(waiting[0].first_frame_boot_us))
                return
            waiting = waiting[1:]

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
        """Seal the open segment; one that cannot be sealed now is sealed by the recovery of the next start."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        try:
            await self._disc.run(self._spool.seal, segment, trigger)
        except DiscError:
            await self.try_note("damaged", segment=segment.segment, what="could not be sealed")

    async def _interrupt(self, cause: str, began: Timestamp) -> None:
        if self._recording is None:
            return
        retry_us = self._clock.now().boot_us + (0 if cause == "device_fault" and self._break is None else RETRY_US)
        if self._break:
            self._break.retry_boot_us = retry_us
            return
        self._break = Break(self._numbers.next_interruption(), cause, began, noted=False, retry_boot_us=retry_us)
        await self._seal(cause)
        await self._note_break(self._break)

    async def _end_break(self) -> bool:
        """Go on recording, when it is time to try and the journal takes it."""
        broken = self._break
        assert broken is not None
        if self._clock.now().boot_us < broken.retry_boot_us or not await self._note_break(broken):
            return False
        if not await self.try_note("resumed", interruption=broken.interruption, recording=self._recording):
            return False
        self._break = None
        return True

    async def _note_break(self, broken: Break) -> bool:
        if not broken.noted:
            broken.noted = await self.try_note(
                "interruption",
                interruption=broken.interruption,
                recording=self._recording,
                cause=broken.cause,
                began=broken.began.to_fields(),
            )
        return broken.noted

    async def _note_sound_losses(self) -> None:
        assert self._muxer is not None
        for from_us, to_us in self._muxer.take_lost_sound():
            if to_us < self._epoch.boot_us + MICROPHONE_START_US:
                continue
            await self.try_note("sound_lost", from_boot_us=from_us, to_boot_us=to_us)


def end_us(fragment: MediaFragment) -> int:
    """When the fragment's last frame ends, on the boot clock."""
    return fragment.first_frame_boot_us + fragment.info.duration_us
