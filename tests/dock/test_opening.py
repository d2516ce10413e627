"""From sealed to plain at a dock: two persons, one entry, and then just the bytes that the recorder signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from dock.dock_journal import DockJournal
from dock.folder import DockFolder
from dock.opening import Opening
from dock.passphrase import read_passphrase
from dock.person_desk import PersonDesk, PersonKey, load_person
from dock.vault_key import load_vault_key, make_vault_key
from dock.vault_shares import split_vault_key, unlock_with_shares
from dock.views import Views, between
from evidence.approvals import Asked, Refusal, RefusedError
from evidence.certificates import Trust
from evidence.errors import BadInputError, ConfigError, LiuhenError, RejectedError, UnknownKeyError
from evidence.io.durable import PosixDisc, make_folder
from evidence.io.token_file import TokenFile
from evidence.io.verify_files import verify_path
from evidence.journal import Chain
from evidence.persons import Act
from evidence.sealing import Sealer, VaultKey
from evidence.verify import Verdict
from tests.dock.desk import FaultyDisc, PulledPlugError, dock_entries
from tests.dock.fake_recorder import BOOT, FakeRecorder, StillClock, hash_of, make_dock
from tests.evidence.golden import signer, stamp
from tests.evidence.people import NAMES

ZHANG, LI = "110123", "110124"
DEVICE = "BWC-0001"
PARTS = [b"init section", b"fragment one" * 500, b"fragment two, which is longer" * 900]
STILL = b"\xff\xd8 a photo"
SEGMENT = f"{BOOT[:12]}-00001"


@dataclass
class Unit:
    """A dock with one sealed segment and one photo in its vault, two persons, and the passphrase of its vault key."""

    folder: DockFolder
    root: Path
    zhang: PersonKey
    li: PersonKey

    @property
    def views(self) -> Views:
        return Views(self.folder, PosixDisc(), StillClock())

    @property
    def key(self) -> VaultKey:
        return load_vault_key(self.folder.vault_key, read_passphrase(self.folder.vault_passphrase))

    def opening(self, disc: PosixDisc | None = None) -> Opening:
        return Opening(self.folder, disc or PosixDisc(), StillClock())

    def asked(self, *items: str) -> str:
        return self.views.ask(self.zhang, Asked(DEVICE, items or (SEGMENT, hash_of(STILL)), "复议")).request

    def approved(self, *items: str) -> str:
        return self.views.approve(self.li, self.asked(*items)).request


def passphrase_of(person: str) -> bytes:
    return f"the passphrase of {NAMES[person]}".encode()


def seal_into(folder: DockFolder, recorder: FakeRecorder) -> None:
    """What a recorder seals and a receiver stores: a segment, a photo, and the journal that they stand in."""
    vault = x509.load_pem_x509_certificate(folder.vault_certificate.read_bytes()).public_key()
    sealer, stored, parts = Sealer(vault, DEVICE, SEGMENT), b"", []  # type: ignore[arg-type]
    info = {"pts_us": 0, "duration_us": 1_000_000, "frames": 30, "samples": 0}
    for index, plain in enumerate(PARTS):
        sealed = sealer.seal(plain, info if index else None)
        parts.append([len(sealed), hash_of(sealed), len(plain), hash_of(plain)])
        stored += sealed
    whole = b"".join(PARTS)
    fields = {
        "segment": SEGMENT, "recording": f"{BOOT[:12]}-r0001", "trigger": "button", "officer": None,
        "bytes": len(whole), "sha256": hash_of(whole), "stored_bytes": len(stored), "parts": parts,
        "frames": 60, "samples": 0, "duration_us": 2_000_000, "complete": True, "epoch": stamp().to_fields(),
    }  # fmt: skip
    seal = recorder.add("segment", fields, x5c=recorder.certificates)
    photo = Sealer(vault, DEVICE, hash_of(STILL)).seal(STILL)  # type: ignore[arg-type]
    still = recorder.add("still", {
        "blob": hash_of(STILL), "bytes": len(STILL), "stored_bytes": len(photo), "stored_sha256": hash_of(photo),
        "recording": None, "segment": None, "index": None, "captured_boot_us": 1, "width": 64, "height": 48,
    }, x5c=recorder.certificates)  # fmt: skip
    for path, content, entry in (
        (folder.segment(DEVICE, SEGMENT), stored, seal), (folder.blob(DEVICE, hash_of(STILL)), photo, still),
    ):  # fmt: skip
        make_folder(path.parent)
        path.write_bytes(content)
        path.with_suffix(".jws").write_text(f"{entry.token}\n")
    mirror = TokenFile(folder.journal(DEVICE), DEVICE, PosixDisc(), signer("dock"))
    with mirror.locked():
        mirror.append(recorder.tokens)


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    folder = make_dock(tmp_path / "station")
    recorder = FakeRecorder(DEVICE)
    recorder.enrol(folder)
    seal_into(folder, recorder)
    desk = PersonDesk(folder, PosixDisc(), StillClock())
    for person, role in ((ZHANG, Act.ASK), (LI, Act.APPROVE)):
        desk.enrol(person, NAMES[person], [role], passphrase_of(person), tmp_path / person)
    keys = [load_person(tmp_path / one / f"{one}.key", passphrase_of(one)) for one in (ZHANG, LI)]
    return Unit(folder, tmp_path, *keys)


def opened_items(unit: Unit) -> list[str]:
    with DockJournal(unit.folder, PosixDisc(), StillClock()).held():  # cuts off what a crash has torn
        pass
    return [str(entry.fields["item"]) for entry in dock_entries(unit.folder, "opened")]


def test_what_comes_out_is_what_the_recorder_signed_and_verifies_alone(unit: Unit) -> None:
    request, out = unit.approved(), unit.root / "out"
    trust = Trust(unit.folder.ca_certificate.read_bytes())
    for item, plain in ((SEGMENT, b"".join(PARTS)), (hash_of(STILL), STILL)):
        handed = unit.opening().write_out(request, DEVICE, item, unit.key, out)
        assert (out / handed.name).read_bytes() == plain
        assert handed.opened.fields == {
            "request": request, "recorder": DEVICE, "item": item, "sha256": hash_of(plain),
        }  # fmt: skip
        report = verify_path(out / handed.name, trust)
        assert (report.verdict, report.entries) == (Verdict.AUTHENTIC, 1), report.defects
    assert sorted(path.suffix for path in out.iterdir()) == [".jpg", ".jws", ".jws", ".mp4"]
    assert opened_items(unit) == [SEGMENT, hash_of(STILL)]
    assert len(unit.opening().find(request).opened) == 2


def test_the_entry_is_durable_before_the_first_byte_is_handed_out(unit: Unit) -> None:
    handed = unit.opening().hand_out(unit.approved(), DEVICE, SEGMENT, unit.key)
    assert opened_items(unit) == [SEGMENT]
    assert list(handed.parts) == PARTS


@pytest.mark.parametrize("half_way", [False, True])
def test_at_whatever_step_it_crashes_no_plain_byte_lies_about_without_its_entry(unit: Unit, half_way: bool) -> None:
    request, key = unit.approved(), unit.key
    for steps in range(40):
        out = unit.root / f"out-{steps}"
        before = len(opened_items(unit))
        try:
            unit.opening(FaultyDisc(steps, half_way)).write_out(request, DEVICE, SEGMENT, key, out)
        except PulledPlugError:
            journalled = len(opened_items(unit)) - before
            plain = [path for path in out.iterdir() if path.stat().st_size and path.suffix != ".jws"]
            assert journalled >= bool(plain)
            continue
        assert steps > 3
        assert len(opened_items(unit)) == before + 1
        return
    raise AssertionError("never done")


def forged_journal(unit: Unit) -> str:
    """Somebody who can write to the disc appends an approval to the journal, without the dock's key."""
    request = unit.asked()
    path = unit.folder.journal("dock")
    token = unit.li.sign(Act.APPROVE, {"request": request}, stamp())
    with DockJournal(unit.folder, PosixDisc(), StillClock()).held() as head:
        forged = Chain("dock", signer("mallory"), head).make(
            stamp(), "view_approved", {"request": request, "statement": token}
        )
    with path.open("a") as file:
        file.write(f"{forged.token}\n")
    return request


