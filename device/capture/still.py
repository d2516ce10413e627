"""A photo: one frame of the running camera as JPEG, and the EXIF that says whose, when, where and what it belongs to.

The two are apart because a frame is encoded at once, while the fragment that shows the same instant, and so the journal
entry, is known a second later.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from fractions import Fraction
from hashlib import sha256
from io import BytesIO
from typing import Any

import av
import numpy as np
import piexif
import piexif.helper
from av.error import FFmpegError
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from PIL import Image

from device.ports import Frame, Position
from evidence.errors import CaptureError
from evidence.model import Officer, Timestamp

QUALITY = 90
DATE_FORMAT = "%Y:%m:%d"
TIME_FORMAT = f"{DATE_FORMAT} %H:%M:%S"
Rational = tuple[int, int]
ALWAYS_ABOUT = {
    piexif.ImageIFD.Make: "liuhen",
    piexif.ImageIFD.Model: "body-worn recorder",
    piexif.ImageIFD.XResolution: (72, 1),
    piexif.ImageIFD.YResolution: (72, 1),
    piexif.ImageIFD.ResolutionUnit: 2,  # inches
    piexif.ImageIFD.YCbCrPositioning: 1,  # centred
}
ALWAYS_DETAILS = {
    piexif.ExifIFD.ExifVersion: b"0232",
    piexif.ExifIFD.FlashpixVersion: b"0100",
    piexif.ExifIFD.ComponentsConfiguration: b"\1\2\3\0",  # Y, Cb, Cr
    piexif.ExifIFD.ColorSpace: 1,  # sRGB
}
"""What EXIF demands of every JPEG, and what is the same for every recorder."""


@dataclass(frozen=True, slots=True)
class StillFacts:
    """What EXIF tells of a photo. `captured` is the frame's own instant.

    `entry` is the sequence number of the photo's own journal entry, `segment` and `index` name the fragment that shows
    the same instant; all are None where there is none, like `recording`.
    """

    device: str
    software: str
    officer: Officer | None
    captured: Timestamp
    position: Position | None
    entry: int | None = None
    recording: str | None = None
    segment: str | None = None
    index: int | None = None


def copy_frame(frame: Frame) -> Frame:
    """The same picture in memory of its own, for the camera takes its planes back."""
    return Frame(frame.y.copy(), frame.u.copy(), frame.v.copy(), frame.boot_us)


def encode_still(frame: Frame) -> bytes:
    """The frame as JPEG (JFIF: full range, BT.601). Slow (tens of milliseconds); raises CaptureError.

    A frame is limited range BT.709 whatever its size, as `SoftwareEncoder` flags the video.
    """
    height, width = frame.y.shape
    picture = av.VideoFrame(width, height, "yuv420p")
    for plane, source in zip(picture.planes, (frame.y, frame.u, frame.v), strict=True):
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        lines[:, : plane.width] = source
    try:
        rgb = picture.reformat(
            format="rgb24",
            src_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC,
        )
    except FFmpegError as error:
        raise CaptureError("photo", str(error)) from error
    jpeg = BytesIO()
    Image.fromarray(rgb.to_ndarray()).save(jpeg, "JPEG", quality=QUALITY)
    return jpeg.getvalue()


def add_exif(jpeg: bytes, facts: StillFacts) -> bytes:
    """The same JPEG, its pixels untouched, with EXIF 2.32. Text that is not ASCII is UTF-8, as readers expect it."""
    with Image.open(BytesIO(jpeg)) as picture:
        width, height = picture.size
    ifds = {"0th": _about(facts), "Exif": _details(facts, width, height), "GPS": _place(facts)}
    tagged = BytesIO()
    piexif.insert(piexif.dump(ifds), jpeg, tagged)
    return tagged.getvalue()


def _about(facts: StillFacts) -> dict[int, Any]:
    tags = piexif.ImageIFD
    about = {
        **ALWAYS_ABOUT,
        tags.Software: _utf8(facts.software),
        tags.DateTime: facts.captured.local().strftime(TIME_FORMAT),
    }
    if facts.officer is not None:
        about[tags.Artist] = _utf8(f"{facts.officer.number} {facts.officer.name}")
    return about


def _details(facts: StillFacts, width: int, height: int) -> dict[int, Any]:
    tags = piexif.ExifIFD
    local = facts.captured.local()
    return {
        **ALWAYS_DETAILS,
        tags.DateTimeOriginal: local.strftime(TIME_FORMAT),
        tags.SubSecTimeOriginal: f"{local.microsecond // 1000:03d}",
        tags.OffsetTimeOriginal: local.isoformat()[-6:],
        tags.PixelXDimension: width,
        tags.PixelYDimension: height,
        tags.BodySerialNumber: _utf8(facts.device),
        tags.ImageUniqueID: _unique_id(facts),
        tags.UserComment: piexif.helper.UserComment.dump(_belongs(facts), encoding="unicode"),
    }


def _belongs(facts: StillFacts) -> str:
    """One line of JSON: everything that has no tag of its own."""
    officer, captured = facts.officer, facts.captured
    told = {
        "device": facts.device,
        "officer": officer.number if officer else None,
        "name": officer.name if officer else None,
        "unit": officer.unit if officer else None,
        "boot": captured.boot,
        "captured_boot_us": captured.boot_us,
        "entry": facts.entry,
        "recording": facts.recording,
        "segment": facts.segment,
        "index": facts.index,
        "clock": captured.grade.value,
    }
    return _utf8(json.dumps(told, ensure_ascii=False)).decode()


def _place(facts: StillFacts) -> dict[int, Any]:
    """Where, and when in UTC; empty when nobody knows where."""
    if facts.position is None:
        return {}
    tags, position = piexif.GPSIFD, facts.position
    utc = facts.captured.local().astimezone(UTC)
    place: dict[int, Any] = {
        tags.GPSVersionID: (2, 3, 0, 0),
        tags.GPSLatitudeRef: "S" if position.latitude_deg < 0 else "N",
        tags.GPSLatitude: _degrees(position.latitude_deg),
        tags.GPSLongitudeRef: "W" if position.longitude_deg < 0 else "E",
        tags.GPSLongitude: _degrees(position.longitude_deg),
        tags.GPSMapDatum: "WGS-84",
        tags.GPSDateStamp: utc.strftime(DATE_FORMAT),
        tags.GPSTimeStamp: ((utc.hour, 1), (utc.minute, 1), (utc.second * 1000 + utc.microsecond // 1000, 1000)),
    }
    if position.altitude_m is not None:
        place[tags.GPSAltitudeRef] = int(position.altitude_m < 0)
        place[tags.GPSAltitude] = (round(abs(position.altitude_m) * 100), 100)
    return place


def _degrees(degrees: float) -> tuple[Rational, Rational, Rational]:
    """Degrees, minutes, seconds; to a ten-thousandth of a second, which is 3 mm."""
    minutes, units = divmod(round(Fraction(abs(degrees)) * 36_000_000), 600_000)
    return (minutes // 60, 1), (minutes % 60, 1), (units, 10_000)


def _unique_id(facts: StillFacts) -> str:
    """32 hexadecimal digits, as EXIF wants; the same for the same instant of the same recorder."""
    return sha256(f"{facts.device} {facts.captured.boot} {facts.captured.boot_us}".encode()).hexdigest()[:32]


def _utf8(text: str) -> bytes:
    """A lone surrogate, which JSON can carry and no encoding can, becomes a question mark."""
    return text.encode("utf-8", "replace")
