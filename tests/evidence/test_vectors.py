"""The golden vectors: journals named after their defect, as they lie in the repository."""

from __future__ import annotations

import json

import pytest

from evidence.certificates import Trust
from evidence.verify import Verdict
from tests.evidence.make_vectors import FOLDER, JOURNALS, files, judge
from tests.evidence.test_journal import ATTACKS

EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def test_the_vectors_can_be_made_again_byte_for_byte() -> None:
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == files()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_verdict_on_a_vector(name: str) -> None:
    tokens = (FOLDER / name).read_text().splitlines()
    verdict, line = judge(tokens)
    assert {"verdict": verdict.value, "line": line} == EXPECTED[name]
    assert (verdict is Verdict.AUTHENTIC) == name.startswith("good")


def test_the_root_of_the_vectors_is_a_root() -> None:
    assert Trust((FOLDER / "ca.pem").read_bytes()).root.subject.rfc4514_string() == "CN=root"


def test_there_is_a_vector_for_every_attack() -> None:
    assert ATTACKS.keys() <= JOURNALS.keys()
    assert len(EXPECTED) == len(JOURNALS)
