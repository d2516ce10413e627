"""What the recorder asks of its officer: statement, reasons, pauses, urgent reports; each followed to its end."""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from device.duty.asking import PHRASES
from device.duty.statement import ENOUGH_SPEECH_MS
from device.interruptions import PauseReason, Reason
from device.ports import HeatReading, Light, Press
from device.states import State
from device.voice.voice import Phrase
from evidence.account import Account, Use, accounts
from evidence.journal import Entry
from evidence.standing import Standing
from sim.ear import understood
from tests.device.cards import FaultyDisc, fast_folder
from tests.device.desk import RULES, Desk, desk, next_boot
from tests.device.hand_clock import HandClock
from tests.device.life import check_sum, entries_of
from tests.device.speech import spoken
from tests.device.test_recorder import joined

DEVICE_ROOM = Path(__file__).resolve().parents[2] / "device"
Story = Callable[[Desk], Awaitable[None]]


@pytest.fixture
def root() -> Iterator[Path]:
    with fast_folder() as folder:
        yield folder / "spool"


def live(root: Path, story: Story, clock: HandClock | None = None) -> HandClock:
    """Let a story happen on a recorder that has just been switched on; leaving it is a power cut."""

    async def shift() -> HandClock:
        async with desk(root, clock) as one:
            await story(one)
            return one.stage.clock

    return asyncio.run(shift())


def of_kind(root: Path, *kinds: str) -> list[Entry]:
    return [entry for entry in entries_of(root) if entry.kind in kinds]


def levels(root: Path, target: Path) -> Iterator[tuple[float, float]]:
    """The sound of all segments: seconds since the epoch, and how loud it is there."""
    joined(root, target)
    with av.open(str(target)) as container:
        for frame in container.decode(audio=0):
            yield frame.time, float(np.abs(frame.to_ndarray()).mean()) * 32_768


def account_of(root: Path) -> Account:
    (account,) = accounts(entries_of(root))
    check_sum(account)
    return account


# --- the opening statement (changzhi 20, pingluo 8)


