"""Vaults whose dock has opened evidence and cleared recorders, with and without what persons have to sign for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evidence.approvals import WHY_LIMIT, Asked, about_approval
from evidence.journal import token_hash
from evidence.persons import Act
from tests.evidence.golden import OTHER, RECORDER, SEGMENT
from tests.evidence.people import ASKING, LI, WANG, ZHANG, Told, everybody, named, statement
from tests.evidence.test_acts import NOT_CLEARED, UNSIGNED, block, by, clear, opens
from tests.evidence.test_approvals import REFUSED, flipped
from tests.evidence.trees import receipt_for, seal_of
from tests.web.stranger import Case, Unit, alone_under, journal, vault


def held(told: Told) -> Unit:
    """What a dock holds that has told this, and that it took in the recorder's segment."""
    made = Unit(journal(), told.writer)
    receipt_for(told.writer, seal_of(made.recorder))
    return made


def two() -> Told:
    return Told().enrol(LI).enrol(WANG)


def not_cleared() -> Told:
    told = two()
    block(told)
    return told


def cleared(make: Callable[[Mapping[str, Any]], Sequence[str]], told: Told | None = None) -> Told:
    """Blocked, and cleared by the statements that are made of what they have to be about."""
    told = told or two()
    blocked = block(told)
    about = {"recorder": RECORDER, "blocked_seq": blocked.seq, "blocked_hash": blocked.head.hash}
    return clear(told, blocked.seq, *make(about))


def says(person: str, about: Mapping[str, Any], act: str = Act.CLEAR, **by_whom: Any) -> str:
    return statement(person, act, about, **by_whom)


def with_li(make: Callable[[Mapping[str, Any]], str]) -> Told:
    """Li says it right, and the other one says this."""
    return cleared(lambda about: [says(LI, about), make(about)])


def both(about: Mapping[str, Any]) -> list[str]:
    return [says(LI, about), says(WANG, about)]


def cleared_twice() -> Told:
    """One clearing clears the blocks before it, and leaves the one after it."""
    told = two()
    block(told)
    blocked = block(told)
    clear(told, blocked.seq, *by(blocked, LI, WANG))
    block(told)
    return told


def cleared_of_an_earlier_one() -> Told:
    told = two()
    first = block(told)
    block(told)
    return clear(told, first.seq, *by(first, LI, WANG))


def cleared_beside_another() -> Told:
    told = two()
    block(told, OTHER)
    blocked = block(told)
    return clear(told, blocked.seq, *by(blocked, LI, WANG))


def revoked_since() -> Told:
    return cleared(both).revoke(LI)


def enrolled_too_late() -> Told:
    return cleared(both, Told().enrol(LI)).enrol(WANG)


def by_one_with_two_keys() -> Told:
    told = Told().enrol(LI).enrol(LI, key="li again", name="李")
    return cleared(lambda about: [says(LI, about), named(LI, "li again", Act.CLEAR, about)], told)


def namesakes(name: str, other: str) -> Told:
    return cleared(both, Told().enrol(LI, name=name).enrol(WANG, name=other))


