"""What a recorder takes over from a dock, whole or not at all, and how it leaves for another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from device.adoption import GIVEN, adopt, leave
from device.health.collector import certificates_left_s
from device.identity import load_identity, provision
from device.spool import Spool
from dock.enrolment import enrol
from dock.folder import DockFolder
from dock.renewal import renew_recorder, replace_dock_key
from evidence.errors import BadInputError, ConfigError, LiuhenError
from evidence.io.command import main
from evidence.io.durable import PosixDisc
from tests.device.cards import DyingDisc, Power, PowerCutError
from tests.device.hand_clock import HandClock
from tests.device.unit import OFFICER
from tests.dock.fake_recorder import StillClock, make_dock

DEVICE = "BWC-0007"


@pytest.fixture
def dock(tmp_path: Path) -> DockFolder:
    return make_dock(tmp_path / "station")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "identity"


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def given(dock: DockFolder, folder: Path, device: str = DEVICE) -> Path:
    """What the dock gives for the keys in this folder."""
    request = provision(folder, device, PosixDisc()).read_bytes()
    files = enrol(dock, PosixDisc(), StillClock(), request, "request", OFFICER).files
    return write(folder.with_name(f"for-{folder.name}"), files)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_enrolled_recorder_is_pinned_to_dock_and_vault(dock: DockFolder, folder: Path) -> None:
    identity = adopt(folder, given(dock, folder), PosixDisc())
    assert (identity.device, identity.officer()) == (DEVICE, OFFICER)
    assert replace(load_identity(folder), signer=identity.signer) == identity
    assert {name for name in GIVEN if (folder / name).exists()} == set(GIVEN)


def test_no_private_key_of_the_recorder_is_ever_at_the_dock(dock: DockFolder, folder: Path) -> None:
    adopt(folder, given(dock, folder), PosixDisc())
    keys = [(folder / name).read_bytes() for name in ("signing.key", "link.key")]
    everything = b"".join(path.read_bytes() for path in dock.root.rglob("*") if path.is_file())
    assert not any(key in everything for key in keys)


def test_renewed_certificates_are_taken_over(dock: DockFolder, folder: Path, tmp_path: Path) -> None:
    before = adopt(folder, given(dock, folder), PosixDisc())
    left_s = certificates_left_s(folder, HandClock().now())
    files = renew_recorder(dock, PosixDisc(), StillClock(), DEVICE).files
    renewed = adopt(folder, write(tmp_path / "renewed", files), PosixDisc())
    assert renewed.certificates[0] != before.certificates[0]
    assert renewed.signer.kid == before.signer.kid
    assert left_s is not None
    assert left_s > 0


def test_a_new_dock_key_is_believed_because_the_root_vouches_for_it(
    dock: DockFolder, folder: Path, tmp_path: Path
) -> None:
    adopt(folder, given(dock, folder), PosixDisc())
    kid = replace_dock_key(dock, PosixDisc(), StillClock(), "the disc was destroyed")
    files = renew_recorder(dock, PosixDisc(), StillClock(), DEVICE).files
    identity = adopt(folder, write(tmp_path / "told", files), PosixDisc())
    assert identity.dock_key.kid == kid
    assert identity.officer() == OFFICER


def of_another_unit(_dock: DockFolder, tmp_path: Path) -> Path:
    return given(make_dock(tmp_path / "other-station"), tmp_path / "elsewhere")


def for_another_recorder(dock: DockFolder, tmp_path: Path) -> Path:
    return given(dock, tmp_path / "elsewhere", "BWC-0008")


def with_another_link(dock: DockFolder, tmp_path: Path) -> Path:
    """The link certificate of one recorder among the files of another one."""
    files = {"link.pem": (for_another_recorder(dock, tmp_path) / "link.pem").read_bytes()}
    return write(tmp_path / "mixed", files)


def with_a_recorder_as_vault(dock: DockFolder, tmp_path: Path) -> Path:
    """Somebody wants evidence to be sealed to his own key."""
    return write(tmp_path / "mixed", {"vault.pem": (for_another_recorder(dock, tmp_path) / "link.pem").read_bytes()})


def nothing(_dock: DockFolder, tmp_path: Path) -> Path:
    return write(tmp_path / "empty", {})


FALSE: dict[str, tuple[Callable[[DockFolder, Path], Path], str]] = {
    "another unit's files": (of_another_unit, "is of another unit"),
    "files for another recorder": (for_another_recorder, "not for this recorder"),
    "another recorder's link": (with_another_link, "is not for this recorder's link key"),
    "a vault key that is none": (with_a_recorder_as_vault, "is not the certificate of a vault"),
    "nothing": (nothing, "holds none of"),
}


@pytest.mark.parametrize("what", FALSE)
def test_what_does_not_fit_changes_nothing(dock: DockFolder, folder: Path, tmp_path: Path, what: str) -> None:
    make, said = FALSE[what]
    adopt(folder, given(dock, folder), PosixDisc())
    before = content(folder)
    with pytest.raises(LiuhenError, match=said):
        adopt(folder, make(dock, tmp_path), PosixDisc())
    assert content(folder) == before


def test_taking_over_that_is_cut_can_be_done_again(dock: DockFolder, folder: Path) -> None:
    files = given(dock, folder)
    for steps in range(40):
        power = Power(steps, torn=True)
        try:
            adopt(folder, files, DyingDisc(power))
        except PowerCutError:
            assert adopt(folder, files, PosixDisc()).device == DEVICE
        else:
            break
    assert steps >= len(GIVEN)


def test_a_recorder_without_a_vault_key_does_not_start(dock: DockFolder, folder: Path) -> None:
    adopt(folder, given(dock, folder), PosixDisc())
    (folder / "vault.pem").unlink()
    with pytest.raises(ConfigError, match=r"vault\.pem: cannot be read.*enrol again"):
        load_identity(folder)


def test_a_recorder_whose_certificates_have_ended_still_records(dock: DockFolder, folder: Path) -> None:
    """Only its link ends with them; a clock may be wrong, and evidence that nobody recorded comes back never."""
    adopt(folder, given(dock, folder), PosixDisc())
    now = HandClock().now()
    left_s = certificates_left_s(folder, replace(now, utc_us=now.utc_us + 20 * 365 * 86_400_000_000))
    assert left_s is not None
    assert left_s < 0
    assert load_identity(folder).device == DEVICE


def spool_of(folder: Path, spool: Path) -> int:
    identity = load_identity(folder)
    spool.mkdir()
    opened = Spool(spool, DEVICE, PosixDisc(), HandClock(), identity.signer, identity.certificates, identity.vault_key)
    seq = opened.note("journal_opened", software="test").seq
    opened.close()
    return seq


def test_a_recorder_leaves_its_dock_and_becomes_another_units(dock: DockFolder, folder: Path, tmp_path: Path) -> None:
    """New keys, a new name, an empty card: no unit sees what was recorded for another one."""
    adopt(folder, given(dock, folder), PosixDisc())
    spool = tmp_path / "spool"
    last_seq = spool_of(folder, spool)
    assert leave(folder, spool) == last_seq
    assert not folder.exists()
    assert not spool.exists()
    aside = [tmp_path / f"{name}.left-{DEVICE}" for name in ("identity", "spool")]
    assert all(one.is_dir() for one in aside)
    other = make_dock(tmp_path / "other-station")
    identity = adopt(folder, given(other, folder, "BWC-0100"), PosixDisc())
    assert identity.device == "BWC-0100"
    assert identity.signer.kid != load_identity(aside[0]).signer.kid


def test_a_recorder_with_evidence_that_waits_does_not_leave(dock: DockFolder, folder: Path, tmp_path: Path) -> None:
    adopt(folder, given(dock, folder), PosixDisc())
    identity, spool = load_identity(folder), tmp_path / "spool"
    spool.mkdir()
    opened = Spool(spool, DEVICE, PosixDisc(), HandClock(), identity.signer, identity.certificates, identity.vault_key)
    opened.note("journal_opened", software="test")
    fields = {"recording": None, "interruption": None, "from_boot_us": 1, "to_boot_us": 2, "speech_ms": 1}
    opened.keep_blob("voice_note", lambda _: b"spoken", HandClock().now(), **fields)
    opened.close()
    with pytest.raises(BadInputError, match="holds evidence without a receipt"):
        leave(folder, spool)
    assert folder.exists()
    assert spool.exists()


def test_a_recorder_leaves_once(dock: DockFolder, folder: Path, tmp_path: Path) -> None:
    adopt(folder, given(dock, folder), PosixDisc())
    (tmp_path / f"identity.left-{DEVICE}").mkdir()
    with pytest.raises(ConfigError, match="is there already"):
        leave(folder, tmp_path / "spool")
    assert folder.exists()


def test_both_are_commands(dock: DockFolder, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = given(dock, folder)
    assert main(["device", "adopt", str(folder), str(files)]) == 0
    config = tmp_path / "liuhen.toml"
    config.write_text(f'spool = "spool"\nidentity = "{folder.name}"\n')
    assert main(["device", "leave", "--config", str(config)]) == 0
    assert capsys.readouterr().out.startswith(f"{DEVICE} belongs to the dock with key ")
    assert not folder.exists()
