"""The recorder's task against a real card: what it was shown is what the card holds, and every break is said."""

from __future__ import annotations

import asyncio
import errno
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import av
import pytest

from device.interruptions import unexplained
from device.spool import SpoolPaths
from evidence.account import Use, accounts
from evidence.io.durable import PosixDisc
from evidence.io.verify_files import verify_path
from evidence.journal import Entry
from evidence.verify import Verdict
from tests.device.cards import FaultyDisc, fast_folder
from tests.device.footage import EPOCH_US, film
from tests.device.hand_clock import HandClock, after_reboot
from tests.device.life import check_after_cut, check_sum, entries_of, restart
from tests.device.stage import Stage
from tests.device.unit import OFFICER, opened, unit

FIRST_US = film(20).packets[0].boot_us
FRAME_US = 100_000


@pytest.fixture
def root() -> Iterator[Path]:
    with fast_folder() as folder:
        yield folder / "spool"


def of_kind(entries: list[Entry], *kinds: str) -> list[Entry]:
    return [entry for entry in entries if entry.kind in kinds]


def seen_us(fragment: Entry) -> tuple[int, int]:
    """When its first picture was seen, and when its last one ended, on the boot clock."""
    begin = EPOCH_US + fragment.fields["pts_us"]
    return begin, begin + fragment.fields["duration_us"]


def joined(root: Path, target: Path) -> Path:
    """All segments in one file: the first one's init section, and everybody's fragments."""
    paths, content = SpoolPaths(root), b""
    for seal in of_kind(entries_of(root), "segment"):
        data = opened(paths.segment(seal.fields["segment"]))
        content += data[seal.fields["parts"][0][2] :] if content else data
    target.write_bytes(content)
    return target


def decoded(path: Path) -> tuple[int, int]:
    """Pictures and samples."""
    with av.open(str(path)) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    with av.open(str(path)) as container:
        return pictures, sum(frame.samples for frame in container.decode(audio=0))


def shown_us(begin_us: int, end_us: int) -> list[int]:
    return [packet.boot_us for packet in film(20).packets if begin_us <= packet.boot_us < end_us]


def test_a_recording_begins_with_what_was_seen_before_the_press_and_ends_with_the_fragment_of_the_stop(
    root: Path, tmp_path: Path
) -> None:
    async def shift() -> tuple[int, int]:
        async with Stage(root) as stage:
            await stage.film_on(6.3)
            pressed_us = stage.clock.boot_us
            await stage.record()
            await stage.film_on(5.4)
            return pressed_us, await stage.stop()

    pressed_us, stopped_us = asyncio.run(shift())
    entries = entries_of(root)
    times_us = [seen_us(fragment) for fragment in of_kind(entries, "fragment")]
    begin_us, end_us = times_us[0][0], times_us[-1][1]
    assert 2_000_000 <= pressed_us - begin_us <= 4_000_000
    assert times_us[-1][0] <= stopped_us < end_us
    assert all(before[1] == after[0] for before, after in pairwise(times_us))
    (stopped,) = of_kind(entries, "recording_stopped")
    assert (stopped.fields["trigger"], stopped.fields["ended_boot_us"]) == ("button", stopped_us)
    kinds = [entry.kind for entry in entries[entries.index(of_kind(entries, "recording_started")[0]) :]]
    assert kinds[:2] == ["recording_started", "init"]
    assert kinds[-2:] == ["segment", "recording_stopped"]

    # Everything that was shown and heard in that time is there, although it lies in several files.
    seals = of_kind(entries, "segment")
    assert [seal.fields["trigger"] for seal in seals] == ["length"] * (len(seals) - 1) + ["button"]
    assert len(seals) >= 4
    assert all(seal.fields["duration_us"] <= 2_000_000 for seal in seals)
    assert {seal.fields["officer"] for seal in seals} == {OFFICER.number}
    pictures, samples = decoded(joined(root, tmp_path / "all.mp4"))
    assert pictures == len(shown_us(begin_us, end_us)) == sum(seal.fields["frames"] for seal in seals)
    assert samples == sum(seal.fields["samples"] for seal in seals)
    assert samples == pytest.approx((end_us - begin_us) * 0.048, abs=2 * 1024)
    check_after_cut(root, HandClock(boot_us=end_us))


