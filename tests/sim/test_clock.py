from __future__ import annotations

import asyncio
import threading

from evidence.model import ClockGrade
from sim.clock import SimClock

BOOT = "0123456789abcdef" * 2


def fresh_clock() -> SimClock:
    return SimClock(BOOT, offset_min=480, grade=ClockGrade.RTC)


def test_boot_time_starts_at_power_on() -> None:
    clock = fresh_clock()
    stamp = clock.now()
    assert 0 <= stamp.boot_us < 1_000_000
    assert (stamp.boot, stamp.offset_min, stamp.grade, stamp.error_us) == (BOOT, 480, ClockGrade.RTC, None)


def test_a_step_moves_utc_and_never_boot_time() -> None:
    clock = fresh_clock()
    before = clock.at(1_000)
    clock.step(-3_600_000_000, ClockGrade.DOCK)
    after = clock.at(1_000)
    assert after.utc_us - before.utc_us == -3_600_000_000
    assert after.grade is ClockGrade.DOCK
    assert after.boot_us == before.boot_us == 1_000


def test_an_instant_keeps_its_distance_on_both_clocks() -> None:
    clock = fresh_clock()
    assert clock.at(5_000_000).utc_us - clock.at(2_000_000).utc_us == 3_000_000


def test_waiting_ends_at_the_instant_and_not_before() -> None:
    clock = fresh_clock()
    due_us = clock.boot_us() + 20_000
    assert clock.wait_until(due_us, threading.Event())
    assert clock.boot_us() >= due_us


def test_waiting_can_be_cut_short() -> None:
    clock = fresh_clock()
    stop = threading.Event()
    results: list[bool] = []
    waiter = threading.Thread(target=lambda: results.append(clock.wait_until(3_600_000_000, stop)))
    waiter.start()
    stop.set()
    waiter.join(5)
    assert results == [False]


def test_tasks_sleep_on_this_clock() -> None:
    clock = fresh_clock()
    asyncio.run(clock.sleep(0.02))
    assert clock.boot_us() >= 20_000
