"""A recorder's task on a stage: every port played by hand, the film run by the clock, the card real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pylopdf_fonts_zh_cn

from device.capture.overlay import Overlay
from device.config import RecordingConfig
from device.disc_thread import DiscThread
from device.intake import Intake, Start, Stop
from device.ports import (
    Buzz,
    Frame,
    Hardware,
    HeatReading,
    Light,
    Position,
    PowerReading,
    Press,
    Samples,
    SoundBlock,
    VideoFormat,
    VideoPacket,
    unwatched,
)
from device.recorder import Recorder
from device.spool import Spool
from evidence.errors import CaptureError, DiscError
from evidence.io.durable import Disc, PosixDisc
from evidence.signing import Signer
from tests.device.footage import EPOCH_US, Film, film
from tests.device.hand_clock import HandClock
from tests.device.life import open_spool, start
from tests.device.unit import DEVICE, OFFICER

PATIENCE_S = 30
STEP_US = 100_000


class HandCamera:
    """A `Camera` that shows the film: `dead` gives no picture, `broken` does not start."""

    def __init__(self, source: Film) -> None:
        self._source = source
        self._waiting = list(source.packets)
        self._deliver: Callable[[VideoPacket], None] | None = None
        self._key_wanted = True
        self.dead = False
        self.broken = False
        self.starts = 0
        self.shows = False
        """Give every picture to whoever draws, too: plain grey, of the overlay's size."""
        self._draw: Callable[[Frame], None] | None = None

    def start(
        self,
        draw: Callable[[Frame], None],
        deliver: Callable[[VideoPacket], None],
    ) -> VideoFormat:
        if self.broken:
            raise CaptureError("camera", "gives no picture")
        self.starts += 1
        self._deliver = deliver
        self._draw = draw
        self._key_wanted = True
        return self._source.video

    def request_key_frame(self) -> None:
        """The film has its own key frames, one a second."""

    def stop(self) -> None:
        self._deliver = None

    def see(self, until_us: int) -> None:
        while self._waiting and self._waiting[0].boot_us <= until_us:
            packet = self._waiting.pop(0)
            if self.dead or self._deliver is None or (self._key_wanted and not packet.key):
                continue
            self._key_wanted = False
            if self.shows and self._draw is not None:
                y, chroma = np.full((360, 640), 90, np.uint8), np.full((180, 320), 128, np.uint8)
                self._draw(Frame(y, chroma, chroma.copy(), packet.boot_us))
            self._deliver(packet)


class HandMicrophone:
    """A `Microphone` that hears the film; `dead` is silent without saying so."""

    def __init__(self, source: Film) -> None:
        self._waiting = list(source.blocks)
        self._deliver: Callable[[SoundBlock], None] | None = None
        self.dead = False
        self.missing = False
        self.says: Samples | None = None
        """What somebody says beside it, again and again; the film's own sound otherwise."""
        self._said_samples = 0

    def start(self, deliver: Callable[[SoundBlock], None]) -> None:
        if self.missing:
            raise CaptureError("microphone", "is not there")
        self._deliver = deliver

    def stop(self) -> None:
        self._deliver = None

    def hear(self, until_us: int) -> None:
        while self._waiting and self._waiting[0].boot_us <= until_us:
            block = self._waiting.pop(0)
            if self.says is not None:
                places = (np.arange(len(block.samples)) + self._said_samples) % len(self.says)
                self._said_samples += len(block.samples)
                block = replace(block, samples=self.says[places])
            if self._deliver is not None and not self.dead:
                self._deliver(block)


class HandPanel:
    """A `Panel` whose buttons a test presses."""

    def __init__(self) -> None:
        self.shown: list[Light] = []
        self.buzzed: list[Buzz] = []
        self._on_input: Callable[[Press], None] | None = None

    def start(self, on_input: Callable[[Press], None]) -> None:
        self._on_input = on_input

    def show(self, light: Light) -> None:
        self.shown.append(light)

    def buzz(self, buzz: Buzz) -> None:
        self.buzzed.append(buzz)

    def press(self, given: Press) -> None:
        assert self._on_input is not None
        self._on_input(given)


class HandPower:
    """A `PowerSource`."""

    docked = False
    level_pct: float | None = None

    def read(self) -> PowerReading:
        return PowerReading(self.docked, self.level_pct)


class HandThermometer:
    """A `Thermometer`."""

    reading = HeatReading(45.0, throttled=False)

    def read(self) -> HeatReading:
        return self.reading


class HandLocator:
    """A `Locator`."""

    position: Position | None = None

    def read(self) -> Position | None:
        return self.position


class HandSpeaker:
    """A `Speaker`."""

    def __init__(self) -> None:
        self.heard: list[Samples] = []

    def play(self, samples: Samples) -> None:
        self.heard.append(samples)

    def stop(self) -> None:
        self.heard.clear()


