"""docs/FORMAT.md says what the code does: its examples are real, its tables are whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from evidence.health import card_fields, card_from_fields
from evidence.journal import ENTRY_TYPE, HEAD_TYPE, TOKEN_LIMIT_BYTES, read_entry, read_head, verify_token
from evidence.kinds import KINDS, check_fields
from evidence.model import ClockGrade, Timestamp
from evidence.signing import from_base64url
from evidence.verify import EXIT_CODES
from evidence.wire import (
    BLOB_LIMIT_BYTES,
    OFFER_LIMIT_BLOBS,
    OFFER_LIMIT_SEGMENTS,
    PARTS_LIMIT,
    Down,
    Up,
    read_offer,
    read_want,
    write_status,
)
from tests.evidence.golden import ASKING, DOCK, RECORDER, signer
from tests.evidence.make_vectors import FOLDER

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "FORMAT.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
TOKENS = [block.replace("\n", "") for name, block in BLOCKS if name == "token"]
GOLDEN = {line for path in FOLDER.glob("good.jws*") for line in path.read_text().splitlines()}
SECTIONS = dict(re.findall(r"^#### `(\w+)`\n(.*?)(?=^##)", TEXT, re.DOTALL | re.MULTILINE))
EXAMPLES = [json.loads(block) for name, block in BLOCKS if name == "json"]
KIND_EXAMPLES = {
    kind: json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0]) for kind, text in SECTIONS.items()
}
OTHERS = [example for example in EXAMPLES if example not in KIND_EXAMPLES.values()]


def test_the_tokens_are_those_of_the_vectors() -> None:
    assert len(TOKENS) == 2
    assert set(TOKENS) <= GOLDEN


@pytest.mark.parametrize("token", TOKENS)
def test_the_tokens_verify(token: str) -> None:
    header = json.loads(from_base64url(token.split(".", maxsplit=1)[0]))
    owner = {ENTRY_TYPE: RECORDER, HEAD_TYPE: DOCK}[header["typ"]]
    verify_token(token, signer(owner).verify_key, "example")
    if owner == RECORDER:
        assert read_entry(token).device == RECORDER
    else:
        assert read_head(token).journal == RECORDER


def parts_of_tokens() -> list[Any]:
    return [json.loads(from_base64url(part)) for token in TOKENS for part in token.split(".")[:2]]


@pytest.mark.parametrize("example", OTHERS, ids=lambda example: str(example)[:40])
def test_every_other_example_is_what_it_is_an_example_of(example: dict[str, Any]) -> None:
    if "utc" in example:
        assert Timestamp.from_fields(example).to_fields() == example
    elif "segments" in example:
        assert read_offer(json.dumps(example).encode()).round == 3
    elif "lacks" in example:
        assert read_want(json.dumps(example).encode()).lacks
    elif "items" in example:
        card = card_from_fields(example, "example", RECORDER)
        assert card_fields(card) == example
    elif "act" in example:
        assert example == json.loads(from_base64url(ASKING.split(".")[1]))
    elif "online" in example:
        assert json.loads(write_status(online=True)) == example
    else:
        assert example in parts_of_tokens()


def test_there_is_an_example_of_every_part_of_the_format() -> None:
    names = {name for example in OTHERS for name in example}
    assert {"utc", "alg", "kind", "file_sha256", "segments", "lacks", "online", "items"} <= names


def test_every_kind_is_described_and_none_that_is_not() -> None:
    assert list(SECTIONS) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_a_kind_has_exactly_its_fields(kind: str) -> None:
    assert re.findall(r"^\| `(\w+)` \| \S", SECTIONS[kind], re.MULTILINE) == list(KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_kind_is_one(kind: str) -> None:
    check_fields(kind, KIND_EXAMPLES[kind], kind)
    assert list(KIND_EXAMPLES[kind]) == list(KINDS[kind])


def test_every_topic_is_described() -> None:
    described = set(re.findall(r"^\| `(up|down)/(\w+)", TEXT, re.MULTILINE))
    assert described == {("up", name.value) for name in Up} | {("down", name.value) for name in Down}


def test_every_verdict_has_its_exit_code_in_order_of_badness() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| [^|]+ \| (\d) \|$", TEXT, re.MULTILINE)
    assert rows == [(verdict.value, str(code)) for verdict, code in EXIT_CODES.items()]


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"at most {TOKEN_LIMIT_BYTES:,} characters" in TEXT
    assert (
        f"most {OFFER_LIMIT_SEGMENTS} sealed segments with the number of their parts (at most {PARTS_LIMIT:,})" in TEXT
    )
    assert f"`blobs` at most {OFFER_LIMIT_BLOBS} blobs" in TEXT
    assert f"at most {BLOB_LIMIT_BYTES >> 20} MiB" in TEXT
    assert ", ".join(f"`{grade.value}`" for grade in ClockGrade) in TEXT


def test_every_article_is_one_of_the_five_regulations() -> None:
    asked = re.findall(r"Asked for by ([^.]+)\.", TEXT)
    assert len(asked) > 20
    for articles in asked:
        for article in articles.split("; "):
            assert re.fullmatch(
                r"(pingluo|general|weixian|changzhi|xuchang) \d+(\(\d(-\d)?\))?(, \d+(\(\d\))?)*", article
            )
