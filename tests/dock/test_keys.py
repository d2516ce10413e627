"""Keys after the first day, each as docs/KEYS.md has it: renewed, revoked, replaced, lost."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from device.command import DEVICE
from dock.command import DOCK
from dock.dock_journal import DockJournal
from dock.enrolment import enrol, enrolled_key
from dock.folder import DockFolder
from dock.health import heard, own_certificates, state_of
from dock.issuing import OWN, load_issuing, own_certificate, read_leaf, read_trust
from dock.renewal import Loss, renew_own, renew_recorder, replace_dock_key, replace_issuing
from dock.revocation import RevokedSerials, read_lists, revoke
from evidence.certificates import Role
from evidence.errors import BadInputError, ConfigError, LiuhenError, UnknownKeyError
from evidence.health import State
from evidence.io.command import main
from evidence.io.durable import PosixDisc
from evidence.io.verify_files import verify_path
from evidence.journal import Entry
from evidence.model import Timestamp
from evidence.receipts import read_assignment
from evidence.verify import Verdict
from tests.dock.desk import Desk, FaultyDisc, PulledPlugError, Uplink, dock_entries, offload
from tests.dock.fake_recorder import OFFICER, FakeRecorder, StillClock, make_dock, request_for

NAME = "BWC-0001"


class LaterClock(StillClock):
    """So many days after the dock was made."""

    def __init__(self, days: int) -> None:
        super().__init__()
        self._days = days

    def now(self) -> Timestamp:
        at = super().now()
        return replace(at, utc_us=at.utc_us + self._days * 86_400_000_000)


@pytest.fixture
def folder(tmp_path: Path) -> DockFolder:
    return make_dock(tmp_path / "station")


@pytest.fixture
def recorder(folder: DockFolder) -> FakeRecorder:
    one = FakeRecorder(NAME, link=ec.generate_private_key(ec.SECP256R1()))
    one.enrol(folder)
    return one


def serials(folder: DockFolder) -> frozenset[int]:
    return RevokedSerials(folder.crl).now()


def verdict(folder: DockFolder) -> Verdict:
    return verify_path(folder.vault, read_trust(folder)).verdict


def hand_in(folder: DockFolder, recorder: FakeRecorder) -> list[Entry]:
    """One more segment, offloaded; all receipts so far."""
    recorder.record()
    desk = Desk(folder)
    offload(desk, Uplink(recorder))
    desk.close()
    return dock_entries(folder, "stored")


def test_root_and_passphrase_lie_apart_and_the_dock_works_without_them(folder: DockFolder) -> None:
    passphrase = folder.vault_passphrase.read_bytes().strip()
    assert len(passphrase) >= 32
    vault = load_pem_private_key(folder.vault_key.read_bytes(), passphrase)
    assert vault.public_key() == read_leaf(folder.vault_certificate).public_key()
    with pytest.raises(TypeError):
        load_pem_private_key(folder.vault_key.read_bytes(), None)
    shutil.rmtree(folder.carried_away)
    recorder = FakeRecorder(NAME)
    recorder.enrol(folder)
    assert len(hand_in(folder, recorder)) == 1
    assert verdict(folder) is Verdict.AUTHENTIC


def test_no_key_and_no_passphrase_is_the_same_in_two_docks(tmp_path: Path) -> None:
    docks = [make_dock(tmp_path / name) for name in ("a", "b")]
    secrets = [
        {path.read_bytes() for path in one.root.rglob("*") if path.suffix in (".key", ".password", ".passphrase")}
        for one in docks
    ]
    assert len(secrets[0]) == 8
    assert not secrets[0] & secrets[1]


def test_what_the_dock_issues_leads_over_the_issuing_ca_to_the_root(folder: DockFolder) -> None:
    trust = read_trust(folder)
    roles = {name: trust.identify_pem(own_certificate(folder, name).read_bytes(), name).role for name in OWN}
    assert roles == {"dock": Role.DOCK, "broker": Role.LINK, "head": Role.LINK, "vault": Role.VAULT}
    usage = read_leaf(folder.vault_certificate).extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_agreement, usage.digital_signature) == (True, False)


def test_nothing_that_is_issued_outlives_who_issued_it(folder: DockFolder) -> None:
    renew_own(folder, PosixDisc(), LaterClock(18 * 365))
    issuing = load_issuing(folder).certificate.not_valid_after_utc
    assert {read_leaf(own_certificate(folder, name)).not_valid_after_utc for name in OWN} == {issuing}


def test_a_renewed_recorder_has_its_keys_and_five_more_years(folder: DockFolder, recorder: FakeRecorder) -> None:
    before = {name: read_leaf(path(NAME)) for name, path in (("signing", folder.enrolled), ("link", folder.link))}
    files = renew_recorder(folder, PosixDisc(), LaterClock(4 * 365), NAME).files
    for name, old in before.items():
        new = x509.load_pem_x509_certificate(files[f"{name}.pem"])
        assert new.public_key() == old.public_key()
        assert new.not_valid_after_utc - old.not_valid_after_utc == timedelta(days=4 * 365)
    assert [one.fields["kid"] for one in dock_entries(folder, "enrolled")] == [recorder.chain._signer.kid] * 2
    assert (
        read_assignment(
            files["assignment.jws"].decode(), DockJournal(folder, PosixDisc(), StillClock()).signer.verify_key, NAME
        )
        == OFFICER
    )  # type: ignore[attr-defined]


def test_evidence_goes_on_under_renewed_certificates(folder: DockFolder, recorder: FakeRecorder) -> None:
    hand_in(folder, recorder)
    renew_recorder(folder, PosixDisc(), StillClock(), NAME)
    renew_own(folder, PosixDisc(), StillClock())
    assert len(hand_in(folder, recorder)) == 2
    assert verdict(folder) is Verdict.AUTHENTIC


def test_what_was_signed_after_a_certificate_had_ended_is_not_believed(folder: DockFolder) -> None:
    """Of a clock that somebody has set; evidence from before its end stays what it is for ever."""
    recorder = FakeRecorder(NAME)
    recorder.enrol(folder)
    chain = recorder.certificates
    trust = read_trust(folder)
    ends = read_leaf(folder.enrolled(NAME)).not_valid_after_utc
    assert trust.identify_der(chain, ends).name == NAME
    with pytest.raises(UnknownKeyError, match="was not valid on"):
        trust.identify_der(chain, ends + timedelta(days=1))
    with pytest.raises(UnknownKeyError, match="was not valid on"):
        trust.identify_der(chain, read_leaf(folder.enrolled(NAME)).not_valid_before_utc - timedelta(days=1))


@pytest.mark.usefixtures("recorder")
def test_a_revoked_recorder_is_on_the_list_with_all_its_certificates(folder: DockFolder) -> None:
    links = {read_leaf(folder.link(NAME)).serial_number}
    renew_recorder(folder, PosixDisc(), StillClock(), NAME)
    links.add(read_leaf(folder.link(NAME)).serial_number)
    FakeRecorder("BWC-0002").enrol(folder)
    assert serials(folder) == frozenset()
    revoke(folder, PosixDisc(), StillClock(), NAME, "lost on duty")
    assert serials(folder) == {*links, read_leaf(folder.enrolled(NAME)).serial_number}
    (one,) = read_lists(folder.crl)
    assert one.is_signature_valid(load_issuing(folder).certificate.public_key())  # type: ignore[arg-type]


def test_the_entry_says_where_the_docks_copy_ended(folder: DockFolder, recorder: FakeRecorder) -> None:
    hand_in(folder, recorder)
    revoke(folder, PosixDisc(), StillClock(), NAME, " lost on duty ")
    (entry,) = dock_entries(folder, "revoked")
    head = recorder.chain.head
    assert dict(entry.fields) == {
        "recorder": NAME, "kid": recorder.chain._signer.kid, "why": "lost on duty",
        "last_seq": head.seq, "last_hash": head.hash,
    }  # fmt: skip


@pytest.mark.usefixtures("recorder")
def test_a_recorder_that_never_came_leaves_nothing_in_the_vault(folder: DockFolder) -> None:
    entry = revoke(folder, PosixDisc(), StillClock(), NAME, "never used")
    assert (entry.fields["last_seq"], entry.fields["last_hash"]) == (-1, None)
    assert verdict(folder) is Verdict.AUTHENTIC


def test_a_running_receiver_takes_nothing_more_of_a_revoked_recorder(
    folder: DockFolder, recorder: FakeRecorder
) -> None:
    recorder.record()
    desk = Desk(folder)
    offload(desk, Uplink(recorder))
    held = recorder.chain.head
    revoke(folder, PosixDisc(), StillClock(), NAME, "stolen")
    recorder.record()
    assert desk.take(*Uplink(recorder).offer(), recorder.journal_message()) == []
    desk.close()
    assert [one.fields["segment"] for one in dock_entries(folder, "stored")] == [next(iter(recorder.segments))]
    assert dock_entries(folder, "revoked")[0].fields["last_hash"] == held.hash
    assert len(folder.journal(NAME).read_text().splitlines()) == held.seq + 1
    assert verdict(folder) is Verdict.AUTHENTIC
    with pytest.raises(UnknownKeyError, match="was revoked"):
        enrolled_key(folder, read_trust(folder), NAME)


@pytest.mark.usefixtures("recorder")
def test_a_damaged_or_missing_list_lets_nobody_in(folder: DockFolder) -> None:
    for content in (b"", b"noise", folder.crl.read_bytes()[:200]):
        folder.crl.write_bytes(content)
        with pytest.raises(ConfigError, match="list"):
            enrolled_key(folder, read_trust(folder), NAME)
    folder.crl.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        enrolled_key(folder, read_trust(folder), NAME)


def test_every_list_is_newer_than_the_one_before(folder: DockFolder) -> None:
    """OpenSSL keeps what it has read, and obeys the newest: two within one second must differ."""
    seen = []
    for number in range(3):
        FakeRecorder(f"BWC-{number:04}").enrol(folder)
        revoke(folder, PosixDisc(), StillClock(), f"BWC-{number:04}", "test")
        (one,) = read_lists(folder.crl)
        seen.append((one.last_update_utc, one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number))
    assert seen == sorted(set(seen))
    assert len({updated for updated, _ in seen}) == 3


@pytest.mark.parametrize("half_way", [False, True])
def test_a_revocation_that_a_power_cut_interrupted_is_done_again(tmp_path: Path, half_way: bool) -> None:
    for dies_at in range(20):
        folder = make_dock(tmp_path / f"{dies_at}")
        FakeRecorder(NAME).enrol(folder)
        try:
            revoke(folder, FaultyDisc(dies_at, half_way), StillClock(), NAME, "lost")
        except PulledPlugError:
            revoke(folder, PosixDisc(), StillClock(), NAME, "lost")
            assert len(dock_entries(folder, "revoked")) == 1
            assert len(serials(folder)) == 2
        else:
            break
    assert dies_at >= 3


REFUSED: Mapping[str, tuple[str, str]] = {
    "a stranger": ("BWC-0009", "is not enrolled at this dock"),
    "the dock": ("dock", "is not enrolled at this dock"),
}


@pytest.mark.parametrize("who", REFUSED)
@pytest.mark.usefixtures("recorder")
def test_whom_nobody_enrolled_cannot_be_revoked_or_renewed(folder: DockFolder, who: str) -> None:
    name, what = REFUSED[who]
    with pytest.raises(BadInputError, match=what):
        revoke(folder, PosixDisc(), StillClock(), name, "why")
    with pytest.raises(BadInputError, match=what):
        renew_recorder(folder, PosixDisc(), StillClock(), name)
    with pytest.raises(BadInputError, match="--why"):
        revoke(folder, PosixDisc(), StillClock(), NAME, " ")


def test_a_revoked_recorder_is_never_enrolled_or_renewed_again(folder: DockFolder, recorder: FakeRecorder) -> None:
    revoke(folder, PosixDisc(), StillClock(), NAME, "lost")
    with pytest.raises(BadInputError, match="was revoked: lost"):
        enrol(folder, PosixDisc(), StillClock(), recorder.request, "request", None)
    with pytest.raises(LiuhenError, match="was revoked"):
        renew_recorder(folder, PosixDisc(), StillClock(), NAME)


def test_a_repaired_recorder_with_new_keys_takes_the_place_under_a_new_name(
    folder: DockFolder, recorder: FakeRecorder, tmp_path: Path
) -> None:
    hand_in(folder, recorder)
    repaired = FakeRecorder(f"{NAME}-2")
    request = tmp_path / "request.pem"
    request.write_bytes(repaired.request)
    assert (
        main(["dock", "enrol", str(folder.root), str(request), "--out", str(tmp_path / "files"), "--replaces", NAME])
        == 0
    )
    enrolled = dock_entries(folder, "enrolled")[-1].fields
    assert (enrolled["recorder"], enrolled["replaces"]) == (f"{NAME}-2", NAME)
    assert dock_entries(folder, "revoked")[0].fields["why"] == f"replaced by {NAME}-2"
    assert verdict(folder) is Verdict.AUTHENTIC


@pytest.mark.parametrize("replaces", ["BWC-0002", "BWC-0009"], ids=["itself", "a stranger"])
def test_it_takes_the_place_of_another_one_that_is_known(folder: DockFolder, replaces: str) -> None:
    with pytest.raises(BadInputError, match="is no other recorder"):
        enrol(folder, PosixDisc(), StillClock(), FakeRecorder("BWC-0002").request, "request", None, replaces)
    assert not folder.enrolled("BWC-0002").exists()


def test_a_new_link_key_of_a_recorder_that_kept_its_signing_key_is_certified(
    folder: DockFolder, recorder: FakeRecorder
) -> None:
    """The signing key lay in a token, the link key on the card that broke."""
    new = ec.generate_private_key(ec.SECP256R1())
    request = request_for(NAME, recorder.signing) + request_for(NAME, new)
    files = enrol(folder, PosixDisc(), StillClock(), request, "request", None).files
    assert x509.load_pem_x509_certificate(files["link.pem"]).public_key() == new.public_key()
    assert len({one.fields["link_serial"] for one in dock_entries(folder, "enrolled")}) == 2


def lose(folder: DockFolder) -> None:
    folder.key("dock").unlink()


def break_off(folder: DockFolder) -> None:
    """The key is new, its certificate still the old one: a rekey that a power cut interrupted."""
    folder.key("dock").write_bytes(folder.key("broker").read_bytes())


@pytest.mark.parametrize("trouble", [lambda _: None, lose, break_off], ids=["stolen", "lost", "interrupted"])
def test_the_dock_goes_on_with_a_new_key_and_old_receipts_stay_valid(
    folder: DockFolder, recorder: FakeRecorder, trouble: Any
) -> None:
    old = hand_in(folder, recorder)[0]
    trouble(folder)
    kid = replace_dock_key(folder, PosixDisc(), StillClock(), "the disc was destroyed")
    new = hand_in(folder, recorder)[-1]
    assert (old.kid != kid, new.kid) == (True, kid)
    assert [one.fields["kid"] for one in dock_entries(folder, "dock_key")] == [kid]
    assert verdict(folder) is Verdict.AUTHENTIC


def test_a_receiver_that_still_has_the_old_key_stops_instead_of_using_it(
    folder: DockFolder, recorder: FakeRecorder
) -> None:
    desk = Desk(folder)
    recorder.record()
    replace_dock_key(folder, PosixDisc(), StillClock(), "stolen")
    with pytest.raises(ConfigError, match="was replaced"):
        offload(desk, Uplink(recorder))
    desk.close()
    hand_in(folder, recorder)
    assert verdict(folder) is Verdict.AUTHENTIC


@pytest.mark.usefixtures("recorder")
def test_recorders_are_told_of_a_new_dock_key_and_their_officer_under_it(folder: DockFolder) -> None:
    replace_dock_key(folder, PosixDisc(), StillClock(), "stolen")
    files = renew_recorder(folder, PosixDisc(), StillClock(), NAME).files
    dock = read_trust(folder).identify_pem(files["dock.pem"], "dock.pem")
    assert dock.key.kid == dock_entries(folder, "dock_key")[0].kid
    assert read_assignment(files["assignment.jws"].decode(), dock.key, NAME) == OFFICER
    again = renew_recorder(folder, PosixDisc(), StillClock(), NAME).files
    assert again["assignment.jws"] == files["assignment.jws"]


@pytest.mark.parametrize("loss", Loss)
def test_after_the_loss_of_the_issuing_ca_everything_goes_on(
    folder: DockFolder, recorder: FakeRecorder, tmp_path: Path, loss: Loss
) -> None:
    hand_in(folder, recorder)
    revoke_other(folder)
    before = serials(folder)
    safe = tmp_path / "safe"
    folder.carried_away.rename(safe)
    folder.key("issuing").unlink()
    replace_issuing(folder, PosixDisc(), StillClock(), safe, loss)
    assert serials(folder) == before
    assert len(read_lists(folder.crl)) == (2 if loss is Loss.LOST else 1)
    renew_recorder(folder, PosixDisc(), StillClock(), NAME)
    assert len(hand_in(folder, recorder)) == 2
    assert verdict(folder) is Verdict.AUTHENTIC


def revoke_other(folder: DockFolder) -> None:
    FakeRecorder("BWC-0002").enrol(folder)
    revoke(folder, PosixDisc(), StillClock(), "BWC-0002", "lost")


def test_another_units_root_makes_no_issuing_ca(folder: DockFolder, tmp_path: Path) -> None:
    other, before = make_dock(tmp_path / "other"), folder.key("issuing").read_bytes()
    with pytest.raises(BadInputError, match="do not belong together"):
        replace_issuing(folder, PosixDisc(), StillClock(), other.carried_away, Loss.STOLEN)
    with pytest.raises(ConfigError, match="carried away"):
        replace_issuing(folder, PosixDisc(), StillClock(), tmp_path / "nowhere", Loss.STOLEN)
    assert folder.key("issuing").read_bytes() == before


@pytest.mark.parametrize(
    ("days", "state"),
    [(0, State.OK), (5 * 365 - 30, State.WARNING), (5 * 365 - 3, State.CRITICAL), (6 * 365, State.CRITICAL)],
)
def test_the_dock_says_when_its_own_certificates_are_due(folder: DockFolder, days: int, state: State) -> None:
    one = own_certificates(folder, LaterClock(days).now().utc_us)
    assert (one.device, state_of(one)) == ("dock", state)
    assert len(one.own) == 6


@pytest.mark.usefixtures("recorder")
def test_a_revoked_recorder_is_not_missed(folder: DockFolder) -> None:
    now_us = StillClock().now().utc_us
    assert [one.device for one in heard(folder, now_us)] == [NAME]
    revoke(folder, PosixDisc(), StillClock(), NAME, "lost")
    assert list(heard(folder, now_us)) == []


@pytest.mark.usefixtures("recorder")
def test_every_procedure_is_a_command(folder: DockFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> dict[str, object]:
        verb, *rest = words
        assert main(["dock", verb, str(folder.root), *rest, "--json"]) == 0
        said: dict[str, object] = json.loads(capsys.readouterr().out)
        return said

    assert run("renew") == {"renewed": "dock", "broker": False}
    assert run("renew", NAME, "--out", str(tmp_path / "files")) == {"renewed": NAME, "out": str(tmp_path / "files")}
    assert (tmp_path / "files" / "vault.pem").read_bytes() == folder.vault_certificate.read_bytes()
    assert run("rekey", "--why", "lost")["kid"] == dock_entries(folder, "dock_key")[0].kid
    assert run("reissue", "--root", str(folder.carried_away), "--loss", "stolen") == {"loss": "stolen", "broker": False}
    assert run("revoke", NAME, "--why", "lost")["last_seq"] == -1
    assert verdict(folder) is Verdict.AUTHENTIC


COMMANDS = [line for line in Path("docs/KEYS.md").read_text("utf-8").splitlines() if line.startswith("liuhen ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_in_the_written_procedures_is_one(line: str) -> None:
    _, room, *words = shlex.split(line)
    parser = argparse.ArgumentParser()
    {"dock": DOCK, "device": DEVICE}[room].configure(parser)
    assert parser.parse_args(words).act is not None
