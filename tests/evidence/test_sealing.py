"""A sealed file opens to exactly what was sealed, up to where it was cut; anything else is refused at its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import BadInputError, LiuhenError, RejectedError, UnknownKeyError
from evidence.hpke import seal_base
from evidence.io.sealed_file import OpenedFile, open_file
from evidence.sealing import (
    OVERHEAD_LIMIT_BYTES,
    KeyVaultKey,
    Sealer,
    key_purpose,
    open_parts,
    read_head,
    seal_record,
    unlock,
    whole_records,
)
from evidence.signing import to_base64url
from tests.evidence.golden import OTHER, RECORDER, SEGMENT, hash_of
from tests.evidence.sealed import PHOTO, PLAIN, VAULT, VAULT_PRIVATE, fragment_info, header, seal_file

STORED = seal_file(PLAIN)
WHOLE = b"".join(STORED)
HEAD_BYTES = len(read_head(WHOLE).stored)
ENDS = [sum(map(len, STORED[: index + 1])) for index in range(len(STORED))]
ANOTHER_VAULT = KeyVaultKey(ec.generate_private_key(ec.SECP256R1()))


def opened(data: bytes, vault: KeyVaultKey = VAULT) -> tuple[list[bytes], int]:
    """All parts, and where they end."""
    head = read_head(data)
    opening = open_parts(lambda at, size: data[at : at + size], len(data), head, unlock(head, vault))
    parts = []
    while True:
        try:
            parts.append(next(opening))
        except StopIteration as end:
            return parts, end.value


def opened_or_refused(data: bytes) -> tuple[list[bytes], LiuhenError | None]:
    """The parts that come out, and why no more do."""
    got: list[bytes] = []
    try:
        head = read_head(data)
        got.extend(open_parts(lambda at, size: data[at : at + size], len(data), head, unlock(head, VAULT)))
    except LiuhenError as error:
        return got, error
    return got, None


def freshly_sealed(parts: Sequence[bytes], name: str = SEGMENT, device: str = RECORDER) -> list[bytes]:
    sealer = Sealer(VAULT.public, device, name)
    return [sealer.seal(part, fragment_info(index) if index else None) for index, part in enumerate(parts)]


@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_what_was_sealed_is_what_opens(parts: list[bytes]) -> None:
    stored = freshly_sealed(parts)
    assert opened(b"".join(stored)) == (parts, sum(map(len, stored)))
    assert all(len(sealed) - len(plain) <= OVERHEAD_LIMIT_BYTES for sealed, plain in zip(stored, parts, strict=True))
    records = list(whole_records(b"".join(stored), len(read_head(stored[0]).stored), 0))
    assert [(one.index, one.plain_bytes, one.sha256) for one in records] == [
        (index, len(part), hash_of(part)) for index, part in enumerate(parts)
    ]
    assert [dict(one.info) for one in records[1:]] == [fragment_info(index) for index in range(1, len(parts))]


def test_no_two_files_share_a_key_or_a_stored_byte_of_content() -> None:
    first, second = (b"".join(freshly_sealed(PLAIN)) for _ in range(2))
    assert unlock(read_head(first), VAULT) != unlock(read_head(second), VAULT)
    assert not any(part in first for part in PLAIN)


def test_a_cut_at_any_byte_opens_to_the_whole_records() -> None:
    for length in range(HEAD_BYTES, len(WHOLE) + 1):
        whole = sum(end <= length for end in ENDS)
        assert opened(WHOLE[:length]) == (list(PLAIN[:whole]), ENDS[whole - 1] if whole else HEAD_BYTES)
        assert len(list(whole_records(WHOLE[:length], HEAD_BYTES, 0))) == whole
    for length in range(HEAD_BYTES):
        with pytest.raises(BadInputError):
            read_head(WHOLE[:length])


def test_a_flipped_bit_anywhere_is_refused_at_its_part() -> None:
    """Never another byte comes out: every part before it opens as it was, from it on nothing does."""
    for place in range(len(WHOLE)):
        data = bytearray(WHOLE)
        data[place] ^= 1 << place % 8
        part = sum(end <= place for end in ENDS)
        got, refused = opened_or_refused(bytes(data))
        assert got == list(PLAIN[:part]), place
        if place < HEAD_BYTES:
            assert refused is not None
        elif refused is not None:
            assert (type(refused), refused.where) == (RejectedError, f"part {part} of {SEGMENT}"), place
        else:
            # A length that reaches beyond the end of the file reads like a cut.
            assert len(list(whole_records(bytes(data), HEAD_BYTES, 0))) == part


def swapped(first: int, second: int) -> bytes:
    parts = list(STORED)
    parts[first], parts[second] = parts[second], parts[first]
    return b"".join(parts)


def renumbered(record: bytes, index: int) -> bytes:
    """The record with another number in its header."""
    length = int.from_bytes(record[:4], "big")
    text = json.dumps(json.loads(record[4 : 4 + length]) | {"index": index}, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "big") + text + record[4 + length :]


def forged(plain: bytes) -> bytes:
    """A record 2 by somebody who has no key."""
    return seal_record(ChaCha20Poly1305(bytes(32)), read_head(WHOLE).digest, header(2, plain), plain)


NOT_SEALED = "is not what the recorder sealed"
OF_ANOTHER = seal_file(PLAIN, "3f2a9c1b7d04-00002")
OF_ANOTHER_DEVICE = seal_file(PLAIN, SEGMENT, OTHER)
REFUSED: dict[str, tuple[bytes, int, str]] = {
    "two records swapped": (swapped(1, 2), 1, "is part 2: repeated, swapped or left out"),
    "two records swapped and renumbered": (
        b"".join((STORED[0], renumbered(STORED[2], 1), renumbered(STORED[1], 2), STORED[3])), 1, NOT_SEALED,
    ),
    "a record repeated": (b"".join((*STORED[:2], *STORED[1:])), 2, "is part 1"),
    "a record left out": (b"".join((*STORED[:1], *STORED[2:])), 1, "is part 2"),
    "a record left out and the next one renumbered": (
        b"".join((STORED[0], renumbered(STORED[2], 1))), 1, NOT_SEALED,
    ),
    "a record of another segment": (b"".join((*STORED[:2], OF_ANOTHER[2], STORED[3])), 2, NOT_SEALED),
    "a record of the same segment of another recorder": (
        b"".join((*STORED[:2], OF_ANOTHER_DEVICE[2], STORED[3])), 2, NOT_SEALED,
    ),
    "a record that somebody without a key made": (b"".join((*STORED[:2], forged(b"a lie"))), 2, NOT_SEALED),
    "a record of a file of the same name sealed twice": (
        b"".join((*STORED[:2], freshly_sealed(PLAIN)[2])), 2, NOT_SEALED,
    ),
    "zeros at the end": (WHOLE + bytes(100), 4, "does not begin like a record"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_recorder_did_not_seal_there_is_refused_with_its_index(name: str, tmp_path: Path) -> None:
    data, part, what = REFUSED[name]
    with pytest.raises(RejectedError, match=what) as refused:
        opened(data)
    assert refused.value.where == f"part {part} of {SEGMENT}"
    source, target = tmp_path / "x.lhs", tmp_path / "x.mp4"
    source.write_bytes(data)
    with pytest.raises(RejectedError):
        open_file(source, target, VAULT)
    assert not target.exists()


def test_a_key_that_was_sealed_for_another_file_or_recorder_opens_nothing() -> None:
    """The head of one file, put before the records of another, or renamed."""
    head = read_head(WHOLE)
    for old, new in ((RECORDER, OTHER), (SEGMENT, "3f2a9c1b7d04-00009")):
        renamed = WHOLE.replace(old.encode(), new.encode(), 1)
        with pytest.raises(RejectedError, match="head that is not what the recorder wrote"):
            unlock(read_head(renamed), VAULT)
    moved = read_head(OF_ANOTHER[0]).stored + WHOLE[len(head.stored) :]
    with pytest.raises(RejectedError, match="not what the recorder sealed"):
        opened(moved)


def test_another_vaults_key_is_said_to_be_another() -> None:
    with pytest.raises(UnknownKeyError, match="not to"):
        opened(WHOLE, ANOTHER_VAULT)


def test_a_recorder_that_lies_about_the_hash_of_what_it_sealed_is_caught() -> None:
    """It holds the file's key while it writes, and can seal anything; but not under another hash."""
    key = bytes(range(32))
    enc, wrapped = seal_base(VAULT.public, key, key_purpose(RECORDER, SEGMENT))
    text = json.dumps({
        "device": RECORDER, "name": SEGMENT, "vault": VAULT.kid, "enc": to_base64url(enc), "key": to_base64url(wrapped),
    }).encode()  # fmt: skip
    head = b"LIUHEN\x00\x01" + len(text).to_bytes(2, "big") + text
    record = seal_record(ChaCha20Poly1305(key), read_head(head).digest, header(0, b"one") | {"bytes": 5}, b"other")
    with pytest.raises(RejectedError, match="hash of something else"):
        opened(head + record)