@pytest.mark.parametrize("pre_event_s", [0, 2])
def test_a_recording_without_a_pre_event_buffer_is_a_recording(root: Path, pre_event_s: int) -> None:
    async def shift() -> int:
        async with Stage(root, pre_event_s=pre_event_s) as stage:
            await stage.film_on(5)
            pressed_us = stage.clock.boot_us
            await stage.record()
            await stage.film_on(3)
            await stage.stop()
            return pressed_us

    pressed_us = asyncio.run(shift())
    times_us = [seen_us(fragment) for fragment in of_kind(entries_of(root), "fragment")]
    assert pre_event_s * 1e6 - 1e6 <= pressed_us - times_us[0][0] <= pre_event_s * 1e6 + 1e6
    assert len(times_us) >= pre_event_s + 3


def test_standby_writes_nothing(root: Path) -> None:
    async def shift() -> None:
        async with Stage(root) as stage:
            await stage.film_on(5)

    asyncio.run(shift())
    assert [entry.kind for entry in entries_of(root)] == ["journal_opened", "power_on"]


def test_a_stop_without_a_recording_is_answered(root: Path) -> None:
    async def shift() -> None:
        async with Stage(root) as stage:
            await stage.film_on(1)
            await stage.stop(limit_s=0)

    asyncio.run(shift())
    assert of_kind(entries_of(root), "recording_stopped") == []


def test_a_camera_that_stalls_is_started_again_and_the_gap_is_measured(root: Path) -> None:
    async def shift() -> tuple[int, int]:
        async with Stage(root, pre_event_s=0) as stage:
            await stage.film_on(2.5)
            await stage.record()
            await stage.film_on(2)
            stage.camera.dead = True
            dead_us = stage.clock.boot_us
            await stage.film_on(3)
            stage.camera.dead = False
            alive_us = stage.clock.boot_us
            await stage.film_on(3)
            assert stage.camera.starts == 2
            await stage.stop()
            return dead_us, alive_us

    dead_us, alive_us = asyncio.run(shift())
    entries = check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))
    (account,) = accounts(entries)
    (broken,) = account.interruptions
    clock = HandClock()
    last_us = max(one for one in shown_us(0, dead_us + 1))
    # The first picture that can be shown again is the next key frame.
    first_us = next(packet.boot_us for packet in film(20).packets if packet.key and packet.boot_us > alive_us)
    assert broken.cause == "device_fault"
    assert broken.start_us == clock.at(last_us + FRAME_US).utc_us
    assert broken.end_us == clock.at(first_us).utc_us
    assert account.total_us(Use.UNEXPLAINED) >= first_us - last_us - FRAME_US
    assert len(of_kind(entries, "resumed")) == 1


def test_a_camera_that_never_gives_a_picture_is_started_again(root: Path) -> None:
    async def shift() -> None:
        async with Stage(root) as stage:
            stage.camera.dead = True
            await stage.film_on(3)
            assert stage.camera.starts == 2
            stage.camera.dead = False
            await stage.record()
            await stage.film_on(3)
            await stage.stop()

    asyncio.run(shift())
    assert len(of_kind(entries_of(root), "fragment")) >= 2


def test_a_camera_that_cannot_be_started_again_is_tried_until_it_can(root: Path) -> None:
    async def shift() -> None:
        async with Stage(root) as stage:
            await stage.film_on(2)
            await stage.record()
            stage.camera.dead = stage.camera.broken = True
            await stage.film_on(5)
            stage.camera.dead = stage.camera.broken = False
            await stage.film_on(4)
            await stage.stop()

    asyncio.run(shift())
    entries = check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))
    assert [entry.kind for entry in of_kind(entries, "interruption", "resumed")] == ["interruption", "resumed"]


def test_a_recording_can_be_stopped_although_the_camera_gives_nothing(root: Path) -> None:
    async def shift() -> None:
        async with Stage(root) as stage:
            await stage.film_on(2)
            await stage.record()
            await stage.film_on(2)
            stage.camera.dead = stage.camera.broken = True
            await stage.stop()

    asyncio.run(shift())
    entries = check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))
    assert len(of_kind(entries, "recording_stopped")) == 1


