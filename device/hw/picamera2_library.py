"""What of picamera2 and libcamera a recorder touches, and nothing else of them is known in this house."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.hw.missing import missing_library

CHIP = Path("/dev/video11")


@dataclass(frozen=True, slots=True)
class Library:
    """The library's own names; `chip` says that this board encodes H.264 in hardware."""

    open_camera: Callable[[], Any]
    mapped_array: Callable[[Any, str], AbstractContextManager[Any]]
    colour_space: Any
    encoder: Callable[..., Any]
    output: type[Any]
    chip: bool


def load_library() -> Library:
    """Import them, which takes seconds. Raises ConfigError where they are not installed."""
    try:
        import libcamera  # noqa: PLC0415  only a recorder has it
        from picamera2 import MappedArray, Picamera2  # noqa: PLC0415  the same
        from picamera2.encoders import H264Encoder  # noqa: PLC0415  the same
        from picamera2.outputs import Output  # noqa: PLC0415  the same
        from picamera2.platform import Platform, get_platform  # noqa: PLC0415  the same
    except ImportError as error:
        raise missing_library("camera", "python3-picamera2", error) from error
    chip = has_chip(get_platform() == Platform.VC4)
    return Library(Picamera2, MappedArray, libcamera.ColorSpace.Rec709(), H264Encoder, Output, chip)


def has_chip(old_board: bool, node: Path = CHIP) -> bool:
    """A Pi 4 or before has one. To picamera2 everything but a Pi 5 is old, even a PC with a webcam."""
    return old_board and node.exists()
