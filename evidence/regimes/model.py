"""What a regulation is, and what a check finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class Words(NamedTuple):
    """One sentence for a clerk in both languages."""

    zh: str
    en: str


class ArticleKind(StrEnum):
    """What an article is to this system."""

    SOFTWARE = "software"
    """Met by how the software is built."""
    CHECKED = "checked"
    """The software looks whether it is kept."""
    PERSON = "person"
    """A person has to do it; the software reminds."""
    OUTSIDE = "outside"
    """Not for this system: aims, definitions, paper files, penalties."""


KIND_WORDS: Mapping[ArticleKind, Words] = {
    ArticleKind.SOFTWARE: Words("软件实现", "met by software"),
    ArticleKind.CHECKED: Words("软件检查", "checked"),
    ArticleKind.PERSON: Words("提醒人员", "reminds a person"),
    ArticleKind.OUTSIDE: Words("不属本系统", "not for this system"),
}


class Verdict(StrEnum):
    """What a check found, worst last (`SEVERITY`)."""

    MET = "met"
    OUTSIDE = "not for this system"
    PERSON = "needs a person"
    OPEN = "open until"
    BROKEN = "broken"


SEVERITY = (Verdict.OUTSIDE, Verdict.MET, Verdict.PERSON, Verdict.OPEN, Verdict.BROKEN)
"""From lightest to heaviest."""

VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.MET: "符合",
    Verdict.OUTSIDE: "不属本系统",
    Verdict.PERSON: "需人工处理",
    Verdict.OPEN: "期限未到",
    Verdict.BROKEN: "违反",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One check that an article chooses, with the article's own figures and lists.

    `policy` says which figure is the unit's own because the article names none.
    """

    check: str
    values: Mapping[str, Any]
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """One article: its words in Chinese, what it says in English, and what is done about it.

    `not_yet` names the issue that will build it; until then a person sees to it.
    """

    number: str
    kind: ArticleKind
    text: str
    gist: str
    does: str
    rules: tuple[Rule, ...] = ()
    not_yet: str | None = None


@dataclass(frozen=True, slots=True)
class Regime:
    """One regulation."""

    name: str
    title: str
    issuer: str
    articles: tuple[Article, ...]

    def rules(self, check: str) -> list[tuple[Article, Rule]]:
        """Every place where this regulation chooses a check."""
        return [(article, rule) for article in self.articles for rule in article.rules if rule.check == check]


@dataclass(frozen=True, slots=True)
class Proof:
    """A journal entry that a finding rests on: whose journal, which number, which kind, and the token's hash."""

    journal: str
    seq: int
    hash: str
    kind: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one check says of one thing. `deadline_us` is UTC: the first instant that is too late."""

    verdict: Verdict
    why: Words
    proofs: tuple[Proof, ...] = ()
    deadline_us: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement with its article. `check` is None where nothing is checked, `subject` is empty for the whole unit."""

    regime: str
    article: str
    check: str | None
    subject: str
    verdict: Verdict
    why: Words
    proofs: tuple[Proof, ...] = ()
    deadline_us: int | None = None

    @property
    def cites(self) -> str:
        """As findings are cited: `<regime> art. N`."""
        return f"{self.regime} art. {self.article}"
