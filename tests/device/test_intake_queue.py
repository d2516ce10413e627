"""The one hop from the capture threads: everything in order, bounded, and whole groups of pictures or none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.intake import ITEMS_PER_PACKET, Dropped, Intake, Item, Start
from device.ports import SoundBlock, VideoPacket

GOP = 5
Thing = TypeVar("Thing")


def packet(number: int) -> VideoPacket:
    return VideoPacket(b"", number * 100, key=number % GOP == 0)


def block(number: int) -> SoundBlock:
    return SoundBlock(np.zeros(1, np.int16), number, number * 100)


def each(deliver: Callable[[Thing], None], make: Callable[[int], Thing]) -> None:
    for number in range(50):
        deliver(make(number))


async def everything(intake: Intake) -> list[Item]:
    """All that waits; a command closes the list."""
    end = Start("the end", "r")
    intake.command(end)
    items = []
    while (item := await intake.get()) is not end:
        items.append(item)
    return items


async def delivered() -> None:
    """What another thread handed over has arrived."""
    await asyncio.to_thread(bool)


def test_pictures_and_sound_of_two_threads_come_in_their_order() -> None:
    async def run() -> list[Item]:
        intake = Intake(limit_packets=100)
        cameras = threading.Thread(target=each, args=(intake.video, packet))
        microphones = threading.Thread(target=each, args=(intake.sound, block))
        for thread in (cameras, microphones):
            thread.start()
        for thread in (cameras, microphones):
            await asyncio.to_thread(thread.join)
        return await everything(intake)

    items = asyncio.run(run())
    assert [item for item in items if isinstance(item, VideoPacket)] == [packet(n) for n in range(50)]
    assert [item.first_sample for item in items if isinstance(item, SoundBlock)] == list(range(50))


def test_somebody_who_waits_is_woken() -> None:
    async def run() -> Item:
        intake = Intake(limit_packets=1)
        waiting = asyncio.create_task(intake.get())
        await delivered()
        assert not waiting.done()
        intake.video(packet(0))
        return await waiting

    assert asyncio.run(run()) == packet(0)


@given(
    limit=st.integers(1, 12),
    taken=st.lists(st.integers(0, 4), min_size=10, max_size=60),
)
def test_every_picture_is_given_or_said_to_be_dropped_and_what_follows_a_loss_is_a_key_frame(
    limit: int, taken: list[int]
) -> None:
    """Before each picture the recorder takes so many items."""

    async def run() -> list[Item]:
        intake = Intake(limit)
        items: list[Item] = []
        for number, count in enumerate(taken):
            # A command beside each picture, so that there is always something to take.
            for _ in range(min(count, number)):
                intake.command(Start("filler", "r"))
                items.append(await intake.get())
            intake.video(packet(number))
            await delivered()
        items += await everything(intake)
        return [item for item in items if not isinstance(item, Start)]

    items = asyncio.run(run())
    gone: set[int] = set()
    for place, item in enumerate(items):
        if isinstance(item, Dropped):
            numbers = range(item.from_boot_us // 100, item.to_boot_us // 100 + 1)
            assert item.frames == len(numbers)
            gone |= set(numbers)
            follower = items[place + 1]
            assert isinstance(follower, VideoPacket)
            assert follower.key
    given_numbers = {item.boot_us // 100 for item in items if isinstance(item, VideoPacket)}
    assert given_numbers.isdisjoint(gone)
    # Only the end may be missing without a word: it is said with the next picture that is taken.
    rest = set(range(len(taken))) - given_numbers - gone
    assert rest == set(range(len(taken) - len(rest), len(taken)))


def test_sound_for_a_recorder_that_does_not_listen_has_an_end() -> None:
    async def run() -> list[Item]:
        intake = Intake(limit_packets=2)
        for number in range(100):
            intake.sound(block(number))
        await delivered()
        return await everything(intake)

    assert len(asyncio.run(run())) == 2 * ITEMS_PER_PACKET
