"""The world of one day: a recorder that lives, dies and lives again, a dock, and what is between them."""

from __future__ import annotations

import asyncio
import random
from contextlib import closing
from pathlib import Path

from device.agent import End, run
from device.config import load_config
from device.dock_words import Words
from device.ports import Press, Samples
from device.spool import SpoolPaths
from dock.folder import DockFolder
from evidence.errors import LiuhenError
from evidence.io.journal_store import Access, JournalStore
from evidence.model import ClockGrade
from evidence.receipts import BLOB_STORED, REPORT_TAKEN, STORED
from sim.battery import Load, SimBattery
from sim.card import SimCard
from sim.day.body import Body
from sim.day.clock import Belief, WorldClock, now_us
from sim.day.radio import Radio
from sim.day.slot import Slot
from sim.day.station import Station
from sim.day.unit import DAWN_US

CARD_BYTES = 256 << 20
RESTART_S = 2.0
"""After so long systemd starts an agent again that has died."""
CHANGE_S = 8.0
"""Changing a battery takes so long."""
BATTERY_CHECK_S = 1.0
EVIDENCE_WORDS = frozenset({STORED, BLOB_STORED, REPORT_TAKEN})
SHARES = (0.0, 0.5, 1.0)
"""How much of a fragment is on the card when the power goes while it is written."""


