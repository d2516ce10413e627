"""At the dock, with some key or none: nobody sees evidence that two persons have not signed for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dock.dock_journal import DockJournal
from dock.passphrase import read_passphrase
from dock.person_desk import PersonDesk, PersonKey, load_person
from dock.vault_key import load_vault_key
from dock.vault_shares import split_vault_key, unlock_with_shares
from evidence.approvals import Asked, about_approval
from evidence.certificates import Trust
from evidence.errors import LiuhenError
from evidence.io.durable import PosixDisc
from evidence.io.verify_files import verify_path
from evidence.journal import token_hash
from evidence.persons import Act
from evidence.signing import KeySigner
from evidence.verify import Verdict
from tests.dock.fake_recorder import FakeRecorder, StillClock, hash_of, make_dock
from tests.dock.people import person_at
from tests.dock.test_opening import DEVICE, LI, PARTS, SEGMENT, STILL, ZHANG, Unit, opened_items, passphrase_of, unit
from tests.evidence.golden import stamp
from tests.evidence.people import WANG

__all__ = ["unit"]
ASKED = Asked(DEVICE, (SEGMENT,), "复议")


def see(unit: Unit, request: str, item: str = SEGMENT) -> None:
    """All that an attacker at the dock has left to do, once he has what he takes for an approval."""
    unit.opening().write_out(request, DEVICE, item, unit.key, unit.root / "out")


def journal(unit: Unit, kind: str, request: str, token: str) -> None:
    """As the clerk can who has the dock's key: without asking whether it may be."""
    with DockJournal(unit.folder, PosixDisc(), StillClock()).adding() as add:
        add(kind, {"request": request, "statement": token})


def approved_by(unit: Unit, who: PersonKey) -> str:
    """A request of Zhang's, and who approves it by the clerk's hand."""
    request = unit.asked(SEGMENT)
    journal(unit, "view_approved", request, who.sign(Act.APPROVE, about_approval(request), stamp()))
    return request


def own_request(unit: Unit) -> None:
    wang = person_at(unit.folder, WANG, [Act.ASK, Act.APPROVE])
    unit.views.approve(wang, unit.views.ask(wang, ASKED).request)


def own_request_under_a_second_number(unit: Unit) -> None:
    again = person_at(unit.folder, WANG, [Act.APPROVE], "张 三")
    unit.views.approve(again, unit.asked(SEGMENT))


def approval_of_another_request(unit: Unit) -> None:
    other = unit.asked(hash_of(STILL))
    request = unit.asked(SEGMENT)
    journal(unit, "view_approved", request, unit.li.sign(Act.APPROVE, about_approval(other), stamp()))
    see(unit, request)


def revoked_approver(unit: Unit) -> None:
    request = unit.approved(SEGMENT)
    PersonDesk(unit.folder, PosixDisc(), StillClock()).revoke(LI, "调离")
    see(unit, request)


def edited_request(unit: Unit) -> None:
    """Approved for the photo; the clerk writes the recording into what was asked for."""
    request = unit.approved(hash_of(STILL))
    edited = unit.zhang.sign(Act.ASK, ASKED.to_fields(), stamp())
    journal(unit, "view_asked", request, edited)
    assert request != token_hash(edited)
    see(unit, request)


def person_of_his_own_making(unit: Unit) -> None:
    """With a certificate that he has issued himself, from a unit of his own."""
    elsewhere = make_dock(unit.root / "elsewhere" / "station")
    see(unit, approved_by(unit, person_at(elsewhere, WANG, [Act.APPROVE])))


def recorders_key(unit: Unit) -> None:
    recorder = FakeRecorder("BWC-0002")
    recorder.enrol(unit.folder)
    see(unit, approved_by(unit, PersonKey(LI, KeySigner(recorder.signing), recorder.certificates)))


def shares(unit: Unit, out: str = "shares") -> list[Path]:
    split_vault_key(
        unit.folder, PosixDisc(), StillClock(), read_passphrase(unit.folder.vault_passphrase), unit.root / out
    )
    return sorted((unit.root / out).iterdir())


def one_share(unit: Unit, times: int) -> None:
    unlock_with_shares(unit.folder.vault_key, shares(unit)[:1] * times)


def share_of_an_earlier_splitting(unit: Unit) -> None:
    passphrase, old = read_passphrase(unit.folder.vault_passphrase), unit.folder.vault_key.read_bytes()
    earlier = shares(unit)
    unit.folder.vault_key.write_bytes(old)
    split_vault_key(unit.folder, PosixDisc(), StillClock(), passphrase, unit.root / "later")
    unlock_with_shares(unit.folder.vault_key, [earlier[0], sorted((unit.root / "later").iterdir())[1]])


