"""A private key that a token keeps (PKCS#11: TPM 2.0, ATECC608, OPTIGA, smart card, HSM): P-256, signs or agrees.

`TokenKey` is a private key of `cryptography`, as its documentation invites third parties to make them: whatever takes
such a key takes this one and cannot tell, the JWS signer, the certificate request and the vault key among them.

A token may go away and come back. A use tries what is open, a new session, then the library from its beginning; then it
is a KeyAwayError, and the next use tries again. But never a PIN that the token has refused: a few wrong ones lock it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from hashlib import sha256
from secrets import token_bytes
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from evidence.errors import BadInputError, ConfigError, KeyAwayError
from evidence.io.key_place import KeyPlace
from evidence.signing import P256_FIELD_BYTES

if TYPE_CHECKING:
    import pkcs11

Result = TypeVar("Result")
CURVE = ec.SECP256R1()
ECDSA = ec.ECDSA(hashes.SHA256())
KEY_ID_BYTES = 8
_in_use = Lock()
"""A PKCS#11 library is one for the whole process, and to look for a token anew ends everybody's sessions in it."""
_begun_anew: dict[str, int] = {}
"""How often that has happened, by library."""


class Use(Enum):
    """What a key in a token is for; it can do nothing else."""

    SIGN = "sign"
    AGREE = "agree"


class TokenKey(ec.EllipticCurvePrivateKey):
    """The private half of `public`, in a token. Nothing is opened before the first use."""

    def __init__(self, place: KeyPlace, public: ec.EllipticCurvePublicKey) -> None:
        """Raises ConfigError when the library for tokens is not installed."""
        self._p11 = _load_library()
        self.place = place
        self._public = public
        self._session: pkcs11.Session | None = None
        self._begun = 0
        self._key: Any = None
        self._refused: KeyAwayError | None = None

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return CURVE

    @property
    def key_size(self) -> int:
        return CURVE.key_size

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """An ECDSA signature in DER. Raises KeyAwayError.

        It is checked before it is given: one wrong signature, from a chip on a poor wire, in an append-only journal
        would be there for ever.
        """
        if not isinstance(signature_algorithm.algorithm, hashes.SHA256):
            raise BadInputError(str(self.place), "signs with SHA-256 and nothing else")
        # Hashed here: CKM_ECDSA is the one mechanism that every token has.
        digest = sha256(data).digest()
        raw = self._use(lambda key: self._able(key, "sign")(digest, mechanism=self._p11.Mechanism.ECDSA))
        halves = (raw[:P256_FIELD_BYTES], raw[P256_FIELD_BYTES:])
        signature = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
        try:
            self._public.verify(signature, data, ECDSA)
        except InvalidSignature as error:
            hint = "another key of that name, or a broken token"
            raise KeyAwayError(str(self.place), "signs what does not fit its certificate", hint) from error
        return signature

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:  # noqa: ARG002
        """Raw ECDH: the x-coordinate of the shared point, 32 bytes. Raises KeyAwayError."""
        point = _point(peer_public_key)
        return self._use(lambda key: self._derive(key, point))

    def private_numbers(self) -> NoReturn:
        raise BadInputError(str(self.place), "never leaves the token")

    def private_bytes(self, *_: Any, **__: Any) -> NoReturn:
        self.private_numbers()

    def __copy__(self) -> TokenKey:
        return self

    def __deepcopy__(self, memo: Any) -> TokenKey:
        return self

    def _use(self, work: Callable[[Any], Result]) -> Result:
        with _in_use:
            if self._refused is not None:
                raise self._refused
            for key in (self._opened, self._open, self._open_anew):
                try:
                    return work(key())
                except self._p11.PKCS11Error as error:
                    told = self._tell(error)
            raise told

    def _opened(self) -> Any:
        """The key as it is open; handles of a library that was begun anew since may mean anything."""
        begun = _begun_anew.get(self.place.module, 0)
        return self._key if self._key is not None and self._begun == begun else self._open()

    def _open_anew(self) -> Any:
        """Only so do all libraries see a token that was plugged in again."""
        _begin_anew(self._p11, self.place.module)
        return self._open()

    def _open(self) -> Any:
        self._close()
        self._begun = _begun_anew.get(self.place.module, 0)
        self._session = _log_in(self._p11, self.place)
        key = _private(self._p11, self._session, self.place)
        if key[self._p11.Attribute.DERIVE]:
            self._prove(key)
        self._key = key
        return key

    def _close(self) -> None:
        if self._session is not None and self._begun == _begun_anew.get(self.place.module, 0):
            with suppress(self._p11.PKCS11Error):
                self._session.close()
        self._session = self._key = None

    def _tell(self, error: pkcs11.PKCS11Error) -> KeyAwayError:
        """What to say of it. Raises it at once for a refused PIN, which is not tried again in this run."""
        told = _told(self._p11, self.place, error)
        if isinstance(error, (self._p11.PinIncorrect, self._p11.PinLocked, self._p11.PinInvalid)):
            self._refused = told
            raise told from error
        return told

    def _prove(self, key: Any) -> None:
        """Another key of that name would agree on rubbish, and the blame would fall on whoever sealed."""
        other = ec.generate_private_key(CURVE)
        if self._derive(key, _point(other.public_key())) != other.exchange(ec.ECDH(), self._public):
            hint = "another key of that name"
            raise KeyAwayError(str(self.place), "is not the private half of its certificate", hint)

    def _able(self, key: Any, verb: str) -> Any:
        """The library gives a key the verbs that its attributes allow."""
        if not hasattr(key, verb):
            raise BadInputError(str(self.place), "is a key for another use")
        return getattr(key, verb)

    def _derive(self, key: Any, point: bytes) -> bytes:
        p11 = self._p11
        shared = self._able(key, "derive_key")(
            p11.KeyType.GENERIC_SECRET,
            CURVE.key_size,
            mechanism=p11.Mechanism.ECDH1_DERIVE,
            mechanism_param=(p11.KDF.NULL, None, point),
            store=False,
            template={p11.Attribute.SENSITIVE: False, p11.Attribute.EXTRACTABLE: True},
        )
        value: bytes = shared[p11.Attribute.VALUE]
        shared.destroy()
        return value


