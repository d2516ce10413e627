"""Topics and messages: what is written is read, and of what anybody else sends, nothing but our errors comes out."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import BadInputError, LiuhenError, NewerVersionError
from evidence.journal import TOKEN_LIMIT_BYTES
from evidence.kinds import HASH
from evidence.model import DEVICE_ID, SEGMENT_ID
from evidence.wire import (
    BATCH_LIMIT_BYTES,
    LENGTH,
    OFFER_LIMIT_BLOBS,
    OFFER_LIMIT_SEGMENTS,
    Down,
    Offer,
    Offered,
    Topic,
    Up,
    Want,
    part_head,
    read_batch,
    read_offer,
    read_part,
    read_topic,
    read_want,
    write_batch,
    write_offer,
    write_status,
    write_want,
)
from tests.evidence.golden import PARTS, SEGMENT, hash_of, short_journal
from tests.evidence.test_model import json_values

TOKEN = short_journal().tokens[5]
BLOB = hash_of(b"blob")
blobs = st.from_regex(HASH, fullmatch=True)
segments = st.from_regex(SEGMENT_ID, fullmatch=True)
counts = st.integers(0, 2**62)
offers = st.builds(
    Offer,
    round=counts,
    journal_head=st.integers(-1, 2**62),
    segments=st.lists(st.builds(Offered, segments, st.integers(1, 100_000)), max_size=OFFER_LIMIT_SEGMENTS).map(tuple),
    blobs=st.lists(blobs, max_size=OFFER_LIMIT_BLOBS).map(tuple),
)
ranges = st.lists(st.integers(0, 2**40), unique=True, max_size=12).map(
    lambda numbers: tuple(zip(*[iter(sorted(numbers))] * 2, strict=False))
)
wants = st.builds(
    Want, journal_next=counts, lacks=st.dictionaries(segments | blobs, ranges, max_size=4), round=st.none() | counts
)


@given(offer=offers)
def test_an_offer_comes_back(offer: Offer) -> None:
    assert read_offer(write_offer(offer)) == offer


@given(want=wants)
def test_a_want_comes_back(want: Want) -> None:
    assert read_want(write_want(want)) == want


@given(stored=st.binary(max_size=300))
def test_a_part_comes_back(stored: bytes) -> None:
    token, view = read_part(part_head(TOKEN) + stored)
    assert (token, bytes(view)) == (TOKEN, stored)


@given(tokens=st.lists(st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1), min_size=1))
def test_a_batch_comes_back(tokens: list[str]) -> None:
    assert read_batch(write_batch(tokens)) == tokens


@given(
    device=st.from_regex(DEVICE_ID, fullmatch=True),
    name=st.sampled_from([*Up, *Down]),
    rest=st.lists(st.text("abc0123456789-", min_size=1), max_size=2).map(tuple),
)
def test_a_topic_comes_back(device: str, name: Up | Down, rest: tuple[str, ...]) -> None:
    assert read_topic(Topic(device, name, rest).text()) == Topic(device, name, rest)


def test_messages_as_they_go_over_the_link() -> None:
    assert Topic("BWC-0001", Up.FRAGMENT, (SEGMENT, "2")).text() == f"liuhen/v1/1/BWC-0001/up/fragment/{SEGMENT}/2"
    assert Topic("BWC-0001", Down.WANT).text() == "liuhen/v1/1/BWC-0001/down/want"
    assert Topic("BWC-0001", Up.BLOB, (BLOB,)).text() == f"liuhen/v1/1/BWC-0001/up/blob/{BLOB}"
    offer = f'{{"v":1,"round":3,"journal_head":41,"segments":[["{SEGMENT}",4]],"blobs":["{BLOB}"]}}'.encode()
    assert write_offer(Offer(3, 41, (Offered(SEGMENT, 4),), (BLOB,))) == offer
    answer = f'{{"v":1,"journal_next":30,"round":3,"lacks":{{"{SEGMENT}":[[0,0],[2,3]],"{BLOB}":[[0,0]]}}}}'.encode()
    assert write_want(Want(30, {SEGMENT: ((0, 0), (2, 3)), BLOB: ((0, 0),)}, 3)) == answer
    assert write_want(Want(42, {})) == b'{"v":1,"journal_next":42,"round":null,"lacks":{}}'
    assert part_head("a.b.c") + PARTS[1] == b"\0\0\0\x05a.b.c" + PARTS[1]
    assert write_batch(["a.b.c", "d.e.f"]) == b"a.b.c\nd.e.f"
    assert write_status(online=True) == b'{"v":1,"online":true}'


@pytest.mark.parametrize(
    "topic",
    [
        "", "/", "liuhen", "liuhen/v1/1/BWC-0001/up", "liuhen/v2/1/BWC-0001/up/offer", "liuhen/v1/0/BWC-0001/up/offer",
        "liuhen/v1/1/BWC-0001/up/want", "liuhen/v1/1/BWC-0001/down/offer", "liuhen/v1/1/BWC-0001/side/offer",
        "liuhen/v1/1/BWC-0001/up/OFFER", "liuhen/v1/1/BWC 0001/up/offer", "liuhen/v1/1/../up/offer",
        "/liuhen/v1/1/a/up/b", "liuhen/v1/+/BWC-0001/up/offer", "liuhen/v1/1/BWC-0001\n/up/offer", "liuhen/v1/1/#",
        "liuhen/v1//BWC-0001/up/offer",
    ],
)  # fmt: skip
def test_a_topic_that_is_none_of_ours_is_refused(topic: str) -> None:
    with pytest.raises(BadInputError) as caught:
        read_topic(topic)
    assert "\n" not in str(caught.value)


@given(topic=st.text())
def test_any_text_is_a_topic_or_an_error(topic: str) -> None:
    with pytest.raises(BadInputError):
        read_topic(topic)


def offer_with(**changes: Any) -> bytes:
    good = {"v": 1, "round": 1, "journal_head": 5, "segments": [[SEGMENT, 4]], "blobs": [BLOB]}
    return json.dumps(good | changes).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 0}, {"v": None}, {"v": "1"}, {"v": True}, {"v": 1.0}, {"round": -1}, {"round": "1"}, {"round": True},
        {"round": 1.5}, {"round": 2**63}, {"round": None}, {"journal_head": None}, {"journal_head": 2**63},
        {"journal_head": -2}, {"journal_head": [5]}, {"segments": None}, {"segments": {}}, {"segments": SEGMENT},
        {"segments": [SEGMENT]}, {"segments": [[SEGMENT]]}, {"segments": [[SEGMENT, 4, 1]]},
        {"segments": [[SEGMENT, 0]]}, {"segments": [[SEGMENT, -1]]}, {"segments": [[SEGMENT, "4"]]},
        {"segments": [[SEGMENT, True]]}, {"segments": [[SEGMENT, 100_001]]},
        {"segments": [["../x", 4]]}, {"segments": [[SEGMENT + "\n", 4]]},
        {"segments": [[SEGMENT, 4]] * (OFFER_LIMIT_SEGMENTS + 1)},
        {"blobs": None}, {"blobs": BLOB}, {"blobs": {BLOB: 1}}, {"blobs": [[BLOB]]}, {"blobs": [BLOB[:-1]]},
        {"blobs": [f"{BLOB}\n"]}, {"blobs": ["../" + BLOB[3:]]}, {"blobs": [7]}, {"blobs": [SEGMENT]},
        {"blobs": [BLOB] * (OFFER_LIMIT_BLOBS + 1)},
    ],
    ids=lambda changes: str(changes)[:40],
)  # fmt: skip
def test_an_offer_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    assert read_offer(offer_with()).round == 1
    with pytest.raises(BadInputError):
        read_offer(offer_with(**changes))


def want_with(**changes: Any) -> bytes:
    return json.dumps({"v": 1, "journal_next": 5, "round": 1, "lacks": {SEGMENT: [[0, 3]]}} | changes).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 0}, {"v": None}, {"v": False}, {"journal_next": -1}, {"journal_next": None}, {"journal_next": 2**63},
        {"journal_next": 1e3}, {"round": -1}, {"round": "1"}, {"round": True}, {"lacks": None}, {"lacks": []},
        {"lacks": {BLOB[1:]: [[0, 0]]}}, {"lacks": {BLOB: [0, 0]}},
        {"lacks": {"x": [[0, 1]]}}, {"lacks": {SEGMENT: None}}, {"lacks": {SEGMENT: {}}}, {"lacks": {SEGMENT: [0, 1]}},
        {"lacks": {SEGMENT: [[0]]}}, {"lacks": {SEGMENT: [[1, 0]]}}, {"lacks": {SEGMENT: [[-1, 0]]}},
        {"lacks": {SEGMENT: [[0, 1.0]]}}, {"lacks": {SEGMENT: [[False, True]]}}, {"lacks": {SEGMENT: [[0, 1], [1, 2]]}},
        {"lacks": {SEGMENT: [[2, 3], [0, 1]]}}, {"lacks": {SEGMENT: [[0, 9]] * 3}}, {"lacks": {SEGMENT: [[0, 2**63]]}},
    ],
    ids=lambda changes: str(changes)[:40],
)  # fmt: skip
def test_a_want_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    assert read_want(want_with()).round == 1
    with pytest.raises(BadInputError):
        read_want(want_with(**changes))


def test_a_newer_version_is_told() -> None:
    for read, message in ((read_offer, offer_with(v=2)), (read_want, want_with(v=2))):
        with pytest.raises(NewerVersionError, match="version 2, this program knows 1"):
            read(message)


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b'{"v":1}']
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    for read in (read_offer, read_want):
        with pytest.raises(BadInputError):
            read(data)


@given(data=st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    for read in (read_offer, read_want, read_part, read_batch):
        with suppress(LiuhenError):
            assert read(data) is not None  # type: ignore[operator]


@given(
    fields=st.dictionaries(
        st.sampled_from(["v", "round", "journal_head", "segments", "blobs", "journal_next", "lacks"]), json_values
    )
)
def test_any_json_is_a_message_or_an_error(fields: dict[str, Any]) -> None:
    for read, good in ((read_offer, offer_with), (read_want, want_with)):
        with suppress(LiuhenError):
            assert read(good(**fields)) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0\0\0", LENGTH.pack(1), LENGTH.pack(6) + b"a.b.c", LENGTH.pack(2**32 - 1) + b"x" * 100,
        LENGTH.pack(TOKEN_LIMIT_BYTES + 1) + b"x" * (TOKEN_LIMIT_BYTES + 2), LENGTH.pack(2) + "é".encode(),
    ],
    ids=lambda data: repr(data[:8]),
)  # fmt: skip
def test_a_part_that_cannot_be_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError):
        read_part(data)


def test_the_bytes_of_a_part_are_not_copied() -> None:
    message = part_head(TOKEN) + b"x" * 1_000_000
    _, view = read_part(message)
    assert view.obj is message


def test_a_batch_that_is_too_long_is_refused() -> None:
    assert len(read_batch(b"x" * 2 * BATCH_LIMIT_BYTES)) == 1
    with pytest.raises(BadInputError, match="longer than"):
        read_batch(b"x" * (2 * BATCH_LIMIT_BYTES + 1))
    with pytest.raises(BadInputError, match="bytes that no token has"):
        read_batch(b"\x80")