def test_an_approval_that_the_dock_has_not_written_opens_nothing(unit: Unit) -> None:
    request = forged_journal(unit)
    with pytest.raises(LiuhenError, match=r"names key|signature") as caught:
        unit.opening().hand_out(request, DEVICE, SEGMENT, unit.key)
    assert "\n" not in str(caught.value)
    assert opened_items(unit) == []


def test_an_approval_beside_the_journal_opens_nothing(unit: Unit) -> None:
    request = unit.asked()
    unit.li.sign(Act.APPROVE, {"request": request}, stamp())
    with pytest.raises(RefusedError) as caught:
        unit.opening().hand_out(request, DEVICE, SEGMENT, unit.key)
    assert caught.value.refusal is Refusal.NOT_APPROVED


def other_key(unit: Unit) -> VaultKey:
    make_vault_key(unit.root / "other.key", b"other")
    return load_vault_key(unit.root / "other.key", b"other")


def without_seal(unit: Unit) -> VaultKey:
    unit.folder.seal(DEVICE, SEGMENT).unlink()
    return unit.key


def altered(unit: Unit) -> VaultKey:
    path = unit.folder.segment(DEVICE, SEGMENT)
    path.write_bytes(path.read_bytes()[:-9] + b"\0" + path.read_bytes()[-8:])
    return unit.key


