"""The recorder's task: packets -> fragments -> ring or card -> sealed segments, and the breaks in between.

It never stops for a fault that is not the camera's: when the card refuses, fragments go round in the ring again until
it takes them, and the break is journalled as soon as anything can be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from device.breaks import Break, Happening
from device.capture.camera_watch import WATCH_S
from device.capture.muxer import MediaFragment
from device.capture.overlay import Mark, Overlay
from device.capture.picture_times import Skipped
from device.capture.pipeline import Capture
from device.capture.ring import PreEventRing
from device.config import RecordingConfig
from device.disc_thread import DiscThread
from device.intake import (
    CameraStalled,
    Command,
    Dropped,
    Ending,
    Hold,
    Intake,
    Item,
    Release,
    Resume,
    Start,
    Stop,
    StopOverdue,
)
from device.numbers import Numbers
from device.ports import Hardware, SoundBlock, VideoPacket
from device.recovery import OpenInterruption
from device.segment_writer import RETRY_US, SegmentWriter, end_us
from device.spool import Spool
from evidence.errors import DiscError, DiscFullError
from evidence.model import Officer, Timestamp

STOP_LIMIT_US = 3_000_000
Listener = Callable[[SoundBlock], None]


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
        self._clock = hardware.clock
        self._progress = hardware.progress
        self._intake = intake
        self._spool, self._disc = spool, disc
        self._officer = officer
        self._numbers = numbers
        self._ring = PreEventRing(config.pre_event_s)
        self._writer = SegmentWriter(spool, disc, numbers, config.segment_s, hardware.clock)
        self._recording: str | None = None
        self._break: Break | None = None
        self._stop: Stop | None = None
        self._stop_boot_us = 0
        self._paused, self._paused_until_us = False, 0
        self._sound_lost = False
        self._held_by: str | None = None
        self.capture = Capture(
            hardware, intake, overlay, self._mark, self._camera_lost, lambda: self._tell(Happening.CAMERA_BACK)
        )
        self._tell: Callable[[Happening], None] = lambda _: None
        self.case_open = False
        """While the case is open, whatever breaks is put down to tampering."""
        self.listeners: list[Listener] = []
        """Who else hears the microphone, in the event loop."""
        self.on_kept: Callable[[MediaFragment, str, int], None] = lambda *_: None
        """Told of every durable fragment, its segment and its index."""

    @property
    def recording(self) -> str | None:
        """The id of the running recording."""
        return self._recording

    @property
    def interruption(self) -> Break | None:
        """The running interruption."""
        return self._break

    def report_to(self, tell: Callable[[Happening], None]) -> None:
        """`tell` is called in the event loop for everything that happens from now on."""
        self._tell = tell

    def assign(self, officer: Officer | None, overlay: Overlay) -> None:
        """Somebody else wears the recorder from now on. Not during a recording."""
        self._officer = officer
        self.capture.overlay = overlay

    def go_on(self, interrupted: OpenInterruption) -> None:
        """Continue a recording that broke in an earlier run: with the next fragment, and all that is in the ring."""
        self._recording = interrupted.recording
        self._break = Break(interrupted.interruption, interrupted.cause, interrupted.began, self._clock.now().boot_us)

    def go_on_paused(self, recording: str | None) -> None:
        """An earlier run left a declared pause, perhaps of a recording: keep nothing until it ends."""
        self._recording = recording
        self._paused = True

    async def note(self, kind: str, at: Timestamp | None = None, **fields: Any) -> None:
        """Journal what happens now (or happened at `at`), at once or as soon as the card takes entries again."""
        await self._disc.run(self._spool.note_or_keep, kind, at or self._clock.now(), **fields)

    async def run(self) -> None:
        """Capture until cancelled."""
        try:
            if not await self.capture.start():
                # A recorder without sound still records: the muxer feeds silence and says so.
                now_us = self._clock.now().boot_us
                await self.note("sound_lost", from_boot_us=now_us, to_boot_us=now_us)
            while True:
                await self._handle(await self._intake.get())
        finally:
            await self._save_rest(await self.capture.end())

    async def _save_rest(self, fragments: list[MediaFragment]) -> None:
        """A recording that still runs here is ended by a fault of ours: what there is of it is sealed."""
        if self._recording is not None and not self._paused:
            await self._keep_all(fragments)
            await self._writer.seal("device_fault")

    async def watch(self) -> None:
        """Look after the camera, and end a stop that waits for a picture which never comes."""
        while True:
            await self._clock.sleep(WATCH_S)
            await self.capture.camera.look()
            if self._stop and self._clock.now().boot_us - self._stop_boot_us > STOP_LIMIT_US:
                self._intake.command(StopOverdue())

    async def _handle(self, item: Item) -> None:
        match item:
            case VideoPacket():
                await self._take_picture(item)
            case SoundBlock():
                await self._take_sound(item)
            case Dropped():
                await self._dropped(item)
            case CameraStalled():
                # Just after the last picture: the fragment that holds it does not end the break.
                since_us = max(item.since_boot_us + 1, self._paused_until_us)
                await self._interrupt("device_fault", "camera", self._clock.at(since_us))
            case _:
                await self._obey(item)

    async def _obey(self, command: Command) -> None:
        match command:
            case Start():
                await self._start(command)
            case Stop():
                await self._begin_stop(command)
            case StopOverdue() if self._stop:
                await self._finish()
            case Resume():
                await self._resume()
            case Hold():
                await self._hold(command.part)
            case Release():
                await self._release()

    async def _take_picture(self, packet: VideoPacket) -> None:
        skipped, fragments = self.capture.add_picture(packet)
        if skipped is not None and self._recording and not self._paused:
            await self._note_skipped(skipped)
        await self._keep_all(fragments)

    async def _note_skipped(self, skipped: Skipped) -> None:
        if not skipped.stalled:
            await self.note("skipped", **skipped.to_fields())
        elif self._break is None:
            # The picture was back before anybody looked for it.
            await self._interrupt("device_fault", "camera", self._clock.at(skipped.from_boot_us))

    async def _take_sound(self, block: SoundBlock) -> None:
        for listener in tuple(self.listeners):
            listener(block)
        if self._recording is None and not self._config.pre_event_sound:
            block = replace(block, samples=np.zeros_like(block.samples))
        await self._keep_all(self.capture.add_sound(block))

    def _mark(self) -> Mark:
        # While the card takes nothing the picture must not claim that it is being recorded.
        running = self._recording is not None and self._break is None
        return Mark.PAUSED if self._paused else Mark.RECORDING if running else Mark.STANDBY

    def _camera_lost(self, last_us: int) -> None:
        self._intake.command(CameraStalled(last_us))
        self._tell(Happening.CAMERA_LOST)

    async def _start(self, start: Start) -> None:
        self._recording = start.recording
        officer = self._officer.number if self._officer else None
        await self.note("recording_started", recording=start.recording, trigger=start.trigger, officer=officer)
        await self._admit_obstacle()
        await self._write_run([])

    async def _admit_obstacle(self) -> None:
        """A recording that begins, or goes on after a pause, while no picture comes is broken from the start."""
        if self._held_by is not None:
            await self._hold(self._held_by)
        elif self.capture.camera.lost:
            await self._interrupt("device_fault", "camera", self._clock.now())

    async def _begin_stop(self, stop: Stop) -> None:
        if stop.ending is Ending.PAUSE:
            # What the ring holds was seen before anybody thought of recording.
            self._ring.drain()
        self._stop, self._stop_boot_us = stop, self._clock.now().boot_us
        if self._recording is None or self._paused:
            await self._finish()
        else:
            self.capture.request_key_frame()

    async def _finish(self) -> None:
        """Seal, and end the recording, its present run of fragments, or the recorder's day."""
        stop, self._stop = self._stop, None
        assert stop is not None
        await self._writer.seal(stop.trigger)
        match stop.ending:
            case Ending.STOP:
                await self._end_recording(stop)
            case Ending.PAUSE:
                self._paused = True
            case Ending.CUT:
                await self._interrupt(stop.trigger, None, self._clock.at(self._stop_boot_us), held=True)
        stop.done.set()

    async def _end_recording(self, stop: Stop) -> None:
        recording, self._recording, self._break = self._recording, None, None
        if recording is not None:
            await self.note(
                "recording_stopped", recording=recording, trigger=stop.trigger, ended_boot_us=self._stop_boot_us
            )

    async def _resume(self) -> None:
        self._paused = False
        self._paused_until_us = self._clock.now().boot_us
        self.capture.request_key_frame()
        await self._admit_obstacle()

    async def _hold(self, part: str) -> None:
        self._held_by = part
        await self._interrupt("device_fault", part, self._clock.now(), held=True)
        await self.capture.camera.rest()

    async def _release(self) -> None:
        self._held_by = None
        if self._break is not None:
            self._break.held = False
        await self.capture.camera.wake()

    async def _dropped(self, lost: Dropped) -> None:
        await self.note("dropped", **lost.to_fields())
        self.capture.told_until(lost.to_boot_us)
        await self._interrupt("device_fault", "queue", self._clock.at(lost.from_boot_us))

    async def _keep_all(self, fragments: list[MediaFragment]) -> None:
        for fragment in fragments:
            await self._keep(fragment)
            self._progress()
        await self._writer.catch_up()
        await self._note_sound_losses()

    async def _keep(self, fragment: MediaFragment) -> None:
        if self._paused or fragment.first_frame_boot_us < self._paused_until_us:
            return
        if self._recording is None:
            self._ring.push(fragment)
            return
        await self._write_run([fragment])
        if self._stop and end_us(fragment) >= self._stop_boot_us:
            await self._finish()

    async def _write_run(self, fragments: list[MediaFragment]) -> None:
        """Write what waits in the ring and these, in order; from the first one that the card refuses, they wait."""
        waiting = deque([*self._ring.drain(), *fragments])
        if self._break and self._break.waits(self._clock.now().boot_us, stopping=self._stop is not None):
            self._ring.push_all(waiting)
            return
        while waiting:
            try:
                await self._write(waiting[0])
            except DiscError as error:
                self._ring.push_all(waiting)
                await self._refused(error, waiting[0])
                return
            await self._end_break(waiting.popleft())

    async def _write(self, fragment: MediaFragment) -> None:
        assert self._recording is not None
        init, epoch = self.capture.init, self.capture.epoch
        place = await self._writer.write(fragment, self._recording, self._officer, init, epoch)
        self.on_kept(fragment, *place)

    async def _refused(self, error: DiscError, fragment: MediaFragment) -> None:
        """The card took no fragment. One fault may be a chance; a full card, or the next fault, is given some time."""
        began = self._clock.at(fragment.first_frame_boot_us)
        full, again = isinstance(error, DiscFullError), self._break is not None
        await self._interrupt("storage_full" if full else "device_fault", None if full else "card", began)
        if not full:
            self._tell(Happening.CARD_REFUSED)
        if self._break and (full or again):
            self._break.retry_boot_us = self._clock.now().boot_us + RETRY_US

    async def _interrupt(self, cause: str, part: str | None, began: Timestamp, held: bool = False) -> None:
        if self._recording is None or self._paused:
            return
        await self._writer.seal(cause)
        if self._break is None:
            cause = "tamper" if self.case_open else cause
            self._break = Break(self._numbers.next_interruption(), cause, began, self._clock.now().boot_us)
            await self.note("interruption", **self._break.to_fields(self._recording, part))
            self._tell(Happening.BROKEN)
        self._break.held |= held

    async def _end_break(self, kept: MediaFragment) -> None:
        broken = self._break
        if broken is not None and broken.ends_with(self.capture.epoch.boot, kept.first_frame_boot_us):
            self._break = None
            await self.note("resumed", interruption=broken.interruption, recording=self._recording)
            self._tell(Happening.CARD_TAKES)
            self._tell(Happening.MENDED)

    async def _note_sound_losses(self) -> None:
        for from_us, to_us in self.capture.take_lost_sound():
            await self.note("sound_lost", from_boot_us=from_us, to_boot_us=to_us)
        if self.capture.settled and self.capture.sound_lost is not self._sound_lost:
            self._sound_lost = self.capture.sound_lost
            self._tell(Happening.SOUND_LOST if self._sound_lost else Happening.SOUND_BACK)
