"""A regulation's TOML text -> `Regime`, or one line that says in which line of the file it is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from evidence.errors import ConfigError
from evidence.regimes.checks import CHECKS
from evidence.regimes.lines import Lines, Path
from evidence.regimes.model import Article, ArticleKind, Regime, Rule

NAME = re.compile(r"[a-z][a-z0-9_]{1,31}")
NUMBER = re.compile(r"[1-9][0-9]{0,3}")
REGIME_KEYS = ("name", "title", "issuer", "article")
ARTICLE_KEYS = ("number", "kind", "text", "gist", "does")
ARTICLE_MAY = ("not_yet", "check")
SYNTAX = re.compile(r"(.*) \(at line ([0-9]+), column [0-9]+\)")


def read_regime(text: str, where: str) -> Regime:
    """Read a whole file; `where` is its name for a person. Raises ConfigError: file, line, reason, what is possible."""
    try:
        parsed = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number too long or brackets too deep for Python
        told = SYNTAX.fullmatch(str(error))
        line = told[2] if told else len(text.rstrip("\n").split("\n"))
        raise ConfigError(f"{where}:{line}", f"is no TOML: {told[1] if told else error}") from error
    return _Reader(text, where).regime(parsed)


class _Reader:
    """Knows the lines, for refusals."""

    def __init__(self, text: str, where: str) -> None:
        self._text = text
        self._where = where

    def regime(self, parsed: Mapping[str, Any]) -> Regime:
        self._only(parsed, (), REGIME_KEYS)
        name = self._text_at(parsed, ("name",))
        if not NAME.fullmatch(name):
            self._refuse(
                ("name",), f"{name!r} is no name of a regulation", "small letters, digits and _, as in weixian"
            )
        given = parsed["article"]
        if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
            self._refuse(("article",), "is no list of articles", "each begins with [[article]]")
        articles = tuple(self._article(one, ("article", place)) for place, one in enumerate(given))
        self._whole_row(articles)
        return Regime(name, self._text_at(parsed, ("title",)), self._text_at(parsed, ("issuer",)), articles)

    def _whole_row(self, articles: Iterable[Article]) -> None:
        for place, article in enumerate(articles):
            if article.number != str(place + 1):
                what = f"article {article.number} stands where article {place + 1} should"
                self._refuse(
                    ("article", place, "number"), what, "every article once and in order, those for people too"
                )

    def _article(self, given: Mapping[str, Any], path: Path) -> Article:
        self._only(given, path, ARTICLE_KEYS, ARTICLE_MAY)
        texts = {key: self._text_at(given, (*path, key)) for key in ARTICLE_KEYS}
        if not NUMBER.fullmatch(texts["number"]):
            self._refuse((*path, "number"), f"{texts['number']!r} is no number of an article", 'as in "17"')
        if texts["kind"] not in set(ArticleKind):
            hint = ", ".join(ArticleKind)
            self._refuse((*path, "kind"), f"{texts['kind']!r} is no kind of article", f"one of {hint}")
        kind = ArticleKind(texts.pop("kind"))
        rules = self._rules(given.get("check", []), (*path, "check"))
        self._fits(kind, rules, path)
        not_yet = self._text_at(given, (*path, "not_yet")) if "not_yet" in given else None
        return Article(kind=kind, rules=rules, not_yet=not_yet, **texts)

    def _fits(self, kind: ArticleKind, rules: tuple[Rule, ...], path: Path) -> None:
        if kind is ArticleKind.CHECKED and not rules:
            self._refuse(path, "is to be checked, and has no check", "add [[article.check]] or another kind")
        if kind in (ArticleKind.PERSON, ArticleKind.OUTSIDE) and rules:
            self._refuse((*path, "kind"), f"has a check, and its kind is {kind}", "checked")

    def _rules(self, given: Any, path: Path) -> tuple[Rule, ...]:
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            self._refuse(path, "is no list of checks", "each begins with [[article.check]]")
        return tuple(self._rule(one, (*path, place)) for place, one in enumerate(given))

    def _rule(self, given: Mapping[str, Any], path: Path) -> Rule:
        name = self._text_at(given, (*path, "check"))
        if name not in CHECKS:
            self._refuse((*path, "check"), f"{name!r} is no check", f"one of {', '.join(CHECKS)}")
        check = CHECKS[name]
        needed = tuple(key for key, value in check.values.items() if value.required)
        self._only(given, path, ("check", *needed), ("policy", *check.values))
        values = {}
        for key in given.keys() & check.values.keys():
            values[key] = check.values[key].read(given[key])
            if values[key] is None:
                possible = check.values[key].possible
                self._refuse((*path, key), f"{key} cannot be {str(given[key])[:60]!r}", f"it is {possible}")
        if check.one_of and len(values.keys() & set(check.one_of)) != 1:
            self._refuse(path, f"the check {name} wants exactly one of {', '.join(check.one_of)}")
        policy = self._text_at(given, (*path, "policy")) if "policy" in given else None
        return Rule(name, dict(sorted(values.items())), policy)

    def _text_at(self, given: Mapping[str, Any], path: Path) -> str:
        value = given.get(str(path[-1]))
        if value is None:
            self._refuse(path[:-1], f"lacks {path[-1]}")
        if not isinstance(value, str) or not value.strip():
            self._refuse(path, f"{path[-1]} is no text", "text stands between quotation marks")
        return str(value).strip()

    def _only(self, given: Mapping[str, Any], path: Path, needed: tuple[str, ...], may: tuple[str, ...] = ()) -> None:
        for key in given:
            if key not in (*needed, *may):
                known = ", ".join(dict.fromkeys((*needed, *may)))
                self._refuse((*path, key), f"nothing here is called {key}", f"known are {known}")
        for key in needed:
            if key not in given:
                self._refuse(path, f"lacks {key}")

    def _refuse(self, path: Path, what: str, hint: str = "") -> NoReturn:
        raise ConfigError(f"{self._where}:{Lines(self._text).of(path)}", what, hint)
