"""Regulations as files: the five that come with the program, and those that a unit has written itself."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from evidence.errors import BadInputError, ConfigError
from evidence.model import REGIMES
from evidence.regimes.model import Regime
from evidence.regimes.reading import read_regime

SUFFIX = ".toml"


def shipped(name: str) -> Regime:
    """One of the five by its name. Raises ConfigError."""
    file = f"{name}{SUFFIX}"
    return read_regime(files("evidence.regimes").joinpath(file).read_text(encoding="utf-8"), file)


def all_shipped() -> tuple[Regime, ...]:
    """The five regulations."""
    return tuple(shipped(name) for name in REGIMES)


def from_file(path: Path) -> Regime:
    """A regulation that somebody wrote. Raises ConfigError with the line, BadInputError."""
    try:
        return read_regime(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}", "is not UTF-8", "save the file as UTF-8") from error
    except OSError as error:
        raise BadInputError(str(path), f"cannot be read: {error.strerror}") from error


def named(name: str) -> Regime:
    """One of the five, or a file (it ends in .toml). Raises ConfigError, BadInputError."""
    if name in REGIMES:
        return shipped(name)
    if not name.endswith(SUFFIX):
        raise BadInputError(name, "is no regulation", f"one of {', '.join(REGIMES)}, or a file that ends in {SUFFIX}")
    return from_file(Path(name))
