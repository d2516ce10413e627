"""What can happen in a shift: one class a step, and the table of their names.

A new one is a row here and a verb in the world that it happens to: `sim/day/verbs.py`, and `sim/shift.py` where it
makes sense on a shift in real time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from device.interruptions import PauseReason, Reason
from device.ports import Press
from evidence.model import ClockGrade

LONGEST_S = 7 * 86_400.0


class By(StrEnum):
    """How an officer answers."""

    BUTTONS = "buttons"
    """So many presses of MARK."""
    VOICE = "voice"
    """MARK held, and spoken."""


class Line(StrEnum):
    """What people say: a file in `sim/media/speech`."""

    STATEMENT = "statement"
    DEVICE_FAULT = "device_fault"
    WEATHER = "weather"
    BATTERY = "battery"
    STORAGE = "storage"
    OBSTRUCTION = "obstruction"
    OTHER = "other"
    SHORT_NOTE = "short_note"


@dataclass(frozen=True, slots=True)
class Step:
    """Something happens, `at_s` seconds after the shift began."""

    SAYS: ClassVar[str] = ""
    at_s: float

    def text(self) -> str:
        """The line that says so."""
        return self.SAYS.format(**{name: getattr(self, name) for name in self.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class PressButton(Step):
    """The officer presses a button."""

    SAYS: ClassVar[str] = "按键 press {button}"
    button: Press


@dataclass(frozen=True, slots=True)
class Answer(Step):
    """The officer gives the reason of the oldest open interruption."""

    SAYS: ClassVar[str] = "说明中断原因 explain the interruption: {reason}, by {by}"
    reason: Reason
    by: By = By.BUTTONS


@dataclass(frozen=True, slots=True)
class AnswerPause(Step):
    """The officer gives the reason of the declared pause."""

    SAYS: ClassVar[str] = "说明暂停原因 explain the pause: {reason}"
    reason: PauseReason


@dataclass(frozen=True, slots=True)
class Speak(Step):
    """Somebody speaks near the recorder."""

    SAYS: ClassVar[str] = "说话 somebody says: {line}"
    line: Line


@dataclass(frozen=True, slots=True)
class SpeakNote(Step):
    """The officer speaks a note, holding MARK."""

    SAYS: ClassVar[str] = "语音备注 a spoken note: {line}"
    line: Line


@dataclass(frozen=True, slots=True)
class Dock(Step):
    """The officer puts the recorder into the dock."""

    SAYS: ClassVar[str] = "放入采集站 into the dock"


@dataclass(frozen=True, slots=True)
class Undock(Step):
    """The officer takes the recorder out of the dock."""

    SAYS: ClassVar[str] = "取出 out of the dock"


@dataclass(frozen=True, slots=True)
class ClockStep(Step):
    """Somebody sets the recorder's UTC."""

    SAYS: ClassVar[str] = "时钟跳变 the clock steps by {by_s:g} s"
    by_s: float
    grade: ClockGrade


@dataclass(frozen=True, slots=True)
class ClockLost(Step):
    """The clock's own battery is dead: now, and at every power on, it is 1970."""

    SAYS: ClassVar[str] = "时钟丢失 the clock begins at 1970"


@dataclass(frozen=True, slots=True)
class NetworkTime(Step):
    """Network time reaches the recorder, now and at every later power on."""

    SAYS: ClassVar[str] = "网络授时 network time"


@dataclass(frozen=True, slots=True)
class PowerCut(Step):
    """The battery comes loose for `off_s` seconds."""

    SAYS: ClassVar[str] = "断电 power cut for {off_s:.1f} s"
    off_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Drop(Step):
    """The recorder falls, and loses its power while a fragment is being written; only a recording is."""

    SAYS: ClassVar[str] = "跌落 dropped, no power for {off_s:.1f} s"
    off_s: float = 3.0


@dataclass(frozen=True, slots=True)
class AgentKill(Step):
    """The recorder's program dies, and is started again."""

    SAYS: ClassVar[str] = "程序崩溃 the program crashes"


@dataclass(frozen=True, slots=True)
class SwitchOff(Step):
    """Somebody switches the recorder off properly, for `off_s` seconds."""

    SAYS: ClassVar[str] = "关机 switched off for {off_s:.1f} s"
    off_s: float


@dataclass(frozen=True, slots=True)
class Battery(Step):
    """Another battery: so full, and with so much of a new one's capacity left."""

    SAYS: ClassVar[str] = "换电池 another battery, {charge_pct:g} % full"
    charge_pct: float = 100.0
    health: float = 1.0


