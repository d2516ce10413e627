"""The offload protocol as rules for both roles: messages in, messages out, nothing of MQTT, discs or clocks.

The recorder offers; the dock answers with what it lacks; the recorder sends that, the journal first and never more than
a window of parts ahead of the dock's own acknowledgements; the dock acknowledges by stating anew what it lacks, after
its sync. A receipt ends a segment. A blob, a photo or a note, is like a segment of one part, and goes before them all.
After any break the recorder offers again, so both ends can forget everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from evidence.wire import OFFER_LIMIT_BLOBS, OFFER_LIMIT_SEGMENTS, Offer, Offered, Ranges, Want


@dataclass(frozen=True, slots=True)
class SendOffer:
    """Publish this offer."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class SendJournal:
    """Publish one batch of entries, beginning with `first_seq`, none after `last_seq`."""

    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class SendPart:
    """Publish one part of a segment."""

    segment: str
    index: int


@dataclass(frozen=True, slots=True)
class SendBlob:
    """Publish a photo or a note."""

    blob: str


Send = SendOffer | SendJournal | SendBlob | SendPart


@dataclass(slots=True)
class _Remaining:
    """What one offered segment or blob still needs: `lacks` by the dock's word, `sent` of it but not acknowledged."""

    lacks: set[int]
    sent: set[int] = field(default_factory=set)


class Sender:
    """The recorder's role. Feed it what happens; it answers with what to send now."""

    def __init__(self, window: int) -> None:
        """`window` is how many parts may be under way without the dock's own acknowledgement."""
        self._window = window
        self._round = 0
        self._answered = False
        self._journal_head = -1
        self._journal_next = 0
        self._journal_asked = -1
        self._blobs: frozenset[str] = frozenset()
        self._parts: dict[str, int] = {}
        self._remaining: dict[str, _Remaining] = {}
        self._moved = False

    def offer(self, journal_head: int, segments: Sequence[Offered], blobs: Sequence[str] = ()) -> list[Send]:
        """Begin anew, after a connection, a break, or when there is more to give: ask what the dock lacks.

        Segments and blobs come most wanted first; what does not fit into one offer waits for the next.
        """
        self._round += 1
        self._answered = False
        self._moved = True
        self._journal_head = journal_head
        offered = Offer(
            self._round, journal_head, tuple(segments[:OFFER_LIMIT_SEGMENTS]), tuple(blobs[:OFFER_LIMIT_BLOBS])
        )
        self._blobs = frozenset(offered.blobs)
        self._parts = dict.fromkeys(offered.blobs, 1) | {one.segment: one.parts for one in offered.segments}
        self._remaining = {}
        return [SendOffer(offered)]

    def want(self, want: Want) -> list[Send]:
        """The dock stated what it lacks: first in answer to our offer, then less and less of it.

        What is about another round says nothing any more, and what was overtaken by a newer word takes nothing back.
        """
        if want.round not in (None, self._round) or (want.round is None and not self._answered):
            return []
        self._moved = True
        lacks = {one: set(_indexes(want.lacks[one], parts)) for one, parts in self._parts.items() if one in want.lacks}
        if not self._answered:
            self._answered = True
            self._journal_next, self._journal_asked = want.journal_next, -1
            self._remaining = {name: _Remaining(indexes) for name, indexes in lacks.items()}
        self._journal_next = max(self._journal_next, want.journal_next)
        for name, remaining in self._remaining.items():
            remaining.lacks &= lacks.get(name, remaining.lacks)
            remaining.sent &= remaining.lacks
        return self._next()

    def receipt(self, name: str) -> list[Send]:
        """The segment or blob is done."""
        self._moved = True
        self._remaining.pop(name, None)
        return self._next() if self._answered else []

    def stalled(self) -> bool:
        """True when nothing has moved since the last call: time to offer again."""
        stalled, self._moved = not self._moved, False
        return stalled

    @property
    def under_way(self) -> int:
        """Parts sent and not acknowledged."""
        return sum(len(remaining.sent) for remaining in self._remaining.values())

    @property
    def idle(self) -> bool:
        """True when the dock has answered and lacks nothing of what was offered but receipts."""
        done = not any(remaining.lacks for remaining in self._remaining.values())
        return self._answered and done and self._journal_next > self._journal_head

    def _next(self) -> list[Send]:
        if self._journal_next <= self._journal_head:
            if self._journal_next <= self._journal_asked:
                return []
            self._journal_asked = self._journal_next
            return [SendJournal(self._journal_next, self._journal_head)]
        free = self._window - self.under_way
        return list(self._take(free))

    def _take(self, free: int) -> Iterable[Send]:
        for name, remaining in self._remaining.items():
            for index in sorted(remaining.lacks - remaining.sent):
                if free <= 0:
                    return
                free -= 1
                remaining.sent.add(index)
                yield SendBlob(name) if name in self._blobs else SendPart(name, index)


def missing_ranges(parts: int, stored: Iterable[int]) -> Ranges:
    """The dock's side: which of `parts` parts are not among the stored ones, as ranges with both ends included."""
    have = set(stored)
    ranges: list[tuple[int, int]] = []
    for index in range(parts):
        if index in have:
            continue
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1] = (ranges[-1][0], index)
        else:
            ranges.append((index, index))
    return tuple(ranges)


def _indexes(ranges: Ranges, parts: int) -> Iterable[int]:
    """The indexes in the ranges, as far as the segment has such parts: the other end may say anything."""
    return (index for first, last in ranges for index in range(first, min(last + 1, parts)))
