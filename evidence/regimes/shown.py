"""How findings are put before a person: times in China, findings of one kind about many things as one line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from evidence.model import EPOCH, utc_text
from evidence.regimes.calendar import CHINA, LAST_US, day_of
from evidence.regimes.facts import Moment
from evidence.regimes.model import SEVERITY, VERDICT_WORDS, Finding, Verdict, Words

SUBJECTS_SHOWN = 2
NEVER_US = 2**63


@dataclass(frozen=True, slots=True)
class Line:
    """What one article finds by one check with one verdict: about what, of several the first reason, the first date."""

    regime: str
    article: str
    check: str | None
    verdict: Verdict
    why: Words
    subjects: tuple[str, ...]
    deadline_us: int | None

    @property
    def cites(self) -> str:
        """As findings are cited."""
        return f"{self.regime} art. {self.article}"

    @property
    def about(self) -> str:
        """The first of the things and how many more."""
        shown = ", ".join(self.subjects[:SUBJECTS_SHOWN])
        more = len(self.subjects) - SUBJECTS_SHOWN
        return f"{shown} +{more}" if more > 0 else shown


def lines_of(findings: Iterable[Finding]) -> tuple[Line, ...]:
    """In the order of the articles; within a check the worst first, and of it the most urgent tells its reason."""
    groups: dict[tuple[str, str, str | None], dict[Verdict, list[Finding]]] = {}
    for one in findings:
        groups.setdefault((one.regime, one.article, one.check), {}).setdefault(one.verdict, []).append(one)
    return tuple(
        _line(by_verdict[verdict])
        for by_verdict in groups.values()
        for verdict in reversed(SEVERITY)
        if verdict in by_verdict
    )


def _line(alike: list[Finding]) -> Line:
    first = min(alike, key=lambda one: NEVER_US if one.deadline_us is None else one.deadline_us)
    subjects = tuple(one.subject for one in alike if one.subject)
    return Line(first.regime, first.article, first.check, first.verdict, first.why, subjects, first.deadline_us)


def counts_of(findings: Iterable[Finding]) -> Mapping[Verdict, int]:
    """How many of each verdict, the worst first."""
    found = dict.fromkeys(reversed(SEVERITY), 0)
    for one in findings:
        found[one.verdict] += 1
    return found


def verdict_words(verdict: Verdict) -> Words:
    """A verdict in both languages."""
    return Words(VERDICT_WORDS[verdict], verdict.value)


def last_day(deadline_us: int | None) -> str:
    """The last day in China on which something is in time; empty where there is none."""
    return "" if deadline_us is None else str(day_of(deadline_us - 1))


def wall_time(moment: Moment | None) -> str:
    """The wall clock in China; with a question mark where nobody had set the clock."""
    if moment is None:
        return "—"
    local = (EPOCH + timedelta(microseconds=min(moment.utc_us, LAST_US))).astimezone(CHINA)
    return f"{local:%Y-%m-%d %H:%M}{'' if moment.believed else ' ?'}"


def finding_fields(one: Finding) -> dict[str, object]:
    """For machines."""
    return {
        "regime": one.regime,
        "article": one.article,
        "check": one.check,
        "subject": one.subject,
        "verdict": one.verdict.value,
        "why": one.why._asdict(),
        "deadline": None if one.deadline_us is None else utc_text(one.deadline_us),
        "proofs": [[proof.journal, proof.seq, proof.kind, proof.hash] for proof in one.proofs],
    }
