"""The recorder's clock: the kernel's two clocks, and who says that the second one is right. Linux only."""

from __future__ import annotations

import asyncio
import ctypes
import time
from collections.abc import Callable
from pathlib import Path

from device.watch.clock import PLAUSIBLE_US
from evidence.model import ClockGrade, Timestamp

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
TIMESYNCD = Path("/run/systemd/timesync")
RTC = Path("/sys/class/rtc/rtc0")
STA_UNSYNC = 0x40


class _Timex(ctypes.Structure):
    """The head of struct timex (adjtimex(2)); `rest` is longer than its tail on any machine."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def kernel_error_us() -> int | None:
    """The bound of the UTC error by the kernel's own account; None while nothing disciplines its clock."""
    state = _Timex()
    failed = ctypes.CDLL(None).adjtimex(ctypes.byref(state)) < 0
    return None if failed or state.status & STA_UNSYNC else int(state.maxerror)


class SystemClock:
    """A `Clock` over CLOCK_BOOTTIME and CLOCK_REALTIME. Usable from any thread."""

    def __init__(
        self, timesyncd: Path = TIMESYNCD, rtc: Path = RTC, kernel_error_us: Callable[[], int | None] = kernel_error_us
    ) -> None:
        self._boot = BOOT_ID_FILE.read_text("ascii").strip().replace("-", "")
        self._timesyncd = timesyncd
        self._kernel_error_us = kernel_error_us
        # Asked once: it tells where this boot's UTC began, and an RTC on a slow bus takes milliseconds to answer.
        self._rtc_is_set = _rtc_s(rtc) * 1_000_000 >= PLAUSIBLE_US

    def now(self) -> Timestamp:
        return self.at(_boot_us())

    def at(self, boot_us: int) -> Timestamp:
        before_us = _boot_us()
        utc_now_us = time.time_ns() // 1000  # noqa: TID251  the port's own source
        utc_us = utc_now_us - (before_us + _boot_us()) // 2 + boot_us
        grade, error_us = self._grade(utc_us)
        offset_min = time.localtime(utc_us // 1_000_000).tm_gmtoff // 60
        return Timestamp(utc_us, offset_min, grade, error_us, self._boot, boot_us)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)  # noqa: TID251  the port's own sleep

    def _grade(self, utc_us: int) -> tuple[ClockGrade, int | None]:
        error_us = self._kernel_error_us()
        if error_us is not None:
            # systemd-timesyncd tells the kernel an error of 0, which bounds nothing.
            return ClockGrade.NTP, None if self._timesyncd.exists() else error_us
        # The kernel takes the discipline back after nine hours without a server. A clock that network time has set
        # since power on then runs by itself, like one set from an RTC.
        was_set = self._rtc_is_set or (self._timesyncd / "synchronized").exists()
        return (ClockGrade.RTC if was_set and utc_us >= PLAUSIBLE_US else ClockGrade.UNSET), None


def _boot_us() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000  # noqa: TID251  the port's own source


def _rtc_s(rtc: Path) -> int:
    """What the real-time clock shows, in seconds since 1970; 0 without one."""
    try:
        return int((rtc / "since_epoch").read_text("ascii"))
    except (OSError, ValueError):
        return 0
