"""Real PKCS#11 tokens in software: SoftHSM2, with a drawer of its own for this run of the tests.

To unplug all tokens is to move the drawer away: the library finds its objects gone and its sessions dead, as with a
stick that is pulled out.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

from evidence.io.key_place import KeyPlace

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "271828"
_numbers = count(1)


@cache
def _drawer() -> Path:
    """The library reads its settings once, so there is one drawer for all tests."""
    folder = tempfile.TemporaryDirectory(prefix="liuhen-softhsm-")
    root = Path(folder.name)
    (root / "tokens").mkdir()
    (root / "softhsm2.conf").write_text(f"directories.tokendir = {root / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(root / "softhsm2.conf")
    _kept.append(folder)
    return root


_kept: list[tempfile.TemporaryDirectory[str]] = []
"""Removed when the tests end."""


def new_token() -> str:
    """Make an empty token; returns its label."""
    _drawer()
    label = f"token {next(_numbers)}"
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "314159"]
    subprocess.run(command, check=True, capture_output=True)
    return label


def pin_file(folder: Path, pin: str = PIN) -> Path:
    path = folder / "token.pin"
    path.touch(mode=0o600)
    path.write_text(pin + "\n")
    return path


def new_place(folder: Path, key: str = "key") -> KeyPlace:
    """A place in a new token."""
    return KeyPlace(MODULE, new_token(), key, str(pin_file(folder)))


@contextmanager
def unplugged() -> Iterator[None]:
    """All tokens are away."""
    tokens = _drawer() / "tokens"
    away = tokens.rename(tokens.with_name("away"))
    try:
        yield
    finally:
        away.rename(tokens)
