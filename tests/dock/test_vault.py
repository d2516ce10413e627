"""The vault: written once, finished after any crash, never filled to the brim."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dock.folder import DockFolder
from dock.vault import RESERVE_BYTES, Vault
from evidence.errors import DiscFullError, RejectedError
from evidence.io.durable import PosixDisc, make_folder
from tests.dock.fake_recorder import FakeRecorder, FakeSegment


class SmallDisc(PosixDisc):
    """A disc with this much room."""

    def __init__(self, free_bytes: int) -> None:
        self._free_bytes = free_bytes

    def free_bytes(self, folder: Path) -> int:  # noqa: ARG002
        return self._free_bytes


@pytest.fixture
def folder(tmp_path: Path) -> DockFolder:
    return DockFolder(tmp_path)


@pytest.fixture
def segment() -> FakeSegment:
    return FakeRecorder("BWC-0001").record(parts=3)


def put(vault: Vault, segment: FakeSegment, order: tuple[int, ...] = (0, 1, 2)) -> None:
    for index in order:
        offset_bytes = sum(len(part) for part in segment.parts[:index])
        path = vault.put_part("BWC-0001", segment.name, offset_bytes, memoryview(segment.parts[index]))
        vault.sync(path)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 1, 1, 0, 2)])
def test_parts_in_any_order_become_the_segment(
    folder: DockFolder, segment: FakeSegment, order: tuple[int, ...]
) -> None:
    vault = Vault(folder, PosixDisc())
    put(vault, segment, order)
    assert vault.store(segment.seal)
    stored, seal = folder.segment("BWC-0001", segment.name), folder.seal("BWC-0001", segment.name)
    assert stored.read_bytes() == segment.content
    assert seal.read_text() == segment.seal.token + "\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (stored, seal)} == {0o400}
    assert not list(folder.incoming("BWC-0001", segment.name).parent.iterdir())


def test_storing_again_changes_nothing(folder: DockFolder, segment: FakeSegment) -> None:
    vault = Vault(folder, PosixDisc())
    for _ in range(2):
        put(vault, segment)
        assert vault.store(segment.seal)
        assert vault.store(segment.seal)
    assert folder.segment("BWC-0001", segment.name).read_bytes() == segment.content


class WatchedDisc(PosixDisc):
    """Remembers which sync of a file included its name."""

    def __init__(self) -> None:
        self.synced: list[str] = []

    def sync(self, path: Path) -> None:
        self.synced.append("name")
        super().sync(path)

    def sync_data(self, path: Path) -> None:
        self.synced.append("data")
        super().sync_data(path)


def test_a_name_is_synced_once_and_again_when_the_file_is_made_anew(folder: DockFolder, segment: FakeSegment) -> None:
    disc = WatchedDisc()
    vault = Vault(folder, disc)
    put(vault, segment)
    assert vault.store(segment.seal)
    put(vault, segment, (0,))
    assert disc.synced == ["name", "data", "data", "name"]
    other = Vault(folder, disc)
    put(other, segment, (1,))
    assert disc.synced[-1] == "name", "another process cannot know what the first one has synced"


def test_parts_that_are_gone_are_reported(folder: DockFolder, segment: FakeSegment) -> None:
    vault = Vault(folder, PosixDisc())
    assert not vault.store(segment.seal)
    put(vault, segment, (0, 1))
    assert not vault.store(segment.seal)
    assert not folder.segment("BWC-0001", segment.name).exists()


def test_what_the_seal_does_not_name_is_cut_off(folder: DockFolder, segment: FakeSegment) -> None:
    vault = Vault(folder, PosixDisc())
    put(vault, segment)
    vault.put_part("BWC-0001", segment.name, 10_000, memoryview(b"more"))
    assert vault.store(segment.seal)
    assert folder.segment("BWC-0001", segment.name).read_bytes() == segment.content


def test_the_vault_is_never_overwritten(folder: DockFolder, segment: FakeSegment) -> None:
    vault = Vault(folder, PosixDisc())
    there = folder.segment("BWC-0001", segment.name)
    make_folder(there.parent)
    there.write_bytes(b"other")
    put(vault, segment)
    with pytest.raises(RejectedError, match="holds other content"):
        vault.store(segment.seal)
    assert there.read_bytes() == b"other"
    kept = folder.quarantine("BWC-0001") / f"{segment.name}.part"
    assert kept.read_bytes() == segment.content
    assert "holds other content" in kept.with_name(kept.name + ".reason.txt").read_text()


def test_another_seal_is_never_put_over_the_first(folder: DockFolder, segment: FakeSegment) -> None:
    vault = Vault(folder, PosixDisc())
    put(vault, segment)
    there = folder.seal("BWC-0001", segment.name)
    make_folder(there.parent)
    there.write_text("other\n")
    with pytest.raises(RejectedError, match="another seal"):
        vault.store(segment.seal)
    assert there.read_text() == "other\n"


def test_the_reserve_is_kept(folder: DockFolder) -> None:
    vault = Vault(folder, SmallDisc(RESERVE_BYTES + 99))
    with pytest.raises(DiscFullError, match="reserve"):
        vault.put_part("BWC-0001", "0123456789ab-00001", 0, memoryview(bytes(100)))
    with pytest.raises(DiscFullError, match="reserve"):
        vault.quarantine("BWC-0001", "x", bytes(100), "why")
    assert not [path for path in folder.root.rglob("*") if path.is_file()]


def test_quarantine_says_why(folder: DockFolder) -> None:
    where = Vault(folder, PosixDisc()).quarantine("BWC-0001", "journal-x", b"\xff\x00", "journal: is torn (look)")
    assert where == "quarantine/BWC-0001/journal-x"
    assert (folder.root / where).read_bytes() == b"\xff\x00"
    assert (folder.root / f"{where}.reason.txt").read_text() == "journal: is torn (look)\n"
