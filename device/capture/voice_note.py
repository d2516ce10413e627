"""A spoken note: what the microphone hears while an officer speaks, as a small sound file of its own."""

from __future__ import annotations

from io import BytesIO

import av
from av.error import FFmpegError

from device.capture.encoder import SoundEncoder
from device.capture.sound import PIECE_SAMPLES, US_PER_SAMPLE, SoundTrack
from device.ports import SOUND_RATE_HZ, Samples, SoundBlock
from evidence.errors import CaptureError
from evidence.model import Timestamp, utc_text

LONGEST_US = 180_000_000
"""Three minutes: 17 MB of samples in memory, 0.7 MB on the card."""
BIT_RATE_BPS = 32_000
"""Half of a recording's, and still every word of it."""


class VoiceNote:
    """Collects blocks of the microphone; what was lost between them becomes silence.

    Sound that comes after `LONGEST_US` is left out. Not for use from two threads at once.
    """

    def __init__(self) -> None:
        self._track: SoundTrack | None = None
        self._pieces: list[Samples] = []
        self.from_boot_us = 0
        """When the first sample was heard; 0 before there is one."""
        self.full = False
        """The note is as long as it may become."""

    @property
    def to_boot_us(self) -> int:
        """Up to where there is sound; 0 before there is any."""
        return 0 if self._track is None else self._track.end_boot_us

    def add(self, block: SoundBlock) -> None:
        """Hear one more block."""
        if self._track is None:
            self.from_boot_us = block.boot_us - round(len(block.samples) * US_PER_SAMPLE)
            self._track = SoundTrack(self.from_boot_us)
        self.full = self.full or block.boot_us > self.from_boot_us + LONGEST_US
        if not self.full:
            self._pieces.extend(piece.samples for piece in self._track.add(block))

    def finish(self, began: Timestamp) -> bytes:
        """The note as MP4 with AAC-LC, its index first, created when it `began` (the time of `from_boot_us`).

        Slow: a hundredth of the note's length and more, so not for the event loop. Raises CaptureError when nothing
        was heard, or encoding fails.
        """
        if self._track is None:
            raise CaptureError("voice note", "the microphone gave no sound")
        self._pieces.extend(piece.samples for piece in self._track.finish())
        return _encode(self._pieces, utc_text(began.utc_us))


def _encode(pieces: list[Samples], created: str) -> bytes:
    whole = BytesIO()
    try:
        with av.open(
            whole,
            "w",
            format="ipod",  # FFmpeg's name for .m4a
            options={"movflags": "+faststart"},
            io_open=lambda *_: _Reader(whole),
        ) as container:
            container.metadata["creation_time"] = created
            encoder = SoundEncoder(container.add_stream("aac", rate=SOUND_RATE_HZ), BIT_RATE_BPS)
            for number, samples in enumerate(pieces):
                for packet in encoder.encode(samples, number * PIECE_SAMPLES):
                    container.mux_one(packet)
            for packet in encoder.finish():
                container.mux_one(packet)
    except FFmpegError as error:
        raise CaptureError("voice note", str(error)) from error
    return whole.getvalue()


class _Reader:
    """A second view of the file being written: to put the index first, the muxer reads what it has written."""

    def __init__(self, whole: BytesIO) -> None:
        self._whole = whole
        self._place = 0

    def read(self, size: int) -> bytes:
        with self._whole.getbuffer() as view:
            data = bytes(view[self._place : self._place + size])
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        with self._whole.getbuffer() as view:
            self._place = offset + (0, self._place, len(view))[whence]
        return self._place

    def tell(self) -> int:
        return self._place
