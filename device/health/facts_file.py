"""`health.json`: the facts as the running recorder last wrote them."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from device.health.facts import Facts
from evidence.errors import BadInputError, NewerVersionError
from evidence.io.volatile import set_whole
from evidence.model import Timestamp

FACTS_FILE, CARD_FILE = "health.json", "health.jws"
FORMAT_VERSION = 1
SIZE_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """The facts and how long ago, by the file system's own time, they were written."""

    facts: Facts
    written_utc_us: int


def write_facts(run_folder: Path, facts: Facts) -> None:
    """Replace the file, whole for every reader. Raises DiscError."""
    document = {"v": FORMAT_VERSION, **_to_json(facts)}
    set_whole(run_folder / FACTS_FILE, json.dumps(document, ensure_ascii=False).encode())


def read_facts(run_folder: Path) -> Found | None:
    """The facts, None when there is no file. Raises BadInputError for one that is not whole, NewerVersionError."""
    path = run_folder / FACTS_FILE
    where = str(path)
    try:
        written_utc_us = path.stat().st_mtime_ns // 1000
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInputError(where, f"cannot be read: {error.strerror}") from error
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInputError(where, "is damaged: not JSON", "a running recorder writes it anew every 5 s") from error
    if not isinstance(document, dict) or not isinstance(document.get("v"), int):
        raise BadInputError(where, "is no health file")
    if document["v"] > FORMAT_VERSION:
        raise NewerVersionError(where, f"has version {document['v']}, this program knows 1", "update liuhen")
    facts: Facts = _from_json(Facts, document, where)
    return Found(facts, written_utc_us)


def _to_json(value: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.to_fields()
    if is_dataclass(value):
        return {one.name: _to_json(getattr(value, one.name)) for one in fields(value)}
    return [_to_json(one) for one in value] if isinstance(value, tuple) else value


def _from_json(kind: Any, value: Any, where: str) -> Any:
    """`value` as the type that the facts declare, or an error that says which field is not."""
    if kind is Timestamp:
        return Timestamp.from_fields(value)
    if is_dataclass(kind):
        return _record(kind, value, where)
    options = get_args(kind)
    if get_origin(kind) in (Union, types.UnionType):
        (wanted,) = [one for one in options if one is not type(None)]
        return None if value is None else _from_json(wanted, value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise BadInputError(where, "is no list")
        return tuple(_from_json(options[0], one, where) for one in value)
    allowed = {float: (int, float)}.get(kind, (kind,))
    # A JSON truth value is a number to Python, and to nobody else.
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
        raise BadInputError(where, f"has the impossible value {str(value)[:40]!r}")
    return kind(value)


def _record(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise BadInputError(where, "is no JSON object")
    given = {}
    for name, wanted in _hints(kind).items():
        if name not in value:
            raise BadInputError(where, f"lacks {name}")
        given[name] = _from_json(wanted, value[name], f"{where} {name}")
    return kind(**given)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
