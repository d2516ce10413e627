"""A dock's keys, and who gets a certificate from it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from cryptography.x509.verification import PolicyBuilder, Store

from dock.authority import DOCUMENT_SIGNING
from dock.enrolment import choose_settings, enrol, init
from dock.folder import DockFolder, read_settings
from evidence.certificates import Role, Trust, chain_from_pem
from evidence.errors import BadInputError, ConfigError, LiuhenError
from evidence.io.durable import PosixDisc
from evidence.io.token_file import read_lines
from evidence.journal import EMPTY, check_link, read_entry
from evidence.model import EPOCH, Officer
from evidence.receipts import read_assignment
from tests.dock.fake_recorder import OFFICER, FakeRecorder, StillClock, make_dock, request_for

NOW = EPOCH.fromtimestamp(1_795_267_085, EPOCH.tzinfo)


@pytest.fixture
def folder(tmp_path: Path) -> DockFolder:
    return make_dock(tmp_path / "station", receivers=2)


def trust_of(folder: DockFolder) -> Trust:
    return Trust(folder.ca_certificate.read_bytes())


def journal_of(folder: DockFolder) -> list[tuple[str, dict[str, object]]]:
    entries = [read_entry(token) for token in read_lines(folder.journal("dock"))]
    return [(entry.kind, dict(entry.fields)) for entry in entries]


def test_a_dock_has_one_root_and_a_certificate_for_each_of_its_processes(folder: DockFolder) -> None:
    trust = trust_of(folder)
    names = ("dock", "broker", "head")
    identities = [trust.identify_pem(folder.certificate(name).read_bytes(), name) for name in names]
    assert [(one.name, one.role) for one in identities] == [
        ("dock", Role.DOCK),
        ("broker", Role.LINK),
        ("head", Role.LINK),
    ]


def test_private_keys_and_passwords_are_for_one_user(folder: DockFolder) -> None:
    secrets = [*folder.private.glob("*.key"), *folder.private.glob("*.password"), folder.broker / "passwords"]
    secrets += [*folder.carried_away.iterdir(), *folder.tls.glob("*.key")]
    assert sorted(path.name for path in secrets) == [
        "broker.key", "dock.key", "head.key", "issuing.key", "passwords", "receiver-1.password", "receiver-2.password",
        "root.key", "vault.key", "vault.passphrase",
    ]  # fmt: skip
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert {
        stat.S_IMODE(path.stat().st_mode) for path in (folder.private, folder.tls, folder.broker, folder.carried_away)
    } == {0o700}


def test_every_receiver_has_a_password_of_its_own_and_the_broker_only_its_hash(folder: DockFolder) -> None:
    passwords = [folder.password(name).read_text("ascii") for name in ("receiver-1", "receiver-2")]
    assert len(set(passwords)) == 2
    assert all(len(password) >= 32 for password in passwords)
    kept = (folder.broker / "passwords").read_text("ascii")
    assert not any(password in kept for password in passwords)


def test_a_folder_whose_path_leaves_no_room_for_the_brokers_socket_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    with pytest.raises(ConfigError, match="too long a path for the broker's socket"):
        make_dock(deep)
    assert not deep.exists()


@pytest.mark.parametrize("clock", [EPOCH.replace(year=1971), NOW], ids=["clock unset", "clock set"])
def test_the_broker_is_trusted_under_its_names_even_by_a_recorder_whose_clock_is_unset(
    tmp_path: Path, clock: object
) -> None:
    folder = DockFolder(tmp_path / "station")
    settings = choose_settings(["dock.unit.cn"], "0.0.0.0", 8883)
    init(folder, PosixDisc(), StillClock(), settings, "0.0.0.0", ["dock.unit.cn"], 1, as_root=False)
    store = Store([trust_of(folder).root])
    broker, issuing = x509.load_pem_x509_certificates(folder.certificate("broker").read_bytes())
    for name in ("localhost", "dock.unit.cn"):
        builder = PolicyBuilder().store(store).time(clock)  # type: ignore[arg-type]
        assert len(builder.build_server_verifier(x509.DNSName(name)).verify(broker, [issuing])) == 3
    assert read_settings(folder).host == "dock.unit.cn"


def test_a_certificate_serves_its_one_purpose(folder: DockFolder) -> None:
    files = FakeRecorder("BWC-0001").enrol(folder)
    issued = {
        "signing": (files["signing.pem"], DOCUMENT_SIGNING),
        "link": (files["link.pem"], ExtendedKeyUsageOID.CLIENT_AUTH),
        "dock": (files["dock.pem"], DOCUMENT_SIGNING),
        "broker": (folder.certificate("broker").read_bytes(), ExtendedKeyUsageOID.SERVER_AUTH),
        "head": (folder.certificate("head").read_bytes(), ExtendedKeyUsageOID.CLIENT_AUTH),
    }
    for pem, usage in issued.values():
        extensions = x509.load_pem_x509_certificate(pem).extensions
        assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [usage]
        assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
        assert extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    serials = {x509.load_pem_x509_certificate(pem).serial_number for pem, _ in issued.values()}
    assert len(serials) == len(issued)


def test_a_recorder_gets_what_it_needs(folder: DockFolder) -> None:
    recorder = FakeRecorder("BWC-0001", link=ec.generate_private_key(ec.SECP256R1()))
    files = recorder.enrol(folder)
    trust = Trust(files["ca.pem"])
    signing, link, dock = (trust.identify_pem(files[name], name) for name in ("signing.pem", "link.pem", "dock.pem"))
    assert (signing.name, signing.role, signing.key.kid) == ("BWC-0001", Role.RECORDER, recorder.chain._signer.kid)
    assert (link.name, link.role, link.key.public) == ("BWC-0001", Role.LINK, recorder.link.public_key())
    assert read_assignment(files["assignment.jws"].decode(), dock.key, "BWC-0001") == OFFICER
    assert files["dock.toml"] == b'host = "127.0.0.1"\nport = 8883\n'


def test_the_enrolment_is_in_the_docks_journal(folder: DockFolder) -> None:
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    vault, enrolled, assigned = journal_of(folder)
    assert [kind for kind, _ in (vault, enrolled, assigned)] == ["vault_key", "enrolled", "assignment"]
    link = x509.load_pem_x509_certificate(folder.link("BWC-0001").read_bytes())
    assert enrolled[1] == {
        "recorder": "BWC-0001", "kid": recorder.chain._signer.kid, "link_serial": f"{link.serial_number:x}",
        "replaces": None,
    }  # fmt: skip
    entries = [read_entry(token) for token in read_lines(folder.journal("dock"))]
    dock = trust_of(folder).identify_pem(folder.certificate("dock").read_bytes(), "dock")
    assert entries[0].x5c == chain_from_pem(folder.certificate("dock").read_bytes(), "dock")
    head = EMPTY
    for entry in entries:
        entry.verify(dock.key)
        check_link(head, entry)
        head = entry.head


def test_the_same_request_again_gives_the_same_certificate_and_nothing_new_in_the_journal(folder: DockFolder) -> None:
    recorder = FakeRecorder("BWC-0001")
    first = recorder.enrol(folder)
    again = enrol(folder, PosixDisc(), StillClock(), recorder.request, "request", None).files
    assert [again[name] for name in ("signing.pem", "link.pem", "assignment.jws")] == [
        first[name] for name in ("signing.pem", "link.pem", "assignment.jws")
    ]
    assert len(journal_of(folder)) == 3


def test_a_known_name_with_another_key_is_refused(folder: DockFolder) -> None:
    FakeRecorder("BWC-0001").enrol(folder)
    with pytest.raises(BadInputError, match="the request has another one"):
        FakeRecorder("BWC-0001").enrol(folder)
    assert len(journal_of(folder)) == 3


def new_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def named(name: str) -> bytes:
    return request_for(name, new_key()) + request_for(name, new_key())


def one_key_twice() -> bytes:
    return request_for("BWC-0001", key := new_key()) + request_for("BWC-0001", key)


def with_a_foreign_key() -> bytes:
    """The first request's public key replaced by another one: nobody has shown to possess it."""
    mine, stolen = new_key(), new_key()
    der = x509.load_pem_x509_csr(request_for("BWC-0001", mine)).public_bytes(Encoding.DER)
    der = der.replace(mine.public_key().public_bytes_raw(), stolen.public_key().public_bytes_raw())
    return x509.load_der_x509_csr(der).public_bytes(Encoding.PEM) + request_for("BWC-0001", new_key())


