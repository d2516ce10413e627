"""The self-test: record a few seconds as on duty, verify them as a court would, throw them away."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from device.capture.muxer import FragmentMuxer, MediaFragment
from device.capture.overlay import Mark, Overlay
from device.config import Config
from device.disc_thread import DiscThread
from device.health.card import make_card
from device.health.collector import Collector, read_live
from device.health.gauges import GaugedCamera, GaugedMicrophone, gauged
from device.health.limits import Range
from device.health.throwaway import DEVICE, Throwaway, make_throwaway
from device.intake import Intake
from device.ports import Clock, Frame, Hardware, SoundBlock, VideoPacket
from device.spool import SegmentState, Spool
from evidence.errors import CaptureError, DiscError, LiuhenError
from evidence.health import Item, State, counted
from evidence.io.durable import Disc, make_folder
from evidence.io.font import FONT
from evidence.io.verify_files import verify_path
from evidence.model import Timestamp, segment_id
from evidence.verify import Verdict

RECORD_S = 6.0
SOFTWARE = "self-test"
WRITE_MS = Range("ms", 400, 900)
"""A fragment of a second must be durable well within one."""
FITNESS = (
    "camera", "last picture", "frame rate", "microphone", "sound level", "card", "card room", "card wear", "card spare",
    "battery", "battery level", "battery health", "temperature", "throttling", "clock", "clock drift",
)  # fmt: skip
"""The items of the health card that decide whether a recorder may go out; the others are for its unit."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What was found, and how long it took."""

    items: tuple[Item, ...]
    took_s: float

    @property
    def fit(self) -> bool:
        """Nothing is critical, and nothing that counts is unknown."""
        return not any(counted(item) in (State.CRITICAL, State.UNKNOWN) for item in self.items)


async def self_test(
    config: Config, hardware: Hardware, disc: Disc, folder: Path, record_s: float = RECORD_S
) -> SelfTest:
    """Test this hardware with a recording in `folder`, which is removed before and afterwards.

    Takes `record_s` and what camera and verifier need. Raises nothing that a fault of the hardware can cause.
    """
    began_us = hardware.clock.now().boot_us
    watched, camera, microphone = gauged(hardware)
    trial = _Trial(watched, camera, microphone, disc, folder, make_throwaway())
    collector = Collector(config, DEVICE, SOFTWARE, disc, hardware.clock)
    thread = DiscThread("self-test")
    try:
        await thread.run(shutil.rmtree, folder, ignore_errors=True)
        await trial.record(config, thread, record_s)
        # While the picture still runs: the card says how old the last one is.
        live = read_live(watched, camera, microphone, "recording")
        await trial.end(thread)
        facts = await thread.run(collector.collect, live)
        judged = await thread.run(trial.judge)
    finally:
        await thread.run(shutil.rmtree, folder, ignore_errors=True)
        thread.close()
    items = [item for item in make_card(facts).items if item.name in FITNESS]
    took_s = (hardware.clock.now().boot_us - began_us) / 1e6
    return SelfTest((*judged, *items), took_s)


