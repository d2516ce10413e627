"""Writes tests/evidence/vectors: journals named after the defect they hold, and what a verifier has to say to each.

    .venv/bin/python -m tests.evidence.make_vectors

The keys are fixed and Ed25519 is deterministic, so the same files come out every time. `expected.json` is for other
implementations: the verdict, and the number of the first line that is not what should stand there.

`sealed/` holds a sealed segment and a sealed photo with their entries beside them, the same opened, a clip of the
segment (each with its entry), and the vault's private key (RFC 7517), which opens them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from evidence.errors import LiuhenError
from evidence.journal import Chain, sign_head
from evidence.model import Timestamp
from evidence.verify import JournalCheck, Verdict, verdict_of
from tests.evidence.golden import (
    APPROVAL,
    ASKING,
    CA_PEM,
    DOCK,
    RECORDER,
    SAMPLES,
    SEGMENT,
    TRUST,
    Writer,
    hash_of,
    signer,
    stamp,
)
from tests.evidence.sealed import PHOTO, PLAIN, VAULT_JWK, seal_file, sealed_journal
from tests.evidence.test_journal import ATTACKS, GOOD_HEADER, JOURNAL, payload, token_of

FOLDER = Path(__file__).parent / "vectors"
SEALED = FOLDER / "sealed"
BEGUN = JOURNAL.tokens[:2]
HEAD = JOURNAL.entries[1].head


def next_payload(**changes: object) -> dict[str, object]:
    return payload(seq=HEAD.seq + 1, prev=HEAD.hash) | changes


def with_next(header: Mapping[str, object] | None = None, **changes: object) -> list[str]:
    """A good beginning and one more entry, rightly signed whatever it says."""
    return [*BEGUN, token_of(next_payload(**changes), None if header is None else GOOD_HEADER | header)]


def in_other_words(token: str) -> str:
    """The same bytes in a spelling of base64 that a lax reader takes."""
    return f"{token}=="


def one_of_each() -> list[str]:
    """A recorder's journal with every kind of entry in it."""
    writer = Writer()
    for kind in SAMPLES:
        writer.add(kind)
    return writer.tokens


def late_in_1969() -> list[str]:
    """A clock that is wrong by half a century is a wrong clock, not a damaged entry."""
    chain = Chain(RECORDER, signer(RECORDER), HEAD)
    at: Timestamp = stamp(utc_us=-1_000_000)
    return [*BEGUN, chain.make(at, "docked", {}).token]


JOURNALS: Mapping[str, list[str]] = {
    "good": list(JOURNAL.tokens),
    "good, every kind": one_of_each(),
    "good, an unknown kind": with_next(kind="drone_launched", height_m=12),
    "good, an unknown field": with_next(bay=7),
    "good, late in 1969": late_in_1969(),
    **{name: attack(list(JOURNAL.tokens)) for name, (attack, _, _) in ATTACKS.items()},
    "newer version": with_next(v=2),
    "newer version, not signed": [*BEGUN, with_next(v=2)[-1][:-4] + "AAAA"],
    "version 0": with_next(v=0),
    "field missing": with_next(kind="bookmark"),
    "text for a number": with_next(kind="clock", step_us="1"),
    "negative number": with_next(seq=-1),
    "truth value for a number": with_next(seq=True),
    "impossible date": with_next(at=stamp().to_fields() | {"utc": "2026-02-30T00:00:00.000000Z"}),
    "unknown grade of clock": with_next(at=stamp().to_fields() | {"grade": "perfect"}),
    "half a character": with_next(note="\ud800"),
    "algorithm none": with_next({"alg": "none"}),
    "critical extension": with_next({"crit": ["b64"], "b64": False}),
    "type of a head": with_next({"typ": "liuhen-head"}),
    "padded base64": [*BEGUN, in_other_words(JOURNAL.tokens[2]), *JOURNAL.tokens[3:]],
    "not json": [*BEGUN, "bm90IGpzb24.bm90IGpzb24.AA"],
    "empty line": [*BEGUN, "", *JOURNAL.tokens[2:]],
    "flipped bit": [*BEGUN, JOURNAL.tokens[2][:-1] + chr(ord(JOURNAL.tokens[2][-1]) ^ 1), *JOURNAL.tokens[3:]],
}


def judge(tokens: list[str]) -> tuple[Verdict, int | None]:
    """The verdict, and the number of the line that decides it."""
    check = JournalCheck(TRUST)
    for number, token in enumerate(tokens):
        try:
            check.take(token, f"line {number}")
        except LiuhenError as error:
            return verdict_of(error), number
    return Verdict.AUTHENTIC, None


def files() -> dict[str, bytes]:
    """Every file of the folder, by name."""
    made: dict[str, bytes] = {"ca.pem": CA_PEM}
    expected: dict[str, dict[str, object]] = {}
    for name, tokens in JOURNALS.items():
        file = f"{name.replace(', ', '-').replace(' ', '_')}.jws"
        made[file] = "".join(f"{token}\n" for token in tokens).encode("ascii")
        verdict, line = judge(tokens)
        expected[file] = {"verdict": verdict.value, "line": line}
    made["good.jws.head"] = f"{sign_head(signer(DOCK), RECORDER, JOURNAL.chain.head)}\n".encode("ascii")
    made["asking.statement"] = f"{ASKING}\n".encode("ascii")
    made["approval.statement"] = f"{APPROVAL}\n".encode("ascii")
    made["expected.json"] = (json.dumps(expected, indent=1) + "\n").encode()
    return made


def sealed_files() -> dict[str, bytes]:
    """Every file of the folder `sealed`, by name."""
    writer = sealed_journal()
    seal, still = (f"{entry.token}\n".encode("ascii") for entry in writer.entries[-2:])
    photo = hash_of(PHOTO)
    return {
        "vault.jwk": (json.dumps(VAULT_JWK, indent=1) + "\n").encode(),
        "journal.jws": writer.text,
        f"{SEGMENT}.lhs": b"".join(seal_file(PLAIN)),
        f"{SEGMENT}.mp4": b"".join(PLAIN),
        f"{SEGMENT}.jws": seal,
        "clip.mp4": b"".join((PLAIN[0], *PLAIN[2:])),
        "clip.jws": seal,
        f"{photo}.lhb": seal_file([PHOTO], photo)[0],
        f"{photo}.jpg": PHOTO,
        f"{photo}.jws": still,
    }


def main() -> None:
    """Write the folder anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for folder, made in ((FOLDER, files()), (SEALED, sealed_files())):
        folder.mkdir()
        for name, content in made.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
