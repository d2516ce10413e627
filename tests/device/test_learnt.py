"""What the recorder learns of its battery outlives it; whatever stands in the file, it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.learnt import FILE, Learnt, keep_learnt, load_learnt
from device.watch.discharge import UNKNOWN_BATTERY, LearntBattery
from evidence.io.durable import PosixDisc

NEW, OLD = LearntBattery(60.0, 600.0), LearntBattery(80.0, 600.0)


def test_what_was_kept_is_known_to_the_next_run(tmp_path: Path) -> None:
    learnt = Learnt(UNKNOWN_BATTERY, None).now(NEW).now(OLD)
    keep_learnt(tmp_path / "state", learnt, PosixDisc())
    assert load_learnt(tmp_path / "state") == learnt


def test_a_battery_that_empties_faster_than_in_its_best_time_has_lost_capacity() -> None:
    learnt = Learnt(UNKNOWN_BATTERY, None).now(NEW)
    assert learnt.capacity_pct == pytest.approx(100)
    assert learnt.now(OLD).capacity_pct == pytest.approx(75)
    assert learnt.now(OLD).now(NEW).capacity_pct == pytest.approx(100)


def test_of_a_battery_that_was_hardly_used_nobody_knows_the_health() -> None:
    assert Learnt(UNKNOWN_BATTERY, None).now(LearntBattery(10.0, 60.0)).capacity_pct is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"fallen_pct": -1, "minutes": 1}', b"[" * 100_000])
def test_a_corrupted_file_is_learnt_anew(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert load_learnt(tmp_path) == Learnt(UNKNOWN_BATTERY, None)
    assert f"{FILE}: learnt anew" in caplog.text


def test_a_card_that_refuses_costs_nothing_but_that(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_bytes(b"a file where the folder should be")
    keep_learnt(tmp_path / "state", Learnt(NEW, None), PosixDisc())
    assert "not kept" in caplog.text
