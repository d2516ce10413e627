"""What the uplink sees of the spool, and which receipts it believes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from device.spool import SpoolPaths
from device.spool_reader import SpoolReader
from evidence.errors import BadInputError, DiscError, LiuhenError, RejectedError, SignatureError
from evidence.io.durable import PosixDisc
from evidence.journal import Entry, read_entry
from evidence.signing import to_base64url
from evidence.wire import BATCH_LIMIT_BYTES, read_batch, read_part
from tests.device.cards import fast_folder
from tests.device.footage import footage
from tests.device.hand_clock import HandClock
from tests.device.life import Life, entries_of, living, open_spool, start
from tests.device.unit import unit

DOCK_KEY = unit().dock.signer.verify_key
CLOCK = HandClock()


@contextmanager
def reading(root: Path) -> Iterator[SpoolReader]:
    with closing(SpoolReader(SpoolPaths(root))) as reader:
        yield reader


@pytest.fixture(scope="module")
def filled() -> Iterator[Path]:
    """A card with three recordings of a segment each, the second one bookmarked, and one segment not sealed."""
    with fast_folder() as folder:
        clock = HandClock()
        spool = open_spool(folder / "spool", PosixDisc(), clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            life = Life(spool, numbers, clock)
            for number in range(3):
                recording = life.begin()
                for _ in life.segment(recording, footage(8).fragments[2 * number : 2 * number + 2], "button"):
                    pass
                if number == 1:
                    spool.note("bookmark", recording=recording)
                life.end(recording)
            next(life.segment(life.begin(), footage(8).fragments[:1], "never"))
        yield folder / "spool"


@pytest.fixture
def root(filled: Path) -> Iterator[Path]:
    with fast_folder() as folder:
        shutil.copytree(filled, folder / "spool")
        yield folder / "spool"


def seals(root: Path) -> list[Entry]:
    return [entry for entry in entries_of(root) if entry.kind == "segment"]


def segments(root: Path) -> list[str]:
    return [seal.fields["segment"] for seal in seals(root)]


def keep(root: Path, payload: bytes) -> str:
    with reading(root) as reader:
        return reader.keep_receipt(payload, DOCK_KEY, PosixDisc())


def test_what_is_sealed_waits_bookmarked_recordings_first_then_the_oldest(root: Path) -> None:
    first, second, third = segments(root)
    with reading(root) as reader:
        assert [(one.segment, one.parts) for one in reader.waiting()] == [(second, 3), (first, 3), (third, 3)]


def test_what_has_a_receipt_waits_no_longer(root: Path) -> None:
    seal = seals(root)[1]
    assert keep(root, unit().receipt(seal, CLOCK).encode()) == seal.fields["segment"]
    with reading(root) as reader:
        assert [one.segment for one in reader.waiting()] == [segments(root)[0], segments(root)[2]]


def test_a_part_is_its_entry_and_the_very_bytes_on_the_card(root: Path) -> None:
    content = b""
    with reading(root) as reader:
        for index in range(3):
            token, stored = read_part(reader.part(segments(root)[0], index))
            entry = read_entry(token)
            assert entry.fields["index"] == index
            assert entry.fields["stored_sha256"] == to_base64url(sha256(stored).digest())
            content += stored
    assert content == SpoolPaths(root).segment(segments(root)[0]).read_bytes()


def test_of_a_file_cut_short_comes_what_is_there_and_nothing_in_place_of_the_rest(root: Path) -> None:
    """The dock sees that it is too short; zeros in its place would only look like another part."""
    path = SpoolPaths(root).segment(segments(root)[0])
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    with reading(root) as reader:
        assert content[:-10].endswith(read_part(reader.part(segments(root)[0], 2))[1])


def test_batches_are_the_journal_in_order_and_none_is_too_long(root: Path) -> None:
    spool = open_spool(root, PosixDisc(), HandClock())
    with living(spool):
        for number in range(1500):
            spool.note("clock", step_us=number)
    tokens: list[str] = []
    with reading(root) as reader:
        head = reader.head_seq()
        while len(tokens) <= head:
            batch = reader.batch(len(tokens), head)
            assert len(batch) <= BATCH_LIMIT_BYTES
            assert len(read_batch(batch)) > 300 or len(tokens) + len(read_batch(batch)) == head + 1
            tokens += read_batch(batch)
    assert tokens == [entry.token for entry in entries_of(root)]


def test_a_batch_ends_where_it_was_asked_to(root: Path) -> None:
    with reading(root) as reader:
        assert read_batch(reader.batch(2, 4)) == [entry.token for entry in entries_of(root)[2:5]]


def test_a_segment_that_the_card_does_not_give_is_no_longer_offered_and_stops_nobody_else(root: Path) -> None:
    SpoolPaths(root).segment(segments(root)[0]).unlink()
    with reading(root) as reader:
        with pytest.raises(DiscError):
            reader.part(segments(root)[0], 1)
        assert [one.segment for one in reader.waiting()] == segments(root)[1:]


def test_a_receipt_that_is_kept_can_be_read_by_anybody(root: Path) -> None:
    seal = seals(root)[0]
    token = unit().receipt(seal, CLOCK)
    keep(root, token.encode())
    keep(root, token.encode())
    assert SpoolPaths(root).receipt(seal.fields["segment"]).read_text() == f"{token}\n"


def wrong_receipts(root: Path) -> dict[str, tuple[bytes, type[LiuhenError]]]:
    seal, other = seals(root)[:2]
    receipt = unit().receipt(seal, CLOCK)
    flipped = receipt[:-10] + ("A" if receipt[-10] != "A" else "B") + receipt[-9:]
    return {
        "another unit's dock": (unit().receipt(seal, CLOCK, by=unit().stranger).encode(), SignatureError),
        "the recorder itself": (unit().receipt(seal, CLOCK, by=unit().recorder).encode(), SignatureError),
        "altered": (flipped.encode(), SignatureError),
        "another recorder": (unit().receipt(seal, CLOCK, recorder="BWC-0002").encode(), RejectedError),
        "another segment": (unit().receipt(seal, CLOCK, segment=other.fields["segment"]).encode(), RejectedError),
        "no segment of ours": (unit().receipt(seal, CLOCK, segment="f" * 12 + "-00001").encode(), RejectedError),
        "another content": (unit().receipt(seal, CLOCK, sha256=other.fields["sha256"]).encode(), RejectedError),
        "another length": (unit().receipt(seal, CLOCK, stored_bytes=1).encode(), RejectedError),
        "another seal": (unit().receipt(seal, CLOCK, seal_hash=other.head.hash).encode(), RejectedError),
        "not a receipt": (seal.token.encode(), SignatureError),
        "noise": (b"\xff\x00noise", BadInputError),
        "nothing": (b"", BadInputError),
    }


@pytest.mark.parametrize(
    "name",
    ["another unit's dock", "the recorder itself", "altered", "another recorder", "another segment",
     "no segment of ours", "another content", "another length", "another seal", "not a receipt", "noise", "nothing"],
)  # fmt: skip
def test_a_receipt_that_proves_nothing_is_refused_and_leaves_no_trace(root: Path, name: str) -> None:
    payload, error = wrong_receipts(root)[name]
    with pytest.raises(error):
        keep(root, payload)
    assert list(SpoolPaths(root).receipt("any").parent.iterdir()) == []