ABUSES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "holds 0 certificate requests"),
    "noise": (lambda: b"\x00\xff" * 500, "holds 0 certificate requests"),
    "one request": (lambda: request_for("BWC-0001", new_key()), "holds 1 certificate requests"),
    "three requests": (lambda: named("BWC-0001") + request_for("BWC-0001", new_key()), "holds 3 certificate requests"),
    "two names": (lambda: request_for("BWC-0001", new_key()) + request_for("BWC-0002", new_key()), "is for two names"),
    "one key for both": (one_key_twice, "uses one key both"),
    "key not possessed": (with_a_foreign_key, "is not signed by the key"),
    "RSA key": (
        lambda: request_for("BWC-0001", rsa.generate_private_key(65537, 2048)) + request_for("BWC-0001", new_key()),
        "neither Ed25519 nor P-256",
    ),
    "P-384 key": (
        lambda: request_for("BWC-0001", new_key()) + request_for("BWC-0001", ec.generate_private_key(ec.SECP384R1())),
        "neither Ed25519 nor P-256",
    ),
    "damaged": (lambda: named("BWC-0001").replace(b"\n", b"\n!", 3), "unreadable"),
    "the dock's own name": (lambda: named("dock"), "which the dock itself uses"),
    "the dock's name in capitals": (lambda: named("DOCK"), "which the dock itself uses"),
    "the broker's name": (lambda: named("broker"), "which the dock itself uses"),
    "the head's name": (lambda: named("head"), "which the dock itself uses"),
    "a receiver's name": (lambda: named("receiver-7"), "which the dock itself uses"),
    "a wildcard": (lambda: named("BWC+0001"), "names no recorder"),
    "a path": (lambda: named("../../x"), "names no recorder"),
    "a line feed": (lambda: named("BWC-0001\n"), "names no recorder"),
    "too long": (lambda: named("B" * 33), "names no recorder"),
}


