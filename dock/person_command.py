"""The dock's commands about persons: person add, person revoke, person list."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from dock.clock import SystemClock
from dock.folder import DockFolder
from dock.passphrase import PERSON_VARIABLE, new_passphrase
from dock.person_desk import PersonDesk
from evidence.io.durable import PosixDisc
from evidence.persons import ACTS, Act

ADD_HELP = """\
Gives a person a key of his own, behind a passphrase that only he knows, and a certificate of the unit. He sits at the
dock and types the passphrase; the two files in OUT are his to carry away.

  liuhen dock person add station 李四 --number 110124 --role approve --out li
  liuhen dock person add station 张三 --number 110123 --role ask --role clear --out zhang
"""
REVOKE_HELP = """\
Takes a person's key away: lost, stolen, or its bearer has left. What it has approved and is not opened yet stays shut.

  liuhen dock person revoke station 110124 --why "调离"
"""
LIST_HELP = """\
Lists everybody who was ever given a key, and what he may sign.
"""


def add_person_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs behind `liuhen dock person`."""
    raw = argparse.RawDescriptionHelpFormatter
    of_person = verbs.add_parser("person", help="persons with keys of their own").add_subparsers(
        required=True, metavar="VERB"
    )
    add = of_person.add_parser("add", help="give a person a key", description=ADD_HELP, formatter_class=raw)
    revoke = of_person.add_parser("revoke", help="take it away", description=REVOKE_HELP, formatter_class=raw)
    listing = of_person.add_parser("list", help="list them", description=LIST_HELP, formatter_class=raw)
    for verb, act in ((add, _add), (revoke, _revoke), (listing, _list)):
        verb.add_argument("folder", type=Path, metavar="DIR", help="the dock")
        verb.add_argument("--json", action="store_true", help="print the result as JSON")
        verb.set_defaults(act=act)
    add.add_argument("name", metavar="NAME", help="the name, as on the certificate of enforcement")
    add.add_argument("--number", required=True, metavar="PERSON", help="number that the unit knows the person by")
    add.add_argument("--role", action="append", required=True, choices=[act.value for act in Act], help="repeatable")
    add.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder for the person's files")
    add.add_argument(
        "--passphrase-file", type=Path, metavar="F", help=f"passphrase (else ${PERSON_VARIABLE}, else typed)"
    )
    revoke.add_argument("number", metavar="PERSON", help="the person's number")
    revoke.add_argument("--why", required=True, metavar="TEXT", help="the reason")


def _desk(arguments: argparse.Namespace) -> PersonDesk:
    return PersonDesk(DockFolder(arguments.folder), PosixDisc(), SystemClock())


def _add(arguments: argparse.Namespace) -> None:
    desk, roles = _desk(arguments), {Act(role) for role in arguments.role}
    passphrase = new_passphrase(arguments.passphrase_file, PERSON_VARIABLE)
    made = desk.enrol(arguments.number, arguments.name, roles, passphrase, arguments.out)
    if arguments.json:
        fields = {"person": made.person, "kid": made.kid, "name": made.name, "roles": sorted(made.roles)}
        print(json.dumps(fields, ensure_ascii=False))
    else:
        print(f"已登记 enrolled {made.name} {made.person}; 本人文件 the files are in {arguments.out}")


def _revoke(arguments: argparse.Namespace) -> None:
    entry = _desk(arguments).revoke(arguments.number, arguments.why)
    if arguments.json:
        print(json.dumps({"seq": entry.seq, **entry.fields}, ensure_ascii=False))
    else:
        print(f"密钥已吊销 {arguments.number} signs nothing from now on")


def _list(arguments: argparse.Namespace) -> None:
    persons = _desk(arguments).persons()
    if arguments.json:
        listed = [{"person": one.person, "kid": one.kid, "name": one.name, "roles": sorted(one.roles),
                   "revoked": one.revoked} for one in persons]  # fmt: skip
        print(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    for one in persons:
        acts = "、".join(f"{ACTS[Act(role)]} {role}" for role in sorted(one.roles) if role in set(Act))
        print(f"{one.person}  {one.name}  {acts}" + ("  密钥已吊销 revoked" if one.revoked else ""))
    if not persons:
        print("无人登记 nobody is enrolled")
