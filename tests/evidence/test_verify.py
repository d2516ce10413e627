"""Evidence on a disc: whatever is done to it, the verdict is never `authentic`, and it names the place."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.certificates import Trust
from evidence.errors import LiuhenError
from evidence.io.command import main
from evidence.io.verify_files import verify_path
from evidence.journal import Chain, Entry, sign_head
from evidence.receipts import DOCK
from evidence.verify import EXIT_CODES, Form, Report, Verdict, check_segment
from tests.evidence.golden import (
    CA_PEM,
    FOREIGN_CA_PEM,
    OTHER,
    PARTS,
    RECORDER,
    SEGMENT,
    TRUST,
    Writer,
    certificate_of,
    opened,
    part_fields,
    seal_fields,
    short_journal,
    signer,
    stamp,
)
from tests.evidence.test_journal import payload, token_of
from tests.evidence.trees import (
    TINY_PARTS,
    close_journal,
    entry_after,
    file_hashes,
    make_spool,
    make_vault,
    seal_of,
    store_journal,
    tiny_journal,
    write_journal,
)

FOREIGN_TRUST = Trust(FOREIGN_CA_PEM)
LHS, JWS = f"{RECORDER}/{SEGMENT}.lhs", f"{RECORDER}/{SEGMENT}.jws"
JOURNAL, DOCK_JOURNAL = f"{RECORDER}/journal.jws", f"{DOCK}/journal.jws"
OFFSETS = [sum(map(len, PARTS[:index])) for index in range(len(PARTS) + 1)]


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return make_vault(tmp_path / "vault", [short_journal(), other_journal()])


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return make_spool(tmp_path / "spool", short_journal())


def other_journal() -> Writer:
    writer = Writer(OTHER)
    writer.add("journal_opened")
    writer.add_segment()
    return writer


def verdict(path: Path, trust: Trust = TRUST) -> Verdict:
    return verify_path(path, trust).verdict


def first(path: Path) -> tuple[Verdict, str, str]:
    report = verify_path(path, TRUST)
    assert report.first is not None
    return report.verdict, report.first.where, report.first.what


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def flipped(path: Path, step: int = 1) -> Iterator[int]:
    """Change a file by one bit in every byte (or every so many bytes), one after the other, and put it right again."""
    with path.open("r+b", buffering=0) as file:
        for place, good in list(enumerate(path.read_bytes()))[::step]:
            os.pwrite(file.fileno(), bytes([good ^ 1 << place % 8]), place)
            yield place
            os.pwrite(file.fileno(), bytes([good]), place)


def test_evidence_as_it_was_written_is_authentic(vault: Path, spool: Path) -> None:
    device = vault / RECORDER
    for path in (vault, device, vault / DOCK, device / f"{SEGMENT}.lhs", spool):
        before = file_hashes(path) if path.is_dir() else {}
        report = verify_path(path, TRUST)
        assert (report.verdict, report.defects) == (Verdict.AUTHENTIC, [])
        assert before == (file_hashes(path) if path.is_dir() else {})


def test_a_report_counts_what_was_looked_at(vault: Path) -> None:
    report = verify_path(vault, TRUST)
    size_bytes = OFFSETS[-1]
    assert (report.entries, report.segments, report.checked_bytes) == (11 + 6 + 2, 2, 2 * size_bytes)


def test_a_folder_is_known_by_its_name_from_wherever_one_looks(vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(vault / RECORDER)
    assert verdict(Path()) is verdict(Path("../dock")) is verdict(Path("..")) is Verdict.AUTHENTIC


# One bit in every byte of every file.

of_damaged_certificates = pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")


@of_damaged_certificates
def test_no_bit_of_a_vaults_journals_can_be_changed_unseen(tmp_path: Path) -> None:
    for owner in (RECORDER, DOCK):
        writer = Writer(owner)
        writer.add("journal_opened")
        write_journal(tmp_path / owner, writer)
    for name in file_hashes(tmp_path):
        for place in flipped(tmp_path / name):
            assert EXIT_CODES[verdict(tmp_path)] == 1, f"{name} byte {place}"
    assert verdict(tmp_path) is Verdict.AUTHENTIC


@of_damaged_certificates
def test_no_bit_of_a_vault_can_be_changed_unseen(tmp_path: Path) -> None:
    """Of its journals every seventh byte: every byte of one is above, every bit of a token in test_journal.py."""
    vault = make_vault(tmp_path, [tiny_journal()], TINY_PARTS)
    for name in file_hashes(vault):
        for place in flipped(vault / name, step=7 if name.endswith("journal.jws") else 1):
            assert EXIT_CODES[verdict(vault)] == 1, f"{name} byte {place}"
    assert verdict(vault) is Verdict.AUTHENTIC


@of_damaged_certificates
def test_no_bit_of_a_spool_can_be_changed_unseen(tmp_path: Path) -> None:
    spool = make_spool(tmp_path, tiny_journal(), TINY_PARTS)
    for name in file_hashes(spool).keys() - {"journal.db"}:
        for place in flipped(spool / name):
            assert EXIT_CODES[verdict(spool)] == 1, f"{name} byte {place}"
    assert verdict(spool) is Verdict.AUTHENTIC


@of_damaged_certificates
def test_no_bit_of_a_closed_journals_database_can_be_changed_unseen(tmp_path: Path) -> None:
    writer = Writer()
    writer.add("journal_opened")
    close_journal(tmp_path / "journal.db", writer)
    for place in flipped(tmp_path / "journal.db"):
        assert EXIT_CODES[verdict(tmp_path)] == 1, place
    assert verdict(tmp_path) is Verdict.AUTHENTIC


@of_damaged_certificates
def test_no_bit_of_a_segment_on_its_own_can_be_changed_unseen(tmp_path: Path) -> None:
    vault = make_vault(tmp_path, [tiny_journal()], TINY_PARTS)
    for name in (LHS, JWS):
        for place in flipped(vault / name):
            assert EXIT_CODES[verdict(vault / LHS)] == 1, f"{name} byte {place}"


@of_damaged_certificates
def test_an_open_journal_with_a_changed_bit_is_judged_or_refused_but_never_crashes(tmp_path: Path) -> None:
    """Nothing but the signed tokens protects the database of a recorder that was cut off."""
    spool = make_spool(tmp_path, tiny_journal(), TINY_PARTS, close=False)
    for place in flipped(spool / "journal.db", step=11):
        try:
            assert verdict(spool) is not Verdict.AUTHENTIC, place
        except LiuhenError as error:
            assert "\n" not in str(error)  # noqa: PT017


# Lines of journals.


def edits(lines: list[bytes]) -> dict[str, list[bytes]]:
    """Every single line dropped, repeated, or swapped with the next one."""
    edited = {}
    for place in range(len(lines)):
        edited[f"line {place} dropped"] = lines[:place] + lines[place + 1 :]
        edited[f"line {place} repeated"] = lines[: place + 1] + lines[place:]
    for place in range(len(lines) - 1):
        swapped = [lines[place + 1], lines[place]]
        edited[f"line {place} swapped"] = lines[:place] + swapped + lines[place + 2 :]
    return edited


@pytest.mark.parametrize("name", [JOURNAL, DOCK_JOURNAL])
def test_no_line_of_a_journal_can_be_dropped_repeated_or_swapped(vault: Path, name: str) -> None:
    good = lines_of(vault / name)
    for done, bad in edits(good).items():
        (vault / name).write_bytes(b"".join(bad))
        assert EXIT_CODES[verdict(vault)] == 1, done


def test_no_row_of_a_journals_database_can_be_dropped_or_swapped(spool: Path) -> None:
    """Nor by somebody who also takes the statement of its end away."""
    (spool / "journal.db.head").unlink()
    for sql in (
        "delete from entries where seq = 4",
        "update entries set seq = -1 where seq = 4",
        "update entries set token = (select token from entries where seq = 5) where seq = 4",
        "update entries set token = x'00ff' where seq = 4",
        "update entries set token = 7 where seq = 4",
    ):
        shutil.copy(spool / "journal.db", spool / "good")
        with closing(sqlite3.connect(spool / "journal.db")) as db:
            db.execute(sql)
            db.commit()
            db.execute("pragma wal_checkpoint(truncate)")
        assert EXIT_CODES[verdict(spool)] == 1, sql
        shutil.move(spool / "good", spool / "journal.db")


@pytest.mark.parametrize(
    ("keep", "told"), [(10, "entries 10 to 10 at its end are missing"), (9, "entries 9 to 10 at its end are missing")]
)
def test_a_missing_end_is_told(vault: Path, keep: int, told: str) -> None:
    (vault / JOURNAL).write_bytes(b"".join(lines_of(vault / JOURNAL)[:keep]))
    assert first(vault) == (Verdict.NOT_AUTHENTIC, f"journal of {RECORDER}", told)


def test_a_missing_end_of_a_closed_spool_is_told(spool: Path) -> None:
    writer = short_journal()
    (spool / "journal.db").unlink()
    store_journal(spool / "journal.db", writer.entries[:-2])
    told = [defect.what for defect in verify_path(spool, TRUST).defects]
    assert "is not the file that was closed: a byte has changed" in told
    assert "entries 9 to 11 at its end are missing" in told


def test_a_journal_that_forked_before_its_stated_end_is_told(vault: Path) -> None:
    """Written by whoever has the recorder's key, and longer than what the dock has acknowledged."""
    writer, forked = short_journal(), Writer()
    for entry in writer.entries[:9]:
        forked.entries.append(entry)
        forked.chain.advance(entry)
    for _ in range(4):
        forked.add("bookmark")
    (vault / JOURNAL).write_bytes(forked.text)
    told = (Verdict.NOT_AUTHENTIC, f"journal of {RECORDER}", "entry 10 is not the entry that was stated")
    assert first(vault / RECORDER) == told


