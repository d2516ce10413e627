"""Two days at the turn of September 2026, one that meets every article and one that breaks them, as facts.

National Day 2026: no work from 1 to 7 October, work on Saturday 10 October.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from evidence.model import ClockGrade
from evidence.regimes.facts import (
    ActFacts,
    Away,
    CaseFacts,
    Cause,
    Exhibit,
    Facts,
    FaultFacts,
    Field,
    InterruptionFacts,
    ItemFacts,
    LookFacts,
    Moment,
    MonthFacts,
    Note,
    PauseFacts,
    RecordingFacts,
    ShiftFacts,
    Situation,
    Statement,
    Trigger,
    UnitFacts,
)
from evidence.regimes.model import Proof
from evidence.standing import Standing
from evidence.verify import Verdict as Authenticity

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHINA = timezone(timedelta(hours=8))
PAUSE_REASONS = {"changzhi": "unsuitable", "xuchang": "secrets"}


def us(text: str) -> int:
    """A wall clock in China, as in 2026-09-30 10:00."""
    return (datetime.fromisoformat(text).replace(tzinfo=CHINA) - EPOCH) // timedelta(microseconds=1)


def at(text: str, grade: ClockGrade = ClockGrade.NTP) -> Moment:
    return Moment(us(text), grade)


def proof(kind: str, seq: int = 7) -> Proof:
    return Proof("LH-000001", seq, "h" * 43, kind)


NOW = at("2026-10-20 12:00")
UNTIL_US = us("2027-10-01 00:00")
RECORDING = RecordingFacts(
    subject="r1",
    entries=(
        proof("recording_started"),
        proof("recording_stopped", 9),
        proof("stored", 3),
        proof("statement_heard", 8),
    ),
    began=at("2026-09-30 09:00"),
    ended=at("2026-09-30 10:00"),
    statement=Statement.HEARD,
    breaks=1,
    stored=at("2026-09-30 18:00"),
    classified=frozenset(Field),
    authenticity=Authenticity.AUTHENTIC,
)
INTERRUPTION = InterruptionFacts(
    subject="i1",
    entries=(proof("interruption"), proof("reason", 8)),
    began=at("2026-09-30 09:30"),
    reason=Cause.DEVICE_FAULT,
    standing=Standing.EXPLAINED,
    resumed=True,
)
CASE = CaseFacts(
    subject="c1",
    ended=at("2026-10-01 17:00"),
    filed=at("2026-10-15 09:00"),
    exhibits=(Exhibit("r1", on_disc=True, location=False, notes=frozenset(Note)),),
)


def good_day(regime: str) -> list[Facts]:
    return [
        RECORDING,
        INTERRUPTION,
        PauseFacts(subject="p1", reason=PAUSE_REASONS.get(regime, "unsuitable"), overrun=False),
        ShiftFacts(
            subject="s1", officer="640221-0117", fit=True, recorded=True,
            faults=(FaultFacts("camera", cleared=True, used_after=True),),
        ),
        ActFacts(subject="a1", situations=frozenset(Situation), recordings=("r1",)),
        CASE,
        ItemFacts(
            subject="m1", in_case=True, triggers=frozenset({Trigger.OBJECTION}), on_disc=True, kept_until_us=UNTIL_US
        ),
        LookFacts(
            subject="l1", approved=True, leaves=True, by_copying_unit=True, copy_kept=True, secrets_asked=True
        ),
        MonthFacts(subject="2026-09", year=2026, month=9, archived=at("2026-10-12 16:00")),
        UnitFacts(
            subject="unit", working_since=at("2026-09-01 08:00"), spot_checked=at("2026-10-01 08:00"), listed=True
        ),
    ]  # fmt: skip


def bad_day() -> list[Facts]:
    return [
        RecordingFacts(
            subject="r1",
            entries=RECORDING.entries,
            began=Moment(0, ClockGrade.UNSET),
            ended=at("2026-09-30 10:00"),
            statement=Statement.MISSING,
            unexplained_us=30_000_000,
            classified=frozenset({Field.UNIT, Field.RECORDER}),
            authenticity=Authenticity.NOT_AUTHENTIC,
        ),
        InterruptionFacts(
            subject="i1", began=at("2026-09-30 09:30"), reason=None, standing=Standing.OPEN, resumed=True,
            report_due=True,
        ),
        PauseFacts(subject="p1", reason=None, overrun=True),
        ShiftFacts(
            subject="s1", officer=None, fit=None, recorded=True,
            faults=(FaultFacts("camera", cleared=False, used_after=True),),
        ),
        ActFacts(subject="a1", situations=frozenset(Situation), recordings=()),
        CaseFacts(
            subject="c1", ended=at("2025-08-01 17:00"), filed=None,
            exhibits=(Exhibit("r1", on_disc=False, location=False, notes=frozenset()),),
        ),
        ItemFacts(
            subject="m1", in_case=True, triggers=frozenset({Trigger.OBJECTION}), destroyed=at("2026-10-10 12:00"),
            kept_until_us=UNTIL_US,
        ),
        LookFacts(subject="l1", approved=False, leaves=True),
        MonthFacts(subject="2026-09", year=2026, month=9, archived=None),
        UnitFacts(subject="unit", working_since=at("2026-09-01 08:00"), spot_checked=None, listed=None),
    ]  # fmt: skip


def away(returned: str | None) -> Away:
    return Away(None if returned is None else at(returned))


def only(facts: Sequence[Facts], subject: str) -> list[Facts]:
    return [one for one in facts if one.subject == subject]