class World:
    """To be made inside the loop. Everything that chance decides comes from `seed`."""

    def __init__(self, out: Path, seed: int) -> None:
        self._chance = random.Random(seed)
        self._config = load_config(out / "device" / "recorder.toml")
        self._config.spool.mkdir(exist_ok=True)
        self.radio = Radio()
        dock_clock = WorldClock(self._boot_id(), Belief(DAWN_US, ClockGrade.NTP))
        self.station = Station(DockFolder(out), dock_clock, self.radio)
        self.card = SimCard(self._config.spool, CARD_BYTES)
        self.belief = Belief(DAWN_US, ClockGrade.RTC)
        """What the recorder's clock tells when it is switched on."""
        self.deaths: list[str] = []
        """Why the agent died by itself, each time."""
        self.frames_captured = 0
        self._slot = Slot(self._config.spool, self.card, self._cut_while_writing)
        self._battery = SimBattery(seed=seed)
        self._ambient_c = 22.0
        self.docked = False
        self._on = False
        self._off_since_us = 0
        self._off_s: float | None = None
        self._power = asyncio.Event()
        self._power_back: asyncio.TimerHandle | None = None
        self._body = self._power_on(self._new_clock())

    @property
    def body(self) -> Body:
        """The hardware of the present boot, or of the last one while there is no power."""
        return self._body

    @property
    def spool(self) -> Path:
        """The folder on the card."""
        return self._config.spool

    @property
    def offloaded(self) -> bool:
        """Whether the recorder has the dock's word for everything that it has sealed or kept."""
        paths = SpoolPaths(self._config.spool)
        with closing(JournalStore(paths.journal, Access.READ)) as journal:
            return not any(word.kind in EVIDENCE_WORDS for word in Words(paths, journal).awaited())

    async def live(self) -> None:
        """The recorder's life, boot after boot, until it is switched off for good."""
        while await self._one_run():
            pass

    async def watch_battery(self) -> None:
        """When the battery gives up the power is gone, whatever the agent is doing."""
        while True:
            await self._body.clock.sleep(BATTERY_CHECK_S)
            if self._on and self._body.power.is_gone():
                self._cut(None)

    def press(self, deed: Press) -> None:
        """The officer does something at the panel."""
        self._body.panel.press(deed)

    def hear(self, samples: Samples) -> None:
        """Somebody speaks near the recorder."""
        self._body.microphone.hear(samples)

    def cut_power(self, off_s: float) -> None:
        """The battery comes loose: power is back after `off_s`."""
        if self._on:
            self._cut(off_s)

    def cut_power_while_writing(self, off_s: float) -> None:
        """The same, as soon as a fragment is being written: some of it has reached the card."""
        if self._on:
            self._off_s = off_s
            self._slot.lose_power_while_writing(self._chance.choice(SHARES))

    def kill_agent(self) -> None:
        """The agent dies without a word and is started again, in the same boot."""
        if self._on:
            self._body.killed = True
            self._cut(RESTART_S)

    def switch_off(self, off_s: float | None) -> None:
        """Somebody switches the recorder off, and on again after `off_s`, or never again."""
        self._off_s = off_s
        self._body.stop.set()

    def put_into_dock(self) -> None:
        """The officer puts the recorder into the dock, which also gives it power."""
        self.docked = True
        if self._on:
            self._body.power.dock()
        self._power.set()

    def take_out_of_dock(self) -> None:
        """The officer takes it out."""
        self.docked = False
        if self._on:
            self._body.power.undock()

    def change_battery(self, charge_pct: float, health: float) -> None:
        """The officer puts another cell in; that takes a moment without power."""
        self.cut_power(CHANGE_S)
        self._battery = SimBattery(charge_pct=charge_pct, health=health, seed=self._chance.randrange(2**32))
        self._power_back_in(CHANGE_S)

    def collapse_battery(self, to_pct: float) -> None:
        """The cell breaks down."""
        if self._on:
            self._body.power.change(lambda cell: cell.collapse(to_pct))

    def set_ambient(self, celsius: float) -> None:
        """The weather changes."""
        self._ambient_c = celsius
        self._body.thermometer.set_ambient(celsius)

    def set_clock(self, belief: Belief) -> None:
        """Somebody sets the recorder's clock."""
        self.belief = belief
        self._body.clock.belief = belief

    async def _agent(self, body: Body) -> End:
        return await run(self._config, body.hardware, self._slot, body.stop, self.radio.open)

    async def _one_run(self) -> bool:
        """The agent's life from start to end. False when it was switched off for good."""
        body = self._body
        agent = asyncio.create_task(self._agent(body))
        cut = asyncio.create_task(body.cut.wait())
        try:
            await asyncio.wait((agent, cut), return_when=asyncio.FIRST_COMPLETED)
        finally:
            agent.cancel()
            cut.cancel()
            await asyncio.wait((agent, cut))
        self.frames_captured += body.camera.frames_captured
        end = _end_of(agent)
        if body.cut.is_set():
            await self._after_cut()
        elif isinstance(end, LiuhenError):
            self.deaths.append(str(end))
            await body.clock.sleep(RESTART_S)
            self._body = self._power_on(body.clock)
        elif end is End.BATTERY or self._off_s is not None:
            self._go_off(None if end is End.BATTERY else self._off_s)
            await self._await_power()
        else:
            return False
        return True

    async def _after_cut(self) -> None:
        if self._body.killed:
            await self._power.wait()
            self._slot.power_on()
            self._body = self._power_on(self._body.clock)
            return
        await self._await_power()

    async def _await_power(self) -> None:
        """Off until somebody or something gives the recorder power that is worth the name."""
        await self._power.wait()
        off_s = (now_us() - self._off_since_us) / 1_000_000
        self._battery.pass_time(off_s, Load.OFF, charging=self.docked)
        while self._battery.is_empty and not self.docked:
            self._power.clear()
            await self._power.wait()
        self._slot.power_on()
        self._body = self._power_on(self._new_clock())

    def _cut(self, off_s: float | None) -> None:
        self._slot.lose_power()
        self._go_off(off_s)
        self._body.cut.set()

    def _cut_while_writing(self) -> None:
        self._go_off(self._off_s)
        self._body.cut.set()

    def _go_off(self, off_s: float | None) -> None:
        """No power from now on; after `off_s` it comes back by itself."""
        self._on = False
        self._off_since_us = now_us()
        self.radio.power_gone()
        self._power.clear()
        if off_s is not None:
            self._power_back_in(off_s)

    def _power_back_in(self, seconds: float) -> None:
        if self._power_back is not None:
            self._power_back.cancel()
        self._power_back = asyncio.get_running_loop().call_later(seconds, self._power.set)

    def _power_on(self, clock: WorldClock) -> Body:
        self._on = True
        self._off_s = None
        self._power.clear()
        if self._power_back is not None:
            self._power_back.cancel()
        return Body(clock, self._battery, self._ambient_c, self.docked, self._chance.randrange(2**32))

    def _new_clock(self) -> WorldClock:
        return WorldClock(self._boot_id(), self.belief)

    def _boot_id(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"


def _end_of(agent: asyncio.Task[End]) -> End | LiuhenError | None:
    """How the agent ended; None when it was cut short. What is no error of ours goes through: it is a bug."""
    if agent.cancelled():
        return None
    error = agent.exception()
    if error is None:
        return agent.result()
    if isinstance(error, LiuhenError):
        return error
    raise error
