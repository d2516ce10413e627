"""`liuhen regimes`: what the regulations are, and whether one that somebody wrote can be used."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from evidence.errors import BadInputError
from evidence.io.command import Command
from evidence.io.regime_files import all_shipped, from_file, named
from evidence.regimes.model import KIND_WORDS, Article, ArticleKind, Regime, Rule

HELP = """Show the regulations that evidence is judged by, and check one that you have written.

A regulation is a TOML file: every article with its text, what it is to this system, and the checks that it chooses
(docs/REGIMES.md). docs/REGULATIONS.md has all articles of the five that come with the program."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    parts.add_parser("list", help="the five regulations")
    show = parts.add_parser("show", help="a regulation article by article")
    show.add_argument("regime", help="its name, or a file of yours")
    show.add_argument("article", nargs="?", help="only this article")
    check = parts.add_parser("check", help="whether a file of yours can be used; else the first line that is wrong")
    check.add_argument("file", type=Path)


def _run(options: argparse.Namespace) -> int:
    for line in _PARTS[options.part](options):
        print(line)
    return 0


def _list(_options: argparse.Namespace) -> Iterable[str]:
    for regime in all_shipped():
        yield f"{regime.name:<9} {_summary(regime)}"
        yield f"{'':<9} {regime.title}（{regime.issuer}）"


def _summary(regime: Regime) -> str:
    counts = Counter(article.kind for article in regime.articles)
    kinds = ", ".join(f"{counts[kind]} {KIND_WORDS[kind].zh} {KIND_WORDS[kind].en}" for kind in ArticleKind)
    return f"{len(regime.articles)} 条 articles: {kinds}"


def _show(options: argparse.Namespace) -> Iterable[str]:
    regime = named(options.regime)
    wanted = [one for one in regime.articles if options.article in (None, one.number)]
    if not wanted:
        raise BadInputError(f"{regime.name} art. {options.article}", "is not there", f"1 to {len(regime.articles)}")
    yield f"{regime.title}（{regime.issuer}）"
    for article in wanted:
        yield from _article(article)


def _article(article: Article) -> Iterable[str]:
    words = KIND_WORDS[article.kind]
    yield f"\n第{article.number}条 art. {article.number}  [{words.zh} {words.en}]"
    yield article.text
    yield f"  {article.gist}"
    yield f"  → {article.does}"
    if article.not_yet is not None:
        yield f"  → 尚未实现 not yet: {article.not_yet}"
    for rule in article.rules:
        yield f"  检查 check: {rule_text(rule)}"


def rule_text(rule: Rule) -> str:
    """A rule in one line: its check, its values, and whose figure it is."""
    values = ", ".join(f"{name} {_value(value)}" for name, value in rule.values.items())
    policy = f" (the unit's own figure: {rule.policy})" if rule.policy else ""
    return " ".join(filter(None, (rule.check, values))) + policy


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check(options: argparse.Namespace) -> Iterable[str]:
    regime = from_file(options.file)
    yield f"{options.file}: 可以使用 can be used"
    yield f"  {regime.name}: {_summary(regime)}"


_PARTS: Mapping[str, Callable[[argparse.Namespace], Iterable[str]]] = {"list": _list, "show": _show, "check": _check}

REGIMES = Command(HELP, _configure, _run)
