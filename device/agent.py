"""The composition root: one process, one event loop, a Pi or a simulator behind the same ports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pylopdf_fonts_zh_cn

from device.capture.overlay import Overlay
from device.clock_watch import ClockWatch
from device.config import Config
from device.controller import Controller
from device.disc_thread import DiscThread
from device.identity import Identity, load_identity
from device.intake import Intake
from device.numbers import Numbers
from device.ports import Hardware, Light
from device.recorder import Recorder
from device.recovery import Recovered, recover
from device.release import Releaser
from device.spool import Spool
from device.supervise import supervise
from device.uplink import OpenRoad, Uplink
from evidence.errors import LiuhenError
from evidence.io.durable import Disc
from evidence.io.heap import give_back, share_one_heap
from evidence.io.mqtt import Link

WAITING_S = 3
CLOCK_WATCH_S = 1.0
TIDY_S = 60.0
SOFTWARE = f"liuhen {version('liuhen')}"


async def run(config: Config, hardware: Hardware, disc: Disc, stop: asyncio.Event, open_road: OpenRoad = Link) -> None:
    """Be a recorder until `stop` is set; then seal, say so in the journal, and close. Raises LiuhenError.

    `open_road` makes the way to the broker; a simulated world has its own.
    """
    share_one_heap()
    identity = load_identity(config.identity)
    overlay = make_overlay(config, identity)
    # Reading the font took 30 MB that nothing needs any more.
    give_back()
    thread = DiscThread("disc")
    failures: list[LiuhenError] = []
    try:
        spool = await thread.run(_open_spool, config, identity, hardware, disc)
        boot = hardware.clock.now().boot
        numbers = await thread.run(Numbers, spool.journal, boot)
        recovered = await thread.run(recover, spool, numbers, boot, SOFTWARE)
        try:
            await _run_tasks(
                Agent(config, hardware, disc, open_road, identity, overlay, thread, spool, numbers), recovered, stop
            )
        except* LiuhenError as group:
            failures.extend(_leaves(group))
        if failures:
            raise failures[0]
        await thread.run(spool.note, "power_off", trigger="shutdown")
        await thread.run(spool.close)
    finally:
        thread.close()
        hardware.panel.show(Light.OFF)


class Agent:
    """The parts of a running recorder, wired together."""

    def __init__(
        self,
        config: Config,
        hardware: Hardware,
        disc: Disc,
        open_road: OpenRoad,
        identity: Identity,
        overlay: Overlay,
        thread: DiscThread,
        spool: Spool,
        numbers: Numbers,
    ) -> None:
        self.hardware = hardware
        self.thread = thread
        self.spool = spool
        self.officer = identity.officer
        self.intake = Intake(limit_packets=WAITING_S * config.camera.frames_per_s)
        self.recorder = Recorder(
            config.recording, hardware, self.intake, spool, thread, overlay, identity.officer, numbers
        )
        self.controller = Controller(hardware, self.intake, self.recorder)
        self.receipts = asyncio.Event()
        self.releaser = Releaser(spool, identity.dock_key, config.camera, config.storage)
        self.uplink = Uplink(
            identity, spool.paths, disc, hardware.clock, config.uplink.window, self.receipts.set, open_road
        )

    async def release(self) -> None:
        """Look after receipts: at the start, and whenever one arrives."""
        while True:
            await self.thread.run(self.releaser.run)
            await self.receipts.wait()
            self.receipts.clear()

    async def tidy(self) -> None:
        """What a minute of fragments leaves free is given back, so that the agent does not grow over a shift."""
        while True:
            await self.hardware.clock.sleep(TIDY_S)
            give_back()

    async def watch_clock(self) -> None:
        """UTC is never rewritten: a step or a better clock is an entry of its own."""
        clock = self.hardware.clock
        watch = ClockWatch(clock.now())
        while True:
            await clock.sleep(CLOCK_WATCH_S)
            step_us = watch.look(clock.now())
            if step_us is not None:
                await self.recorder.note("clock", step_us=step_us)


def make_overlay(config: Config, identity: Identity) -> Overlay:
    """The overlay for this recorder. Raises ConfigError when the font lacks a character of the officer's name."""
    font = Path(pylopdf_fonts_zh_cn.sans_path())
    return Overlay(config.camera.width, config.camera.height, identity.officer, identity.device, font)


def _leaves(group: BaseExceptionGroup[LiuhenError]) -> Iterator[LiuhenError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _open_spool(config: Config, identity: Identity, hardware: Hardware, disc: Disc) -> Spool:
    return Spool(config.spool, identity.device, disc, hardware.clock, identity.signer, [identity.certificate])


async def _run_tasks(agent: Agent, recovered: Recovered, stop: asyncio.Event) -> None:
    if agent.officer is not None:
        await agent.thread.run(agent.spool.note, "sign_on", **agent.officer.to_fields())
    if recovered.interrupted is not None:
        agent.recorder.go_on(recovered.interrupted)
    clock, controller = agent.hardware.clock, agent.controller
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(agent.recorder.run(), name="recorder"),
            tasks.create_task(agent.recorder.watch(), name="camera watch"),
            tasks.create_task(controller.run(resume=recovered.interrupted is not None), name="controller"),
            tasks.create_task(controller.watch_dock(), name="dock watch"),
            tasks.create_task(agent.watch_clock(), name="clock watch"),
            tasks.create_task(agent.tidy(), name="tidy"),
            tasks.create_task(supervise("release", agent.release, clock), name="release"),
            tasks.create_task(
                supervise("uplink", lambda: agent.uplink.run(controller.docked, controller.undocked), clock),
                name="uplink",
            ),
        ]
        await stop.wait()
        await controller.shut_down()
        for task in running:
            task.cancel()
