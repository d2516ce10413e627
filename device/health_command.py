"""`liuhen health`: how this recorder is, for a technician or for monitoring. Reads only; works without the recorder."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from device.config import Config, load_config
from device.health.card import make_card, with_agent
from device.health.facts import Facts
from device.health.facts_file import Found, read_facts
from device.health.output import Told, as_json, as_nagios, as_prometheus, as_table, nagios_line
from device.ports import Clock
from evidence.errors import LiuhenError
from evidence.health import EXIT_CODES, State
from evidence.io.command import Command
from evidence.io.durable import PosixDisc

DEFAULT_CONFIG = Path("/etc/liuhen/recorder.toml")
HELP = """Say how this recorder is: camera, sound, card, battery, heat, clock, certificate, interruptions, backlog.

  liuhen health                              a table, and what to do
  liuhen health --watch                      the same, live (q quits)
  liuhen health --self-test                  record, verify and throw away a few seconds: fit for duty or not

It reads what the running recorder last told, and without one what the recorder left behind.
Exit codes, as monitoring plugins have them: 0 well, 1 warning, 2 critical or not fit, 3 not known or bad input."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help=f"the recorder's ({DEFAULT_CONFIG})"
    )
    form = parser.add_mutually_exclusive_group()
    for name, text in (
        ("json", "the card as one JSON object"),
        ("nagios", "one line with performance data, as a monitoring plugin"),
        ("prometheus", "text exposition, for node_exporter's textfile collector"),
        ("watch", "a live view on this terminal"),
        ("self-test", "test the hardware; the recorder must not be running"),
    ):
        form.add_argument(f"--{name}", action="store_const", dest="form", const=name, help=text)


def _run(options: argparse.Namespace) -> int:
    try:
        config = load_config(options.config)
        return _ACTS.get(options.form, _tell_as)(config, options)
    except LiuhenError as error:
        line = " ".join(str(error).split())
        if options.form == "nagios":
            print(nagios_line(State.UNKNOWN, line))
        else:
            print(f"liuhen health: {line}", file=sys.stderr)
        return EXIT_CODES[State.UNKNOWN]


def tell(config: Config, clock: Clock) -> Told:
    """The card of this moment. Raises BadInputError for a damaged health file, ConfigError for a damaged identity."""
    found = read_facts(config.run_folder)
    now = clock.now()
    if found is None:
        facts = _left_behind(config, clock)
        return Told(with_agent(make_card(facts), None), facts)
    return Told(with_agent(make_card(found.facts), _age_s(found, now.utc_us)), found.facts)


def _age_s(found: Found, now_utc_us: int) -> float:
    """By the file system's time; half a second of future is its rounding."""
    age_s = (now_utc_us - found.written_utc_us) / 1e6
    return max(0.0, age_s) if age_s > -1 else age_s


def _left_behind(config: Config, clock: Clock) -> Facts:
    # Only here: a running recorder has told all of it, and monitoring asks often.
    from device.health.collector import Collector  # noqa: PLC0415
    from device.identity import load_link_identity  # noqa: PLC0415

    # A health check has no business with the signing key.
    device = load_link_identity(config.identity).device
    return Collector(config, device, f"liuhen {version('liuhen')}", PosixDisc(), clock).collect(None)


def _tell_as(config: Config, options: argparse.Namespace) -> int:
    told = tell(config, _clock())
    as_text = _FORMS.get(options.form)
    print(as_text(told) if as_text else as_table(told, colour=sys.stdout.isatty()))
    return EXIT_CODES[told.card.state]


def _watch(config: Config, options: argparse.Namespace) -> int:
    # Only here: nothing else needs a terminal library.
    from device.health.screen import HealthScreen  # noqa: PLC0415

    clock = _clock()
    screen = HealthScreen(lambda: tell(config, clock), f"liuhen health --self-test --config {options.config}")
    screen.run()
    return EXIT_CODES[screen.state]


def _self_test(config: Config, _: argparse.Namespace) -> int:
    from device.__main__ import self_test_on_this_board  # noqa: PLC0415  only this opens hardware
    from device.health.verdict import exit_code, verdict_text  # noqa: PLC0415

    test = asyncio.run(self_test_on_this_board(config))
    print(verdict_text(test, colour=sys.stdout.isatty()))
    return exit_code(test)


def _clock() -> Clock:
    from device.__main__ import board_clock  # noqa: PLC0415  the machine's own time is hardware too

    return board_clock()


_FORMS: Mapping[str, Callable[[Told], str]] = {"json": as_json, "nagios": as_nagios, "prometheus": as_prometheus}
_ACTS: Mapping[str, Callable[[Config, argparse.Namespace], int]] = {"watch": _watch, "self-test": _self_test}
HEALTH = Command(HELP, _configure, _run)
