"""What each step of a scenario does to the world: one row a step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from device.interruptions import PauseReason, Reason
from device.ports import SOUND_RATE_HZ, Press, Samples
from evidence.model import ClockGrade
from sim.day.clock import Belief
from sim.day.unit import DAWN_US
from sim.day.world import World
from sim.ear import speech
from sim.steps import (
    AgentKill,
    Ambient,
    Answer,
    AnswerPause,
    Battery,
    BatteryCollapse,
    BrokerKill,
    By,
    CameraHang,
    CardDead,
    CardError,
    CardFull,
    CardOk,
    CardReadOnly,
    ClockLost,
    ClockStep,
    Dock,
    DockFull,
    DockKill,
    Drop,
    Line,
    MicrophoneUnplug,
    NetworkTime,
    PowerCut,
    PressButton,
    RadioLost,
    Speak,
    SpeakNote,
    Step,
    SwitchOff,
    Tamper,
    Undock,
)

PRESS_S = 1.2
"""From one press of MARK to the next, with gloves on."""
BREATH_S = 0.5
"""Before and after what is spoken into a held button."""
MEGABYTE = 1_000_000
NEVER_SET = Belief(0, ClockGrade.UNSET)


@cache
def spoken(line: Line) -> Samples:
    """What people say."""
    return speech(line, "zh-CN")


def later(seconds: float, call: Callable[..., object], *arguments: object) -> None:
    """After so long in the world's time."""
    asyncio.get_running_loop().call_later(seconds, call, *arguments)


def _press(world: World, step: PressButton) -> None:
    world.press(step.button)


def _answer(world: World, step: Answer) -> None:
    if step.by is By.VOICE:
        _speak_note(world, Line(step.reason))
    else:
        _press_mark(world, list(Reason).index(step.reason) + 1)


def _answer_pause(world: World, step: AnswerPause) -> None:
    _press_mark(world, list(PauseReason).index(step.reason) + 1)


def _press_mark(world: World, times: int) -> None:
    for number in range(times):
        later(number * PRESS_S, world.press, Press.MARK)


def _speak_note(world: World, line: Line) -> None:
    world.press(Press.NOTE_BEGIN)
    later(BREATH_S, world.hear, spoken(line))
    later(spoken(line).size / SOUND_RATE_HZ + 2 * BREATH_S, world.press, Press.NOTE_END)


def _step_clock(world: World, step: ClockStep) -> None:
    world.set_clock(Belief(world.belief.utc_at_dawn_us + round(step.by_s * 1e6), step.grade))


def _hang_camera(world: World, step: CameraHang) -> None:
    body = world.body
    body.camera.hang()
    later(step.for_s, body.camera.recover)


def _unplug_microphone(world: World, step: MicrophoneUnplug) -> None:
    body = world.body
    body.microphone.unplug()
    later(step.for_s, body.microphone.plug)


def _open_case(world: World, step: Tamper) -> None:
    world.press(Press.CASE_OPENED)
    later(step.for_s, world.press, Press.CASE_CLOSED)


def _lose_radio(world: World, step: RadioLost) -> None:
    world.radio.lose()
    later(step.for_s, world.radio.find)


def _kill_broker(world: World, step: BrokerKill) -> None:
    world.radio.kill_broker()
    later(step.off_s, world.radio.start_broker)


def _kill_dock(world: World, step: DockKill) -> None:
    world.station.kill()
    later(step.off_s, world.station.start)


def _fill_dock(world: World, step: DockFull) -> None:
    world.station.disc.full = True
    later(step.for_s, world.station.make_room)


VERBS: Mapping[type[Step], Callable[[World, Any], None]] = {
    PressButton: _press,
    Answer: _answer,
    AnswerPause: _answer_pause,
    Speak: lambda world, step: world.hear(spoken(step.line)),
    SpeakNote: lambda world, step: _speak_note(world, step.line),
    Dock: lambda world, _: world.put_into_dock(),
    Undock: lambda world, _: world.take_out_of_dock(),
    ClockStep: _step_clock,
    ClockLost: lambda world, _: world.set_clock(NEVER_SET),
    NetworkTime: lambda world, _: world.set_clock(Belief(DAWN_US, ClockGrade.NTP)),
    PowerCut: lambda world, step: world.cut_power(step.off_s),
    Drop: lambda world, step: world.cut_power_while_writing(step.off_s),
    AgentKill: lambda world, _: world.kill_agent(),
    SwitchOff: lambda world, step: world.switch_off(step.off_s),
    Battery: lambda world, step: world.change_battery(step.charge_pct, step.health),
    BatteryCollapse: lambda world, step: world.collapse_battery(step.to_pct),
    Ambient: lambda world, step: world.set_ambient(step.celsius),
    CardFull: lambda world, step: world.card.fill_to(round(step.free_mb * MEGABYTE)),
    CardReadOnly: lambda world, _: world.card.turn_read_only(),
    CardDead: lambda world, _: world.card.die(),
    CardError: lambda world, step: world.card.fail_writes(round(step.count)),
    CardOk: lambda world, _: world.card.recover(),
    CameraHang: _hang_camera,
    MicrophoneUnplug: _unplug_microphone,
    Tamper: _open_case,
    RadioLost: _lose_radio,
    BrokerKill: _kill_broker,
    DockKill: _kill_dock,
    DockFull: _fill_dock,
}
