"""The thermometers behind the port: the kernel's files with all that may be wrong with them, and the simulated one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from device.hw.sysfs_thermometer import FIRMWARE, SysfsThermometer
from device.ports import HeatReading, Thermometer
from sim.battery import Load
from sim.heat import SimThermometer

ZONE = "class/thermal/thermal_zone0/temp"
ALARM = "class/hwmon/hwmon1/in0_lcrit_alarm"
ALARM_NAME = "class/hwmon/hwmon1/name"
THROTTLED = str(FIRMWARE)


def show(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


@pytest.mark.parametrize(
    ("files", "reading"),
    [
        ({}, HeatReading(None, False)),
        ({ZONE: "48312"}, HeatReading(48.312, False)),
        ({ZONE: "48312", "class/thermal/thermal_zone1/temp": "61000"}, HeatReading(61.0, False)),
        ({ZONE: "-12000"}, HeatReading(-12.0, False)),
        ({ZONE: "48312", "class/thermal/cooling_device0/temp": "99000"}, HeatReading(48.312, False)),
        ({ZONE: "hot"}, HeatReading(None, False)),
        ({ZONE: ""}, HeatReading(None, False)),
        ({ZONE: "300000"}, HeatReading(None, False)),
        ({ZONE: "-274000", "class/thermal/thermal_zone1/temp": "50000"}, HeatReading(50.0, False)),
        ({ZONE: "81000", THROTTLED: "0"}, HeatReading(81.0, False)),
        ({ZONE: "81000", THROTTLED: "8"}, HeatReading(81.0, True)),
        ({ZONE: "81000", THROTTLED: "e0008"}, HeatReading(81.0, True)),
        ({ZONE: "60000", THROTTLED: "50005"}, HeatReading(60.0, True)),
        ({ZONE: "60000", THROTTLED: "50000"}, HeatReading(60.0, False)),
        ({THROTTLED: "0x4"}, HeatReading(None, True)),
        ({THROTTLED: "no"}, HeatReading(None, False)),
        ({ALARM_NAME: "rpi_volt", ALARM: "1"}, HeatReading(None, True)),
        ({ALARM_NAME: "rpi_volt", ALARM: "0"}, HeatReading(None, False)),
        ({ALARM_NAME: "cpu_thermal", ALARM: "1"}, HeatReading(None, False)),
        ({ALARM_NAME: "rpi_volt"}, HeatReading(None, False)),
        ({ALARM_NAME: "rpi_volt", ALARM: "1", THROTTLED: "0"}, HeatReading(None, False)),
    ],
    ids=["no files", "a zone", "the hottest", "frost", "a fan is no zone", "nonsense", "empty", "too hot to be true",
         "one zone broken", "cool enough", "soft limit", "and ever before", "voltage and throttled", "only ever before",
         "with prefix", "firmware talks nonsense", "voltage alarm", "no alarm", "another chip", "alarm gone",
         "the firmware knows better"],
)  # fmt: skip
def test_what_the_kernel_shows_is_read(tmp_path: Path, files: dict[str, str], reading: HeatReading) -> None:
    assert SysfsThermometer(show(tmp_path, files)).read() == reading


def test_files_that_refuse_and_vanish_are_not_known(tmp_path: Path) -> None:
    (tmp_path / ZONE).mkdir(parents=True)
    (tmp_path / THROTTLED).mkdir(parents=True)
    thermometer = SysfsThermometer(tmp_path)
    assert thermometer.read() == HeatReading(None, False)
    (tmp_path / ZONE).rmdir()
    (tmp_path / ZONE).parent.rmdir()
    (tmp_path / "class/thermal/thermal_zone0").symlink_to(tmp_path / "gone")
    assert thermometer.read() == HeatReading(None, False)


class Board:
    """A kernel whose files follow the world."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.thermometer: Thermometer = SysfsThermometer(root)

    def warm_to(self, celsius: float) -> None:
        show(self.root, {ZONE: str(round(celsius * 1000)), THROTTLED: "c" if celsius >= 80 else "0"})

    def break_sensor(self) -> None:
        (self.root / ZONE).unlink()
        (self.root / THROTTLED).unlink()


class SimBoard:
    """A simulated board that has stood in this air for a day."""

    def __init__(self, _: Path) -> None:
        self.now_us = 0
        self.sim = SimThermometer(lambda: self.now_us, lambda: Load.OFF)
        self.thermometer: Thermometer = self.sim

    def warm_to(self, celsius: float) -> None:
        self.sim.set_ambient(celsius)
        self.now_us += 86_400_000_000

    def break_sensor(self) -> None:
        self.warm_to(20)
        self.sim.lose_sensor()


@pytest.mark.parametrize("make", [Board, SimBoard])
def test_every_thermometer_keeps_the_port(tmp_path: Path, make: Callable[[Path], Board | SimBoard]) -> None:
    board = make(tmp_path)
    for celsius, throttled in ((21.5, False), (80.5, True), (60.0, False), (-5.0, False)):
        board.warm_to(celsius)
        assert board.thermometer.read() == HeatReading(celsius, throttled)
    board.break_sensor()
    assert board.thermometer.read() == HeatReading(None, False)
