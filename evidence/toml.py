"""Configuration in TOML: one way to read it, for `tomllib` takes anything of any size."""

from __future__ import annotations

import tomllib
from typing import Any

from evidence.errors import ConfigError

TOML_LIMIT_BYTES = 64 * 1024
"""No file of ours is longer. `tomllib` takes minutes over a name of 1 MB in dotted parts, 150 MB over such a number."""


def read_toml(data: bytes, where: str) -> dict[str, Any]:
    """The table in a file. Raises ConfigError: too long, no UTF-8, no TOML, too deep."""
    if len(data) > TOML_LIMIT_BYTES:
        raise ConfigError(where, f"is longer than {TOML_LIMIT_BYTES >> 10} KiB", "no configuration is")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(where, f"is not TOML: {' '.join(str(error).split())[:200]}") from error
