"""The account: a pure function over a journal that partitions a shift, so that no second is unexplained unseen.

Every instant of a shift belongs to exactly one use. Within a boot the boot clock rules, which nothing can step; between
boots UTC does, by the best-graded reading of each boot, and never backwards. All in whole microseconds, so it adds up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from evidence.journal import Entry
from evidence.model import ClockGrade, Timestamp

BRIDGE_US = 40_000
"""Neighbouring fragments up to 0.04 s apart are one recording (GA/T 947.2: gap between segments at most 0.04 s)."""
GRADES = tuple(ClockGrade)


class Use(StrEnum):
    """What an instant of the shift was."""

    RECORDED = "recorded"
    EXPLAINED = "explained"
    """Inside a recording, not recorded, and somebody said why."""
    UNEXPLAINED = "unexplained"
    """Inside a recording, not recorded, and nobody has said why."""
    STANDBY = "standby"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_us` to `end_us` on the account's time line (UTC microseconds, made monotonic)."""

    start_us: int
    end_us: int
    use: Use


@dataclass(frozen=True, slots=True)
class Interruption:
    """A break inside a recording. `end_us` is None while it lasts; `state` is open or explained."""

    interruption: str
    recording: str
    cause: str
    reason: str | None
    start_us: int
    end_us: int | None

    @property
    def state(self) -> str:
        """`explained` once somebody gave a reason."""
        return "open" if self.reason is None else "explained"


@dataclass(frozen=True, slots=True)
class Account:
    """One shift: spans without hole or overlap from `start_us` to `end_us`, and its interruptions."""

    start_us: int
    end_us: int
    spans: tuple[Span, ...]
    interruptions: tuple[Interruption, ...]

    def total_us(self, use: Use) -> int:
        """The time of one use."""
        return sum(span.end_us - span.start_us for span in self.spans if span.use is use)


Interval = tuple[int, int]


def accounts(entries: Iterable[Entry]) -> list[Account]:
    """One account for each shift in a journal, oldest first. A shift ends at docking, or with the journal."""
    listed = list(entries)
    if not listed:
        return []
    line = _TimeLine(listed)
    recorded = _merge(_fragments(listed, line), BRIDGE_US)
    recordings = _recordings(listed, line)
    interruptions = _interruptions(listed, line, recorded, recordings)
    uses = _Uses(recorded, recordings, interruptions, line.powered)
    return [_account(start, end, uses, interruptions) for start, end in _shifts(listed, line)]


class _TimeLine:
    """Where every boot lies on one monotonic line."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._shift_us: dict[str, int] = {}
        self.powered: list[Interval] = []
        boots: dict[str, list[Timestamp]] = {}
        for entry in entries:
            boots.setdefault(entry.at.boot, []).append(entry.at)
        end_us: int | None = None
        for boot, stamps in boots.items():
            best = max(enumerate(stamps), key=lambda one: (GRADES.index(one[1].grade), one[0]))[1]
            first_us, last_us = min(s.boot_us for s in stamps), max(s.boot_us for s in stamps)
            shift_us = best.utc_us - best.boot_us
            if end_us is not None:
                shift_us = max(shift_us, end_us - first_us)
            self._shift_us[boot] = shift_us
            end_us = shift_us + last_us
            self.powered.append((shift_us + first_us, end_us))

    def at(self, stamp: Timestamp) -> int:
        return self.place(stamp.boot, stamp.boot_us)

    def place(self, boot: str, boot_us: int) -> int:
        """An instant of a boot on the line. A boot that the journal does not know lies at the line's beginning."""
        return self._shift_us.get(boot, self.powered[0][0] - boot_us) + boot_us


class _Uses:
    """What each instant was: the first of these that holds."""

    def __init__(
        self,
        recorded: Sequence[Interval],
        recordings: Mapping[str, Interval],
        interruptions: Sequence[Interruption],
        powered: Sequence[Interval],
    ) -> None:
        inside = _merge(recordings.values(), 0)
        open_end = max((end for _, end in [*inside, *powered]), default=0)
        explained = _merge(
            ((i.start_us, open_end if i.end_us is None else i.end_us) for i in interruptions if i.reason), 0
        )
        self._layers = ((Use.RECORDED, recorded), (Use.EXPLAINED, explained), (Use.UNEXPLAINED, inside))
        self._powered = _merge(powered, 0)
        layers = (recorded, explained, inside, self._powered)
        self.borders = sorted({border for layer in layers for interval in layer for border in interval})

    def at(self, instant_us: int) -> Use:
        for use, layer in self._layers:
            if _covers(layer, instant_us):
                return use
        return Use.STANDBY if _covers(self._powered, instant_us) else Use.OFF