@given(data=st.binary(max_size=200), begins=st.booleans())
def test_any_bytes_are_opened_or_refused(data: bytes, begins: bool) -> None:
    data = WHOLE[: HEAD_BYTES + len(data)] + data if begins else data
    parts, refused = opened_or_refused(data)
    assert parts == list(PLAIN[: len(parts)])
    assert "\n" not in str(refused)


HEADS: dict[str, Callable[[dict[str, object]], object]] = {
    "a list": lambda _: [1],
    "a field missing": lambda fields: {name: fields[name] for name in ("device", "name", "vault", "enc")},
    "a field too many": lambda fields: fields | {"more": 1},
    "a number for a name": lambda fields: fields | {"name": 1},
    "a path for a name": lambda fields: fields | {"name": "../../etc/passwd"},
    "an impossible recorder": lambda fields: fields | {"device": "a b"},
    "a short key": lambda fields: fields | {"key": "AAAA"},
    "no base64": lambda fields: fields | {"enc": "?" * 87},
    "too long": lambda fields: fields | {"name": "x" * 600},
}


@pytest.mark.parametrize("name", HEADS)
def test_an_impossible_head_is_refused(name: str) -> None:
    text = json.dumps(HEADS[name](json.loads(WHOLE[10:HEAD_BYTES]))).encode()
    with pytest.raises(BadInputError):
        read_head(WHOLE[:8] + len(text).to_bytes(2, "big") + text)


