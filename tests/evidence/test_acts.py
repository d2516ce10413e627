"""What a dock says to have opened or cleared is believed of persons who have signed for it, and of nobody else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.acts import about_block
from evidence.io.verify_files import verify_path
from evidence.journal import Entry
from evidence.persons import Act
from evidence.receipts import DOCK
from evidence.verify import Report, Verdict
from tests.evidence.golden import OTHER, RECORDER, SEGMENT, TRUST, hash_of, short_journal
from tests.evidence.people import LI, REQUEST, WANG, ZHANG, Told, everybody, statement
from tests.evidence.trees import make_vault, receipt_for, seal_of, write_journal


def judge(root: Path, told: Told) -> Report:
    """A vault whose dock has told this."""
    writer = short_journal()
    receipt_for(told.writer, seal_of(writer))
    make_vault(root, [writer])
    shutil.rmtree(root / DOCK)
    write_journal(root / DOCK, told.writer)
    return verify_path(root, TRUST)


def opens(told: Told, recorder: str = RECORDER, item: str = SEGMENT, request: str = REQUEST) -> Told:
    return told.say("opened", request=request, recorder=recorder, item=item, sha256=hash_of(b""))


# The rules themselves are tested in test_approvals.
UNSIGNED: dict[str, tuple[Callable[[], Told], str]] = {
    "without a request": (lambda: opens(everybody()), "nobody has asked for this"),
    "without an approval": (lambda: opens(everybody().ask()), "nobody has approved it"),
    "before it was approved": (lambda: opens(everybody().ask()).approve(), "nobody has approved it"),
    "after the approver's key was revoked": (lambda: opens(everybody().ask().approve().revoke(LI)), "is revoked"),
    "another item": (lambda: opens(everybody().ask().approve(), item=hash_of(b"x")), "does not hold this recording"),
    "another recorder": (lambda: opens(everybody().ask().approve(), recorder=OTHER), "does not hold this recording"),
}


@pytest.mark.parametrize("name", UNSIGNED)
def test_an_opening_that_nobody_has_signed_for_is_told(tmp_path: Path, name: str) -> None:
    make, what = UNSIGNED[name]
    report = judge(tmp_path, make())
    assert report.verdict is Verdict.GAPS
    (defect,) = report.defects
    assert defect.where.startswith("dock/journal.jws entry ")
    assert what in defect.what


def test_an_opening_that_two_persons_have_signed_for_is_right_for_ever(tmp_path: Path) -> None:
    """Who is revoked afterwards had the right to at that time."""
    report = judge(tmp_path, opens(everybody().ask().approve()).revoke(LI).revoke(ZHANG))
    assert (report.verdict, report.defects) == (Verdict.AUTHENTIC, [])


def block(told: Told, recorder: str = RECORDER) -> Entry:
    head = told.writer.chain.head.hash
    return told.say_entry("blocked", recorder=recorder, why="fork", entry_seq=4, entry_hash=None, other_hash=head)


def clear(told: Told, seq: int, *statements: str) -> Told:
    return told.say("cleared", recorder=RECORDER, blocked_seq=seq, statements=list(statements))


def by(blocked: Entry, *persons: str) -> list[str]:
    return [statement(person, Act.CLEAR, about_block(blocked)) for person in persons]


def of_nobody() -> Told:
    told = Told().enrol(LI).enrol(WANG)
    return clear(told, block(told).seq, "a.b.c", "d.e.f")


def of_one() -> Told:
    told = Told().enrol(LI).enrol(WANG)
    blocked = block(told)
    return clear(told, blocked.seq, *by(blocked, LI, LI))


def of_two_for_an_earlier_block() -> Told:
    told = Told().enrol(LI).enrol(WANG)
    blocked = block(told)
    return clear(told, block(told).seq, *by(blocked, LI, WANG))


def of_two_for_another_recorder() -> Told:
    told = Told().enrol(LI).enrol(WANG)
    blocked, others = block(told), block(told, OTHER)
    assert blocked.seq < others.seq
    return clear(told, others.seq, *by(others, LI, WANG))


NOT_CLEARED: dict[str, tuple[Callable[[], Told], str]] = {
    "of nobody": (of_nobody, "statement"),
    "of one person": (of_one, "two different persons"),
    "of two for an earlier block": (of_two_for_an_earlier_block, "about this"),
    "of two for another recorder": (of_two_for_another_recorder, "does not block it"),
}


@pytest.mark.parametrize("name", NOT_CLEARED)
def test_a_recorder_stays_blocked_on_the_word(tmp_path: Path, name: str) -> None:
    make, what = NOT_CLEARED[name]
    report = judge(tmp_path, make())
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert any(what in defect.what for defect in report.defects)
    assert report.first is not None
    assert "the dock has blocked the recorder (fork): its key has signed another one" in report.first.what


def test_a_recorder_is_blocked_until_two_persons_have_cleared_it(tmp_path: Path) -> None:
    told = Told().enrol(LI).enrol(WANG)
    block(told)
    blocked = block(told)
    report = judge(tmp_path, clear(told, blocked.seq, *by(blocked, LI, WANG)))
    assert (report.verdict, report.defects) == (Verdict.AUTHENTIC, [])