CLEARINGS: Mapping[str, Callable[[], Told]] = {
    "blocked by the dock": not_cleared,
    "blocked by the dock and cleared": lambda: cleared(both),
    "cleared, and a signer revoked since": revoked_since,
    "cleared with the blocks before it, and blocked again": cleared_twice,
    "an earlier block cleared": cleared_of_an_earlier_one,
    "cleared, and another recorder is not": cleared_beside_another,
    "cleared by one statement": lambda: cleared(lambda about: [says(LI, about)]),
    "cleared by three": lambda: cleared(lambda about: [*both(about), says(ZHANG, about)], two().enrol(ZHANG)),
    "cleared by who was enrolled afterwards": enrolled_too_late,
    "cleared by who is not enrolled": lambda: with_li(lambda about: says(ZHANG, about)),
    "cleared by who was revoked before": lambda: cleared(both, two().revoke(WANG)),
    "cleared by who was revoked and enrolled again": lambda: cleared(both, two().revoke(WANG).enrol(WANG)),
    "cleared by who may only ask": lambda: cleared(both, Told().enrol(LI).enrol(WANG, ["ask", "approve"])),
    "cleared by what approves": lambda: with_li(lambda about: says(WANG, about, Act.APPROVE)),
    "cleared by a statement about more": lambda: with_li(lambda about: says(WANG, {**about, "more": 1})),
    "cleared by a statement about less": lambda: with_li(lambda about: says(WANG, {"recorder": about["recorder"]})),
    "cleared by a statement about nothing": lambda: with_li(lambda _: says(WANG, {})),
    "cleared by a statement about another number": lambda: with_li(
        lambda about: says(WANG, {**about, "blocked_seq": about["blocked_seq"] + 1})),
    "cleared by a statement with a fraction for a number": lambda: with_li(
        lambda about: says(WANG, {**about, "blocked_seq": float(about["blocked_seq"])})),
    "cleared by an altered statement": lambda: with_li(lambda about: flipped(says(WANG, about))),
    "cleared by another unit's person": lambda: with_li(lambda about: says(WANG, about, root="foreign root")),
    "cleared by a recorder's key": lambda: with_li(lambda about: says(WANG, about, role="recorder")),
    "cleared by the dock's key": lambda: with_li(lambda about: says(WANG, about, role="dock")),
    "cleared by one person in another's name": lambda: with_li(lambda about: says(WANG, about, key=LI)),
    "cleared by one person's two keys": by_one_with_two_keys,
    "cleared by two of one name": lambda: namesakes("Li  Si", "ｌｉ ＳＩ"),
    "cleared by two whose names differ by a letter": lambda: namesakes("Li Si", "Li Sı"),
    "cleared by two of one name with a sharp s": lambda: namesakes("Weiß", "WEISS"),
    "cleared by an entry of a journal": lambda: cleared(lambda about: [says(LI, about), two().writer.tokens[0]]),
    "cleared by what is no token": lambda: cleared(lambda about: [says(LI, about), "a.b.c"]),
}  # fmt: skip


def asked(about: Mapping[str, Any]) -> Told:
    """Opened after Li has approved what Zhang asks for, whatever it is."""
    asking = statement(ZHANG, Act.ASK, about)
    request = token_hash(asking)
    approval = statement(LI, Act.APPROVE, about_approval(request))
    return opens(everybody().ask(asking).approve(approval, request), request=request)


FIELDS = Asked(RECORDER, (SEGMENT,), "行政复议").to_fields()
OPENINGS: Mapping[str, Callable[[], Told]] = {
    "opened": lambda: opens(everybody().ask().approve()),
    "opened, and both revoked since": lambda: opens(everybody().ask().approve()).revoke(LI).revoke(ZHANG),
    "opened twice": lambda: opens(opens(everybody().ask().approve())),
    "opened with a good approval between bad ones": lambda: opens(
        everybody().ask().approve(ASKING).approve().approve(ASKING)),
    "asked for twice": lambda: opens(everybody().ask().approve().ask()),
    "asked for with more than is known": lambda: asked({**FIELDS, "more": 1}),
    "asked for without a reason": lambda: asked({**FIELDS, "why": " \u3000\x85"}),
    "asked for with the longest reason": lambda: asked({**FIELDS, "why": f" {'𠮷' * WHY_LIMIT}\n"}),
    "asked for with too long a reason": lambda: asked({**FIELDS, "why": "长" * (WHY_LIMIT + 1)}),
    "asked for nothing": lambda: asked({**FIELDS, "items": []}),
    "asked for what is no item": lambda: asked({**FIELDS, "items": [SEGMENT, "all"]}),
    "asked for of no recorder": lambda: asked({**FIELDS, "recorder": "?"}),
    **{f"opened: {name}": lambda make=make: opens(make()) for name, (make, _) in REFUSED.items()},
    **{f"opened {name}": make for name, (make, _) in UNSIGNED.items()},
    **{f"cleared {name}": make for name, (make, _) in NOT_CLEARED.items()},
}  # fmt: skip

SIGNED_FOR: Mapping[str, Case] = {
    **{name: vault(made=held(make())) for name, make in {**CLEARINGS, **OPENINGS}.items()},
    "one recording, and something else opened that nobody asked for": alone_under(held(opens(everybody()))),
}
