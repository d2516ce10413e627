"""The one font with which every recorder draws (docs/adr/0008), and what cannot be drawn with it."""

from __future__ import annotations

from pathlib import Path

import pylopdf_fonts_zh_cn

from evidence.errors import BadInputError, ConfigError
from evidence.model import Officer

FONT = Path(pylopdf_fonts_zh_cn.sans_path())


def missing_characters(text: str, font_path: Path = FONT) -> str:
    """The characters of `text` that the font has no glyph for, each once. Raises ConfigError for an unusable font."""
    from fontTools.ttLib import TTFont, TTLibError  # noqa: PLC0415  a tenth of a second, for those alone who draw

    try:
        with font_path.open("rb") as file, TTFont(file, fontNumber=0, lazy=True) as font:
            known = font.getBestCmap()
    except (OSError, TTLibError) as error:
        raise ConfigError(f"font {font_path}", str(error)) from error
    return "".join(character for character in dict.fromkeys(text) if ord(character) not in known)


def named_characters(characters: str) -> str:
    """For a message: each in quotation marks, with its code point."""
    return ", ".join(f"{character!r} (U+{ord(character):04X})" for character in characters)


def refuse_undrawable(officer: Officer) -> None:
    """Refuse an assignment that no recorder could show in its picture. Raises BadInputError."""
    missing = missing_characters(officer.number + officer.name + officer.unit)
    if missing:
        what = f"cannot be shown by a recorder, whose font has no {named_characters(missing)}"
        raise BadInputError(f"officer {officer.number!r}", what, "write those in pinyin")
