"""Persons of a unit with keys of golden names, their statements, and the dock's entries about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evidence.approvals import Asked, Ledger, about_approval
from evidence.certificates import Role
from evidence.journal import Entry, token_hash
from evidence.persons import Act, sign_statement
from evidence.receipts import DOCK
from tests.evidence.golden import (
    RECORDER,
    SEGMENT,
    TRUST,
    Writer,
    certificate,
    certificate_of,
    der,
    hash_of,
    private,
    signer,
    stamp,
)

BLOB = hash_of(b"blob")
ASKED = Asked(RECORDER, (SEGMENT, BLOB), "行政复议案件 2026-118")
ZHANG, LI, WANG = "110123", "110124", "110125"
NAMES = {ZHANG: "张三", LI: "李四", WANG: "王五"}
EVERY_ROLE = tuple(act.value for act in Act)


def statement(
    person: str, act: str, about: Mapping[str, Any], *, key: str | None = None, root: str = "root", role: str = "person"
) -> str:
    """What this person signs; with the key called `key`, his own when that is not given."""
    signed_for = certificate_of(person if key is None else key, Role(role), root)
    return sign_statement(signer(key or person), (signed_for,), person, Act(act), about, stamp())


def named(person: str, key: str, act: str, about: Mapping[str, Any]) -> str:
    """The same by another key that was certified for the same number."""
    signed_for = der(certificate(person, Role.PERSON.value, private(key).public_key()))
    return sign_statement(signer(key), (signed_for,), person, Act(act), about, stamp())


ASKING = statement(ZHANG, Act.ASK, ASKED.to_fields())
REQUEST = token_hash(ASKING)
APPROVAL = statement(LI, Act.APPROVE, about_approval(REQUEST))


class Told:
    """A dock's journal that says so, and the ledger that has read it."""

    def __init__(self) -> None:
        self.writer = Writer(DOCK)
        self.ledger = Ledger(TRUST)

    def say(self, kind: str, **fields: Any) -> Told:
        self.say_entry(kind, **fields)
        return self

    def say_entry(self, kind: str, **fields: Any) -> Entry:
        entry = self.writer.add(kind, fields)
        self.ledger.take(entry)
        return entry

    def enrol(self, person: str, roles: Sequence[str] = EVERY_ROLE, *, key: str | None = None,
              name: str | None = None) -> Told:  # fmt: skip
        kid = signer(key or person).kid
        return self.say("person_enrolled", person=person, kid=kid, name=name or NAMES[person], roles=list(roles))

    def revoke(self, person: str, *, key: str | None = None) -> Told:
        return self.say("person_revoked", person=person, kid=signer(key or person).kid, why="调离")

    def ask(self, token: str = ASKING, request: str | None = None) -> Told:
        return self.say("view_asked", request=request or token_hash(token), statement=token)

    def approve(self, token: str = APPROVAL, request: str = REQUEST) -> Told:
        return self.say("view_approved", request=request, statement=token)


def everybody() -> Told:
    """Zhang may ask, Li may approve, Wang may do both."""
    return Told().enrol(ZHANG, ["ask"]).enrol(LI, ["approve"]).enrol(WANG)
