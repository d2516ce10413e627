"""Photos, notes, reports and the dock's word on a disc: whatever is done to them, the verdict names the place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.io.verify_files import verify_path
from evidence.journal import Entry
from evidence.receipts import ANSWERS, BLOB_STORED, DOCK, EXPLANATION, REPORT_TAKEN, word_file
from evidence.verify import EXIT_CODES, Verdict
from tests.evidence.golden import INTERRUPTION, RECORDER, SAMPLES, TRUST, Writer, hash_of
from tests.evidence.test_verify import first, flipped, verdict
from tests.evidence.trees import close_journal, restate, store_journal, write_journal

PHOTO, NOTE = b"a photo", b"a spoken note"
STILL = f"{hash_of(PHOTO)}.lhb"
VOICE = f"{hash_of(NOTE)}.lhb"


def sealed(plain: bytes) -> bytes:
    """Stands for the sealed form: nobody without a key can tell."""
    return b"sealed " + plain


def blob_fields(kind: str, data: bytes) -> dict[str, object]:
    stored = sealed(data)
    described = {
        "blob": hash_of(data), "bytes": len(data), "stored_bytes": len(stored), "stored_sha256": hash_of(stored),
    }  # fmt: skip
    return {**SAMPLES[kind], **described}


def journal() -> Writer:
    """A photo, a note, and an interruption that was reported."""
    writer = Writer()
    writer.add("journal_opened")
    writer.add("still", blob_fields("still", PHOTO), certified=True)
    writer.add("voice_note", blob_fields("voice_note", NOTE), certified=True)
    writer.add("interruption")
    writer.add("reported", certified=True)
    return writer


def answer(dock: Writer, kind: str, entry: Entry) -> Entry:
    name = ANSWERS[kind].name
    about = {"recorder": entry.device, name: entry.fields[name]}
    if kind == EXPLANATION:
        return dock.add(kind, {**about, "author": "110123", "text": "电池"}, certified=True)
    stored = {"stored_bytes": entry.fields["stored_bytes"]} if kind == BLOB_STORED else {}
    return dock.add(kind, {**about, **stored, "entry_seq": entry.seq, "entry_hash": entry.head.hash}, certified=True)


def answers(writer: Writer, dock: Writer) -> list[tuple[str, Entry]]:
    """The dock's word on everything in the journal, with the name of its file on a card."""
    said = []
    for kind, rule in ANSWERS.items():
        for entry in writer.entries:
            if entry.kind in rule.kinds:
                said.append((word_file(kind, entry.fields[rule.name]), answer(dock, kind, entry)))
    return said


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    writer, dock, root = journal(), Writer(DOCK), tmp_path / "vault"
    answers(writer, dock)
    write_journal(root / RECORDER, writer)
    write_journal(root / DOCK, dock)
    folder = root / RECORDER / "blobs"
    folder.mkdir()
    for name, data, entry in ((STILL, PHOTO, writer.entries[1]), (VOICE, NOTE, writer.entries[2])):
        (folder / name).write_bytes(sealed(data))
        (folder / name).with_suffix(".jws").write_text(f"{entry.token}\n")
    (root / RECORDER / "reports").mkdir()
    (root / RECORDER / "reports" / f"{INTERRUPTION}.jws").write_text(f"{writer.entries[4].token}\n")
    return root


def make_card(root: Path, writer: Writer) -> Path:
    """A card with everything that its journal speaks of, and the dock's word on all of it."""
    for name in ("segments", "blobs", "receipts"):
        (root / name).mkdir(parents=True)
    (root / "blobs" / STILL).write_bytes(sealed(PHOTO))
    (root / "blobs" / VOICE).write_bytes(sealed(NOTE))
    said = answers(writer, Writer(DOCK))
    for name, entry in said:
        (root / "receipts" / name).write_text(f"{entry.token}\n")
    for _, entry in said:
        rule = ANSWERS[entry.kind]
        received = {"dock": DOCK, "dock_seq": entry.seq, "dock_hash": entry.head.hash}
        writer.add(rule.noted_as, {rule.name: entry.fields[rule.name], **received})
    close_journal(root / "journal.db", writer)
    return root


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return make_card(tmp_path / "spool", journal())


