"""A key in a token: what it can and cannot do, and what is said, in one line, when the token does not play along."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import BadInputError, ConfigError, KeyAwayError
from evidence.io.key_place import CREDENTIALS_FOLDER, KeyPlace, read_place
from evidence.io.token_key import ECDSA, TokenKey, Use, make_token_key
from tests.evidence.softhsm import MODULE, PIN, new_place, pin_file, unplugged

P256 = ec.SECP256R1()


@pytest.fixture
def place(tmp_path: Path) -> KeyPlace:
    return new_place(tmp_path)


@pytest.fixture
def key(place: KeyPlace) -> TokenKey:
    return make_token_key(place, Use.SIGN)


def sign(key: TokenKey) -> bytes:
    return key.sign(b"data", ECDSA)


def exchange(key: TokenKey) -> None:
    """Whoever has the other half comes to the same secret."""
    other = ec.generate_private_key(P256)
    assert key.exchange(ec.ECDH(), other.public_key()) == other.exchange(ec.ECDH(), key.public_key())


def test_a_key_is_made_once(place: KeyPlace, key: TokenKey) -> None:
    assert make_token_key(place, Use.SIGN).public_key() == key.public_key()
    other = make_token_key(replace(place, key="other"), Use.SIGN)
    assert other.public_key() != key.public_key()


def test_another_process_finds_the_key(place: KeyPlace) -> None:
    """Private, not extractable, never been so, made in the token."""
    make_token_key(place, Use.SIGN)
    listing = subprocess.run(
        [sys.executable, "-c", LIST, MODULE, place.token, PIN, place.key], check=True, capture_output=True, text=True
    )
    assert listing.stdout.split() == ["True", "False", "True", "True"]


LIST = """
import sys, pkcs11
module, token, pin, label = sys.argv[1:]
with pkcs11.lib(module).get_token(token_label=token).open(user_pin=pin) as session:
    key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label)
    names = ("PRIVATE", "EXTRACTABLE", "NEVER_EXTRACTABLE", "LOCAL")
    print(*(key[getattr(pkcs11.Attribute, name)] for name in names))
