"""Where things lie in the bytes that picamera2 gives: planes in a buffer, parameter sets in an access unit."""

from __future__ import annotations

import re

from device.ports import Plane

START_CODE = re.compile(rb"\x00?\x00\x00\x01")
PARAMETER_SETS = (7, 8)
"""The NAL unit types of SPS and PPS (H.264, table 7-1)."""


def planes(buffer: Plane, width: int, height: int) -> tuple[Plane, Plane, Plane]:
    """Y, U and V of a YUV420 buffer as views on it.

    The buffer has `height` * 3/2 rows of the stride, which may exceed `width`: first the rows of Y, then those of U
    and of V, half as long and so two in each row.
    """
    stride = buffer.shape[1]
    u, v = buffer[height:].reshape(2, height // 2, stride // 2)[:, :, : width // 2]
    return buffer[:height, :width], u, v


def parameter_sets(access_unit: bytes) -> bytes:
    """SPS and PPS of an access unit, all in Annex B form; empty when it does not hold both."""
    units = [unit for unit in START_CODE.split(access_unit) if unit]
    found = [unit for unit in units if unit[0] & 0x1F in PARAMETER_SETS]
    if {unit[0] & 0x1F for unit in found} != set(PARAMETER_SETS):
        return b""
    return b"".join(b"\0\0\0\1" + unit for unit in found)
