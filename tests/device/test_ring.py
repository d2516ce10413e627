from hypothesis import given
from hypothesis import strategies as st

from device.capture.muxer import MediaFragment
from device.capture.ring import PreEventRing
from evidence.model import FragmentInfo


def fragment(start_us: int, duration_us: int) -> MediaFragment:
    return MediaFragment(b"", FragmentInfo(start_us, duration_us, 25, 48_000), start_us)


def ring_after(seconds: float, fragments: list[MediaFragment]) -> PreEventRing:
    ring = PreEventRing(seconds)
    for each in fragments:
        ring.push(each)
    return ring


@given(
    durations_us=st.lists(st.integers(100_000, 2_000_000), min_size=1, max_size=50),
    seconds=st.floats(0.5, 20),
)
def test_the_ring_holds_the_last_seconds_and_at_most_a_fragment_more(durations_us: list[int], seconds: float) -> None:
    starts_us = [sum(durations_us[:n]) for n in range(len(durations_us))]
    pushed = [fragment(*times) for times in zip(starts_us, durations_us, strict=True)]
    held = ring_after(seconds, pushed).drain()
    assert held == pushed[-len(held) :]
    held_us = sum(each.info.duration_us for each in held)
    assert held_us - held[0].info.duration_us <= seconds * 1e6
    assert held_us >= min(seconds * 1e6 - 1, sum(durations_us))


def test_a_gap_counts_as_time() -> None:
    ring = ring_after(10, [fragment(0, 1_000_000), fragment(60_000_000, 1_000_000)])
    assert [each.first_frame_boot_us for each in ring.drain()] == [60_000_000]


def test_a_ring_of_no_seconds_holds_nothing() -> None:
    assert ring_after(0, [fragment(0, 1_000_000)]).drain() == []


def test_a_drained_ring_is_empty() -> None:
    ring = ring_after(10, [fragment(0, 1_000_000)])
    assert len(ring.drain()) == 1
    assert ring.drain() == []