def _account(start: int, end: int, uses: _Uses, interruptions: Sequence[Interruption]) -> Account:
    borders = [start, *(border for border in uses.borders if start < border < end), end]
    spans: list[Span] = []
    for left, right in pairwise(borders):
        use = uses.at(left)
        if spans and spans[-1].use is use:
            spans[-1] = Span(spans[-1].start_us, right, use)
        elif left < right:
            spans.append(Span(left, right, use))
    mine = tuple(i for i in interruptions if start <= i.start_us < end)
    return Account(start, end, tuple(spans), mine)


def _shifts(entries: Sequence[Entry], line: _TimeLine) -> Iterator[Interval]:
    start: int | None = None
    last = 0
    for entry in entries:
        last = max(last, line.at(entry.at))
        if entry.kind in ("power_on", "undocked") and start is None:
            start = line.at(entry.at)
        elif entry.kind == "docked" and start is not None:
            yield start, last
            start = None
    if start is not None:
        yield start, last


def _fragments(entries: Iterable[Entry], line: _TimeLine) -> Iterator[Interval]:
    epochs: dict[str, tuple[str, int]] = {}
    for entry in entries:
        if entry.kind == "init":
            epochs[entry.fields["segment"]] = entry.fields["boot"], entry.fields["epoch_boot_us"]
        elif entry.kind in ("fragment", "recovered") and entry.fields["segment"] in epochs:
            boot, epoch_us = epochs[entry.fields["segment"]]
            start = line.place(boot, epoch_us + entry.fields["pts_us"])
            yield start, start + entry.fields["duration_us"]


def _recordings(entries: Sequence[Entry], line: _TimeLine) -> dict[str, Interval]:
    """From start to stop, breaks included; one that nobody stopped lasts to the end of the journal."""
    end = max(line.at(entry.at) for entry in entries)
    running: dict[str, Interval] = {}
    for entry in entries:
        if entry.kind == "recording_started":
            running[entry.fields["recording"]] = line.at(entry.at), end
        elif entry.kind == "recording_stopped" and entry.fields["recording"] in running:
            start, _ = running[entry.fields["recording"]]
            stopped = line.place(entry.at.boot, entry.fields["ended_boot_us"])
            running[entry.fields["recording"]] = start, max(start, stopped)
    return running


def _interruptions(
    entries: Sequence[Entry], line: _TimeLine, recorded: Sequence[Interval], recordings: Mapping[str, Interval]
) -> list[Interruption]:
    reasons = {e.fields["interruption"]: str(e.fields["reason"]) for e in entries if e.kind == "reason"}
    resumed = {e.fields["interruption"]: line.at(e.at) for e in entries if e.kind == "resumed"}
    found = []
    for entry in (one for one in entries if one.kind == "interruption"):
        name, recording = entry.fields["interruption"], entry.fields["recording"]
        start, end = _gap(line.at(Timestamp.from_fields(entry.fields["began"])), resumed.get(name), recorded)
        started, stopped = recordings.get(recording, (start, start))
        start = max(start, started)
        end = stopped if end is None and any(_stops(e, recording) for e in entries) else end
        found.append(
            Interruption(name, recording, entry.fields["cause"], reasons.get(name), start, end and max(start, end))
        )
    return found


def _gap(began: int, resumed: int | None, recorded: Sequence[Interval]) -> Interval | tuple[int, None]:
    """The true gap around a break: from the end of the last picture before it to the first picture after it."""
    start = max((end for begin, end in recorded if begin <= began), default=began)
    if resumed is None:
        return start, None
    return start, next((begin for begin, _ in recorded if begin >= start), max(start, resumed))


def _stops(entry: Entry, recording: str) -> bool:
    return entry.kind == "recording_stopped" and entry.fields["recording"] == recording


def _merge(intervals: Iterable[Interval], bridge_us: int) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(one for one in intervals if one[0] < one[1]):
        if merged and start <= merged[-1][1] + bridge_us:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _covers(intervals: Sequence[Interval], instant: int) -> bool:
    place = bisect_right(intervals, (instant, 2**63)) - 1
    return place >= 0 and intervals[place][0] <= instant < intervals[place][1]
