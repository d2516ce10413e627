"""Facts on their way: gathered, written, read again, and what becomes of damaged and stale ones."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from device.config import Config
from device.health.collector import Collector, minutes_of, read_live
from device.health.disc_state import DiscState, read_disc_state
from device.health.facts import BacklogFacts, Facts, OpenFact, PauseFacts
from device.health.facts_file import CARD_FILE, FACTS_FILE, read_facts, write_facts
from device.health.gauges import gauged, level_dbfs
from device.health.journal_view import KINDS, JournalView
from device.health.task import FORWARD_S, TELL_S, forward_health, tell_health, tell_once
from device.ports import Hardware
from evidence.errors import BadInputError, CaptureError, LinkError, NewerVersionError, SignatureError
from evidence.health import read_card
from evidence.io.durable import PosixDisc
from tests.device.cards import fast_folder
from tests.device.footage import EPOCH_US, film
from tests.device.hand_clock import HandClock, after_reboot
from tests.device.health_facts import well
from tests.device.life import Life, living, open_spool, start
from tests.device.stage import (
    HandCamera,
    HandLocator,
    HandMicrophone,
    HandPanel,
    HandPower,
    HandSpeaker,
    HandThermometer,
    a_turn,
    nothing,
)
from tests.device.unit import DEVICE, OFFICER, unit

FULL: Facts = well(
    open=(OpenFact("0123456789ab-i0001", "power_loss"),), pause=PauseFacts("0123456789ab-p0001", "secrets", 60.0)
)
BARE: Facts = well(state=None, camera=None, microphone=None, card=None, battery=None, heat=None, officer=None)


@pytest.mark.parametrize("facts", [FULL, BARE])
def test_what_was_written_is_read_again(tmp_path: Path, facts: Facts) -> None:
    write_facts(tmp_path / "run", facts)
    found = read_facts(tmp_path / "run")
    assert found is not None
    assert found.facts == facts
    assert [path.name for path in (tmp_path / "run").iterdir()] == [FACTS_FILE]


def test_no_file_is_no_facts(tmp_path: Path) -> None:
    assert read_facts(tmp_path) is None


def damage(change: Callable[[dict[str, object]], object]) -> bytes:
    document = {"v": 1, **json.loads(json.dumps(_fields(FULL)))}
    change(document)
    return json.dumps(document).encode()


def _fields(facts: Facts) -> dict[str, object]:
    with fast_folder() as folder:
        write_facts(folder, facts)
        document: dict[str, object] = json.loads((folder / FACTS_FILE).read_bytes())
    return document


DAMAGED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not JSON"),
    "half of it": (json.dumps(_fields(FULL)).encode()[:200], "not JSON"),
    "noise": (b"\xff\x00\x01", "not JSON"),
    "a nest": (b"[" * 100_000, "not JSON"),
    "a list": (b"[]", "no health file"),
    "no version": (damage(lambda d: d.pop("v")), "no health file"),
    "a part lost": (damage(lambda d: d.pop("backlog")), "lacks backlog"),
    "a number as word": (damage(lambda d: d.update(journal_seq="7")), "journal_seq: has the impossible value"),
    "a truth as number": (damage(lambda d: d.update(drift_ppm=True)), "impossible value"),
    "a part of another kind": (damage(lambda d: d.update(camera=[1])), "camera: is no JSON object"),
    "a list of another kind": (damage(lambda d: d.update(open={"a": 1})), "open: is no list"),
    "an impossible time": (damage(lambda d: d.update(at={"utc": "soon"})), "impossible utc"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_one_line_that_says_where(tmp_path: Path, case: str) -> None:
    content, words = DAMAGED[case]
    (tmp_path / FACTS_FILE).write_bytes(content)
    with pytest.raises(BadInputError, match=words) as told:
        read_facts(tmp_path)
    assert "\n" not in str(told.value)


def test_a_newer_file_is_not_ours_to_judge(tmp_path: Path) -> None:
    (tmp_path / FACTS_FILE).write_bytes(damage(lambda d: d.update(v=2)))
    with pytest.raises(NewerVersionError):
        read_facts(tmp_path)


def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    (tmp_path / FACTS_FILE).mkdir()
    with pytest.raises(BadInputError, match="cannot be read"):
        read_facts(tmp_path)


# --- the journal ---


def test_the_journal_tells_backlog_interruptions_pause_crash_and_step() -> None:
    clock, view = HandClock(), JournalView()
    with fast_folder() as folder:
        spool = open_spool(folder / "spool", PosixDisc(), clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            life = Life(spool, numbers, clock)
            for _ in life.first_recording():
                pass
            view.read(spool.journal)
            assert view.open == ()
            first = view.backlog(clock.now(), 48 * 3600)
            broken, pause = numbers.next_interruption(), numbers.next_pause()
            at = clock.now().to_fields()
            recording = life.begin()
            spool.note("interruption", interruption=broken, recording=recording, cause="tamper", part=None, began=at)
            spool.note("sign_on", **OFFICER.to_fields())
            spool.note("clock", step_us=-5_000_000)
            spool.note("clock", step_us=0)
            spool.note("fault", part="card", what="refuses")
            spool.note("paused", pause=pause, recording=None, limit_s=600)
            view.read(spool.journal)
            assert view.pause(clock.now()) == PauseFacts(pause, "no reason given", 600.0)
            spool.note("pause_reason", pause=pause, reason="secrets", authority="xuchang 19")
            clock.advance(700)
            view.read(spool.journal)
            assert view.pause(clock.now()) == PauseFacts(pause, "secrets", -100.0)
            assert view.open == (OpenFact(broken, "tamper"),)
            assert (view.step_us, view.officer, view.faults) == (-5_000_000, OFFICER.number, {"card"})
            spool.note("pause_ended", pause=pause, trigger="button")
            spool.note("written", interruption=broken, dock="dock", dock_seq=1, dock_hash="A" * 43)
            spool.note("fault_cleared", part="card")
            for _ in life.dock():
                pass
            view.read(spool.journal)
            assert (view.pause(clock.now()), view.open, view.faults) == (None, (), frozenset())
            assert view.backlog(clock.now(), 60) == BacklogFacts(0, 0, None, None)
            assert view.seq == spool.head_seq
        assert first.segments == 2
        assert first.bytes > 10_000
        # The older of the two began with the film's first picture.
        assert first.oldest_age_s == pytest.approx(5, abs=0.2)
        assert first.deadline_left_s == 48 * 3600 - (first.oldest_age_s or 0)


def test_a_crash_is_told_and_a_power_cut_is_none() -> None:
    with fast_folder() as folder:
        clock = HandClock()
        for later, crashed in ((clock, None), (after_reboot(clock), None), (after_reboot(clock), 30.0)):
            spool = open_spool(folder / "spool", PosixDisc(), later)
            with living(spool):
                start(spool, later)
                later.advance(30)
                view = JournalView()
                view.read(spool.journal)
                assert view.crash_age_s(later.now()) == crashed


def test_reading_on_is_reading_anew() -> None:
    """The journal is read once, however often somebody asks."""
    clock, grown = HandClock(), JournalView()
    with fast_folder() as folder:
        spool = open_spool(folder / "spool", PosixDisc(), clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            for _ in Life(spool, numbers, clock).steps():
                grown.read(spool.journal)
            anew = JournalView()
            anew.read(spool.journal)
            now = clock.now()
            assert grown.backlog(now, 60) == anew.backlog(now, 60)
            assert grown.open == anew.open
            kinds = [entry.kind for entry in spool.journal.of_kind(*KINDS, after_seq=spool.head_seq - 1)]
            assert kinds == []


# --- the card ---


def sysfs(root: Path, folder: Path, options: str = "rw,relatime", **files: str) -> None:
    """What a Pi with an eMMC shows of the disc under `folder`."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    disc = root / "sys/devices/mmc0/block/mmcblk0"
    (disc / "mmcblk0p2").mkdir(parents=True)
    (disc / "device").mkdir()
    (disc / "mmcblk0p2/partition").write_text("2\n")
    (root / "sys/dev/block").mkdir(parents=True)
    (root / "sys/dev/block" / number).symlink_to(disc / "mmcblk0p2")
    (root / "sys/fs/ext4/mmcblk0p2").mkdir(parents=True)
    (root / "proc/self").mkdir(parents=True)
    mount = f"36 35 {number} / /data {options} shared:1 - ext4 /dev/mmcblk0p2 {{}}\n"
    (root / "proc/self/mountinfo").write_text(mount.format(files.pop("super", "rw")))
    places = {"life_time": disc / "device", "pre_eol_info": disc / "device", "stat": disc / "mmcblk0p2"}
    for name, text in files.items():
        (places.get(name, root / "sys/fs/ext4/mmcblk0p2") / name).write_text(text)


