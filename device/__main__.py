"""The recorder on a board: `python -m device --config FILE`, or `liuhen device run --config FILE`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from device.agent import End, run
from device.config import Config, load_config
from device.hw.board import open_board
from device.ports import Hardware
from evidence.errors import LiuhenError
from evidence.io.command import EXIT_UNREADABLE
from evidence.io.durable import PosixDisc


EXIT_BATTERY = 10
"""The battery is empty and everything is sealed: whoever started the recorder should switch the board off."""


def run_on_this_board(config_path: Path) -> int:
    """Be a recorder until SIGTERM or SIGINT, or until the battery is empty.

    Returns 0, or EXIT_BATTERY when the power should be cut now. Raises LiuhenError.
    """
    logging.basicConfig(level=logging.WARNING, format="liuhen device: %(message)s")
    config = load_config(config_path)
    hardware = open_board(config)
    return EXIT_BATTERY if asyncio.run(_live(config, hardware)) is End.BATTERY else 0


async def _live(config: Config, hardware: Hardware) -> End:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    return await run(config, hardware, PosixDisc(), stop)


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