def test_a_lost_microphone_is_said_and_costs_no_picture(root: Path) -> None:
    async def shift() -> tuple[int, int, int]:
        async with Stage(root, pre_event_s=0) as stage:
            await stage.film_on(2)
            await stage.record()
            await stage.film_on(2)
            stage.microphone.dead = True
            dead_us = stage.clock.boot_us
            await stage.film_on(4)
            stage.microphone.dead = False
            alive_us = stage.clock.boot_us
            await stage.film_on(3)
            return dead_us, alive_us, await stage.stop()

    dead_us, alive_us, stopped_us = asyncio.run(shift())
    entries = check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))
    lost = [(one.fields["from_boot_us"], one.fields["to_boot_us"]) for one in of_kind(entries, "sound_lost")]
    assert lost[0][0] == pytest.approx(dead_us, abs=50_000)
    assert lost[-1][1] == pytest.approx(alive_us, abs=50_000)
    assert all(abs(before[1] - after[0]) <= 1 for before, after in pairwise(lost))
    # An entry is a sync: one for each picture would wear out the card.
    assert len(lost) <= 2
    times_us = [seen_us(fragment) for fragment in of_kind(entries, "fragment")]
    assert all(before[1] == after[0] for before, after in pairwise(times_us))
    frames = sum(one.fields["frames"] for one in of_kind(entries, "fragment"))
    assert frames == len(shown_us(times_us[0][0], times_us[-1][1]))
    assert times_us[-1][1] > stopped_us


def test_a_microphone_that_is_missing_in_standby_does_not_fill_the_journal(root: Path) -> None:
    async def shift() -> None:
        async with Stage(root) as stage:
            stage.microphone.dead = True
            await stage.film_on(8)
            stage.microphone.dead = False
            await stage.film_on(1)

    asyncio.run(shift())
    (lost,) = of_kind(entries_of(root), "sound_lost")
    assert lost.fields["from_boot_us"] < EPOCH_US + 1_000_000
    assert lost.fields["to_boot_us"] == pytest.approx(EPOCH_US + 8_000_000, abs=50_000)


