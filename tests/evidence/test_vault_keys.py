"""What opening may expect of every `VaultKey`, wherever its private half lies: one suite for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.errors import BadInputError, KeyAwayError, RejectedError, UnknownKeyError
from evidence.hpke import SUITE, open_base, seal_base
from evidence.io.token_key import Use, make_token_key
from evidence.sealing import KeyVaultKey, Sealer, VaultKey, open_parts, read_head, unlock
from evidence.signing import public_jwk, thumbprint
from tests.evidence.golden import RECORDER, SEGMENT
from tests.evidence.softhsm import new_place, unplugged

PLACES = ("in a file", "in a token")
INFO = {"pts_us": 0, "duration_us": 1_000_000, "frames": 30, "samples": 48_000}


@cache
def _keys() -> Mapping[str, KeyVaultKey]:
    token = make_token_key(new_place(Path(mkdtemp(prefix="liuhen-pin-")), "vault"), Use.AGREE)
    return {"in a file": KeyVaultKey(ec.generate_private_key(ec.SECP256R1())), "in a token": KeyVaultKey(token)}


@pytest.fixture(params=PLACES)
def vault(request: pytest.FixtureRequest) -> VaultKey:
    return _keys()[request.param]


def test_it_is_named_after_its_public_half(vault: VaultKey) -> None:
    assert vault.kid == thumbprint(public_jwk(vault.public))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plain=st.binary(max_size=200), info=st.binary(max_size=60))
def test_it_opens_what_the_library_sealed(vault: VaultKey, plain: bytes, info: bytes) -> None:
    """The other half is the library's own HPKE (RFC 9180), which knows nothing of ours."""
    sealed = SUITE.encrypt(plain, vault.public, info)
    assert open_base(vault, sealed[:65], sealed[65:], info) == plain


def test_it_opens_nothing_else(vault: VaultKey) -> None:
    enc, sealed = seal_base(vault.public, b"key", b"info")
    other, _ = seal_base(vault.public, b"key", b"info")
    for tried in ((other, sealed, b"info"), (enc, sealed, b"other"), (enc, sealed[:-1] + b"\0", b"info")):
        with pytest.raises(BadInputError):
            open_base(vault, *tried)
    with pytest.raises(BadInputError):
        open_base(vault, b"\4" + bytes(64), sealed, b"info")


def test_a_segment_comes_back(vault: VaultKey) -> None:
    sealer = Sealer(vault.public, RECORDER, SEGMENT)
    stored = sealer.seal(b"init") + sealer.seal(b"one" * 100, INFO) + sealer.seal(b"two" * 90, INFO)
    head = read_head(stored)
    parts = open_parts(lambda offset, length: stored[offset : offset + length], len(stored), head, unlock(head, vault))
    assert list(parts) == [b"init", b"one" * 100, b"two" * 90]


def test_a_segment_for_another_vault_stays_shut(vault: VaultKey) -> None:
    stranger = KeyVaultKey(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(UnknownKeyError):
        unlock(read_head(Sealer(stranger.public, RECORDER, SEGMENT).seal(b"init")), vault)
    stored = Sealer(vault.public, RECORDER, SEGMENT).seal(b"init").replace(RECORDER.encode(), b"BWC-0002")
    with pytest.raises(RejectedError):
        unlock(read_head(stored), vault)


def test_a_vault_token_that_is_unplugged_opens_nothing_until_it_is_back() -> None:
    vault = _keys()["in a token"]
    head = read_head(Sealer(vault.public, RECORDER, SEGMENT).seal(b"init"))
    with unplugged(), pytest.raises(KeyAwayError):
        unlock(head, vault)
    assert len(unlock(head, vault)) == 32
