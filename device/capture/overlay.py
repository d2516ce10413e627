"""Time, officer and state, burned into every picture before it is encoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from device.ports import Frame, Plane
from evidence.errors import CaptureError, ConfigError
from evidence.io.font import missing_characters, named_characters
from evidence.model import ClockGrade, Officer, Timestamp

BLACK_LUMA = 16
WHITE_LUMA = 235
GREY_CHROMA = 128
SMALLEST_FONT_PX = 12
TIME_PATTERN = "0000-00-00 00:00:00.000 +00:00"
TIME_CHARACTERS = "0123456789-:.+ "
UNASSIGNED = "未指派 UNASSIGNED"
GRADE_WORDS = {
    ClockGrade.UNSET: "时间未校准 UNSET",
    ClockGrade.RTC: "RTC",
    ClockGrade.DOCK: "DOCK",
    ClockGrade.NTP: "NTP",
    ClockGrade.GNSS: "GNSS",
}


class Mark(Enum):
    """What the recorder is doing, as the picture shows it."""

    STANDBY = "待机 STANDBY"
    RECORDING = "● 录像 REC"
    PAUSED = "暂停 PAUSED"


@dataclass(frozen=True, slots=True)
class TimeCells:
    """Where the characters of the time stand, for whoever reads them back: one cell each, side by side, in pixels.

    `glyphs` holds the luma of a cell for each character that can stand there, (height, width) each.
    """

    x: int
    y: int
    width: int
    height: int
    glyphs: dict[str, Plane]


class Overlay:
    """An opaque box at the top left: time, its offset and grade; below, who wears the recorder and what it does.

    All text is drawn once, here; afterwards only cells are copied. Raises ConfigError for a font that cannot be read
    or that lacks a character, and for a picture too small to hold the box. Not for use from two threads at once.
    """

    def __init__(self, width: int, height: int, officer: Officer | None, device: str, font_path: Path) -> None:
        about = [officer.number, officer.name, officer.unit, device] if officer else [UNASSIGNED, device]
        _require_characters("".join([*about, *GRADE_WORDS.values(), *(mark.value for mark in Mark)]), font_path)
        pen = _Pen(font_path, max(SMALLEST_FONT_PX, height // 36))
        self._shape = (height, width)
        self._left = self._top = pen.gap
        self._box, self.time_cells, self._grades, self._marks = _lay_out(pen, width - 2 * pen.gap, about)
        bottom, right = self._top + self._box.shape[0], self._left + self._box.shape[1]
        if bottom > height or right > width:
            raise ConfigError("overlay", f"a text of {right}x{bottom} does not fit a picture of {width}x{height}")
        self._luma = np.s_[self._top : bottom, self._left : right]
        self._chroma = np.s_[self._top // 2 : bottom // 2, self._left // 2 : right // 2]
        self._shown_time = " " * len(TIME_PATTERN)
        self._shown_grade: ClockGrade | None = None
        self._shown_mark: Mark | None = None

    def draw(self, frame: Frame, stamp: Timestamp, state: Mark) -> None:
        """Draw into the frame in place; `stamp` is when the frame was captured. Raises CaptureError on a wrong size."""
        if frame.y.shape != self._shape:
            raise CaptureError("overlay", f"a frame of {frame.y.shape[1]}x{frame.y.shape[0]}")
        if stamp.grade is not self._shown_grade:
            self._shown_grade = stamp.grade
            self._grades[stamp.grade].put(self._box)
        if state is not self._shown_mark:
            self._shown_mark = state
            self._marks[state].put(self._box)
        self._show_time(time_text(stamp))
        frame.y[self._luma] = self._box
        frame.u[self._chroma] = GREY_CHROMA
        frame.v[self._chroma] = GREY_CHROMA

    def _show_time(self, text: str) -> None:
        cells = self.time_cells
        y, x = cells.y - self._top, cells.x - self._left
        for number, character in enumerate(text):
            if character != self._shown_time[number]:
                left = x + number * cells.width
                self._box[y : y + cells.height, left : left + cells.width] = cells.glyphs[character]
        self._shown_time = text


def time_text(stamp: Timestamp) -> str:
    """The wall clock at the recorder in milliseconds and its offset: 2026-11-21 21:18:05.123 +08:00."""
    text = stamp.local().isoformat(" ", "milliseconds")
    return f"{text[:23]} {text[23:]}"


def _require_characters(text: str, font_path: Path) -> None:
    missing = missing_characters(text + TIME_CHARACTERS, font_path)
    if missing:
        hint = "assign a name that it has: liuhen dock assign"
        raise ConfigError(f"font {font_path}", f"it has no {named_characters(missing)}", hint)


class _Pen:
    """Draws text as luma, every piece `row` pixels high and of an even width, so that chroma lies under it exactly."""

    def __init__(self, font_path: Path, size_px: int) -> None:
        self._font = ImageFont.truetype(str(font_path), size_px)
        self._baseline = size_px
        self.row = _even(size_px * 1.25)
        self.gap = _even(size_px * 0.4)
        self.cell = _even(max(self._font.getlength(digit) for digit in TIME_CHARACTERS[:10]))

    def width(self, text: str) -> int:
        return _even(self._font.getlength(text))

    def draw(self, text: str, width: int | None = None, inverted: bool = False) -> Plane:
        """`text` in the middle of `width` pixels, or as wide as it is; white on black, or inverted."""
        image = Image.new("L", (width or self.width(text), self.row))
        ImageDraw.Draw(image).text((image.width / 2, self._baseline), text, 255, self._font, anchor="ms")
        ink = np.asarray(image).astype(np.uint16)
        ink = 255 - ink if inverted else ink
        luma: Plane = (BLACK_LUMA + ink * (WHITE_LUMA - BLACK_LUMA) // 255).astype(np.uint8)
        return luma


@dataclass(frozen=True, slots=True)
class _Patch:
    """Luma and its place within the box."""

    luma: Plane
    x: int
    y: int

    def put(self, box: Plane) -> None:
        height, width = self.luma.shape
        box[self.y : self.y + height, self.x : self.x + width] = self.luma


def _lay_out(
    pen: _Pen, most_px: int, about: list[str]
) -> tuple[Plane, TimeCells, dict[ClockGrade, _Patch], dict[Mark, _Patch]]:
    """The empty box, where the time goes, and the patches for each grade and each state."""
    inner_px = most_px - 2 * pen.gap
    time_px = pen.cell * len(TIME_PATTERN)
    grade_px = max(pen.width(word) for word in GRADE_WORDS.values()) + 2 * pen.gap
    beside = time_px + pen.gap + grade_px <= inner_px
    x, y = (time_px + 2 * pen.gap, 0) if beside else (pen.gap, pen.row)
    grades = {grade: _Patch(_beginning(_grade(pen, grade), grade_px), x, y) for grade in ClockGrade}
    texts = _mark_texts(pen, inner_px, about)
    marks = {mark: _Patch(text, pen.gap, y + pen.row) for mark, text in texts.items()}
    text_rows_px, text_px = texts[Mark.RECORDING].shape
    box_px = max(x + grade_px, pen.gap + time_px, pen.gap + text_px) + pen.gap
    box = np.full((y + pen.row + text_rows_px, box_px), BLACK_LUMA, np.uint8)
    glyphs = {character: pen.draw(character, pen.cell) for character in TIME_CHARACTERS}
    return box, TimeCells(2 * pen.gap, pen.gap, pen.cell, pen.row, glyphs), grades, marks


def _mark_texts(pen: _Pen, most_px: int, about: list[str]) -> dict[Mark, Plane]:
    """Everything below the time, for each state, all of one size."""
    lines = {mark: wrap([*about, mark.value], lambda text: pen.width(text) <= most_px) for mark in Mark}
    width = max(pen.width(line) for each in lines.values() for line in each)
    rows = max(map(len, lines.values()))
    padded = {mark: each + [""] * (rows - len(each)) for mark, each in lines.items()}
    return {mark: np.vstack([_beginning(pen.draw(line), width) for line in each]) for mark, each in padded.items()}


def _grade(pen: _Pen, grade: ClockGrade) -> Plane:
    """A clock that nobody has set must catch the eye: black on white."""
    word = GRADE_WORDS[grade]
    if grade is ClockGrade.UNSET:
        return pen.draw(word, pen.width(word) + 2 * pen.gap, inverted=True)
    return pen.draw(word)


def _beginning(luma: Plane, width: int) -> Plane:
    """`luma` with black to its right, up to `width` pixels."""
    return np.pad(luma, ((0, 0), (0, width - luma.shape[1])), constant_values=BLACK_LUMA)


def wrap(items: list[str], fits: Callable[[str], bool]) -> list[str]:
    """Put the items on as few lines as they fit, in order; break an item only where a line cannot hold it whole."""
    lines = [""]
    for item in items:
        joined = f"{lines[-1]}  {item}".lstrip()
        if fits(joined):
            lines[-1] = joined
            continue
        lines.append("")
        for character in item:
            if lines[-1] and not fits(lines[-1] + character):
                lines.append("")
            lines[-1] += character
    return [line for line in lines if line]


def _even(pixels: float) -> int:
    return -(-int(np.ceil(pixels)) // 2) * 2
