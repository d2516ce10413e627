"""The power goes, the card fails, the card is full: on real file systems, seeded, and nothing promised is lost."""

from __future__ import annotations

import pytest

from tests.faults.mounts import prove

SEED = 20261121
# Ten seconds each on an idle machine; mounting takes its time on a busy one.
pytestmark = pytest.mark.timeout(300)


def test_no_power_cut_takes_what_a_recorder_has_acknowledged() -> None:
    found = prove("power_cut", "card", 100, SEED)
    assert found["wrong"] == []
    assert found["cuts"] == 100
    assert found["entries"] > 2000


def test_no_power_cut_takes_what_a_dock_has_acknowledged() -> None:
    found = prove("power_cut", "dock", 40, SEED)
    assert found["wrong"] == []
    assert found["cuts"] == 40
    assert found["entries"] > 250


def test_the_proof_sees_a_card_that_only_says_that_it_has_synced() -> None:
    assert len(prove("power_cut", "lying-card", 8, SEED)["wrong"]) > 2


def test_no_state_of_the_cards_own_cache_takes_what_a_recorder_has_acknowledged() -> None:
    found = prove("crash_states", "record", 100, SEED)
    assert found["wrong"] == []
    assert found["states"] == 100
    assert found["unflushed"] > 30
    assert found["repaired"] < 10


def test_a_card_that_fails_in_the_middle_keeps_what_it_has_acknowledged() -> None:
    found = prove("crash_states", "break", 6, SEED)
    assert found == {"breaks": 6, "wrong": []}


def test_a_full_card_breaks_the_recording_until_there_is_room_and_nothing_is_lost() -> None:
    found = prove("full_card")
    assert found["causes"] == ["storage_full"]
    assert found["resumed"] == 1
    assert found["bookmarks"] == 21
    assert found["gaps"] == 0
    assert found["fragments"] >= 16
    assert found["freed"] >= 7
