"""The composition root: one process, one event loop, a Pi or a simulator behind the same ports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from enum import Enum, auto
from functools import partial
from importlib.metadata import version

from device.capture.encoder import SOUND_BIT_RATE_BPS
from device.capture.overlay import Overlay
from device.card_wait import CardWait, Opened
from device.config import Config
from device.controller import Controller
from device.disc_thread import DiscThread
from device.duty.duties import make_duties
from device.duty.readings import Readings
from device.duty.tools import Tools
from device.health.collector import Collector, certificates_left_s, read_live
from device.health.facts import BatteryFacts, Facts
from device.health.gauges import gauged
from device.health.task import tell_health
from device.holding import holding
from device.identity import Identity, load_identity
from device.intake import Intake
from device.learnt import keep_learnt, load_learnt
from device.numbers import Numbers
from device.ports import Hardware, Light
from device.recorder import Recorder
from device.recovery import recover
from device.release import Releaser
from device.spool import RESERVE_BYTES, Spool
from device.supervise import supervise
from device.uplink import Uplink
from device.uplink_elsewhere import UplinkElsewhere
from device.voice.voice import Voice
from device.watch.battery import BatteryWatch
from device.watch.check import Check, check
from device.watch.check import Readings as Checked
from device.watch.clock import ClockWatch, is_believable
from device.watch.storage import StorageWatch
from evidence.errors import ConfigError, DiscError, LiuhenError
from evidence.io.durable import Disc, make_folder
from evidence.io.font import FONT
from evidence.io.heap import give_back, share_one_heap
from evidence.io.mqtt import Link
from evidence.io.road import OpenRoad
from evidence.model import Officer, Timestamp

WAITING_S = 3
SETTLED_S = 2.0
TIDY_S = 10.0
LEARN_TIDIES = 60
CLOCK_WATCH_S = 1.0
SOFTWARE = f"liuhen {version('liuhen')}"
log = logging.getLogger(__name__)


class End(Enum):
    """Why the recorder ended well."""

    ASKED = auto()
    BATTERY = auto()
    """The battery is empty: cut the power."""


async def run(
    config: Config, hardware: Hardware, disc: Disc, stop: asyncio.Event, open_road: OpenRoad | None = Link
) -> End:
    """Be a recorder until `stop` is set or the battery is empty; then seal, say so, and close. Raises LiuhenError.

    `open_road` makes the way to the broker; a simulated world has its own. None: there is no way from here, and
    `device.uplink_alone` carries from another process.
    """
    share_one_heap()
    identity = load_identity(config.identity)
    officer, overlay = _first_overlay(config, identity, identity.officer())
    # Reading the font took 30 MB that nothing needs any more.
    give_back()
    thread = DiscThread("disc")
    voice = Voice(hardware.speaker, config.duty.language, config.duty.voice)
    wait = CardWait(hardware, thread, voice, partial(_open_card, config, identity, hardware, disc))
    failures: list[LiuhenError] = []
    end, opened = End.ASKED, None
    try:
        opened = await wait.opened(stop, officer.number if officer else None)
        if opened is None:
            return end
        agent = Agent(config, hardware, disc, open_road, identity, officer, overlay, thread, opened, voice)
        try:
            end = await _run_tasks(agent, stop)
        except* LiuhenError as group:
            failures.extend(_leaves(group))
        if failures:
            raise failures[0]
        await agent.keep_learnt()
        trigger = "shutdown" if end is End.ASKED else "battery_low"
        await thread.run(_take_leave, agent.spool, trigger)
    finally:
        if opened is not None:
            await thread.run(opened.hold.close)
        thread.close()
        hardware.panel.show(Light.OFF)
    return end


class Agent:
    """The parts of a running recorder, wired together."""

    def __init__(
        self,
        config: Config,
        hardware: Hardware,
        disc: Disc,
        open_road: OpenRoad | None,
        identity: Identity,
        officer: Officer | None,
        overlay: Overlay,
        thread: DiscThread,
        opened: Opened,
        voice: Voice,
    ) -> None:
        self.config = config
        hardware, self._camera, self._microphone = gauged(hardware)
        self.hardware = hardware
        self.identity = identity
        self.thread = thread
        self.spool = spool = opened.spool
        self.opened = opened
        self._officer = officer
        self.intake = Intake(limit_packets=WAITING_S * config.camera.frames_per_s)
        self.recorder = Recorder(
            config.recording, hardware, self.intake, spool, thread, overlay, officer, opened.numbers
        )
        self.tools = Tools(
            config.duty, hardware.clock, self.recorder, spool, thread, opened.numbers, hardware.panel, voice
        )
        self.urgent = asyncio.Event()
        self.releaser = Releaser(spool, identity.dock_key, config.camera, config.storage)
        self._learnt = load_learnt(config.state_folder)
        self.battery = BatteryWatch(config.duty.planned_shift_minutes, self._learnt.battery)
        storage = StorageWatch(config.camera.bit_rate_bps + SOUND_BIT_RATE_BPS, RESERVE_BYTES)
        self.readings = Readings(
            self.tools, hardware, self.intake, self.battery, storage, lambda: self.releaser.releasable_bytes
        )
        duties = make_duties(
            self.tools, hardware, self.intake, self, self.readings, self.check, SOFTWARE, on_report=self.urgent.set
        )
        self.controller = Controller(hardware, self.intake, self.tools, duties)
        self.clock_watch = ClockWatch(hardware.clock.now())
        self._collector = Collector(config, identity.device, SOFTWARE, disc, hardware.clock)
        self.receipts = asyncio.Event()
        self.uplink = self._make_uplink(open_road)

    def _make_uplink(self, open_road: OpenRoad | None) -> Uplink | UplinkElsewhere:
        spool, clock, told = self.spool, self.hardware.clock, self.receipts.set
        if open_road is None:
            return UplinkElsewhere(spool.paths, self.thread, clock, told)
        window, run_folder = self.config.uplink.window, self.config.run_folder
        return Uplink(self.identity, spool.paths, spool.disc, clock, window, told, run_folder, open_road)

    @property
    def officer(self) -> Officer | None:
        """Who wears the recorder now."""
        return self._officer

    def assign(self) -> Officer | None:
        """Take the dock's latest word on who wears the recorder; a name that cannot be drawn changes nothing."""
        officer = self.identity.officer()
        try:
            if officer != self._officer:
                self.recorder.assign(officer, make_overlay(self.config, self.identity, officer))
                self._officer = officer
        except ConfigError as error:
            log.warning("assignment ignored: %s", error)
        return self._officer

    def check(self, open_interruptions: int) -> Check:
        """The check before use."""
        latest, now = self.readings.latest, self.hardware.clock.now()
        assert latest is not None
        faults, left_s = self.controller.faults, certificates_left_s(self.identity.folder, now)
        return check(
            Checked(
                battery=latest.battery,
                storage=latest.storage,
                heat=latest.heat,
                camera_ok="camera" not in faults,
                microphone_ok="microphone" not in faults and not self.recorder.capture.sound_lost,
                card_ok="card" not in faults,
                clock=now,
                officer=None if self._officer is None else self._officer.number,
                certificate_days_left=int(left_s // 86_400) if left_s is not None and is_believable(now) else None,
                open_interruptions=open_interruptions,
            )
        )

    def health(self) -> Facts:
        """All facts for technicians, as they are now."""
        latest, power = self.readings.latest, self.hardware.power.read()
        battery = None
        if latest is not None:
            state, learnt = latest.battery, self._learnt.now(self.battery.learnt)
            charging = power.charging or power.docked
            battery = BatteryFacts(
                state.level_pct, state.minutes_left, power.volts, learnt.capacity_pct, state.band.value, charging
            )
        live = read_live(
            self.hardware,
            self._camera,
            self._microphone,
            self.controller.state.value,
            battery,
            self.clock_watch.drift_ppm,
        )
        return self._collector.collect(live)

    async def tell_health(self) -> None:
        """Write the card for technicians and sign it for the dock."""
        await tell_health(self.health, self.identity.signer, self.config.run_folder, self.hardware.clock)

    async def release(self) -> None:
        """Look after receipts: at the start, and whenever one arrives."""
        while True:
            known = self.releaser.reports_taken
            await self.thread.run(self.releaser.run)
            if self.releaser.reports_taken > known:
                self.controller.report_taken()
            if await self.thread.run(self.releaser.all_received):
                self.controller.offload_done()
            await self.receipts.wait()
            self.receipts.clear()

    async def tidy(self) -> None:
        """What some seconds of fragments leave free is given back, so that the agent does not grow over a shift."""
        await self.hardware.clock.sleep(SETTLED_S)
        give_back()
        while True:
            for _ in range(LEARN_TIDIES):
                await self.hardware.clock.sleep(TIDY_S)
                give_back()
            await self.keep_learnt()

    async def watch_clock(self) -> None:
        """UTC is never rewritten: a step or a better clock is an entry of its own."""
        clock = self.hardware.clock
        while True:
            await clock.sleep(CLOCK_WATCH_S)
            change = self.clock_watch.look(clock.now())
            if change is not None:
                await self.recorder.note("clock", step_us=change.step_us)

    async def keep_learnt(self) -> None:
        """What the battery has shown outlives a power cut, too."""
        self._learnt = self._learnt.now(self.battery.learnt)
        await self.thread.run(keep_learnt, self.config.state_folder, self._learnt, self.spool.disc)


def _first_overlay(config: Config, identity: Identity, officer: Officer | None) -> tuple[Officer | None, Overlay]:
    """A name that cannot be drawn must not keep the recorder from recording: then nobody is assigned."""
    try:
        return officer, make_overlay(config, identity, officer)
    except ConfigError as error:
        log.warning("nobody is assigned: %s", error)
        return None, make_overlay(config, identity, None)


def make_overlay(config: Config, identity: Identity, officer: Officer | None) -> Overlay:
    """The overlay for this recorder. Raises ConfigError when the font lacks a character of the officer's name."""
    return Overlay(config.camera.width, config.camera.height, officer, identity.device, FONT)


def _leaves(group: BaseExceptionGroup[LiuhenError]) -> Iterator[LiuhenError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _open_card(config: Config, identity: Identity, hardware: Hardware, disc: Disc, since: Timestamp) -> Opened:
    make_folder(config.spool)
    hold = ExitStack()
    with ExitStack() as undone:
        undone.callback(hold.close)
        hold.enter_context(holding(config.spool))
        spool = Spool(config.spool, identity.device, disc, hardware.clock, identity.signer, [identity.certificate])
        undone.callback(_let_go, spool)
        boot = hardware.clock.now().boot
        numbers = Numbers(spool.journal, boot)
        recovered = recover(spool, numbers, boot, SOFTWARE, since)
        undone.pop_all()
    return Opened(spool, numbers, recovered, hold)


def _let_go(spool: Spool) -> None:
    with suppress(DiscError):  # of a card that has failed already
        spool.journal.close()


def _take_leave(spool: Spool, trigger: str) -> None:
    """The last words. A card that takes none costs them, but not the end: the next start finds what is missing."""
    try:
        spool.note("power_off", trigger=trigger)
        spool.close()
    except DiscError as error:
        log.warning("the journal is left open: %s", error)
        _let_go(spool)


async def _run_tasks(agent: Agent, stop: asyncio.Event) -> End:
    recovered = agent.opened.recovered
    if recovered.interrupted is not None:
        agent.recorder.go_on(recovered.interrupted)
    clock, controller, uplink = agent.hardware.clock, agent.controller, agent.uplink
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(agent.recorder.run(), name="recorder"),
            tasks.create_task(agent.recorder.watch(), name="camera watch"),
            tasks.create_task(controller.run(recovered, agent.opened.presses), name="controller"),
            tasks.create_task(controller.watch(), name="watch"),
            tasks.create_task(agent.watch_clock(), name="clock watch"),
            tasks.create_task(agent.tidy(), name="tidy"),
            tasks.create_task(supervise("release", agent.release, clock), name="release"),
            tasks.create_task(supervise("health", agent.tell_health, clock), name="health"),
            tasks.create_task(
                supervise("uplink", lambda: uplink.run(controller.docked, controller.undocked, agent.urgent), clock),
                name="uplink",
            ),
        ]
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(controller.off.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            end = End.BATTERY if controller.off.is_set() else End.ASKED
            await controller.shut_down()
        finally:
            for task in (*waits, *running):
                task.cancel()
    return end
