"""A dock whose broker runs, as its own configuration says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dock.enrolment import choose_settings, init
from dock.folder import DockFolder
from evidence.io.durable import PosixDisc
from tests.broker import MOSQUITTO, free_port
from tests.dock.fake_recorder import StillClock


@contextmanager
def running_station(root: Path, receivers: int = 2) -> Iterator[DockFolder]:
    """The dock's folder; mosquitto answers until the block ends."""
    folder = make_station(root, receivers)
    with running_broker(folder):
        yield folder


def make_station(root: Path, receivers: int = 2) -> DockFolder:
    """A dock on a port that is free."""
    folder = DockFolder(root)
    settings = choose_settings([], "127.0.0.1", free_port())
    init(folder, PosixDisc(), StillClock(), settings, "127.0.0.1", [], receivers, as_root=True)
    return folder


@contextmanager
def running_broker(folder: DockFolder) -> Iterator[None]:
    """The broker answers until the block ends."""
    command = [MOSQUITTO, "-v", "-c", "mosquitto.conf"]
    broker = subprocess.Popen(command, cwd=folder.broker, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert broker.stdout is not None
    if not any("running" in line for line in broker.stdout):
        raise RuntimeError("mosquitto did not start")
    broker.stdout.close()
    try:
        yield
    finally:
        broker.kill()
        broker.wait()
