"""`liuhen sim`: a whole shift on this machine, with a real broker and a real dock."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from device.config import LIMITS
from evidence.errors import BadInputError, ConfigError
from evidence.io.command import Command
from evidence.io.durable import make_folder
from sim.clip import Clip
from sim.days import random_days, run_day
from sim.processes import find_mosquitto
from sim.report import ShiftReport, make_report
from sim.scenario import Scenario, load_scenario
from sim.self_test import run_self_test
from sim.shift import Setting, Shift
from sim.steps import Dock, Undock
from sim.summary import print_summary

HERE = Path(__file__).parent
VIDEO = HERE / "media" / "bigbuckbunny.mp4"
SCENARIO = HERE / "scenarios" / "shift.toml"
HELP = """Simulate a shift: enrol, sign on, record, bookmark, power cut, resume, dock, offload, receipt, release.

The recorder is the real agent on simulated hardware, in a process of its own; the broker (mosquitto, TLS 1.3, client
certificates) and the dock are the real ones. Exit code 0 only if everything held."""
EXIT_BROKEN = 1


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--video", type=Path, default=VIDEO, metavar="FILE", help="what the camera sees and hears")
    parser.add_argument("--scenario", type=Path, default=SCENARIO, metavar="FILE", help="what happens (TOML)")
    parser.add_argument("--seconds", type=float, metavar="N", help="length of the shift (the scenario's own)")
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="size of the picture (1280x720)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep vault/, spool/, ca.pem and report.json here")
    parser.add_argument("--json", action="store_true", help="print report.json to standard output, nothing else there")
    parser.add_argument("--fast", action="store_true", help="the scenario under an accelerated clock, without a broker")
    parser.add_argument("--chaos", metavar="SEED", help="a random day, accelerated; a range such as 1..50 for many")
    parser.add_argument("--hours", type=float, default=8.0, metavar="N", help="length of a random day (8)")
    parser.add_argument("--self-test", action="store_true", help="only the recorder's self-test: fit for duty or not")
    parser.add_argument("--keep-running", action="store_true", help="afterwards keep broker, dock and recorder running")


def _run(options: argparse.Namespace) -> int:
    _end_politely()
    width, height = _size(options.size)
    _check_video(options.video, width, height)
    if options.self_test:
        return run_self_test(options.video.resolve(), width, height)
    if options.chaos or options.fast:
        return _run_fast(options)
    scenario, seconds = _scenario(options.scenario, options.seconds)
    find_mosquitto()
    say = _progress(sys.stderr.isatty())
    with tempfile.TemporaryDirectory(prefix="liuhen-") as scratch:
        out = _out_folder(options.out or Path(scratch) / "out")
        with Shift(Setting(out, options.video.resolve(), width, height, seconds), say) as shift:
            shift.prepare()
            shift.run(scenario)
            shift.await_offload()
            shift.finish()
            report = _report(out, shift, as_json=options.json)
            if options.keep_running:
                shift.stay()
    return 0 if report.holds else EXIT_BROKEN


def _run_fast(options: argparse.Namespace) -> int:
    say, out = _progress(sys.stderr.isatty()), _out_folder(options.out) if options.out else None
    days = iter([(1, load_scenario(options.scenario))])
    if options.chaos:
        days = random_days(options.chaos, options.hours)
    held = [run_day(scenario, seed, out and out / str(seed), options.json, say) for seed, scenario in days]
    return 0 if all(held) else EXIT_BROKEN


def _report(out: Path, shift: Shift, as_json: bool) -> ShiftReport:
    report = make_report(out, shift.readings.past)
    text = json.dumps(report.fields, ensure_ascii=False, indent=2)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    if as_json:
        print(text)
    else:
        print_summary(report)
    return report


def _end_politely() -> None:
    """Whatever asks this process to end, the processes that it started end first."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) is not signal.SIG_IGN:
            signal.signal(name, signal.default_int_handler)


def _check_video(path: Path, width: int, height: int) -> None:
    if not path.is_file():
        raise BadInputError(str(path), "is not there", "give --video FILE")
    Clip(path, width, height).close()


def _scenario(path: Path, seconds: float | None) -> tuple[Scenario, float]:
    """The scenario and its length."""
    scenario = load_scenario(path)
    docking = [step for step in scenario.steps if isinstance(step, Dock | Undock)]
    if not docking or isinstance(docking[-1], Undock):
        raise ConfigError(str(path), "does not end in the dock", 'let a step with do = "dock" come last')
    if seconds is None:
        return scenario, docking[-1].at_s
    return scenario.scaled_to(seconds), seconds


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    width, height = (int(side) for side in found.groups()) if found else (0, 0)
    least, most = LIMITS["width"]
    if width % 2 or height % 4 or not (least <= width <= most and least <= height <= most):
        hint = f"for example 1920x1080; {least} to {most}, height divisible by 4"
        raise ConfigError(f"--size {text}", "is no size of a picture", hint)
    return width, height


def _out_folder(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(str(folder), "is not an empty folder", "give another --out; evidence is never overwritten")
    make_folder(folder.resolve())
    return folder.resolve()


def _progress(live: bool) -> Callable[[float, str], None]:
    """Lines on standard error; on a terminal the counter stays on one line."""

    def say(at_s: float, text: str) -> None:
        passing = text.startswith("\r")
        line = f"{int(at_s) // 60:02d}:{int(at_s) % 60:02d}  {text.lstrip(chr(13))}"
        if live:
            print(f"\r\x1b[K{line}", end="" if passing else "\n", file=sys.stderr, flush=True)
        elif not passing or int(at_s) % 10 == 0:
            print(line, file=sys.stderr, flush=True)

    return say


SIM = Command(HELP, _configure, _run)
