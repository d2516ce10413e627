"""Facts of a recorder that is well, and what a test changes in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from device.health.facts import (
    BacklogFacts,
    BatteryFacts,
    CameraFacts,
    CardFacts,
    Facts,
    HeatFacts,
    MicrophoneFacts,
)
from evidence.model import ClockGrade, Timestamp
from tests.device.hand_clock import BOOT, UTC_AT_BOOT_US
from tests.device.unit import DEVICE

DAY_S = 86_400.0
AT = Timestamp(UTC_AT_BOOT_US, 480, ClockGrade.NTP, 1500, BOOT, 42_000_000)


def well(**changed: Any) -> Facts:
    """All items of its card are ok. `camera__running=False` changes a field of a part."""
    facts = Facts(
        device=DEVICE,
        at=AT,
        software="liuhen 0.1.0",
        journal_seq=41,
        state="recording",
        camera=CameraFacts(True, 30, 29.97, 0.05),
        microphone=MicrophoneFacts(True, -34.0),
        card=CardFacts(20_000_000_000, 860, False, False, 10, 1, 3_000_000_000),
        battery=BatteryFacts(93.0, 610, 4.02, 97.0, "good"),
        heat=HeatFacts(52.0, False),
        drift_ppm=-4.0,
        step_us=None,
        certificate_left_s=400 * DAY_S,
        officer="110123",
        open=(),
        backlog=BacklogFacts(3, 60_000_000, 3600.0, 40 * 3600.0),
        pause=None,
        crash_age_s=None,
    )
    for name, value in changed.items():
        part, _, field = name.partition("__")
        new = replace(getattr(facts, part), **{field: value}) if field else value
        facts = replace(facts, **{part: new})
    return facts
