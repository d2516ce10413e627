"""The numbers behind the card for monitoring: one table for Prometheus metrics and for Nagios performance data.

Base units and names as both have them: seconds, bytes, ratios are per cent only where the card's limit is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device.health.facts import Facts
from device.health.limits import RULES, Range


@dataclass(frozen=True, slots=True)
class Measure:
    """`metric` for Prometheus, `label` and `uom` (unit of measure: s, %, B or none) for Nagios.

    `item` names the rule whose limits are given with the number, where it is in the rule's own unit.
    """

    metric: str
    help: str
    label: str
    uom: str
    value: Callable[[Facts], float | None]
    item: str | None = None


MEASURES: tuple[Measure, ...] = (
    Measure(
        "camera_last_frame_age_seconds", "Time since the last picture.", "frame_age", "s",
        lambda f: f.camera.last_frame_age_s if f.camera else None, "last picture",
    ),
    Measure(
        "camera_frames_per_second", "Pictures a second over the last seconds.", "frame_rate", "",
        lambda f: f.camera.frames_per_s if f.camera else None,
    ),
    Measure(
        "microphone_level_dbfs", "Loudest second of the last ten, RMS against full scale.", "sound_level", "",
        lambda f: f.microphone.level_dbfs if f.microphone else None, "sound level",
    ),
    Measure(
        "card_free_bytes", "Room on the card.", "card_free", "B",
        lambda f: f.card.free_bytes if f.card else None,
    ),
    Measure(
        "card_left_seconds", "Recording time that the room on the card lasts.", "card_left", "s",
        lambda f: f.card.minutes_left * 60 if f.card and f.card.minutes_left is not None else None,
    ),
    Measure(
        "card_wear_percent", "How much of the card's life is used up.", "card_wear", "%",
        lambda f: f.card.wear_pct if f.card else None, "card wear",
    ),
    Measure(
        "card_written_bytes", "Bytes ever written to the file system.", "card_written", "B",
        lambda f: f.card.written_bytes if f.card else None,
    ),
    Measure(
        "battery_level_percent", "Charge of the battery.", "battery_level", "%",
        lambda f: f.battery.level_pct if f.battery else None, "battery level",
    ),
    Measure(
        "battery_left_seconds", "Recording time that the battery lasts.", "battery_left", "s",
        lambda f: f.battery.minutes_left * 60 if f.battery and f.battery.minutes_left is not None else None,
    ),
    Measure(
        "battery_capacity_percent", "What the battery holds of what it held when new.", "battery_health", "%",
        lambda f: f.battery.capacity_pct if f.battery else None, "battery health",
    ),
    Measure(
        "temperature_celsius", "Temperature of the board.", "temperature", "",
        lambda f: f.heat.celsius if f.heat else None, "temperature",
    ),
    Measure(
        "throttled", "1 while the board has slowed down to protect itself.", "throttled", "",
        lambda f: float(f.heat.throttled) if f.heat else None,
    ),
    Measure(
        "clock_drift_ppm", "Drift of the clock, parts per million.", "clock_drift", "",
        lambda f: f.drift_ppm,
    ),
    Measure(
        "certificate_left_seconds", "Time until the first certificate expires.", "certificate_left", "s",
        lambda f: f.certificate_left_s,
    ),
    Measure(
        "open_interruptions", "Interruptions that nobody has explained.", "open_interruptions", "",
        lambda f: len(f.open), "interruptions",
    ),
    Measure(
        "backlog_segments", "Segments that wait for the dock.", "backlog_segments", "", lambda f: f.backlog.segments,
    ),
    Measure("backlog_bytes", "Bytes that wait for the dock.", "backlog", "B", lambda f: f.backlog.bytes),
    Measure(
        "offload_left_seconds", "Time until the nearest offload deadline.", "offload_left", "s",
        lambda f: f.backlog.deadline_left_s,
    ),
    Measure("uptime_seconds", "Time since the recorder's boot.", "uptime", "s", lambda f: f.at.boot_us / 1e6),
)  # fmt: skip
_LIMITS = {rule.name: rule.limit for rule in RULES}


def perfdata(facts: Facts) -> str:
    """Nagios performance data: 'label'=value[UOM];[warn];[crit], what is not known left out."""
    given = ((measure, measure.value(facts)) for measure in MEASURES)
    return " ".join(
        f"{measure.label}={value:.10g}{measure.uom};{_thresholds(measure)}"
        for measure, value in given
        if value is not None
    )


def _thresholds(measure: Measure) -> str:
    """Ranges of the guidelines: alert outside `N:` (below N), or of `N` (above N; below zero too, so `~:N`)."""
    limit = _LIMITS[measure.item] if measure.item else None
    if not isinstance(limit, Range):
        return ";"
    both = (limit.warning, limit.critical)
    return ";".join("" if one is None else f"{one:g}:" if limit.low else f"~:{one:g}" for one in both)
