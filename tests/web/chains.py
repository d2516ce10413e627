"""One recording, vouched for by certificates of every kind: two tiers, both algorithms, all dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.journal import Chain
from evidence.model import EPOCH, ClockGrade, Timestamp
from evidence.signing import KeySigner, PrivateKey
from evidence.verify import Verdict
from tests.evidence.golden import (
    BEGINS,
    CA_PEM,
    ENDS,
    OTHER,
    PARTS,
    RECORDER,
    SEGMENT,
    UTC_US,
    Writer,
    der,
    pem,
    private,
    stamp,
    subject,
)
from tests.web.stranger import Case, journal, line, sealed_fields, unit, vault

ROOT, ISSUING, FOREIGN, LOW = private("root"), private("issuing"), private("foreign root"), private("low")
SIGNED = EPOCH + timedelta(microseconds=UTC_US)
SECOND = timedelta(seconds=1)
NO_AUTHORITY = x509.BasicConstraints(ca=False, path_length=None)
AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)


def usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=certificates, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip


CERTIFIES = (AUTHORITY, usage(certificates=True))


def issued(
    name: str, role: str | None, key: PrivateKey, issuer: str, issuer_key: PrivateKey,
    extensions: Sequence[x509.ExtensionType] = (NO_AUTHORITY,), *, begins: datetime = BEGINS, ends: datetime = ENDS,
) -> x509.Certificate:  # fmt: skip
    """A certificate as a unit's CA makes them, whatever the keys."""
    builder = x509.CertificateBuilder().subject_name(subject(name, role)).issuer_name(subject(issuer, None))
    builder = builder.public_key(key.public_key()).serial_number(7).not_valid_before(begins).not_valid_after(ends)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    digest = hashes.SHA256() if isinstance(issuer_key, ec.EllipticCurvePrivateKey) else None
    return builder.sign(issuer_key, digest)


def leaf(**dates: datetime) -> bytes:
    """The recorder's, by the issuing CA."""
    return der(issued(RECORDER, "recorder", private(RECORDER), "issuing", ISSUING, **dates))


def middle(extensions: Sequence[x509.ExtensionType] = CERTIFIES, **dates: datetime) -> bytes:
    """The issuing CA's, by the root."""
    return der(issued("issuing", None, ISSUING, "root", ROOT, extensions, **dates))


def vouched(chain: Sequence[bytes], at: Timestamp | None = None, *, key: PrivateKey | None = None,
            ca: bytes = CA_PEM) -> Case:  # fmt: skip
    """The recording with a seal that carries this chain."""
    made = Chain(RECORDER, KeySigner(key or private(RECORDER)))
    token = made.make(at or stamp(), "segment", sealed_fields(), chain).token
    files = {f"{SEGMENT}.mp4": b"".join(PARTS), f"{SEGMENT}.jws": line(token)}
    return Case(files, f"{SEGMENT}.mp4", ca)


def es256() -> Case:
    """A unit whose keys are all P-256, as in secure elements."""
    root, issuing, recorder = (ec.derive_private_key(number, ec.SECP256R1()) for number in (5, 6, 7))
    own = issued(RECORDER, "recorder", recorder, "issuing", issuing)
    above = issued("issuing", None, issuing, "root", root, CERTIFIES)
    top = issued("root", None, root, "root", root, CERTIFIES)
    return vouched([der(own), der(above)], key=recorder, ca=pem(top))


def by_another_recorder() -> list[bytes]:
    other = issued(OTHER, "recorder", private(OTHER), "issuing", ISSUING)
    return [der(issued(RECORDER, "recorder", private(RECORDER), OTHER, private(OTHER))), der(other)]


def by_three() -> list[bytes]:
    low = issued("low", None, LOW, "issuing", ISSUING, CERTIFIES)
    return [der(issued(RECORDER, "recorder", private(RECORDER), "low", LOW)), der(low), middle()]


def ends_within_the_journal(ends: datetime) -> Case:
    """A whole journal by one certificate: its seal is signed four seconds after its first entry."""
    own = issued(RECORDER, "recorder", private(RECORDER), "root", ROOT, ends=ends)
    return vault(made=unit(recorder=journal(Writer(RECORDER, None, der(own)))))


def by_clock(grade: ClockGrade, **dates: datetime) -> Case:
    return vouched([leaf(**dates), middle()], stamp(grade=grade))


