from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import cycle, islice
from pathlib import Path

import av
import numpy as np
import pylopdf_fonts_zh_cn
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.capture.encoder import SoftwareEncoder
from device.capture.overlay import GRADE_WORDS, Mark, Overlay, time_text, wrap
from device.ports import Frame
from evidence.errors import CaptureError, ConfigError
from evidence.io.font import missing_characters
from evidence.model import ClockGrade, Officer, Timestamp
from tests.device.overlay_reader import read_time

BUNNY = Path(__file__).parents[2] / "sim/media/bigbuckbunny.mp4"
FONT = Path(pylopdf_fonts_zh_cn.sans_path())
OFFICER = Officer("330106-0457", "欧阳震华", "杭州市公安局西湖分局北山派出所")
CHINA = timezone(timedelta(hours=8))


def stamp_of(utc_us: int, grade: ClockGrade = ClockGrade.NTP, offset_min: int = 480) -> Timestamp:
    return Timestamp(utc_us, offset_min, grade, None, "0" * 32, utc_us)


def blank(width: int, height: int, luma: int = 90, chroma: int = 60) -> Frame:
    y = np.full((height, width), luma, np.uint8)
    u, v = (np.full((height // 2, width // 2), chroma, np.uint8) for _ in "uv")
    return Frame(y, u, v, 0)


def ground(name: str, width: int, height: int) -> Iterator[Frame]:
    if name != "bunny":
        while True:
            yield blank(width, height, {"black": 16, "white": 235}[name], 128)
    with av.open(str(BUNNY)) as container:
        pictures = [
            f.reformat(width, height).to_ndarray(format="yuv420p") for f in islice(container.decode(video=0), 40)
        ]
    for picture in cycle(pictures):
        chroma = picture[height:].reshape(2, height // 2, width // 2)
        yield Frame(picture[:height].copy(), chroma[0].copy(), chroma[1].copy(), 0)


@pytest.mark.parametrize("name", ["bunny", "black", "white"])
@pytest.mark.parametrize(
    ("width", "height", "bit_rate_bps", "count"),
    [(1920, 1080, 6_000_000, 40), (1280, 720, 3_000_000, 75), (320, 180, 400_000, 75)],
)
def test_the_time_is_read_back_from_every_encoded_picture(
    name: str, width: int, height: int, bit_rate_bps: int, count: int
) -> None:
    overlay = Overlay(width, height, OFFICER, "LH-00017", FONT)
    encoder = SoftwareEncoder(width, height, 25, bit_rate_bps)
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = encoder.format.extradata
    # The last second of a year: every digit but the century's changes on the way.
    times_us = [1_798_732_799_000_499 + 39_877 * number for number in range(count)]
    read: list[str] = []
    for frame, utc_us in zip(ground(name, width, height), times_us, strict=False):
        overlay.draw(frame, stamp_of(utc_us), Mark.RECORDING)
        for packet in encoder.encode(frame):
            read += [
                read_time(f.to_ndarray()[:height], overlay.time_cells) for f in decoder.decode(av.Packet(packet.data))
            ]
    read += [read_time(f.to_ndarray()[:height], overlay.time_cells) for f in decoder.decode(None)]
    shown = [
        datetime.fromtimestamp(utc_us // 1_000 / 1_000, CHINA).isoformat(" ", "milliseconds") for utc_us in times_us
    ]
    assert read == [f"{text[:23]} {text[23:]}" for text in shown]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1)),
            st.integers(-14 * 60, 14 * 60),
            st.sampled_from(ClockGrade),
            st.sampled_from(Mark),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_was_drawn_before_leaves_no_trace(
    drawn: list[tuple[datetime, int, ClockGrade, Mark]],
) -> None:
    used, fresh = (Overlay(640, 360, OFFICER, "LH-00017", FONT) for _ in range(2))
    for moment, offset_min, grade, mark in drawn:
        stamp = stamp_of((moment - datetime(1970, 1, 1)) // timedelta(microseconds=1), grade, offset_min)
        seen = blank(640, 360)
        used.draw(seen, stamp, mark)
        assert read_time(seen.y, used.time_cells) == time_text(stamp)
    once = blank(640, 360)
    fresh.draw(once, stamp, mark)
    assert np.array_equal(seen.y, once.y)


def changed_box(plane: np.ndarray, value: int) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(plane != value)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (640, 360), (320, 180)])
def test_only_the_box_is_touched_and_chroma_is_grey_exactly_under_it(width: int, height: int) -> None:
    frame = blank(width, height)
    Overlay(width, height, OFFICER, "LH-00017", FONT).draw(frame, stamp_of(0), Mark.PAUSED)
    left, top, right, bottom = changed_box(frame.y, 90)
    assert right < width
    assert bottom < height * 0.6
    for plane in (frame.u, frame.v):
        assert changed_box(plane, 60) == (left // 2, top // 2, right // 2, bottom // 2)
        assert (plane[top // 2 : bottom // 2, left // 2 : right // 2] == 128).all()
    box = frame.y[top:bottom, left:right]
    assert (box.min(), box.max()) == (16, 235)


def drawn(officer: Officer | None, grade: ClockGrade, mark: Mark) -> np.ndarray:
    frame = blank(1280, 720, 16)
    Overlay(1280, 720, officer, "LH-00017", FONT).draw(frame, stamp_of(0, grade), mark)
    return frame.y


def test_each_grade_and_each_state_and_each_officer_looks_different() -> None:
    pictures = [drawn(OFFICER, grade, mark) for grade in ClockGrade for mark in Mark]
    pictures.append(drawn(None, ClockGrade.NTP, Mark.RECORDING))
    assert len({picture.tobytes() for picture in pictures}) == len(ClockGrade) * len(Mark) + 1


def test_a_clock_that_nobody_set_shows_a_bright_field() -> None:
    bright = {grade: int((drawn(OFFICER, grade, Mark.RECORDING) > 200).sum()) for grade in ClockGrade}
    unset = bright.pop(ClockGrade.UNSET)
    assert unset > max(bright.values()) + 2_000


@pytest.mark.parametrize(
    ("officer", "device", "lacking"),
    [
        (Officer("1", "王\U000fffff", "杭州"), "LH-1", r"U\+FFFFF"),
        (Officer("1", "王\n", "杭州"), "LH-1", r"U\+000A"),
        (None, "LH-\u0007", r"U\+0007"),
    ],
)
def test_a_character_that_the_font_lacks_is_named_at_once(officer: Officer | None, device: str, lacking: str) -> None:
    with pytest.raises(ConfigError, match=lacking):
        Overlay(1280, 720, officer, device, FONT)


def test_rare_names_are_in_the_default_font() -> None:
    assert missing_characters("㛃㙍䶮𬭎" + "".join(GRADE_WORDS.values()), FONT) == ""


@pytest.mark.parametrize("font", [Path("no such font.otf"), BUNNY])
def test_a_font_that_is_none_is_refused(font: Path) -> None:
    with pytest.raises(ConfigError, match=str(font)):
        Overlay(1280, 720, None, "LH-1", font)


@pytest.mark.parametrize(("width", "height"), [(160, 90), (640, 24)])
def test_a_picture_too_small_for_the_text_is_refused(width: int, height: int) -> None:
    with pytest.raises(ConfigError, match="does not fit"):
        Overlay(width, height, OFFICER, "LH-00017", FONT)


def test_a_frame_of_another_size_is_refused() -> None:
    with pytest.raises(CaptureError, match="320x180"):
        Overlay(1280, 720, None, "LH-1", FONT).draw(blank(320, 180), stamp_of(0), Mark.STANDBY)


def within(most: int) -> Callable[[str], bool]:
    return lambda text: len(text) <= most


@pytest.mark.parametrize(
    ("items", "most", "lines"),
    [
        (["ab", "cd"], 6, ["ab  cd"]),
        (["ab", "cd"], 5, ["ab", "cd"]),
        (["abcdefg"], 3, ["abc", "def", "g"]),
        (["a", "bcdef", "g"], 4, ["a", "bcde", "f  g"]),
    ],
)
def test_text_that_is_too_wide_goes_on_below(items: list[str], most: int, lines: list[str]) -> None:
    assert wrap(items, within(most)) == lines


@given(st.lists(st.text("abc", min_size=1, max_size=30), max_size=6), st.integers(1, 20))
def test_no_character_is_cut_off(items: list[str], most: int) -> None:
    lines = wrap(items, within(most))
    assert "".join(lines).replace(" ", "") == "".join(items)
    assert all(len(line) <= most for line in lines)
