"""The words of this house as frozen data: time stamps, identities, fragments (design section 2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Any

from evidence.errors import BadInputError

DEVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,31}")
SEGMENT_ID = re.compile(r"[0-9a-f]{12}-[0-9]{5}")
BOOT_ID = re.compile(r"[0-9a-f]{32}")
UTC_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
COUNT_END = 2**63
MINUTES_PER_DAY = 24 * 60
SHARDS = 16
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockGrade(StrEnum):
    """Where the recorder's idea of UTC comes from, worst first."""

    UNSET = "unset"
    """Nobody has set the clock since power on."""
    RTC = "rtc"
    """A battery-backed clock that runs by itself."""
    DOCK = "dock"
    """Set by the dock's signed time."""
    NTP = "ntp"
    """Disciplined by network time."""
    GNSS = "gnss"
    """Disciplined by satellites."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """One instant on both clocks: UTC as then believed, and time since a named boot, which nothing can step.

    `error_us` is the bound of the UTC error where somebody knows it.
    """

    utc_us: int
    offset_min: int
    grade: ClockGrade
    error_us: int | None
    boot: str
    boot_us: int

    def to_fields(self) -> dict[str, Any]:
        """The JSON form, as it stands in the `at` of every entry (docs/FORMAT.md)."""
        return {
            "utc": utc_text(self.utc_us),
            "offset_min": self.offset_min,
            "grade": self.grade.value,
            "error_us": self.error_us,
            "boot": self.boot,
            "boot_us": self.boot_us,
        }

    @classmethod
    def from_fields(cls, fields: Any) -> Timestamp:
        """Read the JSON form. Raises BadInputError for anything else."""
        if not isinstance(fields, dict):
            raise BadInputError("time stamp", "is not a JSON object")
        for name, possible in _POSSIBLE.items():
            if name not in fields or not possible(fields[name]):
                raise BadInputError("time stamp", f"has an impossible {name}: {str(fields.get(name))[:60]!r}")
        return cls(
            utc_us=utc_from_text(fields["utc"]),
            offset_min=fields["offset_min"],
            grade=ClockGrade(fields["grade"]),
            error_us=fields["error_us"],
            boot=fields["boot"],
            boot_us=fields["boot_us"],
        )

    def at_boot_us(self, boot_us: int) -> Timestamp:
        """Another instant of the same boot, as this clock would have it."""
        return replace(self, utc_us=self.utc_us + boot_us - self.boot_us, boot_us=boot_us)

    def local(self) -> datetime:
        """The wall clock that people at the recorder saw, with its offset."""
        zone = timezone(timedelta(minutes=self.offset_min))
        return (EPOCH + timedelta(microseconds=self.utc_us)).astimezone(zone)


def utc_text(utc_us: int) -> str:
    """RFC 3339 in UTC with microseconds, for example 2026-11-21T13:18:05.123456Z."""
    moment = EPOCH.replace(tzinfo=None) + timedelta(microseconds=utc_us)
    return moment.isoformat(timespec="microseconds") + "Z"


def utc_from_text(text: str) -> int:
    """The opposite of `utc_text`: microseconds since 1970. Raises ValueError."""
    if not UTC_TEXT.fullmatch(text):
        raise ValueError(f"{text!r} is not a UTC time with microseconds")
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def is_whole(value: Any, low: int, high: int) -> bool:
    """True for an int from `low` to below `high`; a JSON truth value or fraction is none."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value < high


def _is_utc(value: Any) -> bool:
    try:
        utc_from_text(value)
    except (TypeError, ValueError):
        return False
    return True


_POSSIBLE: Mapping[str, Callable[[Any], bool]] = {
    "utc": _is_utc,
    "offset_min": lambda value: is_whole(value, -MINUTES_PER_DAY + 1, MINUTES_PER_DAY),
    "grade": lambda value: isinstance(value, str) and value in set(ClockGrade),
    "error_us": lambda value: value is None or is_whole(value, 0, COUNT_END),
    "boot": lambda value: isinstance(value, str) and BOOT_ID.fullmatch(value) is not None,
    "boot_us": lambda value: is_whole(value, 0, COUNT_END),
}


@dataclass(frozen=True, slots=True)
class FragmentInfo:
    """What one fragment holds, as its own boxes say: times in microseconds since the muxer's epoch."""

    pts_us: int
    duration_us: int
    frames: int
    samples: int


REGIMES = ("pingluo", "general", "weixian", "changzhi", "xuchang")
"""The five regulations that a unit may work under."""


@dataclass(frozen=True, slots=True)
class Officer:
    """Who wears the recorder: the certificate number, the name as printed on it, the unit, and the unit's regime."""

    number: str
    name: str
    unit: str
    regime: str | None = None

    def to_fields(self) -> dict[str, Any]:
        """The fields of the entries `sign_on` and `assignment`."""
        return {"officer": self.number, "name": self.name, "unit": self.unit, "regime": self.regime}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Officer:
        """Read them from an entry that has been checked."""
        return cls(fields["officer"], fields["name"], fields["unit"], fields["regime"])


@lru_cache(maxsize=1024)
def shard_of(device: str) -> str:
    """One hexadecimal digit that spreads devices over receivers (design section 7)."""
    return f"{sha256(device.encode()).digest()[0] % SHARDS:x}"


def segment_id(boot: str, number: int) -> str:
    """The name of the `number`th segment of a boot: unique by the boot's random id, in order within it."""
    return f"{boot[:12]}-{number:05d}"
