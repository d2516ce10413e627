"""The recorder as a process of its own: the agent on simulated hardware, moved by the world through standard input.

Each line of standard input is one of the world's verbs as JSON; each line of standard output is a reading of what only
this process can see. The world may kill it at any moment: that is its power cut.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import resource
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from device.agent import run
from device.config import load_config
from device.ports import Hardware, Light, Press
from evidence.errors import LiuhenError
from evidence.io.command import EXIT_UNREADABLE
from evidence.model import ClockGrade
from sim.battery import Load, SimBattery
from sim.camera import SimCamera
from sim.card import SimCard
from sim.clock import SimClock
from sim.heat import SimThermometer
from sim.locator import SimLocator
from sim.microphone import SimMicrophone
from sim.panel import PinPanel
from sim.power import SimPower
from sim.speaker import SimSpeaker

CHINA_OFFSET_MIN = 480
REPORT_S = 0.5


class World:
    """The hardware of one boot, and the verbs by which the world moves it."""

    def __init__(self, video: Path, config_path: Path, card_bytes: int) -> None:
        self.config = load_config(config_path)
        camera = self.config.camera
        self.clock = SimClock(uuid.uuid4().hex, CHINA_OFFSET_MIN, ClockGrade.NTP)
        self.camera = SimCamera(
            video,
            camera.width,
            camera.height,
            frames_per_s=camera.frames_per_s,
            bit_rate_bps=camera.bit_rate_bps,
            clock=self.clock,
        )
        self.microphone = SimMicrophone(video, self.clock)
        self.panel = PinPanel(self.clock)
        self.speaker = SimSpeaker(self.clock)
        self.power = SimPower(SimBattery(), self.clock.boot_us, self.load)
        self.thermometer = SimThermometer(self.clock.boot_us, self.load)
        self.locator = SimLocator(self.clock.boot_us)
        self.card = SimCard(self.config.spool, card_bytes)
        self._verbs: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "press": lambda given: self.panel.press(Press(given["button"])),
            "dock": lambda _: self.power.dock(),
            "undock": lambda _: self.power.undock(),
            "clock_step": lambda given: self.clock.step(round(given["by_s"] * 1e6), ClockGrade(given["grade"])),
            "camera_hang": lambda _: self.camera.hang(),
            "camera_recover": lambda _: self.camera.recover(),
            "microphone_unplug": lambda _: self.microphone.unplug(),
            "microphone_plug": lambda _: self.microphone.plug(),
        }

    @property
    def hardware(self) -> Hardware:
        """The bundle for the agent."""
        return Hardware(
            self.camera,
            self.microphone,
            self.speaker,
            self.panel,
            self.power,
            self.thermometer,
            self.locator,
            self.clock,
        )

    def load(self) -> Load:
        """What the recorder does with its power: the red light tells."""
        recording = self.panel.shown and self.panel.shown[-1][1] is Light.RECORDING
        return Load.RECORDING if recording else Load.STANDBY

    def obey(self, line: str) -> None:
        """One verb of the world."""
        given = json.loads(line)
        self._verbs[given["do"]](given)

    def reading(self) -> dict[str, int]:
        """What only this process can see of itself."""
        return {
            "frames_captured": self.camera.frames_captured,
            "frames_skipped": self.camera.frames_skipped,
            "rss_peak_bytes": rss_peak_bytes(),
        }


def rss_peak_bytes() -> int:
    """The most memory this process ever had. Elsewhere than on Linux the parent's may be counted in."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (line,) = (line for line in status.read_text("ascii", errors="replace").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


async def _live(world: World) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    reporter = asyncio.create_task(_report(world))
    threading.Thread(target=_listen, args=(world,), name="world", daemon=True).start()
    try:
        await run(world.config, world.hardware, world.card, stop)
    finally:
        reporter.cancel()
        world.panel.close()
        print(json.dumps(world.reading()), flush=True)


async def _report(world: World) -> None:
    while True:
        print(json.dumps(world.reading()), flush=True)
        await world.clock.sleep(REPORT_S)


def _listen(world: World) -> None:
    for line in sys.stdin:
        world.obey(line)


def main() -> int:
    """Run until SIGTERM; expected errors are one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m sim.recorder_process")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--card-bytes", type=int, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="recorder: %(message)s")
    try:
        asyncio.run(_live(World(options.video, options.config, options.card_bytes)))
    except LiuhenError as error:
        print(f"recorder: {error}", file=sys.stderr)
        return EXIT_UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
