"""`liuhen device run` on a PC: one clear line and exit code 2."""

import asyncio
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from device import __main__ as program
from evidence.errors import CaptureError

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


def test_an_error_of_one_task_is_told_as_itself() -> None:
    error = CaptureError("camera", "gives no picture")
    assert program._cause(ExceptionGroup("tasks", [ExceptionGroup("inner", [error])])) is error


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    group = ExceptionGroup("tasks", [CaptureError("camera", "gives no picture"), ZeroDivisionError()])
    assert program._cause(group) is group


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_agent_in_good_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: int) -> None:
    config = tmp_path / "recorder.toml"
    config.write_text('spool = "spool"\nidentity = "identity"\n')

    async def run(_config: object, hardware: object, _disc: object, stop: asyncio.Event) -> None:
        assert hardware == "board"
        os.kill(os.getpid(), name)
        await asyncio.wait_for(stop.wait(), 5)

    monkeypatch.setattr(program, "open_board", lambda _: "board")
    monkeypatch.setattr(program, "run", run)
    assert program.run_on_this_board(config) == 0
