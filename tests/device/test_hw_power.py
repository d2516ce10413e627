from pathlib import Path

import pytest

from device.hw.sysfs_power import SysfsPower
from device.ports import PowerReading

BATTERY = {"type": "Battery", "capacity": "87"}


@pytest.mark.parametrize(
    ("supplies", "reading"),
    [
        ({}, PowerReading(docked=False, level_pct=None)),
        ({"bat": BATTERY}, PowerReading(docked=False, level_pct=87)),
        ({"bat": BATTERY, "ac": {"type": "Mains", "online": "1"}}, PowerReading(docked=True, level_pct=87)),
        ({"bat": BATTERY, "ac": {"type": "Mains", "online": "0"}}, PowerReading(docked=False, level_pct=87)),
        ({"usb": {"type": "USB_PD", "online": "1"}}, PowerReading(docked=True, level_pct=None)),
        ({"bat": {**BATTERY, "online": "1"}}, PowerReading(docked=False, level_pct=87)),
        ({"bat": {"type": "Battery"}}, PowerReading(docked=False, level_pct=None)),
        ({"bat": {"type": "Battery", "capacity": "?"}}, PowerReading(docked=False, level_pct=None)),
        ({"a": {"type": "Battery"}, "b": BATTERY}, PowerReading(docked=False, level_pct=87)),
        ({"odd": {}}, PowerReading(docked=False, level_pct=None)),
    ],
)
def test_what_the_kernel_shows_is_read(
    tmp_path: Path, supplies: dict[str, dict[str, str]], reading: PowerReading
) -> None:
    for name, attributes in supplies.items():
        (tmp_path / name).mkdir()
        for attribute, value in attributes.items():
            (tmp_path / name / attribute).write_text(value + "\n")
    assert SysfsPower(tmp_path).read() == reading


def test_a_machine_without_the_class_is_worn_and_knows_no_level(tmp_path: Path) -> None:
    assert SysfsPower(tmp_path / "none").read() == PowerReading(docked=False, level_pct=None)


def test_a_supply_that_goes_while_it_is_read_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "usb").symlink_to(tmp_path / "gone")
    assert SysfsPower(tmp_path).read() == PowerReading(docked=False, level_pct=None)
