"""Who may sign what: the root, and what it has issued, against damage and strangers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from hypothesis import given
from hypothesis import strategies as st

from evidence.certificates import Role, Trust, chain_from_pem, known_time
from evidence.errors import BadInputError, LiuhenError, UnknownKeyError
from evidence.journal import Chain
from evidence.model import ClockGrade
from evidence.signing import VerifyKey
from evidence.verify import identify_signer
from tests.evidence.golden import (
    BEGINS,
    CA_PEM,
    ENDS,
    FOREIGN_CA_PEM,
    RECORDER,
    TRUST,
    UTC_US,
    certificate,
    certificate_of,
    der,
    pem,
    private,
    signer,
    stamp,
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


def authority(name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool = True, signs: bool = True) -> x509.Certificate:
    """A CA of that name that the golden root has issued, or what would like to be one."""
    builder = x509.CertificateBuilder().subject_name(subject(name, None)).issuer_name(subject("root", None))
    builder = builder.public_key(key.public_key()).serial_number(7).not_valid_before(BEGINS).not_valid_after(ENDS)
    usage = x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
    return builder.add_extension(usage, critical=True).sign(private("root"), None)


def leaf(issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(subject(RECORDER, "recorder")).issuer_name(subject(issuer, None))
    builder = builder.public_key(private(RECORDER).public_key()).serial_number(8)
    return builder.not_valid_before(BEGINS).not_valid_after(BEGINS + timedelta(days=365)).sign(key, hashes.SHA256())


ISSUING = authority("issuing", P256_KEY)
CHAIN = [der(leaf("issuing", P256_KEY)), der(ISSUING)]


def test_a_chain_over_the_issuing_ca_leads_to_the_root() -> None:
    assert TRUST.identify_der(CHAIN).key.kid == signer(RECORDER).kid
    assert (
        TRUST.identify_pem(b"".join(pem(one) for one in (leaf("issuing", P256_KEY), ISSUING)), "file").name == RECORDER
    )


CHAINS = {
    "nothing": [],
    "the issuing CA is left out": CHAIN[:1],
    "the issuing CA alone": CHAIN[1:],
    "upside down": CHAIN[::-1],
    "too long": [*CHAIN, der(ISSUING)],
    "of a CA that our root did not issue": [
        CHAIN[0], der(x509.load_pem_x509_certificate(self_signed("issuing", P256_KEY))),
    ],
    "of a leaf that plays CA": [CHAIN[0], der(authority("issuing", P256_KEY, ca=False, signs=False))],
    "of a CA that must not sign": [CHAIN[0], der(authority("issuing", P256_KEY, signs=False))],
    "of a certificate that does not say whether it is a CA": [CHAIN[0], certificate_of("issuing")],
    "of another key of that name": [der(leaf("issuing", ec.generate_private_key(ec.SECP256R1()))), CHAIN[1]],
}  # fmt: skip


@pytest.mark.parametrize("what", CHAINS)
def test_a_chain_that_does_not_lead_to_the_root_is_refused(what: str) -> None:
    with pytest.raises(UnknownKeyError):
        TRUST.identify_der(CHAINS[what])


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
@pytest.mark.parametrize("place", [0, 1])
def test_every_flipped_bit_of_a_chain_is_refused(place: int) -> None:
    for damaged in flipped(CHAIN[place]):
        chain = [damaged if index == place else one for index, one in enumerate(CHAIN)]
        with pytest.raises(LiuhenError):
            TRUST.identify_der(chain)


DAYS = {"at first": (0, True), "at last": (365, True), "before": (-1, False), "after": (366, False)}


@pytest.mark.parametrize("when", DAYS)
def test_a_date_is_compared_where_one_is_known(when: str) -> None:
    days, valid = DAYS[when]
    at = BEGINS + timedelta(days=days)
    with nullcontext() if valid else pytest.raises(UnknownKeyError, match="was not valid on"):
        TRUST.identify_der(CHAIN, at)
    assert TRUST.identify_der(CHAIN, None).name == RECORDER


def test_a_chain_ends_with_its_first_certificate_to_end() -> None:
    with pytest.raises(UnknownKeyError, match="was not valid on 2057"):
        TRUST.identify_der([certificate_of(RECORDER)], ENDS + timedelta(days=366))


@pytest.mark.parametrize("grade", ClockGrade)
def test_a_clock_that_nobody_else_has_set_tells_no_date(grade: ClockGrade) -> None:
    known = known_time(stamp(grade=grade))
    assert (known is None) is (grade in (ClockGrade.UNSET, ClockGrade.RTC))
    assert known is None or abs(known.timestamp() - UTC_US / 1e6) < 1e-3


@pytest.mark.parametrize(("grade", "believed"), [(ClockGrade.GNSS, False), (ClockGrade.RTC, True)])
def test_an_entry_is_judged_at_its_own_time(grade: ClockGrade, believed: bool) -> None:
    at = stamp(400 * 86_400_000_000, grade=grade)
    entry = Chain(RECORDER, signer(RECORDER)).make(at, "docked", {}, CHAIN)
    with nullcontext() if believed else pytest.raises(UnknownKeyError, match="was not valid on"):
        identify_signer(entry, TRUST)
