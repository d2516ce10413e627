"""The dock's commands: init, enrol, run, health, and those of the other modules named `*_command`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import sys
from pathlib import Path

from dock.block_command import add_block_verbs
from dock.case_command import add_case_verbs
from dock.clock import SystemClock
from dock.duty_command import add_duty_verbs, add_regime
from dock.enrolment import choose_settings, enrol, init
from dock.filing_command import add_filing_verbs
from dock.findings_command import add_findings_verb
from dock.folder import DockFolder
from dock.health import heard, heard_fields, own_certificates, print_heard, state_of
from dock.key_command import add_key_verbs, take_back, write_files
from dock.opening_command import add_opening_verbs
from dock.person_command import add_person_verbs
from dock.receiver import serve
from dock.report_command import add_report_verb
from evidence.errors import BadInputError, ConfigError
from evidence.health import EXIT_CODES, State
from evidence.io.command import Command
from evidence.io.durable import PosixDisc
from evidence.io.key_place import KeyPlace, read_place
from evidence.io.service import ServiceManager
from evidence.model import Officer

HELP = "make a dock, enrol recorders, receive evidence"
INIT_HELP = """\
Makes the folder of a dock: the unit's root, an issuing CA, the keys of dock and vault, and a broker configuration.
What appears in DIR/root has to be carried away: the root's key, and the passphrase of the key that opens evidence.

  liuhen dock init station                                    try it out on this machine
  liuhen dock init station --host dock.unit.example --listen 0.0.0.0   for recorders on the network
  cd station/dock/broker && mosquitto -c mosquitto.conf       then start the broker, there
"""
ENROL_HELP = """\
Gives a recorder its certificates. REQUEST is the file that the recorder made: two certificate requests in PEM, the
signing key first, the link key second. Carry the files that appear in OUT to the recorder: liuhen device adopt.

  liuhen dock enrol station request.pem --out for-BWC-0001 --officer 110123 "张三" "交警一大队"
  liuhen dock enrol station request.pem --out for-BWC-0001-2 --replaces BWC-0001    after a repair with new keys
"""
RUN_HELP = """\
Receives evidence until it is told to stop (Ctrl-C or SIGTERM). One receiver is enough for about three gigabit links;
a larger site runs several, each with its share of the recorders.

  liuhen dock run station
  liuhen dock run station --receiver 2 --of 2
"""
HEALTH_HELP = """\
Lists every enrolled recorder with the worst of what it last said of itself, and the dock with the certificates that
run out first, worst first.

