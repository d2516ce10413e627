"""The dock's commands about persons, views and openings: person, ask, approve, views, open, vault-key."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from dock.clock import SystemClock
from dock.folder import DockFolder
from dock.issuing import read_leaf
from dock.opening import Opening
from dock.passphrase import PERSON_VARIABLE, VAULT_VARIABLE, given_passphrase
from dock.person_desk import PersonKey, load_person
from dock.vault_key import load_token_vault_key, load_vault_key
from dock.vault_shares import split_vault_key, unlock_with_shares
from dock.views import Evidence, Views, between
from evidence.approvals import SHORT, Asked, Ledger, View, short_name
from evidence.errors import BadInputError
from evidence.io.command import Command
from evidence.io.durable import PosixDisc
from evidence.model import EPOCH, utc_text
from evidence.persons import Statement
from evidence.sealing import VaultKey

ASK_HELP = """\
Asks to view evidence (weixian 22, xuchang 16). Says who asks, why, and for what: items by name, or a time.

  liuhen dock ask station --recorder LH-000001 --list
  liuhen dock ask station --recorder LH-000001 --from 2026-11-21T09:00 --to 2026-11-21T09:30 \\
      --why "行政复议案件 2026-118" --key zhang/110123.key
"""
APPROVE_HELP = """\
Approves what somebody else has asked for; nobody approves his own request. `liuhen dock views` lists them.

  liuhen dock approve station 3f2a9c1b7d04 --key li/110124.key
"""
VIEWS_HELP = """\
Lists what has been asked for, by whom and why, who approved it, and when it was opened.
"""
OPEN_HELP = """\
Opens evidence that has been approved. Every opening is an entry in the dock's journal, made before the first plain
byte. The recorder's own entry is put beside each file, so that anybody can verify it:
liuhen verify OUT/NAME.mp4 --trust ca.pem

  liuhen open station 3f2a9c1b7d04 --out for-the-court
  liuhen open station 3f2a9c1b7d04 --out for-the-court --share share-1.txt --share share-3.txt

A vault key in a token (liuhen dock init --vault-token) opens by the token's PIN; nothing is asked for.
"""
SPLIT_HELP = """\
Splits the custody of the vault key: three shares, of which any two open it from now on. Give each to another custodian
and keep no copy. The passphrase opens it no more; destroy every older copy of vault.key (docs/OPENING.md).

  liuhen dock vault-key split station --out shares
"""


def add_opening_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs behind `liuhen dock`."""
    ask = _verb(verbs, "ask", "ask to view evidence", ASK_HELP, _ask)
    ask.add_argument("--recorder", required=True, metavar="ID", help="whose evidence")
    ask.add_argument("--list", action="store_true", help="only list what may be asked for")
    ask.add_argument(
        "--item", action="append", default=[], metavar="NAME", help="a segment, photo or note, as --item=NAME"
    )
    ask.add_argument("--from", dest="begin", metavar="TIME", help="from when, 2026-11-21T09:00 (the dock's local time)")
    ask.add_argument("--to", dest="end", metavar="TIME", help="until when")
    ask.add_argument("--why", default="", metavar="TEXT", help="what it is needed for")
    approve = _verb(verbs, "approve", "approve a view", APPROVE_HELP, _approve)
    approve.add_argument("request", metavar="REQUEST", help="the request, or the beginning of its name")
    for verb in (ask, approve):
        verb.add_argument("--key", type=Path, metavar="KEY", required=verb is approve, help="your key file, PERSON.key")
        add_passphrase(verb, PERSON_VARIABLE)
    _verb(verbs, "views", "list requests to view", VIEWS_HELP, _views)
    configure_open(_verb(verbs, "open", "open approved evidence", OPEN_HELP, _open))
    custody = verbs.add_parser("vault-key", help="custody of the vault key").add_subparsers(
        required=True, metavar="VERB"
    )
    split = _verb(custody, "split", "three shares, of which two open it", SPLIT_HELP, _split)
    split.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder for the three shares")
    add_passphrase(split, VAULT_VARIABLE)


def add_passphrase(verb: argparse.ArgumentParser, variable: str) -> None:
    """Where the passphrase of a key lies; it is never an argument itself."""
    help_text = f"file of the passphrase (else ${variable}, else typed)"
    verb.add_argument("--passphrase-file", type=Path, metavar="F", help=help_text)