@dataclass(slots=True)
class _Trial:
    """One recording on trial: what became of it, and the first error of each part of the way."""

    hardware: Hardware
    camera: GaugedCamera
    microphone: GaugedMicrophone
    disc: Disc
    folder: Path
    keys: Throwaway
    spool: Spool | None = None
    segment: SegmentState | None = None
    muxer: FragmentMuxer | None = None
    write_ms: list[float] = field(default_factory=list)
    errors: list[LiuhenError] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.folder / "spool"

    async def record(self, config: Config, thread: DiscThread, record_s: float) -> None:
        """Capture for so long; what fails is noted, and everything else is tried all the same."""
        with self._noting():
            self.spool = await thread.run(self._open)
        capture = asyncio.create_task(self._capture(config, thread))
        ending = asyncio.create_task(self.hardware.clock.sleep(record_s))
        try:
            await asyncio.wait({capture, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            capture.cancel()
            (ended, _) = await asyncio.gather(capture, ending, return_exceptions=True)
        if not isinstance(ended, asyncio.CancelledError):
            raise ended

    async def end(self, thread: DiscThread) -> None:
        """Stop, write the rest, seal and close."""
        for port in (self.hardware.camera, self.hardware.microphone):
            with self._noting():
                await asyncio.to_thread(port.stop)
        with self._noting():
            await self._write(self.muxer.finish() if self.muxer else [], thread)
        if self.spool is not None:
            with self._noting():
                await thread.run(self._close, self.spool)

    def judge(self) -> tuple[Item, ...]:
        """The recording by the verifier's word, and how long the card took."""
        return self._recording(), self._writes()

    def _open(self) -> Spool:
        make_folder(self.folder)
        keys, clock = self.keys, self.hardware.clock
        spool = Spool(self.root, DEVICE, self.disc, clock, keys.signer, [keys.certificate])
        spool.note("journal_opened", software=SOFTWARE)
        return spool

    async def _capture(self, config: Config, thread: DiscThread) -> NoReturn:
        intake = Intake(limit_packets=3 * config.camera.frames_per_s)
        epoch = self.hardware.clock.now()
        # Its own item says that it is missing; the pictures are tested all the same.
        with suppress(CaptureError):
            await asyncio.to_thread(self.hardware.microphone.start, intake.sound)
        with self._noting():
            draw = _Draw(config, self.hardware.clock)
            video = await asyncio.to_thread(self.hardware.camera.start, draw, intake.video)
            self.muxer = FragmentMuxer(video, sound=True, epoch_boot_us=epoch.boot_us)
            await thread.run(self._open_segment, self.muxer.init, epoch)
        while True:
            item = await intake.get()
            with self._noting():
                await self._write(self._mux(item), thread)

    def _open_segment(self, init: bytes, epoch: Timestamp) -> None:
        if self.spool is not None:
            name, recording = segment_id(epoch.boot, 1), f"{epoch.boot[:12]}-r0001"
            self.segment = self.spool.open_segment(name, recording, None, init, epoch)

    def _mux(self, item: object) -> list[MediaFragment]:
        match item:
            case VideoPacket() if self.muxer:
                return self.muxer.add_video(item)
            case SoundBlock() if self.muxer:
                return self.muxer.add_sound(item)
        return []

    async def _write(self, fragments: Iterable[MediaFragment], thread: DiscThread) -> None:
        """Nothing more after the first error: what a card has refused once proves nothing the second time."""
        for fragment in fragments:
            if self.spool is None or self.segment is None or self.errors:
                return
            began_us = self.hardware.clock.now().boot_us
            await thread.run(self.spool.append, self.segment, fragment)
            self.write_ms.append((self.hardware.clock.now().boot_us - began_us) / 1000)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except LiuhenError as error:
            self.errors.append(error)

    def _close(self, spool: Spool) -> None:
        try:
            if self.segment is not None:
                spool.seal(self.segment, "button")
        finally:
            spool.close()

    def _recording(self) -> Item:
        todo = "Repair what the items below name, then test again; a recording that does not verify is no evidence."
        limit = "authentic, with pictures"
        if self.errors:
            return Item("test recording", State.CRITICAL, _line(self.errors[0]), limit, todo)
        try:
            report = verify_path(self.root, self.keys.trust)
        except LiuhenError as error:
            return Item("test recording", State.CRITICAL, _line(error), limit, todo)
        frames = self.segment.frames if self.segment else 0
        reading = f"{report.verdict}, {len(self.write_ms)} fragments, {frames} frames"
        if report.first is not None:
            reading = f"{reading}: {report.first.where} {report.first.what}"[:200]
        good = report.verdict is Verdict.AUTHENTIC and frames > 0
        return Item("test recording", State.OK if good else State.CRITICAL, reading, limit, todo)

    def _writes(self) -> Item:
        todo = "Replace the card by a faster one (U3 or A2); keep the old one as long as it holds evidence."
        slowest = max(self.write_ms, default=None)
        refused = any(isinstance(error, DiscError) for error in self.errors)
        measured = State.UNKNOWN if slowest is None else WRITE_MS.judge(slowest)
        state = State.CRITICAL if refused else measured
        reading = "nothing became durable" if slowest is None else f"slowest {slowest:.0f} ms of {len(self.write_ms)}"
        return Item("durable writes", state, reading, WRITE_MS.text(), todo)


class _Draw:
    """Burns into the picture what it does on duty, so that this is tested too."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._overlay = Overlay(config.camera.width, config.camera.height, None, DEVICE, FONT)
        self._clock = clock

    def __call__(self, frame: Frame) -> None:
        self._overlay.draw(frame, self._clock.at(frame.boot_us), Mark.STANDBY)


def _line(error: LiuhenError) -> str:
    return " ".join(str(error).split())[:200]
