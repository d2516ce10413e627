"""No viewing without approval (weixian 22, xuchang 16, changzhi 31): who may ask, approve, and open what. Pure.

Everything is judged from the dock's journal: whoever asked and whoever approved have signed it, and their statements
stand there. The rules are tables of a refusal and of when it applies; the first that does decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from evidence.certificates import Trust
from evidence.errors import BadInputError, LiuhenError, RejectedError
from evidence.journal import Entry, token_hash
from evidence.kinds import HASH
from evidence.model import DEVICE_ID, SEGMENT_ID
from evidence.persons import Act, Person, Persons, Statement, are_two, read_statement

ARTICLES = "weixian 22, xuchang 16"
SHORT = 12
"""So many characters of a request's name are shown, and are enough to find it."""
ITEMS_LIMIT = 512
"""So many items may be asked for at once: a whole shift of eight hours, and its photos."""
WHY_LIMIT = 1024


class Refusal(Enum):
    """Why something is refused: what the person at the dock reads, in Chinese and in English."""

    NOT_ASKED = ("没有这项查阅申请", "nobody has asked for this in the dock's journal")
    FORGED_ASKING = ("申请的签名无效", "the asking statement is not what its person signed")
    UNKNOWN_ASKER = ("申请人未登记", "whoever asks is not enrolled at this dock")
    REVOKED_ASKER = ("申请人的密钥已吊销", "the key of whoever asks is revoked")
    ASKER_MAY_NOT = ("申请人无申请权限", "whoever asks may not ask")
    NOT_APPROVED = ("未经批准，不得查阅", "nobody has approved it")
    FORGED_APPROVAL = ("批准的签名无效", "the approving statement is not what its person signed")
    OTHER_REQUEST = ("批准的是另一项申请", "what was approved is another request")
    UNKNOWN_APPROVER = ("批准人未登记", "whoever approves is not enrolled at this dock")
    REVOKED_APPROVER = ("批准人的密钥已吊销", "the key of whoever approves is revoked")
    APPROVER_MAY_NOT = ("批准人无批准权限", "whoever approves may not approve")
    SAME_PERSON = ("申请人不得批准自己的申请", "nobody approves what he asks for himself")
    OTHER_ITEM = ("该项证据不在批准范围内", "what was approved does not hold this recording")


class RefusedError(RejectedError):
    """A person wants what he must not have."""

    def __init__(self, where: str, refusal: Refusal) -> None:
        chinese, english = refusal.value
        super().__init__(where, f"{chinese} {english}", ARTICLES)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for and why: the content of an asking statement. Items are segments, photos and notes by name."""

    recorder: str
    items: tuple[str, ...]
    why: str

    def to_fields(self) -> dict[str, Any]:
        """As it stands in the statement's `about`."""
        return {"recorder": self.recorder, "items": list(self.items), "why": self.why}

    @classmethod
    def from_fields(cls, about: Mapping[str, Any]) -> Asked:
        """Read it. Raises BadInputError that says what is impossible."""
        recorder, items, why = (about.get(name) for name in ("recorder", "items", "why"))
        if not isinstance(recorder, str) or not DEVICE_ID.fullmatch(recorder):
            raise BadInputError("request", "names no recorder")
        if not isinstance(items, list) or not 0 < len(items) <= ITEMS_LIMIT or not all(map(_is_item, items)):
            what = "asks for nothing, or for what is no recording, photo or note"
            raise BadInputError("request", what, f"1 to {ITEMS_LIMIT} items")
        if not isinstance(why, str) or not 0 < len(why.strip()) <= WHY_LIMIT:
            raise BadInputError("request", "does not say why", f"1 to {WHY_LIMIT} characters")
        return cls(recorder, tuple(items), why)


