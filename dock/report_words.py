"""The words of a report, Chinese with English beside it, and its colours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from evidence.account import Use
from evidence.explanation import CAUSES, PARTS, REASONS
from evidence.regimes.model import Verdict, Words
from evidence.standing import Standing

USE_WORDS: Mapping[Use, Words] = {
    Use.RECORDED: Words("已录", "recorded"),
    Use.EXPLAINED: Words("未录，已说明", "not recorded, explained"),
    Use.UNEXPLAINED: Words("未录，未说明", "not recorded, unexplained"),
    Use.STANDBY: Words("待机", "standby"),
    Use.OFF: Words("关机", "off"),
}
USE_COLOURS: Mapping[Use, str] = {
    Use.RECORDED: "#3d7a5f", Use.EXPLAINED: "#8fb0cf", Use.UNEXPLAINED: "#c2483d", Use.STANDBY: "#dde2e6",
    Use.OFF: "#f3f4f5",
}  # fmt: skip
VERDICT_COLOURS: Mapping[Verdict, str] = {
    Verdict.MET: "#3d7a5f", Verdict.OPEN: "#4a78a8", Verdict.PERSON: "#9a7420", Verdict.BROKEN: "#c2483d",
    Verdict.OUTSIDE: "#8a9299",
}  # fmt: skip
BAR_COLOUR = "#8fb0cf"
STANDING_WORDS: Mapping[Standing, Words] = {
    Standing.OPEN: Words("未说明", "nobody has said why"),
    Standing.EXPLAINED: Words("已说明", "explained"),
    Standing.REPORTED: Words("已报告，待书面说明", "reported, to be written down"),
    Standing.WRITTEN: Words("已书面说明", "written down"),
}
CHECK_WORDS: Mapping[str, Words] = {
    "offload": Words("存储至采集站", "offload"),
    "interruption": Words("中断原因说明", "reasons of breaks"),
    "continuous": Words("缺失时段说明", "missing seconds"),
    "classified": Words("分类项目", "classification"),
    "monthly_archive": Words("月度归档", "monthly archive"),
    "spot_check": Words("抽检回放", "spot checks"),
    "case_file": Words("立卷归档", "case files"),
    "evidence_statement": Words("证据载体及说明", "statements beside evidence"),
}
"""The checks that have a time in which something has to be done."""


def cause_words(cause: str, part: str | None) -> Words:
    """Why a recording broke, as the machine saw it."""
    zh = CAUSES.get(cause, cause)
    if part is None:
        return Words(zh, cause.replace("_", " "))
    return Words(f"{zh}（{PARTS.get(part, part)}）", f"{cause.replace('_', ' ')} ({part})")


def reason_words(reason: str | None) -> Words:
    """Why it broke, as the officer said."""
    if reason is None:
        return Words("—", "—")
    return Words(REASONS.get(reason, reason), reason.replace("_", " "))


def duration(length_us: int) -> str:
    """Hours, minutes and whole seconds."""
    return str(timedelta(seconds=round(length_us / 1_000_000)))


def seconds(length_us: int) -> str:
    """Seconds that add up, for a spreadsheet."""
    return f"{length_us / 1_000_000:.3f}"
