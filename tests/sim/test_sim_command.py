"""`liuhen sim` refuses what it cannot do in one line, and leaves no process behind."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from clips import make_clip

from evidence.certificates import Trust
from evidence.io.command import main
from evidence.io.verify_files import verify_path
from evidence.verify import Verdict
from sim.processes import find_mosquitto, liuhen
from sim.shift import count_entries
from tests.sim.simulated import MARK, Run, await_that, left_behind, sim


def text(path: Path, content: str) -> str:
    path.write_text(content)
    return str(path)


def sound_only(folder: Path) -> str:
    clip, path = make_clip(folder / "both.mp4", tone_until_ms=500), folder / "sound.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-vn", "-c", "copy", path], check=True)
    return str(path)


def full_folder(folder: Path) -> str:
    (folder / "full").mkdir()
    (folder / "full" / "evidence").touch()
    return str(folder / "full")


def scenario(folder: Path, *steps: str) -> str:
    return text(folder / "scenario.toml", 'title = "t"\n' + "".join(f"[[step]]\n{step}\n" for step in steps))


DOCK, UNDOCK = 'at_s = 1\ndo = "dock"', 'at_s = 2\ndo = "undock"'
BAD: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "an option that does not exist": (lambda _: ["--colour"], "--colour"),
    "a length that is no number": (lambda _: ["--seconds", "soon"], "soon"),
    "a shift without length": (lambda _: ["--seconds", "0"], "0.0 s"),
    "a video that is not there": (lambda f: ["--video", str(f / "none.mp4")], "none.mp4"),
    "a folder as video": (lambda f: ["--video", str(f)], "give --video FILE"),
    "a text as video": (lambda f: ["--video", text(f / "film.mp4", "no film")], "film.mp4"),
    "an empty video": (lambda f: ["--video", text(f / "empty.mp4", "")], "empty.mp4"),
    "a video without picture": (lambda f: ["--video", sound_only(f)], "has no picture"),
    "a size of one number": (lambda _: ["--size", "640"], "--size 640"),
    "an odd size": (lambda _: ["--size", "641x362"], "divisible by 4"),
    "a size of nothing": (lambda _: ["--size", "00x00"], "--size 00x00"),
    "a size too small": (lambda _: ["--size", "32x32"], "--size 32x32"),
    "a size too large": (lambda _: ["--size", "8192x4320"], "--size 8192x4320"),
    "an --out with something in it": (lambda f: ["--out", full_folder(f)], "never overwritten"),
    "an --out that is a file": (lambda f: ["--out", text(f / "out", "")], "is not an empty folder"),
    "a scenario that is not there": (lambda f: ["--scenario", str(f / "none.toml")], "none.toml"),
    "a scenario that is not TOML": (lambda f: ["--scenario", text(f / "s.toml", "=")], "is not TOML"),
    "an unknown step": (lambda f: ["--scenario", scenario(f, 'at_s = 1\ndo = "fly"')], "'fly'"),
    "a shift that never ends": (
        lambda f: ["--scenario", scenario(f, 'at_s = 1\ndo = "press"\nbutton = "record"')],
        "does not end in the dock",
    ),
    "a shift that goes on": (lambda f: ["--scenario", scenario(f, DOCK, UNDOCK)], "does not end in the dock"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_in_one_line(
    tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, case)
    arguments, named = BAD[case]
    assert code_of("sim", *arguments(tmp_path)) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    # argparse says how it is used before it says what is wrong.
    *usage, line = stderr.splitlines()
    assert named in line
    assert [one for one in usage if not one.startswith(("usage:", "  "))] == []
    assert left_behind(case) == []


def code_of(*arguments: str) -> int | str | None:
    """What the command's process would end with."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code


def test_without_a_broker_it_says_what_to_install(tmp_path: Path) -> None:
    hidden = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*hidden, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let a test hide a program")
    hide = f'mount --bind /dev/null {find_mosquitto()} && exec "$0" "$@"'
    run = Run([*hidden, hide, *liuhen("sim", "--out", str(tmp_path / "out"))], path="/usr/bin:/bin")
    assert (run.end(), run.stdout) == (2, "")
    assert run.stderr.splitlines() == [
        "liuhen sim: mosquitto: is not installed (Debian: apt install mosquitto; macOS: brew install mosquitto)"
    ]
    assert not (tmp_path / "out").exists()


ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Run, Path]]:
    """One shift for each way to end it, and one that stays; together, for they mostly wait."""
    kinds = {**{one.name: ("--seconds", "40") for one in ENDINGS}, "stays": ("--seconds", "8", "--keep-running")}
    outs = {name: tmp_path_factory.mktemp(name) / "out" for name in kinds}
    return {
        name: (sim(*kind, "--size", "320x180", "--out", str(outs[name])), outs[name]) for name, kind in kinds.items()
    }


@pytest.mark.parametrize("how", ENDINGS)
def test_it_can_be_ended_at_any_moment(runs: dict[str, tuple[Run, Path]], how: signal.Signals) -> None:
    run, out = runs[how.name]
    run.read_until("press record")
    await_that(lambda: run.code is not None or count_entries(out / "spool", "fragment") >= 2, "two fragments")
    assert len(left_behind(run.mark)) == 4, "itself, broker, dock and recorder"
    run.process.send_signal(how)
    assert (run.end(), run.stdout) == (130, "")
    assert "Traceback" not in run.stderr
    assert left_behind(run.mark) == []
    trust = Trust((out / "ca.pem").read_bytes(), "ca.pem")
    assert verify_path(out / "vault", trust).verdict is Verdict.AUTHENTIC
    # What was being written was never sealed: true as far as it goes.
    assert verify_path(out / "spool", trust).verdict is Verdict.GAPS


def test_it_keeps_running_until_it_is_ended(runs: dict[str, tuple[Run, Path]]) -> None:
    run, out = runs["stays"]
    run.read_until("running on")
    lines = "\n".join(left_behind(run.mark))
    assert [lines.count(one) for one in ("mosquitto.conf", "sim.recorder_process", "dock run")] == [1, 1, 1]
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130
    assert left_behind(run.mark) == []
    trust = Trust((out / "ca.pem").read_bytes(), "ca.pem")
    assert [verify_path(out / name, trust).verdict for name in ("vault", "spool")] == [Verdict.AUTHENTIC] * 2