def cut_off(unit: Unit) -> VaultKey:
    path, stored = unit.folder.segment(DEVICE, SEGMENT), unit.folder.segment(DEVICE, SEGMENT).read_bytes()
    last = stored.rindex(b'{"index":2') - 4
    path.write_bytes(stored[:last])
    return unit.key


def sealed_by_somebody_else(unit: Unit) -> VaultKey:
    """Whoever has the vault's public key can seal anything: it is well sealed, and not what the recorder signed."""
    vault = x509.load_pem_x509_certificate(unit.folder.vault_certificate.read_bytes()).public_key()
    sealed = Sealer(vault, DEVICE, SEGMENT).seal(b"another init")  # type: ignore[arg-type]
    unit.folder.segment(DEVICE, SEGMENT).write_bytes(sealed)
    return unit.key


def seal_of_the_photo(unit: Unit) -> VaultKey:
    photo = unit.folder.blob(DEVICE, hash_of(STILL)).with_suffix(".jws")
    unit.folder.seal(DEVICE, SEGMENT).write_bytes(photo.read_bytes())
    return unit.key


BAD: dict[str, tuple[Callable[[Unit], VaultKey], type[LiuhenError], str]] = {
    "another vault's key": (other_key, UnknownKeyError, "vault"),
    "without the recorder's entry": (without_seal, BadInputError, "not in this dock's vault"),
    "a flipped bit": (altered, RejectedError, "part 2"),
    "the last part cut off": (cut_off, RejectedError, "ends after 2 of 3 parts"),
    "sealed by somebody else": (sealed_by_somebody_else, RejectedError, "is not what the recorder signed"),
    "with another thing's entry": (seal_of_the_photo, RejectedError, "is not the entry of"),
}


