"""`liuhen device run --only record` on simulated hardware, under a true service manager.

The world moves it through a socket in its runtime folder: each datagram is one verb as JSON.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

from device.agent import run
from evidence.io.durable import SharedDisc
from evidence.io.service import ServiceManager
from sim.command import VIDEO
from sim.recorder_process import World

CARD_BYTES = 4_000_000_000
DOOR = Path("/run/liuhen/world")


class HangingDisc(SharedDisc):
    """A card that from some moment on does not answer any more, and says nothing."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        self.answers.wait()
        super().append(path, data, at_bytes)


def listen(world: World, disc: HangingDisc) -> None:
    DOOR.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(DOOR))
        while True:
            verb = door.recv(1000).decode()
            if "card_hang" in verb:
                disc.answers.clear()
            else:
                world.obey(verb)


async def live(config: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    world, disc = World(VIDEO, config, CARD_BYTES), HangingDisc()
    threading.Thread(target=listen, args=(world, disc), daemon=True).start()
    hardware = replace(world.hardware, progress=ServiceManager.of_this_process().progress)
    await run(world.config, hardware, disc, stop, None)
    world.panel.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(live(Path(sys.argv[1])))
