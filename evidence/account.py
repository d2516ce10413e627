"""The account: a pure function over a journal that partitions a shift, so that no second is unexplained unseen.

Every instant of a shift belongs to exactly one use. Within a boot the boot clock rules, which nothing can step; between
boots UTC does, by the best-graded reading of each boot, and never backwards. All in whole microseconds, so it adds up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

from evidence.journal import Entry
from evidence.kinds import FRAGMENT_KINDS
from evidence.model import ClockGrade, Timestamp
from evidence.standing import Standing, standings

BRIDGE_US = 40_000
"""Neighbouring fragments up to 0.04 s apart are one recording (GA/T 947.2: gap between segments at most 0.04 s)."""
KEY_FRAME_US = 1_500_000
"""A camera that is asked for a key frame gives one within a GOP."""
GRADES = tuple(ClockGrade)


class Use(StrEnum):
    """What an instant of the shift was."""

    RECORDED = "recorded"
    EXPLAINED = "explained"
    """Inside a recording, not recorded, and it is known why: said, written, declared, or a hiccup of the sensor."""
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
    """A break inside a recording. `end_us` is None while it lasts; `reason` is None until somebody gave one."""

    interruption: str
    recording: str
    cause: str
    part: str | None
    reason: str | None
    start_us: int
    end_us: int | None
    state: Standing

    @property
    def explained(self) -> bool:
        """Whether somebody has said or written why."""
        return self.reason is not None or self.state is Standing.WRITTEN


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a recording lies on the account's time line, breaks included."""

    recording: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Account:
    """One shift: spans without hole or overlap from `start_us` to `end_us`, and what broke and began in it."""

    start_us: int
    end_us: int
    spans: tuple[Span, ...]
    interruptions: tuple[Interruption, ...]
    recordings: tuple[Taken, ...]

    def total_us(self, use: Use) -> int:
        """The time of one use."""
        return sum(span.end_us - span.start_us for span in self.spans if span.use is use)


Interval = tuple[int, int]
_Lying = TypeVar("_Lying", Interruption, Taken)


def accounts(entries: Iterable[Entry], written: Iterable[str] = ()) -> list[Account]:
    """One account for each shift in a recorder's journal, oldest first. A shift ends at docking, or with the journal.

    `written` names the interruptions that the dock's journal holds a written explanation of.
    """
    listed = list(entries)
    if not listed:
        return []
    line = _TimeLine(listed)
    recorded = _merge(_fragments(listed, line), BRIDGE_US)
    recordings = _recordings(listed, line)
    interruptions = _interruptions(
        listed, line, recorded, recordings, standings(((entry.kind, entry.fields) for entry in listed), written)
    )
    known = [*_pauses(listed, line, recorded), *_skipped(listed, line)]
    uses = _Uses(recorded, recordings, interruptions, known, line.powered)
    shifts = list(_shifts(listed, line))
    taken = [Taken(name, *interval) for name, interval in recordings.items()]
    broken, begun = _by_shift(shifts, interruptions), _by_shift(shifts, taken)
    mine = zip(shifts, broken, begun, strict=True)
    return [_account(*shift, uses, mine_broken, mine_begun) for shift, mine_broken, mine_begun in mine]


def _by_shift(shifts: Sequence[Interval], found: Iterable[_Lying]) -> list[tuple[_Lying, ...]]:
    """To each shift what began in it; to the first what began before it."""
    mine: list[list[_Lying]] = [[] for _ in shifts]
    for one in found if shifts else ():
        mine[max(0, bisect_right(shifts, (one.start_us, 2**63)) - 1)].append(one)
    return [tuple(one) for one in mine]


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
        known: Sequence[Interval],
        powered: Sequence[Interval],
    ) -> None:
        inside = _merge(recordings.values(), 0)
        open_end = max((end for _, end in [*inside, *powered]), default=0)
        broken = ((i.start_us, open_end if i.end_us is None else i.end_us) for i in interruptions if i.explained)
        explained = _merge([*broken, *known], 0)
        self._recorded, self._inside, self._explained, self._powered = recorded, inside, explained, _merge(powered, 0)
        layers = (recorded, inside, explained, self._powered)
        self.borders = sorted({border for layer in layers for interval in layer for border in interval})

    def at(self, instant_us: int) -> Use:
        if _covers(self._recorded, instant_us):
            return Use.RECORDED
        if _covers(self._inside, instant_us):
            return Use.EXPLAINED if _covers(self._explained, instant_us) else Use.UNEXPLAINED
        return Use.STANDBY if _covers(self._powered, instant_us) else Use.OFF