def test_a_statement_that_is_spoken_is_heard_and_nobody_is_reminded(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.say(spoken(), 6)
        await one.wait(10)

    live(root, story)
    (asked,), (heard,) = of_kind(root, "statement_asked"), of_kind(root, "statement_heard")
    assert heard.fields["speech_ms"] >= ENOUGH_SPEECH_MS
    assert asked.at.boot_us <= heard.fields["from_boot_us"] < heard.at.boot_us
    assert of_kind(root, "statement_reminded", "statement_missing") == []


def test_silence_is_reminded_of_twice_and_then_it_is_missing(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(20)

    live(root, story)
    told = of_kind(root, "statement_reminded", "statement_missing")
    assert [entry.kind for entry in told] == ["statement_reminded", "statement_reminded", "statement_missing"]
    assert [entry.fields["reminder"] for entry in told[:2]] == [1, 2]
    assert all(after.at.boot_us - before.at.boot_us >= 5_000_000 for before, after in pairwise(told))


def test_a_statement_after_a_reminder_is_one(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(7)
        await one.say(spoken(), 6)

    live(root, story)
    kinds = [entry.kind for entry in of_kind(root, "statement_reminded", "statement_heard", "statement_missing")]
    assert kinds == ["statement_reminded", "statement_heard"]


def test_a_recording_that_ends_before_anybody_spoke_lacks_its_statement(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(1)
        await one.press(Press.STOP)
        await one.wait(2)

    live(root, story)
    (missing,), (stopped,) = of_kind(root, "statement_missing"), of_kind(root, "recording_stopped")
    assert missing.fields["recording"] == stopped.fields["recording"]


def test_what_is_said_while_nothing_is_recorded_is_no_statement(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        one.stage.camera.dead = True
        await one.wait(3)
        assert one.controller.state is State.INTERRUPTED
        await one.say(spoken(), 6)

    live(root, story)
    assert of_kind(root, "statement_heard") == []


# --- reasons (pingluo 8, changzhi 21, xuchang 19)


async def break_camera(one: Desk) -> None:
    """A recording that is interrupted for a few seconds and goes on."""
    await one.press(Press.RECORD)
    await one.wait(2)
    one.stage.camera.dead = True
    await one.wait(3)
    one.stage.camera.dead = False
    await one.wait(4)
    assert one.controller.state is State.RECORDING


@pytest.mark.parametrize("reason", Reason)
def test_as_many_presses_as_the_reason_has_in_the_list_explain_the_break(root: Path, reason: Reason) -> None:
    async def story(one: Desk) -> None:
        await break_camera(one)
        for _ in range(list(Reason).index(reason) + 1):
            await one.press(Press.MARK)
        await one.wait(4)

    live(root, story)
    (broken,), (asked,), (given,) = (of_kind(root, kind) for kind in ("interruption", "reason_asked", "reason"))
    assert given.fields == {"interruption": broken.fields["interruption"], "reason": reason.value, "note": None}
    assert asked.fields["interruption"] == broken.fields["interruption"]
    # While the recorder asks, a press is an answer and no bookmark.
    assert of_kind(root, "bookmark") == []
    account = account_of(root)
    assert [(one.cause, one.part, one.state) for one in account.interruptions] == [
        ("device_fault", "camera", Standing.EXPLAINED)
    ]
    assert account.total_us(Use.UNEXPLAINED) == 0
    assert account.total_us(Use.EXPLAINED) > 2_000_000


def test_a_break_that_nobody_explains_stays_open_and_is_asked_about_again_in_the_dock(root: Path) -> None:
    async def story(one: Desk) -> None:
        await break_camera(one)
        await one.wait(8)
        # The question is over: a press is a bookmark again.
        await one.press(Press.MARK)
        await one.wait(4)
        assert of_kind(root, "reason") == []
        await one.press(Press.STOP)
        await one.wait(2)
        await one.dock(True)
        for _ in range(2):
            await one.press(Press.MARK)
        await one.wait(4)

    live(root, story)
    assert len(of_kind(root, "bookmark")) == 1
    assert len(of_kind(root, "reason_asked")) == 2
    (given,) = of_kind(root, "reason")
    assert given.fields["reason"] == Reason.WEATHER


def test_several_breaks_are_explained_one_after_the_other_the_oldest_first(root: Path) -> None:
    async def story(one: Desk) -> None:
        await break_camera(one)
        one.stage.camera.dead = True
        await one.wait(3)
        one.stage.camera.dead = False
        await one.wait(3)
        await one.press(Press.MARK)
        await one.wait(4)
        await one.press(Press.MARK)
        await one.press(Press.MARK)
        await one.wait(4)

    live(root, story)
    broken = [entry.fields["interruption"] for entry in of_kind(root, "interruption")]
    given = [(entry.fields["interruption"], entry.fields["reason"]) for entry in of_kind(root, "reason")]
    assert given == list(zip(broken, ["device_fault", "weather"], strict=True))


def test_a_break_of_an_earlier_life_is_asked_about_when_the_recording_goes_on(root: Path) -> None:
    async def before(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(3)

    async def after(one: Desk) -> None:
        await one.wait(2)
        for _ in range(3):
            await one.press(Press.MARK)
        await one.wait(4)

    live(root, after, next_boot(live(root, before)))
    (given,) = of_kind(root, "reason")
    assert given.fields["reason"] == Reason.BATTERY
    assert [(one.cause, one.state) for one in account_of(root).interruptions] == [("power_loss", Standing.EXPLAINED)]


# --- declared pauses (xuchang 19, changzhi 18)


@pytest.mark.parametrize("reason", PauseReason)
def test_a_declared_pause_keeps_nothing_and_is_explained_time(root: Path, reason: PauseReason) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(3)
        await one.press(Press.PAUSE)
        await one.wait(2)
        assert one.controller.state is State.PAUSED
        assert one.stage.panel.shown[-1] is Light.PAUSED
        for _ in range(list(PauseReason).index(reason) + 1):
            await one.press(Press.MARK)
        await one.wait(10)
        await one.press(Press.RECORD)
        await one.wait(4)
        await one.press(Press.STOP)
        await one.wait(2)

    live(root, story)
    (paused,), (why,), (ended,) = (of_kind(root, kind) for kind in ("paused", "pause_reason", "pause_ended"))
    assert why.fields["reason"] == reason.value
    assert why.fields["pause"] == paused.fields["pause"] == ended.fields["pause"]
    (started,) = of_kind(root, "recording_started")
    assert paused.fields["recording"] == started.fields["recording"]
    epoch_us = of_kind(root, "init")[0].fields["epoch_boot_us"]
    kept = [
        (epoch_us + entry.fields["pts_us"], epoch_us + entry.fields["pts_us"] + entry.fields["duration_us"])
        for entry in of_kind(root, "fragment")
    ]
    # The fragment that holds the press is whole; of what was seen afterwards there is nothing.
    assert not [begin for begin, _ in kept if paused.at.boot_us < begin < ended.at.boot_us]
    assert max(end for begin, end in kept if begin <= paused.at.boot_us) <= paused.at.boot_us + 1_000_000
    account = account_of(root)
    assert account.interruptions == ()
    assert account.total_us(Use.UNEXPLAINED) == 0
    assert account.total_us(Use.EXPLAINED) > 8_000_000


def test_a_pause_without_a_reason_or_beyond_its_limit_is_unexplained(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(3)
        await one.press(Press.PAUSE)
        await one.wait(2)
        await one.press(Press.MARK)
        await one.wait(70)
        await one.press(Press.RECORD)
        await one.wait(4)
        await one.press(Press.PAUSE)
        await one.wait(10)
        await one.press(Press.RECORD)
        await one.wait(3)

    live(root, story)
    reminded = [entry.fields["left_s"] for entry in of_kind(root, "pause_reminded")]
    assert reminded == [0]
    account = account_of(root)
    assert account.total_us(Use.EXPLAINED) == pytest.approx(60_000_000, abs=1_000_000)
    assert account.total_us(Use.UNEXPLAINED) == pytest.approx(12_000_000 + 10_000_000, abs=4_000_000)


def test_another_hold_extends_the_pause_and_asks_again(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(3)
        for _ in range(2):
            await one.press(Press.PAUSE)
            await one.wait(2)
            await one.press(Press.MARK)
            await one.wait(40)
        await one.press(Press.STOP)
        await one.wait(2)

    live(root, story)
    assert [entry.fields["trigger"] for entry in of_kind(root, "pause_ended")] == ["extended", "button"]
    account = account_of(root)
    assert account.total_us(Use.UNEXPLAINED) < 100_000
    assert account.total_us(Use.EXPLAINED) > 80_000_000


def test_a_pause_outlives_a_power_cut_and_nothing_is_recorded_until_it_ends(root: Path) -> None:
    async def before(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(3)
        await one.press(Press.PAUSE)
        await one.wait(2)
        await one.press(Press.MARK)
        await one.wait(4)

    async def after(one: Desk) -> None:
        assert one.controller.state is State.PAUSED
        await one.wait(5)
        await one.press(Press.RECORD)
        await one.wait(3)
        assert one.controller.state is State.RECORDING
        await one.press(Press.STOP)
        await one.wait(2)

    live(root, after, next_boot(live(root, before)))
    assert of_kind(root, "interruption") == []
    account = account_of(root)
    assert account.total_us(Use.UNEXPLAINED) == 0
    assert account.total_us(Use.EXPLAINED) > 15_000_000
    assert len(of_kind(root, "recording_started")) == len(of_kind(root, "recording_stopped")) == 1


def test_a_pause_ends_in_the_dock_with_its_recording(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(3)
        await one.press(Press.PAUSE)
        await one.wait(3)
        await one.dock(True)

    live(root, story)
    kinds = [entry.kind for entry in of_kind(root, "paused", "pause_ended", "recording_stopped", "docked")]
    assert kinds == ["paused", "recording_stopped", "pause_ended", "docked"]


async def heat(one: Desk) -> None:
    """The board becomes too hot, and cools down while the recording goes on."""
    one.stage.thermometer.reading = HeatReading(90.0, throttled=True)
    await one.wait(10)
    await one.press(Press.RECORD)
    await one.wait(3)
    assert one.controller.state is State.INTERRUPTED
    one.stage.thermometer.reading = HeatReading(60.0, throttled=False)
    await one.wait(20)


async def lose_camera(one: Desk) -> None:
    """The camera gives nothing any more, and comes back while the recording goes on."""
    one.stage.camera.dead = True
    await one.wait(10)
    await one.press(Press.RECORD)
    await one.wait(3)
    assert one.controller.state is State.INTERRUPTED
    one.stage.camera.dead = False
    await one.wait(4)


async def lose_camera_at_the_end(one: Desk) -> None:
    """The camera dies so shortly before the pause ends that nobody has missed a picture yet."""
    await one.wait(10)
    one.stage.camera.dead = True
    await one.wait(1)
    await one.press(Press.RECORD)
    await one.wait(3)
    assert one.controller.state is State.INTERRUPTED
    one.stage.camera.dead = False
    await one.wait(4)


@pytest.mark.parametrize(
    ("trouble", "part"), [(heat, "heat"), (lose_camera, "camera"), (lose_camera_at_the_end, "camera")]
)
def test_a_pause_that_ends_while_nothing_can_be_recorded_becomes_an_interruption(
    root: Path, trouble: Story, part: str
) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(3)
        await one.press(Press.PAUSE)
        await one.press(Press.MARK)
        await trouble(one)
        assert one.controller.state is State.RECORDING

    live(root, story)
    (broken,), (ended,) = of_kind(root, "interruption"), of_kind(root, "pause_ended")
    assert (broken.fields["cause"], broken.fields["part"]) == ("device_fault", part)
    (told,) = account_of(root).interruptions
    assert told.end_us is not None
    # The pause is no part of it.
    assert 0 <= told.start_us - ended.at.utc_us < 200_000
    assert account_of(root).total_us(Use.UNEXPLAINED) <= told.end_us - told.start_us


def test_a_pause_that_ends_in_standby_without_a_picture_is_a_fault_again(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.PAUSE)
        one.stage.camera.dead = True
        await one.wait(5)
        await one.press(Press.STOP)
        assert one.controller.state is State.FAULT

    live(root, story)


# --- the urgent report (pingluo 8)


def test_a_break_that_lasts_too_long_is_reported_once_with_who_and_since_when(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(2)
        one.stage.camera.dead = one.stage.camera.broken = True
        await one.wait(40)
        assert one.reports == [1]

    async def next_life(one: Desk) -> None:
        await one.wait(3)
        assert one.controller.state is State.RECORDING
        assert one.reports == []

    live(root, next_life, next_boot(live(root, story)))
    (reported,), (broken,) = of_kind(root, "reported"), of_kind(root, "interruption")
    assert reported.fields["interruption"] == broken.fields["interruption"]
    assert reported.fields["began"] == broken.fields["began"]
    assert (reported.fields["cause"], reported.fields["name"]) == ("device_fault", "张三")
    assert reported.at.boot_us - broken.fields["began"]["boot_us"] == pytest.approx(20_000_000, abs=1_000_000)
    assert [one.state for one in account_of(root).interruptions] == [Standing.REPORTED]


def test_a_short_break_is_not_reported(root: Path) -> None:
    live(root, break_camera)
    assert of_kind(root, "reported") == []


# --- battery, storage, heat (weixian 15, xuchang 20)


def test_an_empty_battery_seals_and_stops_the_recorder_by_itself_and_the_next_start_goes_on(root: Path) -> None:
    async def story(one: Desk) -> None:
        one.stage.power.level_pct = 60.0
        await one.wait(10)
        await one.press(Press.RECORD)
        await one.wait(10)
        # It collapses, and the gauge stands by it.
        one.stage.power.level_pct = 1.0
        for _ in range(30):
            await one.wait(0 if one.controller.off.is_set() else 1)
        assert one.controller.off.is_set()
        assert one.controller.state is State.STOPPING

    async def next_life(one: Desk) -> None:
        await one.wait(3)
        assert one.controller.state is State.RECORDING

    live(root, next_life, next_boot(live(root, story)))
    (broken,) = of_kind(root, "interruption")
    assert broken.fields["cause"] == "battery_low"
    (seal,) = [entry for entry in of_kind(root, "segment") if entry.fields["trigger"] == "battery_low"]
    assert seal.fields["complete"]
    assert [entry.fields["band"] for entry in of_kind(root, "battery")][-1] == "unknown"
    assert "critical" in [entry.fields["band"] for entry in of_kind(root, "battery")]
    assert [(one.cause, one.state) for one in account_of(root).interruptions] == [("battery_low", Standing.OPEN)]


def test_a_board_that_is_too_hot_rests_and_goes_on_when_it_has_cooled_down(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.wait(3)
        one.stage.thermometer.reading = HeatReading(90.0, throttled=True)
        await one.wait(20)
        assert one.controller.state is State.INTERRUPTED
        one.stage.thermometer.reading = HeatReading(60.0, throttled=False)
        await one.wait(20)
        assert one.controller.state is State.RECORDING

    live(root, story)
    (broken,), (resumed,) = of_kind(root, "interruption"), of_kind(root, "resumed")
    assert (broken.fields["cause"], broken.fields["part"]) == ("device_fault", "heat")
    epoch_us = of_kind(root, "init")[0].fields["epoch_boot_us"]
    begun = [epoch_us + entry.fields["pts_us"] for entry in of_kind(root, "fragment")]
    assert not [one for one in begun if broken.at.boot_us + 1_000_000 < one < resumed.at.boot_us - 2_000_000]


def test_a_recording_that_is_begun_on_a_hot_board_waits_for_it_to_cool_down(root: Path) -> None:
    async def story(one: Desk) -> None:
        one.stage.thermometer.reading = HeatReading(90.0, throttled=True)
        await one.wait(20)
        await one.press(Press.RECORD)
        await one.wait(3)
        assert one.controller.state is State.INTERRUPTED
        one.stage.thermometer.reading = HeatReading(60.0, throttled=False)
        await one.wait(20)
        assert one.controller.state is State.RECORDING

    live(root, story)
    assert [entry.fields["part"] for entry in of_kind(root, "interruption")] == ["heat"]


def test_the_readings_are_journalled_before_and_after_a_break(root: Path) -> None:
    live(root, break_camera)
    kinds = [entry.kind for entry in of_kind(root, "battery", "interruption", "resumed")]
    assert kinds == ["battery", "interruption", "battery", "resumed", "battery"]


# --- before the press


@pytest.mark.parametrize("sound", [True, False])
def test_the_pre_event_buffer_has_sound_or_silence_as_the_unit_wants(root: Path, sound: bool, tmp_path: Path) -> None:
    async def shift() -> None:
        async with desk(root, pre_event_sound=sound) as one:
            one.stage.microphone.says = spoken()
            await one.wait(4)
            await one.press(Press.RECORD)
            await one.wait(3)
            await one.press(Press.STOP)
            await one.wait(2)

    asyncio.run(shift())
    (started,) = of_kind(root, "recording_started")
    epoch_us = of_kind(root, "init")[0].fields["epoch_boot_us"]
    heard = list(levels(root, tmp_path / "all.mp4"))
    since_s = [(seconds - (started.at.boot_us - epoch_us) / 1e6, level) for seconds, level in heard]
    assert max(level for seconds, level in since_s if seconds > 0.2) > 500
    before = [level for seconds, level in since_s if seconds < -0.1]
    assert len(before) > 50
    assert (max(before) > 500) == sound


# --- what the officer hears


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, ["storage_full", "resumed"]),
        (errno.EIO, ["interrupted", "fault_card", "fault_cleared", "resumed"]),
    ],
)
def test_the_voice_tells_the_break_its_cause_and_its_end(root: Path, number: int, said: list[str]) -> None:
    disc = FaultyDisc()

    async def shift() -> list[str]:
        async with desk(root, rules=replace(RULES, voice=True), disc=disc) as one:
            await one.press(Press.RECORD)
            await one.wait(3)
            disc.refused = {"append": number, "create": number}
            await one.wait(4)
            disc.refused = {}
            await one.wait(8)
            return [understood(samples, "zh-CN") for samples in one.stage.speaker.heard]

    heard = asyncio.run(shift())
    assert [one for one in heard if one in said] == said


def test_every_phrase_of_the_table_is_said_somewhere() -> None:
    code = "".join(path.read_text("utf-8") for path in DEVICE_ROOM.rglob("*.py") if path.name != "voice.py")
    said = {name.lower() for name in re.findall(r"Phrase\.([A-Z_]+)", code)} | set(PHRASES.values())
    assert said == set(Phrase)
