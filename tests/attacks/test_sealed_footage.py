"""With sealed footage in hand, and the keys beside it: nothing of it is seen, and nothing is changed unseen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from device.identity import provision
from evidence.errors import LiuhenError, RejectedError, UnknownKeyError
from evidence.io.durable import PosixDisc
from evidence.io.sealed_file import open_file, opened_parts
from evidence.io.verify_files import verify_path
from evidence.sealing import KeyVaultKey, Sealer, VaultKey, read_head
from evidence.verify import Verdict
from tests.evidence.golden import OTHER, RECORDER, SEGMENT, TRUST
from tests.evidence.sealed import PLAIN, VAULT, fragment_info, seal_file, sealed_journal

STORED = seal_file(PLAIN)
WHOLE = b"".join(STORED)
HEAD_BYTES = len(read_head(WHOLE).stored)
OF_ANOTHER = seal_file(PLAIN, "3f2a9c1b7d04-00002")
OF_ANOTHER_RECORDER = seal_file(PLAIN, SEGMENT, OTHER)


def own_footage() -> bytes:
    """Everybody may know the vault's public key: every recorder has it."""
    sealer = Sealer(VAULT.public, RECORDER, SEGMENT)
    return b"".join(sealer.seal(b"a lie", fragment_info(index) if index else None) for index in range(len(PLAIN)))


def swapped() -> bytes:
    return b"".join((STORED[0], STORED[2], STORED[1], STORED[3]))


BAD, GAPS = Verdict.NOT_AUTHENTIC, Verdict.GAPS
# What lies there afterwards, how many parts of it come out with the vault's key, why no more do, and the verdict on it.
CHANGES: dict[str, tuple[bytes, int, str, Verdict]] = {
    "flips a bit": (WHOLE[:-20] + bytes([WHOLE[-20] ^ 1]) + WHOLE[-19:], 3, "part 3", BAD),
    "swaps two records": (swapped(), 1, "swapped or left out", BAD),
    "repeats a record": (b"".join((*STORED[:2], *STORED[1:])), 2, "repeated", BAD),
    "cuts a record out": (b"".join((STORED[0], *STORED[2:])), 1, "left out", GAPS),
    "cuts the end off": (b"".join(STORED[:-1]), 3, "", GAPS),
    "tears the last record": (WHOLE[:-1], 3, "", BAD),
    "puts a record of another segment in": (
        b"".join((*STORED[:2], OF_ANOTHER[2], STORED[3])), 2, "is not what the recorder sealed", BAD,
    ),
    "puts another recorder's record in": (
        b"".join((*STORED[:2], OF_ANOTHER_RECORDER[2], STORED[3])), 2, "is not what the recorder sealed", BAD,
    ),
    "opens a part with another segment's key": (
        read_head(OF_ANOTHER[0]).stored + WHOLE[HEAD_BYTES:], 0, "is not what the recorder sealed", BAD,
    ),
    "puts another recorder's sealed file there": (b"".join(OF_ANOTHER_RECORDER), 4, "", BAD),
    "writes another recorder's name into the head": (
        WHOLE.replace(RECORDER.encode(), OTHER.encode(), 1), 0, "head that is not what the recorder wrote", BAD,
    ),
    "seals footage of his own to the vault": (own_footage(), 4, "", BAD),
}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The sealed segment with its seal beside it."""
    seal = next(entry for entry in sealed_journal().entries if entry.kind == "segment")
    (tmp_path / f"{SEGMENT}.jws").write_text(f"{seal.token}\n")
    (tmp_path / f"{SEGMENT}.lhs").write_bytes(WHOLE)
    return tmp_path / f"{SEGMENT}.lhs"


@pytest.mark.parametrize("name", CHANGES)
def test_whoever_changes_sealed_footage(path: Path, name: str) -> None:
    """Verdict: told without any key; and with the key nothing comes out that is altered or misplaced."""
    content, opened, why, verdict = CHANGES[name]
    assert verify_path(path, TRUST).verdict is Verdict.AUTHENTIC
    path.write_bytes(content)
    assert verify_path(path, TRUST).verdict is verdict
    got, refused = [], ""
    try:
        for part in opened_parts(path, VAULT):
            got.append(part)
    except LiuhenError as error:
        refused = str(error)
    assert (len(got), why in refused, bool(refused)) == (opened, True, bool(why))
    assert set(got) <= {*PLAIN, b"a lie"}


def test_whoever_reads_the_card_finds_nothing_of_the_footage(path: Path) -> None:
    """Verdict: nothing. `test_no_byte_of_picture_or_sound_is_on_the_card...` says the same of a whole recorder."""
    stored = path.read_bytes()
    assert [part for part in PLAIN if part in stored or part[4:12] in stored] == []


@dataclass(frozen=True)
class Claims:
    """Says that it is the vault's key, and has another one."""

    own: KeyVaultKey

    @property
    def kid(self) -> str:
        return VAULT.kid

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        return VAULT.public

    def exchange(self, peer: ec.EllipticCurvePublicKey) -> bytes:
        return self.own.exchange(peer)


def recorders_keys(folder: Path) -> Sequence[KeyVaultKey]:
    """Every private key in a stolen recorder that can agree on anything."""
    provision(folder, RECORDER, PosixDisc())
    found = [serialization.load_pem_private_key(one.read_bytes(), None) for one in sorted(folder.glob("*.key"))]
    assert len(found) == 2
    return [KeyVaultKey(key) for key in found if isinstance(key, ec.EllipticCurvePrivateKey)]


def own_key(_: Path) -> Sequence[KeyVaultKey]:
    return [KeyVaultKey(ec.generate_private_key(ec.SECP256R1()))]


def as_the_vaults(keys: Sequence[KeyVaultKey]) -> Sequence[VaultKey]:
    return [Claims(key) for key in keys]


READERS: dict[str, tuple[Callable[[Path], Sequence[VaultKey]], type[LiuhenError]]] = {
    "a key of his own": (own_key, UnknownKeyError),
    "a key of his own under the vault's name": (lambda folder: as_the_vaults(own_key(folder)), RejectedError),
    "the keys of the stolen recorder": (recorders_keys, UnknownKeyError),
    "the keys of the stolen recorder under the vault's name": (
        lambda folder: as_the_vaults(recorders_keys(folder)), RejectedError,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_whoever_opens_sealed_footage_with(path: Path, tmp_path: Path, name: str) -> None:
    """Verdict: not a byte, and no file."""
    make, error = READERS[name]
    keys = make(tmp_path / "identity")
    assert keys
    for key in keys:
        with pytest.raises(error):
            open_file(path, tmp_path / "out.mp4", key)
        assert not (tmp_path / "out.mp4").exists()
