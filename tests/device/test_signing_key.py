"""A recorder whose signing key lies in a token: made there, enrolled, and used by everything that signs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from device.identity import load_identity, provision
from device.signing_key import SIGNING_KEY, TOKEN
from dock.enrolment import enrol
from dock.folder import DockFolder
from evidence.errors import BadInputError, ConfigError, KeyAwayError
from evidence.io.command import main
from evidence.io.durable import PosixDisc
from evidence.io.key_place import read_place
from evidence.signing import ES256
from tests.dock.fake_recorder import StillClock, make_dock
from tests.evidence.softhsm import MODULE, PIN, new_token, pin_file, unplugged

DEVICE = "BWC-0007"


@pytest.fixture(scope="module")
def dock(tmp_path_factory: pytest.TempPathFactory) -> DockFolder:
    return make_dock(tmp_path_factory.mktemp("dock") / "station")


def command(folder: Path, token: str, *more: str, device: str = DEVICE) -> list[str]:
    start = ["device", "provision", str(folder), "--id", device, "--json"]
    return [*start, "--token", MODULE, "--label", token, "--pin-file", str(pin_file(folder.parent)), *more]


def enrol_at(dock: DockFolder, folder: Path) -> None:
    request = (folder / "request.pem").read_bytes()
    for name, content in enrol(dock, PosixDisc(), StillClock(), request, "request", None).files.items():
        (folder / name).write_bytes(content)


def test_a_key_is_made_in_the_token_and_the_dock_enrols_it(
    tmp_path: Path, dock: DockFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "identity"
    assert main(command(folder, new_token())) == 0
    assert json.loads(capsys.readouterr().out)["device"] == DEVICE
    assert not (folder / SIGNING_KEY).exists()
    enrol_at(dock, folder)
    identity = load_identity(folder)
    assert identity.signer.alg == ES256
    identity.signer.sign(b"data")
    assert PIN not in "".join(path.read_text() for path in folder.iterdir())


def test_it_is_made_once(tmp_path: Path) -> None:
    folder, token = tmp_path / "identity", new_token()
    made = []
    for arguments in (
        command(folder, token),
        command(folder, token),
        ["device", "provision", str(folder), "--id", DEVICE],
    ):
        assert main(arguments) == 0
        made.append((folder / "request.pem").read_bytes().count(b"BEGIN"))
        known = (folder / TOKEN).read_bytes()
    assert made == [2, 2, 2]
    assert read_place(known, TOKEN).key == f"liuhen {DEVICE}"


def test_a_recorder_has_one_signing_key(tmp_path: Path) -> None:
    with_file, with_token = tmp_path / "file", tmp_path / "token"
    provision(with_file, DEVICE, PosixDisc())
    assert main(command(with_file, new_token())) == 2
    token = new_token()
    assert main(command(with_token, token)) == 0
    assert main(command(with_token, token, "--key", "another")) == 2


def test_two_keys_are_one_too_many(tmp_path: Path, dock: DockFolder) -> None:
    folder = tmp_path / "identity"
    assert main(command(folder, new_token(), device="BWC-0008")) == 0
    enrol_at(dock, folder)
    provision(tmp_path / "other", DEVICE, PosixDisc())
    (folder / SIGNING_KEY).write_bytes((tmp_path / "other" / SIGNING_KEY).read_bytes())
    with pytest.raises(ConfigError, match="holds both"):
        load_identity(folder)


def test_a_token_under_a_certificate_for_a_file_is_refused(tmp_path: Path, dock: DockFolder) -> None:
    folder, other = tmp_path / "identity", tmp_path / "other"
    provision(folder, "BWC-0009", PosixDisc())
    enrol_at(dock, folder)
    assert main(command(other, new_token(), device="BWC-0009")) == 0
    (folder / SIGNING_KEY).unlink()
    (folder / TOKEN).write_bytes((other / TOKEN).read_bytes())
    with pytest.raises(BadInputError, match="is for a key in a file"):
        load_identity(folder)


def test_a_token_that_is_away_keeps_nobody_from_starting(tmp_path: Path, dock: DockFolder) -> None:
    folder = tmp_path / "identity"
    assert main(command(folder, new_token(), device="BWC-0010")) == 0
    enrol_at(dock, folder)
    with unplugged():
        identity = load_identity(folder)
        with pytest.raises(KeyAwayError):
            identity.signer.sign(b"data")
    identity.signer.sign(b"data")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--token", MODULE], "needs --label"),
        (["--label", "token"], "add --token"),
        (["--pin-file", "pin"], "add --token"),
        (["--token", "/nowhere.so", "--label", "token", "--pin-file", "pin"], "/nowhere.so"),
        (["--token", MODULE, "--label", "nobody's", "--pin-file", "pin"], "nobody's"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: Sequence[str], words: str
) -> None:
    new_token()
    pin_file(tmp_path)
    folder = tmp_path / "identity"
    given = [str(tmp_path / "token.pin") if one == "pin" else one for one in more]
    assert main(["device", "provision", str(folder), "--id", DEVICE, *given]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert not [path for path in folder.glob("*") if path.suffix in {".key", ".toml", ".pem"}]
