"""With the dock's folder in hand, and no key of it: everything that was done to the vault is in the verdict on it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dock.blocking import blocked_recorders
from evidence.certificates import Trust
from evidence.io.verify_files import verify_path
from evidence.verify import Report, Verdict
from tests.dock.desk import Desk, Uplink, dock_entries, offload
from tests.dock.fake_recorder import FakeRecorder, make_dock
from tests.dock.test_blocking import make_twins, talk
from tests.dock.test_intake import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Two recorders whose evidence is all in the vault."""
    folder = make_dock(tmp_path / "station")
    desk, first, other = Desk(folder), FakeRecorder("BWC-0001"), FakeRecorder("BWC-0002")
    for recorder in (first, other):
        recorder.enrol(folder)
        recorder.record()
        recorder.keep_blob()
        offload(desk, Uplink(recorder))
    return Scene(folder, first, desk)


def judge(scene: Scene) -> Report:
    return verify_path(scene.folder.vault, Trust(scene.folder.ca_certificate.read_bytes()))


def footage(scene: Scene, device: str = "BWC-0001") -> Path:
    return scene.folder.segment(device, next(iter(scene.recorder.segments)))


def seal(scene: Scene, device: str = "BWC-0001") -> Path:
    return scene.folder.seal(device, next(iter(scene.recorder.segments)))


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def drop_line(path: Path, number: int) -> None:
    kept = lines(path)
    del kept[number]
    path.write_bytes(b"".join(kept))


def edit_line(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))


def strip(path: Path) -> None:
    drop_line(path, -1)


def strip_with_the_end(path: Path) -> None:
    strip(path)
    path.with_name(f"{path.name}.head").unlink()


def forge_receipt(scene: Scene) -> None:
    """With a recorder's key, at the end of the dock's journal."""
    journal = scene.folder.journal("dock")
    receipt = dock_entries(scene.folder, "stored")[0]
    token = scene.recorder.chain.make(receipt.at, "stored", dict(receipt.fields), scene.recorder.certificates).token
    with journal.open("a") as file:
        file.write(f"{token}\n")


def exchange(scene: Scene) -> None:
    one, other, aside = (scene.folder.vault / name for name in ("BWC-0001", "BWC-0002", "aside"))
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


BAD, GAPS, STRANGE = Verdict.NOT_AUTHENTIC, Verdict.GAPS, Verdict.NOT_SIGNED
ATTACKS: dict[str, tuple[Callable[[Scene], object], Verdict]] = {
    "deletes a recording": (lambda scene: footage(scene).unlink(), GAPS),
    "replaces a recording": (lambda scene: replace(footage(scene), b"another"), BAD),
    "replaces a recording by another recorder's": (
        lambda scene: replace(footage(scene), footage(scene, "BWC-0002").read_bytes()), BAD,
    ),
    "replaces a recording and its seal by another recorder's": (
        lambda scene: (
            replace(footage(scene), footage(scene, "BWC-0002").read_bytes()),
            replace(seal(scene), seal(scene, "BWC-0002").read_bytes()),
        ),
        BAD,
    ),
    "replaces the seal": (lambda scene: replace(seal(scene), seal(scene, "BWC-0002").read_bytes()), BAD),
    "deletes the seal": (lambda scene: seal(scene).unlink(), GAPS),
    "cuts the end off a recording": (lambda scene: replace(footage(scene), footage(scene).read_bytes()[:-1]), BAD),
    "deletes a photo": (
        lambda scene: next((scene.folder.vault / "BWC-0001" / "blobs").glob("*.lhb")).unlink(), GAPS,
    ),
    "deletes all of a recorder": (lambda scene: shutil.rmtree(scene.folder.vault / "BWC-0001"), GAPS),
    "edits an entry of a recorder": (lambda scene: edit_line(scene.folder.journal("BWC-0001")), BAD),
    "deletes an entry of a recorder": (lambda scene: drop_line(scene.folder.journal("BWC-0001"), 2), BAD),
    "strips the tail off a recorder's journal": (lambda scene: strip(scene.folder.journal("BWC-0001")), BAD),
    "edits an entry of the dock": (lambda scene: edit_line(scene.folder.journal("dock")), BAD),
    "deletes a receipt from the dock's journal": (lambda scene: drop_line(scene.folder.journal("dock"), 2), BAD),
    "strips the tail off the dock's journal": (lambda scene: strip(scene.folder.journal("dock")), BAD),
    "strips the tail off the dock's journal and takes the statement of its end away": (
        lambda scene: strip_with_the_end(scene.folder.journal("dock")), GAPS,
    ),
    "forges a receipt with a recorder's key": (forge_receipt, BAD),
    "exchanges two recorders": (exchange, BAD),
    "puts a file of his own there": (
        lambda scene: (scene.folder.vault / "BWC-0001" / "x.mp4").write_bytes(b"x"), STRANGE,
    ),
    "puts a recorder of his own there": (lambda scene: (scene.folder.vault / "BWC-0666").mkdir(), STRANGE),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_whoever_has_the_vault(scene: Scene, name: str) -> None:
    attack, expected = ATTACKS[name]
    assert judge(scene).verdict is Verdict.AUTHENTIC
    attack(scene)
    assert judge(scene).verdict is expected


def sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()


@pytest.mark.parametrize(
    "statement", ["delete from segments", "update segments set receipt = seal", "delete from blobs"]
)
def test_whoever_edits_the_catalogue_changes_no_evidence(scene: Scene, statement: str) -> None:
    """Verdict: the vault is as authentic as before, for nobody believes a catalogue; it can be made anew."""
    scene.desk.close()
    sql(scene.folder.catalogue, statement)
    assert judge(scene).verdict is Verdict.AUTHENTIC
    for path in scene.folder.private.glob("catalogue.db*"):
        path.unlink()
    uplink = Uplink(scene.recorder)
    offload(Desk(scene.folder), uplink, rounds=1)
    assert uplink.done


def test_whoever_takes_a_block_out_of_the_catalogue_is_told_by_the_journal(tmp_path: Path) -> None:
    """Verdict: not authentic, blocked, until two persons have said otherwise."""
    twins = make_twins(tmp_path, "fedcba987654" + "0" * 20)
    talk(twins.desk, Uplink(twins.recorder))
    sql(twins.folder.catalogue, "delete from blocks")
    report = verify_path(twins.folder.vault, Trust(twins.folder.ca_certificate.read_bytes()))
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert blocked_recorders(twins.folder) == []
    assert any("the dock has blocked the recorder (fork)" in defect.what for defect in report.defects)
