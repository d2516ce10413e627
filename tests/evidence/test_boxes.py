"""Boxes are read from bytes built here by hand, after ISO/IEC 14496-12, so that no muxer vouches for itself."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.boxes import Track, Tracks, describe_fragment, describe_init, whole_boxes, whole_fragments
from evidence.errors import BadInputError
from evidence.model import FragmentInfo

VIDEO = Track(id=1, timescale_hz=90_000, default_duration=3_000)
SOUND = Track(id=2, timescale_hz=48_000, default_duration=1_024)
TRACKS = Tracks(VIDEO, SOUND)


def box(kind: str, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def full(kind: str, version: int, flags: int, *content: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def u32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def trak(handler: str, track: Track, version: int = 0) -> bytes:
    times = bytes(16 if version else 8)
    tkhd = full("tkhd", version, 3, times, u32(track.id), bytes(60))
    mdhd = full("mdhd", version, 0, times, u32(track.timescale_hz), bytes(8))
    hdlr = full("hdlr", 0, 0, u32(0), handler.encode(), bytes(13))
    return box("trak", tkhd, box("mdia", mdhd, hdlr))


def init(*traks: bytes) -> bytes:
    trexes = [full("trex", 0, 0, u32(track.id, 1, track.default_duration, 0, 0)) for track in (VIDEO, SOUND)]
    return box("ftyp", b"isom") + box("moov", full("mvhd", 0, 0, bytes(96)), *traks, box("mvex", *trexes))


def traf(track_id: int, start: int, *truns: bytes, tfhd: tuple[int, bytes] = (0x020000, b"")) -> bytes:
    head = full("tfhd", 0, tfhd[0], u32(track_id), tfhd[1])
    return box("traf", head, full("tfdt", 1, 0, struct.pack(">Q", start)), *truns)


def fragment(*trafs: bytes) -> bytes:
    return box("moof", full("mfhd", 0, 0, u32(1)), *trafs) + box("mdat", b"pictures and sound")


THIRTY_FRAMES = full("trun", 0, 0, u32(30))


@pytest.mark.parametrize("version", [0, 1])
def test_init_names_tracks_and_timescales(version: int) -> None:
    assert describe_init(init(trak("vide", VIDEO, version), trak("soun", SOUND, version))) == TRACKS
    assert describe_init(init(trak("vide", VIDEO, version))) == Tracks(VIDEO, None)


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (b"", "0 boxes of type moov"),
        (box("ftyp"), "0 boxes of type moov"),
        (init(trak("soun", SOUND)), "no video track"),
        (init(trak("vide", VIDEO), trak("vide", SOUND)), "second"),
        (init(trak("text", VIDEO)), "strange"),
        (init(trak("vide", Track(1, 0, 0))), "timescale 0"),
        (init(trak("vide", VIDEO), b"\0\0\0\3trak"), "its boxes end"),
        (init(box("trak")), "0 boxes of type tkhd"),
    ],
)
def test_bad_init_is_refused(bad: bytes, complaint: str) -> None:
    with pytest.raises(BadInputError, match=complaint):
        describe_init(bad)


@pytest.mark.parametrize(
    ("data", "info"),
    [
        # Defaults of trex, of tfhd, and durations of the samples' own.
        (fragment(traf(1, 90_000, THIRTY_FRAMES)), FragmentInfo(1_000_000, 1_000_000, 30, 0)),
        (
            fragment(traf(1, 0, THIRTY_FRAMES, tfhd=(0x2000A, u32(1, 6_000)))),
            FragmentInfo(0, 2_000_000, 30, 0),
        ),
        (
            fragment(traf(1, 9, full("trun", 0, 0x301, u32(2, 0), u32(2_999, 5, 3_001, 5)))),
            FragmentInfo(100, 66_667, 2, 0),
        ),
        # A composition offset moves the picture, also backwards; several runs add up.
        (
            fragment(traf(1, 90_000, full("trun", 1, 0x800, u32(1), struct.pack(">i", -45_000)), THIRTY_FRAMES)),
            FragmentInfo(500_000, 1_033_333, 31, 0),
        ),
        (
            fragment(traf(2, 0, full("trun", 0, 0, u32(47))), traf(1, 0, THIRTY_FRAMES)),
            FragmentInfo(0, 1_000_000, 30, 47 * 1_024),
        ),
        # Ten hours in.
        (fragment(traf(1, 36_000 * 90_000, THIRTY_FRAMES)), FragmentInfo(36_000_000_000, 1_000_000, 30, 0)),
    ],
)
def test_fragment_tells_time_and_counts(data: bytes, info: FragmentInfo) -> None:
    assert describe_fragment(data, TRACKS) == info


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (b"", "not one whole"),
        (fragment(traf(1, 0, THIRTY_FRAMES))[:-1], "not one whole"),
        (fragment(traf(1, 0, THIRTY_FRAMES)) * 2, "not one whole"),
        (fragment(traf(2, 0, THIRTY_FRAMES)), "no video frame"),
        (fragment(traf(1, 0)), "no video frame"),
        (fragment(traf(1, 0, full("trun", 0, 0x100, u32(0xFFFFFFFF)))), "too short for 4294967295 samples"),
        (fragment(traf(1, 0, box("trun"))), "too short"),
        (fragment(box("traf", full("tfhd", 0, 0, u32(1)), THIRTY_FRAMES)), "0 boxes of type tfdt"),
    ],
)
def test_bad_fragment_is_refused(bad: bytes, complaint: str) -> None:
    with pytest.raises(BadInputError, match=complaint):
        describe_fragment(bad, TRACKS)


def test_large_boxes_are_whole_boxes() -> None:
    large = struct.pack(">I4sQ", 1, b"mdat", 20) + b"abcd"
    assert list(whole_boxes(b"??" + large + box("free"), offset=2)) == [(b"mdat", 2, 22), (b"free", 22, 30)]


@pytest.mark.parametrize("size", [0, 7, 9, 0xFFFFFFFF])
def test_reading_stops_before_an_impossible_box(size: int) -> None:
    assert list(whole_boxes(box("free") + u32(size) + b"mdat")) == [(b"free", 0, 8)]


@given(cut=st.data(), count=st.integers(0, 4))
def test_recovery_finds_every_whole_fragment_wherever_the_power_went(cut: st.DataObject, count: int) -> None:
    one = fragment(traf(1, 0, THIRTY_FRAMES))
    kept_bytes = cut.draw(st.integers(0, count * len(one)))
    whole = kept_bytes // len(one)
    assert list(whole_fragments((one * count)[:kept_bytes])) == [
        (i * len(one), (i + 1) * len(one)) for i in range(whole)
    ]


@pytest.mark.parametrize("stranger", [box("mdat"), box("moov"), box("mfra"), bytes(4096)])
def test_recovery_stops_at_a_stranger(stranger: bytes) -> None:
    one = fragment(traf(1, 0, THIRTY_FRAMES))
    assert list(whole_fragments(one + stranger + one)) == [(0, len(one))]


def only_bad_input(data: bytes) -> None:
    list(whole_boxes(data))
    list(whole_fragments(data))
    for read in (describe_init, lambda fragment: describe_fragment(fragment, TRACKS)):
        with suppress(BadInputError):
            read(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_at_worst_bad_input(data: bytes) -> None:
    only_bad_input(data)


@given(
    st.sampled_from(
        [
            init(trak("vide", VIDEO), trak("soun", SOUND)),
            fragment(
                traf(1, 0, full("trun", 0, 0x301, u32(2, 0), u32(2_999, 5, 3_001, 5))),
                traf(2, 0, full("trun", 0, 0x800, u32(1, 1))),
            ),
        ]
    ),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damaged_boxes_are_at_worst_bad_input(good: bytes, damage: list[tuple[int, int]]) -> None:
    data = bytearray(good)
    for place, value in damage:
        data[place % len(data)] = value
    only_bad_input(bytes(data))
