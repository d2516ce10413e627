"""The golden vectors: journals named after their defect, as they lie in the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.certificates import Trust
from evidence.io.sealed_file import open_file
from evidence.io.verify_files import verify_path
from evidence.sealing import KeyVaultKey
from evidence.signing import from_base64url
from evidence.verify import Verdict
from tests.evidence.make_vectors import FOLDER, JOURNALS, SEALED, files, judge, sealed_files
from tests.evidence.test_journal import ATTACKS

EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def test_the_vectors_can_be_made_again_byte_for_byte() -> None:
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()} == files()
    assert {path.name: path.read_bytes() for path in SEALED.iterdir()} == sealed_files()


@pytest.mark.parametrize("name", ["*.lhs", "*.lhb", "*[0-9].mp4", "*.jpg"])
def test_the_sealed_vectors_and_what_they_open_to_are_authentic(name: str) -> None:
    (path,) = SEALED.glob(name)
    assert verify_path(path, Trust((FOLDER / "ca.pem").read_bytes())).defects == []


def test_the_sealed_vectors_open_with_the_key_beside_them(tmp_path: Path) -> None:
    jwk = json.loads((SEALED / "vault.jwk").read_text())
    private = ec.derive_private_key(int.from_bytes(from_base64url(jwk["d"]), "big"), ec.SECP256R1())
    for path in (*SEALED.glob("*.lhs"), *SEALED.glob("*.lhb")):
        open_file(path, tmp_path / path.stem, KeyVaultKey(private))
        (plain,) = (one for one in SEALED.glob(f"{path.stem}.*") if one.suffix in (".mp4", ".jpg"))
        assert (tmp_path / path.stem).read_bytes() == plain.read_bytes()


def test_the_clip_among_the_vectors_is_authentic_with_the_rest_withheld() -> None:
    report = verify_path(SEALED / "clip.mp4", Trust((FOLDER / "ca.pem").read_bytes()))
    assert [(one.verdict, one.what) for one in report.defects] == [
        (Verdict.GAPS, "clip: parts 2 to 3 of 4, the rest was withheld")
    ]


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
