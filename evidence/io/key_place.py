"""Where a private key lies that a token holds, and the PIN that opens it: a small file, and another one for the PIN.

    module = "/usr/lib/softhsm/libsofthsm2.so"   the token's PKCS#11 library
    token = "unit 7"                             the token's label
    key = "liuhen BWC-0001"                      the label of the key pair in it
    pin_file = "/etc/liuhen/token.pin"           left out: the systemd credential `token-pin`

Slots are not named: their numbers change with every plugging. The PIN stands in no such file and on no command line.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from evidence.errors import ConfigError, KeyAwayError
from evidence.toml import read_toml

CREDENTIAL = "token-pin"
CREDENTIALS_FOLDER = "CREDENTIALS_DIRECTORY"
"""Where systemd (LoadCredential=, systemd.exec(5)) puts what only this service may read."""
PIN_LIMIT_BYTES = 256
NAMES = ("module", "token", "key")


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """One key pair in one token. `pin_file` is empty when the PIN is a systemd credential."""

    module: str
    token: str
    key: str
    pin_file: str = ""

    def __str__(self) -> str:
        return f"key {self.key!r} in token {self.token!r}"

    def to_toml(self) -> bytes:
        """The file's bytes. Raises ConfigError for a name with characters that nobody can see or type."""
        given = {name: value for name, value in asdict(self).items() if value}
        for name, value in given.items():
            if not value.isprintable():
                raise ConfigError(f"{name} {value!r}", "holds characters that cannot be printed")
        # Of printable characters JSON and TOML make the same text.
        lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in given.items())
        return "\n".join((*lines, "")).encode("utf-8")

    def pin(self) -> str:
        """The PIN, read anew. Raises KeyAwayError: not there, empty, or open to others than its owner."""
        path = self._pin_path()
        try:
            with path.open("rb") as file:
                mode, given = os.fstat(file.fileno()).st_mode, file.read(PIN_LIMIT_BYTES + 1)
        except OSError as error:
            raise KeyAwayError(str(path), f"cannot be read: {error.strerror}", f"the PIN of {self.token!r}") from error
        if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyAwayError(str(path), "may be read or written by others than its owner", f"chmod 600 {path}")
        pin = given.removesuffix(b"\n")
        try:
            text = pin.decode("utf-8")
        except UnicodeDecodeError as error:
            raise KeyAwayError(str(path), "is not a PIN of one line") from error
        if not pin or len(given) > PIN_LIMIT_BYTES or not text.isprintable():
            raise KeyAwayError(str(path), "is not a PIN of one line")
        return text

    def _pin_path(self) -> Path:
        if self.pin_file:
            return Path(self.pin_file)
        folder = os.environ.get(CREDENTIALS_FOLDER)
        if not folder:
            hint = f"name a file of mode 0600, or LoadCredential={CREDENTIAL}:FILE in the unit"
            raise KeyAwayError(str(self), "has no PIN: neither a file nor a credential is given", hint)
        return Path(folder) / CREDENTIAL


def read_place(data: bytes, where: str) -> KeyPlace:
    """Read such a file. Raises ConfigError that names what is wrong with it."""
    given = read_toml(data, where)
    unknown = sorted(set(given) - {*NAMES, "pin_file"})
    if unknown:
        raise ConfigError(where, f"has the unknown key {unknown[0]}", "remove it or correct its spelling")
    for name in NAMES:
        if not isinstance(given.get(name), str) or not given[name]:
            raise ConfigError(where, f"lacks {name}", f'add {name} = "..."')
    if not isinstance(given.get("pin_file", ""), str):
        raise ConfigError(where, "has a pin_file that is no path")
    return KeyPlace(**given)
