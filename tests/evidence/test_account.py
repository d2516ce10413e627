"""The account of a shift adds up to the microsecond, whatever a journal says and whatever the clocks do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.account import Account, Use, accounts
from evidence.journal import Entry
from evidence.kinds import check_fields
from evidence.model import ClockGrade, Timestamp, segment_id
from tests.evidence.golden import SAMPLES, hash_of

BOOTS = tuple(f"{number:x}" * 32 for number in range(1, 5))
MORNING_MS = 1_795_224_000_000


def entry(kind: str, at: Timestamp, **fields: Any) -> Entry:
    """An entry as it would be read; its signature is not what an account looks at."""
    check_fields(kind, fields, kind)
    return Entry("", "EdDSA", "", (), "BWC-0001", 0, None, at, kind, fields)


class Shift:
    """Writes the entries of a small shift; times are milliseconds since the morning, on a good clock."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.boot = 0
        self.booted_ms = self.previous_ms = 0
        self.step_ms = 0
        self.grade = ClockGrade.NTP
        self._segments = 0

    def at(self, ms: int) -> Timestamp:
        boot_us = (ms - self.booted_ms) * 1000
        return Timestamp((MORNING_MS + self.step_ms + ms) * 1000, 480, self.grade, None, BOOTS[self.boot], boot_us)

    def note(self, ms: int, kind: str, **fields: Any) -> Shift:
        self.entries.append(entry(kind, self.at(ms), **(fields or SAMPLES[kind])))
        return self

    def power_on(self, ms: int) -> Shift:
        if self.entries:
            self.boot += 1
        self.previous_ms, self.booted_ms = self.booted_ms, ms
        return self.note(ms, "power_on", software="liuhen", previous_end="power_loss")

    def start(self, ms: int, recording: int = 1) -> Shift:
        return self.note(ms, "recording_started", recording=name("r", recording), trigger="button", officer=None)

    def stop(self, ms: int, recording: int = 1) -> Shift:
        ended_us = (ms - self.booted_ms) * 1000
        return self.note(
            ms + 7, "recording_stopped", recording=name("r", recording), trigger="button", ended_boot_us=ended_us
        )

    def film(self, *pieces: tuple[int, int]) -> Shift:
        """One segment with a fragment for each (from, to); every entry comes a little after its picture."""
        self._segments += 1
        segment = segment_id(BOOTS[self.boot], self._segments)
        part = {
            "segment": segment, "index": 0, "offset_bytes": 0, "bytes": 1, "sha256": hash_of(b""), "stored_bytes": 1,
            "stored_sha256": hash_of(b""),
        }  # fmt: skip
        recording = name("r", 1)
        self.note(pieces[0][0], "init", **part, recording=recording, epoch_boot_us=0, boot=BOOTS[self.boot])
        for begin, end in pieces:
            pts_us = (begin - self.booted_ms) * 1000
            self.note(end + 5, "fragment", **part, pts_us=pts_us, duration_us=(end - begin) * 1000, frames=1, samples=0)
        return self

    def interrupt(self, ms: int, began_ms: int, number: int = 1, cause: str = "power_loss", boot: int = 0) -> Shift:
        """Noted at `ms`; it began at `began_ms` of the boot that many before this one."""
        began = self.at(began_ms)
        if boot:
            boot_us = began.boot_us + (self.booted_ms - self.previous_ms) * 1000
            began = Timestamp(began.utc_us, 480, self.grade, None, BOOTS[self.boot - boot], boot_us)
        return self.note(
            ms, "interruption", interruption=name("i", number), recording=name("r", 1), cause=cause, part=None,
            began=began.to_fields(),
        )  # fmt: skip

    def pause(self, ms: int, until_ms: int | None = 6000, limit_s: int = 60, reason: str | None = "secrets") -> Shift:
        """A declared pause of recording 1, with a reason that is given a little later."""
        pause = name("p", 1)
        self.note(ms, "paused", pause=pause, recording=name("r", 1), limit_s=limit_s)
        if reason is not None:
            self.note(ms + 500, "pause_reason", pause=pause, reason=reason, authority="xuchang 19")
        if until_ms is not None:
            self.note(until_ms, "pause_ended", pause=pause, trigger="button")
        return self

    def skip(self, from_ms: int, to_ms: int) -> Shift:
        times = {"from_boot_us": from_ms * 1000, "to_boot_us": to_ms * 1000}
        return self.note(to_ms, "skipped", frames=1, **times)

    def resume(self, ms: int, number: int = 1) -> Shift:
        return self.note(ms, "resumed", interruption=name("i", number), recording=name("r", 1))

    def explain(self, ms: int, number: int = 1) -> Shift:
        return self.note(ms, "reason", interruption=name("i", number), reason="battery", note=None)


