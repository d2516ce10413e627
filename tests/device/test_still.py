"""Photos: colours, and EXIF as other people's readers see it."""

import hashlib
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import piexif
import piexif.helper
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from device.capture.still import StillFacts, add_exif, copy_frame, encode_still
from device.ports import Frame, Position
from evidence.model import ClockGrade, Officer, Timestamp

WIDTH, HEIGHT = 320, 180
BARS = ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191), (255, 255, 255), (0, 0, 0), (230, 180, 150))  # fmt: skip  # noqa: E501
TOLERANCE = 4
RARE = "䶮𠮷㛃𫖯"
"""In names of real people, two of them outside the first 65,536 characters."""
OFFICER = Officer("640221-0117", f"张建国{RARE}", "平罗县退役军人事务局", "pingluo")
LATE_EVENING_US = int(datetime(2026, 11, 21, 19, 51, 48, 123_456, UTC).timestamp()) * 1_000_000 + 123_456
CAPTURED = Timestamp(LATE_EVENING_US, 480, ClockGrade.NTP, None, "3f" * 16, 42_500_000)
SOUTH_WEST_AND_LOW = Position(-12.345678, -38.999999999, -3.7)
FACTS = StillFacts(
    "LH-000001", "liuhen 0.1.0", OFFICER, CAPTURED, SOUTH_WEST_AND_LOW,
    entry=1234, recording="3f2a9c1b7d04-r0001", segment="3f2a9c1b7d04-00001", index=7,
)  # fmt: skip


