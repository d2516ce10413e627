"""Facts held against regulations: findings, the strictest of several regulations, and what comes due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from evidence.regimes.calendar import day_of
from evidence.regimes.checks import CHECKS
from evidence.regimes.facts import Facts, Moment
from evidence.regimes.model import (
    SEVERITY,
    VERDICT_WORDS,
    Article,
    ArticleKind,
    Finding,
    Judgement,
    Regime,
    Rule,
    Verdict,
    Words,
)

NOTHING: Mapping[type[Facts], Words] = MappingProxyType({})
NO_END_US = 2**63
"""Later than any deadline."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Of what several articles find by the same check about the same thing, the strictest, and why it is that."""

    finding: Finding
    others: tuple[Finding, ...]
    why: Words


def judge(
    regimes: Iterable[Regime], facts: Iterable[Facts], now: Moment, unknown: Mapping[type[Facts], Words] = NOTHING
) -> tuple[Finding, ...]:
    """At least one finding for each article of each regulation, in their order.

    `unknown` are kinds of facts that nobody could gather, and why: what is checked of them is left to a person.
    """
    by_type: dict[type[Facts], list[Facts]] = {}
    for one in facts:
        by_type.setdefault(type(one), []).append(one)
    return tuple(
        finding
        for regime in regimes
        for article in regime.articles
        for finding in _judge(regime, article, by_type, now, unknown)
    )


def _judge(
    regime: Regime,
    article: Article,
    facts: Mapping[type[Facts], Sequence[Facts]],
    now: Moment,
    unknown: Mapping[type[Facts], Words],
) -> Iterator[Finding]:
    found = False
    for rule in article.rules:
        about = CHECKS[rule.check].about
        if about in unknown:
            found = True
            yield Finding(regime.name, article.number, rule.check, "", Verdict.PERSON, unknown[about])
        for one in facts.get(about, ()):
            judged = CHECKS[rule.check].run(one, rule.values, now)
            if judged is not None:
                found = True
                yield _finding(regime, article, rule, one.subject, judged)
    if not found or article.not_yet is not None:
        yield _of_the_unit(regime, article)


def _finding(regime: Regime, article: Article, rule: Rule, subject: str, judged: Judgement) -> Finding:
    why = judged.why
    if rule.policy is not None and judged.deadline_us is not None:
        why = Words(f"{why.zh}（期限系本单位规定）", f"{why.en} (the unit's own figure: {rule.policy})")
    return Finding(
        regime.name, article.number, rule.check, subject, judged.verdict, why, judged.proofs, judged.deadline_us
    )


def _of_the_unit(regime: Regime, article: Article) -> Finding:
    """What can be said of an article without any facts."""
    verdict, why = _WITHOUT_FACTS[article.kind]
    if article.not_yet is not None:
        verdict, why = Verdict.PERSON, Words("软件尚未实现，由人员负责", f"not yet: {article.not_yet}")
    if article.kind in (ArticleKind.PERSON, ArticleKind.SOFTWARE):
        why = Words(f"{why.zh}：{article.text}", f"{why.en}: {article.does}")
    return Finding(regime.name, article.number, None, "", verdict, why)


_WITHOUT_FACTS: Mapping[ArticleKind, tuple[Verdict, Words]] = {
    ArticleKind.SOFTWARE: (Verdict.MET, Words("由软件实现", "met by software")),
    ArticleKind.CHECKED: (Verdict.MET, Words("无适用事项", "nothing that it applies to")),
    ArticleKind.PERSON: (Verdict.PERSON, Words("提醒", "a person has to see to it")),
    ArticleKind.OUTSIDE: (Verdict.OUTSIDE, Words("不属本系统", "not for this system")),
}


def strictest(findings: Iterable[Finding]) -> tuple[Ruling, ...]:
    """For each thing and each check the finding that counts, the worst first; of two open ones that with less time."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.check is not None:
            groups.setdefault((finding.check, finding.subject), []).append(finding)
    return tuple(_ruling(sorted(group, key=_strictness)) for group in groups.values())


def _strictness(finding: Finding) -> tuple[int, int]:
    return -SEVERITY.index(finding.verdict), NO_END_US if finding.deadline_us is None else finding.deadline_us


def _ruling(ordered: Sequence[Finding]) -> Ruling:
    first, *others = ordered
    why = Words(f"依{first.cites}：{_told(first).zh}", f"by {first.cites}: {_told(first).en}")
    if others:
        beside_zh = "；".join(f"{one.cites}：{_told(one).zh}" for one in others)
        beside_en = "; ".join(f"{one.cites}: {_told(one).en}" for one in others)
        why = Words(f"{why.zh}，从严适用（另：{beside_zh}）", f"{why.en}, which is the strictest (beside {beside_en})")
    return Ruling(first, tuple(others), why)


def _told(finding: Finding) -> Words:
    zh, en = VERDICT_WORDS[finding.verdict], str(finding.verdict)
    if finding.deadline_us is None:
        return Words(zh, en)
    last_day = day_of(finding.deadline_us - 1)
    return Words(f"{zh}（{last_day}止）", f"{en} ({last_day})")


def coming_due(findings: Iterable[Finding], now_us: int, within_us: int) -> tuple[Finding, ...]:
    """What will be too late within a time from now unless it is done, the most urgent first.

    An article that has been met has nothing to come, but for the end of retention and the next spot check.
    """
    soon = [
        (finding.deadline_us, finding) for finding in findings
        if finding.deadline_us is not None and now_us <= finding.deadline_us <= now_us + within_us
        and (finding.verdict is not Verdict.MET or finding.check in _GOES_ON)
    ]  # fmt: skip
    return tuple(finding for _, finding in sorted(soon, key=lambda one: one[0]))


_GOES_ON = ("keep_routine", "keep_as_case_file", "keep_long_term", "spot_check")