@pytest.mark.parametrize(("prepare", "error", "what"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_opened_is_told_in_one_line_and_is_no_opening(
    unit: Unit, prepare: Callable[[Unit], VaultKey], error: type[LiuhenError], what: str
) -> None:
    request, out = unit.approved(), unit.root / "out"
    key = prepare(unit)
    with pytest.raises(error, match=what) as caught:
        unit.opening().write_out(request, DEVICE, SEGMENT, key, out)
    assert "\n" not in str(caught.value)
    assert opened_items(unit) == []
    assert list(out.iterdir()) == []


def test_a_file_that_is_there_is_not_written_over_and_nothing_is_opened(unit: Unit) -> None:
    request, out = unit.approved(), unit.root / "out"
    unit.opening().write_out(request, DEVICE, SEGMENT, unit.key, out)
    with pytest.raises(BadInputError, match="已存在"):
        unit.opening().write_out(request, DEVICE, SEGMENT, unit.key, out)
    assert opened_items(unit) == [SEGMENT]


def test_what_the_recorder_never_recorded_cannot_be_asked_for(unit: Unit) -> None:
    with pytest.raises(BadInputError, match="is nothing that BWC-0001 has recorded"):
        unit.asked(hash_of(b"other"))
    assert dock_entries(unit.folder, "view_asked") == []


def test_a_time_means_all_that_lies_in_it(unit: Unit) -> None:
    evidence = unit.views.evidence(DEVICE)
    assert {one.item for one in evidence} == {SEGMENT, hash_of(STILL)}
    first, last = min(one.begin_us for one in evidence), max(one.end_us for one in evidence)
    assert set(between(evidence, first, last)) == {SEGMENT, hash_of(STILL)}
    assert between(evidence, last + 1, last + 2) == ()
    assert between(evidence, first - 2, first - 1) == ()


def test_a_person_has_one_key_at_a_time_and_a_passphrase_guards_it(unit: Unit) -> None:
    desk = PersonDesk(unit.folder, PosixDisc(), StillClock())
    with pytest.raises(BadInputError, match="is enrolled as 李四"):
        desk.enrol(LI, "李四", [Act.APPROVE], b"x", unit.root / "again")
    with pytest.raises(BadInputError, match="口令不符"):
        load_person(unit.root / LI / f"{LI}.key", b"guessed")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_person(unit.root / "nobody.key", b"x")
    assert (unit.root / LI / f"{LI}.key").stat().st_mode & 0o077 == 0
    request = unit.approved()
    desk.revoke(LI, "调离")
    with pytest.raises(RefusedError) as caught:
        unit.opening().hand_out(request, DEVICE, SEGMENT, unit.key)
    assert caught.value.refusal is Refusal.REVOKED_APPROVER
    with pytest.raises(UnknownKeyError, match="is not enrolled"):
        desk.revoke(LI, "调离")
    desk.enrol(LI, "李四", [Act.APPROVE], passphrase_of(LI), unit.root / "again")
    again = load_person(unit.root / "again" / f"{LI}.key", passphrase_of(LI))
    unit.views.approve(again, request)
    assert list(unit.opening().hand_out(request, DEVICE, SEGMENT, unit.key).parts) == PARTS


def test_two_of_three_shares_open_and_the_passphrase_does_not_any_more(unit: Unit) -> None:
    passphrase, kid = read_passphrase(unit.folder.vault_passphrase), unit.key.kid
    split_vault_key(unit.folder, PosixDisc(), StillClock(), passphrase, unit.root / "shares")
    shares = sorted((unit.root / "shares").iterdir())
    assert [path.name for path in shares] == ["share-1.txt", "share-2.txt", "share-3.txt"]
    assert {path.stat().st_mode & 0o077 for path in (*shares, unit.folder.vault_key)} == {0}
    with pytest.raises(BadInputError, match="no vault key that this passphrase opens"):
        _ = unit.key
    with pytest.raises(BadInputError, match="two different ones"):
        unlock_with_shares(unit.folder.vault_key, shares[:1])
    key = unlock_with_shares(unit.folder.vault_key, shares[1:])
    assert key.kid == kid
    assert list(unit.opening().hand_out(unit.approved(), DEVICE, SEGMENT, key).parts) == PARTS
    assert [entry.fields["kid"] for entry in dock_entries(unit.folder, "vault_key_split")] == [kid]


def test_shares_of_another_dock_open_nothing_here(unit: Unit, tmp_path: Path) -> None:
    other = make_dock(tmp_path / "elsewhere")
    for folder, out in ((unit.folder, tmp_path / "ours"), (other, tmp_path / "theirs")):
        split_vault_key(folder, PosixDisc(), StillClock(), read_passphrase(folder.vault_passphrase), out)
    with pytest.raises(BadInputError, match="no vault key that this passphrase opens"):
        unlock_with_shares(unit.folder.vault_key, sorted((tmp_path / "theirs").iterdir())[:2])


@pytest.mark.parametrize("half_way", [False, True])
def test_a_crash_while_splitting_leaves_the_old_lock(unit: Unit, half_way: bool) -> None:
    passphrase = read_passphrase(unit.folder.vault_passphrase)
    for steps in range(40):
        out = unit.root / f"shares-{steps}"
        try:
            split_vault_key(unit.folder, FaultyDisc(steps, half_way), StillClock(), passphrase, out)
        except PulledPlugError:
            assert unit.key.kid
            continue
        assert unlock_with_shares(unit.folder.vault_key, sorted(out.iterdir())[:2]).kid
        return
    raise AssertionError("never done")
