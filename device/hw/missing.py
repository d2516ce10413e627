"""What to say when a hardware library is not there."""

from __future__ import annotations

from evidence.errors import ConfigError


def missing_library(thing: str, package: str, error: ImportError) -> ConfigError:
    """The error for `thing`, whose library could not be imported; `package` is its name on Raspberry Pi OS."""
    return ConfigError(thing, str(error), f"on Raspberry Pi OS: apt install {package}; on a PC use liuhen sim")
