"""Any decoded picture, made to fit the simulated sensor: turned upright, scaled, bars of black around it."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from device.ports import Plane

BLACK_Y, BLACK_UV = 16, 128
UNSPECIFIED_MATRIX = 2
HD_HEIGHT = 720


class Planes(NamedTuple):
    """One picture in planar YUV 4:2:0, limited range BT.709; to be read, not drawn into."""

    y: Plane
    u: Plane
    v: Plane


def blank_picture(width: int, height: int) -> Planes:
    """A black picture in one contiguous block of memory, which is the `base` of all three planes."""
    block = np.full((height * 3 // 2, width), BLACK_UV, np.uint8)
    flat, luma, chroma = block.reshape(-1), width * height, width * height // 4
    picture = Planes(
        flat[:luma].reshape(height, width),
        flat[luma : luma + chroma].reshape(height // 2, width // 2),
        flat[luma + chroma :].reshape(height // 2, width // 2),
    )
    picture.y.fill(BLACK_Y)
    return picture


class Letterbox:
    """Fits pictures of any size, shape and pixel format into `width` x `height` (both even)."""

    def __init__(self, width: int, height: int, pixel_aspect: Fraction) -> None:
        self._width = width
        self._height = height
        self._pixel_aspect = pixel_aspect
        self._reformatter = VideoReformatter()
        self._canvas = blank_picture(width, height)
        self._on_canvas = (0, 0)

    def fit(self, frame: VideoFrame) -> Planes:
        """The fitted picture: views of `frame` itself when nothing is to be done. Valid until the next call."""
        turns = frame.rotation // 90 % 4
        width, height = self._room(frame, turned=turns % 2 == 1)
        scaled = self._scale(frame, *((height, width) if turns % 2 else (width, height)))
        planes = _planes(scaled)
        if turns:
            planes = Planes(*(np.rot90(plane, turns) for plane in planes))
        if (width, height) == (self._width, self._height):
            return planes
        return self._centre(planes, width, height)

    def _room(self, frame: VideoFrame, *, turned: bool) -> tuple[int, int]:
        """The largest even size in the picture's own shape that fits."""
        shown = Fraction(frame.width) * self._pixel_aspect, Fraction(frame.height)
        across, down = reversed(shown) if turned else shown
        scale = min(self._width / across, self._height / down)
        return _even(across * scale, self._width), _even(down * scale, self._height)

    def _scale(self, frame: VideoFrame, width: int, height: int) -> VideoFrame:
        fits = (frame.width, frame.height) == (width, height) and frame.format.name == "yuv420p"
        if fits and frame.color_range != ColorRange.JPEG:
            return frame
        return self._reformatter.reformat(
            frame,
            width,
            height,
            "yuv420p",
            src_colorspace=_matrix(frame.height) if frame.colorspace == UNSPECIFIED_MATRIX else None,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,  # a second thread would cost the encoder more than it gains here
        )

    def _centre(self, planes: Planes, width: int, height: int) -> Planes:
        if self._on_canvas != (width, height):
            self._canvas = blank_picture(self._width, self._height)
            self._on_canvas = (width, height)
        left, top = (self._width - width) // 4 * 2, (self._height - height) // 4 * 2
        self._canvas.y[top : top + height, left : left + width] = planes.y
        for canvas, plane in ((self._canvas.u, planes.u), (self._canvas.v, planes.v)):
            canvas[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2] = plane
        return self._canvas


def _even(length: Fraction, most: int) -> int:
    return min(max(2 * round(length / 2), 2), most)


def _matrix(height: int) -> Colorspace:
    """The colour matrix that is taken for granted at this height where a file does not say."""
    return Colorspace.ITU709 if height >= HD_HEIGHT else Colorspace.ITU601


def _planes(frame: VideoFrame) -> Planes:
    """Views of the frame's own memory, without the padding at the end of its lines."""
    return Planes(
        *(
            np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
            for plane in frame.planes
        )
    )
