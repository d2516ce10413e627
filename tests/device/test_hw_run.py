"""`liuhen device run` on a PC: one clear line and exit code 2."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

LIUHEN = [str(Path(sys.executable).with_name("liuhen")), "device", "run"]
COMMANDS = pytest.mark.parametrize("command", [LIUHEN, [sys.executable, "-m", "device"]], ids=["liuhen", "module"])
NO_CAMERA = pytest.mark.skipif(find_spec("picamera2") is not None, reason="this machine may be a recorder")


def error_line(command: list[str], config: Path) -> str:
    """What the command says, which is one line on standard error, and that it ends with exit code 2."""
    done = subprocess.run([*command, "--config", str(config)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    return done.stderr


@COMMANDS
@NO_CAMERA
def test_a_pc_is_told_what_is_missing(tmp_path: Path, command: list[str]) -> None:
    config = tmp_path / "recorder.toml"
    config.write_text('spool = "spool"\nidentity = "identity"\n')
    line = error_line(command, config)
    assert line.startswith("liuhen device: camera: ")
    assert "apt install python3-picamera2" in line
    assert "liuhen sim" in line
    assert list(tmp_path.iterdir()) == [config]


@COMMANDS
def test_a_bad_configuration_is_told_before_any_hardware_is_opened(tmp_path: Path, command: list[str]) -> None:
    config = tmp_path / "recorder.toml"
    config.write_text('spool = "spool"\nidentity = "identity"\n[camera]\nframes_per_s = 999\n')
    assert "has frames_per_s = 999 (a whole number from 1 to 120)" in error_line(command, config)
    assert "cannot be read" in error_line(command, tmp_path / "none.toml")