class SlowDisc(PosixDisc):
    """A card that takes nothing until `ready` is set."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.ready.set()

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        assert self.ready.wait(60)
        super().append(path, data, at_bytes)


def test_a_card_that_is_too_slow_costs_whole_groups_of_pictures_and_it_is_said(root: Path) -> None:
    disc = SlowDisc()

    async def shift() -> None:
        async with Stage(root, disc, limit_packets=15, pre_event_s=0) as stage:
            await stage.film_on(2)
            await stage.record()
            await stage.film_on(2)
            disc.ready.clear()
            await stage.film_on(5, settled=False)
            disc.ready.set()
            await stage.settle()
            await stage.film_on(3)
            await stage.stop()

    asyncio.run(shift())
    entries = check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))
    (dropped,) = of_kind(entries, "dropped")
    begin_us, end_us = dropped.fields["from_boot_us"], dropped.fields["to_boot_us"]
    assert dropped.fields["frames"] == len(shown_us(begin_us, end_us + 1)) > 10
    fragments = of_kind(entries, "fragment")
    times_us = [seen_us(fragment) for fragment in fragments]
    lost_us = len(shown_us(times_us[0][0], times_us[-1][1])) - sum(one.fields["frames"] for one in fragments)
    assert lost_us == dropped.fields["frames"]
    # What follows the gap begins with a key frame, and the account shows the gap as a break that can be explained.
    assert end_us + FRAME_US in [begin for begin, _ in times_us]
    ((broken,),) = (account.interruptions for account in accounts(entries))
    clock = HandClock()
    assert (broken.start_us, broken.end_us) == (clock.at(begin_us).utc_us, clock.at(end_us + FRAME_US).utc_us)


FAULTS = [
    ("append", errno.EIO, "device_fault", False),
    ("append", errno.EIO, "device_fault", True),
    ("append", errno.EROFS, "device_fault", False),
    ("append", errno.ENOSPC, "storage_full", False),
    ("append", errno.ENOSPC, "storage_full", True),
    ("create", errno.EIO, "device_fault", False),
    ("create", errno.EROFS, "device_fault", False),
    ("create", errno.ENOSPC, "storage_full", False),
    ("free_bytes", errno.EIO, "device_fault", False),
]


@pytest.mark.parametrize(("verb", "number", "cause", "kept"), FAULTS)
def test_a_card_that_refuses_breaks_the_recording_until_it_takes_again_and_nothing_is_lost(
    root: Path, verb: str, number: int, cause: str, kept: bool
) -> None:
    disc = FaultyDisc(kept=kept)

    async def shift() -> tuple[int, int]:
        async with Stage(root, disc, pre_event_s=15) as stage:
            await stage.film_on(2)
            await stage.record()
            await stage.film_on(3)
            disc.refused = {verb: number}
            await stage.film_on(4)
            disc.refused = {}
            # The card is tried again every five seconds.
            await stage.film_on(6)
            assert len(of_kind(entries_of(root), "resumed")) == 1
            await stage.stop()
            return await stage.stop(limit_s=0), stage.clock.boot_us

    asyncio.run(shift())
    entries = entries_of(root)
    assert [entry.fields["cause"] for entry in of_kind(entries, "interruption")] == [cause]
    times_us = [seen_us(fragment) for fragment in of_kind(entries, "fragment")]
    assert all(before[1] == after[0] for before, after in pairwise(times_us))
    frames = sum(one.fields["frames"] for one in of_kind(entries, "fragment"))
    assert frames == len(shown_us(times_us[0][0], times_us[-1][1]))
    restart(root, after_reboot(HandClock(boot_us=EPOCH_US + 20_000_000)))
    report = verify_path(root, unit().trust)
    # After a failed sync the segment is suspect, although every part of it is what was signed.
    suspect = verb == "append" and cause == "device_fault"
    assert report.verdict is (Verdict.GAPS if suspect else Verdict.AUTHENTIC), report.defects


@contextmanager
def card_that_takes_nothing() -> Iterator[None]:
    """No file of this process may grow: disc verbs and the journal alike are refused by the system itself."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_while_the_card_takes_nothing_at_all_the_journal_goes_on_in_memory(root: Path) -> None:
    async def shift() -> tuple[int, int]:
        async with Stage(root, pre_event_s=15) as stage:
            await stage.film_on(2)
            with card_that_takes_nothing():
                pressed_us = stage.clock.boot_us
                await stage.record()
                await stage.film_on(1)
                marked_us = stage.clock.boot_us
                await stage.recorder.note("bookmark", recording=stage.recorder.recording)
                assert len(await stage.thread.run(unexplained, stage.spool)) == 1
                await stage.film_on(2)
            await stage.film_on(6)
            await stage.stop()
            return pressed_us, marked_us

    pressed_us, marked_us = asyncio.run(shift())
    entries = check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))
    story = ["recording_started", "bookmark", "interruption", "resumed", "recording_stopped"]
    told = of_kind(entries, *story)
    assert sorted(entry.kind for entry in told) == sorted(story)
    assert told[0].kind == "recording_started"
    assert told[0].at.boot_us == pressed_us
    assert next(entry.at.boot_us for entry in told if entry.kind == "bookmark") == marked_us
    assert len(of_kind(entries, "fragment")) >= 9


def test_a_recording_that_is_stopped_while_the_card_takes_nothing_stays_stopped(root: Path) -> None:
    async def shift() -> int:
        async with Stage(root) as stage:
            await stage.film_on(2)
            await stage.record()
            await stage.film_on(2)
            with card_that_takes_nothing():
                stopped_us = await stage.stop()
            await stage.film_on(2)
            await stage.recorder.note("bookmark", recording=None)
            return stopped_us

    stopped_us = asyncio.run(shift())
    entries = check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))
    (stopped,) = of_kind(entries, "recording_stopped")
    assert stopped.fields["ended_boot_us"] == stopped_us