def _account(
    start: int, end: int, uses: _Uses, interruptions: tuple[Interruption, ...], recordings: tuple[Taken, ...]
) -> Account:
    borders = [start, *(border for border in uses.borders if start < border < end), end]
    spans: list[Span] = []
    for left, right in pairwise(borders):
        use = uses.at(left)
        if spans and spans[-1].use is use:
            spans[-1] = Span(spans[-1].start_us, right, use)
        elif left < right:
            spans.append(Span(left, right, use))
    return Account(start, end, tuple(spans), interruptions, recordings)


def _shifts(entries: Sequence[Entry], line: _TimeLine) -> Iterator[Interval]:
    start: int | None = None
    last = line.at(entries[0].at)
    for entry in entries:
        last = max(last, line.at(entry.at))
        if entry.kind in ("power_on", "undocked") and start is None:
            start = last
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
        elif entry.kind in FRAGMENT_KINDS and entry.fields["segment"] in epochs:
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


def _pauses(entries: Sequence[Entry], line: _TimeLine, recorded: Sequence[Interval]) -> Iterator[Interval]:
    """Declared pauses with a reason, each up to its limit; one that nobody ended lasts to the end of the journal."""
    end = max(line.at(entry.at) for entry in entries)
    begins = [begin for begin, _ in recorded]
    reasoned = {entry.fields["pause"] for entry in entries if entry.kind == "pause_reason"}
    ended = {entry.fields["pause"]: line.at(entry.at) for entry in entries if entry.kind == "pause_ended"}
    for entry in entries:
        if entry.kind == "paused" and (pause := entry.fields["pause"]) in reasoned:
            began, over = line.at(entry.at), ended.get(pause, end)
            # The picture comes back with the next key frame.
            first = next(iter(begins[bisect_left(begins, over) :]), over)
            over = first if first - over < KEY_FRAME_US else over
            yield began, min(over, began + entry.fields["limit_s"] * 1_000_000)


def _skipped(entries: Iterable[Entry], line: _TimeLine) -> Iterator[Interval]:
    """Pictures that the sensor did not give for less than two seconds: the machine's own word is all there can be."""
    for entry in entries:
        if entry.kind == "skipped":
            boot = entry.at.boot
            yield line.place(boot, entry.fields["from_boot_us"]), line.place(boot, entry.fields["to_boot_us"])


def _interruptions(
    entries: Sequence[Entry],
    line: _TimeLine,
    recorded: Sequence[Interval],
    recordings: Mapping[str, Interval],
    states: Mapping[str, Standing],
) -> list[Interruption]:
    """The breaks of each recording, one after the other and never over one another, in order of time."""
    reasons = {e.fields["interruption"]: str(e.fields["reason"]) for e in entries if e.kind == "reason"}
    resumed = {e.fields["interruption"]: line.at(e.at) for e in entries if e.kind == "resumed"}
    stopped = {e.fields["recording"] for e in entries if e.kind == "recording_stopped"}
    unpaused = [line.at(e.at) for e in entries if e.kind == "pause_ended"]
    broken: dict[str, list[tuple[int, Entry]]] = {}
    for entry in (one for one in entries if one.kind == "interruption"):
        began = line.at(Timestamp.from_fields(entry.fields["began"]))
        broken.setdefault(entry.fields["recording"], []).append((began, entry))
    found = []
    for recording, breaks in broken.items():
        breaks.sort(key=lambda one: one[0])
        edge, ended = recordings.get(recording, (breaks[0][0], breaks[-1][0]))
        for place, (began, entry) in enumerate(breaks):
            name = entry.fields["interruption"]
            following = [next_began for next_began, _ in breaks[place + 1 : place + 2]]
            # What broke when a pause ended, or after it, is no part of the pause.
            edge = max([edge, *(one for one in unpaused if one <= began)])
            gap = _gap(recorded, began, resumed.get(name), (edge, min([ended, *following])))
            lasts = not following and name not in resumed and recording not in stopped
            cause, part = entry.fields["cause"], entry.fields["part"]
            end = None if lasts else gap[1]
            found.append(Interruption(name, recording, cause, part, reasons.get(name), gap[0], end, states[name]))
            edge = gap[1]
    return sorted(found, key=lambda one: one.start_us)


def _gap(recorded: Sequence[Interval], began: int, resumed: int | None, limits: Interval) -> Interval:
    """The true gap around a break: from the end of the last picture before it to the first picture after it."""
    edge, limit = limits
    before = max((end for begin, end in recorded if begin <= began), default=began)
    start = max(edge, min(before, limit))
    if resumed is None:
        return start, max(start, limit)
    after = next((begin for begin, _ in recorded if begin >= start), resumed)
    return start, max(start, min(after, limit))


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
