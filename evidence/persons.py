"""Persons with keys of their own, and what they sign (docs/FORMAT.md section 4). Pure.

A statement is a JWS by a person's key with the chain of its certificate. Whether that person is still one of the unit,
and may do what is signed, the dock's journal says: `Persons` reads that, and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from evidence.certificates import Identity, Role, Trust
from evidence.errors import BadInputError, RejectedError, UnknownKeyError
from evidence.journal import VERSION, Entry, read_certificates, read_token, sign_token, verify_token
from evidence.kinds import STATEMENT_LIMIT
from evidence.model import DEVICE_ID, Timestamp
from evidence.signing import Signer

STATEMENT_TYPE = "liuhen-statement"
SPACE = re.compile(r"\s+")


class Act(StrEnum):
    """What a person may sign; the roles of a person are the acts that he may do."""

    ASK = "ask"
    """To ask for a view of evidence."""
    APPROVE = "approve"
    """To approve what somebody else has asked for."""
    CLEAR = "clear"
    """To clear a blocked recorder, with a second person."""


ACTS: Mapping[Act, str] = {Act.ASK: "申请查阅", Act.APPROVE: "批准查阅", Act.CLEAR: "解除停用"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the unit. `person` is the number that the unit knows him by, `kid` names his key."""

    person: str
    kid: str
    name: str
    roles: frozenset[str] = frozenset()
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """What a key of a certified person has signed; whether he may is another question."""

    token: str
    person: str
    kid: str
    act: str
    about: Mapping[str, Any]
    at: Timestamp


def sign_statement(
    signer: Signer, x5c: Sequence[bytes], person: str, act: Act, about: Mapping[str, Any], at: Timestamp
) -> str:
    """A statement; `x5c` is the person's certificate and those above it, in DER."""
    payload = {"v": VERSION, "person": person, "act": act.value, "about": about, "at": at.to_fields()}
    return sign_token(signer, STATEMENT_TYPE, payload, x5c)


def read_statement(token: str, trust: Trust) -> Statement:
    """A statement whose signature and certificate are right. Raises LiuhenError for anything else."""
    where = "statement"
    if len(token) > STATEMENT_LIMIT:
        raise BadInputError(where, f"is longer than {STATEMENT_LIMIT} characters")
    _, payload = read_token(token, STATEMENT_TYPE, where)
    identity = _identify(trust, read_certificates(token, where))
    verify_token(token, identity.key, where)
    person, act, about = (payload.get(name) for name in ("person", "act", "about"))
    if not (isinstance(person, str) and DEVICE_ID.fullmatch(person)) or not isinstance(act, str):
        raise BadInputError(where, "has an impossible person or act")
    if not isinstance(about, dict):
        raise BadInputError(where, "is about nothing")
    if identity.role is not Role.PERSON or identity.name != person:
        raise UnknownKeyError(where, f"of {person} is signed by the {identity.role} {identity.name}")
    return Statement(token, person, identity.key.kid, act, about, Timestamp.from_fields(payload.get("at")))


def check_statement(token: str, trust: Trust, act: str, about: Mapping[str, Any]) -> Person:
    """Who says exactly this, by his certificate alone. Raises LiuhenError for a token that does not.

    A revoked person still has his certificate: whoever has the dock's journal asks `Persons.check`.
    """
    said = read_statement(token, trust)
    if said.act != act or not _is_same(said.about, about):
        raise RejectedError(f"statement of {said.person}", f"并非针对此事 does not say {act} about this")
    return Person(said.person, said.kid, said.person)


class Persons:
    """Those whom the dock's journal knows, by their keys. Feed it every verified entry in order."""

    def __init__(self) -> None:
        self.by_kid: dict[str, Person] = {}

    def take(self, entry: Entry) -> None:
        """The next entry of the dock's journal; only those about persons matter."""
        fields = entry.fields
        if entry.kind == "person_enrolled":
            # The first word counts: nobody is enrolled again with a key that has been revoked.
            person = Person(fields["person"], fields["kid"], fields["name"], frozenset(fields["roles"]))
            self.by_kid.setdefault(person.kid, person)
        elif entry.kind == "person_revoked" and (known := self.by_kid.get(fields["kid"])):
            self.by_kid[known.kid] = replace(known, revoked=True)

    def active(self, person: str) -> Person | None:
        """Who has this number now."""
        return next((one for one in self.by_kid.values() if one.person == person and not one.revoked), None)

    def who(self, statement: Statement) -> Person | None:
        """Who has signed this, enrolled under just this key and number; he may have been revoked."""
        known = self.by_kid.get(statement.kid)
        return known if known and known.person == statement.person else None

    def check(self, token: str, trust: Trust, act: str, about: Mapping[str, Any]) -> Person:
        """As `check_statement`, and the person is enrolled, not revoked, and may do this. Raises LiuhenError."""
        check_statement(token, trust, act, about)
        said = read_statement(token, trust)
        known, where = self.who(said), f"statement of {said.person}"
        if known is None or known.revoked:
            what = "未登记 is not enrolled at this dock" if known is None else "密钥已吊销 is signed by a revoked key"
            raise RejectedError(where, what)
        if act not in known.roles:
            raise RejectedError(where, f"该人员无此权限 {known.name} may not {act}")
        return known


def are_two(one: Person, other: Person) -> bool:
    """Whether these are two persons: two keys of one are one, and so are two names for one key.

    Two who bear the same name count as one: nobody can tell them apart by what a journal says.
    """
    same = (one.kid == other.kid, one.person == other.person, _plain(one.name) == _plain(other.name))
    return not any(same)


def _is_same(said: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
    """Equal, and in JSON too: to Python 1.0 and true are 1, in the format they are no numbers (section 1)."""
    return said == about and all(type(said[name]) is type(value) for name, value in about.items())


def _plain(name: str) -> str:
    """A name as it is compared: in whatever width, case and spacing it was typed."""
    return SPACE.sub("", unicodedata.normalize("NFKC", name)).casefold()


def _identify(trust: Trust, chain: Sequence[bytes]) -> Identity:
    """The seam to the unit's CA: who the certificates of a statement belong to."""
    if not chain:
        raise UnknownKeyError("statement", "does not carry the certificate of its key")
    return trust.identify_der(chain)
