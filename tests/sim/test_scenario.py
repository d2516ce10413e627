from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim
from device.ports import Press
from evidence.errors import ConfigError
from evidence.model import ClockGrade
from sim.scenario import Scenario, load_scenario, parse_scenario
from sim.steps import STEPS, Answer, By, ClockStep, Dock, PowerCut, PressButton, Reason

SHIFT = Path(sim.__file__).parent / "scenarios" / "shift.toml"
HEAD = 'title = "t"\n[[step]]\n'


def test_the_shipped_shift() -> None:
    shift = load_scenario(SHIFT)
    assert shift.steps == (
        PressButton(3.0, Press.RECORD),
        PressButton(15.0, Press.MARK),
        PowerCut(27.0, 3.0),
        Answer(38.0, Reason.BATTERY, By.BUTTONS),
        PressButton(54.0, Press.STOP),
        Dock(56.0),
    )


def test_scaling_puts_the_dock_at_the_end_of_the_shift() -> None:
    shift = load_scenario(SHIFT)
    short, long = shift.scaled_to(14.0), shift.scaled_to(36_000.0)
    assert short.steps[0] == PressButton(0.75, Press.RECORD)
    assert short.steps[2] == PowerCut(6.75, 0.75)
    assert short.steps[-1] == Dock(14.0)
    assert long.steps[-1].at_s == pytest.approx(36_000.0)
    assert isinstance(long.steps[2], PowerCut)
    assert long.steps[2].off_s == 3.0, "an outage does not grow to half an hour"


def test_a_scenario_without_a_dock_cannot_be_scaled() -> None:
    with pytest.raises(ConfigError, match="dock"):
        Scenario("t", (PressButton(1.0, Press.RECORD),)).scaled_to(60.0)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_length_of_the_shift(seconds: float) -> None:
    with pytest.raises(ConfigError, match="length of the shift"):
        load_scenario(SHIFT).scaled_to(seconds)


def test_a_clock_step_may_go_back() -> None:
    text = HEAD + 'at_s = 1\ndo = "clock_step"\nby_s = -3600.5\ngrade = "dock"\n'
    assert parse_scenario(text.encode(), "f").steps == (ClockStep(1.0, -3600.5, ClockGrade.DOCK),)


def test_a_power_cut_has_a_usual_length() -> None:
    assert parse_scenario((HEAD + 'at_s = 1\ndo = "power_cut"\n').encode(), "f").steps == (PowerCut(1.0, 3.0),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = ", "is not TOML"),
        ('title = "t"\n', "has no steps"),
        ('title = "t"\nstep = [1]\n', "step 1: 1 is not a table"),
        ("[[step]]\nat_s = 1\ndo = 'dock'\n", "title is missing"),
        ('colour = "red"\n' + HEAD, "'colour' is not known"),
        (HEAD + "at_s = 1\n", "do = None is not known"),
        (HEAD + 'at_s = 1\ndo = "dance"\n', "do = 'dance' is not known (one of: press"),
        (HEAD + 'do = "dock"\n', 'do = "dock" needs at_s'),
        (HEAD + 'at_s = 1\ndo = "press"\n', 'do = "press" needs button'),
        (HEAD + 'at_s = 1\ndo = "press"\nbutton = "fire"\n', "step 1: button: 'fire' is not known"),
        (HEAD + 'at_s = 1\ndo = "dock"\noff_s = 2\n', "'off_s' is not known (known here: do, at_s)"),
        (HEAD + 'at_s = -1\ndo = "dock"\n', "step 1: at_s: -1 cannot be"),
        (HEAD + 'at_s = true\ndo = "dock"\n', "at_s: True cannot be"),
        (HEAD + 'at_s = nan\ndo = "dock"\n', "at_s: nan cannot be"),
        (HEAD + 'at_s = 1\ndo = "answer"\nreason = "tired"\n', "reason: 'tired' is not known"),
        (HEAD + 'at_s = 2\ndo = "dock"\n[[step]]\nat_s = 1\ndo = "undock"\n', "step 2: at_s = 1 comes before"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text.encode(), "f.toml")
    line = str(caught.value)
    assert complaint in line
    assert line.startswith("f.toml")
    assert "\n" not in line


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    for path, words in (("none.toml", "cannot be read"), ("x.toml", "is not TOML"), (".", "cannot be read")):
        with pytest.raises(ConfigError, match=words):
            load_scenario(tmp_path / path)


SCALARS = st.one_of(
    st.integers(), st.floats().map(str), st.booleans().map(lambda yes: str(yes).lower()), st.text(max_size=5).map(repr)
)
KEYS = st.sampled_from(["at_s", "do", "off_s", "for_s", "by_s", "grade", "button", "reason", "title", "x"])
WORDS = st.sampled_from([*STEPS, *Press, *Reason, *ClockGrade]).map(lambda word: f'"{word}"')
LINES = st.one_of(st.just("[[step]]"), st.just("[step]"), st.builds("{} = {}".format, KEYS, SCALARS | WORDS))


def complaint(text: str) -> str:
    """What is said about a file; nothing but a ConfigError may come out."""
    try:
        parse_scenario(text.encode(), "f.toml")
    except ConfigError as error:
        return str(error)
    return ""


@given(st.lists(LINES, max_size=12).map("\n".join) | st.text(max_size=60))
def test_broken_files_give_a_config_error_and_nothing_else(text: str) -> None:
    assert "\n" not in complaint('title = "t"\n' + text)


@given(st.data())
def test_a_shift_cut_or_changed_at_any_byte(data: st.DataObject) -> None:
    good = SHIFT.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(good) - 1))
    put = data.draw(st.characters(codec="utf-8"))
    for text in (good[:at], good[:at] + put + good[at + 1 :]):
        assert "\n" not in complaint(text)
