"""The card's order: bytes, then the entry that speaks of them; and what becomes of entries that it refuses."""

from __future__ import annotations

import errno
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from device.numbers import Numbers
from device.spool import RESERVE_BYTES, Spool, SpoolPaths
from evidence.errors import DiscError, DiscFullError
from evidence.io.durable import PosixDisc
from evidence.io.verify_files import verify_path
from evidence.signing import to_base64url
from evidence.verify import Verdict
from tests.device.cards import FaultyDisc, fast_folder
from tests.device.footage import EPOCH_US, footage
from tests.device.hand_clock import BOOT, HandClock, after_reboot
from tests.device.life import Life, check_after_cut, check_card, entries_of, living, open_spool, restart, start
from tests.device.test_recorder import card_that_takes_nothing
from tests.device.unit import opened, unit


@pytest.fixture
def root() -> Iterator[Path]:
    with fast_folder() as folder:
        yield folder / "spool"


@pytest.fixture
def disc() -> FaultyDisc:
    return FaultyDisc()


@pytest.fixture
def spool(root: Path, disc: FaultyDisc) -> Iterator[Spool]:
    opened = open_spool(root, disc, HandClock())
    with living(opened):
        yield opened


def live_whole(spool: Spool, clock: HandClock) -> None:
    numbers, _ = start(spool, clock)
    for _ in Life(spool, numbers, clock).steps():
        pass
    spool.close()


def test_a_whole_life_is_authentic_to_the_last_byte(root: Path) -> None:
    clock = HandClock()
    live_whole(open_spool(root, PosixDisc(), clock), clock)
    files = sorted(path.name for path in root.iterdir())
    assert files == ["blobs", "journal.db", "journal.db.head", "receipts", "segments"]
    entries = check_card(root)
    assert [entry.kind for entry in entries][:2] == ["journal_opened", "power_on"]
    assert entries[-1].kind == "power_off"


def test_no_byte_of_picture_or_sound_is_on_the_card_and_the_vault_key_gives_all_of_it_back(root: Path) -> None:
    clock = HandClock()
    spool, cut = open_spool(root, PosixDisc(), clock), footage(8)
    with living(spool):
        numbers, _ = start(spool, clock)
        life = Life(spool, numbers, clock)
        for _ in life.first_recording():
            pass
        spool.close()
    written = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert b"photo" not in written
    for secret in (cut.init, *(one.data for one in cut.fragments)):
        pieces = [secret[place : place + 16] for place in range(0, len(secret) - 16, 64)]
        assert [piece for piece in pieces if len(set(piece)) > 8 and piece in written] == []
    plain = [opened(path) for path in sorted((root / "segments").iterdir())]
    assert plain == [
        cut.init + b"".join(one.data for one in cut.fragments[:3]),
        cut.init + b"".join(one.data for one in cut.fragments[3:5]),
    ]
    for seal, content in zip([one for one in check_card(root) if one.kind == "segment"], plain, strict=True):
        assert seal.fields["sha256"] == to_base64url(sha256(content).digest())


def test_a_segments_key_is_forgotten_when_it_ends_even_on_a_card_that_refuses(root: Path, disc: FaultyDisc) -> None:
    clock = HandClock()
    spool = open_spool(root, disc, clock)
    with living(spool):
        numbers, _ = start(spool, clock)
        recording = Life(spool, numbers, clock).begin()
        state = spool.open_segment(numbers.next_segment(), recording, None, footage(8).init, clock.at(5_000_000))
        sealer = weakref.ref(state.sealer) if state.sealer else None
        assert sealer is not None
        with card_that_takes_nothing(), pytest.raises(DiscError):
            spool.seal(state, "button")
        assert (state.sealer, sealer()) == (None, None)
        with pytest.raises(DiscError, match="can only be sealed"):
            spool.append(state, footage(8).fragments[0])
        spool.seal(state, "button")


