"""The recorder's hardware from one power on to the next power cut."""

from __future__ import annotations

import asyncio

from device.ports import Hardware, Light
from sim.battery import Load, SimBattery
from sim.day.chip import ChipCamera
from sim.day.clock import WorldClock
from sim.day.ears import Ears
from sim.heat import SimThermometer
from sim.locator import SimLocator
from sim.panel import SimPanel
from sim.power import SimPower
from sim.speaker import SimSpeaker

RECORDING_LIGHTS = frozenset({Light.RECORDING, Light.RECORDING_LOW})


class Body:
    """One boot. `stop` asks the agent to end, `cut` is set at the instant at which the power goes.

    `killed` says that only the agent dies, while the hardware keeps its power.
    """

    def __init__(self, clock: WorldClock, battery: SimBattery, ambient_c: float, docked: bool, seed: int) -> None:
        self.clock = clock
        self.camera = ChipCamera(clock)
        self.microphone = Ears(clock)
        self.panel = SimPanel(clock)
        self.speaker = SimSpeaker(clock)
        self.power = SimPower(battery, clock.boot_us, self._load)
        self.thermometer = SimThermometer(clock.boot_us, self._load, ambient_c)
        self.locator = SimLocator(clock.boot_us, seed)
        self.stop = asyncio.Event()
        self.cut = asyncio.Event()
        self.killed = False
        if docked:
            self.power.dock()

    @property
    def hardware(self) -> Hardware:
        """The bundle for the agent."""
        return Hardware(
            camera=self.camera,
            microphone=self.microphone,
            speaker=self.speaker,
            panel=self.panel,
            power=self.power,
            thermometer=self.thermometer,
            locator=self.locator,
            clock=self.clock,
        )

    def _load(self) -> Load:
        """What the recorder does with its power: the red light tells."""
        return Load.RECORDING if self.panel.shown and self.panel.shown[-1][1] in RECORDING_LIGHTS else Load.STANDBY
