"""HPKE's receiving side against the vectors of RFC 9180 (appendix A.5.1) and against the library's own Suite."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import BadInputError
from evidence.hpke import SUITE, key_schedule, open_base, seal_base, shared_secret
from evidence.sealing import KeyVaultKey

INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
PLAIN = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
AAD = b"Count-0"
SEALED = bytes.fromhex("6469c41c5c81d3aa85432531ecf6460ec945bde1eb428cb2fedf7a29f5a685b4ccb0d057f03ea2952a27bb458b")
ENC = bytes.fromhex(
    "04c07836a0206e04e31d8ae99bfd549380b072a1b1b82e563c935c095827824fc1"
    "559eac6fb9e3c70cd3193968994e7fe9781aa103f5b50e934b5b2f387e381291"
)
PUBLIC = bytes.fromhex(
    "04a697bffde9405c992883c5c439d6cc358170b51af72812333b015621dc0f40ba"
    "d9bb726f68a5c013806a790ec716ab8669f84f6b694596c2987cf35baba2a006"
)
SECRET = 0xA4D1C55836AA30F9B3FBB6AC98D338C877C2867DD3A77396D13F68D3AB150D3B
EPHEMERAL = 0x7550253E1147AAE48839C1F8AF80D2770FB7A4C763AFE7D0AFA7E0F42A5B3689
SHARED = bytes.fromhex("806520f82ef0b03c823b7fc524b6b55a088f566b9751b89551c170f4113bd850")
KEY = bytes.fromhex("a8f45490a92a3b04d1dbf6cf2c3939ad8bfc9bfcb97c04bffe116730c9dfe3fc")
NONCE = bytes.fromhex("726b4390ed2209809f58c693")
RECEIVER = KeyVaultKey(ec.derive_private_key(SECRET, ec.SECP256R1()))
OWN = ec.generate_private_key(ec.SECP256R1())


def test_the_keys_of_the_rfc_are_a_pair() -> None:
    assert RECEIVER.public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) == PUBLIC


def test_both_sides_agree_on_the_shared_secret_of_the_rfc() -> None:
    ephemeral = ec.derive_private_key(EPHEMERAL, ec.SECP256R1())
    received = RECEIVER.exchange(ephemeral.public_key())
    assert received == ephemeral.exchange(ec.ECDH(), RECEIVER.public)
    assert shared_secret(received, ENC, RECEIVER.public) == SHARED


def test_the_key_schedule_is_that_of_the_rfc() -> None:
    assert key_schedule(SHARED, INFO) == (KEY, NONCE)


def test_the_message_of_the_rfc_opens() -> None:
    assert open_base(RECEIVER, ENC, SEALED, INFO, AAD) == PLAIN


@pytest.mark.parametrize(
    ("enc", "sealed", "info", "aad"),
    [
        (ENC, SEALED, INFO, b"Count-1"),
        (ENC, SEALED, INFO + b"x", AAD),
        (ENC, SEALED[:-1], INFO, AAD),
        (ENC, b"", INFO, AAD),
        (PUBLIC, SEALED, INFO, AAD),
        (b"", SEALED, INFO, AAD),
        (ENC[:-1], SEALED, INFO, AAD),
        (b"\x04" + bytes(64), SEALED, INFO, AAD),
        (b"\0", SEALED, INFO, AAD),
        (ENC[:1] + ENC[33:] + ENC[1:33], SEALED, INFO, AAD),
        (b"\x02" + ENC[1:33], SEALED, INFO, AAD),
    ],
)
def test_anything_else_is_refused(enc: bytes, sealed: bytes, info: bytes, aad: bytes) -> None:
    with pytest.raises(BadInputError):
        open_base(RECEIVER, enc, sealed, info, aad)


@settings(max_examples=30)
@given(plain=st.binary(max_size=200), info=st.binary(max_size=60))
def test_what_the_librarys_suite_seals_opens_here_and_there(plain: bytes, info: bytes) -> None:
    enc, sealed = seal_base(OWN.public_key(), plain, info)
    assert open_base(KeyVaultKey(OWN), enc, sealed, info) == plain
    assert SUITE.decrypt(enc + sealed, OWN, info) == plain
    with pytest.raises(InvalidTag):
        SUITE.decrypt(enc + sealed, OWN, info + b"x")
    with pytest.raises(BadInputError):
        open_base(KeyVaultKey(OWN), enc, sealed, info + b"x")
