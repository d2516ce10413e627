"""Battery, storage, heat: read now and then, told in minutes, journalled when a band changes and around every break.

weixian 15 and xuchang 20 want battery and room looked after; after the alarm 5 to 30 minutes remain (GA/T 947.2).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from device.capture.muxer import MediaFragment
from device.duty.tools import Tools
from device.intake import Hold, Intake, Release
from device.ports import Buzz, Hardware
from device.states import State
from device.voice.voice import Phrase
from device.watch.battery import BatteryBand, BatteryState, BatteryWatch
from device.watch.heat import HeatBand, HeatState, HeatWatch
from device.watch.storage import StorageBand, StorageState, StorageWatch
from evidence.errors import DiscError

READ_US = 5_000_000
NOTE_US = 600_000_000
"""Without any change the readings are journalled every ten minutes."""
LOW = frozenset({BatteryBand.LOW, BatteryBand.CRITICAL, StorageBand.LOW, StorageBand.CRITICAL})
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Latest:
    """The last readings, judged."""

    battery: BatteryState
    storage: StorageState
    heat: HeatState


class Readings:
    """Looks every five seconds."""

    def __init__(
        self,
        tools: Tools,
        hardware: Hardware,
        intake: Intake,
        battery: BatteryWatch,
        storage: StorageWatch,
        releasable_bytes: Callable[[], int],
    ) -> None:
        """`releasable_bytes` is called on the disc thread: room that receipted evidence still takes."""
        self._tools = tools
        self._hardware = hardware
        self._intake = intake
        self._battery = battery
        self._storage = storage
        self._heat = HeatWatch()
        self._releasable_bytes = releasable_bytes
        self._latest: Latest | None = None
        self._read_us = -READ_US
        self._noted_us = 0

    @property
    def latest(self) -> Latest | None:
        """None before the first look."""
        return self._latest

    @property
    def low(self) -> bool:
        """Battery or storage runs out."""
        return self._latest is not None and bool({self._latest.battery.band, self._latest.storage.band} & LOW)

    def wrote(self, fragment: MediaFragment) -> None:
        """A fragment was put on the card: its size says how long the room lasts."""
        self._storage.wrote(len(fragment.data), fragment.info.duration_us)

    async def look(self, state: State) -> bool:
        """Read everything if it is time to; true when the battery is so low that the recorder must stop."""
        now_us = self._tools.now_us()
        if now_us - self._read_us < READ_US:
            return False
        self._read_us = now_us
        battery = self._battery.look(now_us, self._hardware.power.read())
        heat = self._heat.look(self._hardware.thermometer.read())
        storage = await self._look_at_card(battery.shift_left_minutes)
        before, self._latest = self._latest, Latest(battery, storage, heat)
        await self._note_changes(before, self._latest)
        self._tell(self._latest, state)
        self._cool(before, heat)
        return battery.band is BatteryBand.CRITICAL and state is not State.DOCKED

    async def _look_at_card(self, shift_left_minutes: int) -> StorageState:
        try:
            room = await self._tools.thread.run(self._room)
        except DiscError as error:
            log.warning("card not measured: %s", error)
            room = (0, 0)
        return self._storage.look(*room, shift_left_minutes)

    def _room(self) -> tuple[int, int]:
        spool = self._tools.spool
        return spool.disc.free_bytes(spool.paths.root), self._releasable_bytes()

    async def note_all(self) -> None:
        """Journal everything as it is: a break and its end want the readings before and after (pingluo 8)."""
        if self._latest is not None:
            self._noted_us = self._tools.now_us()
            await self._note_battery(self._latest.battery)
            await self._note_storage(self._latest.storage)
            await self._note_heat(self._latest.heat)

    async def _note_changes(self, before: Latest | None, now: Latest) -> None:
        if before is None or self._tools.now_us() - self._noted_us >= NOTE_US:
            await self.note_all()
            return
        if before.battery.band is not now.battery.band:
            await self._note_battery(now.battery)
        if before.storage.band is not now.storage.band:
            await self._note_storage(now.storage)
        if before.heat.band is not now.heat.band or before.heat.throttled is not now.heat.throttled:
            await self._note_heat(now.heat)

    async def _note_battery(self, state: BatteryState) -> None:
        await self._tools.note(
            "battery", level_pct=state.level_pct, minutes_left=state.minutes_left, band=state.band.value
        )

    async def _note_storage(self, state: StorageState) -> None:
        await self._tools.note(
            "storage", free_bytes=state.free_bytes, minutes_left=state.minutes_left, band=state.band.value
        )

    async def _note_heat(self, state: HeatState) -> None:
        await self._tools.note("heat", celsius=state.celsius, throttled=state.throttled, band=state.band.value)

    def _tell(self, now: Latest, state: State) -> None:
        if state is State.DOCKED:
            return
        told: Sequence[tuple[int | None, Phrase]] = (
            (now.battery.announce, Phrase.BATTERY_MINUTES_LEFT),
            (now.storage.announce, Phrase.STORAGE_MINUTES_LEFT),
        )
        for minutes, phrase in told:
            if minutes is not None:
                self._tools.buzz(Buzz.LOW)
                self._tools.say(phrase, minutes)

    def _cool(self, before: Latest | None, heat: HeatState) -> None:
        """A board that is too hot rests: its pictures could not be relied on any more."""
        was_critical = before is not None and before.heat.band is HeatBand.CRITICAL
        critical = heat.band is HeatBand.CRITICAL
        if critical and not was_critical:
            self._tools.buzz(Buzz.FAULT)
            self._tools.say(Phrase.FAULT_HEAT)
            self._intake.command(Hold("heat"))
        elif was_critical and not critical:
            self._intake.command(Release())
