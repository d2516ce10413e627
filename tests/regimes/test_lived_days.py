"""Each regulation over a day that meets it as far as recorder and dock can, and one that breaks it, end to end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from dock.findings import Judged, judge_folder
from dock.folder import DockFolder
from evidence.model import REGIMES
from evidence.regimes.facts import (
    ActFacts,
    CaseFacts,
    Facts,
    InterruptionFacts,
    ItemFacts,
    PauseFacts,
    RecordingFacts,
    ShiftFacts,
)
from tests.regimes.days import PAUSE_REASONS, at
from tests.regimes.expected import Row, rows
from tests.regimes.expected_lived import BREAKS, MEETS
from tests.regimes.lived import bad_day, good_day, lived_root
from tests.regimes.test_judging import told

LETTERS: dict[type[Facts], str] = {
    RecordingFacts: "r", InterruptionFacts: "i", PauseFacts: "p", ShiftFacts: "s", CaseFacts: "c", ActFacts: "a",
}  # fmt: skip


def short_names(facts: Iterable[Facts]) -> dict[str, str]:
    """What the tables call each thing: the first recording is r1; all stored things are m."""
    names: dict[str, str] = {"": "-"}
    counts = dict.fromkeys(LETTERS.values(), 0)
    for one in facts:
        if isinstance(one, ItemFacts):
            names[one.subject] = "m"
        elif letter := LETTERS.get(type(one)):
            counts[letter] += 1
            names[one.subject] = f"{letter}{counts[letter]}"
    return names


def found(judged: Judged) -> list[Row]:
    names = short_names(judged.gathered.facts)
    renamed = [(*row[:2], names.get(row[2], row[2]), *row[3:]) for row in told(judged.findings)]
    return list(dict.fromkeys(renamed))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lived_root(tmp_path_factory)


@pytest.mark.parametrize("regime", REGIMES)
def test_a_day_meets_a_regulation_as_far_as_recorder_and_dock_can(regime: str, root: Path) -> None:
    day = good_day(root, PAUSE_REASONS.get(regime, "secrets"))
    judged = judge_folder(DockFolder(day), [regime], at("2026-11-26 12:00"))
    assert found(judged) == rows(MEETS[regime])
    assert not judged.broken


@pytest.mark.parametrize("regime", REGIMES)
def test_a_day_breaks_a_regulation_and_every_article_says_so(regime: str, root: Path) -> None:
    judged = judge_folder(DockFolder(bad_day(root)), [regime], at("2027-01-04 12:00"))
    assert found(judged) == rows(BREAKS[regime])
    assert judged.broken