def old_passphrase(unit: Unit) -> None:
    passphrase = read_passphrase(unit.folder.vault_passphrase)
    shares(unit)
    load_vault_key(unit.folder.vault_key, passphrase)


ATTACKS: dict[str, tuple[Callable[[Unit], object], str]] = {
    "opens without a request": (lambda unit: see(unit, hash_of(b"request")), "nobody has asked for this"),
    "opens without an approval": (lambda unit: see(unit, unit.asked()), "nobody has approved it"),
    "opens what was not approved": (
        lambda unit: see(unit, unit.approved(hash_of(STILL))), "what was approved does not hold this recording",
    ),
    "approves what he asked for himself": (own_request, "nobody approves what he asks for himself"),
    "approves his own request under a second number and key": (
        own_request_under_a_second_number, "nobody approves what he asks for himself",
    ),
    "approves without the role": (
        lambda unit: see(unit, approved_by(unit, person_at(unit.folder, WANG, [Act.CLEAR]))), "may not approve",
    ),
    "uses the approval of another request": (approval_of_another_request, "what was approved is another request"),
    "uses the approval of somebody whose key was revoked": (revoked_approver, "whoever approves is revoked"),
    "edits what was asked for after it was approved": (edited_request, "does not hold this recording"),
    "approves in another's name with his own key": (
        lambda unit: see(unit, approved_by(unit, PersonKey(LI, unit.zhang.signer, unit.zhang.chain))),
        "is not what its person signed",
    ),
    "forges the signature of an approval": (
        lambda unit: see(unit, approved_by(unit, PersonKey(LI, unit.zhang.signer, unit.li.chain))),
        "is not what its person signed",
    ),
    "has a person of his own making approve": (person_of_his_own_making, "is not what its person signed"),
    "has a recorder approve": (recorders_key, "is not what its person signed"),
    "guesses a person's passphrase": (
        lambda unit: load_person(unit.root / LI / f"{LI}.key", passphrase_of(ZHANG)), "口令不符",
    ),
    "guesses the vault key's passphrase": (
        lambda unit: load_vault_key(unit.folder.vault_key, b"passphrase"), "no vault key that this passphrase",
    ),
    "unlocks the vault key with one share": (lambda unit: one_share(unit, 1), "two different ones"),
    "unlocks the vault key with one share twice": (lambda unit: one_share(unit, 2), "two different ones"),
    "unlocks the vault key with a share of an earlier splitting": (share_of_an_earlier_splitting, "不成套"),
    "unlocks the vault key with the passphrase from before it was split": (old_passphrase, "that this passphrase"),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_whoever_wants_to_see_evidence(unit: Unit, name: str) -> None:
    """Verdict: refused in one line that says why; no plain byte, and no opening in the journal."""
    attack, why = ATTACKS[name]
    with pytest.raises(LiuhenError, match=why) as caught:
        attack(unit)
    assert "\n" not in str(caught.value)
    assert opened_items(unit) == []
    assert not list(unit.root.rglob("*.mp4"))


def test_whoever_opens_what_was_approved_a_second_time_is_in_the_journal_a_second_time(unit: Unit) -> None:
    request = unit.approved(SEGMENT)
    for out in ("once", "again"):
        handed = unit.opening().write_out(request, DEVICE, SEGMENT, unit.key, unit.root / out)
        assert (unit.root / out / handed.name).read_bytes() == b"".join(PARTS)
    assert opened_items(unit) == [SEGMENT, SEGMENT]


def test_whoever_has_the_docks_key_and_opens_with_a_program_of_his_own_is_told(unit: Unit) -> None:
    """Verdict: with gaps. An opening that he journals has no approval; one that he does not, nobody can see."""
    request = unit.asked(SEGMENT)
    trust = Trust(unit.folder.ca_certificate.read_bytes())
    before = verify_path(unit.folder.vault, trust).defects
    with DockJournal(unit.folder, PosixDisc(), StillClock()).adding() as add:
        add("opened", {"request": request, "recorder": DEVICE, "item": SEGMENT, "sha256": hash_of(b"".join(PARTS))})
    (told,) = [one for one in verify_path(unit.folder.vault, trust).defects if one not in before]
    assert (told.verdict, told.what) == (Verdict.GAPS, f"opens {SEGMENT} of {DEVICE}: nobody has approved it")
