"""Days under the world's own time: every cause of an interruption followed to its closing, and random days."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sim
from evidence.io.command import main
from sim.day.chaos import chaos
from sim.day.day import live_day_of
from sim.day.unit import make_unit

SCENARIOS = Path(sim.__file__).parent / "scenarios"
LONG = ("broker_away_all_day", "quiet_day")
"""Days of many hours, in which no recording breaks."""
STORIES: dict[str, list[tuple[str, str | None, str]]] = {
    "battery_death": [("battery_low", None, "reported")],
    "battery_sudden": [("power_loss", None, "reported")],
    "broker_away": [],
    "camera_hangs": [("device_fault", "camera", "explained")],
    "card_dead": [("device_fault", "card", "explained"), ("device_fault", "card", "reported")],
    "card_full": [("storage_full", None, "explained")],
    "card_read_only": [("device_fault", "card", "explained")],
    "clock_1970": [("power_loss", None, "explained")],
    "clock_steps": [],
    "crash": [("device_fault", "agent", "explained")],
    "dangerous_chemicals": [],
    "dock_dies": [],
    "dock_full": [],
    "dropped_five_times": [("power_loss", None, "explained")] * 5,
    "microphone_dies": [],
    "obstruction": [("power_loss", None, "explained")],
    "over_temperature": [("device_fault", "heat", "reported")],
    "shift": [("power_loss", None, "explained")],
    "switched_off": [("operator_stop", None, "reported")],
    "tamper": [("tamper", "camera", "explained")],
}
"""What breaks the recording in each: the machine's cause and part, and how far its explanation has come at the end."""


def test_every_scenario_that_is_shipped_has_its_story() -> None:
    assert {path.stem for path in SCENARIOS.glob("*.toml")} == {*STORIES, *LONG}


@pytest.mark.parametrize("name", STORIES)
def test_a_scenario_holds_and_its_interruptions_are_followed_to_their_end(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim", "--fast", "--json", "--scenario", str(SCENARIOS / f"{name}.toml")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["cause"], one["part"], one["state"]) for one in told["interruptions"]] == STORIES[name]
    # A segment whose sync failed is suspect, and says so.
    assert told["verdict"] == ("authentic with gaps" if name == "card_read_only" else "authentic")


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", LONG)
def test_a_long_day_without_a_break_holds_and_the_dock_has_all_of_it_in_the_evening(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim", "--fast", "--json", "--scenario", str(SCENARIOS / f"{name}.toml")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["interruptions"], told["verdict"]) == ([], "authentic")
    assert told["segments"] == told["receipts"] > 0
    assert told["frames_dropped"] == told["frames_skipped"] == 0
    assert told["account"]["unexplained_s"] == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_hour_holds(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "--chaos", str(seed), "--hours", "0.5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seed"] == seed


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_random_days_hold() -> None:
    assert main(["sim", "--chaos", "1..5", "--hours", "8", "--json"]) == 0


def test_the_same_seed_is_the_same_day_to_the_byte(tmp_path: Path) -> None:
    make_unit(tmp_path / "unit")
    journals = []
    for number in range(2):
        out = tmp_path / str(number)
        copy(tmp_path / "unit", out)
        live_day_of(out, chaos(3, 0.2), 3, lambda *_: None)
        journals.append((out / "vault" / "LH-000001" / "journal.jws").read_bytes())
    assert journals[0] == journals[1]


def copy(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
            place.chmod(path.stat().st_mode)


@pytest.mark.parametrize("seeds", ["x", "5..1", "1..9999", "-1"])
def test_an_impossible_range_of_seeds_is_one_line(seeds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", f"--chaos={seeds}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
