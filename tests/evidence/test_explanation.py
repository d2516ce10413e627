"""The draft of a written explanation says everything that the journal knows, and nothing else."""

from __future__ import annotations

import pytest

from evidence.errors import BadInputError
from evidence.explanation import draft, draft_text
from evidence.standing import Standing
from tests.evidence.golden import hash_of
from tests.evidence.test_account import Shift, calm, name


def troubled() -> Shift:
    shift = Shift().power_on(0)
    shift.note(100, "sign_on", officer="110123", name="张三", unit="交警一大队", regime="pingluo")
    shift.note(150, "battery", level_pct=40, minutes_left=90, band="good")
    shift.start(1000).film((1000, 3000))
    shift.note(3001, "battery", level_pct=6, minutes_left=4, band="critical")
    shift.note(3002, "heat", celsius=51, throttled=False, band="normal")
    shift.interrupt(3010, 3005, cause="battery_low").resume(6600)
    shift.note(6700, "battery", level_pct=98, minutes_left=400, band="good")
    shift.film((6500, 8000)).stop(8000)
    return shift


def test_a_draft_has_who_when_how_long_and_the_readings_around_the_break() -> None:
    one = draft(troubled().entries, name("i", 1))
    assert one.officer is not None
    assert (one.officer.name, one.interruption.cause, one.interruption.state) == ("张三", "battery_low", Standing.OPEN)
    assert one.interruption.end_us is not None
    assert one.interruption.end_us - one.interruption.start_us == 3_500_000
    assert (one.before["battery"]["level_pct"], one.after["battery"]["level_pct"]) == (6, 98)
    assert one.before["heat"]["celsius"] == 51
    assert "heat" not in one.after
    text = draft_text(one)
    for said in (
        "张三（110123）交警一大队",
        "电量不足 battery_low",
        "3.500 s",
        "未说明 none given",
        "battery 6%",
        "battery 98%",
    ):
        assert said in text


def test_a_spoken_reason_is_named_with_its_note() -> None:
    shift = troubled()
    note = hash_of(b"note")
    shift.note(9000, "reason", interruption=name("i", 1), reason="spoken", note=note)
    one = draft(shift.entries, name("i", 1))
    assert one.note == note
    assert f"语音说明 voice note：{note}" in draft_text(one)
    assert "口述，见语音说明 spoken" in draft_text(one)


def test_a_break_that_lasts_and_an_officer_that_nobody_knows_are_said_to_be_so() -> None:
    shift = Shift().power_on(0).start(1000).film((1000, 3000)).interrupt(3010, 3005, cause="device_fault")
    text = draft_text(draft(shift.entries, name("i", 1)))
    assert "未恢复 not resumed" in text
    assert "未指派 unassigned" in text
    assert "无 none" in text


def test_an_unknown_interruption_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(BadInputError, match=rf"i0009: is not in this journal \(known are {name('i', 1)}\)"):
        draft(troubled().entries, name("i", 9))
    with pytest.raises(BadInputError, match="this recorder has had none"):
        draft(calm().entries, name("i", 1))
