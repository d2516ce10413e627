"""Both clocks behind the port keep its promises; the system clock says honestly who set it."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from device.hw.system_clock import SystemClock, kernel_error_us
from device.ports import Clock
from device.watch.clock import PLAUSIBLE_US
from evidence.model import ClockGrade, Timestamp
from sim.clock import SimClock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="CLOCK_BOOTTIME and adjtimex are Linux's")
READING_US = 50_000
"""How far apart two readings of a busy machine may lie."""

both_clocks = pytest.mark.parametrize(
    "make",
    [SystemClock, lambda: SimClock("0123456789abcdef" * 2, 480, ClockGrade.RTC)],
    ids=["system", "simulated"],
)


@both_clocks
def test_boot_time_never_goes_back(make: Callable[[], Clock]) -> None:
    clock = make()
    readings = [clock.now().boot_us for _ in range(1000)]
    assert readings == sorted(readings)


@both_clocks
def test_a_stamp_survives_the_journal(make: Callable[[], Clock]) -> None:
    stamp = make().now()
    assert Timestamp.from_fields(stamp.to_fields()) == stamp


@both_clocks
def test_an_instant_keeps_its_distance_on_both_clocks(make: Callable[[], Clock]) -> None:
    clock = make()
    now = clock.now()
    later = clock.at(now.boot_us + 3_000_000)
    assert later.boot_us == now.boot_us + 3_000_000
    assert abs(later.utc_us - now.utc_us - 3_000_000) < READING_US
    assert (later.boot, later.grade) == (now.boot, now.grade)


@both_clocks
def test_tasks_sleep_on_this_clock(make: Callable[[], Clock]) -> None:
    clock = make()
    before_us = clock.now().boot_us
    asyncio.run(clock.sleep(0.02))
    assert clock.now().boot_us - before_us >= 20_000


def test_the_boot_is_the_kernels() -> None:
    now = SystemClock().now()
    assert now.boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
    up_us = float(Path("/proc/uptime").read_text().split()[0]) * 1_000_000
    assert abs(up_us - now.boot_us) < 10 * READING_US


def test_the_offset_is_that_of_the_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    try:
        with monkeypatch.context() as zone:
            zone.setenv("TZ", "CST-8")
            time.tzset()
            assert clock.now().offset_min == 480
            zone.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
            time.tzset()
            a_year = [clock.at(clock.now().boot_us + 30 * day * 86_400_000_000) for day in range(12)]
    finally:
        time.tzset()
    assert {stamp.offset_min for stamp in a_year} == {-300, -240}


@pytest.mark.parametrize(
    ("error_us", "timesyncd", "rtc_s", "grade"),
    [
        (1234, [], None, (ClockGrade.NTP, 1234)),
        (0, ["synchronized"], None, (ClockGrade.NTP, None)),
        (None, ["synchronized"], None, (ClockGrade.RTC, None)),
        (None, [], f"{PLAUSIBLE_US // 1_000_000 + 1}\n", (ClockGrade.RTC, None)),
        (None, [], "86400\n", (ClockGrade.UNSET, None)),
        (None, [], "", (ClockGrade.UNSET, None)),
        (None, [], None, (ClockGrade.UNSET, None)),
    ],
    ids=["chrony", "timesyncd", "hours without a server", "rtc", "rtc battery dead", "rtc broken", "nobody"],
)
def test_the_grade_tells_who_set_the_clock(
    tmp_path: Path, error_us: int | None, timesyncd: list[str], rtc_s: str | None, grade: tuple[ClockGrade, int | None]
) -> None:
    for name in timesyncd:
        (tmp_path / "timesync").mkdir()
        (tmp_path / "timesync" / name).touch()
    if rtc_s is not None:
        (tmp_path / "since_epoch").write_text(rtc_s)
    stamp = SystemClock(tmp_path / "timesync", tmp_path, lambda: error_us).now()
    assert (stamp.grade, stamp.error_us) == grade


def test_the_kernel_answers() -> None:
    error_us = kernel_error_us()
    assert error_us is None or 0 <= error_us <= 16_000_000