def configure_open(verb: argparse.ArgumentParser) -> None:
    """What `liuhen open` and `liuhen dock open` are told beside the folder."""
    verb.add_argument("request", metavar="REQUEST", help="the approved request, or the beginning of its name")
    verb.add_argument(
        "--item", action="append", default=[], metavar="NAME", help="only this, as --item=NAME; repeatable"
    )
    verb.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder for the opened files")
    verb.add_argument(
        "--share", type=Path, action="append", default=[], metavar="F", help="a share of the vault key; two"
    )
    add_passphrase(verb, VAULT_VARIABLE)


def _verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, short: str, text: str,
          act: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:  # fmt: skip
    raw = argparse.RawDescriptionHelpFormatter
    verb = verbs.add_parser(name, help=short, description=text, formatter_class=raw)
    _add_folder(verb, act)
    return verb


def _add_folder(verb: argparse.ArgumentParser, act: Callable[[argparse.Namespace], None]) -> None:
    verb.add_argument("folder", type=Path, metavar="DIR", help="the dock")
    verb.add_argument("--json", action="store_true", help="print the result as JSON")
    verb.set_defaults(act=act)


def vault_key_from(arguments: argparse.Namespace) -> VaultKey:
    """The vault key as this person can unlock it: a token, two shares, or the passphrase. Raises LiuhenError."""
    folder = DockFolder(arguments.folder)
    if folder.vault_place.exists():
        return token_vault_key(folder)
    if arguments.share:
        return unlock_with_shares(folder.vault_key, arguments.share)
    return load_vault_key(folder.vault_key, _vault_passphrase(arguments))


def token_vault_key(folder: DockFolder) -> VaultKey:
    """The vault key of a dock that keeps it in a token. Raises LiuhenError."""
    certified = read_leaf(folder.vault_certificate).public_key()
    if not isinstance(certified, ec.EllipticCurvePublicKey):
        raise BadInputError(str(folder.vault_certificate), "is not the certificate of a vault")
    return load_token_vault_key(folder.vault_place, certified)


def _vault_passphrase(arguments: argparse.Namespace) -> bytes:
    return given_passphrase(arguments.passphrase_file, VAULT_VARIABLE, "证据库口令 passphrase of the vault key")


def _person(arguments: argparse.Namespace, act: str) -> PersonKey:
    if arguments.key is None:
        raise BadInputError("--key", "签名需要本人密钥 is needed to sign", "your key file PERSON.key")
    return load_person(arguments.key, given_passphrase(arguments.passphrase_file, PERSON_VARIABLE, act))


def _desk(arguments: argparse.Namespace) -> Views:
    return Views(DockFolder(arguments.folder), PosixDisc(), SystemClock())


def _ask(arguments: argparse.Namespace) -> None:
    views = _desk(arguments)
    if arguments.list:
        _list(views.evidence(arguments.recorder), arguments.json)
        return
    items = tuple(arguments.item)
    if arguments.begin or arguments.end:
        begin_us, end_us = _moment(arguments.begin, "--from"), _moment(arguments.end, "--to")
        items += between(views.evidence(arguments.recorder), begin_us, end_us)
    asked = Asked.from_fields(Asked(arguments.recorder, tuple(dict.fromkeys(items)), arguments.why).to_fields())
    view = views.ask(_person(arguments, "申请人口令 your passphrase signs this request"), asked)
    _tell(view, views.ledger(), arguments.json, "已提出申请，待他人批准 asked; somebody else has to approve it")


def _approve(arguments: argparse.Namespace) -> None:
    views = _desk(arguments)
    ledger = views.ledger()
    if not arguments.json:
        print("\n".join(view_lines(ledger.find(arguments.request), ledger)), flush=True)
    person = _person(arguments, "批准人口令，输入即批准 your passphrase approves this")
    view = views.approve(person, arguments.request)
    if arguments.json:
        print(json.dumps(view_fields(view, ledger), ensure_ascii=False))
    else:
        print(f"已批准 approved: liuhen open {arguments.folder} {short_name(view.request)[:SHORT]} --out OUT")


def _views(arguments: argparse.Namespace) -> None:
    ledger = _desk(arguments).ledger()
    if arguments.json:
        print(json.dumps([view_fields(view, ledger) for view in ledger.views.values()], ensure_ascii=False, indent=2))
        return
    for view in ledger.views.values():
        print("\n".join(view_lines(view, ledger)))
    if not ledger.views:
        print("无查阅申请 nobody has asked to view anything")


