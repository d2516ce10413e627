"""`liuhen sim --self-test`: the recorder's own self-test on simulated hardware."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from device.health.self_test import self_test
from device.health.verdict import exit_code, verdict_text
from sim.recorder_process import World

CARD_BYTES = 8_000_000_000
CONFIG = """spool = "spool"
identity = "identity"
[camera]
width = {width}
height = {height}
"""


def run_self_test(video: Path, width: int, height: int) -> int:
    """Print the verdict; 0 when fit, 2 when not. Raises BadInputError for a video that cannot be used."""
    with tempfile.TemporaryDirectory(prefix="liuhen-") as scratch:
        config_path = Path(scratch) / "recorder.toml"
        config_path.write_text(CONFIG.format(width=width, height=height), encoding="utf-8")
        world = World(video, config_path, CARD_BYTES)
        test = asyncio.run(self_test(world.config, world.hardware, world.card, Path(scratch) / "self-test"))
    print(verdict_text(test, colour=sys.stdout.isatty()))
    return exit_code(test)
