"""Old recordings stay valid after their key is revoked, newer ones do not: in a vault, on a card, on their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.errors import BadInputError
from evidence.io.command import main
from evidence.io.verify_files import verify_path
from evidence.journal import EMPTY, Head
from evidence.receipts import DOCK
from evidence.verify import Report, Verdict
from tests.evidence.golden import CA_PEM, PARTS, RECORDER, SEGMENT, TRUST, Writer, seal_fields, short_journal
from tests.evidence.trees import make_spool, make_vault, receipt_for, seal_of, write_journal

LATER = "3f2a9c1b7d04-00002"


def revoke(dock: Writer, writer: Writer, last: Head) -> None:
    fields = {"recorder": RECORDER, "kid": writer.signer.kid, "why": "lost", "last_seq": last.seq}
    dock.add("revoked", {**fields, "last_hash": last.hash})


def vault_of(root: Path, writer: Writer, dock: Writer) -> Path:
    make_vault(root, [writer])
    shutil.rmtree(root / DOCK)
    write_journal(root / DOCK, dock)
    return root


def found(report: Report) -> tuple[Verdict, str]:
    return report.verdict, report.first.what if report.first else ""


@pytest.fixture
def writer() -> Writer:
    return short_journal()


@pytest.fixture
def dock(writer: Writer) -> Writer:
    """Holds the whole short journal, has given a receipt for its segment, and revokes the key."""
    dock = Writer(DOCK)
    receipt_for(dock, seal_of(writer))
    revoke(dock, writer, writer.chain.head)
    return dock


def test_what_the_dock_held_before_stays_valid(tmp_path: Path, writer: Writer, dock: Writer) -> None:
    assert verify_path(vault_of(tmp_path, writer, dock), TRUST).verdict is Verdict.AUTHENTIC


def test_what_was_signed_later_is_not_authentic(tmp_path: Path, writer: Writer, dock: Writer) -> None:
    writer.add_segment(PARTS, LATER)
    vault = vault_of(tmp_path, writer, dock)
    assert found(verify_path(vault, TRUST)) == (
        Verdict.NOT_AUTHENTIC, "is signed by a key that was revoked after entry 10: lost",
    )  # fmt: skip


def test_another_past_written_with_the_stolen_key_is_not_authentic(tmp_path: Path, dock: Writer) -> None:
    thief = Writer()
    for kind in ("journal_opened", "power_on", "sign_on", "tamper"):
        thief.add(kind)
    thief.add_segment()
    for kind in ("recording_stopped", "power_off"):
        thief.add(kind)
    assert thief.chain.head.seq == 10
    told = [defect.what for defect in verify_path(vault_of(tmp_path, thief, dock), TRUST).defects]
    assert "is not the entry that the dock held when its key was revoked" in told


def test_of_two_revocations_of_a_key_the_first_counts(tmp_path: Path, writer: Writer, dock: Writer) -> None:
    writer.add_segment(PARTS, LATER)
    revoke(dock, writer, writer.chain.head)
    assert verify_path(vault_of(tmp_path, writer, dock), TRUST).verdict is Verdict.NOT_AUTHENTIC


def test_a_key_that_was_revoked_before_it_was_used_signs_nothing(tmp_path: Path, writer: Writer) -> None:
    dock = Writer(DOCK)
    revoke(dock, writer, EMPTY)
    what = "is signed by a key that was revoked after entry -1: lost"
    assert found(verify_path(vault_of(tmp_path, writer, dock), TRUST)) == (Verdict.NOT_AUTHENTIC, what)


@pytest.fixture
def docks_journal(tmp_path: Path, dock: Writer) -> Path:
    write_journal(tmp_path / DOCK, dock)
    return tmp_path / DOCK / "journal.jws"


def test_a_card_stays_valid_up_to_what_the_dock_held(tmp_path: Path, writer: Writer) -> None:
    spool = make_spool(tmp_path / "spool", writer)
    dock = Writer(DOCK)
    receipt_for(dock, seal_of(writer))
    revoke(dock, writer, writer.chain.head)
    write_journal(tmp_path / DOCK, dock)
    assert verify_path(spool, TRUST, tmp_path / DOCK / "journal.jws").verdict is Verdict.AUTHENTIC


def test_a_card_that_went_on_is_not_authentic(tmp_path: Path, writer: Writer, docks_journal: Path) -> None:
    spool = make_spool(tmp_path / "spool", writer)
    assert verify_path(spool, TRUST).verdict is Verdict.AUTHENTIC
    assert found(verify_path(spool, TRUST, docks_journal))[0] is Verdict.NOT_AUTHENTIC


def test_a_short_past_on_a_card_written_with_the_stolen_key_is_not_authentic(
    tmp_path: Path, docks_journal: Path
) -> None:
    thief = Writer()
    thief.add("journal_opened")
    thief.add_segment()
    spool = make_spool(tmp_path / "spool", thief)
    assert thief.chain.head.seq < 10
    assert verify_path(spool, TRUST).verdict is Verdict.AUTHENTIC
    what = "ends before entry 10, the last before its key was revoked: nobody can date it"
    assert found(verify_path(spool, TRUST, docks_journal)) == (Verdict.NOT_AUTHENTIC, what)


def lone_file(root: Path, token: str) -> Path:
    (root / f"{SEGMENT}.lhs").write_bytes(b"".join(PARTS))
    (root / f"{SEGMENT}.jws").write_text(f"{token}\n")
    return root / f"{SEGMENT}.lhs"


def test_a_segment_on_its_own_is_dated_by_its_receipt(tmp_path: Path, writer: Writer, docks_journal: Path) -> None:
    path = lone_file(tmp_path, seal_of(writer).token)
    assert verify_path(path, TRUST, docks_journal).verdict is Verdict.AUTHENTIC


def test_a_segment_on_its_own_without_a_receipt_is_not_authentic(
    tmp_path: Path, writer: Writer, docks_journal: Path
) -> None:
    later = writer.add("segment", seal_fields(PARTS, LATER), certified=True)
    path = lone_file(tmp_path, later.token)
    what = "is signed by a key that was revoked, and no receipt dates it before that: lost"
    assert found(verify_path(path, TRUST, docks_journal)) == (Verdict.NOT_AUTHENTIC, what)


def test_a_receipt_from_after_the_revocation_dates_nothing(tmp_path: Path, writer: Writer, dock: Writer) -> None:
    later = writer.add("segment", seal_fields(PARTS, LATER), certified=True)
    receipt_for(dock, later)
    write_journal(tmp_path / DOCK, dock)
    path = lone_file(tmp_path, later.token)
    assert verify_path(path, TRUST, tmp_path / DOCK / "journal.jws").verdict is Verdict.NOT_AUTHENTIC


def cut_off(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:1]))


def cut_off_with_the_head(path: Path) -> None:
    cut_off(path)
    path.with_name("journal.jws.head").unlink()


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b".", b"_", 1))


CUTS: dict[str, tuple[Callable[[Path], None], Verdict]] = {
    "the revocation cut off": (cut_off, Verdict.NOT_AUTHENTIC),
    "the revocation cut off with the statement of the end": (cut_off_with_the_head, Verdict.GAPS),
    "a word changed": (change, Verdict.NOT_AUTHENTIC),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_docks_journal_that_hides_the_revocation_is_told(
    tmp_path: Path, writer: Writer, docks_journal: Path, name: str
) -> None:
    cut, expected = CUTS[name]
    cut(docks_journal)
    path = lone_file(tmp_path, seal_of(writer).token)
    assert verify_path(path, TRUST, docks_journal).verdict is expected


def test_a_vault_has_its_own(tmp_path: Path, writer: Writer, dock: Writer, docks_journal: Path) -> None:
    vault = vault_of(tmp_path / "vault", writer, dock)
    with pytest.raises(BadInputError, match="a vault has the dock's journal in it"):
        verify_path(vault, TRUST, docks_journal)
    with pytest.raises(BadInputError, match="is not there"):
        verify_path(vault, TRUST, tmp_path / "none")


def test_the_command_takes_the_docks_journal(
    tmp_path: Path, writer: Writer, docks_journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ca.pem").write_bytes(CA_PEM)
    later = writer.add("segment", seal_fields(PARTS, LATER), certified=True)
    path = lone_file(tmp_path, later.token)
    arguments = ["verify", str(path), "--trust", str(tmp_path / "ca.pem")]
    assert main(arguments) == 0
    assert main([*arguments, "--dock-journal", str(docks_journal)]) == 1
    assert "was revoked" in capsys.readouterr().out
