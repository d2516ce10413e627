"""The simulated card: the PC's disc, as large as a small SD card."""

from __future__ import annotations

from pathlib import Path

from evidence.errors import DiscFullError
from evidence.io.durable import PosixDisc


class SimCard(PosixDisc):
    """A `Disc` with room for `capacity_bytes` below `root`."""

    def __init__(self, root: Path, capacity_bytes: int) -> None:
        self._root = root
        self._capacity_bytes = capacity_bytes

    def create(self, path: Path, data: bytes) -> None:
        self._make_room(path, len(data))
        super().create(path, data)

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        self._make_room(path, len(data))
        super().append(path, data, at_bytes)

    def free_bytes(self, folder: Path) -> int:
        used_bytes = sum(path.stat().st_size for path in self._root.rglob("*") if path.is_file())
        return min(max(0, self._capacity_bytes - used_bytes), super().free_bytes(folder))

    def _make_room(self, path: Path, wanted_bytes: int) -> None:
        if self.free_bytes(path.parent) < wanted_bytes:
            raise DiscFullError(str(path), "the card is full")
