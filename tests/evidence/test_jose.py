"""Our tokens against joserfc, an implementation of JOSE that knows nothing of us, in both directions."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, OKPKey

from evidence.errors import BadInputError, SignatureError
from evidence.journal import ENTRY_TYPE, Chain, read_entry, read_head, sign_head, sign_token, verify_token
from evidence.signing import KeySigner, PrivateKey, public_jwk, to_base64url
from tests.evidence.golden import RECORDER, SAMPLES, TRUST, Writer, certificate_of, private, signer, stamp

KEYS: dict[str, PrivateKey] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}
Theirs = OKPKey | ECKey

# RFC 9864 would rather have `EdDSA` called `Ed25519`; our version 1 says what RFC 8037 says.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")


class Registry(jws.JWSRegistry):
    """Their limits are for web tokens; a header of ours may carry certificates, a payload a segment's parts."""

    max_header_length = 8_192
    max_payload_length = 262_144


HEADERS = Registry(algorithms=list(KEYS))


def their_public(signer: KeySigner) -> Theirs:
    jwk = public_jwk(signer.verify_key.public)
    return OKPKey.import_key(jwk) if jwk["kty"] == "OKP" else ECKey.import_key(jwk)


def their_private(alg: str) -> Theirs:
    return OKPKey(KEYS[alg], KEYS[alg]) if alg == "EdDSA" else ECKey(KEYS[alg], KEYS[alg])


@pytest.fixture(params=KEYS)
def ours(request: pytest.FixtureRequest) -> KeySigner:
    return KeySigner(KEYS[request.param])


def test_a_key_is_called_the_same(ours: KeySigner) -> None:
    assert their_public(ours).thumbprint() == ours.kid
    assert their_private(ours.alg).thumbprint() == ours.kid


@pytest.mark.parametrize("kind", SAMPLES)
def test_they_read_our_entries(ours: KeySigner, kind: str) -> None:
    entry = Chain(RECORDER, ours).make(stamp(), kind, SAMPLES[kind])
    read = jws.deserialize_compact(entry.token, their_public(ours), registry=HEADERS)
    assert read.protected == {"alg": ours.alg, "kid": ours.kid, "typ": ENTRY_TYPE}
    payload = json.loads(read.payload)
    assert {name: payload[name] for name in SAMPLES[kind]} == SAMPLES[kind]
    assert payload["at"] == stamp().to_fields()


def test_they_refuse_what_was_changed(ours: KeySigner) -> None:
    token = Chain(RECORDER, ours).make(stamp(), "docked", {}).token
    for place in range(token.index(".") + 1, len(token), 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises((BadSignatureError, ValueError)):
            jws.deserialize_compact(changed, their_public(ours), registry=HEADERS)
        with pytest.raises((SignatureError, BadInputError)):
            verify_token(changed, ours.verify_key, "token")


def test_they_read_our_head(ours: KeySigner) -> None:
    head = Chain(RECORDER, ours).make(stamp(), "docked", {}).head
    read = jws.deserialize_compact(sign_head(ours, RECORDER, head), their_public(ours), registry=HEADERS)
    assert json.loads(read.payload) == {
        "v": 1, "journal": RECORDER, "seq": 0, "hash": head.hash, "file_sha256": None,
    }  # fmt: skip


def test_they_find_the_certificate_of_our_key() -> None:
    token = Writer().add("journal_opened").token
    read = jws.deserialize_compact(token, their_public(signer(RECORDER)), registry=HEADERS)
    header = read.protected
    certificate = x509.load_der_x509_certificate(b64decode(header["x5c"][0]))
    key = OKPKey.import_key(public_jwk(certificate.public_key()))
    assert key.thumbprint() == header["kid"]
    assert jws.deserialize_compact(token, key, registry=HEADERS).payload == read.payload


def test_we_read_their_entries(ours: KeySigner) -> None:
    payload = {"v": 1, "device": RECORDER, "seq": 0, "prev": None, "at": stamp().to_fields(), "kind": "docked"}
    header = {"alg": ours.alg, "kid": ours.kid, "typ": ENTRY_TYPE}
    token = jws.serialize_compact(header, json.dumps(payload, indent=1), their_private(ours.alg), registry=HEADERS)
    entry = read_entry(token)
    entry.verify(ours.verify_key)
    assert (entry.kind, entry.seq, entry.at) == ("docked", 0, stamp())


def test_we_read_their_certificates() -> None:
    payload = {"v": 1, "journal": RECORDER, "seq": -1, "hash": None, "file_sha256": None}
    secret = {"d": to_base64url(private(RECORDER).private_bytes_raw())}
    theirs = OKPKey.import_key(public_jwk(signer(RECORDER).verify_key.public) | secret)
    chain = [b64encode(certificate_of(RECORDER)).decode()]
    header = {"alg": "EdDSA", "kid": theirs.thumbprint(), "typ": "liuhen-head", "x5c": chain}
    stated = read_head(jws.serialize_compact(header, json.dumps(payload), theirs, registry=HEADERS))
    stated.verify(TRUST.identify_der(stated.x5c).key)
    assert stated.head.seq == -1


@given(text=st.text(), number=st.integers(-(2**62), 2**62))
def test_any_text_and_number_arrives_as_it_was_sent(text: str, number: int) -> None:
    for ours in map(KeySigner, KEYS.values()):
        token = sign_token(ours, "anything", {"text": text, "number": number})
        read = jws.deserialize_compact(token, their_public(ours), registry=HEADERS)
        assert json.loads(read.payload) == {"text": text, "number": number}
