"""The recorder on a board: `python -m device --config FILE`, or `liuhen device run --config FILE`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from device.config import Config, load_config
from device.holding import holding
from device.hw.system_clock import SystemClock
from device.ports import Clock, Hardware
from evidence.errors import LiuhenError
from evidence.io.command import EXIT_UNREADABLE
from evidence.io.durable import PosixDisc, SharedDisc
from evidence.io.service import ServiceManager

EXIT_BATTERY = 10
"""The battery is empty and everything is sealed: whoever started the recorder should switch the board off."""
if TYPE_CHECKING:
    from device.health.self_test import SelfTest


class Half(StrEnum):
    """The halves of a recorder, which meet in the spool (docs/adr/0011)."""

    RECORD = "record"
    """Camera, sound, panel and signing key; no network."""
    UPLINK = "uplink"
    """The network; nothing of the other."""


def run_on_this_board(config_path: Path, only: Half | None = None) -> int:
    """Be a recorder, or one half of it, until SIGTERM or SIGINT, or until the battery is empty.

    Returns 0, or EXIT_BATTERY when the power should be cut now. Raises LiuhenError.
    """
    logging.basicConfig(level=logging.WARNING, format="liuhen device: %(message)s")
    config, progress = load_config(config_path), ServiceManager.of_this_process().progress
    if only is Half.UPLINK:
        asyncio.run(_carry(config, progress))
        return 0
    hardware = replace(_open_board(config), progress=progress)
    return EXIT_BATTERY if asyncio.run(_live(config, hardware, whole=only is None)) else 0


def board_clock() -> Clock:
    """The machine's own time, without anything else of it."""
    return SystemClock()


async def self_test_on_this_board(config: Config) -> SelfTest:
    """Test the board's hardware, with the spool's disc. Raises HeldError while the recorder runs, ConfigError."""
    from device.health.self_test import self_test  # noqa: PLC0415  camera and codec, for this alone

    with holding(config.spool):
        return await self_test(config, _open_board(config), PosixDisc(), config.spool.parent / "self-test")


def _open_board(config: Config) -> Hardware:
    from device.hw.board import open_board  # noqa: PLC0415  its libraries take seconds, and the clock needs none

    return open_board(config)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


async def _live(config: Config, hardware: Hardware, *, whole: bool) -> bool:
    """True when the battery is empty."""
    from device.agent import End, run  # noqa: PLC0415  the same
    from evidence.io.mqtt import Link  # noqa: PLC0415  the same

    return await run(config, hardware, SharedDisc(), _stop_on_signals(), Link if whole else None) is End.BATTERY


async def _carry(config: Config, progress: Callable[[], None]) -> None:
    from device.hw.sysfs_power import SysfsPower  # noqa: PLC0415  the half with the camera has its own
    from device.uplink_alone import run_uplink  # noqa: PLC0415  the same

    await run_uplink(config, SysfsPower(), SystemClock(), SharedDisc(), _stop_on_signals(), progress)


def main() -> int:
    """Expected errors are one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m device", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the recorder's configuration")
    parser.add_argument("--only", type=Half, choices=tuple(Half), help="one half of it, beside the other")
    options = parser.parse_args()
    try:
        return run_on_this_board(options.config, options.only)
    except LiuhenError as error:
        print(f"liuhen device: {error}", file=sys.stderr)
        return EXIT_UNREADABLE


if __name__ == "__main__":
    sys.exit(main())
