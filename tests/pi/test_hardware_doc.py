"""docs/HARDWARE.md tells the pins that the panel has, and the units that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from device.hw.gpiozero_panel import BLUE_PIN, BUTTON_PINS, BUZZER_PIN, CASE_PIN, GREEN_PIN, RED_PIN, VIBRATION_PIN
from tests.pi.units import BROKER, SYSTEMD

TEXT = (Path(__file__).parents[2] / "docs" / "HARDWARE.md").read_text()
TABLE = {
    name: (int(gpio), int(header))
    for name, gpio, header in re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (?:high|low)", TEXT, re.MULTILINE)
}
PINS = {
    **{button.name: pin for button, pin in BUTTON_PINS.items()},
    "case": CASE_PIN,
    "red": RED_PIN,
    "green": GREEN_PIN,
    "blue": BLUE_PIN,
    "buzzer": BUZZER_PIN,
    "vibration": VIBRATION_PIN,
}


def test_the_pin_table_is_the_panels() -> None:
    assert {name: gpio for name, (gpio, _) in TABLE.items()} == PINS


@pytest.mark.parametrize("name", PINS)
def test_the_number_at_the_header_is_the_boards(name: str) -> None:
    """As gpiozero knows the board."""
    gpio, header = TABLE[name]
    board = MockFactory().board_info
    assert {pin.name for _, pin in board.find_pin(f"BOARD{header}")} == {f"GPIO{gpio}"}


@pytest.mark.parametrize("name", PINS)
def test_the_drawing_shows_the_same(name: str) -> None:
    gpio, header = TABLE[name]
    (drawing,) = re.findall(r"^```\n(.*?Raspberry Pi header.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert f"{header} (GPIO {gpio})" in drawing.replace("  ", " ") or f"GPIO {gpio}  {header} " in drawing


def test_every_service_is_told_with_its_user() -> None:
    users = dict(re.findall(r"^\| `([\w.-]+)`[^|]*\| ([\w-]+)", TEXT, re.MULTILINE))
    for path in SYSTEMD.glob("*.service"):
        user = re.search(r"^User=(.+)$", path.read_text(), re.MULTILINE)
        if user:
            told = users.get(path.name) or users.get(path.with_suffix(".timer").name)
            assert told == user[1], path.name
    assert users[BROKER] == "liuhen-dock"
