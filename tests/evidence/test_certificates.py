"""Who may sign what: the root, and what it has issued, against damage and strangers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from hypothesis import given
from hypothesis import strategies as st

from evidence.certificates import Role, Trust, chain_from_pem
from evidence.errors import BadInputError, LiuhenError, UnknownKeyError
from evidence.signing import VerifyKey
from tests.evidence.golden import (
    BEGINS,
    CA_PEM,
    ENDS,
    FOREIGN_CA_PEM,
    RECORDER,
    TRUST,
    certificate,
    certificate_of,
    der,
    pem,
    private,
    signer,
    subject,
)

P256_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)


def self_signed(name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    builder = x509.CertificateBuilder().subject_name(subject(name, None)).issuer_name(subject(name, None))
    builder = builder.public_key(key.public_key()).serial_number(1).not_valid_before(BEGINS).not_valid_after(ENDS)
    return pem(builder.sign(key, hashes.SHA256()))


@pytest.mark.parametrize("role", Role)
def test_a_certificate_says_whose_key_it_is_and_what_for(role: Role) -> None:
    identity = TRUST.identify_der([certificate_of(RECORDER, role)])
    assert (identity.name, identity.role, identity.key.kid) == (RECORDER, role, signer(RECORDER).kid)


def test_pem_and_der_say_the_same() -> None:
    one = certificate(RECORDER, Role.RECORDER.value, private(RECORDER).public_key())
    assert TRUST.identify_pem(pem(one), "file") == TRUST.identify_der([der(one)]) == TRUST.identify([one])


def issued_by_p256(serial: int) -> bytes:
    builder = x509.CertificateBuilder().subject_name(subject(RECORDER, "recorder")).issuer_name(subject("unit", None))
    builder = builder.public_key(private(RECORDER).public_key()).serial_number(serial)
    return der(builder.not_valid_before(BEGINS).not_valid_after(ENDS).sign(P256_KEY, hashes.SHA256()))


ROOTS = {"Ed25519": (CA_PEM, certificate_of(RECORDER)), "P-256": (self_signed("unit", P256_KEY), issued_by_p256(2))}


def flipped(content: bytes) -> Iterator[bytes]:
    """Every content that differs from this one in a single bit."""
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            yield bytes(damaged)


@pytest.mark.parametrize("name", ROOTS)
def test_a_root_vouches_for_what_it_has_issued(name: str) -> None:
    ca_pem, issued = ROOTS[name]
    assert Trust(ca_pem).identify_der([issued]).name == RECORDER


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
@pytest.mark.parametrize("name", ROOTS)
def test_every_flipped_bit_of_the_root_is_refused(name: str) -> None:
    for damaged in flipped(ROOTS[name][0]):
        with pytest.raises(BadInputError):
            Trust(damaged, "ca.pem")


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
@pytest.mark.parametrize("name", ROOTS)
def test_every_flipped_bit_of_a_certificate_is_refused(name: str) -> None:
    ca_pem, issued = ROOTS[name]
    for damaged in flipped(issued):
        with pytest.raises(LiuhenError):
            Trust(ca_pem).identify_der([damaged])


def test_a_signature_with_unused_bits_is_refused() -> None:
    """The one byte of an ECDSA certificate that its signature does not cover, where the last bit happens to be 0."""
    good = next(one for one in map(issued_by_p256, range(1, 1000)) if one[-1] % 2 == 0)
    place = good.rindex(b"\0\x30", 0, -60)
    damaged = good[:place] + b"\1" + good[place + 1 :]
    assert x509.load_der_x509_certificate(damaged).signature == x509.load_der_x509_certificate(good).signature
    with pytest.raises(UnknownKeyError):
        Trust(ROOTS["P-256"][0]).identify_der([damaged])


@pytest.mark.parametrize(
    "stranger",
    [
        pytest.param(certificate_of(RECORDER, root="foreign root"), id="issued by a foreign root"),
        pytest.param(chain_from_pem(FOREIGN_CA_PEM, "ca")[0], id="the foreign root itself"),
        pytest.param(
            chain_from_pem(self_signed("root", P256_KEY), "ca")[0], id="a root that has stolen our root's name"
        ),
        pytest.param(der(certificate(RECORDER, "admin", private(RECORDER).public_key())), id="unknown role"),
        pytest.param(
            der(certificate(RECORDER, "Recorder", private(RECORDER).public_key())), id="role in other letters"
        ),
        pytest.param(der(certificate(RECORDER, None, private(RECORDER).public_key())), id="no role"),
        pytest.param(chain_from_pem(CA_PEM, "ca")[0], id="the root itself, which has no role"),
    ],
)
def test_nobody_vouches_for_a_stranger(stranger: bytes) -> None:
    with pytest.raises(UnknownKeyError):
        TRUST.identify_der([stranger])


@pytest.mark.parametrize("key", [RSA_KEY, ec.generate_private_key(ec.SECP384R1())], ids=["RSA", "P-384"])
def test_our_root_may_issue_for_a_key_that_is_none_of_ours_and_it_is_refused(key: object) -> None:
    one = certificate(RECORDER, "recorder", key.public_key())  # type: ignore[attr-defined]
    with pytest.raises(BadInputError, match="neither Ed25519 nor P-256"):
        TRUST.identify([one])


def test_a_certificate_with_two_names_is_refused() -> None:
    both = x509.Name([*subject(RECORDER, "recorder"), *subject("BWC-0002", None)])
    builder = x509.CertificateBuilder().subject_name(both).issuer_name(subject("root", None)).serial_number(1)
    builder = builder.public_key(private(RECORDER).public_key()).not_valid_before(BEGINS).not_valid_after(ENDS)
    with pytest.raises(UnknownKeyError, match="2 values"):
        TRUST.identify([builder.sign(private("root"), None)])


def test_a_recorder_cannot_issue_certificates() -> None:
    name, key = subject(RECORDER, "recorder"), private(RECORDER)
    builder = x509.CertificateBuilder().subject_name(subject("BWC-0009", "recorder")).issuer_name(name).serial_number(1)
    builder = builder.public_key(private("BWC-0009").public_key()).not_valid_before(BEGINS).not_valid_after(ENDS)
    with pytest.raises(UnknownKeyError, match="not issued by the trusted CA"):
        TRUST.identify([builder.sign(key, None)])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(CA_PEM[:-40], id="cut off"),
        pytest.param(CA_PEM + CA_PEM, id="twice"),
        pytest.param(CA_PEM + FOREIGN_CA_PEM, id="two roots"),
        pytest.param(b"our root:\n" + CA_PEM, id="with words around it"),
        pytest.param(chain_from_pem(CA_PEM, "ca")[0], id="DER"),
        pytest.param(pem(certificate(RECORDER, "recorder", private(RECORDER).public_key())), id="not self-signed"),
        pytest.param(pem(certificate("root", None, x25519.X25519PrivateKey.generate().public_key())), id="cannot sign"),
    ],
)
def test_the_root_is_exactly_one_self_signed_certificate(content: bytes) -> None:
    with pytest.raises(BadInputError, match=r"root certificate in PEM|more or other than one"):
        Trust(content, "ca.pem")


@given(content=st.binary(max_size=400))
def test_no_other_bytes_are_a_certificate(content: bytes) -> None:
    with pytest.raises(BadInputError):
        Trust(content)
    with pytest.raises(BadInputError):
        TRUST.identify_der([content])
    with pytest.raises(BadInputError):
        chain_from_pem(content, "file")


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
@given(content=st.binary(max_size=40), place=st.integers(0, 10_000), cut=st.integers(0, 40))
def test_bytes_inside_a_certificate_change_nothing_or_are_refused(content: bytes, place: int, cut: int) -> None:
    good = certificate_of(RECORDER)
    place %= len(good)
    changed = good[:place] + content + good[place + cut :]
    with suppress(LiuhenError):
        TRUST.identify_der([changed])
        assert changed == good


def test_a_key_is_compared_by_its_thumbprint() -> None:
    assert VerifyKey.of(private(RECORDER).public_key()) == signer(RECORDER).verify_key
