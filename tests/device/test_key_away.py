"""The token with the signing key goes away in mid-recording: recording goes on, and is signed when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.spool import Spool
from evidence.account import Use, accounts
from evidence.errors import KeyAwayError
from evidence.io.durable import PosixDisc
from evidence.signing import KeySigner
from tests.device.cards import fast_folder
from tests.device.footage import EPOCH_US, footage
from tests.device.hand_clock import HandClock, after_reboot
from tests.device.life import Life, check_after_cut, check_card, entries_of, living, open_spool, restart, start
from tests.device.stage import Stage
from tests.device.unit import DEVICE, unit


class LoosePlug:
    """A `Signer` in a token that can be unplugged."""

    def __init__(self) -> None:
        self._signer: KeySigner = unit().recorder.signer
        self.plugged = True

    @property
    def alg(self) -> str:
        return self._signer.alg

    @property
    def kid(self) -> str:
        return self._signer.kid

    def sign(self, data: bytes) -> bytes:
        if not self.plugged:
            raise KeyAwayError("token", "is not there")
        return self._signer.sign(data)


@pytest.fixture
def root() -> Iterator[Path]:
    with fast_folder() as folder:
        yield folder / "spool"


async def unplugged_for(root: Path, signer: LoosePlug, seconds: float, back: bool) -> None:
    async with Stage(root, signer=signer) as stage:
        await stage.film_on(1.6)
        await stage.record()
        await stage.film_on(1.2)
        signer.plugged = False
        await stage.film_on(seconds)
        signer.plugged = back
        if back:
            await stage.film_on(2)
            await stage.stop()
            # Seals that waited are tried again now and then.
            await stage.film_on(6)


def test_what_was_recorded_without_the_token_is_signed_when_it_is_back(root: Path) -> None:
    asyncio.run(unplugged_for(root, LoosePlug(), 5, back=True))
    entries = check_after_cut(root, HandClock(boot_us=EPOCH_US + 20_000_000))
    kinds = [entry.kind for entry in entries]
    assert "interruption" not in kinds
    gone, back = kinds.index("fault"), kinds.index("fault_cleared")
    assert entries[gone].fields == {"part": "key", "what": "is not there"}
    assert kinds[gone:back].count("fragment") >= 4
    assert kinds.count("segment") == kinds.count("init") >= 3
    spans = [span for account in accounts(entries) for span in account.spans]
    assert not [span for span in spans if span.use is Use.UNEXPLAINED]
    # Each says when it happened, not when it was signed.
    times_us = [entry.at.boot_us for entry in entries[gone:back] if entry.kind == "fragment"]
    assert times_us[-1] - times_us[0] > 3_000_000


def test_a_power_cut_meanwhile_costs_no_picture_of_the_open_segment(root: Path) -> None:
    clock, signer = HandClock(boot_us=EPOCH_US), LoosePlug()
    spool = open_spool(root, PosixDisc(), clock, signer)
    with living(spool):
        numbers, _ = start(spool, clock)
        life, fragments = Life(spool, numbers, clock), footage(8).fragments
        state = spool.open_segment(numbers.next_segment(), life.begin(), None, footage(8).init, clock.at(EPOCH_US))
        spool.append(state, fragments[0])
        signer.plugged = False
        for fragment in fragments[1:4]:
            assert spool.append(state, fragment) is None
        said = entries_of(root)[-1].head
    entries = check_after_cut(root, clock, said)
    assert [entry.kind for entry in entries].count("recovered") == 3


def test_a_whole_segment_without_an_entry_is_left_where_it_is(root: Path) -> None:
    """Nobody can say any more what recording it belonged to; but it is there, and that is said."""
    clock, signer = HandClock(boot_us=EPOCH_US), LoosePlug()
    spool = open_spool(root, PosixDisc(), clock, signer)
    with living(spool):
        numbers, _ = start(spool, clock)
        recording = Life(spool, numbers, clock).begin()
        signer.plugged = False
        name = numbers.next_segment()
        state = spool.open_segment(name, recording, None, footage(8).init, clock.at(EPOCH_US))
        spool.append(state, footage(8).fragments[0])
        path = spool.paths.segment(name)
    before = path.read_bytes()
    restart(root, after_reboot(clock))
    assert path.read_bytes() == before
    (damaged,) = (entry for entry in entries_of(root) if entry.kind == "damaged")
    assert damaged.fields["segment"] == name


def test_what_waits_has_a_limit(root: Path) -> None:
    clock, signer = HandClock(boot_us=EPOCH_US), LoosePlug()
    certificates = [unit().recorder.certificate]
    spool = Spool(root, DEVICE, PosixDisc(), clock, signer, certificates, unit().vault.public, unsigned_limit=4)
    with living(spool):
        numbers, _ = start(spool, clock)
        recording = Life(spool, numbers, clock).begin()
        signer.plugged = False
        state = spool.open_segment(numbers.next_segment(), recording, None, footage(8).init, clock.at(EPOCH_US))
        for fragment in footage(8).fragments[:2]:
            spool.append(state, fragment)
        with pytest.raises(KeyAwayError):
            spool.append(state, footage(8).fragments[2])
        signer.plugged = True
        spool.seal(state, "device_fault")
        spool.close()
    assert [entry.kind for entry in check_card(root)].count("fragment") == 2
