"""Requests, certificates and keys of kinds that are in use elsewhere: refused in one line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dock.authority import read_request
from evidence.certificates import Trust, der_from_pem
from evidence.errors import LiuhenError
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
        refused.append(lambda: TRUST.identify_der(der))
        assert der_from_pem(root, "root") == der
        try:
            foreign = Trust(root)
        except LiuhenError:
            foreign = None
        if foreign is not None:
            refused.append(lambda: foreign.identify_der(der))
    assert len(refused) >= (1 if kind == "X25519" else 3)
    for attempt in refused:
        with pytest.raises(LiuhenError) as told:
            attempt()
        assert "\n" not in str(told.value)
