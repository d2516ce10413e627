"""Encoding in software through PyAV: libx264 for pictures, AAC-LC for sound."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from threading import Event
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from device.capture.sound import PIECE_SAMPLES
from device.ports import SOUND_RATE_HZ, Frame, Plane, Samples, VideoFormat, VideoPacket
from evidence.errors import CaptureError

BT709 = 1
LIMITED_RANGE = 1
SOUND_BIT_RATE_BPS = 64_000
SOUND_TIME_BASE = Fraction(1, SOUND_RATE_HZ)
SETTLED_PIECES = 6
"""After so many pieces of digital silence the packets do not change any more."""


class SoftwareEncoder:
    """H.264 High, limited range BT.709, a key frame every second, no delay: one packet out for one frame in.

    The bit rate is a ceiling over one second as well as an average, so a fragment has a known greatest size.
    Raises CaptureError for a size that x264 cannot take, and from every method when encoding fails.
    """

    def __init__(self, width: int, height: int, frames_per_s: int, bit_rate_bps: int) -> None:
        if width % 2 or height % 4:
            raise CaptureError("encoder", f"{width}x{height}: the width must be even, the height a multiple of 4")
        self._codec = _open_x264(width, height, frames_per_s, bit_rate_bps)
        self._boot_us: deque[int] = deque()
        self._frames = 0
        self._key_frame_wanted = Event()
        self._copy = np.empty((height * 3 // 2, width), np.uint8)
        self.format = VideoFormat(width, height, frames_per_s, self._codec.extradata or b"")

    def request_key_frame(self) -> None:
        """Make the next frame a key frame. From any thread."""
        self._key_frame_wanted.set()

    def encode(self, frame: Frame) -> list[VideoPacket]:
        """Encode one frame of the size given at construction; its planes are free again when this returns."""
        if frame.y.shape != (self.format.height, self.format.width):
            raise CaptureError("encoder", f"a frame of {frame.y.shape[1]}x{frame.y.shape[0]}")
        picture = av.VideoFrame.from_numpy_buffer(self._buffer(frame), "yuv420p", self.format.width)
        # The encoder counts frames, so that its rate control sees the nominal rate; the true times wait beside it.
        picture.pts = self._frames
        self._frames += 1
        if self._key_frame_wanted.is_set():
            self._key_frame_wanted.clear()
            picture.pict_type = PictureType.I
        self._boot_us.append(frame.boot_us)
        return self._encode(picture)

    def finish(self) -> list[VideoPacket]:
        """What the encoder still holds. Nothing can be encoded afterwards."""
        return self._encode(None)

    def _encode(self, picture: av.VideoFrame | None) -> list[VideoPacket]:
        try:
            packets = self._codec.encode(picture)
        except FFmpegError as error:
            raise CaptureError("encoder", str(error)) from error
        return [VideoPacket(bytes(packet), self._boot_us.popleft(), packet.is_keyframe) for packet in packets]

    def _buffer(self, frame: Frame) -> Plane:
        """The frame as one yuv420p buffer: the very memory when its planes lie in a row, a copy when not."""
        whole = _one_buffer(frame)
        if whole is not None:
            return whole
        height, width = frame.y.shape
        self._copy[:height] = frame.y
        chroma = self._copy[height:].reshape(2, height // 2, width // 2)
        chroma[0] = frame.u
        chroma[1] = frame.v
        return self._copy


def _one_buffer(frame: Frame) -> Plane | None:
    """View y, u and v as one array of (height * 3/2, width), or None when they do not lie in memory like that."""
    y, u, v = frame.y, frame.u, frame.v
    height, width = y.shape
    stride = y.strides[0]
    if y.base is None or y.base is not u.base or y.base is not v.base:
        return None
    u_start = y.ctypes.data + stride * height
    in_a_row = (u.ctypes.data, v.ctypes.data) == (u_start, u_start + stride * height // 4)
    if not in_a_row or y.strides[1] != 1 or stride % 2 or u.strides != (stride // 2, 1) or v.strides != u.strides:
        return None
    return np.lib.stride_tricks.as_strided(y, (height * 3 // 2, width), (stride, 1))


def _open_x264(width: int, height: int, frames_per_s: int, bit_rate_bps: int) -> VideoCodecContext:
    codec = av.CodecContext.create("libx264", "w")
    codec.width = width
    codec.height = height
    codec.pix_fmt = "yuv420p"
    codec.framerate = Fraction(frames_per_s)
    codec.time_base = Fraction(1, frames_per_s)
    codec.bit_rate = bit_rate_bps
    codec.gop_size = frames_per_s
    codec.profile = "High"
    codec.flags |= Flags.global_header
    flag_bt709(codec)
    # Two slices take 3 % more CPU than one thread and half its time for a frame; more threads only cost more.
    codec.thread_count = 2
    codec.options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "keyint_min": str(frames_per_s),
        "sc_threshold": "0",
        "forced-idr": "1",
        "maxrate": str(bit_rate_bps),
        "bufsize": str(bit_rate_bps),
    }
    try:
        codec.open()
    except FFmpegError as error:
        raise CaptureError("encoder", f"{width}x{height} at {bit_rate_bps} bit/s: {error}") from error
    return codec


def flag_bt709(codec: VideoCodecContext) -> None:
    """Say that the picture is limited range BT.709, which nothing in the pixels shows."""
    codec.color_range = LIMITED_RANGE
    codec.color_primaries = BT709
    codec.color_trc = BT709
    codec.colorspace = BT709


class SoundEncoder:
    """AAC-LC, 48 kHz, mono, in a stream that a muxer has just added for codec "aac".

    A packet comes out two pieces after it went in: the first one holds only the encoder's run-up and is stamped one
    piece before the first sample. Digital silence is encoded only until its packets are all the same, for it may last
    as long as a shift: a dead microphone, a standby without sound. Raises CaptureError when encoding fails.
    """

    def __init__(self, stream: AudioStream, bit_rate_bps: int = SOUND_BIT_RATE_BPS) -> None:
        stream.codec_context.layout = "mono"
        stream.codec_context.bit_rate = bit_rate_bps
        self._stream = stream
        self._stamps: deque[int] = deque()
        """Of the packets that are still to come."""
        self._silent_pieces = 0
        self._silence = b""

    def encode(self, samples: Samples, pts: int) -> list[Packet[Any]]:
        """Encode exactly 1024 samples, the first of which is at `pts`, in samples."""
        self._stamps.extend([pts] if self._stamps else [pts - PIECE_SAMPLES, pts])
        self._silent_pieces = 0 if samples.any() else self._silent_pieces + 1
        if self._silent_pieces > SETTLED_PIECES:
            # The encoder keeps the silence that it holds; when sound comes again that comes out for the silence then.
            return self._stamped([self._same_again()])
        packets = self._encode(_piece(samples, pts))
        if self._silent_pieces == SETTLED_PIECES:
            self._silence = bytes(packets[0])
        return packets

    def finish(self) -> list[Packet[Any]]:
        """The packets that the encoder still holds."""
        return self._encode(None)

    def _same_again(self) -> Packet[Any]:
        packet: Packet[Any] = Packet(self._silence)
        packet.stream = self._stream
        packet.time_base = SOUND_TIME_BASE
        packet.duration = PIECE_SAMPLES
        return packet

    def _stamped(self, packets: list[Packet[Any]]) -> list[Packet[Any]]:
        for packet in packets:
            packet.pts = packet.dts = self._stamps.popleft()
        return packets

    def _encode(self, piece: av.AudioFrame | None) -> list[Packet[Any]]:
        try:
            return self._stamped(self._stream.encode(piece))
        except FFmpegError as error:
            raise CaptureError("sound encoder", str(error)) from error


def _piece(samples: Samples, pts: int) -> av.AudioFrame:
    piece = av.AudioFrame.from_ndarray(samples.reshape(1, PIECE_SAMPLES), "s16", "mono")
    piece.sample_rate = SOUND_RATE_HZ
    piece.time_base = SOUND_TIME_BASE
    piece.pts = pts
    return piece