Exit codes, as monitoring plugins have them: 0 all well, 1 warning, 2 critical, 3 not known.
"""


def _configure(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    raw = argparse.RawDescriptionHelpFormatter

    make = verbs.add_parser("init", help="make the folder of a dock", description=INIT_HELP, formatter_class=raw)
    make.add_argument("folder", type=Path, metavar="DIR", help="where the dock will live")
    make.add_argument("--host", action="append", default=[], metavar="NAME", help="name or address recorders use")
    make.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="the broker's address (127.0.0.1)")
    make.add_argument("--port", type=int, default=8883, help="the broker's port (8883)")
    make.add_argument("--receivers", type=int, default=1, metavar="N", help="how many receivers get a key (1)")
    make.add_argument("--vault-token", type=Path, metavar="FILE", help="the vault key in a token: the file says where")

    give = verbs.add_parser("enrol", help="give a recorder its keys", description=ENROL_HELP, formatter_class=raw)
    give.add_argument("folder", type=Path, metavar="DIR", help="the dock")
    give.add_argument("request", type=Path, metavar="REQUEST", help="the recorder's request file")
    give.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder for the recorder's files")
    give.add_argument("--officer", nargs=3, metavar=("NUMBER", "NAME", "UNIT"), help="who wears the recorder")
    give.add_argument("--replaces", metavar="RECORDER", help="whose place it takes; that one is revoked")
    add_regime(give)
    duties = (add_duty_verbs, add_filing_verbs, add_case_verbs, add_findings_verb, add_report_verb)
    keys = (add_person_verbs, add_opening_verbs, add_key_verbs, add_block_verbs)
    for add_verbs in (*duties, *keys):
        add_verbs(verbs)

    take = verbs.add_parser("run", help="receive evidence", description=RUN_HELP, formatter_class=raw)
    take.add_argument("folder", type=Path, metavar="DIR", help="the dock")
    take.add_argument("--receiver", type=int, default=1, metavar="K", help="which receiver this is (1)")
    take.add_argument("--of", type=int, default=1, metavar="N", help="of how many (1)")
    take.set_defaults(act=_receive)

    tell = verbs.add_parser("health", help="how the recorders are", description=HEALTH_HELP, formatter_class=raw)
    tell.add_argument("folder", type=Path, metavar="DIR", help="the dock")
    tell.add_argument("--json", action="store_true", help="for machines: one JSON list, a recorder an object")
    tell.set_defaults(act=_health)

    for verb in (make, give):
        verb.add_argument("--json", action="store_true", help="print the result as JSON")
        verb.set_defaults(act=_init if verb is make else _enrol)


def _run(arguments: argparse.Namespace) -> int:
    code: int | None = arguments.act(arguments)
    return code or 0


def _health(arguments: argparse.Namespace) -> int:
    folder, now_us = DockFolder(arguments.folder), SystemClock().now().utc_us
    listed = [*heard(folder, now_us), own_certificates(folder, now_us)]
    if arguments.json:
        print(json.dumps([heard_fields(one) for one in listed], ensure_ascii=False, indent=2))
    else:
        print_heard(listed)
    return EXIT_CODES[max(map(state_of, listed), key=tuple(State).index, default=State.OK)]


def _init(arguments: argparse.Namespace) -> None:
    folder = DockFolder(arguments.folder)
    settings = choose_settings(arguments.host, arguments.listen, arguments.port)
    hosts = [*arguments.host, settings.host]
    as_root = os.geteuid() == 0
    place = None if arguments.vault_token is None else _place(arguments.vault_token)
    init(folder, PosixDisc(), SystemClock(), settings, arguments.listen, hosts, arguments.receivers, as_root, place)
    config = folder.broker / "mosquitto.conf"
    if arguments.json:
        print(json.dumps({"ca": str(folder.ca_certificate), "broker": str(config), "port": settings.port}))
    else:
        print(f"carry away and keep apart, it opens all evidence and makes all certificates: {folder.carried_away}")
        start = f"cd {shlex.quote(str(config.parent))} && mosquitto -c {config.name}"
        print(f"dock made in {folder.root}; root certificate {folder.ca_certificate}; start the broker: {start}")


def _place(path: Path) -> KeyPlace:
    try:
        return read_place(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigError(
            str(path), f"cannot be read: {error.strerror}", "docs/KEYS.md says what stands in it"
        ) from error


def _enrol(arguments: argparse.Namespace) -> None:
    folder = DockFolder(arguments.folder)
    officer = _officer(arguments)
    try:
        request = arguments.request.read_bytes()
    except OSError as error:
        raise BadInputError(str(arguments.request), f"cannot be read: {error.strerror}") from error
    disc = PosixDisc()
    enrolment = enrol(folder, disc, SystemClock(), request, str(arguments.request), officer, arguments.replaces)
    write_files(disc, arguments.out, enrolment)
    if arguments.replaces is not None:
        take_back(folder, arguments.replaces, f"replaced by {enrolment.device}")
    if arguments.json:
        listed = {"device": enrolment.device, "kid": enrolment.kid, "files": sorted(enrolment.files)}
        print(json.dumps(listed))
    else:
        print(f"{enrolment.device} enrolled with key {enrolment.kid[:12]}; its files are in {arguments.out}")


def _officer(arguments: argparse.Namespace) -> Officer | None:
    if arguments.officer is not None:
        number, name, unit = arguments.officer
        return Officer(number, name, unit, arguments.regime)
    if arguments.regime is not None:
        raise BadInputError("--regime", "says under what an officer works", "give --officer as well")
    return None


def _receive(arguments: argparse.Namespace) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    manager = ServiceManager.of_this_process()

    def tell(line: str) -> None:
        print(line, flush=True)
        manager.progress()

    serve(DockFolder(arguments.folder), arguments.receiver, arguments.of, tell)


DOCK = Command(HELP, _configure, _run)
