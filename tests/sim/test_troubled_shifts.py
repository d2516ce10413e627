"""Shifts in which something fails: each ends well, and its report and journal say what was wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from evidence.io.token_file import read_lines
from evidence.journal import read_entry
from sim.command import VIDEO
from sim.report import make_report
from sim.scenario import load_scenario
from sim.shift import Setting, Shift
from tests.sim.simulated import FRAMES_PER_S, SCENARIOS, Left, packets, sim

TROUBLES = ("camera_hangs", "microphone_dies", "clock_steps", "dock_dies", "broker_away")
AT_ONCE = 3
WIDTH, HEIGHT = 320, 180
SEGMENT_S = 2
RECORDED_S = 8
SOUND_HZ = 48_000
PIECE_SAMPLES = 1024
PULLED_SAMPLES = 8
"""By so much a piece of sound may be pulled nearer, to stay with the picture (device/capture/sound.py)."""


@pytest.fixture(scope="module")
def shifts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Left]:
    """All of them, a few at a time, for they mostly wait."""
    run: dict[str, Callable[[Path, Path], Left]] = dict.fromkeys(TROUBLES, by_command)
    run["broker_away"] = in_short_segments
    with ThreadPoolExecutor(AT_ONCE) as pool:
        made = [
            pool.submit(run[name], SCENARIOS / f"{name}.toml", tmp_path_factory.mktemp(name) / "out")
            for name in TROUBLES
        ]
    return {name: one.result() for name, one in zip(TROUBLES, made, strict=True)}


def by_command(scenario: Path, out: Path) -> Left:
    run = sim("--scenario", str(scenario), "--size", f"{WIDTH}x{HEIGHT}", "--out", str(out), "--json")
    assert run.end() == 0, run.stderr + run.stdout
    return Left(out, run)


def in_short_segments(scenario: Path, out: Path) -> Left:
    """As the command does, but with a recorder whose technician set short segments."""
    out.mkdir()
    with Shift(Setting(out, VIDEO, WIDTH, HEIGHT, seconds=0.0), lambda _at_s, _text: None) as shift:
        shift.prepare()
        with (out / "device" / "recorder.toml").open("a") as config:
            config.write(f"[recording]\nsegment_s = {SEGMENT_S}\n")
        shift.run(load_scenario(scenario))
        shift.await_offload()
        shift.finish()
        report = make_report(out, shift.readings.past)
    assert report.holds
    (out / "report.json").write_text(json.dumps(report.fields))
    return Left(out)


@pytest.mark.parametrize("name", TROUBLES)
def test_everything_recorded_is_received_once_freed_and_authentic(shifts: dict[str, Left], name: str) -> None:
    report = shifts[name].report
    assert report["verdict"] == "authentic"
    assert report["segments"] == report["receipts"] == report["segments_released"] == len(shifts[name].segments)
    assert report["frames_recorded"] == sum(len(packets(path, "v")) for path in shifts[name].segments)
    assert report["account"]["unexplained_s"] <= shifts[name].skipped_s
    account = {use: round(seconds * 1e6) for use, seconds in report["account"].items()}
    assert account.pop("total_s") == sum(account.values())
    dock = [read_entry(token) for token in read_lines(shifts[name].out / "vault" / "dock" / "journal.jws")]
    stored = [entry.fields["segment"] for entry in dock if entry.kind == "stored"]
    assert stored == [entry.fields["segment"] for entry in shifts[name].kinds("segment")]
    assert [entry.kind for entry in dock if entry.kind == "rejected"] == []


@pytest.mark.parametrize("name", ["microphone_dies", "clock_steps", "dock_dies", "broker_away"])
def test_the_recording_goes_on_without_a_break(shifts: dict[str, Left], name: str) -> None:
    assert shifts[name].report["interruptions"] == []
    captures = [stamp.boot_us for path in shifts[name].segments for stamp in shifts[name].captures(path)]
    ticks = [round(boot_us * FRAMES_PER_S / 1e6) for boot_us in captures]
    missing = [tick for before, after in pairwise(ticks) for tick in range(before + 1, after)]
    assert len(missing) <= shifts[name].report["frames_skipped"]
    assert ticks == sorted(set(ticks))
    assert (ticks[-1] - ticks[0]) / FRAMES_PER_S > RECORDED_S - 1


def test_between_two_segments_no_picture_and_no_sample_is_missing(shifts: dict[str, Left]) -> None:
    segments = shifts["broker_away"].segments
    assert len(segments) >= 4
    for before, after in pairwise(segments):
        (last_s, frame_s), (first_s, _) = packets(before, "v")[-1], packets(after, "v")[0]
        assert first_s == pytest.approx(last_s + frame_s, abs=2 / 90_000)
        assert_no_sample_is_missing(packets(before, "a")[-1:] + packets(after, "a")[:1])


def test_a_camera_that_hangs_is_an_interruption_of_exactly_the_missing_pictures(shifts: dict[str, Left]) -> None:
    shift = shifts["camera_hangs"]
    (one,) = shift.report["interruptions"]
    assert (one["cause"], one["state"], one["reason"]) == ("device_fault", "explained", "device_fault")
    captured_us = [stamp.boot_us for path in shift.segments for stamp in shift.captures(path)]
    gap_us = max(after - before for before, after in pairwise(captured_us)) - 1_000_000 / FRAMES_PER_S
    assert 3.0 < gap_us / 1e6 < 6.0 + shift.skipped_s, "3 s without a picture, and the restart of the camera"
    assert shift.report["account"]["explained_s"] == pytest.approx(gap_us / 1e6, abs=1e-3)


def test_a_microphone_that_dies_leaves_silence_of_a_known_length(shifts: dict[str, Left]) -> None:
    shift = shifts["microphone_dies"]
    (segment,) = shift.segments
    assert_no_sample_is_missing(packets(segment, "a"))
    (started,) = shift.kinds("recording_started")
    lost = [e.fields for e in shift.kinds("sound_lost") if e.fields["from_boot_us"] > started.at.boot_us]
    assert max(one["to_boot_us"] - one["from_boot_us"] for one in lost) / 1e6 == pytest.approx(3.0, abs=0.75)


def test_a_clock_that_steps_moves_nothing_that_was_recorded(shifts: dict[str, Left]) -> None:
    shift = shifts["clock_steps"]
    steps_s = [
        (after.at.utc_us - before.at.utc_us - after.at.boot_us + before.at.boot_us) / 1e6
        for before, after in pairwise(shift.entries)
    ]
    assert [step for step in steps_s if step] == [-3600, 7200]
    assert shift.report["account"]["total_s"] < 60
    assert len(shift.segments) == 1


def assert_no_sample_is_missing(pieces: list[tuple[float, float]]) -> None:
    steps = [round((after_s - before_s) * SOUND_HZ) for (before_s, _), (after_s, _) in pairwise(pieces)]
    assert {step for step in steps if abs(step - PIECE_SAMPLES) > PULLED_SAMPLES} == set()