@pytest.mark.parametrize(("make", "what"), ABUSES.values(), ids=ABUSES.keys())
def test_a_request_that_cannot_be_is_refused_with_one_line(
    folder: DockFolder, make: Callable[[], bytes], what: str
) -> None:
    with pytest.raises(LiuhenError, match=what) as caught:
        enrol(folder, PosixDisc(), StillClock(), make(), "request.pem", None)
    assert "\n" not in str(caught.value)
    assert not list(folder.enrolled("any").parent.iterdir())
    assert [kind for kind, _ in journal_of(folder)] == ["vault_key"]


@pytest.mark.parametrize(
    "officer", [Officer("110123", "李\U00020bb7", "交警一大队"), Officer("110123", "李四", "一\n二")]
)
def test_an_officer_whom_no_recorder_can_show_is_refused_with_one_line(folder: DockFolder, officer: Officer) -> None:
    recorder = FakeRecorder("BWC-0001")
    with pytest.raises(BadInputError, match="whose font has no") as caught:
        enrol(folder, PosixDisc(), StillClock(), recorder.request, "request", officer)
    assert "\n" not in str(caught.value)
    assert not folder.enrolled("BWC-0001").exists()


def test_a_dock_is_made_once(folder: DockFolder) -> None:
    before = {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match="is not empty"):
        make_dock(folder.root)
    assert {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("hosts", "listen", "port"),
    [(['a"b'], "127.0.0.1", 8883), (["a\nb"], "127.0.0.1", 8883), ([], "somewhere", 8883), ([], "::1", 0)],
)
def test_an_impossible_address_is_refused(hosts: list[str], listen: str, port: int) -> None:
    with pytest.raises(BadInputError):
        choose_settings(hosts, listen, port)


def test_a_folder_that_is_no_dock_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="liuhen dock init"):
        FakeRecorder("BWC-0001").enrol(DockFolder(tmp_path))
