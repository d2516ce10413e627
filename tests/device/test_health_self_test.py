"""The self-test: fit when all is well, and each fault found and named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.config import CameraConfig, Config
from device.health.self_test import FITNESS, SelfTest, self_test
from device.health.verdict import exit_code, verdict_text
from device.holding import HeldError, holding
from device.ports import Hardware, HeatReading
from evidence.errors import DiscError
from evidence.health import State, counted
from evidence.io.durable import PosixDisc
from evidence.model import ClockGrade, Timestamp
from sim.card import SimCard
from tests.device.cards import fast_folder
from tests.device.footage import EPOCH_US, film
from tests.device.hand_clock import HandClock
from tests.device.stage import (
    HandCamera,
    HandLocator,
    HandMicrophone,
    HandPanel,
    HandPower,
    HandSpeaker,
    HandThermometer,
    a_turn,
    nothing,
)

STEP_US = 100_000
TURNS = 60


class UnsetClock(HandClock):
    """Nobody has set it since power on."""

    def at(self, boot_us: int) -> Timestamp:
        return Timestamp(boot_us, 480, ClockGrade.UNSET, None, self.now_boot, boot_us)

    @property
    def now_boot(self) -> str:
        return super().at(0).boot


class DyingCard(PosixDisc):
    """Takes the beginning of a segment and then nothing."""

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        raise DiscError(str(path), f"cannot append {len(data)} bytes at {at_bytes}: Input/output error")


@dataclass
class Bench:
    """Hardware played by hand, and the film that it sees."""

    folder: Path
    clock: HandClock = field(default_factory=lambda: HandClock(boot_us=EPOCH_US))
    disc: PosixDisc = field(default_factory=PosixDisc)

    def __post_init__(self) -> None:
        self.camera, self.microphone = HandCamera(film(20)), HandMicrophone(film(20))
        self.thermometer = HandThermometer()
        self.config = Config(self.folder / "spool", self.folder / "identity", CameraConfig(640, 360, 10, 100_000))

    async def test(self) -> SelfTest:
        hardware = Hardware(
            self.camera, self.microphone, HandSpeaker(), HandPanel(), HandPower(), self.thermometer, HandLocator(),
            self.clock,
        )  # fmt: skip
        task = asyncio.create_task(self_test(self.config, hardware, self.disc, self.folder / "self-test", record_s=4))
        while not task.done():
            self.clock.advance_to(self.clock.boot_us + STEP_US)
            self.camera.see(self.clock.boot_us)
            self.microphone.hear(self.clock.boot_us)
            for _ in range(TURNS):
                await asyncio.to_thread(nothing)
                await a_turn()
        return task.result()


def run(change: Callable[[Bench], None] = lambda _: None, clock: HandClock | None = None) -> SelfTest:
    with fast_folder() as folder:
        bench = Bench(folder) if clock is None else Bench(folder, clock)
        change(bench)
        test = asyncio.run(bench.test())
        assert list(folder.iterdir()) == [], "thrown away"
        return test


def bad(test: SelfTest) -> dict[str, State]:
    return {one.name: one.state for one in test.items if counted(one) in (State.CRITICAL, State.UNKNOWN)}


def test_a_recorder_that_is_well_is_fit() -> None:
    test = run()
    assert bad(test) == {}
    assert test.fit
    assert exit_code(test) == 0
    assert [one.name for one in test.items] == ["test recording", "durable writes", *FITNESS]
    assert test.items[0].reading.startswith("authentic, ")
    assert "FIT for duty" in verdict_text(test, colour=False).splitlines()[0]


def full_card(bench: Bench) -> None:
    (bench.folder / "spool").mkdir()
    bench.disc = SimCard(bench.folder, 8_000_000)


def dying_card(bench: Bench) -> None:
    bench.disc = DyingCard()


NOTHING_SEEN = {"test recording", "durable writes", "last picture", "frame rate"}
FAULTS: dict[str, tuple[Callable[[Bench], None], set[str]]] = {
    "no camera": (lambda b: setattr(b.camera, "broken", True), NOTHING_SEEN | {"camera"}),
    "a camera that hangs": (
        lambda b: setattr(b.camera, "dead", True),
        NOTHING_SEEN,
    ),
    "no microphone": (
        lambda b: setattr(b.microphone, "missing", True),
        {"microphone", "sound level"},
    ),
    "a dead microphone": (lambda b: setattr(b.microphone, "dead", True), {"microphone", "sound level"}),
    "a card that takes nothing": (dying_card, {"test recording", "durable writes"}),
    "too hot": (lambda b: setattr(b.thermometer, "reading", HeatReading(90.0, throttled=True)), {"temperature"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_named(fault: str) -> None:
    change, named = FAULTS[fault]
    test = run(change)
    assert set(bad(test)) == named, test.items
    assert not test.fit
    assert exit_code(test) == 2
    text = verdict_text(test, colour=False)
    assert text.startswith("NOT FIT for duty")
    assert "What to do:" in text


def test_a_full_card_is_found() -> None:
    with fast_folder() as folder:
        bench = Bench(folder)
        full_card(bench)
        test = asyncio.run(bench.test())
    assert set(bad(test)) == {"test recording", "durable writes", "card room"}
    assert "reserve" in test.items[0].reading


def test_a_wrong_clock_is_found_and_the_recording_still_verifies() -> None:
    test = run(clock=UnsetClock(boot_us=EPOCH_US))
    assert bad(test) == {"clock": State.CRITICAL}
    assert not test.fit


def test_a_folder_that_cannot_be_made_is_a_fault_of_the_card() -> None:
    def in_the_way(bench: Bench) -> None:
        bench.disc = SimCard(bench.folder, 0)

    test = run(in_the_way)
    assert not test.fit
    assert bad(test)["durable writes"] is State.CRITICAL


def test_one_recorder_holds_a_spool_and_the_next_is_told_how_to_stop_it(tmp_path: Path) -> None:
    with holding(tmp_path):
        with pytest.raises(HeldError) as told, holding(tmp_path):
            raise AssertionError("held twice")
        assert "systemctl stop" in str(told.value)
        assert "\n" not in str(told.value)
    with holding(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_spool_that_is_not_there_is_nobodys(tmp_path: Path) -> None:
    with holding(tmp_path / "none"), holding(tmp_path / "none"):
        assert not (tmp_path / "none").exists()
