"""The Debians with our package in them, each made once for all tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pi.debian import build_deb, fresh_with


@pytest.fixture(scope="session")
def debians(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], tuple[Path, Path]]]:
    """For a Debian and an architecture: its root, and the package that was installed into it."""
    made: dict[tuple[str, str], tuple[Path, Path]] = {}

    def get(debian: str, architecture: str) -> tuple[Path, Path]:
        if (debian, architecture) not in made:
            folder = tmp_path_factory.mktemp(f"debian-{debian}-{architecture}")
            deb = build_deb(debian, architecture, folder)
            fresh_with(deb, debian, architecture, folder / "root")
            made[debian, architecture] = folder / "root", deb
        return made[debian, architecture]

    yield get
    for root, _ in made.values():
        shutil.rmtree(root.parent)