def test_a_journal_may_be_longer_than_its_stated_end(vault: Path) -> None:
    with (vault / JOURNAL).open("ab") as file:
        file.write(f"{entry_after(short_journal()).token}\n".encode())
    assert verdict(vault) is Verdict.AUTHENTIC


def test_a_torn_line_at_the_end_is_told(vault: Path) -> None:
    with (vault / JOURNAL).open("ab") as file:
        file.write(entry_after(short_journal()).token.encode())
    found, where, what = first(vault)
    assert (found, what) == (Verdict.NOT_AUTHENTIC, "is torn or holds a byte that no token has")
    assert where.endswith(f"{JOURNAL} line 12")


# Parts of segments.


def check(content: bytes, parts: tuple[bytes, ...] = PARTS) -> tuple[tuple[int, ...], int | None, int]:
    writer = Writer()
    writer.add_segment(parts)
    found = check_segment(seal_of(writer), Form.STORED, len(content), lambda at, size: content[at : at + size])
    return found.missing, found.first_bad, found.bad_at_bytes


SEGMENTS: dict[str, tuple[bytes, tuple[int, ...], int | None, int]] = {
    "whole": (b"".join(PARTS), (), None, OFFSETS[4]),
    "nothing left": (b"", (0, 1, 2, 3), None, 0),
    "first part missing": (b"".join(PARTS[1:]), (0,), None, OFFSETS[4] - OFFSETS[1]),
    "middle part missing": (PARTS[0] + PARTS[2] + PARTS[3], (1,), None, OFFSETS[4] - len(PARTS[1])),
    "last part missing": (b"".join(PARTS[:3]), (3,), None, OFFSETS[3]),
    "two parts missing": (PARTS[0] + PARTS[3], (1, 2), None, len(PARTS[0] + PARTS[3])),
    "last part torn": (b"".join(PARTS)[:-1], (3,), 3, OFFSETS[3]),
    "bytes after the end": (b"".join(PARTS) + b"x", (), 4, OFFSETS[4]),
    "part repeated": (PARTS[0] + PARTS[1] + PARTS[1] + PARTS[2] + PARTS[3], (2, 3), 2, OFFSETS[2]),
    "parts swapped": (PARTS[0] + PARTS[2] + PARTS[1] + PARTS[3], (1, 3), 3, len(PARTS[0] + PARTS[2])),
    "part altered": (PARTS[0] + b"FRAGMENT one" + PARTS[2] + PARTS[3], (1, 2, 3), 1, OFFSETS[1]),
    "one missing, a later one altered": (PARTS[0] + PARTS[2] + b"Three", (1, 3), 3, len(PARTS[0] + PARTS[2])),
    "one missing, bytes after the end": (PARTS[0] + PARTS[2] + PARTS[3] + b"x", (1,), 4, OFFSETS[4] - len(PARTS[1])),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_parts_are_missing_or_bad_from_a_place_on(name: str) -> None:
    content, *expected = SEGMENTS[name]
    assert list(check(content)) == expected


@pytest.mark.parametrize("name", [name for name in SEGMENTS if name != "whole"])
def test_what_was_done_to_a_segment_decides_the_verdict(vault: Path, name: str) -> None:
    content, missing, first_bad, bad_at_bytes = SEGMENTS[name]
    (vault / LHS).write_bytes(content)
    for path, where in ((vault, LHS), (vault / LHS, f"{SEGMENT}.lhs")):
        if first_bad is None:
            listed = ", ".join(map(str, missing))
            assert first(path) == (Verdict.GAPS, where, f"{len(missing)} of 4 parts are missing: {listed}")
        else:
            part = "after the last part" if first_bad == 4 else f"part {first_bad} of 4"
            told = (Verdict.NOT_AUTHENTIC, f"{where} byte {bad_at_bytes}", f"{part} is not what was signed")
            assert first(path) == told


different_parts = st.lists(st.binary(min_size=1, max_size=6), min_size=1, max_size=6, unique=True)


@given(parts=different_parts, kept=st.lists(st.integers(0, 5), max_size=8))
def test_only_parts_in_their_order_are_anything_but_altered(parts: list[bytes], kept: list[int]) -> None:
    kept = [index for index in kept if index < len(parts)]
    missing, first_bad, _ = check(b"".join(parts[index] for index in kept), tuple(parts))
    in_order = kept == sorted(set(kept))
    if in_order:
        assert first_bad is None
        assert sum(len(parts[i]) for i in range(len(parts)) if i not in missing) == sum(len(parts[i]) for i in kept)
    elif first_bad is None:
        # Short parts may happen to read the same in another order; then nothing was altered.
        assert b"".join(parts[i] for i in kept) == b"".join(parts[i] for i in range(len(parts)) if i not in missing)


@given(parts=different_parts, content=st.binary(max_size=40))
def test_any_bytes_give_a_verdict_about_a_segment(parts: list[bytes], content: bytes) -> None:
    missing, first_bad, bad_at_bytes = check(content, tuple(parts))
    assert 0 <= bad_at_bytes <= len(content)
    assert (first_bad is None) == (bad_at_bytes == len(content))
    if first_bad is None:
        assert content == b"".join(part for index, part in enumerate(parts) if index not in missing)


def test_a_seal_over_parts_and_a_file_that_do_not_agree_is_told(tmp_path: Path) -> None:
    writer = Writer()
    writer.add("segment", seal_fields(PARTS) | {"sha256": seal_fields(PARTS[:2])["sha256"]})
    (tmp_path / "x.mp4").write_bytes(b"".join(map(opened, PARTS)))
    (tmp_path / "x.jws").write_text(f"{writer.tokens[0]}\n")
    assert first(tmp_path / "x.mp4")[::2] == (Verdict.NOT_AUTHENTIC, "seals parts and a file that do not agree")


def test_a_segment_that_was_sealed_as_incomplete_has_gaps(tmp_path: Path) -> None:
    writer = Writer()
    writer.add("segment", seal_fields(PARTS, complete=False))
    (tmp_path / "x.lhs").write_bytes(b"".join(PARTS))
    (tmp_path / "x.jws").write_text(f"{writer.tokens[0]}\n")
    assert first(tmp_path / "x.lhs") == (Verdict.GAPS, "x.lhs", "was sealed as incomplete by the recorder")


def test_a_segment_needs_a_seal_beside_it(tmp_path: Path) -> None:
    writer = short_journal()
    (tmp_path / "x.lhs").write_bytes(b"".join(PARTS))
    (tmp_path / "x.jws").write_text(f"{writer.tokens[5]}\n")
    assert verdict(tmp_path / "x.lhs") is Verdict.UNKNOWN_KEY
    (tmp_path / "x.jws").write_text(f"{writer.tokens[0]}\n")
    assert first(tmp_path / "x.lhs")[::2] == (Verdict.NOT_SIGNED, "is an entry of kind journal_opened, not a seal")


# Files that are gone, strange, or somebody else's.

VAULT_WITHOUT: dict[str, tuple[Verdict, str]] = {
    LHS: (Verdict.GAPS, "was sealed by the recorder and is not here"),
    JWS: (Verdict.GAPS, "is missing"),
    JOURNAL: (Verdict.NOT_SIGNED, "is missing: nothing here counts"),
    f"{JOURNAL}.head": (Verdict.GAPS, "is missing: nobody can say whether the journal's end is here"),
    f"{DOCK_JOURNAL}.head": (Verdict.GAPS, "is missing: nobody can say whether the journal's end is here"),
    RECORDER: (Verdict.GAPS, "is missing: the dock gave receipts for what it stored there"),
}


@pytest.mark.parametrize("name", VAULT_WITHOUT)
def test_nothing_can_be_taken_out_of_a_vault_unseen(vault: Path, name: str) -> None:
    if (vault / name).is_dir():
        shutil.rmtree(vault / name)
    else:
        (vault / name).unlink()
    found, where, what = first(vault)
    assert where.rstrip("/") == name
    assert (found, what) == VAULT_WITHOUT[name]


def test_a_vault_without_the_docks_journal_cannot_be_judged(vault: Path) -> None:
    (vault / DOCK_JOURNAL).unlink()
    with pytest.raises(LiuhenError, match="lacks the dock's own journal"):
        verify_path(vault, TRUST)


def test_a_segment_altered_where_the_journal_was_taken_away_is_not_authentic(vault: Path) -> None:
    (vault / JOURNAL).unlink()
    (vault / LHS).write_bytes(b"something else")
    assert EXIT_CODES[verdict(vault)] == 1


SPOOL_WITHOUT: dict[str, tuple[Verdict, str]] = {
    f"segments/{SEGMENT}.lhs": (Verdict.GAPS, "is not here and was never released"),
    f"receipts/{SEGMENT}.jws": (Verdict.GAPS, "was journalled and is not here"),
    "journal.db.head": (Verdict.GAPS, "is missing: the journal is open, or nobody can say whether its end is here"),
}


@pytest.mark.parametrize("name", SPOOL_WITHOUT)
def test_nothing_can_be_taken_out_of_a_spool_unseen(spool: Path, name: str) -> None:
    (spool / name).unlink()
    found, where, what = first(spool)
    assert (found, where, what) == (SPOOL_WITHOUT[name][0], name, SPOOL_WITHOUT[name][1])


def test_a_segment_that_was_released_need_not_be_here(tmp_path: Path) -> None:
    writer = short_journal()
    writer.add("released")
    spool = make_spool(tmp_path, writer)
    (spool / "segments" / f"{SEGMENT}.lhs").unlink()
    assert verdict(spool) is Verdict.AUTHENTIC


STRANGERS = ["x.lhs", f"{RECORDER}/x.lhs", f"{RECORDER}/{SEGMENT}.txt", f"{DOCK}/x", f"{RECORDER}/folder/x", "BWC-9/x"]


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_in_a_vault_is_told(vault: Path, name: str) -> None:
    (vault / name).parent.mkdir(exist_ok=True)
    (vault / name).write_bytes(b"x")
    assert verdict(vault) is Verdict.NOT_SIGNED


@pytest.mark.parametrize("name", ["x", "segments/x.lhs", "receipts/x.jws", f"receipts/{SEGMENT}.txt", ".x.lock"])
def test_a_stranger_in_a_spool_is_told(spool: Path, name: str) -> None:
    (spool / name).write_bytes(b"x")
    assert verdict(spool) is Verdict.NOT_SIGNED


def test_a_link_into_nowhere_is_a_stranger(vault: Path) -> None:
    (vault / RECORDER / ".x.lock").symlink_to(vault / "nowhere")
    assert verdict(vault) is Verdict.NOT_SIGNED


def test_locks_and_an_unfinished_statement_are_no_strangers(vault: Path, spool: Path) -> None:
    (vault / RECORDER / ".journal.jws.lock").touch()
    assert verdict(vault) is Verdict.AUTHENTIC
    for root, name in ((vault, f"{JOURNAL}.head.new"), (spool, "journal.db.head.new")):
        (root / name).write_bytes(b"torn")
        assert first(root) == (Verdict.GAPS, name, "was being written when something broke off")


Change = Callable[[Path], object]


def move_device(vault: Path) -> None:
    (vault / RECORDER).rename(vault / "BWC-0003")


def exchange_devices(vault: Path) -> None:
    (vault / RECORDER).rename(vault / "aside")
    (vault / OTHER).rename(vault / RECORDER)
    (vault / "aside").rename(vault / OTHER)


def exchange_devices_without_heads(vault: Path) -> None:
    for device in (RECORDER, OTHER):
        (vault / device / "journal.jws.head").unlink()
    exchange_devices(vault)


def journal_of_a_recorder_as_the_docks(vault: Path) -> None:
    """Whoever has a recorder's key is no dock: gives no receipts and states no ends."""
    forger = tiny_journal()
    shutil.rmtree(vault / DOCK)
    write_journal(vault / DOCK, forger)
    stated = sign_head(forger.signer, DOCK, forger.chain.head)
    (vault / DOCK / "journal.jws.head").write_text(f"{stated}\n")


def head_by_the_recorder(vault: Path) -> None:
    stated = sign_head(signer(RECORDER), RECORDER, short_journal().chain.head)
    (vault / f"{JOURNAL}.head").write_text(f"{stated}\n")


def head_of_another(vault: Path) -> None:
    shutil.copy(vault / OTHER / "journal.jws.head", vault / f"{JOURNAL}.head")


def receipt_for_another_seal(vault: Path) -> None:
    """The dock signed for a segment that the recorder's journal does not have like this."""
    writer = short_journal()
    dock = Writer(DOCK)
    seal = seal_of(writer)
    fields = {name: seal.fields[name] for name in ("segment", "sha256", "stored_bytes")}
    dock.add("stored", fields | {"recorder": RECORDER, "seal_seq": seal.seq, "seal_hash": writer.entries[0].head.hash})
    shutil.rmtree(vault / DOCK)
    write_journal(vault / DOCK, dock)


def receipt_without_a_seal(vault: Path) -> None:
    dock = Writer(DOCK)
    seal = seal_of(short_journal())
    fields = {name: seal.fields[name] for name in ("sha256", "stored_bytes")}
    fields |= {"recorder": RECORDER, "seal_seq": seal.seq, "seal_hash": seal.head.hash}
    dock.add("stored", {"segment": "3f2a9c1b7d04-00002", **fields})
    shutil.rmtree(vault / DOCK)
    write_journal(vault / DOCK, dock)


def seal_of_another_beside(vault: Path) -> None:
    shutil.copy(vault / OTHER / f"{SEGMENT}.jws", vault / JWS)


def journal_by_a_foreign_ca(vault: Path) -> None:
    forger = Writer(RECORDER, "stolen name", certificate_of("stolen name", root="foreign root"))
    forger.add("journal_opened")
    (vault / JOURNAL).write_bytes(forger.text)


SUBSTITUTIONS: dict[str, tuple[Change, Verdict, str]] = {
    "folder renamed": (move_device, Verdict.NOT_AUTHENTIC, "belongs to BWC-0001, in a journal of BWC-0003"),
    "folders exchanged": (exchange_devices, Verdict.NOT_AUTHENTIC, "in a journal of"),
    "folders exchanged, heads gone": (exchange_devices_without_heads, Verdict.NOT_AUTHENTIC, "in a journal of"),
    "dock's journal by a recorder": (journal_of_a_recorder_as_the_docks, Verdict.NOT_AUTHENTIC, "in a journal of dock"),
    "end stated by the recorder": (head_by_the_recorder, Verdict.NOT_AUTHENTIC, "names key"),
    "end of another journal": (head_of_another, Verdict.NOT_AUTHENTIC, "speaks of the journal of BWC-0002"),
    "receipt for another seal": (receipt_for_another_seal, Verdict.NOT_AUTHENTIC, "another seal_hash than the seal"),
    "receipt without a seal": (receipt_without_a_seal, Verdict.NOT_AUTHENTIC, "its entry is not in the journal"),
    "seal of another": (seal_of_another_beside, Verdict.NOT_AUTHENTIC, "is not the seal that stands in the journal"),
    "journal by a foreign CA": (journal_by_a_foreign_ca, Verdict.UNKNOWN_KEY, "not issued by the trusted CA"),
}


@pytest.mark.parametrize("name", SUBSTITUTIONS)
def test_nothing_in_a_vault_can_be_put_in_anothers_place(vault: Path, name: str) -> None:
    change, expected, told = SUBSTITUTIONS[name]
    change(vault)
    found, _, what = first(vault)
    assert found is expected
    assert told in what


def test_a_receipt_by_anybody_but_the_dock_is_told(spool: Path) -> None:
    seal, path = seal_of(short_journal()), spool / "receipts" / f"{SEGMENT}.jws"
    fields = {name: seal.fields[name] for name in ("segment", "sha256", "stored_bytes")}
    fields |= {"recorder": RECORDER, "seal_seq": seal.seq, "seal_hash": seal.head.hash}
    for owner, expected in ((RECORDER, "is an entry of kind stored by BWC-0001"), (DOCK, "is signed by the recorder")):
        forged = Chain(owner, signer(RECORDER)).make(stamp(), "stored", fields, [certificate_of(RECORDER)])
        path.write_text(f"{forged.token}\n")
        assert any(expected in defect.what for defect in verify_path(spool, TRUST).defects)
        assert EXIT_CODES[verdict(spool)] == 1


def test_a_foreign_root_vouches_for_nothing(vault: Path, spool: Path) -> None:
    for path in (vault, vault / RECORDER, vault / LHS, spool):
        assert verdict(path, FOREIGN_TRUST) is Verdict.UNKNOWN_KEY


def test_an_empty_journal_is_not_signed(vault: Path) -> None:
    (vault / JOURNAL).write_bytes(b"")
    told = [(defect.verdict, defect.what) for defect in verify_path(vault, TRUST).defects]
    assert (Verdict.NOT_SIGNED, "holds no entry") in told
    assert (Verdict.NOT_AUTHENTIC, "entries 0 to 10 at its end are missing") in told
    assert (Verdict.NOT_AUTHENTIC, "the dock gave a receipt for it, but its entry is not in the journal") in told


# A segment that was being written when the power went.


def open_spool(root: Path, content: bytes) -> Path:
    writer = Writer()
    writer.add("journal_opened")
    writer.add_segment(seal=False)
    (root / "segments").mkdir(parents=True)
    (root / "segments" / f"{SEGMENT}.lhs").write_bytes(content)
    store_journal(root / "journal.db", writer.entries)
    return root


@pytest.mark.parametrize(
    ("content", "found", "told"),
    [
        (b"".join(PARTS), Verdict.GAPS, "is not sealed; 0 bytes at its end are not journalled"),
        (b"".join(PARTS) + b"torn", Verdict.GAPS, "is not sealed; 4 bytes at its end are not journalled"),
        (b"".join(PARTS[:3]), Verdict.GAPS, "is not sealed; 1 of 4 parts are missing: 3"),
        (b"".join(PARTS)[:-1], Verdict.NOT_AUTHENTIC, "part 3 is not what was signed"),
        (b"x" + b"".join(PARTS), Verdict.NOT_AUTHENTIC, "part 0 is not what was signed"),
    ],
)
def test_a_segment_without_a_seal_is_compared_with_its_entries(
    tmp_path: Path, content: bytes, found: Verdict, told: str
) -> None:
    report = verify_path(open_spool(tmp_path, content), TRUST)
    assert report.verdict is found
    assert told in [defect.what for defect in report.defects]


def test_a_later_kind_may_name_anything_a_segment(tmp_path: Path) -> None:
    """What an unknown kind says leads nowhere on our disc."""
    writer = short_journal()
    chain = writer.chain
    entry: Entry = chain.make(stamp(), "mirrored", {"segment": "../../../etc/passwd"})
    chain.advance(entry)
    writer.entries.append(entry)
    assert verdict(make_spool(tmp_path, writer)) is Verdict.AUTHENTIC


# The command.


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_bytes(CA_PEM)
    return tmp_path / "ca.pem"


def run(*arguments: object) -> int:
    return main(["verify", *map(str, arguments)])


def test_exit_codes(vault: Path, ca: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(vault, "--trust", ca) == 0
    assert capsys.readouterr().out.startswith(
        "真实完整 authentic\n  19 entries, 2 segments, 0 photos and notes, 0.0 MB checked\n"
    )
    (vault / LHS).write_bytes(PARTS[0])
    assert run(vault, "--trust", ca) == 3
    assert f"  first: {LHS}: 3 of 4 parts are missing: 1, 2, 3\n" in capsys.readouterr().out
    (vault / LHS).write_bytes(b"x" + b"".join(PARTS[1:]))
    assert run(vault, "--trust", ca) == 1
    out = capsys.readouterr().out
    assert out.startswith("不真实 not authentic\n")
    assert f"  first: {LHS} byte 0: part 0 of 4 is not what was signed\n" in out


def test_without_a_root_nobody_vouches(vault: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(vault) == 1
    assert "密钥不明 unknown key" in capsys.readouterr().out


def test_a_newer_version_is_neither_good_nor_bad(tmp_path: Path, ca: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = tiny_journal()
    newer = token_of(payload(v=2, seq=writer.chain.head.seq + 1, prev=writer.chain.head.hash))
    vault = make_vault(tmp_path / "vault", [writer], TINY_PARTS)
    with (vault / JOURNAL).open("a") as file:
        file.write(f"{newer}\n")
    assert run(vault, "--trust", ca) == 2
    assert "格式版本较新 newer version" in capsys.readouterr().out


UNREADABLE: dict[str, Callable[[Path, Path], list[object]]] = {
    "nothing there": lambda root, ca: [root / "none", "--trust", ca],
    "no evidence": lambda root, ca: [root, "--trust", ca],
    "a file of another kind": lambda _, ca: [ca, "--trust", ca],
    "a root that is none": lambda root, _: [root, "--trust", root / DOCK_JOURNAL],
    "a root that is not there": lambda root, _: [root, "--trust", root / "none"],
    "a root that is a folder": lambda root, _: [root, "--trust", root],
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_told_in_one_line(
    tmp_path: Path, ca: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    make_vault(tmp_path / "root" / "inner", [tiny_journal()], TINY_PARTS)
    arguments = UNREADABLE[name](tmp_path / "root", ca)
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("liuhen verify: ")


def test_a_segment_without_its_entry_is_told_in_one_line(
    vault: Path, ca: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (vault / JWS).unlink()
    assert run(vault / LHS, "--trust", ca) == 2
    assert f"has no entry beside it (put its entry into {SEGMENT}.jws)\n" in capsys.readouterr().err


def test_the_report_for_machines(vault: Path, ca: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (vault / LHS).write_bytes(PARTS[0])
    assert run(vault, "--trust", ca, "--json") == 3
    assert json.loads(capsys.readouterr().out) == {
        "verdict": "authentic with gaps",
        "entries": 19,
        "segments": 2,
        "blobs": 0,
        "checked_bytes": OFFSETS[-1] + len(PARTS[0]),
        "defects": [
            {"verdict": "authentic with gaps", "where": LHS, "what": "3 of 4 parts are missing: 1, 2, 3"},
        ],
    }


def test_many_defects_are_counted_not_listed(vault: Path, ca: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(30):
        (vault / RECORDER / f"stranger {number}").touch()
    assert run(vault, "--trust", ca) == 1
    assert capsys.readouterr().out.endswith("  and 9 more\n")


def test_the_worst_verdict_counts_and_its_first_defect_is_named() -> None:
    report = Report()
    assert (report.verdict, report.first) == (Verdict.AUTHENTIC, None)
    report.add(Verdict.GAPS, "a", "1")
    report.add(Verdict.NOT_SIGNED, "b", "2")
    report.add(Verdict.UNKNOWN_KEY, "c", "3")
    report.add(Verdict.NOT_SIGNED, "d", "4")
    assert report.verdict is Verdict.NOT_SIGNED
    assert report.first is not None
    assert report.first.where == "b"


def test_a_part_may_be_of_no_length_only_in_a_strange_seal() -> None:
    assert check(b"a", (b"a", b"")) == ((1,), None, 1)
    assert part_fields(1, 0, b"")["bytes"] == 0
