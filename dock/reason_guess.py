"""Which reason does a spoken note give? An optional help for who completes an explanation at the dock.

The note is not written down by a machine: each phrase of a closed list is scored against the sound, and the best
reason is proposed with its confidence, or none at all. A proposal closes no interruption and is no evidence; the sound
is. Nothing of this runs on a recorder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from evidence.errors import BadInputError

PHRASES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "zh-CN": {
        "device_fault": ("设备故障", "设备坏了", "记录仪出现故障", "设备突然出现故障，录像中断了"),
        "weather": ("天气恶劣", "下大雨", "天气原因", "因为天气恶劣，录像中断了"),
        "battery": ("电量不足", "电池没电了", "刚才没电了，换了电池"),
        "storage": ("存储空间不足", "内存满了", "存储空间满了，录像停了"),
        "obstruction": ("现场人员阻挠", "有人阻挠执法", "当事人阻挠执法，打掉了记录仪"),
        "other": ("其他特殊情况", "情况特殊", "因为特殊情况，停止了录像"),
    },
    "en": {
        "device_fault": ("Device fault.", "The recorder broke down.", "The device failed."),
        "weather": ("Bad weather.", "Heavy rain.", "It was because of the weather."),
        "battery": ("Battery low.", "The battery was empty.", "I changed the battery."),
        "storage": ("Storage full.", "The storage was full.", "No space left."),
        "obstruction": ("Obstruction by persons.", "A person obstructed us.", "Somebody knocked the recorder down."),
        "other": ("Other special circumstances.", "Special circumstances."),
    },
}
"""By language and reason, what officers say; a reason is as likely as the best of its phrases."""

LEAST_LIKELY = -4.4
"""A note whose best phrase is less likely speaks of something else: those scored -4.5 to -5.7, reasons -0.2 to -4.3."""
SHARPNESS = 0.2
"""How far apart likelihoods must lie to tell reasons apart: 0.45, which no wrong answer had, is then nine to one."""
LEAST_CONFIDENCE = 0.6


@dataclass(frozen=True, slots=True)
class Guess:
    """A proposal: a reason's code, and how sure it is against the other reasons, 0 to 1."""

    reason: str
    confidence: float


class Listener(Protocol):
    """Something that knows how likely it is that a phrase was said."""

    def likelihoods(self, note: bytes, language: str, phrases: Sequence[str]) -> list[float]:
        """For each phrase the mean natural logarithm of the probability of its parts. Raises BadInputError."""


def guess_reason(listener: Listener, note: bytes, language: str) -> Guess | None:
    """What the note (a sound file) probably gives as its reason; None when it gives none of the list.

    Raises BadInputError for a note that cannot be heard or a language without phrases.
    """
    if language not in PHRASES:
        raise BadInputError(f"voice note in {language}", "there are no phrases of this language")
    reasons = PHRASES[language]
    scores = iter(listener.likelihoods(note, language, [one for said in reasons.values() for one in said]))
    return choose({reason: max(next(scores) for _ in said) for reason, said in reasons.items()})


def choose(likelihoods: Mapping[str, float]) -> Guess | None:
    """The best reason, unless it is unlikely in itself or hardly better than another."""
    best = max(likelihoods, key=lambda reason: likelihoods[reason])
    if likelihoods[best] < LEAST_LIKELY:
        return None
    others = sum(math.exp((one - likelihoods[best]) / SHARPNESS) for one in likelihoods.values())
    return Guess(best, 1 / others) if 1 / others >= LEAST_CONFIDENCE else None
