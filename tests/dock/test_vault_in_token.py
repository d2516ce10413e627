"""The vault key in a PKCS#11 token (SoftHSM2): made there by `dock init`, and opened by nothing but the token."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from device.identity import load_identity, provision
from dock.enrolment import enrol
from dock.folder import DockFolder
from dock.opening_command import vault_key_from
from evidence.errors import KeyAwayError
from evidence.io.command import main
from evidence.io.durable import PosixDisc
from evidence.io.key_place import KeyPlace
from evidence.sealing import Sealer, open_parts, read_head, unlock
from tests.broker import free_port
from tests.dock.fake_recorder import StillClock
from tests.evidence.softhsm import MODULE, new_token, pin_file, unplugged

NAME = "0123456789ab-00001"


@pytest.fixture
def place(tmp_path: Path) -> KeyPlace:
    return KeyPlace(MODULE, new_token(), "vault", str(pin_file(tmp_path)))


@pytest.fixture
def folder(tmp_path: Path, place: KeyPlace) -> DockFolder:
    """A dock made by the command."""
    given = tmp_path / "where.toml"
    given.write_bytes(place.to_toml())
    made = ["dock", "init", str(tmp_path / "station"), "--vault-token", str(given), "--port", str(free_port())]
    assert main(made) == 0
    return DockFolder(tmp_path / "station")


def sealed_by_a_recorder(folder: DockFolder, identity: Path) -> bytes:
    request = provision(identity, "BWC-0001", PosixDisc()).read_bytes()
    for name, content in enrol(folder, PosixDisc(), StillClock(), request, "request", None).files.items():
        (identity / name).write_bytes(content)
    return Sealer(load_identity(identity).vault_key, "BWC-0001", NAME).seal(b"what was seen")


def opened(folder: DockFolder, stored: bytes) -> list[bytes]:
    key = vault_key_from(Namespace(folder=folder.root, share=[], passphrase_file=None))
    head = read_head(stored)
    return list(open_parts(lambda offset, size: stored[offset : offset + size], len(stored), head, unlock(head, key)))


def test_what_a_recorder_sealed_opens_with_the_token(folder: DockFolder, tmp_path: Path) -> None:
    assert opened(folder, sealed_by_a_recorder(folder, tmp_path / "identity")) == [b"what was seen"]


def test_with_another_pin_nothing_opens(folder: DockFolder, place: KeyPlace, tmp_path: Path) -> None:
    stored = sealed_by_a_recorder(folder, tmp_path / "identity")
    Path(place.pin_file).write_text("000000")
    with pytest.raises(KeyAwayError):
        opened(folder, stored)


def test_without_the_token_nothing_opens(folder: DockFolder, tmp_path: Path) -> None:
    stored = sealed_by_a_recorder(folder, tmp_path / "identity")
    with unplugged(), pytest.raises(KeyAwayError):
        opened(folder, stored)


def test_no_private_vault_key_and_no_passphrase_lie_in_the_folder(folder: DockFolder) -> None:
    assert not folder.vault_key.exists()
    assert not folder.vault_passphrase.exists()


def test_a_key_in_a_token_is_not_split(folder: DockFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dock", "vault-key", "split", str(folder.root), "--out", str(tmp_path / "shares")]) != 0
    assert "lies in a token" in capsys.readouterr().err
    assert not (tmp_path / "shares").exists()


def test_a_dock_whose_token_is_away_is_not_begun(tmp_path: Path, place: KeyPlace) -> None:
    given = tmp_path / "where.toml"
    given.write_bytes(place.to_toml())
    with unplugged():
        assert main(["dock", "init", str(tmp_path / "station"), "--vault-token", str(given)]) != 0
    assert not (tmp_path / "station").exists()