GOOD, UNKNOWN, BAD = Verdict.AUTHENTIC, Verdict.UNKNOWN_KEY, Verdict.NOT_AUTHENTIC
ENDED = SIGNED.replace(microsecond=0)
"""The whole second of the signature: a certificate that ends with it has ended when it was signed."""
OLD, NEVER = datetime(1950, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""At the borders of how a certificate writes years."""
JUST = stamp(-(UTC_US % 1_000_000))
FOREIGN_ISSUING = der(issued("issuing", None, ISSUING, "foreign root", FOREIGN, CERTIFIES))
BY_LOW = der(issued(RECORDER, "recorder", private(RECORDER), "issuing", LOW))
FLIPPED = leaf()[:-9] + bytes([leaf()[-9] ^ 1]) + leaf()[-8:]
ISSUING_AS_LEAF = der(issued(RECORDER, "recorder", private(RECORDER), "root", ROOT, CERTIFIES))

CHAINS: Mapping[str, tuple[Case, Verdict]] = {
    "by the issuing CA": (vouched([leaf(), middle()]), GOOD),
    "ES256 throughout": (es256(), GOOD),
    "the issuing CA of another unit": (vouched([leaf(), FOREIGN_ISSUING]), UNKNOWN),
    "issued by another recorder": (vouched(by_another_recorder()), UNKNOWN),
    "a leaf that the issuing CA did not issue": (vouched([BY_LOW, middle()]), UNKNOWN),
    "a chain of three": (vouched(by_three()), UNKNOWN),
    "a chain of three, the last of them cut": (vouched([*by_three()[:2], middle()[:-1]]), BAD),
    "the issuing CA missing": (vouched([leaf()]), UNKNOWN),
    "the issuing CA alone": (vouched([middle()], key=ISSUING), UNKNOWN),
    "the chain the wrong way round": (vouched([middle(), leaf()]), UNKNOWN),
    "a certificate cut": (vouched([leaf()[:-1], middle()]), BAD),
    "a certificate with a flipped bit": (vouched([FLIPPED, middle()]), UNKNOWN),
    # what an issuing CA has to be marked as
    "an issuing CA that is marked as none": (
        vouched([leaf(), middle([NO_AUTHORITY, usage(certificates=True)])]), UNKNOWN),
    "an issuing CA that is not marked": (vouched([leaf(), middle([usage(certificates=True)])]), UNKNOWN),
    "an issuing CA that must not sign certificates": (
        vouched([leaf(), middle([AUTHORITY, usage(certificates=False)])]), UNKNOWN),
    "an issuing CA that does not say what it may sign": (vouched([leaf(), middle([AUTHORITY])]), UNKNOWN),
    "a recorder that may certify": (vouched([ISSUING_AS_LEAF]), GOOD),
    # dates, by a clock that somebody has set
    "ended before it signed": (vouched([leaf(ends=SIGNED - SECOND), middle()]), UNKNOWN),
    "began after it signed": (vouched([leaf(begins=SIGNED + SECOND), middle()]), UNKNOWN),
    "ended within the second in which it signed": (vouched([leaf(ends=ENDED), middle()]), UNKNOWN),
    "signed at the end": (vouched([leaf(ends=ENDED), middle()], JUST), GOOD),
    "signed at the beginning": (vouched([leaf(begins=ENDED), middle()], JUST), GOOD),
    "ended since": (vouched([leaf(ends=SIGNED + SECOND), middle()]), GOOD),
    "the issuing CA had ended": (vouched([leaf(), middle(ends=SIGNED - SECOND)]), UNKNOWN),
    "the issuing CA had not begun": (vouched([leaf(), middle(begins=SIGNED + SECOND)]), UNKNOWN),
    "valid for a hundred years": (vouched([leaf(begins=OLD, ends=OLD.replace(year=2050)), middle(ends=NEVER)]), GOOD),
    **{f"ended before it signed, clock {grade}": (
        by_clock(grade, ends=SIGNED - SECOND), GOOD if grade in ("unset", "rtc") else UNKNOWN) for grade in ClockGrade},
    "a journal whose certificate ended before the seal": (ends_within_the_journal(SIGNED + 2 * SECOND), UNKNOWN),
    "a journal whose certificate ended after the last seal": (ends_within_the_journal(SIGNED + 6 * SECOND), GOOD),
}  # fmt: skip
