"""Checks of shifts, acts, cases, stored things, looks at them, months, and the unit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from evidence.regimes.calendar import add_months, add_working_days, end_of_day_us
from evidence.regimes.checks_recording import listed
from evidence.regimes.deadlines import Deadline, due, due_after
from evidence.regimes.facts import (
    ActFacts,
    CaseFacts,
    Excuse,
    ItemFacts,
    LookFacts,
    Moment,
    MonthFacts,
    Note,
    ShiftFacts,
    Situation,
    UnitFacts,
)
from evidence.regimes.model import Judgement, Verdict, Words

Values = Mapping[str, Any]
NOTES_ZH: Mapping[str, str] = {
    Note.METHOD: "制作方法", Note.TIME: "制作时间", Note.MAKER: "制作人", Note.PROVES: "证明对象",
    Note.CONTENT: "录音内容",
}  # fmt: skip

EXCUSES_ZH: Mapping[str, str] = {
    Excuse.DANGEROUS_CHEMICALS: "危险化学品场所", Excuse.SECRETS: "涉密场所", Excuse.UNSUITABLE: "不适宜音像记录",
    Excuse.CONDITIONS: "受客观条件限制",
}  # fmt: skip


def _met(zh: str, en: str) -> tuple[Verdict, Words]:
    return Verdict.MET, Words(zh, en)


def _broken(zh: str, en: str) -> tuple[Verdict, Words]:
    return Verdict.BROKEN, Words(zh, en)


# --- shifts


def assigned(facts: ShiftFacts, _values: Values, _now: Moment) -> Judgement:
    """It is known who answered for the recorder."""
    if facts.officer is None:
        return Judgement(*_broken("设备未登记使用人", "nobody was signed on"), facts.entries)
    return Judgement(*_met("使用人已登记", "an officer was signed on"), facts.entries)


def pre_use_check(facts: ShiftFacts, _values: Values, _now: Moment) -> Judgement:
    """Battery and storage were looked at before use."""
    if facts.fit is None:
        return Judgement(*_broken("使用前未检查", "no check before use"), facts.entries)
    if not facts.fit and facts.recorded:
        why = Words("检查未通过仍使用，须说明", "used although the check said no: a person has to say why")
        return Judgement(Verdict.PERSON, why, facts.entries)
    return Judgement(*_met("使用前已检查", "checked before use"), facts.entries)


def fault_stops_use(facts: ShiftFacts, _values: Values, _now: Moment) -> Judgement | None:
    """A recorder with a fault is put away, reported and repaired."""
    if not facts.faults:
        return None
    open_faults = [fault for fault in facts.faults if not fault.cleared]
    if any(fault.used_after for fault in open_faults):
        return Judgement(*_broken("故障后仍继续使用", "used on after a fault"), facts.entries)
    if open_faults:
        why = Words("设备故障，须报修", "a fault: report it and have it repaired")
        return Judgement(Verdict.PERSON, why, facts.entries)
    return Judgement(*_met("故障已排除", "the fault was cleared"), facts.entries)


# --- acts


def must_record(facts: ActFacts, values: Values, _now: Moment) -> Judgement | None:
    """An act of this kind has a recording, or an excuse that the article knows."""
    if not (facts.situations | {Situation.ENFORCEMENT}) & frozenset(values["situations"]):
        return None
    if facts.recordings:
        return Judgement(*_met("已录音录像", "recorded"), facts.entries)
    if facts.excuse is not None and facts.excuse in values.get("excuses", ()):
        return Judgement(
            *_met(f"依法可不记录（{EXCUSES_ZH[facts.excuse]}）", f"excused: {facts.excuse}"), facts.entries
        )
    return Judgement(*_broken("未录音录像", "not recorded"), facts.entries)


# --- cases


def case_file(facts: CaseFacts, values: Values, now: Moment) -> Judgement:
    """The file is made and handed over in time after the end of the act."""
    if facts.ended is None:
        return Judgement(Verdict.OPEN, Words("执法行为尚未终结", "the act has not ended"), facts.entries)
    return due_after(Words("立卷归档", "the case file"), values, facts.ended, facts.filed, now, facts.entries)


def evidence_statement(facts: CaseFacts, values: Values, now: Moment) -> Judgement | None:
    """Each recording that serves as evidence is on disc (or its place is stated) with all that is to be noted."""
    if not facts.exhibits:
        return None
    wanted = frozenset(values["notes"])
    lacking = frozenset[str]().union(*(wanted - one.notes for one in facts.exhibits))
    unplaced = any(not one.on_disc and not (values["location"] and one.location) for one in facts.exhibits)
    if not lacking and not unplaced:
        return Judgement(*_met("载体及说明齐全", "media and statement are complete"), facts.entries)
    names = listed([*lacking, *(["medium"] if unplaced else [])], {**NOTES_ZH, "medium": "光盘或存储位置"})
    what = Words(f"证据载体及说明（缺{names.zh}）", f"the statement beside the evidence (lacks {names.en})")
    if facts.ended is None:
        return Judgement(Verdict.OPEN, what, facts.entries)
    return due_after(what, values, facts.ended, None, now, facts.entries)


# --- stored things


def _kept(facts: ItemFacts) -> Judgement:
    if facts.destroyed is None:
        return Judgement(*_met("保存中", "kept"), facts.entries, facts.kept_until_us)
    if facts.kept_until_us is None or facts.destroyed.utc_us < facts.kept_until_us or not facts.destroyed.believed:
        return Judgement(
            *_broken("保存期内销毁", "destroyed before the end of retention"), facts.entries, facts.kept_until_us
        )
    return Judgement(*_met("期满后销毁", "destroyed after the end of retention"), facts.entries, facts.kept_until_us)


def keep_routine(facts: ItemFacts, _values: Values, _now: Moment) -> Judgement:
    """Kept at least as long as routine recordings are; how long is `retention`'s to say."""
    return _kept(facts)


