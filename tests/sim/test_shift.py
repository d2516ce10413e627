"""One simulated shift, looked at from outside: what it says agrees with what it left, and nothing can be changed."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

import av
import pylopdf_fonts_zh_cn
import pytest

from device.capture.overlay import Overlay, time_text
from evidence.certificates import Trust
from evidence.errors import LiuhenError
from evidence.io.command import main
from evidence.io.verify_files import verify_path
from evidence.model import Officer
from evidence.verify import EXIT_CODES
from sim.shift import DEVICE, count_entries
from tests.device.overlay_reader import read_time
from tests.dock.fake_recorder import make_dock
from tests.sim.simulated import FRAMES_PER_S, Left, packets, simulated_shift

WIDTH, HEIGHT = 640, 360
PLACES = 200
PROMISED = {
    "frames_captured": int, "frames_skipped": int, "frames_recorded": int, "frames_dropped": int,
    "fragments": int, "fragments_recovered": int, "segments": int, "receipts": int, "segments_released": int,
    "bookmarks": int, "interruptions": list, "account": dict, "verdict": str, "agent_rss_peak_bytes": int,
    "offload_bytes": int, "offload_seconds": float,
}  # fmt: skip
USES = ("recorded_s", "explained_s", "unexplained_s", "standby_s", "off_s")


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Left:
    return simulated_shift(tmp_path_factory.getbasetemp())


def us(seconds: float) -> int:
    return round(seconds * 1e6)


def test_it_ends_well_and_prints_the_report_and_nothing_else(shift: Left) -> None:
    assert shift.run is not None
    assert shift.run.code == 0, shift.run.stderr
    assert json.loads(shift.run.stdout) == shift.report
    assert {name: type(value) for name, value in shift.report.items()} == PROMISED


def test_the_counts_agree_with_what_lies_in_the_vault(shift: Left) -> None:
    report, segments = shift.report, shift.segments
    assert len(segments) == report["segments"] == report["receipts"] == report["segments_released"]
    assert sorted(shift.stored) == sorted((shift.out / "vault").glob("*/*.lhs"))
    assert sum(len(packets(path, "v")) for path in segments) == report["frames_recorded"]
    assert report["frames_captured"] >= report["frames_recorded"]
    assert sum(path.read_bytes().count(b"moof") for path in segments) == report["fragments"]
    assert sum(path.stat().st_size for path in shift.stored) == report["offload_bytes"]
    assert 0 < report["offload_seconds"] < 60
    assert 30e6 < report["agent_rss_peak_bytes"] < 200e6
    assert report["bookmarks"] == 1
    assert report["verdict"] == "authentic"
    assert list((shift.out / "spool" / "segments").iterdir()) == []


def test_the_account_adds_up_and_its_recorded_time_can_be_watched(shift: Left) -> None:
    account = shift.report["account"]
    assert set(account) == {*USES, "total_s"}
    assert sum(us(account[use]) for use in USES) == us(account["total_s"])
    assert account["unexplained_s"] <= shift.skipped_s
    seen_s = sum(len(packets(path, "v")) / FRAMES_PER_S for path in shift.segments)
    assert account["recorded_s"] == pytest.approx(seen_s, abs=0.05 + shift.skipped_s)
    assert 15 < account["total_s"] < 60, "the scenario, and a busy machine's start-up"


def test_the_power_cut_is_the_one_interruption_and_exactly_the_gap_in_the_pictures(shift: Left) -> None:
    (one,) = shift.report["interruptions"]
    assert (one["cause"], one["state"], one["reason"]) == ("power_loss", "explained", "battery")
    before, after = shift.segments
    start, end = (datetime.fromisoformat(one[name]).timestamp() for name in ("start", "end"))
    assert start == pytest.approx(shift.captures(before)[-1].utc_us / 1e6 + 1 / FRAMES_PER_S, abs=1e-4)
    assert end == pytest.approx(shift.captures(after)[0].utc_us / 1e6, abs=1e-4)
    assert us(shift.report["account"]["explained_s"]) == pytest.approx(us(end) - us(start), abs=2)


def test_every_picture_shows_the_time_at_which_it_was_captured(shift: Left) -> None:
    sign_on = shift.kinds("sign_on")[-1].fields
    officer = Officer.from_fields(sign_on)
    overlay = Overlay(WIDTH, HEIGHT, officer, DEVICE, Path(pylopdf_fonts_zh_cn.sans_path()))
    path = shift.segments[-1]
    with av.open(str(path)) as container:
        shown = [read_time(f.to_ndarray()[:HEIGHT], overlay.time_cells) for f in container.decode(video=0)]
    assert len(shown) > FRAMES_PER_S
    assert shown == [time_text(stamp) for stamp in shift.captures(path)]


def code_of(*arguments: str | Path) -> int:
    return main([str(one) for one in arguments])


def test_the_verifier_finds_everything_authentic(shift: Left, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (
        shift.out / "vault",
        shift.out / "vault" / DEVICE,
        shift.out / "spool",
        *shift.stored,
        *shift.segments,
    ):
        assert code_of("verify", path, "--trust", shift.out / "ca.pem") == 0
        assert capsys.readouterr().out.startswith("真实完整 authentic\n")


def test_nobody_elses_root_vouches_for_it(shift: Left, tmp_path: Path) -> None:
    stranger = make_dock(tmp_path / "other").ca_certificate
    for path in (shift.out / "vault", shift.out / "spool", *shift.stored, *shift.segments):
        assert code_of("verify", path, "--trust", stranger) == 1
        assert code_of("verify", path) == 1


def test_no_byte_can_change_unseen(shift: Left, tmp_path: Path) -> None:
    for name in ("vault", "spool"):
        shutil.copytree(shift.out / name, tmp_path / name)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size)
    chance = random.Random(20261121)
    unseen = []
    for number in range(PLACES):
        path = files[number % len(files)]
        path.chmod(0o600)
        true = path.read_bytes()
        place, bit = chance.randrange(len(true)), chance.randrange(8)
        path.write_bytes(true[:place] + bytes([true[place] ^ 1 << bit]) + true[place + 1 :])
        if exit_code(tmp_path / path.relative_to(tmp_path).parts[0], shift.trust) == 0:
            unseen.append(f"bit {bit} of byte {place} of {path.relative_to(tmp_path)}")
        path.write_bytes(true)
    assert unseen == []
    assert [exit_code(tmp_path / name, shift.trust) for name in ("vault", "spool")] == [0, 0]


def exit_code(path: Path, trust: Trust) -> int:
    try:
        return EXIT_CODES[verify_path(path, trust).verdict]
    except LiuhenError:
        return 2


def test_no_file_can_vanish_unseen(shift: Left, tmp_path: Path) -> None:
    for name in ("vault", "spool"):
        shutil.copytree(shift.out / name, tmp_path / name)
    for path in sorted(one for one in tmp_path.rglob("*") if one.is_file() and one.stat().st_size):
        away = path.rename(tmp_path / "away")
        code = exit_code(tmp_path / path.relative_to(tmp_path).parts[0], shift.trust)
        away.rename(path)
        # A receipt stands in both journals, the file was only how it came; and a card without power states no end.
        if path.parent.name != "receipts" and path != tmp_path / "spool" / "journal.db.head":
            assert code != 0, path


def test_looking_at_a_journal_in_the_making_counts_nothing_and_lets_go(tmp_path: Path) -> None:
    recorder = sqlite3.connect(tmp_path / "journal.db")
    recorder.execute("pragma journal_mode=wal")
    recorder.execute("create table something(else_)")
    assert count_entries(tmp_path, "power_on") == 0
    recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == ["journal.db"], "its log is folded in, for nobody else reads"
