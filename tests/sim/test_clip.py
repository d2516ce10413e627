from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip, make_still

import sim
from device.ports import SOUND_RATE_HZ
from evidence.errors import BadInputError
from sim.clip import Clip, read_facts
from sim.clip_sound import ClipSound

BUNNY = Path(sim.__file__).parent / "media" / "bigbuckbunny.mp4"
WIDTH, HEIGHT = 320, 180
# What GREYS of the test clips become in limited range BT.709.
LUMA = [68, 102, 136, 171, 205]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name == "sim clip"] == []


def lumas(path: Path, times_ms: range | list[int], x: int = 200) -> list[int]:
    """What one point of the picture shows at these times, to the nearest of the known shades."""
    with closing(Clip(path, WIDTH, HEIGHT)) as clip:
        seen = [int(clip.picture_at(t_ms * 1000).y[HEIGHT // 2, x]) for t_ms in times_ms]
    return [min(LUMA, key=lambda luma: abs(luma - one)) for one in seen]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("plain.mp4", {}),
        ("portrait.mp4", {"size": (180, 320)}),
        ("odd.mkv", {"size": (321, 181), "codec": "ffv1", "pixels": "yuv444p"}),
        ("ten_bit.mp4", {"pixels": "yuv420p10le"}),
        ("rgb.mkv", {"codec": "ffv1", "pixels": "bgr0"}),
        ("full_range.avi", {"codec": "mjpeg", "pixels": "yuvj420p"}),
        ("animated.gif", {"codec": "gif", "pixels": "rgb8"}),
        ("starts_late.ts", {}),
    ],
)
def test_any_kind_of_clip_becomes_the_same_picture(tmp_path: Path, name: str, kind: dict[str, object]) -> None:
    path = make_clip(tmp_path / name, **kind)  # type: ignore[arg-type]
    assert lumas(path, range(50, 1600, 100)) == (LUMA * 4)[:16], "one picture each, three times round"
    with closing(Clip(path, WIDTH, HEIGHT)) as clip:
        picture = clip.picture_at(0)
    assert [plane.shape for plane in picture] == [(180, 320), (90, 160), (90, 160)]
    assert all(plane.dtype == np.uint8 for plane in picture)
    assert abs(int(picture.u[45, 100]) - 128) <= 3
    assert abs(int(picture.v[45, 100]) - 128) <= 3


def test_a_varying_rate_keeps_its_own_times(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "vfr.mp4", starts_ms=(0, 50, 300, 320, 700))
    assert lumas(path, [0, 49, 51, 299, 301, 319, 321, 699]) == [LUMA[i] for i in (0, 0, 1, 1, 2, 2, 3, 3)]


def test_a_faster_source_is_skipped_and_a_slower_one_held() -> None:
    with closing(Clip(BUNNY, 1280, 720)) as clip:
        slow = [clip.picture_at(k * 1_000_000 // 50).y.copy() for k in range(6)]
        assert np.array_equal(slow[0], slow[1])
        assert not np.array_equal(slow[1], slow[2])


def test_black_bars_keep_the_shape_of_the_picture(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "portrait.mp4", size=(180, 320))
    with closing(Clip(path, WIDTH, HEIGHT)) as clip:
        y, u, _ = clip.picture_at(0)
    # 180 x 320 in 320 x 180 is 102 (101.25 made even) wide.
    assert set(np.unique(y[:, :108])) == {16}
    assert set(np.unique(y[:, 210:])) == {16}
    assert y[:, 112:208].min() > 40
    assert set(np.unique(u[:, :54])) == {128}


@pytest.mark.parametrize(("turned", "dark"), [(90.0, (-5, 90)), (-90.0, (5, 90)), (180.0, (160, -5))])
def test_a_phone_held_upright_shows_an_upright_picture(tmp_path: Path, turned: float, dark: tuple[int, int]) -> None:
    """The dark left half goes to the bottom, the top or the right, as the file's turn says."""
    path = make_clip(tmp_path / "phone.mp4", turned=turned)
    width, height = (180, 320) if abs(turned) == 90 else (320, 180)
    with closing(Clip(path, width, height)) as clip:
        y = clip.picture_at(0).y
    assert y.shape == (height, width)
    assert y[dark] < y[-dark[0], -dark[1]] - 10


@pytest.mark.parametrize("name", ["still.png", "still.jpg"])
def test_a_still_stands_for_ever(tmp_path: Path, name: str) -> None:
    assert lumas(make_still(tmp_path / name), [0, 1_000, 3_600_000], x=160) == [LUMA[2]] * 3


def test_pictures_that_fit_are_not_copied() -> None:
    with closing(Clip(BUNNY, 1280, 720)) as clip:
        y = clip.picture_at(0).y
        assert y.base is not None
        assert y.shape == (720, 1280)
        assert clip.picture_at(39_999).y is y, "nor looked at again while held"


def test_starting_late_in_a_clip_shows_what_is_on_then(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "long.mp4", starts_ms=tuple(range(0, 30_000, 100)))
    for from_ms in (150, 25_250, 30_250, 1_000_000_350):
        with closing(Clip(path, WIDTH, HEIGHT, from_us=from_ms * 1000)) as clip:
            seen = int(clip.picture_at(from_ms * 1000).y[90, 200])
        assert abs(seen - LUMA[from_ms // 100 % 5]) <= 3


def test_a_slow_decoder_does_not_hold_up_who_does_not_wait() -> None:
    with closing(Clip(BUNNY, 1280, 720)) as clip:
        first = clip.picture_at(0).y.copy()
        stand_in = clip.picture_at(5_000_000, wait=False).y
        assert stand_in.shape == first.shape
        assert not np.array_equal(clip.picture_at(5_000_000).y, first)


@pytest.mark.parametrize("name", ["empty.mp4", "text.mp4", "missing.mp4", "folder"])
def test_what_is_no_clip_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a film\n" * 50)
    (tmp_path / "folder").mkdir()
    for use in (lambda path: Clip(path, WIDTH, HEIGHT), ClipSound, read_facts):
        with pytest.raises(BadInputError) as caught:
            use(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_sound_alone_is_not_a_clip(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "both.mkv", tone_until_ms=300)
    sound_only = tmp_path / "sound.mka"
    import av

    with av.open(str(path)) as source, av.open(str(sound_only), "w") as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    with pytest.raises(BadInputError, match="has no picture in it"):
        Clip(sound_only, WIDTH, HEIGHT)


def test_a_damaged_tail_is_bridged_by_the_last_good_picture(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "torn.ts", size=(640, 360))
    path.write_bytes(path.read_bytes()[:-2000])
    with closing(Clip(path, 640, 360)) as clip:
        for t_ms in range(0, 2_000, 100):
            assert clip.picture_at(t_ms * 1000).y.shape == (360, 640)


def loudness(samples: np.ndarray, piece_ms: int = 50) -> list[int]:
    pieces = samples.astype(float).reshape(-1, piece_ms * SOUND_RATE_HZ // 1000)
    return [round(float(np.sqrt((piece**2).mean()))) for piece in pieces]


def test_sound_comes_round_with_the_picture_and_does_not_drift(tmp_path: Path) -> None:
    """A picture of 500 ms with 300 ms of sound: 200 ms of quiet room in each pass, also after an hour."""
    path = make_clip(tmp_path / "buzz.mp4", tone_until_ms=300)
    for from_s in (0, 3_600):
        heard = loudness(ClipSound(path, from_s * SOUND_RATE_HZ).read(SOUND_RATE_HZ * 3 // 2))
        assert all(level > 2_000 for turn in (0, 10, 20) for level in heard[turn : turn + 6])
        assert all(0 < level < 50 for turn in (0, 10, 20) for level in heard[turn + 7 : turn + 10])


def test_reading_in_small_blocks_gives_the_same_sound() -> None:
    whole = ClipSound(BUNNY).read(SOUND_RATE_HZ * 6)
    blocks = ClipSound(BUNNY)
    assert np.array_equal(np.concatenate([blocks.read(960) for _ in range(300)]), whole)
    assert whole.dtype == np.int16


def test_a_pass_of_sound_is_as_long_as_a_pass_of_pictures() -> None:
    sound = ClipSound(BUNNY)
    pass_samples = read_facts(BUNNY).pass_us * SOUND_RATE_HZ // 1_000_000
    first, second = sound.read(pass_samples), sound.read(pass_samples)
    assert np.array_equal(first, second)


def test_a_clip_without_sound_is_a_quiet_room(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "silent.mp4")
    heard = ClipSound(path).read(SOUND_RATE_HZ)
    assert 5 < heard.astype(float).std() < 50
    assert np.array_equal(heard, ClipSound(path).read(SOUND_RATE_HZ)), "seeded"