def name(letter: str, number: int) -> str:
    return f"{'1' * 12}-{letter}{number:04d}"


def in_ms(account: Account) -> dict[str, int]:
    return {use.value: account.total_us(use) // 1000 for use in Use if account.total_us(use)}


def broken_ms(account: Account) -> list[tuple[int, int | None, str]]:
    """Where the interruptions lie, in milliseconds since the morning."""
    return [
        (one.start_us // 1000 - MORNING_MS, one.end_us and one.end_us // 1000 - MORNING_MS, one.state)
        for one in account.interruptions
    ]


def calm() -> Shift:
    """A recording from 1,000 to 5,000 ms; docked at 10,000 ms."""
    return Shift().power_on(0).start(1000).film((1000, 3000), (3000, 5000)).stop(5000)


def power_cut() -> Shift:
    """Recording from 1,000 ms, the last picture before the cut at 4,000 ms, power back at 6,000, a picture at 6,500."""
    shift = Shift().power_on(0).start(1000).film((1000, 3000), (3000, 4000))
    shift.power_on(6000)
    shift.interrupt(6100, 4005, boot=1).resume(6600).film((6500, 8000)).stop(8000)
    return shift


def two_breaks() -> Shift:
    """Of the second of two breaks no picture was taken after the first."""
    shift = Shift().power_on(0).start(1000).film((1000, 3000))
    shift.interrupt(3010, 3005, 1, "device_fault").resume(4000, 1)
    shift.interrupt(4500, 4400, 2, "device_fault").resume(6100, 2)
    return shift.film((6000, 8000)).stop(8000)


SHIFTS: dict[str, tuple[Shift, list[dict[str, int]]]] = {
    "nothing but standby": (Shift().power_on(0).note(10_000, "docked"), [{"standby": 10_000}]),
    "one recording": (calm().note(10_000, "docked"), [{"recorded": 4000, "standby": 6000}]),
    "a journal that ends while recording": (
        Shift().power_on(0).start(1000).film((1000, 3000)), [{"recorded": 2000, "unexplained": 5, "standby": 1000}],
    ),
    "pictures from before the press": (
        Shift().power_on(0).start(5000).film((2000, 5000), (5000, 7000)).stop(7000).note(10_000, "docked"),
        [{"recorded": 5000, "standby": 5000}],
    ),
    "the last picture outlasts the press": (
        Shift().power_on(0).start(1000).film((1000, 4000)).stop(3500).note(10_000, "docked"),
        [{"recorded": 3000, "standby": 7000}],
    ),
    "stop and start": (
        calm().start(7000, 2).film((7000, 9000)).stop(9000, 2).note(10_000, "docked"),
        [{"recorded": 6000, "standby": 4000}],
    ),
    "power cut, not explained": (
        power_cut().note(10_000, "docked"), [{"recorded": 4500, "unexplained": 2500, "standby": 3000}],
    ),
    "power cut, explained": (
        power_cut().explain(9000).note(10_000, "docked"), [{"recorded": 4500, "explained": 2500, "standby": 3000}],
    ),
    "power cut outside of any recording": (
        calm().power_on(8000).note(10_000, "docked"), [{"recorded": 4000, "standby": 3007, "off": 2993}],
    ),
    "power cut and nothing after it": (
        Shift().power_on(0).start(1000).film((1000, 4000)).power_on(6000).note(7000, "docked"),
        [{"recorded": 3000, "unexplained": 3000, "standby": 1000}],
    ),
    "switched off and on": (
        calm().note(6000, "power_off").power_on(8000).note(10_000, "docked"),
        [{"recorded": 4000, "standby": 4000, "off": 2000}],
    ),
    "docked twice": (
        calm().note(10_000, "docked").note(20_000, "undocked").start(21_000, 2).film((21_000, 23_000))
        .stop(23_000, 2).note(25_000, "docked"),
        [{"recorded": 4000, "standby": 6000}, {"recorded": 2000, "standby": 3000}],
    ),
    "still out": (
        calm().note(10_000, "docked").note(20_000, "undocked").note(26_000, "bookmark"),
        [{"recorded": 4000, "standby": 6000}, {"standby": 6000}],
    ),
    "a gap of 40 ms is one recording": (
        Shift().power_on(0).start(1000).film((1000, 2000), (2040, 3000)).stop(3000).note(4000, "docked"),
        [{"recorded": 2000, "standby": 2000}],
    ),
    "a gap of 41 ms is a gap": (
        Shift().power_on(0).start(1000).film((1000, 2000), (2041, 3000)).stop(3000).note(4000, "docked"),
        [{"recorded": 1959, "unexplained": 41, "standby": 2000}],
    ),
    "a gap of 40 ms between segments": (
        Shift().power_on(0).start(1000).film((1000, 2000)).film((2040, 3000)).stop(3000).note(4000, "docked"),
        [{"recorded": 2000, "standby": 2000}],
    ),
    "two breaks, none explained": (
        two_breaks().note(10_000, "docked"), [{"recorded": 4000, "unexplained": 3000, "standby": 3000}],
    ),
    "two breaks, the first explained": (
        two_breaks().explain(9000, 1).note(10_000, "docked"),
        [{"recorded": 4000, "explained": 1400, "unexplained": 1600, "standby": 3000}],
    ),
    "two breaks, the second explained": (
        two_breaks().explain(9000, 2).note(10_000, "docked"),
        [{"recorded": 4000, "explained": 1600, "unexplained": 1400, "standby": 3000}],
    ),
    "a break that outlasts its recording": (
        Shift().power_on(0).start(1000).film((1000, 2000)).interrupt(2010, 2000, cause="device_fault").resume(3000)
        .stop(4000).explain(5000).start(8000, 2).film((8000, 9000)).stop(9000, 2).note(10_000, "docked"),
        [{"recorded": 2000, "explained": 2000, "standby": 6000}],
    ),
    "a break that nobody ended": (
        Shift().power_on(0).start(1000).film((1000, 2000)).interrupt(2010, 2000, cause="storage_full").explain(3000)
        .note(10_000, "bookmark"),
        [{"recorded": 1000, "explained": 8000, "standby": 1000}],
    ),
    "a declared pause with a reason": (
        Shift().power_on(0).start(1000).film((1000, 2000)).pause(2000).film((6000, 7000)).stop(7000)
        .note(10_000, "docked"), [{"recorded": 2000, "explained": 4000, "standby": 4000}],
    ),
    "a declared pause without a reason": (
        Shift().power_on(0).start(1000).film((1000, 2000)).pause(2000, reason=None).film((6000, 7000)).stop(7000)
        .note(10_000, "docked"), [{"recorded": 2000, "unexplained": 4000, "standby": 4000}],
    ),
    "a declared pause beyond its limit": (
        Shift().power_on(0).start(1000).film((1000, 2000)).pause(2000, limit_s=3).film((6000, 7000)).stop(7000)
        .note(10_000, "docked"), [{"recorded": 2000, "explained": 3000, "unexplained": 1000, "standby": 4000}],
    ),
    "a declared pause that nobody ended": (
        Shift().power_on(0).start(1000).film((1000, 2000)).pause(2000, until_ms=None).note(10_000, "bookmark"),
        [{"recorded": 1000, "explained": 8000, "standby": 1000}],
    ),
    "a declared pause before any recording": (
        Shift().power_on(0).pause(1000, until_ms=3000).note(10_000, "docked"), [{"standby": 10_000}],
    ),
    "the first picture after a pause comes with the next key frame": (
        Shift().power_on(0).start(1000).film((1000, 2000)).pause(2000, until_ms=5200).film((6000, 7000)).stop(7000)
        .note(10_000, "docked"), [{"recorded": 2000, "explained": 4000, "standby": 4000}],
    ),
    "a picture that comes long after a pause leaves a gap": (
        Shift().power_on(0).start(1000).film((1000, 2000)).pause(2000, until_ms=4000).film((6000, 7000)).stop(7000)
        .note(10_000, "docked"), [{"recorded": 2000, "explained": 2000, "unexplained": 2000, "standby": 4000}],
    ),
    "pictures that the sensor skipped": (
        Shift().power_on(0).start(1000).film((1000, 2000), (2300, 3000)).skip(2000, 2300).stop(3000)
        .note(4000, "docked"), [{"recorded": 1700, "explained": 300, "standby": 2000}],
    ),
    "a dropped fragment without an interruption": (
        Shift().power_on(0).start(1000).film((1000, 2000), (3000, 4000)).stop(4000).note(5000, "docked"),
        [{"recorded": 2000, "unexplained": 1000, "standby": 2000}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_milliseconds_of_a_shift(shift: str) -> None:
    written, expected = SHIFTS[shift]
    assert [in_ms(account) for account in accounts(written.entries)] == expected


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (power_cut(), [(4000, 6500, "open")]),
        (power_cut().explain(9000), [(4000, 6500, "explained")]),
        (two_breaks(), [(3000, 4400, "open"), (4400, 6000, "open")]),
        (SHIFTS["a break that nobody ended"][0], [(2000, None, "explained")]),
        (SHIFTS["a break that outlasts its recording"][0], [(2000, 4000, "explained")]),
    ],
)
def test_an_interruption_lasts_from_the_last_picture_to_the_next(
    shift: Shift, expected: list[tuple[int, int | None, str]]
) -> None:
    assert broken_ms(accounts(shift.entries)[0]) == expected


def test_no_entries_no_account() -> None:
    assert accounts([]) == []
    assert accounts(Shift().note(0, "docked").entries) == []


@pytest.mark.parametrize("step_ms", [-3_600_000, 3_600_000, -MORNING_MS, 1])
@pytest.mark.parametrize("grade", [ClockGrade.RTC, ClockGrade.GNSS])
def test_a_stepped_clock_changes_no_length(step_ms: int, grade: ClockGrade) -> None:
    """Within a boot the boot clock rules; the clock may go to 1970 and back."""
    shift = Shift().power_on(0).start(1000).film((1000, 3000))
    shift.step_ms, shift.grade = step_ms, grade
    shift.note(3100, "clock", step_us=step_ms * 1000)
    shift.film((3000, 5000)).stop(5000).note(10_000, "docked")
    (account,) = accounts(shift.entries)
    assert in_ms(account) == {"recorded": 4000, "standby": 6000}


def test_a_boot_is_where_its_best_clock_says() -> None:
    shift = Shift()
    shift.step_ms, shift.grade = -MORNING_MS, ClockGrade.UNSET
    shift.power_on(0)
    shift.step_ms, shift.grade = 0, ClockGrade.GNSS
    shift.note(5000, "clock", step_us=MORNING_MS * 1000)
    shift.step_ms, shift.grade = 17, ClockGrade.RTC
    shift.note(10_000, "docked")
    (account,) = accounts(shift.entries)
    assert (account.start_us, account.end_us) == (MORNING_MS * 1000, (MORNING_MS + 10_000) * 1000)


def test_a_boot_whose_clock_went_back_follows_the_one_before_it() -> None:
    shift = calm()
    shift.step_ms = -3_600_000
    shift.power_on(7000).note(10_000, "docked")
    (account,) = accounts(shift.entries)
    assert in_ms(account) == {"recorded": 4000, "standby": 4007}, "the second boot takes 3,000 ms, the first 5,007"
    assert sum(account.total_us(use) for use in Use) == 8_007_000


def test_a_shift_before_1970_is_a_shift() -> None:
    shift = Shift()
    shift.step_ms = -MORNING_MS - 50_000
    shift.power_on(0).note(10_000, "docked")
    (account,) = accounts(shift.entries)
    assert (account.start_us, account.end_us) == (-50_000_000, -40_000_000)
    assert in_ms(account) == {"standby": 10_000}


# Properties, over journals that no recorder would write.

stamps = st.builds(
    Timestamp,
    utc_us=st.sampled_from([0, MORNING_MS * 1000, -(10**9)]) | st.integers(0, 2 * MORNING_MS * 1000),
    offset_min=st.just(480),
    grade=st.sampled_from(ClockGrade),
    error_us=st.none(),
    boot=st.sampled_from(BOOTS),
    boot_us=st.integers(0, 60) | st.integers(0, 20).map(lambda seconds: seconds * 1_000_000) | st.integers(0, 2**62),
)
recording_names = st.sampled_from([name("r", 1), name("r", 2)])
interruption_names = st.sampled_from([name("i", 1), name("i", 2), name("i", 3)])
segment_names = st.sampled_from([segment_id(BOOTS[0], 1), segment_id(BOOTS[1], 2)])
moments = st.integers(0, 20).map(lambda seconds: seconds * 1_000_000) | st.integers(0, 2**62)
PART = {name: SAMPLES["init"][name] for name in SAMPLES["fragment"] if name in SAMPLES["init"]}


def entries_of(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Entry]:
    return st.builds(lambda at, own: entry(kind, at, **{**SAMPLES[kind], **own}), stamps, st.fixed_dictionaries(fields))


def parts_of(kind: str) -> st.SearchStrategy[Entry]:
    times = {"pts_us": moments | st.integers(-(2**62), 0), "duration_us": moments}
    return entries_of(kind, segment=segment_names, **times)


any_entry = st.one_of(
    entries_of("power_on"), entries_of("power_off"), entries_of("docked"), entries_of("undocked"),
    entries_of("bookmark"),
    entries_of("recording_started", recording=recording_names),
    entries_of("recording_stopped", recording=recording_names, ended_boot_us=moments),
    entries_of("init", segment=segment_names, epoch_boot_us=moments, boot=st.sampled_from([*BOOTS, "f" * 32])),
    parts_of("fragment"), parts_of("recovered"),
    entries_of(
        "interruption", interruption=interruption_names, recording=recording_names,
        began=(stamps | st.just(Timestamp(0, 0, ClockGrade.UNSET, None, "f" * 32, 5))).map(Timestamp.to_fields),
    ),
    entries_of("resumed", interruption=interruption_names, recording=recording_names),
    entries_of("reason", interruption=interruption_names),
    entries_of("reported", interruption=interruption_names),
    entries_of("written", interruption=interruption_names),
    entries_of("paused", limit_s=st.integers(0, 10_000)),
    entries_of("pause_reason"),
    entries_of("pause_ended"),
    entries_of("skipped", from_boot_us=moments, to_boot_us=moments),
)  # fmt: skip


def check_partition(account: Account) -> None:
    assert account.start_us <= account.end_us
    assert all(span.start_us < span.end_us for span in account.spans)
    assert all(left.end_us == right.start_us and left.use is not right.use for left, right in pairwise(account.spans))
    borders = [border for span in account.spans for border in (span.start_us, span.end_us)]
    if account.start_us < account.end_us:
        assert (borders[0], borders[-1]) == (account.start_us, account.end_us)
    else:
        assert borders == []
    assert sum(account.total_us(use) for use in Use) == account.end_us - account.start_us


@given(entries=st.lists(any_entry, max_size=25))
def test_an_account_partitions_its_shift_whatever_the_journal_says(entries: list[Entry]) -> None:
    found = accounts(entries)
    for account in found:
        check_partition(account)
        for one in account.interruptions:
            assert one.end_us is None or one.start_us <= one.end_us
    assert all(before.end_us <= after.start_us for before, after in pairwise(found))
    if found:
        broken = sum(len(account.interruptions) for account in found)
        assert broken == len([one for one in entries if one.kind == "interruption"])


events = st.lists(
    st.tuples(
        st.sampled_from(["film", "pause", "cut", "fault", "step", "explain", "dock", "press"]), st.integers(1, 5_000)
    ),
    max_size=30,
)


def play(happenings: Sequence[tuple[str, int]]) -> tuple[Shift, int, int]:  # noqa: C901
    """A shift in which these things happen; how long it lasted, and how much of it was filmed, in milliseconds."""
    shift, now, filmed = Shift().power_on(0), 0, 0
    recording, breaks, broken = 0, 0, False
    for what, ms in happenings:
        if what == "press":
            if recording % 2 == 0:
                shift.start(now, recording // 2 + 1)
            else:
                shift.stop(now, recording // 2 + 1)
                now += 7
            recording += 1
        elif what == "film" and recording % 2:
            if broken:
                shift.resume(now, breaks)
                broken = False
            shift.film((now, now + ms))
            now, filmed = now + ms + 5, filmed + ms
        elif what == "fault" and recording % 2 and not broken:
            breaks += 1
            broken = True
            shift.interrupt(now + ms, now, breaks, "device_fault")
            now += ms
        elif what == "cut" and shift.boot + 1 < len(BOOTS):
            shift.note(now, "bookmark")
            now += ms
            shift.power_on(now)
        elif what == "step":
            shift.step_ms += ms * 1000 * (-1) ** ms
            shift.grade = ClockGrade.RTC
            shift.note(now, "clock", step_us=ms)
            shift.step_ms, shift.grade = 0, ClockGrade.NTP
        elif what == "explain" and breaks:
            shift.explain(now, breaks)
        elif what == "dock" and recording % 2 == 0:
            shift.note(now, "docked").note(now + ms, "undocked")
            now += ms
        else:
            now += ms
    shift.note(now, "docked")
    return shift, now, filmed


@given(happenings=events)
def test_everything_filmed_is_recorded_and_nothing_else(happenings: Sequence[tuple[str, int]]) -> None:
    """Neighbouring pieces are at most 5 ms apart here, so what is bridged is known: never more than that a piece."""
    shift, _, filmed = play(happenings)
    found = accounts(shift.entries)
    recorded_us = sum(account.total_us(Use.RECORDED) for account in found)
    pieces = [one for one in shift.entries if one.kind == "fragment"]
    assert filmed * 1000 <= recorded_us <= filmed * 1000 + 40_000 * max(0, len(pieces) - 1)


@given(happenings=events)
def test_an_explained_shift_has_no_unexplained_interruption(happenings: Sequence[tuple[str, int]]) -> None:
    shift, now, _ = play(happenings)
    for number in range(1, 1 + sum(one.kind == "interruption" for one in shift.entries)):
        shift.explain(now, number)
    for account in accounts(shift.entries):
        for one in account.interruptions:
            assert one.state == "explained"
            inside = [
                span for span in account.spans
                if span.use is Use.UNEXPLAINED and one.start_us <= span.start_us < (one.end_us or account.end_us)
            ]  # fmt: skip
            assert inside == []


@given(happenings=events)
def test_a_reason_only_turns_unexplained_time_into_explained(happenings: Sequence[tuple[str, int]]) -> None:
    shift, now, _ = play(happenings)
    before = accounts(shift.entries)
    for number in range(1, 1 + sum(one.kind == "interruption" for one in shift.entries)):
        shift.explain(now, number)
    after = accounts(shift.entries)
    for old, new in zip(before, after, strict=True):
        for use in (Use.RECORDED, Use.STANDBY, Use.OFF):
            assert old.total_us(use) == new.total_us(use)
        assert new.total_us(Use.UNEXPLAINED) <= old.total_us(Use.UNEXPLAINED)
