"""The offload's rules against a model dock, over links that lose, repeat and reorder what they carry."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.model import segment_id
from evidence.transfer import Send, SendBlob, Sender, SendJournal, SendOffer, SendPart, missing_ranges
from evidence.wire import BLOB_RANGES, OFFER_LIMIT_BLOBS, OFFER_LIMIT_SEGMENTS, Offer, Offered, Want
from tests.evidence.golden import BOOT, SEGMENT, hash_of

BATCH = 3
WINDOW = 4


@dataclass(frozen=True)
class Receipt:
    name: str


Message = Send | Want | Receipt


@dataclass
class Dock:
    """Stores what comes, says what it lacks, and gives a receipt when a segment is complete. Forgets nothing."""

    journal: int = 0
    parts: dict[str, set[int]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def take(self, message: Message) -> list[Message]:
        match message:
            case SendOffer(offer):
                self.sizes |= {one.segment: one.parts for one in offer.segments} | dict.fromkeys(offer.blobs, 1)
                return self.answer(offer)
            case SendJournal(first, last) if first <= self.journal:
                self.journal = max(self.journal, min(last + 1, first + BATCH))
            case SendPart(segment, index):
                return self.store(segment, index)
            case SendBlob(blob):
                return self.store(blob, 0)
        return [self.want({})]

    def store(self, name: str, index: int) -> list[Message]:
        self.parts.setdefault(name, set()).add(index)
        if self.is_complete(name):
            return [self.want({}), Receipt(name)]
        return [self.want({name: self.lacks(name)})]

    def answer(self, offer: Offer) -> list[Message]:
        offered = [*offer.blobs, *(one.segment for one in offer.segments)]
        lacks = {one: self.lacks(one) for one in offered if not self.is_complete(one)}
        return [self.want(lacks, offer.round), *(Receipt(one) for one in offered if self.is_complete(one))]

    def want(self, lacks: dict[str, tuple[tuple[int, int], ...]], answers: int | None = None) -> Want:
        return Want(self.journal, lacks, answers)

    def lacks(self, segment: str) -> tuple[tuple[int, int], ...]:
        return missing_ranges(self.sizes[segment], self.parts.get(segment, ()))

    def is_complete(self, segment: str) -> bool:
        return len(self.parts.get(segment, ())) == self.sizes[segment]


@dataclass
class Weather:
    """What a link does to messages until it breaks after so many of them."""

    lose: float
    repeat: float
    reorder: float
    lasts: int


CALM = Weather(0, 0, 0, 10**9)
STORMS = st.builds(
    Weather,
    lose=st.sampled_from([0.0, 0.1, 0.5]),
    repeat=st.sampled_from([0.0, 0.1, 0.5]),
    reorder=st.sampled_from([0.0, 0.3, 1.0]),
    lasts=st.integers(0, 40),
)


class Recorder:
    """Drives a Sender the way the uplink does, and watches what it may never do."""

    def __init__(self, entries: int, segments: dict[str, int], dock: Dock, blobs: int = 0) -> None:
        self.head = entries - 1
        self.blobs = blob_names(blobs)
        self.segments = segments
        self.sizes = dict.fromkeys(self.blobs, 1) | segments
        self.dock = dock
        self.sender = Sender(WINDOW)
        self.receipts: set[str] = set()
        self.acknowledged: set[tuple[str, int]] = set()
        self.sent: list[Send] = []

    def waiting(self) -> list[Offered]:
        return [Offered(one, parts) for one, parts in self.segments.items() if one not in self.receipts]

    def round(self, weather: Weather, chance: random.Random) -> None:
        """One connection, until the link breaks or nothing moves any more."""
        self.acknowledged.clear()
        blobs = [blob for blob in self.blobs if blob not in self.receipts]
        up: list[Message] = self.watch(self.sender.offer(self.head, self.waiting(), blobs))
        down: list[Message] = []
        carried = 0
        while (up or down) and carried < weather.lasts:
            carried += 1
            queue = chance.choice([one for one in (up, down) if one])
            place = chance.randrange(len(queue)) if chance.random() < weather.reorder else 0
            message = queue[place] if chance.random() < weather.repeat else queue.pop(place)
            if chance.random() < weather.lose:
                continue
            if queue is up:
                down += self.dock.take(message)
            else:
                up += self.watch(self.hear(message))

    def hear(self, message: Message) -> list[Send]:
        if isinstance(message, Receipt):
            self.receipts.add(message.name)
            self.acknowledged |= {(message.name, index) for index in range(self.sizes[message.name])}
            return self.sender.receipt(message.name)
        assert isinstance(message, Want)
        sends = self.sender.want(message)
        for segment, ranges in message.lacks.items():
            lacking = {index for first, last in ranges for index in range(first, last + 1)}
            self.acknowledged |= {(segment, index) for index in set(range(self.sizes[segment])) - lacking}
        return sends

    def watch(self, sends: list[Send]) -> list[Message]:
        assert self.sender.under_way <= WINDOW
        for send in sends:
            if isinstance(send, SendPart | SendBlob):
                assert place_of(send) not in self.acknowledged
                assert send not in self.sent[self.last_offer :]
            elif isinstance(send, SendOffer):
                self.last_offer = len(self.sent)
        self.sent += sends
        return list(sends)

    last_offer = 0


def blob_names(count: int) -> list[str]:
    return [hash_of(b"%d" % number) for number in range(count)]


def place_of(send: SendPart | SendBlob) -> tuple[str, int]:
    return (send.blob, 0) if isinstance(send, SendBlob) else (send.segment, send.index)


@given(
    entries=st.integers(0, 12),
    sizes=st.lists(st.integers(1, 9), max_size=4),
    blobs=st.integers(0, 9),
    storms=st.lists(STORMS, max_size=6),
    seed=st.integers(0, 2**32),
)
def test_everything_arrives_whatever_the_link_does(
    entries: int, sizes: list[int], blobs: int, storms: list[Weather], seed: int
) -> None:
    segments = {segment_id(BOOT, number): parts for number, parts in enumerate(sizes)}
    recorder = Recorder(entries, segments, Dock(), blobs)
    chance = random.Random(seed)
    for weather in storms:
        recorder.round(weather, chance)
    recorder.round(CALM, chance)
    assert recorder.dock.journal == entries
    assert recorder.dock.parts == {one: set(range(parts)) for one, parts in recorder.sizes.items()}
    assert recorder.receipts == set(recorder.sizes)
    assert recorder.sender.idle
    assert recorder.sender.under_way == 0


@given(
    entries=st.integers(0, 12),
    sizes=st.lists(st.integers(1, 9), max_size=4),
    blobs=st.integers(0, 9),
    seed=st.integers(0, 2**32),
)
def test_over_a_calm_link_nothing_goes_twice_the_journal_goes_first_and_blobs_before_segments(
    entries: int, sizes: list[int], blobs: int, seed: int
) -> None:
    segments = {segment_id(BOOT, number): parts for number, parts in enumerate(sizes)}
    recorder = Recorder(entries, segments, Dock(), blobs)
    recorder.round(CALM, random.Random(seed))
    kinds = [type(send) for send in recorder.sent]
    assert kinds == sorted(kinds, key=[SendOffer, SendJournal, SendBlob, SendPart].index)
    parts = [place_of(send) for send in recorder.sent if isinstance(send, SendPart | SendBlob)]
    assert parts == [(one, index) for one, size in recorder.sizes.items() for index in range(size)]
    batches = [send for send in recorder.sent if isinstance(send, SendJournal)]
    assert [send.first_seq for send in batches] == list(range(0, entries, BATCH))


@given(storm=STORMS, seed=st.integers(0, 2**32))
def test_what_was_stored_before_a_break_is_not_sent_after_it(storm: Weather, seed: int) -> None:
    recorder = Recorder(5, {SEGMENT: 20}, Dock())
    recorder.round(storm, random.Random(seed))
    stored = set(recorder.dock.parts.get(SEGMENT, ()))
    before = len(recorder.sent)
    recorder.round(CALM, random.Random(seed))
    again = {send.index for send in recorder.sent[before:] if isinstance(send, SendPart)}
    assert again == set(range(20)) - stored


def started(parts: int = 10, journal: int = 3) -> Sender:
    sender = Sender(WINDOW)
    assert sender.offer(journal - 1, [Offered(SEGMENT, parts)]) == [
        SendOffer(Offer(1, journal - 1, (Offered(SEGMENT, parts),)))
    ]
    return sender


def indexes(sends: Iterable[Send]) -> list[int]:
    return [send.index for send in sends if isinstance(send, SendPart)]


def test_the_journal_goes_before_any_part() -> None:
    sender = started()
    assert sender.want(Want(1, {SEGMENT: ((0, 9),)}, 1)) == [SendJournal(1, 2)]
    assert sender.want(Want(2, {})) == [SendJournal(2, 2)]
    assert sender.want(Want(2, {})) == []
    assert indexes(sender.want(Want(3, {}))) == [0, 1, 2, 3]


def test_the_window_opens_only_by_the_docks_word() -> None:
    sender = started()
    assert indexes(sender.want(Want(3, {SEGMENT: ((0, 9),)}, 1))) == [0, 1, 2, 3]
    assert sender.want(Want(3, {})) == []
    assert indexes(sender.want(Want(3, {SEGMENT: ((1, 1), (3, 9))}))) == [4, 5]
    assert sender.under_way == WINDOW
    assert indexes(sender.want(Want(3, {SEGMENT: ((9, 9),)}))) == [9]
    assert not sender.idle
    assert indexes(sender.want(Want(3, {SEGMENT: ()}))) == []
    assert sender.idle


def test_an_older_word_does_not_take_back_a_newer_one() -> None:
    """Messages may overtake each other: in one round the dock only ever lacks less."""
    sender = started()
    sender.want(Want(3, {SEGMENT: ((0, 9),)}, 1))
    assert indexes(sender.want(Want(3, {SEGMENT: ((2, 9),)}))) == [4, 5]
    assert sender.want(Want(1, {SEGMENT: ((1, 9),)})) == []
    assert sender.want(Want(0, {SEGMENT: ((0, 9),)}, 1)) == []
    assert sender.under_way == WINDOW


def test_a_word_about_another_round_says_nothing() -> None:
    sender = started()
    assert sender.want(Want(3, {SEGMENT: ((0, 9),)})) == []
    assert sender.want(Want(3, {SEGMENT: ((0, 9),)}, 7)) == []
    sender.offer(2, [Offered(SEGMENT, 10)])
    assert sender.want(Want(3, {SEGMENT: ((0, 9),)}, 1)) == []
    assert indexes(sender.want(Want(3, {SEGMENT: ((0, 9),)}, 2))) == [0, 1, 2, 3]


def test_a_receipt_ends_a_segment_and_lets_the_next_one_go() -> None:
    sender = Sender(WINDOW)
    other = segment_id(BOOT, 2)
    sender.offer(-1, [Offered(SEGMENT, 4), Offered(other, 2)])
    everything = {SEGMENT: ((0, 3),), other: ((0, 1),)}
    assert indexes(sender.want(Want(0, everything, 1))) == [0, 1, 2, 3]
    assert sender.receipt(SEGMENT) == [SendPart(other, 0), SendPart(other, 1)]
    assert sender.receipt("never offered") == []
    assert sender.receipt(other) == []
    assert sender.idle


def test_a_blob_fills_the_window_like_a_part_and_its_receipt_or_a_refusal_frees_it() -> None:
    sender, blobs = Sender(WINDOW), blob_names(5)
    sender.offer(-1, [Offered(SEGMENT, 2)], blobs)
    everything = {SEGMENT: ((0, 1),), **dict.fromkeys(blobs, BLOB_RANGES)}
    assert sender.want(Want(0, everything, 1)) == [SendBlob(blob) for blob in blobs[:4]]
    assert sender.receipt(blobs[1]) == [SendBlob(blobs[4])]
    assert sender.want(Want(0, {blobs[0]: ()})) == [SendPart(SEGMENT, 0)]
    assert sender.want(Want(0, {blobs[2]: BLOB_RANGES})) == []


def test_a_blob_that_the_dock_has_is_not_sent() -> None:
    sender, blobs = Sender(WINDOW), blob_names(3)
    sender.offer(-1, [], blobs)
    assert sender.want(Want(0, {blobs[1]: BLOB_RANGES}, 1)) == [SendBlob(blobs[1])]


def test_what_the_dock_does_not_name_in_its_answer_it_has() -> None:
    sender = started()
    assert sender.want(Want(3, {}, 1)) == []
    assert sender.idle


@pytest.mark.parametrize(
    "lacks",
    [
        {SEGMENT: ((0, 2**62),)}, {SEGMENT: ((10, 2**62),)}, {SEGMENT: ((9, 9), (10, 2**60))},
        {segment_id(BOOT, 99_999): ((0, 9),)}, {segment_id(BOOT, number): ((0, 2**62),) for number in range(2000)},
        {SEGMENT: tuple((index, index) for index in range(5000))},
    ],
    ids=["endless", "beyond the end", "partly beyond", "unknown", "many unknown", "many ranges"],
)  # fmt: skip
def test_a_hostile_want_asks_for_nothing_that_is_not_there(lacks: dict[str, tuple[tuple[int, int], ...]]) -> None:
    sender = started()
    for want in (Want(3, lacks, 1), Want(0, lacks), Want(2**62, lacks)):
        for send in sender.want(want):
            assert send in [SendPart(SEGMENT, index) for index in range(10)]
        assert sender.under_way <= WINDOW


@given(
    wants=st.lists(
        st.builds(
            Want,
            journal_next=st.integers(0, 9),
            lacks=st.dictionaries(
                st.sampled_from([SEGMENT, segment_id(BOOT, 2), segment_id(BOOT, 3), *blob_names(3)]),
                st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=3).map(tuple),
            ),
            round=st.sampled_from([None, None, 1, 2]),
        )
    )
)
def test_no_wants_make_a_sender_break_its_window_or_repeat_itself(wants: list[Want]) -> None:
    sender = Sender(WINDOW)
    sender.offer(4, [Offered(SEGMENT, 10), Offered(segment_id(BOOT, 2), 10)], blob_names(2))
    parts: list[Send] = []
    for want in wants:
        sends = sender.want(want)
        parts += [send for send in sends if isinstance(send, SendPart | SendBlob)]
        assert sender.under_way <= WINDOW
        assert all(0 <= send.first_seq <= send.last_seq == 4 for send in sends if isinstance(send, SendJournal))
    assert len(parts) == len(set(parts))


def test_a_stall_is_noticed_once_nothing_has_moved() -> None:
    sender = started()
    assert not sender.stalled()
    assert sender.stalled()
    sender.want(Want(3, {SEGMENT: ((0, 9),)}, 1))
    assert not sender.stalled()
    sender.want(Want(3, {SEGMENT: ((0, 9),)}, 9))
    assert sender.stalled()


def test_an_offer_is_never_larger_than_a_dock_reads() -> None:
    sender = Sender(WINDOW)
    segments = [Offered(segment_id(BOOT, number), 1) for number in range(OFFER_LIMIT_SEGMENTS + 5)]
    (send,) = sender.offer(0, segments, blob_names(OFFER_LIMIT_BLOBS + 5))
    assert isinstance(send, SendOffer)
    assert (len(send.offer.segments), len(send.offer.blobs)) == (OFFER_LIMIT_SEGMENTS, OFFER_LIMIT_BLOBS)


@given(parts=st.integers(0, 40), stored=st.sets(st.integers(0, 50)))
def test_missing_ranges_are_what_is_not_stored(parts: int, stored: set[int]) -> None:
    ranges = missing_ranges(parts, stored)
    assert [index for first, last in ranges for index in range(first, last + 1)] == sorted(set(range(parts)) - stored)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges))
