"""The dock's commands about keys after the first day: renew, revoke, rekey, reissue (docs/KEYS.md)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dock.broker_control import cut_off, reload_broker
from dock.clock import SystemClock
from dock.enrolment import Enrolment
from dock.folder import DockFolder
from dock.renewal import Loss, renew_own, renew_recorder, replace_dock_key, replace_issuing
from dock.revocation import revoke
from evidence.io.durable import Disc, PosixDisc, make_folder

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]

RENEW_HELP = """\
New certificates for the same keys, before the old ones run out (`liuhen dock health` and `liuhen health` say when).
With a RECORDER its own, and everything else that it needs to know; without one the dock's: dock, broker, head, vault.

  liuhen dock renew station
  liuhen dock renew station BWC-0001 --out for-BWC-0001      then on it: liuhen device adopt IDENTITY for-BWC-0001
"""
REVOKE_HELP = """\
For a recorder that was lost, stolen, replaced or given away. It is cut off at once and never let in again; what it has
recorded until now stays valid, what its key signs from now on does not. It cannot be undone.

  liuhen dock revoke station BWC-0001 --why "lost on duty, case 2026-114"
"""
REKEY_HELP = """\
A new signing key for the dock: the old one is lost or somebody may have it. Receipts of the old key remain valid.
Afterwards tell every recorder: liuhen dock renew station RECORDER --out FILES, then on it liuhen device adopt.

  liuhen dock rekey station --why "the disc of the dock was destroyed"
"""
REISSUE_HELP = """\
A new issuing CA, from the root that was carried away. `--loss lost`: its key is gone, and what it issued goes on until
it is renewed. `--loss stolen`: somebody may have it, and no recorder is let in until it is renewed.

  liuhen dock reissue station --root /media/safe/root --loss stolen
"""


def add_key_verbs(verbs: Verbs) -> None:
    """Put them among the dock's verbs."""
    raw = argparse.RawDescriptionHelpFormatter
    renew = verbs.add_parser("renew", help="new certificates", description=RENEW_HELP, formatter_class=raw)
    take = verbs.add_parser("revoke", help="never let it in again", description=REVOKE_HELP, formatter_class=raw)
    rekey = verbs.add_parser("rekey", help="a new key for the dock", description=REKEY_HELP, formatter_class=raw)
    again = verbs.add_parser("reissue", help="a new issuing CA", description=REISSUE_HELP, formatter_class=raw)
    for verb, act in ((renew, _renew), (take, _revoke), (rekey, _rekey), (again, _reissue)):
        verb.add_argument("folder", type=Path, metavar="DIR", help="the dock")
        verb.add_argument("--json", action="store_true", help="print the result as JSON")
        verb.set_defaults(act=act)
    renew.add_argument("recorder", nargs="?", metavar="RECORDER", help="whose certificates; without it the dock's own")
    renew.add_argument("--out", type=Path, metavar="OUT", help="folder for the recorder's files")
    take.add_argument("recorder", metavar="RECORDER", help="the recorder")
    for verb in (take, rekey):
        verb.add_argument("--why", required=True, metavar="TEXT", help="what happened")
    again.add_argument("--root", type=Path, required=True, metavar="ROOT", help="the folder that was carried away")
    again.add_argument("--loss", type=Loss, choices=list(Loss), required=True, help="what happened to the old one")


def write_files(disc: Disc, out: Path, enrolment: Enrolment) -> None:
    """What a recorder gets, into a folder. Raises DiscError."""
    make_folder(out)
    for name, content in enrolment.files.items():
        disc.replace(out / name, content)


def take_back(folder: DockFolder, recorder: str, why: str) -> Mapping[str, object]:
    """Revoke, let the broker know, cut the recorder off; what came of it. Raises LiuhenError."""
    clock = SystemClock()
    entry = revoke(folder, PosixDisc(), clock, recorder, why)
    running = reload_broker(folder)
    if running:
        cut_off(folder, clock, recorder)
    return {"recorder": recorder, "last_seq": entry.fields["last_seq"], "why": entry.fields["why"], "broker": running}


def _renew(arguments: argparse.Namespace) -> None:
    folder, disc = DockFolder(arguments.folder), PosixDisc()
    if arguments.recorder is None:
        renew_own(folder, disc, SystemClock())
        _say(arguments, {"renewed": "dock", "broker": reload_broker(folder)}, "the dock's certificates are renewed")
        return
    out = arguments.out or Path(f"for-{arguments.recorder}")
    write_files(disc, out, renew_recorder(folder, disc, SystemClock(), arguments.recorder))
    said = f"{arguments.recorder} is renewed; carry {out} to it, then: liuhen device adopt IDENTITY {out}"
    _say(arguments, {"renewed": arguments.recorder, "out": str(out)}, said)


def _revoke(arguments: argparse.Namespace) -> None:
    done = take_back(DockFolder(arguments.folder), arguments.recorder, arguments.why)
    broker = "the broker let it go" if done["broker"] else "no broker runs here; it obeys when it starts"
    said = f"{arguments.recorder} is revoked; the last entry of it that this dock holds is {done['last_seq']}; {broker}"
    _say(arguments, done, said)


def _rekey(arguments: argparse.Namespace) -> None:
    kid = replace_dock_key(DockFolder(arguments.folder), PosixDisc(), SystemClock(), arguments.why)
    said = f"the dock signs with key {kid[:12]} now; tell every recorder: liuhen dock renew DIR RECORDER"
    _say(arguments, {"kid": kid}, said)


def _reissue(arguments: argparse.Namespace) -> None:
    folder = DockFolder(arguments.folder)
    replace_issuing(folder, PosixDisc(), SystemClock(), arguments.root, arguments.loss)
    # A broker that runs keeps the lists that it has read; without the old one it would refuse what a thief has made.
    running = reload_broker(folder) if arguments.loss is Loss.LOST else False
    restart = "" if arguments.loss is Loss.LOST else "restart the broker: systemctl restart mosquitto; "
    said = f"there is a new issuing CA; {restart}renew every recorder, and carry the root away again"
    _say(arguments, {"loss": arguments.loss, "broker": running}, said)


def _say(arguments: argparse.Namespace, fields: Mapping[str, object], text: str) -> None:
    print(json.dumps(fields, ensure_ascii=False) if arguments.json else text)