@dataclass(frozen=True, slots=True)
class Said:
    """A statement with whoever signed it, as the journal knows him now; None where that is nobody, or it is forged."""

    statement: Statement | None = None
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule looks at."""

    request: str
    asking: Said | None
    asked: Asked | None
    approval: Said | None = None
    item: tuple[str, str] | None = None
    """Recorder and name of what is to be opened."""


Rule = tuple[Refusal, Callable[[Case], bool]]


def _forged(said: Said | None, act: Act) -> bool:
    return said is None or said.statement is None or said.statement.act != act


def _unknown(said: Said | None) -> bool:
    return said is None or said.person is None


def _revoked(said: Said | None) -> bool:
    return _person(said).revoked


def _may_not(said: Said | None, act: Act) -> bool:
    return act not in _person(said).roles


def _person(said: Said | None) -> Person:
    assert said is not None
    assert said.person is not None
    return said.person


def _other_request(case: Case) -> bool:
    assert case.approval is not None
    assert case.approval.statement is not None
    return case.approval.statement.about != about_approval(case.request)


def _other_item(case: Case) -> bool:
    assert case.asked is not None
    assert case.item is not None
    return case.item[0] != case.asked.recorder or case.item[1] not in case.asked.items


ASK_RULES: tuple[Rule, ...] = (
    (Refusal.NOT_ASKED, lambda case: case.asking is None),
    (Refusal.FORGED_ASKING, lambda case: case.asked is None or _forged(case.asking, Act.ASK)),
    (Refusal.UNKNOWN_ASKER, lambda case: _unknown(case.asking)),
    (Refusal.REVOKED_ASKER, lambda case: _revoked(case.asking)),
    (Refusal.ASKER_MAY_NOT, lambda case: _may_not(case.asking, Act.ASK)),
)
APPROVE_RULES: tuple[Rule, ...] = (
    *ASK_RULES,
    (Refusal.NOT_APPROVED, lambda case: case.approval is None),
    (Refusal.FORGED_APPROVAL, lambda case: _forged(case.approval, Act.APPROVE)),
    (Refusal.OTHER_REQUEST, _other_request),
    (Refusal.UNKNOWN_APPROVER, lambda case: _unknown(case.approval)),
    (Refusal.REVOKED_APPROVER, lambda case: _revoked(case.approval)),
    (Refusal.APPROVER_MAY_NOT, lambda case: _may_not(case.approval, Act.APPROVE)),
    (Refusal.SAME_PERSON, lambda case: not are_two(_person(case.asking), _person(case.approval))),
)
OPEN_RULES: tuple[Rule, ...] = (*APPROVE_RULES, (Refusal.OTHER_ITEM, _other_item))


def judge(rules: Sequence[Rule], case: Case) -> Refusal | None:
    """The first rule that refuses; None: it may be."""
    return next((refusal for refusal, applies in rules if applies(case)), None)


@dataclass(frozen=True, slots=True)
class View:
    """One request as the journal tells it, in the order of the journal."""

    request: str
    asking: Statement | None
    asked: Asked | None
    approvals: tuple[Statement | None, ...] = ()
    opened: tuple[Entry, ...] = ()


def about_approval(request: str) -> dict[str, Any]:
    """What an approval is about: the hash of the statement that asks, so of every word in it."""
    return {"request": request}


@dataclass(slots=True)
class Ledger:
    """Persons and requests of one dock. Feed it every verified entry of the dock's journal in order."""

    trust: Trust
    persons: Persons = field(default_factory=Persons)
    views: dict[str, View] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """The next entry of the dock's journal."""
        self.persons.take(entry)
        request = entry.fields.get("request")
        if entry.kind == "view_asked":
            self.views.setdefault(str(request), self._asked(str(request), entry.fields["statement"]))
        elif (view := self.views.get(str(request))) is None:
            return
        elif entry.kind == "view_approved":
            said = self._read(entry.fields["statement"])
            self.views[view.request] = replace(view, approvals=(*view.approvals, said))
        elif entry.kind == "opened":
            self.views[view.request] = replace(view, opened=(*view.opened, entry))

    def may_ask(self, token: str) -> Refusal | None:
        """Whether this statement may be journalled as a request."""
        request = token_hash(token)
        return judge(ASK_RULES, self._case(self._asked(request, token)))

    def may_approve(self, request: str, token: str) -> Refusal | None:
        """Whether this statement approves this request."""
        return judge(
            APPROVE_RULES, replace(self._case(self.views.get(request)), approval=self._said(self._read(token)))
        )

    def may_open(self, request: str, recorder: str, item: str) -> Refusal | None:
        """Whether this may be opened now: one good approval is enough, however many bad ones there are."""
        view = self.views.get(request)
        case = replace(self._case(view), item=(recorder, item))
        cases = [replace(case, approval=self._said(one)) for one in view.approvals] if view else []
        refusals = [judge(OPEN_RULES, one) for one in cases or [case]]
        return None if None in refusals else refusals[-1]

    def find(self, request: str) -> View:
        """A request by its name or the beginning of it. Raises RefusedError for none, BadInputError for two."""
        found = [view for name, view in self.views.items() if request and short_name(name).startswith(request)]
        if request in self.views:
            found = [self.views[request]]
        if len(found) > 1:
            raise BadInputError(f"request {request}", "could be several", "give more of it")
        if not found:
            raise RefusedError(f"request {request}", Refusal.NOT_ASKED)
        return found[0]

    def _case(self, view: View | None) -> Case:
        if view is None:
            return Case("", None, None)
        return Case(view.request, self._said(view.asking), view.asked)

    def _said(self, statement: Statement | None) -> Said:
        return Said(statement, self.persons.who(statement) if statement else None)

    def _asked(self, request: str, token: str) -> View:
        said = self._read(token)
        if said is None or request != token_hash(token):
            return View(request, None, None)
        try:
            return View(request, said, Asked.from_fields(said.about))
        except BadInputError:
            return View(request, said, None)

    def _read(self, token: str) -> Statement | None:
        """A statement, None when it is not one: whoever can write to the journal is not yet the person."""
        try:
            return read_statement(token, self.trust)
        except LiuhenError:
            return None


def short_name(request: str) -> str:
    """A request's name without the hyphens that it may begin with, which a command line would take for an option."""
    return request.lstrip("-")


def refuse(where: str, refusal: Refusal | None) -> None:
    """Raise RefusedError when there is a reason to."""
    if refusal is not None:
        raise RefusedError(where, refusal)


def _is_item(item: Any) -> bool:
    return isinstance(item, str) and any(pattern.fullmatch(item) for pattern in (SEGMENT_ID, HASH))