def make_token_key(place: KeyPlace, use: Use) -> TokenKey:
    """Make the key pair in the token; one of that name that is there already is taken.

    Raises KeyAwayError, ConfigError without the library, BadInputError for a key that may leave its token or has
    another use.
    """
    p11 = _load_library()
    with _in_use:
        try:
            # A token that was made ready, or plugged in, while somebody used another one.
            _begin_anew(p11, place.module)
            with _log_in(p11, place, write=True) as session:
                public = _made(p11, session, place, use)
        except p11.PKCS11Error as error:
            raise _told(p11, place, error) from error
    return TokenKey(place, public)


def _begin_anew(p11: Any, module: str) -> None:
    p11.lib(module).reinitialize()
    _begun_anew[module] = _begun_anew.get(module, 0) + 1


def _made(p11: Any, session: pkcs11.Session, place: KeyPlace, use: Use) -> ec.EllipticCurvePublicKey:
    try:
        private = _private(p11, session, place)
    except p11.NoSuchKey:
        private = _generate(p11, session, place, use)
    attribute = p11.Attribute
    if not all(private[name] for name in (attribute.LOCAL, attribute.ALWAYS_SENSITIVE, attribute.NEVER_EXTRACTABLE)):
        raise BadInputError(str(place), "was not made in the token, or may leave it", "choose another --key")
    if (private[attribute.SIGN], private[attribute.DERIVE]) != (use is Use.SIGN, use is Use.AGREE):
        raise BadInputError(str(place), "is a key for another use", "choose another --key")
    found = session.get_key(object_class=p11.ObjectClass.PUBLIC_KEY, key_type=p11.KeyType.EC, label=place.key)
    return _read_point(found[attribute.EC_POINT], place)


def _generate(p11: Any, session: pkcs11.Session, place: KeyPlace, use: Use) -> Any:
    flags = p11.MechanismFlag
    oid = p11.util.ec.encode_named_curve_parameters(CURVE.name)
    domain = session.create_domain_parameters(p11.KeyType.EC, {p11.Attribute.EC_PARAMS: oid}, local=True)
    secret = {p11.Attribute.SENSITIVE: True, p11.Attribute.EXTRACTABLE: False}
    _, private = domain.generate_keypair(
        store=True,
        label=place.key,
        id=token_bytes(KEY_ID_BYTES),
        capabilities=flags.SIGN | flags.VERIFY if use is Use.SIGN else flags.DERIVE,
        private_template=secret,
    )
    return private


def _log_in(p11: Any, place: KeyPlace, write: bool = False) -> Any:
    token = p11.lib(place.module).get_token(token_label=place.token)
    try:
        return token.open(rw=write, user_pin=place.pin())
    except p11.UserAlreadyLoggedIn:
        # One log-in counts for all sessions of a process.
        return token.open(rw=write)


def _private(p11: Any, session: Any, place: KeyPlace) -> Any:
    return session.get_key(object_class=p11.ObjectClass.PRIVATE_KEY, key_type=p11.KeyType.EC, label=place.key)


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _read_point(given: bytes, place: KeyPlace) -> ec.EllipticCurvePublicKey:
    """CKA_EC_POINT is the point in a DER octet string (PKCS#11 2.40, 2.3.3), or, in older libraries, the bare point."""
    bare = given[2:] if given[:2] == b"\x04\x41" else given
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, bare)
    except ValueError as error:
        raise BadInputError(str(place), "is no key of P-256", "choose another --key") from error


def _load_library() -> Any:
    try:
        import pkcs11  # noqa: PLC0415  an extra: most recorders have no token
        import pkcs11.util.ec  # noqa: PLC0415
    except ImportError as error:
        what = "a token is configured, and python-pkcs11 is not installed"
        raise ConfigError("token", what, "pip install 'liuhen[token]'") from error
    return pkcs11


def _told(p11: Any, place: KeyPlace, error: pkcs11.PKCS11Error) -> KeyAwayError:
    """What a person can do about it, in one line."""
    token, key = f"token {place.token!r}", str(place)
    refused = "a few wrong ones lock it; correct the PIN, then start again"
    told = {
        p11.PinIncorrect: (token, "refuses the PIN", refused),
        p11.PinInvalid: (token, "refuses the PIN", refused),
        p11.PinLenRange: (token, "refuses the PIN", refused),
        p11.PinLocked: (token, "is locked after too many wrong PINs", "unlock it with its security officer's PIN"),
        p11.NoSuchToken: (token, "is not there", f"plug it in, or look with: pkcs11-tool --module {place.module} -L"),
        p11.MultipleTokensReturned: (token, "is there twice", "unplug one, or give them different labels"),
        p11.NoSuchKey: (key, "is not there", "liuhen device provision makes it"),
        p11.MultipleObjectsReturned: (key, "is there twice", "give them different labels"),
        p11.TokenWriteProtected: (token, "is write-protected", ""),
    }
    for kind, words in told.items():
        if isinstance(error, kind):
            return KeyAwayError(*words)
    detail = str(error) or type(error).__name__
    return KeyAwayError(key, f"cannot be used: {detail}", f"module {place.module}")