class WatchedIntake(Intake):
    """Tells when the recorder has worked off everything and asks for more."""

    def __init__(self, limit_packets: int) -> None:
        super().__init__(limit_packets)
        self.asked = asyncio.Event()

    async def get(self) -> Any:
        self.asked.set()
        item = await super().get()
        self.asked.clear()
        return item


@cache
def overlay() -> Overlay:
    return Overlay(640, 360, OFFICER, DEVICE, Path(pylopdf_fonts_zh_cn.sans_path()))


async def a_turn() -> None:
    """Let everybody in the event loop run once."""
    loop = asyncio.get_running_loop()
    turned = loop.create_future()
    loop.call_soon(turned.set_result, None)
    await turned


def nothing() -> None:
    """A call that only takes its turn."""


@dataclass
class Stage:
    """`async with Stage(root) as stage`: a recorder in standby, at the film's beginning. Leaving it is a crash."""

    root: Path
    disc: Disc = field(default_factory=PosixDisc)
    signer: Signer | None = None
    source: Film = field(default_factory=lambda: film(20))
    clock: HandClock = field(default_factory=lambda: HandClock(boot_us=EPOCH_US))
    segment_s: int = 2
    pre_event_s: int = 3
    pre_event_sound: bool = True
    limit_packets: int = 30
    progress: Callable[[], None] = unwatched

    async def __aenter__(self) -> Stage:
        loop = asyncio.get_running_loop()
        self._sides = ThreadPoolExecutor(1)
        loop.set_default_executor(self._sides)
        self.camera, self.microphone = HandCamera(self.source), HandMicrophone(self.source)
        self.panel, self.power = HandPanel(), HandPower()
        self.speaker, self.thermometer, self.locator = HandSpeaker(), HandThermometer(), HandLocator()
        self.hardware = Hardware(
            self.camera,
            self.microphone,
            self.speaker,
            self.panel,
            self.power,
            self.thermometer,
            self.locator,
            self.clock,
            self.progress,
        )
        self.thread = DiscThread("disc")
        self.spool: Spool = await self.thread.run(open_spool, self.root, self.disc, self.clock, self.signer)
        self.numbers, self.recovered = await self.thread.run(start, self.spool, self.clock)
        self.intake = WatchedIntake(self.limit_packets)
        config = RecordingConfig(self.segment_s, self.pre_event_s, self.pre_event_sound)
        self.recorder = Recorder(
            config, self.hardware, self.intake, self.spool, self.thread, overlay(), OFFICER, self.numbers
        )
        if self.recovered.interrupted is not None:
            self.recorder.go_on(self.recovered.interrupted)
        self.task = asyncio.create_task(self.recorder.run())
        self.watch = asyncio.create_task(self.recorder.watch())
        await self.settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        self.watch.cancel()
        await asyncio.gather(self.task, self.watch, return_exceptions=True)
        with suppress(DiscError):
            await self.thread.run(self.spool.journal.close)
        self.thread.close()

    async def settle(self) -> None:
        """Wait until all threads have done what they were asked to, and the recorder asks for more."""
        for _ in range(4):
            await asyncio.to_thread(nothing)
            await self.thread.run(nothing)
        await self._recorder_asks()

    async def _recorder_asks(self) -> None:
        for _ in range(3):
            await a_turn()
        asked = asyncio.create_task(self.intake.asked.wait())
        await asyncio.wait({asked, self.task}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
        if self.task.done():
            asked.cancel()
            self.task.result()
        assert asked.done()

    async def film_on(self, seconds: float, settled: bool = True) -> None:
        """Let so much of the film pass; with `settled` false nobody waits for the recorder."""
        end_us = self.clock.boot_us + round(seconds * 1e6)
        while self.clock.boot_us < end_us:
            self.clock.advance_to(min(end_us, self.clock.boot_us + STEP_US))
            self.camera.see(self.clock.boot_us)
            self.microphone.hear(self.clock.boot_us)
            # Only the watch uses other threads than the card's, and it looks every half second.
            watched = self.clock.boot_us % 500_000 == 0
            await (self.settle() if settled and watched else self._recorder_asks() if settled else a_turn())

    async def record(self) -> None:
        self.intake.command(Start("button", self.numbers.next_recording()))
        await self.settle()

    async def stop(self, limit_s: float = 5) -> int:
        """Press stop and film on until the recording is sealed; gives the moment of the press."""
        pressed_us = self.clock.boot_us
        stop = Stop("button", asyncio.Event())
        self.intake.command(stop)
        await self.settle()
        while not stop.done.is_set():
            assert self.clock.boot_us < pressed_us + limit_s * 1e6
            await self.film_on(0.1)
        return pressed_us
