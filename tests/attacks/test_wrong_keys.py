"""With a key, but not the right one: what it has signed is worth nothing, and the verdict says why."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dock.enrolment import enrol
from dock.enrolment import link_key as new_agreement
from dock.folder import DockFolder
from dock.revocation import revoke as revoke_recorder
from evidence.certificates import Role, Trust
from evidence.errors import BadInputError, KeyAwayError
from evidence.io.durable import PosixDisc
from evidence.io.key_place import KeyPlace
from evidence.io.token_key import TokenKey, Use, make_token_key
from evidence.io.verify_files import verify_path
from evidence.journal import EMPTY, Head
from evidence.receipts import DOCK
from evidence.sealing import KeyVaultKey
from evidence.signing import KeySigner
from evidence.verify import Verdict
from tests.dock.desk import Desk, Uplink, offload
from tests.dock.fake_recorder import FakeRecorder, StillClock, blob_name, make_dock, request_for
from tests.dock.test_enrolment import new_key, with_a_foreign_key
from tests.evidence.golden import (
    BEGINS,
    ENDS,
    OTHER,
    PARTS,
    RECORDER,
    SAMPLES,
    TRUST,
    Writer,
    certificate_of,
    der,
    private,
    short_journal,
    stamp,
)
from tests.evidence.golden import certificate as make_certificate
from tests.evidence.softhsm import PIN, new_place, pin_file, unplugged
from tests.evidence.test_revocation import LATER, revoke, vault_of
from tests.evidence.trees import receipt_for, seal_of

Make = Callable[[], tuple[Writer, Writer]]
"""A recorder's journal and a dock's."""


def journals(writer: Writer) -> tuple[Writer, Writer]:
    dock = Writer(DOCK)
    receipt_for(dock, seal_of(writer))
    return writer, dock


def written(key: str, certificate: bytes, owner: str = RECORDER) -> Writer:
    writer = Writer(owner, key, certificate)
    writer.add("journal_opened")
    writer.add_segment()
    return writer


def revoked(last: Head | None) -> tuple[Writer, Writer]:
    """At this head, None: at the end of what there was; the recorder went on."""
    writer, dock = journals(short_journal())
    revoke(dock, writer, last or writer.chain.head)
    writer.add_segment(PARTS, LATER)
    return writer, dock


def changed_key() -> tuple[Writer, Writer]:
    """In the middle of a journal, with a certificate of another recorder."""
    writer = short_journal()
    thief = Writer(RECORDER, OTHER, certificate_of(OTHER))
    thief.chain.head = writer.chain.head
    writer.entries.append(thief.add("docked"))
    writer.chain.head = thief.chain.head
    return journals(writer)


def stolen_certificate() -> tuple[Writer, Writer]:
    """The right certificate, which everybody has, and a key of his own."""
    return journals(written("own key", certificate_of(RECORDER)))


def expired() -> tuple[Writer, Writer]:
    """A year after the certificate has ended, by a clock that the network had set."""
    writer = short_journal()
    late = stamp((ENDS - BEGINS) // timedelta(microseconds=1))
    writer.entries.append(writer.chain.make(late, "journal_opened", SAMPLES["journal_opened"], [writer.certificate]))
    writer.chain.advance(writer.entries[-1])
    return journals(writer)


def self_signed() -> tuple[Writer, Writer]:
    own = make_certificate("own key", Role.RECORDER.value, private("own key").public_key(), "own key")
    return journals(written("own key", der(own)))


def self_made_dock() -> tuple[Writer, Writer]:
    writer, dock = short_journal(), Writer(DOCK, RECORDER, certificate_of(RECORDER))
    receipt_for(dock, seal_of(writer))
    return writer, dock


BAD, UNKNOWN = Verdict.NOT_AUTHENTIC, Verdict.UNKNOWN_KEY
ATTACKS: dict[str, tuple[Make, Verdict]] = {
    "signs with a revoked key": (lambda: revoked(None), BAD),
    "signs with a key that was revoked before its first entry": (lambda: revoked(EMPTY), BAD),
    "signs after its certificate has ended": (expired, UNKNOWN),
    "signs with a self-signed certificate": (self_signed, UNKNOWN),
    "signs with a certificate of another CA": (
        lambda: journals(written("own key", certificate_of("own key", root="foreign root"))), UNKNOWN,
    ),
    "signs with another recorder's key": (lambda: journals(written(OTHER, certificate_of(OTHER))), UNKNOWN),
    "changes to another key in the middle": (changed_key, UNKNOWN),
    "shows the right certificate and signs with another key": (stolen_certificate, BAD),
    "signs with the key of the network": (
        lambda: journals(written("link", certificate_of("link", Role.LINK))), UNKNOWN,
    ),
    "signs a recorder's journal with the dock's key": (
        lambda: journals(written(DOCK, certificate_of(DOCK, Role.DOCK))), UNKNOWN,
    ),
    "signs the dock's journal with a recorder's key": (self_made_dock, UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_whoever_has_a_key(tmp_path: Path, name: str) -> None:
    make, expected = ATTACKS[name]
    writer, dock = make()
    assert verify_path(vault_of(tmp_path, writer, dock), TRUST).verdict is expected


def test_whoever_has_had_the_key_leaves_the_old_recordings_valid(tmp_path: Path) -> None:
    """Verdict: authentic, what the dock held before it was revoked."""
    writer, dock = journals(short_journal())
    revoke(dock, writer, writer.chain.head)
    assert verify_path(vault_of(tmp_path, writer, dock), TRUST).verdict is Verdict.AUTHENTIC


@pytest.fixture
def station(tmp_path: Path) -> DockFolder:
    return make_dock(tmp_path / "station")


def test_whoever_goes_on_with_a_revoked_signing_key(station: DockFolder) -> None:
    """Verdict: nothing more of it is received, and what the dock held before stays authentic."""
    recorder, desk = FakeRecorder(RECORDER), Desk(station)
    recorder.enrol(station)
    recorder.record()
    offload(desk, Uplink(recorder))
    held = station.journal(RECORDER).read_bytes()
    revoke_recorder(station, PosixDisc(), StillClock(), RECORDER, "stolen")
    segment, photo = recorder.record(), blob_name(recorder.keep_blob().data)
    messages = (recorder.journal_message(), recorder.part_message(segment.name, 0), recorder.blob_message(photo))
    assert desk.take(*messages) == []
    assert station.journal(RECORDER).read_bytes() == held
    assert not station.incoming(RECORDER, segment.name).exists()
    assert not station.blob(RECORDER, photo).exists()
    assert verify_path(station.vault, Trust(station.ca_certificate.read_bytes())).verdict is Verdict.AUTHENTIC


REQUESTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "in another's name": (lambda: FakeRecorder(RECORDER).request, "the request has another one"),
    "in another's name for the link alone": (
        lambda: request_for("BWC-0666", new_key()) + request_for(RECORDER, new_key()), "is for two names",
    ),
    "for a key that he does not have": (with_a_foreign_key, "is not signed by the key"),
    "in the name of the dock": (lambda: FakeRecorder("dock").request, "which the dock itself uses"),
    "in the name of the vault": (lambda: FakeRecorder("vault").request, "which the dock itself uses"),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_whoever_asks_for_a_certificate(station: DockFolder, name: str) -> None:
    """Verdict: refused; no certificate, and nothing in the journal."""
    make, why = REQUESTS[name]
    FakeRecorder(RECORDER).enrol(station)
    before = {path: path.read_bytes() for path in station.root.rglob("*") if path.is_file()}
    with pytest.raises(BadInputError, match=why):
        enrol(station, PosixDisc(), StillClock(), make(), "request.pem", None)
    assert {path: path.read_bytes() for path in station.root.rglob("*") if path.is_file()} == before


def guess(place: KeyPlace, folder: Path) -> KeyPlace:
    return replace(place, pin_file=str(pin_file(folder, "123456")))


def without(place: KeyPlace, folder: Path) -> KeyPlace:
    return replace(place, pin_file=str(folder / "nothing"))


TOKENS: dict[str, tuple[Callable[[KeyPlace, Path], KeyPlace], str]] = {
    "guesses its PIN": (guess, "refuses the PIN"),
    "has no PIN": (without, "cannot be read"),
}


USES: dict[Use, Callable[[TokenKey], bytes]] = {
    Use.SIGN: lambda key: KeySigner(key).sign(b"an entry"),
    Use.AGREE: lambda key: KeyVaultKey(key).exchange(new_agreement().public_key()),
}


@pytest.mark.parametrize("use", Use)
@pytest.mark.parametrize("name", TOKENS)
def test_whoever_takes_the_token(tmp_path: Path, name: str, use: Use) -> None:
    """Verdict: signs nothing with the recorder's key, opens nothing with the vault's. SoftHSM2 stands for the token."""
    change, why = TOKENS[name]
    place = new_place(tmp_path)
    public = make_token_key(place, use).public_key()
    (tmp_path / "thief").mkdir()
    stolen = TokenKey(change(place, tmp_path / "thief"), public)
    with pytest.raises(KeyAwayError, match=why):
        USES[use](stolen)


def test_whoever_takes_the_token_and_its_pin_cannot_copy_the_key(tmp_path: Path) -> None:
    """Verdict: he can use it as long as he has it, and no longer. Here with a program of his own."""
    place = new_place(tmp_path)
    key = make_token_key(place, Use.SIGN)
    command = [sys.executable, "-c", COPY, place.module, place.token, PIN, place.key]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "AttributeSensitive" in done.stderr
    assert done.stdout == ""
    with unplugged(), pytest.raises(KeyAwayError):
        KeySigner(key).sign(b"an entry")


COPY = """
import sys, pkcs11
module, token, pin, label = sys.argv[1:]
with pkcs11.lib(module).get_token(token_label=token).open(user_pin=pin) as session:
    key = session.get_key(label=label, object_class=pkcs11.ObjectClass.PRIVATE_KEY)
    print(key[pkcs11.Attribute.VALUE])
"""