def test_everything_as_it_was_written_is_authentic(vault: Path, card: Path) -> None:
    for path in (vault, card, vault / RECORDER / "blobs" / STILL, vault / RECORDER / "blobs" / VOICE):
        report = verify_path(path, TRUST)
        assert (report.verdict, report.defects) == (Verdict.AUTHENTIC, [])
    report = verify_path(vault, TRUST)
    assert (report.blobs, report.checked_bytes) == (2, len(sealed(PHOTO)) + len(sealed(NOTE)))


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
def test_no_bit_of_what_lies_beside_the_segments_can_be_changed_unseen(vault: Path, card: Path) -> None:
    blobs, receipts = vault / RECORDER / "blobs", card / "receipts"
    tokens = [*blobs.glob("*.jws"), *(vault / RECORDER / "reports").iterdir(), *receipts.iterdir()]
    for path in (blobs / STILL, blobs / VOICE, card / "blobs" / STILL, card / "blobs" / VOICE, *tokens):
        root = card if path.is_relative_to(card) else vault
        for place in flipped(path, step=29 if path in tokens else 1):
            found, where, _ = first(root)
            assert EXIT_CODES[found] == 1, f"{path} byte {place}"
            assert path.name in where
    assert verdict(vault) is verdict(card) is Verdict.AUTHENTIC


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
def test_no_bit_of_a_blob_with_its_entry_can_be_changed_unseen(vault: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(vault / RECORDER / "blobs" / f"{hash_of(PHOTO)}.jws", alone / "x.jws")
    (alone / "x.jpg").write_bytes(PHOTO)
    assert verdict(alone / "x.jpg") is Verdict.AUTHENTIC
    for path in sorted(alone.iterdir()):
        for place in flipped(path):
            assert EXIT_CODES[verdict(alone / "x.jpg")] == 1, f"{path} byte {place}"


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (sealed(PHOTO)[:-1], "byte 0", "is not what was signed, it is 1 bytes too short"),
        (b"", "byte 0", "is not what was signed, it is 14 bytes too short"),
        (b"sealed b photo", "byte 0", "is not what was signed"),
        (sealed(PHOTO) + b"x", "byte 14", "what follows the end is not what was signed"),
    ],
)
def test_what_is_wrong_with_a_blob_is_told(vault: Path, card: Path, data: bytes, where: str, what: str) -> None:
    for root, name in ((vault, f"{RECORDER}/blobs/{STILL}"), (card, f"blobs/{STILL}")):
        (root / name).write_bytes(data)
        assert first(root) == (Verdict.NOT_AUTHENTIC, f"{name} {where}", what)


VAULT_WITHOUT: dict[str, tuple[Verdict, str]] = {
    f"{RECORDER}/blobs/{STILL}": (Verdict.GAPS, "was journalled by the recorder and is not here"),
    f"{RECORDER}/blobs/{hash_of(NOTE)}.jws": (Verdict.GAPS, "is missing"),
    f"{RECORDER}/reports/{INTERRUPTION}.jws": (Verdict.GAPS, "the dock gave its receipt and it is not here"),
}


@pytest.mark.parametrize("name", VAULT_WITHOUT)
def test_nothing_beside_the_segments_can_be_taken_out_of_a_vault_unseen(vault: Path, name: str) -> None:
    (vault / name).unlink()
    assert first(vault) == (VAULT_WITHOUT[name][0], name, VAULT_WITHOUT[name][1])


def test_nothing_beside_the_segments_can_be_taken_out_of_a_spool_unseen(card: Path) -> None:
    for path in [*(card / "blobs").iterdir(), *(card / "receipts").iterdir()]:
        data = path.read_bytes()
        path.unlink()
        found, where, _ = first(card)
        assert (found, where) == (Verdict.GAPS, f"{path.parent.name}/{path.name}")
        path.write_bytes(data)


def test_a_blob_that_was_released_need_not_be_here(tmp_path: Path) -> None:
    writer = journal()
    writer.add("blob_released", {"blob": hash_of(PHOTO), "stored_bytes": len(PHOTO)})
    card = make_card(tmp_path, writer)
    (card / "blobs" / STILL).unlink()
    assert verdict(card) is Verdict.AUTHENTIC


def test_a_blob_that_is_not_offloaded_yet_is_a_gap_of_the_vault(vault: Path) -> None:
    writer = journal()
    writer.add("still", blob_fields("still", b"another photo"), certified=True)
    (vault / RECORDER / "journal.jws").write_bytes(writer.text)
    restate(vault, writer)
    what = "was journalled by the recorder and is not here"
    assert first(vault) == (Verdict.GAPS, f"{RECORDER}/blobs/{hash_of(b'another photo')}.lhb", what)


def swap_blobs(folder: Path) -> None:
    still, voice = folder / STILL, folder / VOICE
    data = still.read_bytes()
    still.write_bytes(voice.read_bytes())
    voice.write_bytes(data)


def swap_entries(folder: Path) -> None:
    still, voice = (folder / f"{hash_of(data)}.jws" for data in (PHOTO, NOTE))
    token = still.read_bytes()
    still.write_bytes(voice.read_bytes())
    voice.write_bytes(token)


