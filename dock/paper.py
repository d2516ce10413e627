"""Pages of a PDF with the house's one font: a cursor, headings, tables that wrap and go on over pages, flat bars.

fpdf2 makes the file (docs/adr/0018); how text is laid out is here, because Chinese breaks between any two characters
and English between words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fpdf import FPDF

from evidence.io.font import FONT
from evidence.regimes.model import Words

WIDTH_MM, HEIGHT_MM, MARGIN_MM, FOOT_MM = 210.0, 297.0, 18.0, 18.0
INNER_MM = WIDTH_MM - 2 * MARGIN_MM
POINT_MM = 25.4 / 72
INK, PALE, RULE, HAIR = "#23292e", "#6b757d", "#cfd6db", "#e6eaec"
TEXT_PT, SMALL_PT, TITLE_PT, HEAD_PT = 9.0, 7.5, 17.0, 11.5
LEADING = 1.45
GAP_MM, ROW_MM, HEAD_MM, RULE_ABOVE_MM = 3.0, 2.8, 10.4, 4.6
"""Between columns, between rows, for a table's head, and from a rule to the foot of the letters below it."""
CLOSING, OPENING = r"、，。；：！？）》」』,.;:!?)\]", "（《「『"
UNBROKEN = re.compile(rf"[{OPENING}]*(?:[!-~]+|.)[{CLOSING}]* ?", re.DOTALL)
"""A line is broken between these: runs of ASCII, every other character by itself, with the signs that belong to it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Coloured pieces of a whole, from left to right."""

    pieces: tuple[tuple[int, str], ...]
    whole: int


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell: Chinese, English pale and smaller below it; or a bar."""

    zh: str = ""
    en: str = ""
    colour: str = INK
    bar: Bar | None = None

    @classmethod
    def of(cls, words: Words, colour: str = INK) -> Cell:
        """Both languages, once where they are the same."""
        return cls(words.zh, "" if words.en == words.zh else words.en, colour)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, its width, and whether it holds numbers."""

    head: Words
    width_mm: float
    numbers: bool = False


