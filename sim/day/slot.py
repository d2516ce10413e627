"""The slot that the card sits in: as long as there is power the verbs reach the card, afterwards nothing does.

A power cut is an instant. What was on the card then is set aside at once; whatever the dying agent still does, through
the verbs or through the journal's database, it does to a copy that is thrown away. What reached the card before it was
synced by the verbs themselves, so nothing else can be missing; the fault tests look at unsynced bytes
(tests/faults/crash_states.py).
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from evidence.errors import DiscError
from evidence.io.durable import Disc, PosixDisc


class PowerGoneError(DiscError):
    """There is no power."""


class Slot:
    """A `Disc`: the card, with power or without. `on_cut` is called when the power goes in the middle of a verb."""

    def __init__(self, root: Path, card: Disc, on_cut: Callable[[], None]) -> None:
        self._root = root
        self._card = card
        self._on_cut = on_cut
        self._set_aside = root.with_name(root.name + ".set-aside")
        self._powered = True
        self._share: float | None = None

    def lose_power(self) -> None:
        """Now."""
        self._powered, self._share = False, None
        shutil.copytree(self._root, self._set_aside)

    def lose_power_while_writing(self, share: float) -> None:
        """As soon as this share of the bytes of the next fragment is on the card."""
        self._share = share

    def power_on(self) -> None:
        """Find the card as it was when the power went, if it went."""
        if not self._powered:
            shutil.rmtree(self._root)
            self._set_aside.rename(self._root)
            self._powered = True

    def create(self, path: Path, data: bytes) -> None:
        self._powered_card(path).create(path, data)

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        card = self._powered_card(path)
        if self._share is None:
            card.append(path, data, at_bytes)
            return
        PosixDisc().write_at(path, data[: round(len(data) * self._share)], at_bytes)
        self.lose_power()
        self._on_cut()
        raise PowerGoneError(str(path), "the power is gone")

    def write_at(self, path: Path, data: bytes | memoryview, offset_bytes: int) -> None:
        self._powered_card(path).write_at(path, data, offset_bytes)

    def sync(self, path: Path) -> None:
        self._powered_card(path).sync(path)

    def sync_data(self, path: Path) -> None:
        self._powered_card(path).sync_data(path)

    def replace(self, path: Path, data: bytes) -> None:
        self._powered_card(path).replace(path, data)

    def move(self, source: Path, target: Path) -> None:
        self._powered_card(target).move(source, target)

    def truncate(self, path: Path, size_bytes: int) -> None:
        self._powered_card(path).truncate(path, size_bytes)

    def remove(self, path: Path) -> None:
        self._powered_card(path).remove(path)

    def free_bytes(self, folder: Path) -> int:
        return self._powered_card(folder).free_bytes(folder)

    def open_database(self, uri: str) -> sqlite3.Connection:
        return self._powered_card(self._root).open_database(uri)

    def _powered_card(self, path: Path) -> Disc:
        if not self._powered:
            raise PowerGoneError(str(path), "the power is gone")
        return self._card
