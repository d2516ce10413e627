"""Writes docs/REGULATIONS.md (one row an article) and the vocabulary in docs/REGIMES.md from the rules themselves.

    .venv/bin/python -m tests.regimes.make_docs

A test compares, so that neither can be out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evidence.io.regime_files import all_shipped
from evidence.io.regimes_command import rule_text
from evidence.regimes.checks import CHECKS, Check
from evidence.regimes.model import KIND_WORDS, Article, ArticleKind
from tests.regimes.shown_by import shown_by

DOCS = Path(__file__).resolve().parents[2] / "docs"
REGULATIONS = DOCS / "REGULATIONS.md"
REGIMES = DOCS / "REGIMES.md"
BEGIN, END = "<!-- generated: checks -->", "<!-- end -->"
HEAD = """\
# What we do about every article

Made by `python -m tests.regimes.make_docs` from `evidence/regimes/*.toml`; a test compares, and holds that every test
named here exists. The whole text of an article: `liuhen regimes show REGIME N`. Of each article one of four things is
true:

- **met by software**: the program is built so that it cannot be otherwise;
- **checked**: the program looks whether it is kept, and finds `met`, `open until`, `broken` or `needs a person`;
- **reminds a person**: only a person can do it;
- **not for this system**: aims, definitions, paper files, penalties.

`liuhen dock findings` gathers the facts from the journals that a dock holds and judges them. Of looks at evidence no
journal speaks yet (issue 5): what is checked of them `needs a person`, as cases and acts do until somebody has named
one. Where a row says *not yet*, something has still to be built too, and until then a person has to see to it.
"""


def regulations() -> str:
    """The whole of docs/REGULATIONS.md."""
    lines = [HEAD, *_counts()]
    for regime in all_shipped():
        lines += [f"\n## {regime.name}: {regime.title}\n", "| article | what we do | test |", "|---|---|---|"]
        lines += [_row(regime.name, article) for article in regime.articles]
    return "\n".join(lines) + "\n"


def _counts() -> Iterator[str]:
    yield (
        "| regulation | articles | "
        + " | ".join(KIND_WORDS[kind].en for kind in ArticleKind)
        + " | not yet, or not all |"
    )
    yield "|---|---|---|---|---|---|---|"
    for regime in all_shipped():
        kinds = [sum(article.kind is kind for article in regime.articles) for kind in ArticleKind]
        waiting = sum(article.not_yet is not None for article in regime.articles)
        yield f"| {regime.name}, all | " + " | ".join(map(str, (len(regime.articles), *kinds, waiting))) + " |"


def _row(regime: str, article: Article) -> str:
    does = [f"**{KIND_WORDS[article.kind].en}.** *{article.gist}* {article.does}"]
    if article.rules:
        does.append("Checks: " + "; ".join(f"`{rule_text(rule)}`" for rule in article.rules) + ".")
    if article.not_yet is not None:
        does.append(f"**Not yet: {article.not_yet}.**")
    return f"| {regime} {article.number} | {' '.join(does)} | {'<br>'.join(shown_by(regime, article))} |"


def vocabulary() -> str:
    """The table of checks for docs/REGIMES.md."""
    lines = ["| check | looks at | met when | beside `check` |", "|---|---|---|---|"]
    lines += [_check_row(name, check) for name, check in CHECKS.items()]
    return "\n".join(lines)


def _check_row(name: str, check: Check) -> str:
    about = check.about.__name__.removesuffix("Facts").lower()
    said = (check.run.__doc__ or "").splitlines()[0]
    values = [f"one of {', '.join(f'`{one}`' for one in check.one_of)}"] if check.one_of else []
    for key, value in check.values.items():
        if key not in check.one_of:
            values.append(f"`{key}`{'' if value.required else ' (may be left out)'}: {value.possible}")
    return f"| `{name}` | {about} | {said} | {'<br>'.join(values) or 'nothing'} |"


def regimes(present: str) -> str:
    """docs/REGIMES.md with the table made anew."""
    before, rest = present.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{vocabulary()}\n\n{END}{after}"


if __name__ == "__main__":
    REGULATIONS.write_text(regulations(), "utf-8")
    REGIMES.write_text(regimes(REGIMES.read_text("utf-8")), "utf-8")
