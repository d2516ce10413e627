"""What whoever signs may expect of every `Signer`, wherever its private key lies: one suite for all of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from evidence.errors import SignatureError
from evidence.io.token_key import Use, make_token_key
from evidence.journal import Chain, read_entry
from evidence.signing import KeySigner, PrivateKey, public_jwk
from tests.evidence.golden import RECORDER, SAMPLES, stamp
from tests.evidence.softhsm import new_place

PLACES = ("Ed25519 in a file", "P-256 in a file", "P-256 in a token")
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")


@cache
def _keys() -> Mapping[str, PrivateKey]:
    place = new_place(Path(mkdtemp(prefix="liuhen-pin-")))
    made = (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()))
    return dict(zip(PLACES, (*made, make_token_key(place, Use.SIGN)), strict=True))


@pytest.fixture(params=PLACES)
def private(request: pytest.FixtureRequest) -> PrivateKey:
    return _keys()[request.param]


@pytest.fixture
def signer(private: PrivateKey) -> KeySigner:
    return KeySigner(private)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=2000))
def test_a_signature_is_64_bytes_and_fits_nothing_else(signer: KeySigner, data: bytes) -> None:
    signature = signer.sign(data)
    assert len(signature) == 64
    signer.verify_key.verify(signature, data)
    with pytest.raises(SignatureError):
        signer.verify_key.verify(signature, data + b"\0")


def test_a_key_is_named_after_its_public_half(signer: KeySigner, private: PrivateKey) -> None:
    assert (signer.kid, signer.alg) == (signer.verify_key.kid, signer.verify_key.alg)
    assert signer.verify_key.public == private.public_key()


@pytest.mark.parametrize("kind", ["journal_opened", "segment"])
def test_a_stranger_reads_its_entries(signer: KeySigner, kind: str) -> None:
    """Joserfc knows nothing of us."""
    token = Chain(RECORDER, signer).make(stamp(), kind, SAMPLES[kind]).token
    jwk = public_jwk(signer.verify_key.public)
    key = OKPKey.import_key(jwk) if jwk["kty"] == "OKP" else ECKey.import_key(jwk)
    registry = jws.JWSRegistry(algorithms=["EdDSA", "ES256"])
    read = jws.deserialize_compact(token, key, registry=registry)
    assert json.loads(read.payload)["kind"] == kind
    assert read.protected["alg"] == signer.alg


def test_its_chain_holds(signer: KeySigner) -> None:
    chain = Chain(RECORDER, signer)
    for kind in SAMPLES:
        chain.advance(chain.make(stamp(), kind, SAMPLES[kind]))
    last = chain.make(stamp(), "docked", {})
    read_entry(last.token).verify(signer.verify_key)
    assert last.seq == len(SAMPLES)


def test_openssl_believes_its_certificate_request(private: PrivateKey, tmp_path: Path) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, RECORDER)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = builder.sign(private, None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    path = tmp_path / "request.pem"
    path.write_bytes(request.public_bytes(serialization.Encoding.PEM))
    told = subprocess.run(
        ["openssl", "req", "-in", path, "-verify", "-noout", "-subject"], check=True, capture_output=True, text=True
    )
    assert "verify OK" in told.stdout + told.stderr
    assert RECORDER in told.stdout


def test_a_signature_can_be_asked_for_from_several_threads(signer: KeySigner) -> None:
    """The journal and the health card are signed in two of them."""
    from concurrent.futures import ThreadPoolExecutor

    data = [b"%d" % number for number in range(64)]
    with ThreadPoolExecutor(4) as pool:
        signatures = list(pool.map(signer.sign, data))
    for one, signature in zip(data, signatures, strict=True):
        signer.verify_key.verify(signature, one)