def bars() -> Frame:
    """Colour bars in limited range BT.709, computed as the recommendation has it."""
    red, green, blue = (
        np.repeat(np.array([bar[channel] for bar in BARS]) / 255, WIDTH // len(BARS)) for channel in range(3)
    )
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    lines = (16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748)
    y, u, v = (np.round(line).astype(np.uint8) for line in lines)
    return Frame(
        np.tile(y, (HEIGHT, 1)), np.tile(u[::2], (HEIGHT // 2, 1)), np.tile(v[::2], (HEIGHT // 2, 1)), boot_us=1
    )


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    return encode_still(bars())


@pytest.fixture(scope="module")
def tagged(jpeg: bytes) -> bytes:
    return add_exif(jpeg, FACTS)


def pixels(jpeg: bytes) -> np.ndarray[Any, Any]:
    with Image.open(BytesIO(jpeg)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def exiftool(folder: Path, jpeg: bytes) -> dict[str, Any]:
    """Every tag as exiftool prints it, with numbers as numbers."""
    path = folder / "still.jpg"
    path.write_bytes(jpeg)
    done = subprocess.run(
        ["exiftool", "-json", "-n", "-charset", "filename=utf8", path], check=True, capture_output=True
    )
    (tags,) = json.loads(done.stdout)
    return dict(tags)


def test_every_colour_is_the_one_that_was_seen(jpeg: bytes) -> None:
    seen = pixels(jpeg)
    assert seen.shape == (HEIGHT, WIDTH, 3)
    for number, bar in enumerate(BARS):
        middle = seen[HEIGHT // 2, number * WIDTH // len(BARS) + WIDTH // len(BARS) // 2]
        assert np.abs(middle - bar).max() <= TOLERANCE, (bar, middle)


def test_an_odd_number_of_chroma_columns_and_a_view_into_a_wider_picture_are_no_trouble() -> None:
    whole = bars()
    part = Frame(whole.y[2:90, 32:158], whole.u[1:45, 16:79], whole.v[1:45, 16:79], boot_us=1)
    seen = pixels(encode_still(part))
    assert seen.shape == (88, 126, 3)
    assert np.abs(seen[40, 16] - BARS[1]).max() <= TOLERANCE


def test_a_copy_keeps_what_the_camera_overwrites() -> None:
    frame = bars()
    kept = copy_frame(frame)
    before = encode_still(frame)
    for plane in (frame.y, frame.u, frame.v):
        plane[:] = 0
    assert encode_still(kept) == before
    assert kept.boot_us == frame.boot_us


def test_exif_leaves_every_pixel_alone(jpeg: bytes, tagged: bytes) -> None:
    assert tagged != jpeg
    assert np.array_equal(pixels(jpeg), pixels(tagged))


def test_exiftool_reads_what_we_wrote(tagged: bytes, tmp_path: Path) -> None:
    tags = exiftool(tmp_path, tagged)
    assert {
        "DateTimeOriginal": "2026:11:22 03:51:48",
        "SubSecDateTimeOriginal": "2026:11:22 03:51:48.123+08:00",
        "GPSDateTime": "2026:11:21 19:51:48.123Z",
        "GPSLatitude": pytest.approx(-12.345678, abs=1e-7),
        "GPSLongitude": pytest.approx(-39, abs=1e-7),
        "GPSAltitude": pytest.approx(-3.7),
        "GPSMapDatum": "WGS-84",
        "Make": "liuhen",
        "Software": "liuhen 0.1.0",
        "SerialNumber": "LH-000001",
        "Artist": f"640221-0117 张建国{RARE}",
        "ExifImageWidth": WIDTH,
        "ExifImageHeight": HEIGHT,
    }.items() <= tags.items()
    assert json.loads(tags["UserComment"]) == {
        "device": "LH-000001",
        "officer": "640221-0117",
        "name": f"张建国{RARE}",
        "unit": "平罗县退役军人事务局",
        "boot": "3f" * 16,
        "captured_boot_us": 42_500_000,
        "entry": 1234,
        "recording": "3f2a9c1b7d04-r0001",
        "segment": "3f2a9c1b7d04-00001",
        "index": 7,
        "clock": "ntp",
    }
    assert "\n" not in tags["UserComment"]


def test_exiftool_misses_nothing_that_exif_demands(tagged: bytes, tmp_path: Path) -> None:
    path = tmp_path / "still.jpg"
    path.write_bytes(tagged)
    done = subprocess.run(["exiftool", "-validate", "-warning", "-a", path], capture_output=True, text=True, check=True)
    assert "Validate" in done.stdout
    assert "Missing" not in done.stdout
    assert "Non-standard" not in done.stdout


def test_pillow_reads_what_we_wrote(tagged: bytes) -> None:
    with Image.open(BytesIO(tagged)) as image:
        exif = image.getexif()
        details, place = exif.get_ifd(IFD.Exif), exif.get_ifd(IFD.GPSInfo)
    # Pillow takes EXIF's text for Latin-1, whatever it is; no byte of it is lost.
    assert exif[Base.Artist].encode("latin-1").decode() == f"640221-0117 张建国{RARE}"
    assert details[Base.DateTimeOriginal] == "2026:11:22 03:51:48"
    assert details[Base.OffsetTimeOriginal] == "+08:00"
    assert details[Base.SubsecTimeOriginal] == "123"
    assert place[GPS.GPSLatitudeRef] == "S"
    degrees, minutes, seconds = place[GPS.GPSLatitude]
    assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(12.345678, abs=1e-7)
    assert place[GPS.GPSDateStamp] == "2026:11:21"
    told = json.loads(piexif.helper.UserComment.load(details[Base.UserComment]))
    assert (told["name"], told["unit"]) == (OFFICER.name, OFFICER.unit)


def test_what_nobody_knows_is_not_told(jpeg: bytes, tmp_path: Path) -> None:
    tags = exiftool(tmp_path, add_exif(jpeg, StillFacts("LH-000001", "liuhen 0.1.0", None, CAPTURED, None)))
    assert not [name for name in tags if name.startswith("GPS") or name == "Artist"]
    told = json.loads(tags["UserComment"])
    assert {name for name, value in told.items() if value is None} == {
        "officer", "name", "unit", "entry", "recording", "segment", "index",
    }  # fmt: skip


def test_each_photo_has_a_name_of_its_own(jpeg: bytes, tmp_path: Path) -> None:
    others = [FACTS, replace(FACTS, captured=replace(CAPTURED, boot_us=1)), replace(FACTS, device="LH-000002")]
    names = {exiftool(tmp_path, add_exif(jpeg, facts))["ImageUniqueID"] for facts in (*others, FACTS)}
    assert len(names) == 3
    assert all(len(name) == 32 for name in names)


def test_the_widest_texts_still_fit(jpeg: bytes, tmp_path: Path) -> None:
    wide = replace(FACTS, officer=Officer("𠮷" * 1024, "𠮷" * 1024, "𠮷" * 1024))
    tagged = add_exif(jpeg, wide)
    assert len(tagged) - len(jpeg) < 40_000
    assert exiftool(tmp_path, tagged)["Artist"] == f"{'𠮷' * 1024} {'𠮷' * 1024}"


@settings(max_examples=60, deadline=None)
@given(
    position=st.builds(Position, st.floats(-90, 90), st.floats(-180, 180), st.none() | st.floats(-500, 9000)),
    officer=st.none() | st.builds(Officer, *[st.text(st.characters(), min_size=1, max_size=20)] * 3),
    utc_us=st.integers(0, 4_102_444_800_000_000),
    offset_min=st.integers(-720, 840),
)
def test_whatever_is_told_comes_back(position: Position, officer: Officer | None, utc_us: int, offset_min: int) -> None:
    captured = replace(CAPTURED, utc_us=utc_us, offset_min=offset_min)
    tags = piexif.load(add_exif(SMALL, replace(FACTS, position=position, officer=officer, captured=captured)))
    place, details = tags["GPS"], tags["Exif"]
    for told, reference, value in ((2, 1, position.latitude_deg), (4, 3, position.longitude_deg)):
        (degrees, _), (minutes, _), (units, scale) = place[told]
        assert minutes < 60
        assert units < 60 * scale
        sign = -1 if place[reference] in {b"S", b"W"} else 1
        assert sign * (degrees + minutes / 60 + units / scale / 3600) == pytest.approx(value, abs=1e-7)
    assert (piexif.GPSIFD.GPSAltitude in place) == (position.altitude_m is not None)
    local = datetime.strptime(details[36867].decode() + details[36881].decode(), "%Y:%m:%d %H:%M:%S%z")
    assert int(local.timestamp()) == utc_us // 1_000_000
    utc = f"{place[29].decode()} {place[7][0][0]:02d}:{place[7][1][0]:02d}:{place[7][2][0] // 1000:02d}"
    assert datetime.strptime(utc, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC) == local
    told = json.loads(piexif.helper.UserComment.load(details[piexif.ExifIFD.UserComment]))
    assert told["unit"] == (None if officer is None else officer.unit.encode("utf-8", "replace").decode())


def test_the_hash_names_the_photo(jpeg: bytes) -> None:
    """The same facts make the same bytes, so that a blob has one name."""
    assert len({hashlib.sha256(add_exif(jpeg, FACTS)).digest() for _ in range(3)}) == 1


SMALL = encode_still(Frame(*(np.full(shape, 128, np.uint8) for shape in ((16, 16), (8, 8), (8, 8))), boot_us=0))
