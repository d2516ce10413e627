"""What all tests of the dock share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_the_disc() -> Iterator[None]:
    """Here processes die, never the machine, so what is written is there without a sync; it saves minutes."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fsync", "fdatasync"):
            patch.setattr(os, name, lambda _file: None)
        yield
