"""The battery behind the port: the kernel's files with all that may be wrong with them, and the simulated one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.hw.sysfs_power import SysfsPower
from device.ports import PowerReading, PowerSource
from sim.battery import Load, SimBattery
from sim.power import SimPower

GAUGE = {"type": "Battery", "capacity": "87", "voltage_now": "3912000", "status": "Discharging"}
INA219 = {"name": "ina219", "in0_input": "12", "in1_input": "3770", "curr1_input": "-540"}
KNOWN = PowerReading(docked=False, level_pct=87, volts=3.912)
NOTHING = PowerReading(docked=False, level_pct=None)


def show(root: Path, kernel_class: str, chips: dict[str, dict[str, str]]) -> Path:
    for name, attributes in chips.items():
        folder = root / kernel_class / name
        folder.mkdir(parents=True)
        for attribute, value in attributes.items():
            (folder / attribute).write_text(value + "\n")
    return root


@pytest.mark.parametrize(
    ("supplies", "reading"),
    [
        ({}, NOTHING),
        ({"bat": GAUGE}, KNOWN),
        ({"bat": {**GAUGE, "status": "Charging"}}, PowerReading(False, 87, 3.912, charging=True)),
        ({"bat": {**GAUGE, "status": "Unknown"}}, KNOWN),
        ({"bat": {**GAUGE, "status": "Not charging"}}, KNOWN),
        ({"bat": GAUGE, "ac": {"type": "Mains", "online": "1"}}, PowerReading(True, 87, 3.912)),
        ({"bat": GAUGE, "ac": {"type": "Mains", "online": "0"}}, KNOWN),
        ({"usb": {"type": "USB_PD", "online": "1"}}, PowerReading(True, None)),
        ({"bat": {**GAUGE, "online": "1"}}, KNOWN),
        ({"bat": {**GAUGE, "capacity": "104"}}, PowerReading(False, 100, 3.912)),
        ({"bat": {**GAUGE, "capacity": "255"}}, PowerReading(False, None, 3.912)),
        ({"bat": {**GAUGE, "capacity": "-1"}}, PowerReading(False, None, 3.912)),
        ({"bat": {**GAUGE, "capacity": "?"}}, PowerReading(False, None, 3.912)),
        ({"bat": {**GAUGE, "capacity": ""}}, PowerReading(False, None, 3.912)),
        ({"bat": {**GAUGE, "present": "0"}}, PowerReading(False, None, 3.912)),
        ({"bat": {**GAUGE, "present": "1"}}, KNOWN),
        ({"bat": {**GAUGE, "voltage_now": "0"}}, PowerReading(False, 87)),
        ({"bat": {**GAUGE, "voltage_now": "3912"}}, PowerReading(False, 87)),
        ({"bat": {"type": "Battery"}}, NOTHING),
        ({"a": {"type": "Battery"}, "b": GAUGE}, KNOWN),
        ({"a": {"type": "Battery", "voltage_now": "3700000"}, "b": {"type": "Battery", "capacity": "9"}},
         PowerReading(False, 9)),
        ({"odd": {}}, NOTHING),
    ],
)  # fmt: skip
def test_what_the_kernel_shows_is_read(
    tmp_path: Path, supplies: dict[str, dict[str, str]], reading: PowerReading
) -> None:
    assert SysfsPower(show(tmp_path, "power_supply", supplies)).read() == reading


@pytest.mark.parametrize(
    ("chip", "reading"),
    [
        (INA219, PowerReading(False, 40, 3.77)),
        ({**INA219, "in1_input": "7540"}, PowerReading(False, 40, 7.54)),
        ({**INA219, "in1_input": "4190"}, PowerReading(False, pytest.approx(98.9, abs=0.1), 4.19)),
        ({**INA219, "in1_input": "4250"}, PowerReading(False, 100, 4.25)),
        ({**INA219, "in1_input": "3000"}, PowerReading(False, 0, 3.0)),
        ({**INA219, "in1_input": "2100"}, PowerReading(False, None, 2.1)),
        ({**INA219, "in1_input": "12000"}, PowerReading(False, None, 12.0)),
        ({**INA219, "in1_input": "0"}, NOTHING),
        ({**INA219, "in1_input": "many"}, NOTHING),
        ({"name": "ina219"}, NOTHING),
        ({**INA219, "name": "rpi_volt"}, NOTHING),
    ],
    ids=["one cell", "two cells", "nearly full", "full", "empty", "too low", "too high", "no voltage", "nonsense",
         "no attribute", "another chip"],
)  # fmt: skip
def test_a_chip_that_only_measures(tmp_path: Path, chip: dict[str, str], reading: PowerReading) -> None:
    assert SysfsPower(show(tmp_path, "hwmon", {"hwmon0": chip})).read() == reading


def test_a_gauge_goes_before_a_chip_that_only_measures(tmp_path: Path) -> None:
    show(tmp_path, "hwmon", {"hwmon0": INA219})
    assert SysfsPower(show(tmp_path, "power_supply", {"bat": GAUGE})).read() == KNOWN


def test_a_machine_without_the_classes_is_worn_and_knows_no_level(tmp_path: Path) -> None:
    assert SysfsPower(tmp_path / "none").read() == NOTHING


def test_a_supply_that_goes_while_it_is_read_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "power_supply").mkdir()
    (tmp_path / "power_supply" / "usb").symlink_to(tmp_path / "gone")
    assert SysfsPower(tmp_path).read() == NOTHING


def test_an_attribute_that_cannot_be_read_is_not_known(tmp_path: Path) -> None:
    """As for EIO and ENODEV of a chip that does not answer: reading a folder is an OSError too."""
    show(tmp_path, "power_supply", {"bat": {"type": "Battery", "voltage_now": "3912000"}})
    (tmp_path / "power_supply" / "bat" / "capacity").mkdir()
    (tmp_path / "power_supply" / "bat" / "status").write_bytes(b"\xff\xfe")
    assert SysfsPower(tmp_path).read() == PowerReading(False, None, 3.912)


def kernel_power(root: Path) -> PowerSource:
    return SysfsPower(show(root, "power_supply", {"bat": GAUGE, "ac": {"type": "Mains", "online": "1"}}))


def measured_power(root: Path) -> PowerSource:
    return SysfsPower(show(root, "hwmon", {"hwmon0": INA219}))


def simulated_power(root: Path) -> PowerSource:  # noqa: ARG001  all sources are made alike
    return SimPower(SimBattery(), lambda: 0, lambda: Load.STANDBY)


@pytest.mark.parametrize("make", [kernel_power, measured_power, simulated_power])
def test_every_source_speaks_in_the_ports_units(tmp_path: Path, make: Callable[[Path], PowerSource]) -> None:
    reading = make(tmp_path).read()
    assert reading.level_pct is not None
    assert reading.volts is not None
    assert 0 <= reading.level_pct <= 100
    assert 2 <= reading.volts <= 30
    assert make(tmp_path / "again").read() == reading


@settings(max_examples=30)
@given(text=st.binary(max_size=12))
def test_no_attribute_makes_it_raise(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    root = tmp_path_factory.mktemp("sys")
    folder = root / "power_supply" / "bat"
    folder.mkdir(parents=True)
    (folder / "type").write_text("Battery")
    for name in ("capacity", "voltage_now", "status", "present"):
        (folder / name).write_bytes(text)
    reading = SysfsPower(root).read()
    assert reading.level_pct is None or 0 <= reading.level_pct <= 100
