"""Requests, certificates and keys of kinds that are in use elsewhere: refused in one line."""

from __future__ import annotations

import subprocess
from base64 import encodebytes
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from device.identity import provision
from dock.authority import read_request
from evidence.certificates import Trust, chain_from_pem
from evidence.errors import BadInputError, LiuhenError
from evidence.io.durable import PosixDisc
from evidence.signing import KeySigner
from tests.evidence.golden import TRUST

KINDS = {
    "SM2": "EC -pkeyopt ec_paramgen_curve:SM2",
    "secp160r1": "EC -pkeyopt ec_paramgen_curve:secp160r1",
    "P-384": "EC -pkeyopt ec_paramgen_curve:P-384",
    "brainpool": "EC -pkeyopt ec_paramgen_curve:brainpoolP256r1",
    "RSA": "RSA -pkeyopt rsa_keygen_bits:2048",
    "RSA-PSS": "RSA-PSS -pkeyopt rsa_keygen_bits:2048",
    "Ed448": "ED448",
    "X25519": "X25519",
}


def test_a_request_of_a_version_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """Found by atheris."""
    pem = provision(tmp_path / "identity", "BWC-0001", PosixDisc()).read_bytes()
    first = x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER)
    body = encodebytes(first.replace(b"\x02\x01\x00", b"\x02\x01\x20", 1))
    block = b"-----BEGIN CERTIFICATE REQUEST-----\n" + body + b"-----END CERTIFICATE REQUEST-----\n"
    with pytest.raises(BadInputError, match="unreadable certificate request"):
        read_request(block + block, "request")


def _sequence(*parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    return b"\x30" + (bytes([size]) if size < 128 else b"\x81" + bytes([size])) + body


def _signed(change: Callable[[bytes], bytes]) -> bytes:
    """A request whose maker has signed what is changed in it: its proof holds."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "BWC-0001")])
    honest = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, None)
    said = change(honest.tbs_certrequest_bytes)
    der = _sequence(said, _sequence(b"\x06\x03\x2b\x65\x70"), b"\x03\x41\0" + key.sign(said))
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + encodebytes(der) + b"-----END CERTIFICATE REQUEST-----\n"


NAMES = {
    "no UTF-8": b"\x0c\x08" + b"\xff" * 8,
    "no printable text": b"\x13\x08\xff\xfe\xfd-0001",
    "a number": b"\x02\x08BWC-0001",
    "half a character": b"\x1e\x08\xd8\x00BW-001",
    "bits": b"\x03\x08BWC-0001",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_request_for_a_name_that_is_no_text_is_refused(name: str) -> None:
    honest = _signed(lambda said: said)
    assert read_request(honest + _signed(lambda said: said), "request").device == "BWC-0001"
    strange = _signed(lambda said: said.replace(b"\x0c\x08BWC-0001", NAMES[name]))
    with pytest.raises(BadInputError, match="unreadable certificate request"):
        read_request(honest + strange, "request")


def openssl(folder: Path, arguments: str) -> bool:
    return subprocess.run(["openssl", *arguments.split()], cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_strange_key_is_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    assert openssl(tmp_path, f"genpkey -algorithm {KINDS[kind]} -out key.pem")
    refused = [lambda: KeySigner.from_pem((tmp_path / "key.pem").read_bytes(), "key")]
    # A key that only agrees proves no request.
    if openssl(tmp_path, "req -new -key key.pem -subj /CN=BWC-0001 -out request.pem"):
        request = (tmp_path / "request.pem").read_bytes()
        refused.append(lambda: read_request(request + request, "request"))
    if openssl(tmp_path, "req -new -x509 -key key.pem -subj /OU=recorder/CN=BWC-0001 -out root.pem"):
        root = (tmp_path / "root.pem").read_bytes()
        der = x509.load_pem_x509_certificate(root).public_bytes(Encoding.DER)
        refused.append(lambda: TRUST.identify_der([der]))
        assert chain_from_pem(root, "root") == (der,)
        try:
            foreign = Trust(root)
        except LiuhenError:
            foreign = None
        if foreign is not None:
            refused.append(lambda: foreign.identify_der([der]))
    assert len(refused) >= (1 if kind == "X25519" else 3)
    for attempt in refused:
        with pytest.raises(LiuhenError) as told:
            attempt()
        assert "\n" not in str(told.value)
