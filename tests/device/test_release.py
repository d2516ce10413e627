"""Evidence leaves the card only against a verified receipt, oldest first, when room is wanted, and never unsaid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.config import CameraConfig, StorageConfig
from device.release import Releaser
from device.spool import Spool
from evidence.io.durable import PosixDisc
from evidence.journal import Entry
from tests.device.cards import DyingDisc, Power, PowerCutError, fast_folder, signer_under
from tests.device.footage import footage
from tests.device.hand_clock import HandClock, after_reboot
from tests.device.life import Life, check_after_cut, entries_of, living, open_spool, releaser, start
from tests.device.unit import unit

SEGMENTS = 4


class RoomyDisc(PosixDisc):
    """A card on which so much is free for each file that has gone."""

    def __init__(self) -> None:
        self.free = 100_000_000
        self.freed_by_file = 0

    def free_bytes(self, folder: Path) -> int:
        assert folder.is_dir()
        return self.free

    def remove(self, path: Path) -> None:
        if path.suffix == ".lhs" and path.exists():
            self.free += self.freed_by_file
        super().remove(path)


@dataclass
class Card:
    root: Path
    disc: RoomyDisc
    spool: Spool
    seals: list[Entry]

    def receive(self, seal: Entry, token: str | None = None) -> None:
        """A receipt lies in the spool; the true one, or another."""
        text = token if token is not None else unit().receipt(seal, HandClock())
        self.spool.paths.receipt(seal.fields["segment"]).write_text(f"{text}\n")

    def run(self, wanted_bytes: int) -> int:
        """With so much room wanted, as near as whole minutes come."""
        rate_bps = 8 * wanted_bytes // 60 - 64_000
        storage = StorageConfig(wanted_free_minutes=1 if wanted_bytes else 0)
        key = unit().dock.signer.verify_key
        return Releaser(self.spool, key, CameraConfig(bit_rate_bps=rate_bps), storage).run()

    def on_card(self) -> list[bool]:
        return [self.spool.paths.segment(seal.fields["segment"]).exists() for seal in self.seals]

    def kinds(self) -> list[str]:
        return [entry.kind for entry in entries_of(self.root) if entry.kind in ("receipt", "released")]


@pytest.fixture
def card() -> Iterator[Card]:
    with fast_folder() as folder:
        root, disc, clock = folder / "spool", RoomyDisc(), HandClock()
        spool = open_spool(root, disc, clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            life = Life(spool, numbers, clock)
            recording = life.begin()
            for number in range(SEGMENTS):
                for _ in life.segment(recording, footage(8).fragments[number : number + 1], "length"):
                    pass
            life.end(recording)
            yield Card(root, disc, spool, [entry for entry in entries_of(root) if entry.kind == "segment"])


def test_without_a_receipt_nothing_goes_however_full_the_card_is(card: Card) -> None:
    card.disc.free = 0
    assert card.run(10_000_000) == 0
    assert card.on_card() == [True] * SEGMENTS


def test_with_room_enough_nothing_goes_although_all_is_receipted(card: Card) -> None:
    for seal in card.seals:
        card.receive(seal)
    assert card.run(10_000_000) == 0
    assert card.on_card() == [True] * SEGMENTS
    assert card.kinds() == ["receipt"] * SEGMENTS


def test_the_oldest_go_first_and_no_more_than_wanted(card: Card) -> None:
    for seal in reversed(card.seals):
        card.receive(seal)
    card.disc.free, card.disc.freed_by_file = 8_000_000, 1_500_000
    assert card.run(10_000_000) == 2
    assert card.on_card() == [False, False, True, True]
    assert card.kinds() == ["receipt"] * SEGMENTS + ["released"] * 2


def test_what_has_no_receipt_is_stepped_over(card: Card) -> None:
    card.receive(card.seals[2])
    card.disc.free = 0
    assert card.run(10_000_000) == 1
    assert card.on_card() == [True, True, False, True]


@pytest.mark.parametrize("wrong", ["another dock", "another segment", "torn", "empty"])
def test_a_wrong_receipt_in_the_spool_frees_nothing_and_makes_way_for_the_true_one(card: Card, wrong: str) -> None:
    seal, other = card.seals[:2]
    true = unit().receipt(seal, HandClock())
    tokens = {
        "another dock": unit().receipt(seal, HandClock(), by=unit().stranger),
        "another segment": unit().receipt(other, HandClock()),
        "torn": true[: len(true) // 2],
        "empty": "",
    }
    card.disc.free = 0
    card.receive(seal, tokens[wrong])
    assert card.run(10_000_000) == 0
    assert card.kinds() == []
    assert not card.spool.paths.receipt(seal.fields["segment"]).exists()
    card.receive(seal)
    assert card.run(10_000_000) == 1


def test_a_file_that_is_missing_already_does_not_stop_the_others(card: Card) -> None:
    for seal in card.seals:
        card.receive(seal)
    card.spool.paths.segment(card.seals[0].fields["segment"]).unlink()
    card.disc.free = 0
    assert card.run(10_000_000) == SEGMENTS


@pytest.mark.parametrize("torn", [False, True], ids=["between verbs", "within a verb"])
def test_a_release_that_is_cut_is_finished_at_the_next_start(torn: bool) -> None:
    for steps in range(1000):
        with fast_folder() as folder:
            root, clock = folder / "spool", HandClock()
            spool = open_spool(root, PosixDisc(), clock)
            with living(spool):
                numbers, _ = start(spool, clock)
                life = Life(spool, numbers, clock)
                for _ in life.segment(life.begin(), footage(8).fragments[:2], "length"):
                    pass
                (seal,) = (entry for entry in entries_of(root) if entry.kind == "segment")
                spool.paths.receipt(seal.fields["segment"]).write_text(f"{unit().receipt(seal, clock)}\n")
            power = Power(steps, torn)
            signer = signer_under(power, unit().recorder.signer)
            try:
                spool = open_spool(root, DyingDisc(power), clock, signer)
                with living(spool):
                    releaser(spool).run()
            except PowerCutError:
                pass
            journalled = any(entry.kind == "released" for entry in entries_of(root))
            # Nothing leaves the card before the journal says so.
            assert journalled or spool.paths.segment(seal.fields["segment"]).exists()
            entries = check_after_cut(root, after_reboot(clock))
            assert [entry.kind for entry in entries if entry.kind == "released"] == ["released"]
            assert not spool.paths.segment(seal.fields["segment"]).exists()
            if not power.gone:
                break
    assert steps >= 4
