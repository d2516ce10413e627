"""The card in minutes, the board's heat, and the check before use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.ports import HeatReading
from device.watch.battery import BatteryBand, BatteryState
from device.watch.check import RULES, Readings, check
from device.watch.heat import HeatBand, HeatState, HeatWatch
from device.watch.storage import JOURNAL_BPS, StorageBand, StorageState, StorageWatch
from evidence.kinds import check_fields
from evidence.model import ClockGrade, Timestamp

RESERVE_BYTES = 8 << 20
BPS = 3_064_000
MINUTE_BYTES = (BPS + JOURNAL_BPS) * 60 // 8


def card() -> StorageWatch:
    return StorageWatch(BPS, RESERVE_BYTES)


@pytest.mark.parametrize(
    ("free", "releasable", "minutes"),
    [
        (RESERVE_BYTES, 0, 0),
        (0, 0, 0),
        (RESERVE_BYTES + 100 * MINUTE_BYTES, 0, 100),
        (RESERVE_BYTES, 100 * MINUTE_BYTES, 100),
        (RESERVE_BYTES + 40 * MINUTE_BYTES, 60 * MINUTE_BYTES, 100),
    ],
    ids=["the reserve is not for pictures", "full", "free", "receipted counts as free", "both"],
)
def test_minutes_left_on_the_card(free: int, releasable: int, minutes: int) -> None:
    state = card().look(free, releasable, 480)
    assert (state.minutes_left, state.free_bytes) == (minutes, minutes * MINUTE_BYTES)
    fields = {"free_bytes": state.free_bytes, "minutes_left": state.minutes_left, "band": state.band.value}
    check_fields("storage", fields, "storage")


def test_the_true_bit_rate_counts_as_soon_as_it_is_seen() -> None:
    watch, room = card(), RESERVE_BYTES + 100 * MINUTE_BYTES
    for _ in range(1800):
        watch.wrote(2 * BPS // 8, 1_000_000)
    assert watch.look(room, 0, 480).minutes_left == pytest.approx(50, abs=1)
    watch.wrote(10**9, 0)
    assert watch.look(room, 0, 480).minutes_left == pytest.approx(50, abs=1)


@given(
    fragments=st.lists(st.tuples(st.integers(0, 10**8), st.integers(-1, 10**8)), max_size=20),
    free=st.integers(0, 10**12),
)
def test_the_card_is_never_negative(fragments: list[tuple[int, int]], free: int) -> None:
    watch = card()
    for stored_bytes, duration_us in fragments:
        watch.wrote(stored_bytes, duration_us)
    state = watch.look(free, 0, 480)
    assert state.minutes_left >= 0
    assert state.lasts_shift == (state.minutes_left >= 480)


def test_a_card_that_fills_goes_through_its_bands_and_prompts() -> None:
    watch, seen, said = card(), [StorageBand.GOOD], []
    for tenths in range(400, -1, -1):
        state = watch.look(RESERVE_BYTES + tenths * MINUTE_BYTES // 10, 0, 20)
        assert state.lasts_shift == (tenths >= 200)
        seen += [state.band] if state.band is not seen[-1] else []
        said += [state.announce] if state.announce else []
    assert (seen, said) == (list(StorageBand), [30, 20, 10, 5])


def heats(*readings: float | None) -> str:
    watch = HeatWatch()
    return " ".join(watch.look(HeatReading(one, throttled=False)).band for one in readings)


@pytest.mark.parametrize(
    ("readings", "bands"),
    [
        ((45, 45, 45), "normal normal normal"),
        ((45, 45, 120, 45), "normal normal normal normal"),
        ((76, 76, 76, 86, 86), "normal normal hot hot critical"),
        ((90, 90, 90, 79, 79, 60, 60), "normal normal critical critical hot hot normal"),
        ((90, 90, 90, None, 90), "normal normal critical normal normal"),
        ((None, None), "normal normal"),
    ],
    ids=["cool", "one wrong reading", "warms", "cools", "sensor dies", "no sensor"],
)
def test_the_bands_of_heat(readings: tuple[float | None, ...], bands: str) -> None:
    assert heats(*readings) == bands


@given(readings=st.lists(st.tuples(st.one_of(st.none(), st.floats(-40, 130)), st.booleans())))
def test_any_heat_can_be_journalled(readings: list[tuple[float | None, bool]]) -> None:
    watch = HeatWatch()
    for celsius, throttled in readings:
        state = watch.look(HeatReading(celsius, throttled))
        assert state.throttled == throttled
        check_fields("heat", {"celsius": state.celsius, "throttled": throttled, "band": state.band.value}, "heat")


FIT = Readings(
    battery=BatteryState(93, 610, BatteryBand.GOOD, None, True, 480),
    storage=StorageState(10**11, 1300, StorageBand.GOOD, None, True),
    heat=HeatState(45, False, HeatBand.NORMAL),
    camera_ok=True,
    microphone_ok=True,
    card_ok=True,
    clock=Timestamp(1_795_267_085_000_000, 480, ClockGrade.NTP, None, "0" * 32, 0),
    officer="640221-0117",
    certificate_days_left=300,
    open_interruptions=0,
)


def test_a_recorder_that_is_fit() -> None:
    found = check(FIT)
    assert found.fit
    assert found.findings == (
        ("battery", "ok", "93 %, 610 min"),
        ("storage", "ok", "1300 min"),
        ("heat", "ok", "45 °C"),
        ("camera", "ok", "works"),
        ("microphone", "ok", "works"),
        ("card", "ok", "works"),
        ("clock", "ok", "ntp"),
        ("officer", "ok", "640221-0117"),
        ("certificate", "ok", "300 days"),
        ("interruptions", "ok", "0 open"),
    )


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"battery": replace(FIT.battery, band=BatteryBand.LOW)}, ("battery", "failed", "93 %, 610 min")),
        ({"battery": replace(FIT.battery, band=BatteryBand.CRITICAL)}, ("battery", "failed", "93 %, 610 min")),
        ({"battery": replace(FIT.battery, lasts_shift=False)}, ("battery", "warning", "93 %, 610 min")),
        (
            {"battery": BatteryState(None, None, BatteryBand.UNKNOWN, None, None, 480)},
            ("battery", "warning", "unknown"),
        ),
        ({"storage": replace(FIT.storage, band=StorageBand.LOW)}, ("storage", "failed", "1300 min")),
        ({"storage": replace(FIT.storage, lasts_shift=False)}, ("storage", "warning", "1300 min")),
        ({"heat": HeatState(90, True, HeatBand.CRITICAL)}, ("heat", "failed", "90 °C, throttled")),
        ({"heat": HeatState(76, False, HeatBand.HOT)}, ("heat", "warning", "76 °C")),
        ({"heat": HeatState(None, True, HeatBand.NORMAL)}, ("heat", "warning", "unknown, throttled")),
        ({"camera_ok": False}, ("camera", "failed", "does not work")),
        ({"microphone_ok": False}, ("microphone", "failed", "does not work")),
        ({"card_ok": False}, ("card", "failed", "does not work")),
        ({"clock": replace(FIT.clock, grade=ClockGrade.UNSET)}, ("clock", "warning", "unset")),
        ({"clock": replace(FIT.clock, utc_us=0, grade=ClockGrade.RTC)}, ("clock", "warning", "rtc")),
        ({"officer": None}, ("officer", "warning", "unassigned")),
        ({"certificate_days_left": 13}, ("certificate", "warning", "13 days")),
        ({"certificate_days_left": -1}, ("certificate", "failed", "-1 days")),
        ({"certificate_days_left": None}, ("certificate", "warning", "unknown")),
        ({"open_interruptions": 2}, ("interruptions", "warning", "2 open")),
    ],
)
def test_go_and_no_go(change: dict[str, Any], finding: tuple[str, str, str]) -> None:
    found = check(replace(FIT, **change))
    assert [one for one in found.findings if one[1] != "ok"] == [finding]
    assert found.fit == (finding[1] != "failed")
    check_fields("pre_use_check", found.to_fields(), "pre_use_check")


def test_every_item_stands_once() -> None:
    assert len({rule.item for rule in RULES}) == len(RULES)
