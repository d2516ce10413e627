"""With card and key of a recorder: a second life of it. The dock says which, and which it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dock.blocking import blocked_recorders
from evidence.certificates import Trust
from evidence.forks import Cause
from evidence.io.verify_files import verify_path
from evidence.signing import KeySigner
from evidence.verify import Verdict
from evidence.wire import Up, write_batch
from tests.dock.desk import Desk, Uplink, dock_entries, offload
from tests.dock.fake_recorder import FakeRecorder, make_dock
from tests.dock.test_blocking import HOUR_US, NEXT_BOOT, Recording, talk
from tests.dock.test_intake import Scene

OTHER = "BWC-0002"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """The dock has everything of a recorder."""
    folder = make_dock(tmp_path / "station")
    recorder = FakeRecorder("BWC-0001")
    recorder.enrol(folder)
    FakeRecorder(OTHER).enrol(folder)
    recorder.record()
    desk = Desk(folder)
    offload(desk, Uplink(recorder))
    return Scene(folder, recorder, desk)


def both_go_on(scene: Scene, boot: str) -> None:
    clone = scene.recorder.copy(boot)
    clone.record()
    offload(scene.desk, Uplink(clone))
    scene.recorder.record(parts=5)
    talk(scene.desk, Uplink(scene.recorder))


def clone_card(scene: Scene) -> None:
    both_go_on(scene, NEXT_BOOT)


def clone_running(scene: Scene) -> None:
    """The memory image of a virtual machine, say: not even the boot is another."""
    clone = scene.recorder.copy()
    clone.clock.ticks_us += 1
    clone.record()
    offload(scene.desk, Uplink(clone))
    scene.recorder.record(parts=5)
    talk(scene.desk, Uplink(scene.recorder))


def restored(scene: Scene, parts: int) -> FakeRecorder:
    """A backup that is put back after the recorder has lived on, and then itself lives on."""
    backup = scene.recorder.copy(NEXT_BOOT)
    scene.recorder.record(parts=4)
    offload(scene.desk, Uplink(scene.recorder))
    backup.clock.ticks_us += HOUR_US
    backup.add("docked", {})
    for _ in range(parts):
        backup.record()
    return backup


def restore_backup(scene: Scene) -> None:
    talk(scene.desk, Uplink(restored(scene, 0)))


def restore_backup_and_catch_up(scene: Scene) -> None:
    talk(scene.desk, Uplink(restored(scene, 3)))


def begin_anew(scene: Scene) -> None:
    """The card wiped, the same key: as if nothing had ever been recorded."""
    wiped = FakeRecorder("BWC-0001", scene.recorder.signing, certificates=scene.recorder.certificates)
    wiped.clock.boot, wiped.clock.ticks_us = NEXT_BOOT, HOUR_US
    wiped.add("journal_opened", {"software": "test"}, x5c=wiped.certificates)
    wiped.record()
    talk(scene.desk, Uplink(wiped))


def rewrite_past(scene: Scene) -> None:
    """One entry of the past left out and everything after it signed anew."""
    past = FakeRecorder("BWC-0001", scene.recorder.signing, tokens=scene.recorder.tokens[:3])
    past.add("bookmark", {"recording": None})
    scene.desk.take(past.journal_message(2))


def sign_as_another(scene: Scene) -> None:
    """Its own key under another recorder's name."""
    posing = FakeRecorder(OTHER, scene.recorder.signing)
    posing.add("docked", {})
    scene.desk.take((scene.recorder.topic(Up.JOURNAL), write_batch(posing.tokens)))


BLOCKED: dict[str, tuple[Callable[[Scene], None], Cause]] = {
    "clones the card": (clone_card, Cause.FORK),
    "clones the running recorder": (clone_running, Cause.FORK),
    "restores a backup": (restore_backup, Cause.ROLLED_BACK),
    "restores a backup and lets it catch up": (restore_backup_and_catch_up, Cause.ROLLED_BACK),
    "wipes the card and begins anew": (begin_anew, Cause.ROLLED_BACK),
    "writes the past anew": (rewrite_past, Cause.FORK),
    "signs as another recorder": (sign_as_another, Cause.FOREIGN),
}


@pytest.mark.parametrize("name", BLOCKED)
def test_whoever_has_card_and_key(scene: Scene, name: str) -> None:
    """Verdict: the cause, in the dock's journal, its log and the vault's verdict; blocked until it is cleared."""
    attack, cause = BLOCKED[name]
    attack(scene)
    (standing,) = blocked_recorders(scene.folder)
    assert standing.blocked.fields["why"] == cause
    report = verify_path(scene.folder.vault, Trust(scene.folder.ca_certificate.read_bytes()))
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert any(f"blocked the recorder ({cause})" in defect.what for defect in report.defects)


def replay(scene: Scene) -> None:
    recording = Recording(scene.desk)
    scene.recorder.record()
    offload(recording, Uplink(scene.recorder))
    scene.desk.take(*recording.taken)


def reorder(scene: Scene) -> None:
    scene.recorder.record()
    last = len(scene.recorder.tokens) - 1
    scene.desk.take(scene.recorder.journal_message(last))
    offload(scene.desk, Uplink(scene.recorder))


def set_clock_back(scene: Scene) -> None:
    scene.recorder.clock.started_us -= HOUR_US
    scene.recorder.clock.boot = NEXT_BOOT
    scene.recorder.record()
    offload(scene.desk, Uplink(scene.recorder))


SAID: dict[str, tuple[Callable[[Scene], None], Cause]] = {
    "replays messages": (replay, Cause.REPLAYED),
    "changes the order of messages": (reorder, Cause.REORDERED),
    "sets the clock back": (set_clock_back, Cause.CLOCK_SET_BACK),
}


@pytest.mark.parametrize("name", SAID)
def test_whoever_has_the_messages_or_the_clock(scene: Scene, name: str) -> None:
    """Verdict: the cause is counted or journalled, and nothing is lost for it."""
    attack, cause = SAID[name]
    attack(scene)
    assert scene.desk.catalogue.findings("BWC-0001")[cause] > 0
    assert blocked_recorders(scene.folder) == []
    report = verify_path(scene.folder.vault, Trust(scene.folder.ca_certificate.read_bytes()))
    assert report.verdict is Verdict.AUTHENTIC


def test_whoever_puts_an_entry_of_another_recorder_into_a_journal(scene: Scene) -> None:
    """Verdict: FOREIGN, in quarantine, and blocks nobody: whoever is on the way could do it."""
    other = FakeRecorder("BWC-0003")
    other.enrol(scene.folder)
    scene.desk.take((scene.recorder.topic(Up.JOURNAL), write_batch(other.tokens)))
    (rejected,) = dock_entries(scene.folder, "rejected")
    assert rejected.fields["why"].startswith("FOREIGN: ")
    assert blocked_recorders(scene.folder) == []
    assert KeySigner(other.signing).kid != KeySigner(scene.recorder.signing).kid