def test_a_point_that_is_not_on_the_curve_is_refused() -> None:
    fields = json.loads(WHOLE[10:HEAD_BYTES]) | {"enc": to_base64url(b"\x04" + b"\x01" * 64)}
    text = json.dumps(fields).encode()
    with pytest.raises(RejectedError):
        unlock(read_head(WHOLE[:8] + len(text).to_bytes(2, "big") + text), VAULT)


# Files.


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / f"{SEGMENT}.lhs"
    path.write_bytes(WHOLE)
    return path


def test_a_file_opens_to_a_file(source: Path, tmp_path: Path) -> None:
    target, plain = tmp_path / "x.mp4", b"".join(PLAIN)
    assert open_file(source, target, VAULT) == OpenedFile(RECORDER, SEGMENT, 4, len(plain), hash_of(plain), 0)
    assert target.read_bytes() == plain
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInputError, match="never written over"):
        open_file(source, target, VAULT)
    assert target.read_bytes() == plain


def test_a_torn_file_opens_up_to_its_last_whole_part_and_says_so(source: Path, tmp_path: Path) -> None:
    source.write_bytes(WHOLE[:-5])
    found = open_file(source, tmp_path / "x.mp4", VAULT)
    assert (found.parts, found.torn_bytes) == (3, len(STORED[3]) - 5)
    assert (tmp_path / "x.mp4").read_bytes() == b"".join(PLAIN[:3])


def test_a_photo_opens(tmp_path: Path) -> None:
    (stored,) = seal_file([PHOTO], hash_of(PHOTO))
    (tmp_path / "x.lhb").write_bytes(stored)
    found = open_file(tmp_path / "x.lhb", tmp_path / "x.jpg", VAULT)
    assert (found.name, found.sha256) == (hash_of(PHOTO), hash_of(PHOTO))


def test_what_is_no_sealed_file_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "x.lhs").write_bytes(b"plain")
    with pytest.raises(BadInputError, match=r"x\.lhs: does not begin like one"):
        open_file(tmp_path / "x.lhs", tmp_path / "x.mp4", VAULT)
    assert not (tmp_path / "x.mp4").exists()


def test_a_key_file_needs_its_passphrase() -> None:
    pem = VAULT_PRIVATE.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"long")
    )
    assert KeyVaultKey.from_pem(pem, b"long", "vault.key").kid == VAULT.kid
    with pytest.raises(BadInputError, match="check the passphrase"):
        KeyVaultKey.from_pem(pem, b"wrong", "vault.key")
