"""The draft of a written explanation: everything that the journal knows about one interruption. Pure.

Where the reason cannot be spoken into the recording, it is written down afterwards (pingluo 8, changzhi 21, xuchang
19). The machine fills in who, when, how long and what it read before and after; the officer adds what happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from evidence.account import Interruption, accounts
from evidence.errors import BadInputError
from evidence.journal import Entry
from evidence.model import EPOCH, Officer, utc_text

READINGS = ("battery", "storage", "heat")
CAUSES: Mapping[str, str] = {
    "battery_low": "电量不足",
    "storage_full": "存储空间不足",
    "device_fault": "设备故障",
    "power_loss": "意外断电",
    "tamper": "机壳被打开",
    "operator_stop": "录像中关机",
}
PARTS: Mapping[str, str] = {
    "camera": "镜头", "card": "存储卡", "key": "签名密钥", "heat": "过热", "queue": "处理过载", "agent": "程序",
}  # fmt: skip
REASONS: Mapping[str, str] = {
    "device_fault": "设备故障",
    "weather": "天气恶劣",
    "battery": "电量不足",
    "storage": "存储空间不足",
    "obstruction": "现场人员阻挠",
    "other": "其他特殊情况",
    "spoken": "口述，见语音说明",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """All that is known; `before` and `after` map a kind of reading to its fields, nearest to the break."""

    device: str
    officer: Officer | None
    interruption: Interruption
    offset_min: int
    note: str | None
    before: Mapping[str, Mapping[str, Any]]
    after: Mapping[str, Mapping[str, Any]]


def draft(entries: Iterable[Entry], interruption: str) -> Draft:
    """The draft for one interruption in a recorder's journal. Raises BadInputError for one that is not there."""
    listed = list(entries)
    known = {one.interruption: one for account in accounts(listed) for one in account.interruptions}
    if interruption not in known:
        hint = f"known are {', '.join(known)}" if known else "this recorder has had none"
        raise BadInputError(f"interruption {interruption}", "is not in this journal", hint)
    place = next(
        seq for seq, one in enumerate(listed)
        if one.kind == "interruption" and one.fields["interruption"] == interruption
    )  # fmt: skip
    given = [one.fields for one in listed if one.kind == "reason" and one.fields["interruption"] == interruption]
    return Draft(
        device=listed[0].device,
        officer=_officer(listed[: place + 1]),
        interruption=known[interruption],
        offset_min=listed[place].at.offset_min,
        note=next((fields["note"] for fields in given if fields["note"] is not None), None),
        before=_nearest(reversed(listed[:place])),
        after=_nearest(listed[place + 1 :]),
    )


def draft_fields(one: Draft) -> dict[str, Any]:
    """The draft for machines."""
    broken = one.interruption
    return {
        "recorder": one.device,
        "officer": None if one.officer is None else one.officer.to_fields(),
        "interruption": broken.interruption,
        "recording": broken.recording,
        "cause": broken.cause,
        "part": broken.part,
        "reason": broken.reason,
        "note": one.note,
        "state": broken.state.value,
        "start": utc_text(broken.start_us),
        "end": None if broken.end_us is None else utc_text(broken.end_us),
        "before": dict(one.before),
        "after": dict(one.after),
    }


def draft_text(one: Draft) -> str:
    """The form that the officer completes, Chinese with English beside it."""
    broken = one.interruption
    who = one.officer
    officer = "未指派 unassigned" if who is None else f"{who.name}（{who.number}）{who.unit}"
    part = f"（{PARTS.get(broken.part, broken.part)} {broken.part}）" if broken.part else ""
    end = "未恢复 not resumed" if broken.end_us is None else _local(broken.end_us, one.offset_min)
    length = "—" if broken.end_us is None else f"{(broken.end_us - broken.start_us) / 1_000_000:.3f} s"
    said = broken.reason
    reason = "未说明 none given" if said is None else f"{REASONS.get(said, said)} {said}"
    rows = [
        ("执法记录仪 recorder", one.device),
        ("执法人员 officer", officer),
        ("录像编号 recording", broken.recording),
        ("中断编号 interruption", broken.interruption),
        ("中断开始 from", _local(broken.start_us, one.offset_min)),
        ("恢复时间 to", end),
        ("中断时长 length", length),
        ("设备记录的原因 machine cause", f"{CAUSES.get(broken.cause, broken.cause)}{part} {broken.cause}"),
        ("执法人员说明的原因 reason given", reason),
        ("语音说明 voice note", one.note or "无 none"),
        ("中断前设备状态 readings before", _readings(one.before)),
        ("中断后设备状态 readings after", _readings(one.after)),
    ]
    lines = ["执法音像记录中断情况说明（草稿） Explanation of an interrupted recording (draft)", ""]
    lines += [f"{name}：{value}" for name, value in rows]
    lines += ["", "情况说明 what happened：", "", "签名 signature：            日期 date：", ""]
    return "\n".join(lines)


def _officer(entries: Sequence[Entry]) -> Officer | None:
    """Who was signed on last; `power_on` without a sign-on after it leaves the recorder unassigned."""
    for one in reversed(entries):
        if one.kind == "sign_on":
            return Officer.from_fields(one.fields)
    return None


def _nearest(entries: Iterable[Entry]) -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for one in entries:
        if one.kind in READINGS:
            found.setdefault(one.kind, one.fields)
    return found


def _readings(readings: Mapping[str, Mapping[str, Any]]) -> str:
    texts = {
        "battery": lambda fields: f"电量 battery {_or_unknown(fields['level_pct'], '%')}",
        "storage": lambda fields: f"存储 storage {_or_unknown(fields['minutes_left'], ' min')}",
        "heat": lambda fields: f"温度 heat {_or_unknown(fields['celsius'], ' °C')}",
    }
    told = [texts[kind](readings[kind]) for kind in READINGS if kind in readings]
    return "，".join(told) or "无 none"


def _or_unknown(value: Any, unit: str) -> str:
    return "未知 unknown" if value is None else f"{value}{unit}"


def _local(utc_us: int, offset_min: int) -> str:
    moment = EPOCH + timedelta(microseconds=utc_us, minutes=offset_min)
    hours, minutes = divmod(abs(offset_min), 60)
    return f"{moment:%Y-%m-%d %H:%M:%S} {'-' if offset_min < 0 else '+'}{hours:02d}:{minutes:02d}"
