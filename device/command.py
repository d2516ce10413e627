"""`liuhen device`: make a recorder's keys, and be a recorder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from device.adoption import adopt, leave
from device.config import load_config
from device.identity import provision
from evidence.errors import ConfigError
from evidence.io.command import Command
from evidence.io.durable import PosixDisc
from evidence.io.key_place import KeyPlace

HELP = """The recorder: make its keys, and run it.

  liuhen device provision FOLDER --id ID   make keys and the request that `liuhen dock enrol` signs
         [--token MODULE --label TOKEN]    the signing key in a token, by its PKCS#11 library and its label
  liuhen device adopt FOLDER FILES         take over what `liuhen dock enrol` or `liuhen dock renew` gave
  liuhen device leave --config FILE        set keys and spool aside, to become another unit's recorder
  liuhen device run --config FILE          capture, record, offload: the agent on this board's hardware

On a PC without a camera use `liuhen sim`: the same agent in a simulated world."""
CONFIG_HELP = """TOML: spool and identity (folders, relative to the file), and the sections [camera], [recording],
[storage], [uplink]; every key is explained in device/config.py."""


def _configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    make = commands.add_parser("provision", help="make this recorder's keys and certificate request")
    make.add_argument("folder", type=Path, help="the identity folder")
    make.add_argument("--id", required=True, dest="device", help="the device number, 3 to 32 letters, digits, hyphens")
    make.add_argument("--token", metavar="MODULE", help="the token's PKCS#11 library; without it the key is a file")
    make.add_argument("--label", help="the token's label, as `pkcs11-tool -L` shows it")
    make.add_argument("--key", help="a label for the key pair; otherwise `liuhen` and the device number")
    make.add_argument("--pin-file", help="the PIN, in a file of mode 0600; otherwise the systemd credential token-pin")
    make.add_argument("--json", action="store_true", help="for machines: one JSON object")
    make.set_defaults(act=_provision)
    take = commands.add_parser("adopt", help="take over the files that the dock gave")
    take.add_argument("folder", type=Path, help="the identity folder")
    take.add_argument("given", type=Path, metavar="FILES", help="the folder that the dock's command wrote")
    take.set_defaults(act=_adopt)
    go = commands.add_parser("leave", help="set keys and spool aside, to become another unit's recorder")
    go.add_argument("--config", type=Path, required=True, metavar="FILE", help="the recorder's configuration")
    go.set_defaults(act=_leave)
    run = commands.add_parser("run", help="be a recorder, until SIGTERM", epilog=CONFIG_HELP)
    run.add_argument("--config", type=Path, required=True, metavar="FILE", help="the recorder's configuration")
    run.add_argument("--only", choices=("record", "uplink"), help="one half of it, beside the other (systemd/)")
    run.set_defaults(act=_be_recorder)


def _provision(options: argparse.Namespace) -> int:
    request = provision(options.folder, options.device, PosixDisc(), _place(options))
    if options.json:
        print(json.dumps({"device": options.device, "request": str(request)}))
    else:
        print(f"keys of {options.device} are in {options.folder}; now: liuhen dock enrol DOCK {request} --out FILES")
    return 0


def _adopt(options: argparse.Namespace) -> int:
    identity = adopt(options.folder, options.given, PosixDisc())
    print(f"{identity.device} belongs to the dock with key {identity.dock_key.kid[:12]}; restart its services")
    return 0


def _leave(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    last_seq = leave(config.identity, config.spool)
    print(f"set aside; its dock must hold entry {last_seq}: liuhen dock revoke DOCK RECORDER tells what it holds")
    return 0


def _place(options: argparse.Namespace) -> KeyPlace | None:
    """Where the signing key is to lie. Raises ConfigError for half of what a token needs."""
    if options.token is None:
        if options.label or options.key or options.pin_file:
            raise ConfigError("--label, --key, --pin-file", "are for a token", "add --token MODULE")
        return None
    if not options.label:
        raise ConfigError("--token", "needs --label, the token's", f"pkcs11-tool --module {options.token} -L")
    pin_file = str(Path(options.pin_file).absolute()) if options.pin_file else ""
    return KeyPlace(options.token, options.label, options.key or f"liuhen {options.device}", pin_file)


def _be_recorder(options: argparse.Namespace) -> int:
    # Only here: provisioning needs no camera, no codec and no network library.
    from device.__main__ import Half, run_on_this_board  # noqa: PLC0415

    return run_on_this_board(options.config, Half(options.only) if options.only else None)


def _run(options: argparse.Namespace) -> int:
    code: int = options.act(options)
    return code


DEVICE = Command(HELP, _configure, _run)
