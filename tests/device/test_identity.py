"""Who the recorder is: keys that are made once and stay, and an identity that fits together or is refused."""

from __future__ import annotations

import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from device.identity import load_identity, load_link_identity, provision
from dock.authority import read_request
from dock.enrolment import enrol
from dock.folder import DockFolder
from evidence.errors import BadInputError, ConfigError, UnknownKeyError
from evidence.io.durable import PosixDisc
from tests.device.cards import DyingDisc, Power, PowerCutError, fast_folder
from tests.device.unit import OFFICER
from tests.dock.fake_recorder import StillClock, make_dock

DEVICE = "BWC-0007"


@pytest.fixture(scope="module")
def dock(tmp_path_factory: pytest.TempPathFactory) -> DockFolder:
    return make_dock(tmp_path_factory.mktemp("dock") / "station")


def enrolled(folder: Path, dock: DockFolder, device: str, assigned: bool = True) -> Path:
    request = provision(folder, device, PosixDisc()).read_bytes()
    officer = OFFICER if assigned else None
    for name, content in enrol(dock, PosixDisc(), StillClock(), request, "request", officer).files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def folder(tmp_path: Path, dock: DockFolder) -> Path:
    """Every test's recorder has a name of its own: a dock gives each name one key."""
    known = sum(1 for _ in dock.enrolled("any").parent.iterdir())
    return enrolled(tmp_path / "identity", dock, f"BWC-1{known:03d}")


def test_a_request_holds_two_keys_and_proves_both(tmp_path: Path) -> None:
    path = provision(tmp_path / "identity", DEVICE, PosixDisc())
    request = read_request(path.read_bytes(), str(path))
    assert request.device == DEVICE


def test_keys_are_for_one_user(tmp_path: Path) -> None:
    provision(tmp_path / "identity", DEVICE, PosixDisc())
    keys = sorted((tmp_path / "identity").glob("*.key"))
    assert [path.name for path in keys] == ["link.key", "signing.key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_keys_are_made_once(tmp_path: Path) -> None:
    provision(tmp_path, DEVICE, PosixDisc())
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.key")}
    provision(tmp_path, DEVICE, PosixDisc())
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.key")} == before


@pytest.mark.parametrize("device", ["", "x", "BWC 1", "../etc", "x" * 33, "-abc", "BWC-0001\n"])
def test_an_impossible_id_makes_no_key(tmp_path: Path, device: str) -> None:
    with pytest.raises(BadInputError, match="3 to 32 letters"):
        provision(tmp_path / "identity", device, PosixDisc())
    assert not (tmp_path / "identity").exists()


@pytest.mark.parametrize("torn", [False, True], ids=["between verbs", "within a verb"])
def test_provisioning_that_is_cut_can_be_done_again(torn: bool) -> None:
    for steps in range(100):
        with fast_folder() as folder:
            power = Power(steps, torn)
            with suppress(PowerCutError):
                provision(folder / "identity", DEVICE, DyingDisc(power))
            path = provision(folder / "identity", DEVICE, PosixDisc())
            assert read_request(path.read_bytes(), str(path)).device == DEVICE
            if not power.gone:
                break
    assert steps >= 3


def rsa_key() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("make", [lambda: b"", lambda: b"noise", rsa_key], ids=["empty", "noise", "RSA"])
@pytest.mark.parametrize("name", ["signing.key", "link.key"])
def test_a_key_that_is_none_is_named_and_kept(tmp_path: Path, name: str, make: Callable[[], bytes]) -> None:
    content = make()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=name):
        provision(tmp_path, DEVICE, PosixDisc())
    assert (tmp_path / name).read_bytes() == content


def test_an_enrolled_recorder_knows_itself_its_dock_and_its_officer(folder: Path, dock: DockFolder) -> None:
    identity = load_identity(folder)
    assert identity.officer() == OFFICER
    assert (identity.host, identity.port) == ("127.0.0.1", 8883)
    assert identity.certificate
    assert dock.certificate("dock").read_bytes() == (folder / "dock.pem").read_bytes()


def test_a_recorder_without_an_officer_is_one(tmp_path: Path, dock: DockFolder) -> None:
    assert load_identity(enrolled(tmp_path / "identity", dock, "BWC-0008", assigned=False)).officer() is None


def test_the_uplink_knows_its_dock_without_the_signing_key(folder: Path) -> None:
    whole = load_identity(folder)
    for name in ("signing.key", "signing.pem"):
        (folder / name).unlink()
    half = load_link_identity(folder)
    assert (half.device, half.dock_key.kid, half.host, half.port) == (
        whole.device, whole.dock_key.kid, whole.host, whole.port,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "other"), [("link.pem", "signing.pem"), ("link.pem", "dock.pem"), ("dock.pem", "link.pem")]
)
def test_a_link_certificate_for_something_else_is_refused(folder: Path, name: str, other: str) -> None:
    (folder / name).write_bytes((folder / other).read_bytes())
    with pytest.raises(UnknownKeyError, match="link"):
        load_link_identity(folder)


MISSING = ["ca.pem", "signing.pem", "dock.pem", "dock.toml", "signing.key"]


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_file_is_named_with_what_to_do(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=rf"{name}: cannot be read.*liuhen device provision"):
        load_identity(folder)


def test_certificates_for_somebody_else_are_refused(folder: Path) -> None:
    """Of the same unit, but for another key or another purpose."""
    for name, other in (("signing.pem", "dock.pem"), ("dock.pem", "signing.pem"), ("signing.pem", "link.pem")):
        before = (folder / name).read_bytes()
        (folder / name).write_bytes((folder / other).read_bytes())
        with pytest.raises(UnknownKeyError):
            load_identity(folder)
        (folder / name).write_bytes(before)


def test_another_units_dock_is_not_ours(folder: Path, tmp_path: Path) -> None:
    (folder / "dock.pem").write_bytes(make_dock(tmp_path / "other").certificate("dock").read_bytes())
    with pytest.raises(UnknownKeyError):
        load_identity(folder)


@pytest.mark.parametrize(
    "text", [b"", b"noise", b'host = "x"', b"port = 1", b'host = "x"\nport = "y"', b'host = "x"\nport = 0',
             b'host = "x"\nport = 65536', b'host = ""\nport = 1', b'host = 3\nport = 1', b"\xff"],
)  # fmt: skip
def test_an_address_that_cannot_be_is_refused(folder: Path, text: bytes) -> None:
    (folder / "dock.toml").write_bytes(text)
    with pytest.raises(ConfigError, match=r"dock\.toml: does not give host and port"):
        load_identity(folder)


@pytest.mark.parametrize("content", [b"", b"noise", b"\xff\n", b"a.b.c\n"])
def test_an_assignment_that_proves_nothing_assigns_nobody_and_is_said(
    folder: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged file must not keep a recorder from recording: its frames say that nobody is assigned."""
    (folder / "assignment.jws").write_bytes(content)
    assert load_identity(folder).officer() is None
    assert "assignment.jws: nobody is assigned" in caplog.text
