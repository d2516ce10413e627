"""The recorder on a board: `python -m device --config FILE`, or `liuhen device run --config FILE`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.config import Config, load_config
from device.holding import holding
from device.hw.system_clock import SystemClock
from device.ports import Clock, Hardware
from evidence.errors import LiuhenError
from evidence.io.command import EXIT_UNREADABLE
from evidence.io.durable import PosixDisc

EXIT_BATTERY = 10
"""The battery is empty and everything is sealed: whoever started the recorder should switch the board off."""
if TYPE_CHECKING:
    from device.health.self_test import SelfTest


def run_on_this_board(config_path: Path) -> int:
    """Be a recorder until SIGTERM or SIGINT, or until the battery is empty.

    Returns 0, or EXIT_BATTERY when the power should be cut now. Raises LiuhenError.
    """
    logging.basicConfig(level=logging.WARNING, format="liuhen device: %(message)s")
    config = load_config(config_path)
    return EXIT_BATTERY if asyncio.run(_live(config, _open_board(config))) else 0


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


async def _live(config: Config, hardware: Hardware) -> bool:
    """True when the battery is empty."""
    from device.agent import End, run  # noqa: PLC0415  the same

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    return await run(config, hardware, PosixDisc(), stop) is End.BATTERY


def main() -> int:
    """Expected errors are one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m device", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the recorder's configuration")
    try:
        return run_on_this_board(parser.parse_args().config)
    except LiuhenError as error:
        print(f"liuhen device: {error}", file=sys.stderr)
        return EXIT_UNREADABLE


if __name__ == "__main__":
    sys.exit(main())
