"""What the attacks share: one dock with its broker and receiver for all that come over the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.attacks.station import Station
from tests.dock.conftest import MEMORY, tmp_path

__all__ = ["tmp_path"]


@pytest.fixture(scope="package")
def station() -> Iterator[Station]:
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, Station(Path(folder)) as station:
        yield station