def put_foreign(folder: Path) -> None:
    (folder / f"{hash_of(b'foreign')}.lhb").write_bytes(b"foreign")


SUBSTITUTIONS: dict[str, tuple[Callable[[Path], None], Verdict]] = {
    "swapped": (swap_blobs, Verdict.NOT_AUTHENTIC),
    "swapped entries": (swap_entries, Verdict.NOT_AUTHENTIC),
    "foreign": (put_foreign, Verdict.NOT_SIGNED),
    "a file of another kind": (lambda folder: (folder / "x.txt").touch(), Verdict.NOT_SIGNED),
    "the same under the other ending": (
        lambda folder: (folder / f"{hash_of(PHOTO)}.m4a").write_bytes(PHOTO) and None, Verdict.NOT_SIGNED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SUBSTITUTIONS)
def test_no_blob_can_be_put_in_anothers_place(vault: Path, card: Path, name: str) -> None:
    change, expected = SUBSTITUTIONS[name]
    for root, folder in ((vault, vault / RECORDER / "blobs"), (card, card / "blobs")):
        if name != "swapped entries" or root is vault:
            change(folder)
            found, where, _ = first(root)
            assert (found, "blobs/" in where) == (expected, True)


def test_a_stranger_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    writer = Writer()
    writer.add("journal_opened")
    write_journal(tmp_path / RECORDER, writer)
    dock = Writer(DOCK)
    dock.add("enrolled")
    write_journal(tmp_path / DOCK, dock)
    (tmp_path / RECORDER / "blobs").write_bytes(b"x")
    assert verdict(tmp_path) is Verdict.NOT_SIGNED


# Reports and words.


def test_a_report_may_be_there_before_its_journal_but_not_instead_of_it(vault: Path) -> None:
    writer = journal()
    short = Writer()
    short.entries, short.chain = writer.entries[:4], writer.chain
    (vault / RECORDER / "journal.jws").write_bytes(short.text)
    short.chain.head = writer.entries[3].head
    restate(vault, short)
    report = f"{RECORDER}/reports/{INTERRUPTION}.jws"
    assert verdict(vault) is Verdict.GAPS
    assert (report, "the journal up to it has not come in") in [
        (one.where, one.what) for one in verify_path(vault, TRUST).defects
    ]
    other = Writer()
    for kind in ("journal_opened", "docked", "undocked", "docked", "undocked", "docked"):
        other.add(kind)
    (vault / RECORDER / "journal.jws").write_bytes(other.text)
    shutil.rmtree(vault / RECORDER / "blobs")
    restate(vault, other)
    assert any(one.where == report for one in verify_path(vault, TRUST).defects)
    assert verdict(vault) is Verdict.NOT_AUTHENTIC


@pytest.mark.parametrize("kind", [BLOB_STORED, REPORT_TAKEN, EXPLANATION])
def test_a_word_of_the_dock_for_something_else_is_told(card: Path, kind: str) -> None:
    writer, dock = journal(), Writer(DOCK)
    entry = next(one for one in writer.entries if one.kind in ANSWERS[kind].kinds)
    name = word_file(kind, entry.fields[ANSWERS[kind].name])
    wrong = answer(dock, kind, entry).fields | {"recorder": "BWC-0009"}
    (card / "receipts" / name).write_text(f"{dock.add(kind, wrong, certified=True).token}\n")
    assert verdict(card) is Verdict.NOT_AUTHENTIC
    (card / "receipts" / name).write_text(f"{entry.token}\n")
    assert EXIT_CODES[verdict(card)] == 1


def test_a_word_on_nothing_is_a_stranger(card: Path) -> None:
    (card / "receipts" / word_file(REPORT_TAKEN, "0" * 12 + "-i0009")).touch()
    assert first(card)[::2] == (Verdict.NOT_SIGNED, "answers nothing in the journal")


def test_a_receipt_for_a_blob_of_which_the_whole_journal_says_nothing_is_not_authentic(vault: Path) -> None:
    writer = Writer()
    writer.add("journal_opened")
    shutil.rmtree(vault / RECORDER)
    write_journal(vault / RECORDER, writer)
    what = "the dock gave a receipt for it, but its entry is not in the journal"
    assert (Verdict.NOT_AUTHENTIC, what) in [(one.verdict, one.what) for one in verify_path(vault, TRUST).defects]


def test_a_journal_that_is_still_open_counts_its_blobs_too(tmp_path: Path) -> None:
    card = make_card(tmp_path / "spool", journal())
    (tmp_path / "spool" / "journal.db").unlink()
    (tmp_path / "spool" / "journal.db.head").unlink()
    store_journal(card / "journal.db", journal().entries)
    (card / "blobs" / STILL).write_bytes(b"")
    assert verdict(card) is Verdict.NOT_AUTHENTIC