@dataclass(frozen=True, slots=True)
class BatteryCollapse(Step):
    """The battery breaks down to `to_pct`."""

    SAYS: ClassVar[str] = "电池骤降 the battery breaks down to {to_pct:g} %"
    to_pct: float


@dataclass(frozen=True, slots=True)
class Ambient(Step):
    """The air has this temperature from now on."""

    SAYS: ClassVar[str] = "气温 the air is at {celsius:g} °C"
    celsius: float


@dataclass(frozen=True, slots=True)
class CardFull(Step):
    """Something else lies on the card from now on, so that so much is left."""

    SAYS: ClassVar[str] = "存储卡将满 {free_mb:g} MB are left on the card"
    free_mb: float


@dataclass(frozen=True, slots=True)
class CardReadOnly(Step):
    """The card takes nothing any more."""

    SAYS: ClassVar[str] = "存储卡只读 the card is read-only"


@dataclass(frozen=True, slots=True)
class CardDead(Step):
    """The card gives nothing but errors any more."""

    SAYS: ClassVar[str] = "存储卡失效 the card is dead"


@dataclass(frozen=True, slots=True)
class CardError(Step):
    """The next writes fail."""

    SAYS: ClassVar[str] = "存储卡写入出错 the card fails {count:g} writes"
    count: float = 1.0


@dataclass(frozen=True, slots=True)
class CardOk(Step):
    """The card is well again."""

    SAYS: ClassVar[str] = "存储卡恢复 the card is well again"


@dataclass(frozen=True, slots=True)
class CameraHang(Step):
    """The camera gives no picture for `for_s` seconds."""

    SAYS: ClassVar[str] = "镜头无画面 the camera hangs for {for_s:.1f} s"
    for_s: float


@dataclass(frozen=True, slots=True)
class MicrophoneUnplug(Step):
    """The microphone is unplugged for `for_s` seconds."""

    SAYS: ClassVar[str] = "麦克风脱落 the microphone is unplugged for {for_s:.1f} s"
    for_s: float


@dataclass(frozen=True, slots=True)
class Tamper(Step):
    """Somebody opens the case for `for_s` seconds."""

    SAYS: ClassVar[str] = "打开外壳 the case is open for {for_s:.1f} s"
    for_s: float


@dataclass(frozen=True, slots=True)
class RadioLost(Step):
    """The recorder reaches no network for `for_s` seconds, not even in the dock."""

    SAYS: ClassVar[str] = "网络中断 no network for {for_s:.1f} s"
    for_s: float


@dataclass(frozen=True, slots=True)
class BrokerKill(Step):
    """The broker is killed, and started again after `off_s` seconds."""

    SAYS: ClassVar[str] = "消息服务中断 the broker is killed for {off_s:.1f} s"
    off_s: float


@dataclass(frozen=True, slots=True)
class DockKill(Step):
    """The dock's receiver is killed, and started again after `off_s` seconds."""

    SAYS: ClassVar[str] = "采集站中断 the dock is killed for {off_s:.1f} s"
    off_s: float


@dataclass(frozen=True, slots=True)
class DockFull(Step):
    """The dock has no room for `for_s` seconds."""

    SAYS: ClassVar[str] = "采集站已满 the dock is full for {for_s:.1f} s"
    for_s: float


STEPS: Mapping[str, type[Step]] = {
    "press": PressButton,
    "answer": Answer,
    "answer_pause": AnswerPause,
    "speak": Speak,
    "note": SpeakNote,
    "dock": Dock,
    "undock": Undock,
    "clock_step": ClockStep,
    "clock_lost": ClockLost,
    "network_time": NetworkTime,
    "power_cut": PowerCut,
    "drop": Drop,
    "agent_kill": AgentKill,
    "switch_off": SwitchOff,
    "battery": Battery,
    "battery_collapse": BatteryCollapse,
    "ambient": Ambient,
    "card_full": CardFull,
    "card_read_only": CardReadOnly,
    "card_dead": CardDead,
    "card_error": CardError,
    "card_ok": CardOk,
    "camera_hang": CameraHang,
    "microphone_unplug": MicrophoneUnplug,
    "tamper": Tamper,
    "radio_lost": RadioLost,
    "broker_kill": BrokerKill,
    "dock_kill": DockKill,
    "dock_full": DockFull,
}
"""What may stand in `do`."""