@dataclass(slots=True)
class Paper:
    """A4 pages being filled from top to bottom."""

    title: str
    made: datetime
    y: float = MARGIN_MM
    _pdf: FPDF = field(default_factory=lambda: FPDF(format="A4"))

    def __post_init__(self) -> None:
        self._pdf.set_auto_page_break(auto=False)
        self._pdf.add_font("house", fname=FONT)
        self._pdf.set_lang("zh-CN")
        self._pdf.set_title(self.title)
        self._pdf.set_creator("liuhen")
        self._pdf.set_creation_date(self.made.astimezone(UTC))
        self._pdf.add_page()

    def output(self) -> bytes:
        """The file, with the number of each page at its foot."""
        count = self._pdf.pages_count
        for page in range(1, count + 1):
            self._pdf.page = page
            # fpdf2 writes a font into a page only when it changes, and what it remembers is the last page's.
            self._pdf.set_font("house", size=1)
            self._write(MARGIN_MM, HEIGHT_MM - 10, self.title, SMALL_PT, PALE)
            number = f"{page} / {count}"
            self._write(WIDTH_MM - MARGIN_MM - self._width(number, SMALL_PT), HEIGHT_MM - 10, number, SMALL_PT, PALE)
        return bytes(self._pdf.output())

    def heading(self, words: Words, size_pt: float = HEAD_PT) -> None:
        """A heading with a rule below it; it stays together with what follows."""
        self.y += 6
        self._room(30)
        self._write(MARGIN_MM, self.y, words.zh, size_pt, INK)
        self._write(MARGIN_MM + self._width(words.zh, size_pt) + 2, self.y, words.en, SMALL_PT + 1, PALE)
        self.y += 2.5
        self._rule(RULE)
        self.y += 4.5

    def paragraph(self, words: Words) -> None:
        """A short text in both languages."""
        for text, size_pt, colour in ((words.zh, TEXT_PT, INK), (words.en, SMALL_PT, PALE)):
            for line in self._wrap(text, INNER_MM, size_pt):
                self._room(5)
                self._write(MARGIN_MM, self.y, line, size_pt, colour)
                self.y += size_pt * POINT_MM * LEADING
        self.y += 1.5

    def pairs(self, rows: Iterable[tuple[Words, str]]) -> None:
        """Labels and values."""
        for label, value in rows:
            text = f"{label.zh} {label.en}"
            self._write(MARGIN_MM, self.y, text, SMALL_PT + 0.5, PALE)
            for line in self._wrap(value, INNER_MM - 36, TEXT_PT):
                self._write(MARGIN_MM + 36, self.y, line, TEXT_PT, INK)
                self.y += TEXT_PT * POINT_MM * LEADING

    def bar(self, bar: Bar, height_mm: float = 6) -> None:
        """A bar across the page."""
        self._bar(MARGIN_MM, self.y, INNER_MM, height_mm, bar)
        self.y += height_mm + 4.5

    def legend(self, rows: Iterable[tuple[str, Words, str]]) -> None:
        """Colours with their names and a value each, in one or more lines."""
        x = MARGIN_MM
        for colour, words, value in rows:
            text = f"{words.zh} {words.en}  {value}"
            width = self._width(text, SMALL_PT) + 9
            if x + width > WIDTH_MM - MARGIN_MM:
                x, self.y = MARGIN_MM, self.y + 5
            self._fill(x, self.y - 2.6, 3, 3, colour)
            self._write(x + 4.2, self.y, text, SMALL_PT, INK)
            x += width
        self.y += 5

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
        """A table; its head is repeated on each page."""
        self._head(columns)
        for row in rows:
            laid = [self._laid(cell, column.width_mm - GAP_MM) for cell, column in zip(row, columns, strict=True)]
            height = ROW_MM + max(sum(size * POINT_MM * LEADING for _, size, _ in lines) for lines in laid)
            if self._room(height):
                self._head(columns)
            self._row(columns, row, laid)
            self.y += height
            self._rule(HAIR, self.y - RULE_ABOVE_MM)
        self.y += 1

    def _head(self, columns: Sequence[Column]) -> None:
        self._room(16)
        self._row(
            columns,
            [Cell.of(one.head) for one in columns],
            [[(one.head.zh, SMALL_PT + 0.5, INK), (one.head.en, SMALL_PT - 1, PALE)] for one in columns],
        )
        self.y += HEAD_MM
        self._rule(RULE, self.y - RULE_ABOVE_MM)

    def _row(
        self, columns: Sequence[Column], row: Sequence[Cell], laid: Sequence[Sequence[tuple[str, float, str]]]
    ) -> None:
        x = MARGIN_MM
        for column, cell, lines in zip(columns, row, laid, strict=True):
            if cell.bar is not None:
                self._bar(x, self.y - 2.8, column.width_mm - GAP_MM, 3.6, cell.bar)
            y = self.y
            for text, size_pt, colour in lines:
                room = column.width_mm - GAP_MM - self._width(text, size_pt) if column.numbers else 0
                self._write(x + room, y, text, size_pt, colour)
                y += size_pt * POINT_MM * LEADING
            x += column.width_mm

    def _laid(self, cell: Cell, width_mm: float) -> list[tuple[str, float, str]]:
        """Lines with their size and colour."""
        if cell.bar is not None:
            return [("", TEXT_PT, INK)]
        zh = [(line, TEXT_PT, cell.colour) for line in self._wrap(cell.zh, width_mm, TEXT_PT)]
        return zh + [(line, SMALL_PT - 0.5, PALE) for line in self._wrap(cell.en, width_mm, SMALL_PT - 0.5)]

    def _wrap(self, text: str, width_mm: float, size_pt: float) -> list[str]:
        return wrapped(text, width_mm, lambda piece: self._width(piece, size_pt))

    def _width(self, text: str, size_pt: float) -> float:
        self._pdf.set_font("house", size=size_pt)
        return float(self._pdf.get_string_width(text))

    def _write(self, x: float, y: float, text: str, size_pt: float, colour: str) -> None:
        self._pdf.set_font("house", size=size_pt)
        self._pdf.set_text_color(colour)
        if text:
            self._pdf.text(x, y, text)

    def _room(self, height_mm: float) -> bool:
        """Go on over the page when there is not so much left on this one; whether it did."""
        if self.y + height_mm <= HEIGHT_MM - FOOT_MM:
            return False
        self._pdf.add_page()
        self.y = MARGIN_MM
        return True

    def _rule(self, colour: str, y: float | None = None) -> None:
        self._pdf.set_draw_color(colour)
        self._pdf.set_line_width(0.2)
        at = self.y if y is None else y
        self._pdf.line(MARGIN_MM, at, WIDTH_MM - MARGIN_MM, at)

    def _bar(self, x: float, y: float, width_mm: float, height_mm: float, bar: Bar) -> None:
        at = x
        for part, colour in bar.pieces:
            wide = width_mm * part / max(1, bar.whole)
            self._fill(at, y, wide, height_mm, colour)
            at += wide
        self._pdf.set_draw_color(RULE)
        self._pdf.set_line_width(0.15)
        self._pdf.rect(x, y, width_mm, height_mm)

    def _fill(self, x: float, y: float, width_mm: float, height_mm: float, colour: str) -> None:
        self._pdf.set_fill_color(colour)
        self._pdf.rect(x, y, width_mm, height_mm, style="F")


def wrapped(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Lines that fit into `width`; a run of ASCII that does not by itself is cut anywhere."""
    lines: list[str] = []
    line, used = "", 0.0
    for piece in _pieces(text, width, measure):
        wide = measure(piece)
        if line and used + measure(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line, used = line + piece, used + wide
    return [*lines, line.rstrip()] if line else lines


def _pieces(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    for piece in UNBROKEN.findall(text):
        yield from piece if measure(piece.rstrip()) > width else (piece,)
