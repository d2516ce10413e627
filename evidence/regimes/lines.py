"""In which line of a TOML text a value stands: `tomllib` tells it for wrong syntax only, `tomlkit` not at all.

The shortest run of lines that is valid TOML by itself is one statement: a header, or a key with its whole value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]
"""Keys and list places from the top, for example ("article", 3, "check", 0, "working_days")."""

HEADER = re.compile(r"\s*\[(\[?)")


class Lines:
    """The lines of a text that `tomllib` has read without an error, counted from 1."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {(): 1}
        lists: dict[Path, int] = {}
        here: Path = ()
        for number, statement in _statements(text):
            path = tuple(_keys(tomllib.loads(statement)))
            if header := HEADER.match(statement):
                here = _place(path, lists)
                if header[1]:
                    lists[here] = lists.get(here, -1) + 1
                    here = (*here, lists[here])
                self._lines.setdefault(here, number)
            for depth in range(len(path)) if not header else ():
                self._lines.setdefault((*here, *path[: depth + 1]), number)

    def of(self, path: Path) -> int:
        """The line of a value, or of the nearest thing around it that has one."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]


def _statements(text: str) -> Iterator[tuple[int, str]]:
    begun, first = "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        if not begun:
            first = number
        begun += f"{line}\n"
        if _is_whole(begun):
            yield first, begun
            begun = ""


def _is_whole(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _keys(parsed: dict[str, Any]) -> Iterator[str]:
    """The keys that a header or a dotted key names; an inline table on the right hand side is a value."""
    value: Any = parsed
    while isinstance(value, dict) and len(value) == 1:
        (key,) = value
        yield key
        value = value[key]
        if isinstance(value, list):
            return


def _place(path: tuple[str, ...], lists: dict[Path, int]) -> Path:
    """A header's path with the places of the lists that it is in: `article.check` is within the last article."""
    place: Path = ()
    for key in path[:-1]:
        place = (*place, key)
        if place in lists:
            place = (*place, lists[place])
    return (*place, *path[-1:])