def keep_as_case_file(facts: ItemFacts, _values: Values, _now: Moment) -> Judgement | None:
    """Evidence is kept as long as its case file."""
    return _kept(facts) if facts.in_case else None


def keep_long_term(facts: ItemFacts, values: Values, _now: Moment) -> Judgement | None:
    """What met a trigger is kept for long, and on a medium of its own."""
    if not facts.triggers & frozenset(values["triggers"]):
        return None
    kept = _kept(facts)
    if kept.verdict is Verdict.MET and not facts.on_disc:
        why = Words("须刻录光盘等长期保存", "to be put on disc for long-term keeping")
        return Judgement(Verdict.PERSON, why, facts.entries, facts.kept_until_us)
    return kept


# --- looks and copies


def look_approved(facts: LookFacts, _values: Values, _now: Moment) -> Judgement:
    """Nobody looked at it or took a copy without approval."""
    if not facts.approved:
        return Judgement(*_broken("未经批准查阅或复制", "looked at or copied without approval"), facts.entries)
    return Judgement(*_met("经批准", "approved"), facts.entries)


def copy_through_one_unit(facts: LookFacts, _values: Values, _now: Moment) -> Judgement | None:
    """A copy that leaves goes through the one unit that may give it, which keeps one."""
    if not facts.leaves:
        return None
    if not (facts.by_copying_unit and facts.copy_kept):
        return Judgement(
            *_broken("未经统一提供或未复制留存", "not through the one unit, or no copy kept"), facts.entries
        )
    return Judgement(*_met("统一提供并复制留存", "through the one unit, a copy kept"), facts.entries)


def secrets_asked(facts: LookFacts, _values: Values, _now: Moment) -> Judgement | None:
    """Before a copy leaves somebody has answered whether it shows secrets or third persons."""
    if not facts.leaves:
        return None
    if not facts.secrets_asked:
        return Judgement(
            *_broken("未核查秘密及第三人信息", "nobody asked for secrets and third persons"), facts.entries
        )
    return Judgement(*_met("已核查秘密及第三人信息", "secrets and third persons were asked about"), facts.entries)


# --- months and the unit


def monthly_archive(facts: MonthFacts, values: Values, now: Moment) -> Judgement:
    """The month's recordings are in the archive by so many working days into the next month."""
    last_day = add_months(date(facts.year, facts.month, 1), 1) - timedelta(days=1)
    count = add_working_days(last_day, values["working_days"])
    by = Deadline(end_of_day_us(count.day), count.unpublished)
    return due(Words("月度归档备份", "the monthly archive"), facts.archived, by, now, facts.entries)


def spot_check(facts: UnitFacts, values: Values, now: Moment) -> Judgement:
    """Recordings are drawn and looked at regularly."""
    what = Words("抽检回放", "the spot check")
    judged = due_after(what, values, facts.spot_checked or facts.working_since, None, now, facts.entries)
    if judged.verdict is Verdict.OPEN and facts.spot_checked is not None:
        return Judgement(*_met("已按期抽检", "spot checks are up to date"), facts.entries, judged.deadline_us)
    return judged


def item_list(facts: UnitFacts, _values: Values, _now: Moment) -> Judgement:
    """There is a list of what is to be recorded: scope, stage, manner."""
    if facts.listed is None:
        return Judgement(
            *_broken("未编制音像记录事项清单", "there is no list of matters to be recorded"), facts.entries
        )
    if not facts.listed:
        return Judgement(*_broken("清单项目不全", "the list lacks scope, stage or manner"), facts.entries)
    return Judgement(*_met("清单齐全", "the list is complete"), facts.entries)