"""


def test_a_vault_key_agrees(place: KeyPlace) -> None:
    key = make_token_key(place, Use.AGREE)
    exchange(key)
    exchange(TokenKey(place, key.public_key()))


def test_a_signing_key_does_not_agree_and_a_vault_key_does_not_sign(place: KeyPlace, key: TokenKey) -> None:
    with pytest.raises(BadInputError, match="another use"):
        exchange(key)
    vault = make_token_key(replace(place, key="vault"), Use.AGREE)
    with pytest.raises(BadInputError, match="another use"):
        sign(vault)
    with pytest.raises(BadInputError, match="another use"):
        make_token_key(replace(place, key="vault"), Use.SIGN)


def test_it_never_leaves_the_token(key: TokenKey) -> None:
    with pytest.raises(BadInputError, match="never leaves the token"):
        key.private_numbers()
    with pytest.raises(BadInputError, match="never leaves the token"):
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def test_a_key_that_was_put_into_the_token_is_refused(place: KeyPlace, tmp_path: Path) -> None:
    """It may have copies."""
    make_token_key(replace(place, key="first"), Use.SIGN)
    secret = ec.generate_private_key(P256).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(secret)
    names = ["--token", place.token, "--label", place.key, "--pin", PIN, "--id", "07"]
    subprocess.run(["softhsm2-util", "--import", tmp_path / "key.pem", *names], check=True, capture_output=True)
    with pytest.raises(BadInputError, match="was not made in the token"):
        make_token_key(place, Use.SIGN)


def test_only_sha256(key: TokenKey) -> None:
    with pytest.raises(BadInputError, match="SHA-256"):
        key.sign(b"data", ec.ECDSA(hashes.SHA384()))


def test_a_signature_by_another_key_of_that_name_is_not_given_out(place: KeyPlace) -> None:
    make_token_key(place, Use.SIGN)
    with pytest.raises(KeyAwayError, match="does not fit its certificate"):
        sign(TokenKey(place, ec.generate_private_key(P256).public_key()))


def test_a_vault_key_of_that_name_that_is_another_one_opens_nothing(place: KeyPlace) -> None:
    make_token_key(place, Use.AGREE)
    key = TokenKey(place, ec.generate_private_key(P256).public_key())
    for _ in range(2):
        with pytest.raises(KeyAwayError, match="not the private half"):
            exchange(key)


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_token_that_is_unplugged_comes_back(key: TokenKey, rounds: int) -> None:
    for _ in range(rounds):
        sign(key)
        with unplugged():
            for _ in range(3):
                with pytest.raises(KeyAwayError) as told:
                    sign(key)
            assert "\n" not in str(told.value)
        sign(key)


def test_two_keys_of_one_library_do_not_throw_each_other_out(place: KeyPlace, key: TokenKey, tmp_path: Path) -> None:
    vault = make_token_key(replace(place, key="vault"), Use.AGREE)
    elsewhere = make_token_key(new_place(tmp_path), Use.SIGN)
    for _ in range(2):
        for use in (sign, sign):
            use(key)
        exchange(vault)
        sign(elsewhere)
        with unplugged(), pytest.raises(KeyAwayError):
            sign(key)


def test_a_refused_pin_is_not_tried_again(place: KeyPlace, key: TokenKey, tmp_path: Path) -> None:
    """A few wrong ones lock a token for good; the recorder tries to sign every second."""
    sign(key)
    reader = TokenKey(place, key.public_key())
    with unplugged(), pytest.raises(KeyAwayError):
        sign(key)
    pin_file(tmp_path, "000000")
    with pytest.raises(KeyAwayError, match="refuses the PIN"):
        sign(reader)
    pin_file(tmp_path)
    with pytest.raises(KeyAwayError, match="correct the PIN, then start again"):
        sign(reader)
    sign(TokenKey(place, key.public_key()))


def _module(place: KeyPlace) -> KeyPlace:
    return replace(place, module="/nowhere/module.so")


def _no_module(place: KeyPlace) -> KeyPlace:
    return replace(place, module=__file__)


def _token(place: KeyPlace) -> KeyPlace:
    return replace(place, token="nobody's")


def _key(place: KeyPlace) -> KeyPlace:
    return replace(place, key="nothing")


def _no_pin(place: KeyPlace) -> KeyPlace:
    return replace(place, pin_file="/nowhere/pin")


def _open_pin(place: KeyPlace) -> KeyPlace:
    Path(place.pin_file).chmod(0o640)
    return place


def _empty_pin(place: KeyPlace) -> KeyPlace:
    pin_file(Path(place.pin_file).parent, "")
    return place


def _binary_pin(place: KeyPlace) -> KeyPlace:
    Path(place.pin_file).write_bytes(b"\xff\xfe")
    return place


def _two_lines(place: KeyPlace) -> KeyPlace:
    pin_file(Path(place.pin_file).parent, f"{PIN}\n{PIN}")
    return place


def _no_credential(place: KeyPlace) -> KeyPlace:
    return replace(place, pin_file="")


TROUBLES: dict[str, tuple[Callable[[KeyPlace], KeyPlace], str]] = {
    "no such library": (_module, "cannot open shared object"),
    "a file that is no library": (_no_module, "invalid ELF"),
    "no such token": (_token, "is not there"),
    "no such key": (_key, "is not there"),
    "no PIN file": (_no_pin, "cannot be read"),
    "a PIN file for everybody": (_open_pin, "others than its owner"),
    "an empty PIN file": (_empty_pin, "not a PIN of one line"),
    "a PIN file that is no text": (_binary_pin, "not a PIN of one line"),
    "a PIN file of two lines": (_two_lines, "not a PIN of one line"),
    "neither PIN file nor credential": (_no_credential, "has no PIN"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_is_one_clear_line(name: str, place: KeyPlace, key: TokenKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CREDENTIALS_FOLDER, raising=False)
    change, words = TROUBLES[name]
    with pytest.raises(KeyAwayError, match=words) as told:
        sign(TokenKey(change(place), key.public_key()))
    assert "\n" not in str(told.value)
    assert PIN not in str(told.value)


def test_the_pin_may_come_from_systemd(place: KeyPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "token-pin").write_text(PIN)
    (folder / "token-pin").chmod(0o400)
    monkeypatch.setenv(CREDENTIALS_FOLDER, str(folder))
    sign(make_token_key(replace(place, pin_file=""), Use.SIGN))


def test_without_the_library_one_line_says_what_to_install() -> None:
    told = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, check=True)
    assert told.stdout == (
        "token: a token is configured, and python-pkcs11 is not installed (pip install 'liuhen[token]')\n"
    )


BARE = """
import sys
sys.modules["pkcs11"] = None
from evidence.errors import ConfigError
from evidence.io.key_place import KeyPlace
from evidence.io.token_key import Use, make_token_key
try:
    make_token_key(KeyPlace("module", "token", "key"), Use.SIGN)
except ConfigError as error:
    print(error)
"""

VISIBLE = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=30)


@given(st.builds(KeyPlace, VISIBLE, VISIBLE, VISIBLE, st.just("") | VISIBLE))
def test_a_place_comes_back_from_its_file(place: KeyPlace) -> None:
    assert read_place(place.to_toml(), "token.toml") == place


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "a\u202eb"])
def test_a_name_that_nobody_can_read_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be printed"):
        KeyPlace("module", name, "key").to_toml()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lacks module"),
        ('module = "m"\ntoken = "t"', "lacks key"),
        ('module = "m"\ntoken = ""\nkey = "k"', "lacks token"),
        ('module = "m"\ntoken = "t"\nkey = 7', "lacks key"),
        ('module = "m"\ntoken = "t"\nkey = "k"\npin_file = 1', "pin_file"),
        ('module = "m"\ntoken = "t"\nkey = "k"\npin = "1234"', "unknown key pin"),
        ("module", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_a_place_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_place(text.encode(), "token.toml")
