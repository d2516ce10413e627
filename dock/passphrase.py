"""Where a passphrase comes from: a file, the environment, the keyboard. Never the command line: others can read it."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from pathlib import Path

from evidence.errors import BadInputError, ConfigError

PERSON_VARIABLE, VAULT_VARIABLE = "LIUHEN_PASSPHRASE", "LIUHEN_VAULT_PASSPHRASE"
LEAST_CHARACTERS = 12


def given_passphrase(path: Path | None, variable: str, prompt: str) -> bytes:
    """The passphrase in the file, else in the variable, else as typed. Raises ConfigError, BadInputError."""
    if path is not None:
        return read_passphrase(path)
    if variable in os.environ:
        return _checked(os.environ[variable].strip().encode(), variable)
    if not sys.stdin.isatty():
        raise BadInputError("口令 passphrase", "is needed and nobody can be asked", f"--passphrase-file, or {variable}")
    return _checked(getpass(f"{prompt}: ").encode(), "口令 passphrase")


def new_passphrase(path: Path | None, variable: str) -> bytes:
    """The same for a new key: typed twice, and not too short. Raises ConfigError, BadInputError."""
    first = given_passphrase(path, variable, f"设定口令 choose a passphrase, {LEAST_CHARACTERS} characters or more")
    if len(first.decode("utf-8", errors="replace")) < LEAST_CHARACTERS:
        raise BadInputError(
            "口令 passphrase", f"太短 has less than {LEAST_CHARACTERS} characters", "several words are easy"
        )
    typed = path is None and variable not in os.environ
    if typed and getpass("再次输入 once more: ").encode() != first:
        raise BadInputError("口令 passphrase", "两次输入不一致 was not typed the same twice", "try again")
    return first


def read_passphrase(path: Path) -> bytes:
    """The passphrase in a file of one line. Raises ConfigError, BadInputError for an empty one."""
    try:
        return _checked(path.read_bytes().strip(), str(path))
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}", "give the file of the passphrase") from error


def _checked(passphrase: bytes, where: str) -> bytes:
    if not passphrase:
        raise BadInputError(where, "holds no passphrase")
    return passphrase
