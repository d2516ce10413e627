"""Checks of one recording, one interruption, one declared pause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from evidence.regimes.deadlines import Deadline, deadline, due, due_after, without_start
from evidence.regimes.facts import (
    Cause,
    Field,
    InterruptionFacts,
    Moment,
    PauseFacts,
    RecordingFacts,
    Said,
    Statement,
)
from evidence.regimes.model import Judgement, Verdict, Words
from evidence.standing import Standing
from evidence.verify import Verdict as Authenticity

HOUR_US = 3_600_000_000
Values = Mapping[str, Any]

SAID_ZH: Mapping[str, str] = {
    Said.TIME: "时间", Said.PLACE: "地点", Said.OFFICERS: "执法人员", Said.CAUSE: "执法事由", Said.OBJECT: "执法对象",
    Said.STAGE: "记录环节", Said.ACT: "执法行为", Said.BEING_RECORDED: "告知正在记录",
    Field.UNIT: "单位（科室）名称", Field.RECORDER: "设备编号", Field.OFFICER: "执法人员",
    Field.TIME_OF_USE: "使用时间", Field.PARTY: "案件当事人", Field.CAUSE: "案由",
}  # fmt: skip


def listed(names: Iterable[str], zh: Mapping[str, str] = SAID_ZH) -> Words:
    """Names in a fixed order, for a sentence."""
    ordered = sorted(names)
    return Words("、".join(zh.get(name, name) for name in ordered), ", ".join(ordered))


def statement(facts: RecordingFacts, values: Values, _now: Moment) -> Judgement:
    """The opening statement was spoken; where somebody has listened to it, that it says all that it has to."""
    proofs = facts.proofs("statement_asked", "statement_heard", "statement_missing", "reviewed")
    if facts.said is not None:
        lacking = frozenset(values["phrases"]) - facts.said
        if lacking:
            names = listed(lacking)
            return Judgement(
                Verdict.BROKEN, Words(f"开场说明缺：{names.zh}", f"the statement lacks {names.en}"), proofs
            )
        return Judgement(
            Verdict.MET, Words("开场说明齐全（已复听）", "the statement says it all (listened to)"), proofs
        )
    return Judgement(*_STATEMENTS[facts.statement], proofs)


_STATEMENTS: Mapping[Statement, tuple[Verdict, Words]] = {
    Statement.HEARD: (
        Verdict.MET,
        Words("已作开场说明（内容由抽检复听）", "a statement was spoken (what it says is for the spot check to hear)"),
    ),
    Statement.AWAITED: (Verdict.OPEN, Words("等待开场说明", "the statement is awaited")),
    Statement.MISSING: (Verdict.BROKEN, Words("未作开场说明", "no statement was spoken")),
}


def start_and_end(facts: RecordingFacts, _values: Values, _now: Moment) -> Judgement:
    """Both ends of the recording have a time that can be believed."""
    proofs = facts.proofs("recording_started", "recording_stopped")
    if not facts.began.believed or (facts.ended is not None and not facts.ended.believed):
        why = Words("时钟未校准，起止时间须人工核定", "the clock was not set, a person has to find the times")
        return Judgement(Verdict.PERSON, why, proofs)
    if facts.ended is None:
        return Judgement(Verdict.OPEN, Words("正在录制", "still recording"), proofs)
    return Judgement(Verdict.MET, Words("起止时间已记录", "start and end are recorded"), proofs)


def continuous(facts: RecordingFacts, values: Values, now: Moment) -> Judgement:
    """No second between start and stop is missing without an explanation."""
    proofs = facts.proofs("recording_started", "recording_stopped", "interruption")
    if facts.unexplained_us == 0:
        why = Words("连续完整", "without a break")
        if facts.breaks:
            why = Words(f"中断{facts.breaks}次，均已说明", f"{facts.breaks} breaks, each of them explained")
        return Judgement(Verdict.MET, why, proofs)
    seconds = facts.unexplained_us / 1_000_000
    what = Words(f"{seconds:.1f}秒缺失的说明", f"the explanation of {seconds:.1f} s without a picture")
    return due_after(what, values, facts.ended or facts.began, None, now, proofs)


def offload(facts: RecordingFacts, values: Values, now: Moment) -> Judgement:
    """All of it is at the dock in time; later for those who were away, and only for them."""
    what = Words("存储至采集站", "the offload")
    proofs = facts.proofs("recording_stopped", "stored", "away")
    if facts.ended is None:
        return Judgement(Verdict.OPEN, Words("正在录制", "still recording"), proofs)
    if not facts.ended.believed:
        return without_start(what, proofs)
    due_by = deadline(values, facts.ended.utc_us)
    if facts.away is not None and "away_hours" in values:
        if facts.away.returned is None:
            return Judgement(*_AWAY[facts.stored is not None], proofs)
        if not facts.away.returned.believed:
            return without_start(what, proofs)
        back_us = facts.away.returned.utc_us + values["away_hours"] * HOUR_US
        due_by = max(due_by, Deadline(back_us), key=lambda one: one.end_us)
    return due(what, facts.stored, due_by, now, proofs)


_AWAY: Mapping[bool, tuple[Verdict, Words]] = {
    True: (Verdict.MET, Words("外出执法期间已存储", "stored while away on duty")),
    False: (Verdict.OPEN, Words("外出执法，尚未返回单位", "away on duty, not yet returned")),
}


def classified(facts: RecordingFacts, values: Values, now: Moment) -> Judgement:
    """All fields by which it is filed are known."""
    proofs = facts.proofs("sign_on", "classified")
    missing = frozenset(values["fields"]) - facts.classified
    if not missing:
        return Judgement(Verdict.MET, Words("分类项目齐全", "classified in full"), proofs)
    names = listed(missing)
    what = Words(f"补录分类项目（{names.zh}）", f"the classification ({names.en})")
    return due_after(what, values, facts.ended or facts.began, None, now, proofs)


def intact(facts: RecordingFacts, _values: Values, _now: Moment) -> Judgement | None:
    """What is stored is what the recorder signed."""
    if facts.authenticity is None:
        return None
    return Judgement(*_AUTHENTIC.get(facts.authenticity, _UNJUDGED), facts.proofs("segment", "stored"))


_AUTHENTIC: Mapping[Authenticity, tuple[Verdict, Words]] = {
    Authenticity.AUTHENTIC: (Verdict.MET, Words("真实完整", "authentic")),
    Authenticity.GAPS: (Verdict.PERSON, Words("真实，但有缺失，须查明原因", "authentic with gaps: find out why")),
    Authenticity.NOT_AUTHENTIC: (Verdict.BROKEN, Words("不真实", "not authentic")),
}
_UNJUDGED = Verdict.PERSON, Words("无法核验，须人工处理", "cannot be judged here: see liuhen verify")


def interruption(facts: InterruptionFacts, values: Values, now: Moment) -> Judgement:
    """Said into the recording when it went on; else reported where the article wants it, and written down."""
    proofs = facts.proofs("interruption", "resumed", "reason", "reported", "report_taken", "explanation")
    if values.get("report") and facts.report_due and not facts.reported:
        return Judgement(Verdict.BROKEN, Words("未向负责人报告", "the head of the unit was not told"), proofs)
    if facts.standing is Standing.WRITTEN or facts.standing is Standing.REPORTED or not facts.resumed:
        return due_after(_WRITING, values, facts.began, facts.written, now, proofs)
    if facts.standing is Standing.OPEN:
        return due_after(_REASON, values, facts.began, None, now, proofs)
    if facts.reason not in (Cause.SPOKEN, *values["causes"]):
        why = Words(
            "本条未列举此中断原因，须人工审核", "a reason that the article does not name: a person has to judge it"
        )
        return Judgement(Verdict.PERSON, why, proofs)
    return Judgement(Verdict.MET, Words("恢复后已说明原因", "explained on resuming"), proofs)


_WRITING = Words("书面说明", "the written explanation")
_REASON = Words("中断原因说明", "the reason of the break")


def pause(facts: PauseFacts, values: Values, _now: Moment) -> Judgement:
    """Nothing was recorded on purpose: in a place that the article names, and no longer than declared."""
    proofs = facts.proofs("paused", "pause_reason", "pause_ended")
    if facts.reason is None:
        return Judgement(Verdict.PERSON, Words("暂停未说明理由", "a pause without a reason"), proofs)
    if facts.reason not in values["reasons"]:
        return Judgement(Verdict.PERSON, Words("暂停理由非本条所列", "a reason that the article does not name"), proofs)
    if facts.overrun:
        return Judgement(Verdict.PERSON, Words("暂停超时", "the pause lasted beyond its limit"), proofs)
    return Judgement(Verdict.MET, Words("属不宜记录场所", "a place where nothing needs to be recorded"), proofs)