def test_the_seal_says_when_time_stamp_zero_was_by_the_clock_of_its_beginning(root: Path) -> None:
    clock = HandClock()
    spool = open_spool(root, PosixDisc(), clock)
    with living(spool):
        numbers, _ = start(spool, clock)
        life = Life(spool, numbers, clock)
        for _ in life.segment(life.begin(), footage(8).fragments[:1], "button"):
            pass
    (seal,) = (one for one in entries_of(root) if one.kind == "segment")
    assert seal.fields["epoch"] == clock.at(EPOCH_US).to_fields()


def test_the_entry_of_a_fragment_says_what_its_boxes_say(root: Path, spool: Spool) -> None:
    clock = HandClock()
    numbers, _ = start(spool, clock)
    life = Life(spool, numbers, clock)
    for _ in life.segment(life.begin(), footage(8).fragments[:2], "button"):
        pass
    first, second = (entry.fields for entry in entries_of(root) if entry.kind == "fragment")
    info = footage(8).fragments[0].info
    assert (first["pts_us"], first["duration_us"], first["frames"], first["samples"]) == (
        info.pts_us, info.duration_us, info.frames, info.samples,
    )  # fmt: skip
    assert second["offset_bytes"] == first["offset_bytes"] + first["stored_bytes"]


def test_entries_that_the_card_refuses_come_before_the_next_one_with_their_own_time(root: Path) -> None:
    clock = HandClock()
    spool = open_spool(root, PosixDisc(), clock)
    with living(spool):
        start(spool, clock)
        with card_that_takes_nothing():
            clock.advance(10)
            spool.note_or_keep("bookmark", clock.now(), recording=None)
            clock.advance(10)
            spool.note_or_keep("docked", clock.now())
            with pytest.raises(DiscError):
                spool.note("undocked")
            assert [fields for _, fields in spool.told("bookmark")] == [{"recording": None}]
        clock.advance(10)
        spool.note("undocked")
        spool.close()
    told = [(entry.kind, entry.at.boot_us) for entry in check_card(root)[2:]]
    assert told == [("bookmark", 10_000_000), ("docked", 20_000_000), ("undocked", 30_000_000)]


def test_a_damaged_journal_refuses_entries_like_a_damaged_card(root: Path) -> None:
    clock = HandClock()
    spool = open_spool(root, PosixDisc(), clock)
    with living(spool):
        start(spool, clock)
        with closing(sqlite3.connect(SpoolPaths(root).journal)) as other:
            other.execute("drop table entries")
        with pytest.raises(DiscError):
            spool.note("docked")


def test_pictures_leave_a_reserve_for_the_entries_that_end_a_recording(root: Path) -> None:
    class NearlyFullDisc(PosixDisc):
        def free_bytes(self, folder: Path) -> int:
            assert folder.is_dir()
            return RESERVE_BYTES + 20_000

    clock = HandClock()
    spool = open_spool(root, NearlyFullDisc(), clock)
    with living(spool):
        numbers, _ = start(spool, clock)
        life = Life(spool, numbers, clock)
        fragments = sorted(footage(8).fragments, key=lambda one: len(one.data))
        epoch = clock.at(5_000_000)
        state = spool.open_segment(numbers.next_segment(), life.begin(), None, footage(8).init, epoch)
        spool.append(state, fragments[0])
        big = fragments[-1]
        with pytest.raises(DiscFullError):
            spool.append(state, type(big)(big.data * 3, big.info, big.first_frame_boot_us))
        spool.seal(state, "storage_full")
        spool.close()
    assert [entry.fields["complete"] for entry in check_card(root) if entry.kind == "segment"] == [True]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_bytes_of_a_refused_fragment_are_gone_before_the_seal(root: Path, number: int) -> None:
    disc, clock = FaultyDisc(kept=True), HandClock()
    spool = open_spool(root, disc, clock)
    with living(spool):
        numbers, _ = start(spool, clock)
        life = Life(spool, numbers, clock)
        epoch = clock.at(5_000_000)
        state = spool.open_segment(numbers.next_segment(), life.begin(), None, footage(8).init, epoch)
        spool.append(state, footage(8).fragments[0])
        disc.refused = {"append": number, "truncate": errno.EIO}
        with pytest.raises(DiscError):
            spool.append(state, footage(8).fragments[1])
        with pytest.raises(DiscError):
            spool.seal(state, "device_fault")
        disc.refused = {}
        spool.seal(state, "device_fault")
        spool.close()
    # A failed sync makes the segment suspect; a full card does not.
    assert verify_path(root, unit().trust).verdict is (Verdict.GAPS if number == errno.EIO else Verdict.AUTHENTIC)