STAT = "  1 2 3 4 5 6 2048 8 9 10 11\n"
NOTHING_TOLD = DiscState(False, False, None, None, None)
DISCS: dict[str, tuple[dict[str, str], DiscState]] = {
    "an eMMC": (
        {
            "life_time": "0x02 0x03\n", "pre_eol_info": "0x01\n", "errors_count": "0\n",
            "lifetime_write_kbytes": "1000\n",
        },
        DiscState(False, False, 30, 1, 1_024_000),
    ),
    "a worn one with errors": (
        {"life_time": "0x0b 0x01\n", "pre_eol_info": "0x03\n", "errors_count": "2\n", "stat": STAT},
        DiscState(False, True, 110, 3, 1_048_576),
    ),
    "one that tells nothing": ({"life_time": "0x00 0x00\n", "pre_eol_info": "0x00\n"}, NOTHING_TOLD),
    "an SD card": ({"stat": STAT}, DiscState(False, False, None, None, 1_048_576)),
    "noise": ({"life_time": "x y\n", "stat": "?\n", "errors_count": "many"}, DiscState(False, False, None, None, None)),
    "mounted read-only": ({"options": "ro,relatime"}, DiscState(True, False, None, None, None)),
    "given up by the kernel": ({"super": "rw,emergency_ro"}, DiscState(True, False, None, None, None)),
    "shut down": ({"super": "rw,shutdown"}, DiscState(True, False, None, None, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", DISCS)
def test_what_the_kernel_tells_of_a_card(tmp_path: Path, case: str) -> None:
    files, state = DISCS[case]
    sysfs(tmp_path, tmp_path, **files)
    assert read_disc_state(tmp_path, tmp_path) == state


def test_where_nothing_is_told_nothing_is_known(tmp_path: Path) -> None:
    assert read_disc_state(tmp_path / "none", tmp_path) == DiscState(False, False, None, None, None)
    assert not read_disc_state(tmp_path).read_only


def test_the_reserve_is_no_room() -> None:
    assert minutes_of(0, 3_000_000) == 0
    assert minutes_of(8 << 20, 3_000_000) == 0
    assert minutes_of(1_400_000_000, 3_000_000) == 60


# --- the gauges ---


@pytest.mark.parametrize(("amplitude", "dbfs"), [(0, -96.0), (1, -90.3), (328, -40.0), (32_767, 0.0)])
def test_the_level_of_sound(amplitude: int, dbfs: float) -> None:
    assert level_dbfs(np.full(480, amplitude, np.int16)) == pytest.approx(dbfs, abs=0.1)


def hand_hardware(clock: HandClock) -> tuple[Hardware, HandCamera, HandMicrophone]:
    camera, microphone = HandCamera(film(20)), HandMicrophone(film(20))
    hardware = Hardware(
        camera, microphone, HandSpeaker(), HandPanel(), HandPower(), HandThermometer(), HandLocator(), clock
    )
    return hardware, camera, microphone


def test_the_gauges_see_and_hear_what_goes_by() -> None:
    clock = HandClock(boot_us=EPOCH_US)
    bare, camera, microphone = hand_hardware(clock)
    hardware, eye, ear = gauged(bare)
    assert (eye.facts(), ear.facts()) == (None, None)
    seen: list[object] = []
    hardware.camera.start(lambda _: None, seen.append)
    hardware.microphone.start(seen.append)
    clock.advance(4.05)
    camera.see(clock.boot_us)
    microphone.hear(clock.boot_us)
    live = read_live(hardware, eye, ear, "standby")
    assert live.camera is not None
    assert live.microphone is not None
    assert len(seen) > 200
    assert (live.camera.running, live.camera.nominal_frames_per_s) == (True, 10)
    assert live.camera.frames_per_s == pytest.approx(10)
    assert live.camera.last_frame_age_s == pytest.approx(0.05)
    assert live.microphone.plugged
    assert live.microphone.level_dbfs == pytest.approx(-15.3, abs=0.3)
    clock.advance(2)
    hardware.camera.stop()
    gone, silent = eye.facts(), ear.facts()
    assert gone is not None
    assert silent is not None
    assert (gone.running, gone.last_frame_age_s, silent.plugged) == (False, pytest.approx(2.05), False)


def test_a_camera_or_microphone_that_does_not_start_is_known_as_such() -> None:
    bare, camera, microphone = hand_hardware(HandClock())
    camera.broken = microphone.missing = True
    hardware, eye, ear = gauged(bare)
    for begin in (
        lambda: hardware.camera.start(lambda _: None, lambda _: None),
        lambda: hardware.microphone.start(print),
    ):
        with pytest.raises(CaptureError):
            begin()
    seen, heard = eye.facts(), ear.facts()
    assert seen is not None
    assert heard is not None
    assert (seen.running, seen.frames_per_s, heard.plugged, heard.level_dbfs) == (False, None, False, None)


# --- the collector ---


def test_facts_are_gathered_from_a_card_and_without_a_running_recorder() -> None:
    clock = HandClock()
    with fast_folder() as folder:
        config = Config(folder / "spool", folder / "identity")
        spool = open_spool(config.spool, PosixDisc(), clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            spool.note("sign_on", **OFFICER.to_fields())
            for _ in Life(spool, numbers, clock).first_recording():
                pass
            facts = Collector(config, DEVICE, "liuhen 9", PosixDisc(), clock).collect(None)
        assert (facts.device, facts.software, facts.state, facts.camera) == (DEVICE, "test", None, None)
        assert (facts.backlog.segments, facts.officer, facts.journal_seq) == (2, OFFICER.number, spool.head_seq)
        assert facts.certificate_left_s is None
        assert facts.card is not None
        assert not facts.card.errors
        assert (facts.card.minutes_left or 0) > 0


def test_a_journal_that_cannot_be_read_is_an_error_of_the_card_and_hides_nothing_else() -> None:
    with fast_folder() as folder:
        config = Config(folder / "spool", folder / "identity")
        config.spool.mkdir()
        (config.spool / "journal.db").write_bytes(b"noise" * 1000)
        facts = Collector(config, DEVICE, "liuhen 9", PosixDisc(), HandClock()).collect(None)
    assert facts.card is not None
    assert facts.card.errors
    assert facts.card.free_bytes is not None


def test_a_recorder_that_has_never_run_has_facts() -> None:
    with fast_folder() as folder:
        config = Config(folder / "spool", folder / "identity")
        facts = Collector(config, DEVICE, "liuhen 9", PosixDisc(), HandClock()).collect(None)
    assert (facts.journal_seq, facts.backlog.segments, facts.open) == (-1, 0, ())
    assert facts.card is not None


# --- the tasks ---


def in_one_thread() -> None:
    """What was asked for earlier is done when what was asked for later is."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))


async def passing(clock: HandClock, task: asyncio.Task[None], seconds: float) -> None:
    for _ in range(6):
        await asyncio.to_thread(nothing)
        await a_turn()
    assert not task.done()
    clock.advance(seconds)
    for _ in range(6):
        await asyncio.to_thread(nothing)
        await a_turn()


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_the_recorder_tells_its_facts_and_signs_its_card_again_and_again(tmp_path: Path) -> None:
    async def tell() -> list[int]:
        in_one_thread()
        clock, seqs, signer = HandClock(), iter(range(100)), unit().recorder.signer
        task = asyncio.create_task(tell_health(lambda: well(journal_seq=next(seqs)), signer, tmp_path, clock))
        read = []
        for _ in range(3):
            await passing(clock, task, 0)
            card = read_card((tmp_path / CARD_FILE).read_text().strip(), signer.verify_key, DEVICE)
            found = read_facts(tmp_path)
            assert found is not None
            assert found.facts.journal_seq == card.journal_seq
            read.append(card.journal_seq)
            await passing(clock, task, TELL_S)
        await ended(task)
        return read

    assert asyncio.run(tell()) == [0, 1, 2]


def test_a_card_of_another_key_is_not_believed(tmp_path: Path) -> None:
    tell_once(well, unit().recorder.signer, tmp_path)
    token = (tmp_path / CARD_FILE).read_text().strip()
    with pytest.raises(SignatureError):
        read_card(token, unit().dock.signer.verify_key, DEVICE)
    with pytest.raises(BadInputError, match="is the card of 'BWC-0001'"):
        read_card(token, unit().recorder.signer.verify_key, "BWC-0002")


def test_the_card_is_passed_on_when_it_has_changed_and_the_link_is_there(tmp_path: Path) -> None:
    published: list[bytes] = []
    up = full = False

    def publish(token: bytes) -> None:
        assert up
        if full:
            raise LinkError("health", "not sent, 20 messages wait for the broker already")
        published.append(token)

    async def forward() -> None:
        nonlocal up, full
        in_one_thread()
        clock, connected = HandClock(), asyncio.Event()
        task = asyncio.create_task(forward_health(tmp_path, publish, connected, clock))
        await passing(clock, task, 1)
        tell_once(well, unit().recorder.signer, tmp_path)
        await passing(clock, task, 1)
        up = full = True
        connected.set()
        await passing(clock, task, 1)
        full = False
        for _ in range(3):
            await passing(clock, task, FORWARD_S)
        tell_once(lambda: well(journal_seq=42), unit().recorder.signer, tmp_path)
        await passing(clock, task, FORWARD_S)
        await ended(task)

    asyncio.run(forward())
    seqs = [read_card(token.decode(), unit().recorder.signer.verify_key, DEVICE).journal_seq for token in published]
    assert seqs == [41, 42]
