"""Who may see evidence: a table of what is refused, and that nothing else than two persons opens anything."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.approvals import ITEMS_LIMIT, Asked, Refusal, RefusedError, about_approval, short_name
from evidence.errors import BadInputError, LiuhenError, RejectedError
from evidence.journal import token_hash
from evidence.kinds import STATEMENT_LIMIT
from evidence.persons import Act, Person, are_two, check_statement, read_statement
from tests.evidence.golden import OTHER, RECORDER, SEGMENT, TRUST, hash_of
from tests.evidence.make_vectors import FOLDER
from tests.evidence.people import (
    APPROVAL,
    ASKED,
    ASKING,
    BLOB,
    LI,
    REQUEST,
    WANG,
    ZHANG,
    Told,
    everybody,
    named,
    statement,
)

ABOUT = about_approval(REQUEST)


def flipped(token: str) -> str:
    """One bit of the signature is another one."""
    return token[:-3] + ("A" if token[-3] != "A" else "B") + token[-2:]


def two_keys_of_zhang() -> Told:
    """The asker has a second number and key, under his own name."""
    told = Told().enrol(ZHANG).enrol(WANG, name="张 三").ask()
    return told.approve(statement(WANG, Act.APPROVE, ABOUT))


def zhang_again() -> Told:
    """The asker has been enrolled a second time, under his own number, with a fresh key."""
    told = Told().enrol(ZHANG).enrol(ZHANG, key="zhang again", name="章三").ask()
    return told.approve(named(ZHANG, "zhang again", "approve", ABOUT))


OTHERS = Asked(RECORDER, (hash_of(b"other"),), "另一案件")
OTHER_ASKING = statement(ZHANG, Act.ASK, OTHERS.to_fields())

REFUSED: dict[str, tuple[Callable[[], Told], Refusal]] = {
    "nobody has asked": (everybody, Refusal.NOT_ASKED),
    "asked, and not approved": (lambda: everybody().ask(), Refusal.NOT_APPROVED),
    "approved before it was asked for": (lambda: everybody().approve().ask(), Refusal.NOT_APPROVED),
    "an altered asking": (lambda: everybody().ask(flipped(ASKING), REQUEST).approve(), Refusal.FORGED_ASKING),
    "an asking under another name": (lambda: everybody().ask(OTHER_ASKING, REQUEST).approve(), Refusal.FORGED_ASKING),
    "an approval that stands as an asking": (lambda: everybody().ask(APPROVAL, REQUEST), Refusal.FORGED_ASKING),
    "an asker nobody knows": (lambda: Told().enrol(LI).ask().approve(), Refusal.UNKNOWN_ASKER),
    "an asker whose key is revoked": (lambda: everybody().ask().approve().revoke(ZHANG), Refusal.REVOKED_ASKER),
    "an asker who may not ask": (
        lambda: Told().enrol(ZHANG, ["clear"]).enrol(LI).ask().approve(), Refusal.ASKER_MAY_NOT,
    ),
    "an altered approval": (lambda: everybody().ask().approve(flipped(APPROVAL)), Refusal.FORGED_APPROVAL),
    "an asking that stands as an approval": (lambda: everybody().ask().approve(ASKING), Refusal.FORGED_APPROVAL),
    "an approval by a foreign unit's person": (
        lambda: everybody().ask().approve(statement(LI, Act.APPROVE, ABOUT, root="foreign root")),
        Refusal.FORGED_APPROVAL,
    ),
    "an approval by a recorder's key": (
        lambda: everybody().ask().approve(statement(LI, Act.APPROVE, ABOUT, role="recorder")),
        Refusal.FORGED_APPROVAL,
    ),
    "an approval in the name of another": (
        lambda: everybody().ask().approve(statement(LI, Act.APPROVE, ABOUT, key=ZHANG)),
        Refusal.FORGED_APPROVAL,
    ),
    "an approval of another request": (
        lambda: everybody().ask().approve(statement(LI, Act.APPROVE, about_approval(token_hash(OTHER_ASKING)))),
        Refusal.OTHER_REQUEST,
    ),
    "an approver nobody knows": (lambda: Told().enrol(ZHANG).ask().approve(), Refusal.UNKNOWN_APPROVER),
    "an approver by a key nobody knows": (
        lambda: everybody().ask().approve(named(LI, "li elsewhere", "approve", ABOUT)),
        Refusal.UNKNOWN_APPROVER,
    ),
    "an approver revoked before": (lambda: everybody().ask().revoke(LI).approve(), Refusal.REVOKED_APPROVER),
    "an approver revoked since": (lambda: everybody().ask().approve().revoke(LI), Refusal.REVOKED_APPROVER),
    "a revoked key enrolled again": (
        lambda: everybody().ask().approve().revoke(LI).enrol(LI), Refusal.REVOKED_APPROVER,
    ),
    "an approver who may only ask": (
        lambda: Told().enrol(ZHANG).enrol(LI, ["ask"]).ask().approve(), Refusal.APPROVER_MAY_NOT,
    ),
    "the asker himself": (
        lambda: Told().enrol(ZHANG).ask().approve(statement(ZHANG, Act.APPROVE, ABOUT)), Refusal.SAME_PERSON,
    ),
    "the asker under another number and key": (two_keys_of_zhang, Refusal.SAME_PERSON),
    "the asker under another name and key": (zhang_again, Refusal.SAME_PERSON),
}  # fmt: skip


@pytest.mark.parametrize(("tell", "refusal"), REFUSED.values(), ids=REFUSED.keys())
def test_it_stays_shut(tell: Callable[[], Told], refusal: Refusal) -> None:
    assert tell().ledger.may_open(REQUEST, RECORDER, SEGMENT) is refusal


def test_two_persons_open_what_they_have_signed_for_and_nothing_else() -> None:
    ledger = everybody().ask().approve().ledger
    assert ledger.may_open(REQUEST, RECORDER, SEGMENT) is None
    assert ledger.may_open(REQUEST, RECORDER, BLOB) is None
    assert ledger.may_open(REQUEST, RECORDER, hash_of(b"other")) is Refusal.OTHER_ITEM
    assert ledger.may_open(REQUEST, OTHER, SEGMENT) is Refusal.OTHER_ITEM
    assert ledger.may_open(hash_of(b"other"), RECORDER, SEGMENT) is Refusal.NOT_ASKED


def test_every_refusal_is_in_the_table_and_says_why_in_chinese_and_english() -> None:
    shown = {refusal for _, refusal in REFUSED.values()} | {Refusal.OTHER_ITEM}
    assert shown == set(Refusal)
    for refusal in Refusal:
        text = str(RefusedError("request", refusal))
        assert all(words in text for words in refusal.value)
        assert "weixian 22, xuchang 16" in text
        assert "\n" not in text


def test_one_good_approval_is_enough_beside_bad_ones() -> None:
    bad = statement(ZHANG, Act.APPROVE, ABOUT)
    for tokens in ((bad, APPROVAL), (APPROVAL, bad)):
        told = everybody().ask()
        for token in tokens:
            told.approve(token)
        assert told.ledger.may_open(REQUEST, RECORDER, SEGMENT) is None


def test_what_would_not_open_is_refused_when_it_is_to_be_signed() -> None:
    told = everybody()
    assert told.ledger.may_approve(REQUEST, APPROVAL) is Refusal.NOT_ASKED
    assert told.ledger.may_ask(ASKING) is None
    assert told.ledger.may_ask(statement(LI, Act.ASK, ASKED.to_fields())) is Refusal.ASKER_MAY_NOT
    told.ask()
    assert told.ledger.may_approve(REQUEST, APPROVAL) is None
    assert told.ledger.may_approve(REQUEST, statement(ZHANG, Act.APPROVE, ABOUT)) is Refusal.APPROVER_MAY_NOT
    told.revoke(LI)
    assert told.ledger.may_approve(REQUEST, APPROVAL) is Refusal.REVOKED_APPROVER


def test_a_request_is_found_by_the_beginning_of_its_name() -> None:
    told = everybody().ask()
    assert told.ledger.find(REQUEST[:12]).asked == ASKED
    with pytest.raises(RefusedError):
        told.ledger.find("")
    several = Told().enrol(ZHANG)
    for number in range(70):
        several.ask(statement(ZHANG, Act.ASK, Asked(RECORDER, (BLOB,), f"案件 {number}").to_fields()))
    names = sorted(map(short_name, several.ledger.views))
    twice = next(one[0] for one, other in pairwise(names) if one[0] == other[0])
    with pytest.raises(BadInputError, match="several"):
        several.ledger.find(twice)


PEOPLE = (ZHANG, LI, WANG)


@given(
    roles=st.fixed_dictionaries({one: st.sets(st.sampled_from(["ask", "approve"])) for one in PEOPLE}),
    revoked=st.sets(st.sampled_from(PEOPLE)),
    asker=st.sampled_from(PEOPLE),
    approvers=st.lists(st.sampled_from(PEOPLE), max_size=3),
    item=st.sampled_from([SEGMENT, BLOB, hash_of(b"other")]),
)
def test_open_means_two_persons_each_in_his_role_and_neither_revoked(
    roles: dict[str, set[str]], revoked: set[str], asker: str, approvers: list[str], item: str
) -> None:
    told = Told()
    for person in PEOPLE:
        told.enrol(person, sorted(roles[person]) or ["clear"])
    asking = statement(asker, Act.ASK, ASKED.to_fields())
    told.ask(asking)
    for approver in approvers:
        told.approve(statement(approver, Act.APPROVE, about_approval(token_hash(asking))), token_hash(asking))
    for person in sorted(revoked):
        told.revoke(person)
    may_ask = "ask" in roles[asker] and asker not in revoked
    good = [one for one in approvers if one != asker and "approve" in roles[one] and one not in revoked]
    expected = may_ask and bool(good) and item in ASKED.items
    assert (told.ledger.may_open(token_hash(asking), RECORDER, item) is None) == expected


@given(st.integers(0, len(APPROVAL) - 1), st.sampled_from("AZaz09-_."))
def test_no_statement_survives_another_letter(place: int, letter: str) -> None:
    token = APPROVAL[:place] + letter + APPROVAL[place + 1 :]
    if token == APPROVAL:
        assert read_statement(token, TRUST).person == LI
    else:
        with pytest.raises(LiuhenError):
            read_statement(token, TRUST)


@given(st.text(max_size=200))
def test_noise_is_no_statement(text: str) -> None:
    with pytest.raises(LiuhenError):
        read_statement(text, TRUST)


def test_the_largest_request_fits_into_a_statement_and_one_more_does_not() -> None:
    items = tuple(hash_of(b"%d" % number) for number in range(ITEMS_LIMIT))
    token = statement(ZHANG, Act.ASK, Asked(RECORDER, items, "由" * 1024).to_fields())
    assert Told().enrol(ZHANG).ledger.may_ask(token) is None
    assert len(token) < STATEMENT_LIMIT
    with pytest.raises(BadInputError):
        Asked.from_fields(Asked(RECORDER, (*items, BLOB), "由").to_fields())


@pytest.mark.parametrize(
    "about",
    [
        {}, {"recorder": RECORDER, "items": [], "why": "x"}, {"recorder": RECORDER, "items": [SEGMENT], "why": " "},
        {"recorder": "../x", "items": [SEGMENT], "why": "x"}, {"recorder": RECORDER, "items": ["../x"], "why": "x"},
        {"recorder": RECORDER, "items": [1], "why": "x"}, {"recorder": RECORDER, "items": SEGMENT, "why": "x"},
    ],
)  # fmt: skip
def test_a_request_that_says_too_little_is_none(about: dict[str, object]) -> None:
    with pytest.raises(BadInputError):
        Asked.from_fields(about)
    assert Told().enrol(ZHANG).ledger.may_ask(statement(ZHANG, Act.ASK, about)) is Refusal.FORGED_ASKING


TWO: dict[str, tuple[Person, bool]] = {
    "another": (Person("110124", "k2", "李四"), True),
    "the same key": (Person("110124", "k1", "李四"), False),
    "the same number": (Person("110123", "k2", "李四"), False),
    "the same name": (Person("110124", "k2", "张三"), False),
    "the same name, spaced": (Person("110124", "k2", " 张　三"), False),
}


@pytest.mark.parametrize(("other", "two"), TWO.values(), ids=TWO.keys())
def test_two_persons_differ_in_key_number_and_name(other: Person, two: bool) -> None:
    one = Person("110123", "k1", "张三")
    assert are_two(one, other) is two
    assert are_two(other, one) is two


def test_the_vectors_of_statements_are_what_docs_format_says() -> None:
    asking, approval = ((FOLDER / f"{name}.statement").read_text().strip() for name in ("asking", "approval"))
    request = token_hash(asking)
    told = everybody().ask(asking).approve(approval, request)
    assert told.ledger.may_open(request, RECORDER, SEGMENT) is None


def test_a_statement_for_clearing_is_checked_against_the_journal_too() -> None:
    about = {"recorder": RECORDER, "blocked_seq": 7}
    token = statement(LI, Act.CLEAR, about)
    assert check_statement(token, TRUST, "clear", about).person == LI
    told = everybody().enrol(LI, key="li elsewhere")
    with pytest.raises(RejectedError, match="may not clear"):
        told.ledger.persons.check(token, TRUST, "clear", about)
    wang = statement(WANG, Act.CLEAR, about)
    assert told.ledger.persons.check(wang, TRUST, "clear", about).name == "王五"
    with pytest.raises(RejectedError, match="about this"):
        told.ledger.persons.check(wang, TRUST, "clear", about | {"blocked_seq": 8})
    with pytest.raises(RejectedError, match="revoked"):
        told.revoke(WANG).ledger.persons.check(wang, TRUST, "clear", about)
    with pytest.raises(RejectedError, match="not enrolled"):
        Told().enrol(ZHANG).ledger.persons.check(wang, TRUST, "clear", about)