def test_a_name_that_the_card_refused_is_not_given_again_after_a_restart(root: Path, disc: FaultyDisc) -> None:
    clock = HandClock()
    spool = open_spool(root, disc, clock)
    with living(spool):
        numbers, _ = start(spool, clock)
        recording = Life(spool, numbers, clock).begin()
        names = []
        for refused in (None, errno.EIO, None):
            disc.refused = {} if refused is None else {"create": refused}
            names.append(numbers.next_segment())
            try:
                spool.open_segment(names[-1], recording, None, footage(8).init, clock.at(5_000_000))
            except DiscError:
                assert refused is not None
        assert Numbers(spool.journal, BOOT).next_segment() not in names


@pytest.mark.parametrize("damaged_head", [False, True])
def test_a_file_of_the_card_that_lost_its_journal_is_not_removed(root: Path, damaged_head: bool) -> None:
    clock = HandClock()
    spool = open_spool(root, PosixDisc(), clock)
    with living(spool):
        numbers, _ = start(spool, clock)
        life = Life(spool, numbers, clock)
        for _ in life.segment(life.begin(), footage(8).fragments[:2], "button"):
            pass
    (path,) = (root / "segments").iterdir()
    content = b"x" * damaged_head + path.read_bytes()
    path.write_bytes(content)
    for file in root.glob("journal.db*"):
        file.unlink()
    for off_s in (60, 120):
        restart(root, after_reboot(clock, off_s))
    assert path.read_bytes() == content
    assert [entry.kind for entry in entries_of(root)].count("damaged") == 1
    assert verify_path(root, unit().trust).verdict is Verdict.GAPS


def test_a_strange_file_on_the_card_does_not_stop_the_recorder(root: Path) -> None:
    open_spool(root, PosixDisc(), HandClock()).journal.close()
    (root / "segments" / "lost+found").mkdir()
    (root / "segments" / "holiday.mp4").write_bytes(b"not ours")
    restart(root, HandClock())
    assert (root / "segments" / "holiday.mp4").read_bytes() == b"not ours"
    assert verify_path(root, unit().trust).verdict is Verdict.NOT_SIGNED


def test_a_segment_that_cannot_be_read_does_not_stop_the_recorder(root: Path) -> None:
    clock = HandClock()
    spool = open_spool(root, PosixDisc(), clock)
    with living(spool):
        numbers, _ = start(spool, clock)
        life = Life(spool, numbers, clock)
        next(life.segment(life.begin(), footage(8).fragments[:2], "never"))
    (path,) = (root / "segments").iterdir()
    path.unlink()
    restart(root, after_reboot(clock))
    assert [entry.fields["what"] for entry in entries_of(root) if entry.kind == "damaged"] == ["cannot be read"]


@pytest.mark.parametrize("left", ["journal.db.head.new", "receipts/0123456789ab-00001.jws.new"])
def test_what_a_cut_left_of_a_replacement_is_cleared_away(root: Path, left: str) -> None:
    clock = HandClock()
    live_whole(open_spool(root, PosixDisc(), clock), clock)
    (root / left).write_bytes(b"half of it")
    check_after_cut(root, clock)
    assert not (root / left).exists()
