"""Read the burned-in time back from a decoded picture, knowing only where the cells are and what can stand in them."""

import numpy as np

from device.capture.overlay import TIME_PATTERN, TimeCells
from device.ports import Plane


def read_time(luma: Plane, cells: TimeCells) -> str:
    """The text of the time line: in each cell the character whose glyph differs least from what is seen."""
    characters = list(cells.glyphs)
    glyphs = np.stack([cells.glyphs[character].ravel() for character in characters]).astype(float)
    line = luma[cells.y : cells.y + cells.height, cells.x : cells.x + cells.width * len(TIME_PATTERN)]
    seen = line.reshape(cells.height, len(TIME_PATTERN), cells.width).transpose(1, 0, 2).reshape(len(TIME_PATTERN), -1)
    differences = ((seen[:, None, :].astype(float) - glyphs[None]) ** 2).sum(axis=2)
    return "".join(characters[best] for best in differences.argmin(axis=1))
