"""Time stamps and names: what is read is exactly what was written, and nothing else is read."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import BadInputError
from evidence.model import (
    BOOT_ID,
    DEVICE_ID,
    EPOCH,
    SEGMENT_ID,
    ClockGrade,
    Timestamp,
    segment_id,
    shard_of,
    utc_from_text,
    utc_text,
)
from tests.evidence.golden import BOOT, stamp

BEGIN_US = (datetime(1, 1, 1, tzinfo=EPOCH.tzinfo) - EPOCH) // timedelta(microseconds=1)
END_US = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=EPOCH.tzinfo) - EPOCH) // timedelta(microseconds=1)

stamps = st.builds(
    Timestamp,
    utc_us=st.integers(0, END_US),
    offset_min=st.integers(-1439, 1439),
    grade=st.sampled_from(ClockGrade),
    error_us=st.none() | st.integers(0, 2**62),
    boot=st.text("0123456789abcdef", min_size=32, max_size=32),
    boot_us=st.integers(0, 2**62),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def test_the_time_as_it_is_written() -> None:
    assert utc_text(1_795_267_085_123_456) == "2026-11-21T13:18:05.123456Z"
    assert utc_text(0) == "1970-01-01T00:00:00.000000Z"


@given(utc_us=st.integers(BEGIN_US, END_US))
def test_a_time_comes_back_from_its_text(utc_us: int) -> None:
    assert utc_from_text(utc_text(utc_us)) == utc_us


@given(at=stamps)
def test_a_stamp_comes_back_from_its_json(at: Timestamp) -> None:
    assert Timestamp.from_fields(json.loads(json.dumps(at.to_fields()))) == at


@given(at=stamps)
def test_a_stamp_shows_a_wall_clock(at: Timestamp) -> None:
    with suppress(OverflowError):  # only in the first and last day of the calendar
        assert at.local().utcoffset() == timedelta(minutes=at.offset_min)
        assert (at.local() - EPOCH) // timedelta(microseconds=1) == at.utc_us


def test_the_wall_clock_of_the_recorder() -> None:
    assert stamp().local().isoformat() == "2026-11-21T21:18:05.123456+08:00"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("utc", "2026-11-21 13:18:05.123456Z"), ("utc", "2026-11-21T13:18:05Z"), ("utc", "2026-02-30T13:18:05.123456Z"),
        ("utc", "2026-11-21T13:18:05.123456+00:00"), ("utc", "２０２６-11-21T13:18:05.123456Z"), ("utc", 1_795_267_085),
        ("utc", "2026-11-21T13:18:05.123456Z\n"), ("utc", "0000-11-21T13:18:05.123456Z"),
        ("offset_min", "480"), ("offset_min", 480.0), ("offset_min", True), ("offset_min", 1440), ("offset_min", -1440),
        ("offset_min", None), ("offset_min", float("inf")), ("offset_min", float("nan")),
        ("grade", "perfect"), ("grade", None), ("grade", []), ("grade", "NTP"),
        ("error_us", -1), ("error_us", 1.5), ("error_us", "1"), ("error_us", 2**63), ("error_us", float("inf")),
        ("boot", BOOT[:-1]), ("boot", BOOT.upper()), ("boot", BOOT + "\n"), ("boot", None), ("boot", int("1" * 32)),
        ("boot_us", -1), ("boot_us", 2**63), ("boot_us", "1"), ("boot_us", 1e6), ("boot_us", False), ("boot_us", None),
    ],
)  # fmt: skip
def test_a_stamp_with_an_impossible_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(BadInputError, match=field):
        Timestamp.from_fields(stamp().to_fields() | {field: value})


@pytest.mark.parametrize("field", stamp().to_fields())
def test_a_stamp_without_a_field_is_refused(field: str) -> None:
    fields = stamp().to_fields()
    del fields[field]
    with pytest.raises(BadInputError, match=field):
        Timestamp.from_fields(fields)


@given(fields=json_values | st.fixed_dictionaries(dict.fromkeys(stamp().to_fields(), json_values)))
def test_anything_else_is_no_stamp(fields: object) -> None:
    with pytest.raises(BadInputError):
        Timestamp.from_fields(fields)


@given(boot=st.text("0123456789abcdef", min_size=32, max_size=32), number=st.integers(0, 99_999))
def test_a_segments_name_is_one(boot: str, number: int) -> None:
    assert BOOT_ID.fullmatch(boot)
    assert SEGMENT_ID.fullmatch(segment_id(boot, number))


@given(device=st.from_regex(DEVICE_ID, fullmatch=True))
def test_a_shard_is_one_hexadecimal_digit(device: str) -> None:
    assert re.fullmatch("[0-9a-f]", shard_of(device))


def test_the_shard_of_a_recorder_is_the_first_byte_of_its_hash_modulo_16() -> None:
    # printf BWC-0001 | sha256sum, printf dock | sha256sum
    assert (shard_of("BWC-0001"), shard_of("dock")) == ("1", "8")
