"""Bands and countdowns: properties over tables as the watches have them, in both directions."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.watch import battery, heat, storage
from device.watch.bands import Bands, Countdown, Limit


class Mood(StrEnum):
    FINE = "fine"
    SOUR = "sour"
    BAD = "bad"


FALLING = Bands(Mood.FINE, (Limit(Mood.SOUR, 20, 25), Limit(Mood.BAD, 5, 8)))
RISING = Bands(Mood.FINE, (Limit(Mood.SOUR, 75, 70), Limit(Mood.BAD, 85, 80)))
moods = st.sampled_from(Mood)
any_reading = st.floats(-200, 200)
ORDER = list(Mood)


@pytest.mark.parametrize(
    ("band", "reading", "after"),
    [
        (Mood.FINE, 20.1, Mood.FINE), (Mood.FINE, 20, Mood.SOUR), (Mood.FINE, 5, Mood.BAD),
        (Mood.SOUR, 25, Mood.SOUR), (Mood.SOUR, 25.1, Mood.FINE), (Mood.BAD, 8, Mood.BAD),
        (Mood.BAD, 8.1, Mood.SOUR), (Mood.BAD, 24, Mood.SOUR), (Mood.BAD, 26, Mood.FINE),
    ],
)  # fmt: skip
def test_limits_where_little_is_bad(band: Mood, reading: float, after: Mood) -> None:
    assert FALLING.after(band, reading) is after


@pytest.mark.parametrize(
    ("band", "reading", "after"),
    [
        (Mood.FINE, 74.9, Mood.FINE), (Mood.FINE, 75, Mood.SOUR), (Mood.FINE, 85, Mood.BAD),
        (Mood.SOUR, 70, Mood.SOUR), (Mood.SOUR, 69.9, Mood.FINE), (Mood.BAD, 79.9, Mood.SOUR),
    ],
)  # fmt: skip
def test_limits_where_much_is_bad(band: Mood, reading: float, after: Mood) -> None:
    assert RISING.after(band, reading) is after


@given(band=moods, reading=any_reading)
def test_the_same_reading_changes_nothing_again(band: Mood, reading: float) -> None:
    for table in (FALLING, RISING):
        once = table.after(band, reading)
        assert table.after(once, reading) is once


@given(band=moods, other=moods, one=any_reading, two=any_reading)
def test_a_worse_reading_or_band_never_gives_a_better_band(band: Mood, other: Mood, one: float, two: float) -> None:
    worse, better = min(one, two), max(one, two)
    mild, grave = sorted((band, other), key=ORDER.index)
    assert ORDER.index(FALLING.after(band, worse)) >= ORDER.index(FALLING.after(band, better))
    assert ORDER.index(RISING.after(band, worse)) <= ORDER.index(RISING.after(band, better))
    for table in (FALLING, RISING):
        assert ORDER.index(table.after(grave, one)) >= ORDER.index(table.after(mild, one))


@given(band=moods, centre=any_reading, noise=st.lists(st.floats(-1.49, 1.49), max_size=50))
def test_noise_below_the_hysteresis_never_flaps(band: Mood, centre: float, noise: list[float]) -> None:
    """3 is the least distance of any enter and leave here: around one value the band comes to rest at once."""
    for table in (FALLING, RISING):
        seen = [band]
        for one in noise:
            seen.append(table.after(seen[-1], centre + one))
        changes = [(a, b) for a, b in pairwise(seen) if a is not b]
        assert len(changes) <= 2
        assert len({b for _, b in changes}) == len(changes)


@pytest.mark.parametrize(
    "worse",
    [
        (Limit(Mood.SOUR, 20, 20),),
        (Limit(Mood.SOUR, 20, 25), Limit(Mood.BAD, 21, 22)),
        (Limit(Mood.SOUR, 20, 25), Limit(Mood.BAD, 5, 30)),
        (Limit(Mood.SOUR, 20, 25), Limit(Mood.BAD, 10, 5)),
        (Limit(Mood.SOUR, 20, 25), Limit(Mood.SOUR, 5, 8)),
    ],
    ids=["no hysteresis", "enter out of order", "leave out of order", "two directions", "a band twice"],
)
def test_an_impossible_table_is_refused(worse: tuple[Limit[Mood], ...]) -> None:
    with pytest.raises(ValueError, match="not in order"):
        Bands(Mood.FINE, worse)


@pytest.mark.parametrize(
    ("table", "band", "readings", "bands"),
    [
        (
            battery.BANDS,
            battery.BatteryBand.GOOD,
            (40, 15, 19, 0, 2, 21),
            "good low low critical critical good",
        ),
        (
            storage.BANDS,
            storage.StorageBand.GOOD,
            (40, 30, 34, 1, 4, 36),
            "good low low critical low good",
        ),
        (
            heat.BANDS,
            heat.HeatBand.NORMAL,
            (60, 76, 71, 85, 81, 60),
            "normal hot hot critical critical normal",
        ),
    ],
)
def test_the_tables_in_use(table: Bands[Any], band: StrEnum, readings: tuple[float, ...], bands: str) -> None:
    seen = []
    for reading in readings:
        band = table.after(band, reading)
        seen.append(band.value)
    assert " ".join(seen) == bands


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ((31, 30, 29, 20, 19, 10, 5, 4, 0), (None, 30, None, 20, None, 10, 5, None, None)),
        ((12, 11, 10, 4.9), (10, None, None, 5)),
        ((60, 4), (None, 5)),
        ((29, 33, 30), (30, None, None)),
        ((29, 38, 30), (30, None, 30)),
        ((26, 21, 20, 7, 7, 5), (30, None, 20, 5, None, None)),
        ((30.4, 29.8, 30.4, 29.8), (None, 30, None, None)),
    ],
    ids=["falls", "begins late", "collapses", "wavers", "was charged", "is near the next", "is noisy"],
)
def test_each_step_is_said_once(readings: tuple[float, ...], said: tuple[int | None, ...]) -> None:
    countdown = Countdown((30, 20, 10, 5))
    assert tuple(countdown.look(one) for one in readings) == said


@given(readings=st.lists(st.floats(0, 60)))
def test_on_the_way_down_no_step_is_said_twice_and_each_nears_the_end(readings: list[float]) -> None:
    countdown = Countdown((30, 20, 10, 5))
    said = [step for one in sorted(readings, reverse=True) if (step := countdown.look(one)) is not None]
    assert said == sorted(set(said), reverse=True)
    assert not readings or min(readings) > 5 or said[-1] == 5
