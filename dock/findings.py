"""What regulations find in everything that a dock holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dock.books import read_books
from dock.folder import DockFolder
from evidence.errors import BadInputError
from evidence.io.regime_files import named
from evidence.model import REGIMES
from evidence.regimes.facts import Moment
from evidence.regimes.gathering import Books, Gathered, gather
from evidence.regimes.judging import Ruling, coming_due, judge, strictest
from evidence.regimes.model import Finding, Regime, Verdict

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Judged:
    """All findings at one instant."""

    now: Moment
    regimes: tuple[Regime, ...]
    gathered: Gathered
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> bool:
        """Whether any article is broken."""
        return any(one.verdict is Verdict.BROKEN for one in self.findings)

    def due(self, within_days: int) -> tuple[Finding, ...]:
        """What will be too late within so many days unless it is done, the most urgent first."""
        return coming_due(self.findings, self.now.utc_us, within_days * DAY_US)

    @property
    def contested(self) -> tuple[Ruling, ...]:
        """Where several regulations speak of the same thing and not all are met: the strictest, and why."""
        return tuple(one for one in strictest(self.findings) if _contested(one))


def _contested(ruling: Ruling) -> bool:
    first = ruling.finding
    several = any(other.regime != first.regime for other in ruling.others)
    return several and bool(first.subject) and first.verdict is not Verdict.MET


def judge_folder(folder: DockFolder, regimes: Sequence[str], now: Moment) -> Judged:
    """Judge a dock by these regulations (names or files), or by those that its officers are assigned under.

    Raises ConfigError, BadInputError, ChainError.
    """
    books = read_books(folder)
    return judge_books(books, regimes_for(books, regimes), now)


def judge_books(books: Books, regimes: Sequence[Regime], now: Moment) -> Judged:
    """The same from journals that have been read."""
    gathered = gather(books, regimes)
    return Judged(now, tuple(regimes), gathered, judge(regimes, gathered.facts, now, gathered.unknown))


def regimes_for(books: Books, names: Sequence[str]) -> tuple[Regime, ...]:
    """Those asked for, or those of the assignments. Raises ConfigError, BadInputError."""
    wanted = tuple(dict.fromkeys(names)) or books.regimes
    if not wanted:
        hint = f"give --regime: {', '.join(REGIMES)}, or a file of yours"
        raise BadInputError("regulation", "is named by no assignment", hint)
    return tuple(map(named, wanted))