def test_a_recording_broken_by_a_power_loss_goes_on_with_what_was_seen_since(root: Path) -> None:
    async def first() -> HandClock:
        async with Stage(root) as stage:
            await stage.film_on(2)
            await stage.record()
            await stage.film_on(3)
            stage.power.docked = False
            return stage.clock

    async def second() -> None:
        clock = HandClock("f" * 32, EPOCH_US, HandClock().at(EPOCH_US).utc_us + 60_000_000)
        async with Stage(root, clock=clock) as stage:
            assert stage.recovered.interrupted is not None
            await stage.film_on(3)
            await stage.stop()

    asyncio.run(first())
    asyncio.run(second())
    entries = entries_of(root)
    ((started,), (stopped,)) = (of_kind(entries, kind) for kind in ("recording_started", "recording_stopped"))
    assert started.fields["recording"] == stopped.fields["recording"]
    (resumed,) = of_kind(entries, "resumed")
    assert resumed.at.boot == "f" * 32
    (account,) = accounts(entries)
    check_sum(account)
    assert [(one.cause, one.state) for one in account.interruptions] == [("power_loss", "open")]


def test_a_segment_that_cannot_be_cut_back_is_sealed_later(root: Path) -> None:
    """An append whose sync failed leaves bytes that no entry speaks of; they must go before the seal."""
    disc = FaultyDisc(kept=True)

    async def shift() -> None:
        async with Stage(root, disc, pre_event_s=15) as stage:
            await stage.film_on(2)
            await stage.record()
            await stage.film_on(3)
            disc.refused = {"append": errno.EIO, "truncate": errno.EIO}
            await stage.film_on(2)
            disc.refused = {}
            await stage.film_on(8)
            await stage.stop()

    asyncio.run(shift())
    entries = entries_of(root)
    opened, sealed = ({one.fields["segment"] for one in of_kind(entries, kind)} for kind in ("init", "segment"))
    assert opened == sealed
    restart(root, after_reboot(HandClock(boot_us=EPOCH_US + 20_000_000)))
    assert verify_path(root, unit().trust).verdict is Verdict.GAPS


class Hooked:
    """Calls `act` when the recorder does its n-th thing at the card: a disc verb or a signature."""

    def __init__(self, at_step: int) -> None:
        self._at_step = at_step
        self.steps = 0
        self.act: Callable[[], object] = bool

    def step(self) -> None:
        self.steps += 1
        if self.steps == self._at_step:
            self.act()


class HookedDisc(PosixDisc):
    def __init__(self, hook: Hooked) -> None:
        self._hook = hook

    def create(self, path: Path, data: bytes) -> None:
        self._hook.step()
        super().create(path, data)

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        self._hook.step()
        super().append(path, data, at_bytes)


class HookedSigner:
    """A `Signer`: what is signed is committed next."""

    def __init__(self, hook: Hooked) -> None:
        self._hook = hook
        self.alg, self.kid = unit().recorder.signer.alg, unit().recorder.signer.kid

    def sign(self, data: bytes) -> bytes:
        self._hook.step()
        return unit().recorder.signer.sign(data)


def test_a_cancellation_at_any_moment_leaves_a_card_that_can_be_recovered() -> None:
    async def cancelled_at(root: Path, hook: Hooked) -> bool:
        """Whether the cancellation came before the recording's end."""
        async with Stage(root, HookedDisc(hook), HookedSigner(hook)) as stage:
            loop = asyncio.get_running_loop()
            hook.act = lambda: loop.call_soon_threadsafe(stage.task.cancel)
            try:
                await stage.film_on(1.6)
                await stage.record()
                await stage.film_on(2)
                await stage.stop()
            except asyncio.CancelledError:
                return True
            return False

    for step in range(5, 1000):
        with fast_folder() as folder:
            hook = Hooked(step)
            cancelled = asyncio.run(cancelled_at(folder / "spool", hook))
            before = entries_of(folder / "spool")
            check_after_cut(folder / "spool", HandClock(boot_us=EPOCH_US + 20_000_000), before[-1].head)
            if not cancelled:
                break
    assert step > 12