def _open(arguments: argparse.Namespace) -> None:
    opening = Opening(DockFolder(arguments.folder), PosixDisc(), SystemClock())
    view = opening.find(arguments.request)
    asked = view.asked or Asked("", tuple(arguments.item), "")
    items = tuple(arguments.item) or asked.items
    for item in items:
        opening.check(view.request, asked.recorder, item)
    key = vault_key_from(arguments)
    for item in items:
        handed = opening.write_out(view.request, asked.recorder, item, key, arguments.out)
        if arguments.json:
            print(json.dumps({"file": handed.name, "seq": handed.opened.seq, **handed.opened.fields}))
        else:
            print(f"已开启并记入日志 opened, entry {handed.opened.seq} of the journal: {arguments.out / handed.name}")


def _split(arguments: argparse.Namespace) -> None:
    folder = DockFolder(arguments.folder)
    if folder.vault_place.exists():
        what = (
            "证据库密钥在令牌中，不可分割 says that the vault key lies in a token: its PIN can be shared, not the key"
        )
        raise BadInputError(str(folder.vault_place), what)
    passphrase = _vault_passphrase(arguments)
    entry = split_vault_key(folder, PosixDisc(), SystemClock(), passphrase, arguments.out)
    if arguments.json:
        print(json.dumps({"seq": entry.seq, **entry.fields}))
        return
    print(f"三份份额在 three shares are in {arguments.out}: 每人保管一份 give each to another custodian, keep no copy")
    print("任意两份可开启 any two open the vault key; 原口令已失效 its passphrase does not any more")


def _list(evidence: Sequence[Evidence], as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(one) for one in evidence]))
        return
    for one in evidence:
        print(f"{one.item}  {utc_text(one.begin_us)}  {utc_text(one.end_us)}")


def _moment(text: str | None, option: str) -> int:
    """UTC in microseconds. A time without an offset is the dock's local time."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError as error:
        raise BadInputError(f"{option} {text or ''}", "is no time", "for example 2026-11-21T09:00") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=SystemClock().now().offset_min)))
    return (moment - EPOCH) // timedelta(microseconds=1)


def _tell(view: View, ledger: Ledger, as_json: bool, words: str) -> None:
    if as_json:
        print(json.dumps(view_fields(view, ledger), ensure_ascii=False))
    else:
        print("\n".join((*view_lines(view, ledger), words)))


def view_fields(view: View, ledger: Ledger) -> dict[str, Any]:
    """A request for machines."""
    return {
        "request": view.request,
        "asker": _who(view.asking, ledger),
        "asked": None if view.asked is None else view.asked.to_fields(),
        "approvers": [_who(one, ledger) for one in view.approvals],
        "opened": [{"seq": one.seq, "item": one.fields["item"], **one.at.to_fields()} for one in view.opened],
    }


def view_lines(view: View, ledger: Ledger) -> list[str]:
    """A request as the person who is to approve it reads it."""
    lines = [f"查阅申请 request {short_name(view.request)[:SHORT]}", f"  申请人 asked by   {_who(view.asking, ledger)}"]
    if view.asked is not None and view.asking is not None:
        lines += [
            f"  时间 at           {view.asking.at.local().isoformat(sep=' ', timespec='seconds')}",
            f"  事由 why          {view.asked.why}",
            f"  执法记录仪 of     {view.asked.recorder}",
            f"  证据 evidence     {len(view.asked.items)}: {', '.join(view.asked.items)}",
        ]
    lines += [f"  批准人 approved by {_who(one, ledger)}" for one in view.approvals]
    lines += [f"  已开启 opened     {one.at.to_fields()['utc']} {one.fields['item']}" for one in view.opened]
    return lines


def _who(said: Statement | None, ledger: Ledger) -> str:
    known = ledger.persons.who(said) if said else None
    if said is None or known is None:
        return "签名无效 FORGED" if said is None else f"未登记 NOT ENROLLED {said.person}"
    return f"{known.name} {known.person}" + ("（密钥已吊销 revoked）" if known.revoked else "")


def _configure(parser: argparse.ArgumentParser) -> None:
    _add_folder(parser, _open)
    configure_open(parser)


def _run(arguments: argparse.Namespace) -> int:
    _open(arguments)
    return 0


OPEN = Command(OPEN_HELP, _configure, _run)
