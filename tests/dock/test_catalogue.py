"""The catalogue is a view: it can be lost, and several processes use it at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dock.catalogue import Catalogue
from dock.folder import DockFolder
from dock.manifest import Part
from dock.rebuild import rebuild
from dock.tables import METADATA
from evidence.errors import BadInputError, DiscError
from evidence.journal import read_entry
from tests.dock.desk import Desk, Uplink, offload
from tests.dock.fake_recorder import FakeRecorder, make_dock


def everything(catalogue: Catalogue) -> dict[str, list[Any]]:
    """All of it but for counts of what harms nothing and is in no journal: replayed and reordered messages."""
    with catalogue.writing() as db:
        tables = [table for table in METADATA.sorted_tables if table.name != "findings"]
        return {table.name: sorted(tuple(row) for row in db.execute(select(table))) for table in tables}


@pytest.fixture
def busy(tmp_path: Path) -> DockFolder:
    """A dock in the middle of its work: a stored segment, one with some parts, one that is only sealed, a rejection.

    The other recorder is blocked, for it has a twin.
    """
    folder = make_dock(tmp_path / "station")
    recorder, other = FakeRecorder("BWC-0001"), FakeRecorder("BWC-0002")
    for one in (recorder, other):
        one.enrol(folder)
    desk = Desk(folder)
    recorder.record()
    recorder.keep_blob()
    uplink = Uplink(recorder)
    offload(desk, uplink)
    (segment,) = recorder.segments
    receipt = read_entry(uplink.receipts[segment])
    recorder.add(
        "receipt", {"segment": segment, "dock": "dock", "dock_seq": receipt.seq, "dock_hash": receipt.head.hash}
    )
    recorder.keep_blob()
    desk.take(recorder.report_message(recorder.report()))
    recorder.add("reason", {"interruption": recorder.report(2).fields["interruption"], "reason": "other", "note": None})
    half, untouched = recorder.record(parts=4), recorder.record()
    twin = other.copy()
    other.record()
    twin.record(parts=5)
    desk.take(recorder.journal_message(), other.journal_message(), twin.journal_message())
    desk.take(*(recorder.part_message(half.name, index) for index in (0, 2)))
    topic, payload = recorder.part_message(untouched.name, 1)
    desk.take((topic, payload[:-1] + b"x"))
    desk.close()
    return folder


def test_a_rebuilt_catalogue_is_the_same(busy: DockFolder) -> None:
    desk = Desk(busy)
    before = everything(desk.catalogue)
    rebuild(busy, desk.disc, desk.journal, desk.catalogue)
    assert everything(desk.catalogue) == before
    sizes = {"devices": 2, "journals": 3, "segments": 4, "parts": 2, "rejections": 2, "blobs": 2, "interruptions": 2}
    sizes |= {"blocks": 1, "received": 1}
    assert {name: len(rows) for name, rows in before.items()} == sizes


def test_a_lost_catalogue_is_rebuilt_at_the_start(busy: DockFolder) -> None:
    desk = Desk(busy)
    before = everything(desk.catalogue)
    desk.close()
    for path in busy.private.glob("catalogue.db*"):
        path.unlink()
    assert everything(Desk(busy).catalogue) == before


def test_a_part_that_was_damaged_meanwhile_is_not_in_the_rebuilt_catalogue(busy: DockFolder) -> None:
    desk = Desk(busy)
    (path,) = (busy.private / "incoming" / "BWC-0001").glob("*.part")
    with path.open("r+b") as file:
        file.write(b"damage")
    rebuild(busy, desk.disc, desk.journal, desk.catalogue)
    assert [row[2] for row in everything(desk.catalogue)["parts"]] == [2]


def test_a_journal_that_has_shrunk_is_named(busy: DockFolder) -> None:
    path = busy.journal("BWC-0001")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    desk = Desk(busy)
    with pytest.raises(BadInputError, match="is shorter than"):
        desk.catalogue.catch_up("BWC-0001", path)


def test_processes_add_at_the_same_time(tmp_path: Path) -> None:
    def add(device: str) -> None:
        catalogue = Catalogue(tmp_path / "catalogue.db")
        for part in range(20):
            catalogue.add_parts([Part(device, "0123456789ab-00001", part, part, 1, "x")])
        catalogue.close()

    threads = [threading.Thread(target=add, args=(f"BWC-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(everything(Catalogue(tmp_path / "catalogue.db"))["parts"]) == 80


def test_a_file_that_is_no_catalogue_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").write_bytes(b"no database" * 100)
    with pytest.raises(DiscError, match="the catalogue fails") as caught:
        Catalogue(tmp_path / "catalogue.db")
    assert "\n" not in str(caught.value)
