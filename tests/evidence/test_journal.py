"""The journal's format and the rules of its chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import BadInputError, ChainError, LiuhenError, NewerVersionError, SignatureError, UnknownKeyError
from evidence.journal import (
    COMMON_FIELDS,
    EMPTY,
    ENTRY_TYPE,
    TOKEN_LIMIT_BYTES,
    Chain,
    Entry,
    Head,
    check_link,
    read_entry,
    read_head,
    sign_head,
    sign_token,
    token_hash,
    verify_token,
)
from evidence.kinds import KINDS
from evidence.signing import KeySigner, to_base64url
from evidence.verify import JournalCheck
from tests.evidence.golden import (
    OTHER,
    RECORDER,
    SAMPLES,
    TRUST,
    Writer,
    certificate,
    certificate_of,
    der,
    hash_of,
    private,
    short_journal,
    signer,
    stamp,
)
from tests.evidence.test_model import json_values

JOURNAL = short_journal()
SIGNER = signer(RECORDER)


def payload(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "v": 1, "device": RECORDER, "seq": 0, "prev": None, "at": stamp().to_fields(), "kind": "docked",
    }  # fmt: skip
    return fields | changes


def token_of(fields: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
    """A correctly signed token over any JSON, whatever our writer would say to it."""
    head = {"alg": SIGNER.alg, "kid": SIGNER.kid, "typ": ENTRY_TYPE} if header is None else header
    signed = ".".join(to_base64url(json.dumps(one).encode()) for one in (head, fields))
    return f"{signed}.{to_base64url(SIGNER.sign(signed.encode()))}"


def check_all(tokens: Sequence[str]) -> JournalCheck:
    check = JournalCheck(TRUST)
    for number, token in enumerate(tokens):
        check.take(token, f"entry {number}")
    return check


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_as_it_was_written(kind: str) -> None:
    entry = Chain(RECORDER, SIGNER).make(stamp(), kind, SAMPLES[kind])
    again = read_entry(entry.token)
    assert (again.kind, again.fields, again.at) == (kind, SAMPLES[kind], stamp())
    again.verify(SIGNER.verify_key)


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, fields in KINDS.items() for field in fields])
def test_a_known_kind_lacks_no_field_and_has_none_of_another_type(kind: str, field: str) -> None:
    chain, fields = Chain(RECORDER, SIGNER), SAMPLES[kind]
    with pytest.raises(BadInputError, match=f"lacks the field {field}"):
        chain.make(stamp(), kind, {name: value for name, value in fields.items() if name != field})
    for wrong in ({"a": "b"}, "", -(2**63) - 1, 2**63, 1.5, "x" * 1025):
        with pytest.raises(BadInputError, match=f"impossible {field}"):
            chain.make(stamp(), kind, {**fields, field: [wrong] if field == "parts" else wrong})


def test_more_fields_than_known_are_kept() -> None:
    entry = Chain(RECORDER, SIGNER).make(stamp(), "docked", {"bay": 7})
    assert read_entry(entry.token).fields == {"bay": 7}


def test_an_unknown_kind_is_kept() -> None:
    entry = Chain(RECORDER, SIGNER).make(stamp(), "drone_launched", {"height_m": 12, "pilot": "张三"})
    again = read_entry(entry.token)
    assert (again.kind, again.fields) == ("drone_launched", {"height_m": 12, "pilot": "张三"})
    again.verify(SIGNER.verify_key)


@pytest.mark.parametrize("name", COMMON_FIELDS)
def test_a_kinds_own_field_cannot_pose_as_a_common_one(name: str) -> None:
    with pytest.raises(BadInputError, match=name):
        Chain(RECORDER, SIGNER).make(stamp(), "docked", {name: payload()[name]})


def test_a_chain_moves_only_when_told() -> None:
    chain = Chain(RECORDER, SIGNER)
    first = chain.make(stamp(), "docked", {})
    assert chain.make(stamp(), "docked", {}) == first
    chain.advance(first)
    second = chain.make(stamp(), "undocked", {})
    assert (second.seq, second.prev) == (1, token_hash(first.token))
    with pytest.raises(ChainError):
        chain.advance(first)
    assert chain.head == first.head


def test_a_journal_as_it_was_written_is_good() -> None:
    check = check_all(JOURNAL.tokens)
    assert check.head == JOURNAL.chain.head
    assert check.identity is not None
    assert check.identity.name == RECORDER


def test_a_key_may_change_when_the_new_one_brings_its_certificate() -> None:
    successor = signer("BWC-0001 second key")
    chain = Chain(RECORDER, successor, JOURNAL.chain.head)
    new = der(certificate(RECORDER, "recorder", private("BWC-0001 second key").public_key()))
    entry = chain.make(stamp(), "power_on", SAMPLES["power_on"], [new])
    chain.advance(entry)
    assert check_all([*JOURNAL.tokens, entry.token, chain.make(stamp(), "docked", {}).token]).head.seq == entry.seq + 1


# What may be done to a journal, and the error that tells it. Each takes the good tokens and gives the bad ones.

Attack = Callable[[list[str]], list[str]]


def forged(tokens: list[str], key: str, owner: str = RECORDER, x5c: Sequence[bytes] = ()) -> str:
    """An entry in the place after these, by whoever has the key."""
    return Chain(owner, signer(key), read_entry(tokens[-1]).head).make(stamp(), "docked", {}, x5c).token


def resigned(tokens: list[str], place: int, **changes: Any) -> list[str]:
    """One entry says something else, rightly signed."""
    entry = read_entry(tokens[place])
    fields = payload(seq=entry.seq, prev=entry.prev, kind=entry.kind) | dict(entry.fields) | changes
    return [*tokens[:place], token_of(fields), *tokens[place + 1 :]]


ATTACKS: Mapping[str, tuple[Attack, type[LiuhenError], str]] = {
    "dropped": (lambda t: t[:3] + t[4:], ChainError, "entries 3 to 3 before it are missing"),
    "several dropped": (lambda t: t[:3] + t[6:], ChainError, "entries 3 to 5 before it are missing"),
    "first dropped": (lambda t: t[1:], UnknownKeyError, "carries the certificate"),
    "repeated": (lambda t: [*t[:4], t[3], *t[4:]], ChainError, "repeated, swapped or forked"),
    "repeated at the end": (lambda t: [*t, t[-1]], ChainError, "repeated, swapped or forked"),
    "first repeated at the end": (lambda t: [*t, t[0]], ChainError, "repeated, swapped or forked"),
    "swapped": (lambda t: [*t[:3], t[4], t[3], *t[5:]], ChainError, "entries 3 to 3 before it are missing"),
    "reversed": (lambda t: t[::-1], UnknownKeyError, "carries the certificate"),
    "forked": (lambda t: [*t[:4], forged(t[:3], RECORDER), *t[4:]], ChainError, "repeated, swapped or forked"),
    "continued from elsewhere": (lambda t: [*t[:4], forged(t[:3], RECORDER)], ChainError, "forked"),
    "changed by the owner of the key": (lambda t: resigned(t, 2, name="李四"), ChainError, "hash of the entry before"),
    "first changed by the owner of the key": (lambda t: resigned(t, 0), UnknownKeyError, "carries the certificate"),
    "signed by another key": (lambda t: [*t, forged(t, OTHER)], SignatureError, "names key"),
    "signed by another key under our name": (
        lambda t: [*t, forged(t, OTHER, x5c=[certificate_of(OTHER)])],
        UnknownKeyError, "signed by the recorder BWC-0002",
    ),
    "continued by another recorder": (
        lambda t: [*t, forged(t, OTHER, OTHER, [certificate_of(OTHER)])], ChainError, "in a journal of BWC-0001",
    ),
    "continued by another recorder without certificate": (
        lambda t: [*t, forged(t, OTHER, OTHER)], ChainError, "in a journal of BWC-0001",
    ),
    "certificate of a foreign CA": (
        lambda t: [*t, forged(t, RECORDER, x5c=[certificate_of(RECORDER, root="foreign root")])],
        UnknownKeyError, "not issued by the trusted CA",
    ),
    "signature of another entry": (
        lambda t: [*t[:3], ".".join([*t[3].split(".")[:2], t[4].split(".")[2]]), *t[4:]],
        SignatureError, "does not fit",
    ),
    "payload of another entry": (
        lambda t: [*t[:3], ".".join([t[3].split(".")[0], t[4].split(".")[1], t[3].split(".")[2]])],
        SignatureError, "does not fit",
    ),
    "unsigned": (lambda t: [*t[:3], t[3].rpartition(".")[0] + "."], SignatureError, "does not fit"),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_done_to_the_journal_is_seen_and_told(name: str) -> None:
    attack, error, told = ATTACKS[name]
    with pytest.raises(error, match=told) as caught:
        check_all(attack(list(JOURNAL.tokens)))
    assert type(caught.value) is error


@given(order=st.lists(st.integers(0, len(JOURNAL.tokens) - 1), max_size=len(JOURNAL.tokens) + 2))
def test_only_the_journal_itself_or_its_beginning_is_good(order: list[int]) -> None:
    with suppress(LiuhenError):
        check_all([JOURNAL.tokens[place] for place in order])
        assert order == list(range(len(order)))


def test_a_changed_bit_of_a_token_is_refused() -> None:
    for token in (JOURNAL.tokens[0], JOURNAL.tokens[5]):
        for place in range(len(token)):
            for bit in range(8):
                changed = token[:place] + chr(ord(token[place]) ^ 1 << bit) + token[place + 1 :]
                with pytest.raises(LiuhenError):
                    read_entry(changed).verify(SIGNER.verify_key)


def test_a_changed_bit_is_called_altered_and_never_a_newer_version() -> None:
    """Else a flipped version number would turn `not authentic` into `update your program`."""
    check, good = check_all(JOURNAL.tokens[:1]), JOURNAL.tokens[1].encode()
    for place in range(len(good)):
        for bit in range(7):
            changed = bytearray(good)
            changed[place] ^= 1 << bit
            with pytest.raises((BadInputError, SignatureError, ChainError)):
                check.take(changed.decode(), "entry 1")


def test_a_newer_version_is_said_of_what_its_key_has_signed() -> None:
    newer = token_of(payload(v=2, seq=1, prev=JOURNAL.entries[0].head.hash))
    with pytest.raises(NewerVersionError, match=r"version 2, this program knows 1 \(update liuhen\)"):
        check_all([JOURNAL.tokens[0], newer])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"v": 2}, NewerVersionError), ({"v": 0}, BadInputError), ({"v": None}, BadInputError),
        ({"v": "1"}, BadInputError), ({"v": True}, BadInputError), ({"v": 1.0}, BadInputError),
        ({"seq": -1}, BadInputError), ({"seq": "0"}, BadInputError), ({"seq": True}, BadInputError),
        ({"seq": 0.0}, BadInputError), ({"seq": 2**63}, BadInputError), ({"seq": None}, BadInputError),
        ({"prev": 1}, BadInputError), ({"prev": "short"}, BadInputError), ({"prev": ["x"]}, BadInputError),
        ({"device": None}, BadInputError), ({"device": "a/b"}, BadInputError), ({"device": "BWC\n0001"}, BadInputError),
        ({"device": "\ud800-1"}, BadInputError), ({"device": ""}, BadInputError),
        ({"kind": None}, BadInputError), ({"kind": ""}, BadInputError), ({"kind": "two words"}, BadInputError),
        ({"kind": "\x1b[2J"}, BadInputError), ({"kind": "x" * 65}, BadInputError),
        ({"at": None}, BadInputError), ({"at": {}}, BadInputError), ({"at": [stamp().to_fields()]}, BadInputError),
        ({"kind": "bookmark"}, BadInputError), ({"kind": "power_off", "trigger": 3}, BadInputError),
        ({"note": "half a character \ud800"}, BadInputError), ({"\udfff": 1}, BadInputError),
    ],
)  # fmt: skip
def test_a_payload_that_cannot_be_is_refused(changes: dict[str, Any], error: type[LiuhenError]) -> None:
    with pytest.raises(error) as caught:
        read_entry(token_of(payload(**changes)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", COMMON_FIELDS)
def test_a_payload_without_a_common_field_is_refused(name: str) -> None:
    fields = payload()
    del fields[name]
    with pytest.raises(BadInputError):
        read_entry(token_of(fields))


GOOD_HEADER = {"alg": SIGNER.alg, "kid": SIGNER.kid, "typ": ENTRY_TYPE}


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"}, {"alg": "HS256"}, {"alg": None}, {"alg": ["EdDSA"]}, {"alg": {}}, {"kid": None}, {"kid": 7},
        {"typ": "liuhen-head"}, {"typ": None}, {"typ": "JWT"}, {"x5c": "abc"}, {"x5c": [1]}, {"x5c": None}, {"x5c": 5},
        {"x5c": ["*"]}, {"x5c": {"AAAA": 1}}, {"x5c": ["AAAA\n"]},
        {"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": False}, {"kid": "\ud800"},
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        read_entry(token_of(payload(), GOOD_HEADER | changes))


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_the_header_names_the_key_and_its_algorithm(alg: str) -> None:
    other = KeySigner(ec.generate_private_key(ec.SECP256R1()))
    token = token_of(payload(), GOOD_HEADER | {"alg": alg, "kid": other.kid})
    with pytest.raises(SignatureError, match="names key"):
        read_entry(token).verify(SIGNER.verify_key)


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "...", "a.b.c", "e30.e30.", "e30.e30", "e30.e30.e30.e30", "W10.W10.AA", "bnVsbA.bnVsbA.AA",
        "😀.😀.😀", "\ud800.\ud800.\ud800", "\0", JOURNAL.tokens[0] + "\n", " " + JOURNAL.tokens[0],
        JOURNAL.tokens[0] + "=", JOURNAL.tokens[0].replace(".", ".."), "A" * (TOKEN_LIMIT_BYTES + 1),
    ],
    ids=lambda token: ascii(token[:20]),
)  # fmt: skip
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(BadInputError):
        read_entry(token).verify(SIGNER.verify_key)


@pytest.mark.parametrize("depth", [10, 500, 900, 1_000, 5_000, 80_000])
def test_json_of_any_depth_is_kept_or_refused(depth: int) -> None:
    nested = b'{"v":1,"deep":' + b"[" * depth + b"]" * depth + b"}"
    header = to_base64url(json.dumps(GOOD_HEADER).encode())
    with pytest.raises(BadInputError):
        read_entry(f"{header}.{to_base64url(nested)}.AA")


@given(token=st.text(max_size=200))
def test_any_text_gives_an_entry_or_one_of_our_errors(token: str) -> None:
    with pytest.raises(LiuhenError):
        read_entry(token)
    with pytest.raises(LiuhenError):
        read_head(token)
    with pytest.raises(LiuhenError):
        verify_token(token, SIGNER.verify_key, "token")


@given(header=st.binary(max_size=60), body=st.binary(max_size=60), signature=st.binary(max_size=64))
def test_any_bytes_in_a_token_give_one_of_our_errors(header: bytes, body: bytes, signature: bytes) -> None:
    with pytest.raises(LiuhenError):
        read_entry(".".join(to_base64url(one) for one in (header, body, signature)))


json_objects = st.dictionaries(st.sampled_from([*COMMON_FIELDS, "segment", "x5c", "alg", "typ"]), json_values)


@given(changes=json_objects, header=json_objects)
def test_any_json_in_a_token_gives_an_entry_or_one_of_our_errors(changes: Any, header: Any) -> None:
    with suppress(LiuhenError):
        entry = read_entry(token_of(payload(**changes), GOOD_HEADER | header))
        entry.verify(SIGNER.verify_key)
        check_link(EMPTY, entry)
        assert (entry.seq, entry.prev) == (0, None)


@given(kind=st.sampled_from(sorted(KINDS)), value=json_values, place=st.integers(0, 20))
def test_any_json_in_a_kinds_field_gives_an_entry_or_one_of_our_errors(kind: str, value: Any, place: int) -> None:
    fields = dict(SAMPLES[kind])
    if fields:
        fields[sorted(fields)[place % len(fields)]] = value
    with suppress(LiuhenError):
        assert read_entry(token_of(payload(kind=kind, **fields))).fields == fields


def test_an_entry_longer_than_a_token_may_be_is_refused_before_it_is_written() -> None:
    chain = Chain(RECORDER, SIGNER)
    with pytest.raises(BadInputError, match="longer than"):
        chain.make(stamp(), "note", {"text": "x" * TOKEN_LIMIT_BYTES})
    assert chain.head == EMPTY


def test_a_link_is_only_the_very_next_entry() -> None:
    entries: Sequence[Entry] = JOURNAL.entries
    heads = [EMPTY, *(entry.head for entry in entries)]
    for place, head in enumerate(heads):
        for number, entry in enumerate(entries):
            if number == place:
                check_link(head, entry)
            else:
                with pytest.raises(ChainError):
                    check_link(head, entry)


HEAD = sign_head(SIGNER, RECORDER, JOURNAL.chain.head, hash_of(b"file"), [certificate_of(RECORDER)])


def test_a_journal_of_somebody_else_is_told() -> None:
    with pytest.raises(ChainError, match="belongs to BWC-0001, in a journal of BWC-0002"):
        JournalCheck(TRUST, OTHER).take(JOURNAL.tokens[0], "entry 0")


def test_a_stated_head_is_read_as_it_was_signed() -> None:
    stated = read_head(HEAD)
    stated.verify(SIGNER.verify_key)
    assert (stated.journal, stated.head, stated.file_sha256) == (RECORDER, JOURNAL.chain.head, hash_of(b"file"))
    assert stated.x5c == (certificate_of(RECORDER),)


def test_a_head_is_no_entry_and_an_entry_no_head() -> None:
    with pytest.raises(BadInputError, match="of type 'liuhen-head'"):
        read_entry(HEAD)
    with pytest.raises(BadInputError, match="of type 'liuhen-entry'"):
        read_head(JOURNAL.tokens[0])


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 0}, {"journal": 1}, {"journal": "a b"}, {"seq": "1"}, {"seq": True}, {"seq": -2}, {"hash": 1},
        {"hash": "short"}, {"file_sha256": 1}, {"file_sha256": "short"}, {"seq": 2**63},
    ],
)  # fmt: skip
def test_a_head_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    fields = {"v": 1, "journal": RECORDER, "seq": 4, "hash": hash_of(b"x"), "file_sha256": None} | changes
    with pytest.raises(BadInputError):
        read_head(token_of(fields, GOOD_HEADER | {"typ": "liuhen-head"}))


def test_an_empty_journal_has_a_head_too() -> None:
    stated = read_head(sign_head(SIGNER, RECORDER, EMPTY))
    assert (stated.head, stated.file_sha256) == (EMPTY, None)


@pytest.mark.parametrize(
    ("length", "stated", "told"),
    [
        (9, JOURNAL.entries[10].head, "entries 9 to 10 at its end are missing"),
        (0, JOURNAL.entries[0].head, "entries 0 to 0 at its end are missing"),
        (11, Head(10, hash_of(b"another")), "not the entry that was stated"),
        (11, Head(5, hash_of(b"another")), "not the entry that was stated"),
    ],
)
def test_an_end_that_is_not_the_stated_one_is_told(length: int, stated: Head, told: str) -> None:
    head = read_head(sign_head(SIGNER, RECORDER, stated))
    check = JournalCheck(TRUST, stated=head)
    for token in JOURNAL.tokens[:length]:
        check.take(token, "entry")
    with pytest.raises(ChainError, match=told):
        check.check_end()


@pytest.mark.parametrize("seq", [-1, 0, 5, 10])
def test_a_journal_may_have_grown_since_its_end_was_stated(seq: int) -> None:
    """The entries are durable first, then the statement; a power cut may come in between."""
    stated = read_head(sign_head(SIGNER, RECORDER, EMPTY if seq < 0 else JOURNAL.entries[seq].head))
    check = JournalCheck(TRUST, RECORDER, stated)
    for token in JOURNAL.tokens:
        check.take(token, "entry")
    check.check_end()
    assert check.head.seq == 10


def test_certificates_travel_in_the_header() -> None:
    chain = [certificate_of(RECORDER), certificate_of(OTHER)]
    entry = Chain(RECORDER, SIGNER).make(stamp(), "docked", {}, chain)
    assert entry.x5c == tuple(chain)
    assert Chain(RECORDER, SIGNER).make(stamp(), "docked", {}).x5c == ()


def test_a_writer_states_what_it_signs() -> None:
    assert Writer().add("journal_opened").kid == SIGNER.kid
    assert sign_token(SIGNER, "anything", {"v": 1}).count(".") == 2
