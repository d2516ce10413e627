"""Signatures against the RFCs' own examples and against damage."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import BadInputError, LiuhenError, SignatureError
from evidence.signing import (
    KeySigner,
    PrivateKey,
    VerifyKey,
    from_base64url,
    public_jwk,
    thumbprint,
    to_base64url,
)

# RFC 8037, appendix A.
RFC8037_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
RFC8037_X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
RFC8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
RFC8037_SIGNED = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
RFC8037_SIGNATURE = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

# RFC 7515, appendix A.3.
RFC7515_X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
RFC7515_Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
RFC7515_SIGNED = (
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
RFC7515_SIGNATURE = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

# RFC 7638, section 3.1.
RFC7638_JWK = {
    "e": "AQAB",
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
        "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
        "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
        "kEgU8awapJzKnqDKgw"
    ),
}
RFC7638_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

MAKE: dict[str, PrivateKey] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}


@pytest.fixture(params=MAKE)
def signer(request: pytest.FixtureRequest) -> KeySigner:
    return KeySigner(MAKE[request.param])


def test_the_signature_of_rfc_8037() -> None:
    signer = KeySigner(ed25519.Ed25519PrivateKey.from_private_bytes(from_base64url(RFC8037_D)))
    assert public_jwk(signer.verify_key.public) == {"crv": "Ed25519", "kty": "OKP", "x": RFC8037_X}
    assert (signer.alg, signer.kid) == ("EdDSA", RFC8037_THUMBPRINT)
    assert to_base64url(signer.sign(RFC8037_SIGNED.encode())) == RFC8037_SIGNATURE


def test_the_signature_of_rfc_7515() -> None:
    x, y = (int.from_bytes(from_base64url(one), "big") for one in (RFC7515_X, RFC7515_Y))
    key = VerifyKey.of(ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())
    assert key.alg == "ES256"
    assert public_jwk(key.public) == {"crv": "P-256", "kty": "EC", "x": RFC7515_X, "y": RFC7515_Y}
    key.verify(from_base64url(RFC7515_SIGNATURE), RFC7515_SIGNED.encode())
    with pytest.raises(SignatureError):
        key.verify(from_base64url(RFC7515_SIGNATURE), RFC7515_SIGNED.encode()[:-1])


def test_the_thumbprint_of_rfc_7638() -> None:
    assert thumbprint(RFC7638_JWK) == RFC7638_THUMBPRINT
    assert thumbprint(json.loads(json.dumps(RFC7638_JWK, sort_keys=True))) == RFC7638_THUMBPRINT


@given(data=st.binary(max_size=200))
def test_a_signature_is_64_bytes_and_fits(data: bytes) -> None:
    for private in MAKE.values():
        signer = KeySigner(private)
        signature = signer.sign(data)
        assert len(signature) == 64
        signer.verify_key.verify(signature, data)


def test_a_changed_bit_of_the_signature_does_not_fit(signer: KeySigner) -> None:
    signature = signer.sign(b"data")
    for place in range(len(signature)):
        changed = bytearray(signature)
        changed[place] ^= 1
        with pytest.raises(SignatureError):
            signer.verify_key.verify(bytes(changed), b"data")


@given(signature=st.binary(max_size=100))
def test_no_other_bytes_are_a_signature(signature: bytes) -> None:
    for private in MAKE.values():
        with pytest.raises(SignatureError):
            VerifyKey.of(private.public_key()).verify(signature, b"data")


def test_a_signature_of_one_algorithm_is_none_of_the_other() -> None:
    ed, p256 = (KeySigner(private) for private in MAKE.values())
    for one, other in ((ed, p256), (p256, ed)):
        with pytest.raises(SignatureError):
            other.verify_key.verify(one.sign(b"data"), b"data")


@given(data=st.binary())
def test_base64url_comes_back(data: bytes) -> None:
    text = to_base64url(data)
    assert from_base64url(text) == data
    assert not set(text) & set("+/=")


@given(data=st.binary(min_size=1), text=st.text(max_size=30), place=st.integers(0, 1_000))
def test_bytes_have_one_spelling_in_base64url(data: bytes, text: str, place: int) -> None:
    good = to_base64url(data)
    spelt = good[: place % len(good)] + text + good[place % len(good) :]
    try:
        read = from_base64url(spelt)
    except BadInputError:
        return
    assert to_base64url(read) == spelt


@pytest.mark.parametrize(
    "text", ["AA=", "AA==", "A", "AB", "AAB", "A A", "AA\n", "A+A_", "A/8", "ÄÄ", "٣٣", "\0", "\ud800"]
)
def test_a_loose_spelling_of_base64url_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        from_base64url(text)


def pem_of(private: object) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    made: bytes = private.private_bytes(encoding, form, serialization.NoEncryption())  # type: ignore[attr-defined]
    return made


def test_a_key_comes_back_from_its_file(signer: KeySigner) -> None:
    loaded = KeySigner.from_pem(pem_of(MAKE[signer.alg]), "key")
    assert (loaded.alg, loaded.kid) == (signer.alg, signer.kid)
    signer.verify_key.verify(loaded.sign(b"data"), b"data")


STRANGE = {
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "RSA": rsa.generate_private_key(65537, 2048),
    "DSA": dsa.generate_private_key(2048),
    "Ed448": ed448.Ed448PrivateKey.generate(),
}


@pytest.mark.parametrize("name", STRANGE)
def test_another_kind_of_key_is_refused(name: str) -> None:
    with pytest.raises(BadInputError):
        VerifyKey.of(STRANGE[name].public_key())
    with pytest.raises(BadInputError, match="neither Ed25519 nor P-256"):
        KeySigner.from_pem(pem_of(STRANGE[name]), "key")


def test_an_encrypted_key_is_refused() -> None:
    locked = MAKE["EdDSA"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    with pytest.raises(BadInputError, match="private key"):
        KeySigner.from_pem(locked, "key")


@pytest.mark.parametrize("name", MAKE)
def test_a_damaged_key_file_is_an_error_or_another_key(name: str) -> None:
    """PKCS#8 holds no check sum: what still reads as a key must at least not sign under the old name unseen."""
    pem, kid = pem_of(MAKE[name]), KeySigner(MAKE[name]).kid
    for place in range(len(pem)):
        damaged = bytearray(pem)
        damaged[place] ^= 1
        try:
            loaded = KeySigner.from_pem(bytes(damaged), "key")
        except LiuhenError:
            continue
        if loaded.kid == kid:
            loaded.verify_key.verify(loaded.sign(b"data"), b"data")


@given(pem=st.binary(max_size=300))
def test_no_other_bytes_are_a_key(pem: bytes) -> None:
    with pytest.raises(BadInputError):
        KeySigner.from_pem(pem, "key")
