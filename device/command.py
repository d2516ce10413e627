"""`liuhen device`: make a recorder's keys, and be a recorder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from device.identity import provision
from evidence.io.command import Command
from evidence.io.durable import PosixDisc

HELP = """The recorder: make its keys, and run it.

  liuhen device provision FOLDER --id ID   make keys and the request that `liuhen dock enrol` signs
  liuhen device run --config FILE          capture, record, offload: the agent on this board's hardware

On a PC without a camera use `liuhen sim`: the same agent in a simulated world."""
CONFIG_HELP = """TOML: spool and identity (folders, relative to the file), and the sections [camera], [recording],
[storage], [uplink]; every key is explained in device/config.py."""


def _configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    make = commands.add_parser("provision", help="make this recorder's keys and certificate request")
    make.add_argument("folder", type=Path, help="the identity folder")
    make.add_argument("--id", required=True, dest="device", help="the device number, 3 to 32 letters, digits, hyphens")
    make.add_argument("--json", action="store_true", help="for machines: one JSON object")
    make.set_defaults(act=_provision)
    run = commands.add_parser("run", help="be a recorder, until SIGTERM", epilog=CONFIG_HELP)
    run.add_argument("--config", type=Path, required=True, metavar="FILE", help="the recorder's configuration")
    run.add_argument("--only", choices=("record", "uplink"), help="one half of it, beside the other (systemd/)")
    run.set_defaults(act=_be_recorder)


def _provision(options: argparse.Namespace) -> int:
    request = provision(options.folder, options.device, PosixDisc())
    if options.json:
        print(json.dumps({"device": options.device, "request": str(request)}))
    else:
        print(f"keys of {options.device} are in {options.folder}; now: liuhen dock enrol DOCK {request} --out FOLDER")
    return 0


def _be_recorder(options: argparse.Namespace) -> int:
    # Only here: provisioning needs no camera, no codec and no network library.
    from device.__main__ import Half, run_on_this_board  # noqa: PLC0415

    return run_on_this_board(options.config, Half(options.only) if options.only else None)


def _run(options: argparse.Namespace) -> int:
    code: int = options.act(options)
    return code


DEVICE = Command(HELP, _configure, _run)
