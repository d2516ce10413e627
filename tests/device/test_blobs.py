"""Photos and notes on the card: kept whole or not at all, given to the dock in order, released when it has them."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from device.numbers import Numbers
from device.spool import RESERVE_BYTES, Spool, SpoolPaths
from device.spool_reader import SpoolReader
from evidence.errors import BadInputError, DiscError, DiscFullError, LiuhenError, RejectedError, SignatureError
from evidence.io.durable import PosixDisc
from evidence.io.verify_files import verify_path
from evidence.journal import Entry, read_entry
from evidence.receipts import BLOB_STORED, EXPLANATION, REPORT_TAKEN
from evidence.signing import KeySigner, to_base64url
from evidence.verify import Verdict
from evidence.wire import BLOB_LIMIT_BYTES, read_part
from tests.device.cards import DyingDisc, FaultyDisc, Power, PowerCutError, fast_folder, signer_under
from tests.device.hand_clock import HandClock, after_reboot
from tests.device.life import Life, check_card, entries_of, living, open_spool, releaser, restart, start
from tests.device.unit import opened, unit

DOCK_KEY = unit().dock.signer.verify_key
STILL = {"recording": None, "segment": None, "index": None, "captured_boot_us": 7, "width": 64, "height": 48}


@dataclass
class Card:
    root: Path
    clock: HandClock
    spool: Spool
    life: Life

    def said(self, *kinds: str) -> list[Entry]:
        return [entry for entry in entries_of(self.root) if entry.kind in kinds]

    def path(self, entry: Entry) -> Path:
        return self.spool.paths.blob(entry.fields["blob"])

    def keep(self, payload: str) -> str:
        with closing(SpoolReader(self.spool.paths)) as reader:
            return reader.keep_receipt(payload.encode(), DOCK_KEY, PosixDisc())


@pytest.fixture
def card() -> Iterator[Card]:
    with fast_folder() as folder:
        clock = HandClock()
        spool = open_spool(folder / "spool", PosixDisc(), clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            yield Card(folder / "spool", clock, spool, Life(spool, numbers, clock))


class MoodySigner:
    """A `Signer` in a secure element that refuses so often: no entry can be written meanwhile."""

    def __init__(self, signer: KeySigner, refusals: int) -> None:
        self._signer = signer
        self._refusals = refusals

    @property
    def alg(self) -> str:
        return self._signer.alg

    @property
    def kid(self) -> str:
        return self._signer.kid

    def sign(self, data: bytes) -> bytes:
        self._refusals -= 1
        if self._refusals >= 0:
            raise DiscError("journal", "takes nothing")
        return self._signer.sign(data)


def test_a_blob_whose_entry_is_refused_can_be_made_again(card: Card) -> None:
    card.spool.journal.close()
    spool = open_spool(card.root, PosixDisc(), card.clock, MoodySigner(unit().recorder.signer, refusals=1))
    with living(spool):
        life = Life(spool, Numbers(spool.journal, "0" * 32), card.clock)
        with pytest.raises(DiscError):
            life.still()
        entry = life.still()
        assert opened(card.path(entry)) == b"photo %d" % entry.seq
        spool.close()
    check_card(card.root)


def test_a_blob_is_named_by_its_bytes_which_may_name_their_entry(card: Card) -> None:
    entry = card.spool.keep_blob("still", lambda seq: b"entry %d" % seq, card.clock.now(), **STILL)
    plain = b"entry %d" % entry.seq
    assert entry == entries_of(card.root)[-1]
    assert opened(card.path(entry)) == plain
    assert card.path(entry).name == f"{to_base64url(sha256(plain).digest())}.lhb"
    stored = card.path(entry).read_bytes()
    assert plain not in stored
    digest = to_base64url(sha256(stored).digest())
    assert (entry.fields["stored_bytes"], entry.fields["stored_sha256"]) == (len(stored), digest)
    assert (entry.fields["bytes"], entry.fields["width"]) == (len(plain), 64)


def test_the_number_given_is_the_entrys_own_even_when_others_were_waiting(card: Card) -> None:
    card.spool.journal.close()
    spool = open_spool(card.root, PosixDisc(), card.clock, MoodySigner(unit().recorder.signer, refusals=1))
    with living(spool):
        spool.note_or_keep("clock", card.clock.now(), step_us=1)
        entry = spool.keep_blob("still", lambda seq: b"%d" % seq, card.clock.now(), **STILL)
        assert opened(card.path(entry)) == b"%d" % entry.seq
        assert [one.kind for one in entries_of(card.root)[-2:]] == ["clock", "still"]


def test_the_same_bytes_twice_are_one_file_and_two_entries(card: Card) -> None:
    first, second = (card.spool.keep_blob("still", lambda _: b"dark", card.clock.now(), **STILL) for _ in range(2))
    assert first.fields["blob"] == second.fields["blob"]
    assert second.seq == first.seq + 1
    with closing(SpoolReader(card.spool.paths)) as reader:
        assert reader.blobs.waiting() == [first.fields["blob"]]
        assert read_part(reader.blobs.message(first.fields["blob"]))[0] == first.token
    card.spool.paths.receipt(first.fields["blob"]).write_text(unit().word(BLOB_STORED, first, card.clock) + "\n")
    assert releaser(card.spool).run() == 1
    assert not card.path(first).exists()
    card.spool.close()
    check_card(card.root)


@pytest.mark.parametrize(("verb", "number"), [("create", errno.EIO), ("create", errno.ENOSPC)])
def test_a_card_that_takes_no_file_gets_no_entry(card: Card, verb: str, number: int) -> None:
    card.spool.disc = FaultyDisc({verb: number})
    before = len(entries_of(card.root))
    with pytest.raises(DiscError):
        card.life.still()
    assert len(entries_of(card.root)) == before
    card.spool.disc = PosixDisc()
    card.life.still()
    card.spool.close()
    check_card(card.root)


def test_a_full_card_keeps_its_reserve(card: Card) -> None:
    class Full(PosixDisc):
        def free_bytes(self, _folder: Path) -> int:
            return RESERVE_BYTES + 2_000

    card.spool.disc = Full()
    with pytest.raises(DiscFullError, match="reserve"):
        card.spool.keep_blob("still", lambda _: bytes(2_000), card.clock.now(), **STILL)
    card.spool.keep_blob("still", lambda _: b"12345", card.clock.now(), **STILL)


def test_what_no_message_can_carry_is_refused(card: Card) -> None:
    with pytest.raises(BadInputError, match="make it shorter"):
        card.spool.keep_blob("still", lambda _: bytes(BLOB_LIMIT_BYTES + 1), card.clock.now(), **STILL)


# Power cuts.


@pytest.mark.parametrize("torn", [False, True], ids=["between verbs", "within a verb"])
def test_a_blob_cut_at_every_verb_is_whole_and_journalled_or_gone_and_said(torn: bool) -> None:
    outcomes = set()
    # The first verb belongs to opening the spool.
    for steps in range(1, 100):
        with fast_folder() as folder:
            root, clock = folder / "spool", HandClock()
            spool = open_spool(root, PosixDisc(), clock)
            with living(spool):
                numbers, _ = start(spool, clock)
            power, kept = Power(steps, torn), False
            spool = open_spool(root, DyingDisc(power), clock, signer_under(power, unit().recorder.signer))
            with living(spool):
                try:
                    Life(spool, numbers, clock).still()
                    kept = True
                except PowerCutError:
                    pass
            left = list((root / "blobs").iterdir())
            restart(root, after_reboot(clock))
            entries = check_card(root)
            journalled = [entry for entry in entries if entry.kind == "still"]
            lost = [entry for entry in entries if entry.kind == "blob_torn"]
            assert len(journalled) >= kept
            assert len(list((root / "blobs").iterdir())) == len(journalled)
            assert len(lost) == len(left) - len(journalled)
            outcomes.add((bool(journalled), bool(lost)))
            if not power.gone:
                break
    assert steps >= 3
    assert {(True, False), (False, True)} <= outcomes


@pytest.fixture(scope="module")
def cut_card() -> Iterator[tuple[Path, HandClock, Path, bytes]]:
    """A card whose power went between the bytes of a second blob and its entry."""
    with fast_folder() as folder:
        root, clock = folder / "spool", HandClock()
        spool = open_spool(root, PosixDisc(), clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            Life(spool, numbers, clock).still()
        data = b"a small photo"
        yield root, clock, SpoolPaths(root).blob(to_base64url(sha256(data).digest())), data


def test_a_cut_at_every_byte_of_a_blob_is_said_and_leaves_nothing(
    cut_card: tuple[Path, HandClock, Path, bytes],
) -> None:
    root, clock, path, data = cut_card
    for length in range(len(data) + 1):
        with fast_folder() as folder:
            copy = shutil.copytree(root, folder / "spool")
            (copy / "blobs" / path.name).write_bytes(data[:length])
            restart(copy, after_reboot(clock))
            entries = check_card(copy)
            (torn,) = (entry for entry in entries if entry.kind == "blob_torn")
            digest = to_base64url(sha256(data[:length]).digest())
            assert dict(torn.fields) == {"blob": path.stem, "bytes": length, "sha256": digest}
            assert len(list((copy / "blobs").iterdir())) == 1


@pytest.mark.parametrize("torn", [False, True], ids=["between verbs", "within a verb"])
def test_a_recovery_of_blobs_cut_at_every_verb_ends_as_if_it_had_not_been(
    cut_card: tuple[Path, HandClock, Path, bytes], torn: bool
) -> None:
    root, clock, path, data = cut_card
    for steps in range(100):
        with fast_folder() as folder:
            copy = shutil.copytree(root, folder / "spool")
            (copy / "blobs" / path.name).write_bytes(data[:5])
            power, second = Power(steps, torn), after_reboot(clock)
            spool: Spool | None = None
            try:
                spool = open_spool(copy, DyingDisc(power), second, signer_under(power, unit().recorder.signer))
                start(spool, second)
            except PowerCutError:
                pass
            if spool is not None:
                spool.journal.close()
            restart(copy, HandClock("f" * 32, 1_000_000, second.now().utc_us + 60_000_000))
            assert [entry.kind for entry in check_card(copy)].count("blob_torn") == 1
            assert not (copy / "blobs" / path.name).exists()
            if not power.gone:
                break
    assert steps > 3


def test_a_strangers_file_is_left_alone(card: Card) -> None:
    strangers = [card.root / "blobs" / name for name in ("IMG_0001.jpg", "notes.txt", f"{'A' * 43}.jpg")]
    for path in strangers:
        path.write_bytes(b"mine")
    card.spool.close()
    restart(card.root, after_reboot(card.clock))
    assert all(path.read_bytes() == b"mine" for path in strangers)
    assert card.said("blob_torn", "blob_damaged") == []


@pytest.mark.parametrize("harm", ["missing", "flipped", "cut", "longer"])
def test_a_journalled_blob_that_is_missing_or_another_is_said_once(card: Card, harm: str) -> None:
    entry, _ = card.life.still(), card.life.note()
    path = card.path(entry)
    data = path.read_bytes()
    harmed = {"flipped": bytes([data[0] ^ 1]) + data[1:], "cut": data[:-1], "longer": data + b"\0"}
    path.unlink() if harm == "missing" else path.write_bytes(harmed[harm])
    card.spool.close()
    for _ in range(2):
        restart(card.root, after_reboot(card.clock))
        (said,) = card.said("blob_damaged")
        what = "is missing" if harm == "missing" else "is not what was journalled"
        assert dict(said.fields) == {"blob": entry.fields["blob"], "what": what}
    with closing(SpoolReader(SpoolPaths(card.root))) as reader:
        assert entry.fields["blob"] not in reader.blobs.waiting()
    wrong = verify_path(card.root, unit().trust)
    assert wrong.verdict is (Verdict.GAPS if harm == "missing" else Verdict.NOT_AUTHENTIC)
    assert wrong.first is not None
    assert wrong.first.where.startswith(f"blobs/{path.name}")


# To the dock.


def test_notes_that_explain_go_first_then_the_rest_oldest_first(card: Card) -> None:
    still, note, reason, late = card.life.still(), card.life.note(), card.life.note("0" * 12 + "-i0001"), None
    late = card.life.still()
    with closing(SpoolReader(card.spool.paths)) as reader:
        waiting = [entry.fields["blob"] for entry in (reason, still, note, late)]
        assert reader.blobs.waiting() == waiting
        token, stored = read_part(reader.blobs.message(waiting[0]))
        assert (token, bytes(stored)) == (reason.token, card.path(reason).read_bytes())
        assert read_entry(token).x5c == (unit().recorder.certificate,)


def test_a_blob_that_the_card_does_not_give_is_no_longer_offered_and_stops_nobody_else(card: Card) -> None:
    still, note = card.life.still(), card.life.note()
    card.path(still).unlink()
    with closing(SpoolReader(card.spool.paths)) as reader:
        waiting = reader.blobs.waiting()
        with pytest.raises(DiscError):
            reader.blobs.message(still.fields["blob"])
        assert reader.blobs.waiting() == [blob for blob in waiting if blob == note.fields["blob"]]


# The dock's word.


def broken(card: Card) -> tuple[Entry, Entry, Entry]:
    """A photo, an interruption and its report."""
    still, recording = card.life.still(), card.life.begin()
    fields = card.life.break_fields("0" * 12 + "-i0001")
    names = ("interruption", "cause", "began")
    interruption = card.spool.note(
        "interruption", recording=recording, part=None, **{name: fields[name] for name in names}
    )
    return still, interruption, card.spool.note("reported", recording=recording, **fields)


def test_every_word_of_the_dock_is_kept_and_journalled_once(card: Card) -> None:
    still, interruption, reported = broken(card)
    words = [
        unit().word(BLOB_STORED, still, card.clock),
        unit().word(REPORT_TAKEN, reported, card.clock),
        unit().word(EXPLANATION, interruption, card.clock),
    ]
    for word in (*words, *words):
        card.keep(word)
        releaser(card.spool).run()
    said = card.said("blob_receipt", "report_received", "written")
    assert [(entry.kind, entry.fields["dock_hash"]) for entry in said] == [
        (kind, read_entry(word).head.hash)
        for kind, word in zip(("blob_receipt", "report_received", "written"), words, strict=True)
    ]
    assert len(card.said("blob_released")) == 1
    card.spool.close()
    check_card(card.root)


def wrong_words(card: Card) -> dict[str, tuple[str, type[LiuhenError]]]:
    still, interruption, reported = broken(card)
    another, clock = card.life.still(), card.clock
    strange = {"blob": another.fields["blob"]}
    return {
        "another dock": (unit().word(BLOB_STORED, still, clock, by=unit().stranger), SignatureError),
        "another recorder": (unit().word(BLOB_STORED, still, clock, recorder="BWC-0002"), RejectedError),
        "another blob": (unit().word(BLOB_STORED, still, clock, **strange), RejectedError),
        "an unknown blob": (unit().word(BLOB_STORED, still, clock, blob="A" * 43), RejectedError),
        "another length": (unit().word(BLOB_STORED, still, clock, stored_bytes=1), RejectedError),
        "another entry": (unit().word(BLOB_STORED, still, clock, entry_hash="A" * 43), RejectedError),
        "another report": (unit().word(REPORT_TAKEN, reported, clock, entry_seq=1), RejectedError),
        "a report never made": (
            unit().word(REPORT_TAKEN, reported, clock, interruption="0" * 12 + "-i0002"), RejectedError,
        ),
        "an explanation for another": (unit().word(EXPLANATION, interruption, clock, recorder="BWC-2"), RejectedError),
        "no word at all": (still.token, SignatureError),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["another dock", "another recorder", "another blob", "an unknown blob", "another length", "another entry",
     "another report", "a report never made", "an explanation for another", "no word at all"],
)  # fmt: skip
def test_a_word_that_proves_nothing_is_refused_and_frees_nothing(card: Card, name: str) -> None:
    word, error = wrong_words(card)[name]
    with pytest.raises(error):
        card.keep(word)
    assert list((card.root / "receipts").iterdir()) == []
    # Somebody puts it there all the same.
    for entry in card.said("still"):
        card.spool.paths.receipt(entry.fields["blob"]).write_text(f"{word}\n")
    for kind in (REPORT_TAKEN, EXPLANATION):
        card.spool.paths.word(kind, "0" * 12 + "-i0001").write_text(f"{word}\n")
    assert releaser(card.spool).run() == 0
    assert list((card.root / "receipts").iterdir()) == []
    assert card.said("blob_receipt", "blob_released", "report_received", "written") == []
    assert len(list((card.root / "blobs").iterdir())) == 2


def test_blobs_and_segments_are_released_oldest_first(card: Card) -> None:
    stills = [card.life.still() for _ in range(2)]
    for still in reversed(stills):
        card.keep(unit().word(BLOB_STORED, still, card.clock))
    assert releaser(card.spool).run() == 2
    assert [entry.fields["blob"] for entry in card.said("blob_released")] == [one.fields["blob"] for one in stills]
    assert list((card.root / "blobs").iterdir()) == []


def test_a_release_that_was_only_journalled_is_finished_at_the_next_start(card: Card) -> None:
    still = card.life.still()
    card.keep(unit().word(BLOB_STORED, still, card.clock))
    data = card.path(still).read_bytes()
    releaser(card.spool).run()
    card.path(still).write_bytes(data)
    card.spool.close()
    restart(card.root, after_reboot(card.clock))
    assert not card.path(still).exists()
    check_card(card.root)
