"""Encoded pictures and sound in, fragments of MP4 out: one muxer from the start of capture to its end."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO

import av
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from device.capture.encoder import SoundEncoder, flag_bt709
from device.capture.sound import PIECE_SAMPLES, US_PER_SAMPLE, SoundPiece, SoundTrack
from device.ports import SOUND_RATE_HZ, SoundBlock, VideoFormat, VideoPacket
from evidence.boxes import describe_fragment, describe_init, whole_fragments
from evidence.errors import CaptureError
from evidence.model import FragmentInfo

VIDEO_TIMESCALE_HZ = 90_000
VIDEO_TIME_BASE = Fraction(1, VIDEO_TIMESCALE_HZ)
SOUND_LAG_LIMIT_US = 300_000
STAMP_ROUNDING_US = 12
"""One unit of the video timescale."""
OPTIONS = {
    # frag_discont keeps the first time stamps as they are; without it the muxer moves them to zero.
    "movflags": "+frag_keyframe+empty_moov+default_base_moof+frag_discont",
    "avoid_negative_ts": "disabled",
    "max_interleave_delta": "500000",
}


@dataclass(frozen=True, slots=True)
class MediaFragment:
    """One moof+mdat pair: a GOP with its sound. `first_frame_boot_us` is the capture time of its first picture."""

    data: bytes
    info: FragmentInfo
    first_frame_boot_us: int


class FragmentMuxer:
    """All of one boot's capture as one run of fragments; any part of the run is playable behind `init`.

    Time in the file is boot time less `epoch_boot_us`. Not for use from two threads at once. Every method raises
    CaptureError when the muxer fails, after which only `finish` may be called.
    """

    def __init__(self, video: VideoFormat, sound: bool, epoch_boot_us: int) -> None:
        self._sink = _Sink()
        self._epoch_us = epoch_boot_us
        self._key_boot_us: deque[int] = deque()
        self._video_end_us = epoch_boot_us
        self._frame_duration = VIDEO_TIMESCALE_HZ // video.frames_per_s
        # The encoder's run-up takes one piece, which must not fall before the epoch.
        self._track = SoundTrack(epoch_boot_us + round(PIECE_SAMPLES * US_PER_SAMPLE) + 1)
        self._sound_lost = False
        try:
            self._container = av.open(self._sink, "w", format="mp4", options=OPTIONS)
            self._video = _add_video(self._container, video)
            self._sound = SoundEncoder(self._container.add_stream("aac", rate=SOUND_RATE_HZ)) if sound else None
            self._container.start_encoding()
        except FFmpegError as error:
            raise CaptureError("muxer", str(error)) from error
        self.init = self._sink.take()
        """ftyp and moov, in bytes, to be written before the first fragment of every file."""
        self._tracks = describe_init(self.init)

    @property
    def sound_lost(self) -> bool:
        """Silence is being written, because the microphone gives nothing."""
        return self._sound_lost

    def take_lost_sound(self) -> list[tuple[int, int]]:
        """The intervals (from, to) in boot_us that became silence, each once: when it has ended, or after a minute."""
        return self._track.take_lost()

    def add_video(self, packet: VideoPacket) -> list[MediaFragment]:
        """Mux one picture. Pictures come in order, the first one a key frame, none before the epoch."""
        if packet.boot_us < self._epoch_us or not (packet.key or self._key_boot_us):
            raise CaptureError("muxer", f"a picture at {packet.boot_us} us before the first key frame or the epoch")
        if packet.key:
            self._key_boot_us.append(packet.boot_us)
        self._video_end_us = packet.boot_us
        self._mux(self._video_packet(packet))
        if self._sound is not None and self._track.end_boot_us < packet.boot_us - SOUND_LAG_LIMIT_US:
            self._sound_lost = True
            self._encode_sound(self._sound, self._track.fill_silence_until(packet.boot_us - SOUND_LAG_LIMIT_US))
        return self._fragments()

    def add_sound(self, block: SoundBlock) -> list[MediaFragment]:
        """Mux one block of the microphone; without a sound track it is left out."""
        if self._sound is None:
            return []
        self._encode_sound(self._sound, self._track.add(block))
        if self._track.end_boot_us >= self._video_end_us - SOUND_LAG_LIMIT_US:
            self._sound_lost = False
        return self._fragments()

    def finish(self) -> list[MediaFragment]:
        """Close the muxer and give the fragments that were still open. Must be called, or memory leaks."""
        try:
            if self._sound is not None:
                self._encode_sound(self._sound, self._track.finish())
                for packet in self._sound.finish():
                    self._mux(packet)
        finally:
            self._close()
        return self._fragments()

    def _close(self) -> None:
        try:
            self._container.close()
        except FFmpegError as error:
            raise CaptureError("muxer", str(error)) from error

    def _video_packet(self, packet: VideoPacket) -> Packet[Stream]:
        muxed: Packet[Stream] = Packet(packet.data)
        muxed.stream = self._video
        muxed.time_base = VIDEO_TIME_BASE
        muxed.pts = muxed.dts = self._stamp(packet.boot_us, VIDEO_TIMESCALE_HZ)
        muxed.duration = self._frame_duration
        muxed.is_keyframe = packet.key
        return muxed

    def _stamp(self, boot_us: int, timescale_hz: int) -> int:
        return ((boot_us - self._epoch_us) * timescale_hz + 500_000) // 1_000_000

    def _encode_sound(self, encoder: SoundEncoder, pieces: list[SoundPiece]) -> None:
        for piece in pieces:
            for packet in encoder.encode(piece.samples, self._stamp(piece.boot_us, SOUND_RATE_HZ)):
                self._mux(packet)

    def _mux(self, packet: Packet[Stream] | Packet[AudioStream]) -> None:
        try:
            self._container.mux_one(packet)
        except FFmpegError as error:
            raise CaptureError("muxer", str(error)) from error

    def _fragments(self) -> list[MediaFragment]:
        # Only at the end can there be sound that no picture has come to.
        return [self._fragment(data) for data in self._sink.take_fragments() if self._key_boot_us]

    def _fragment(self, data: bytes) -> MediaFragment:
        info = describe_fragment(data, self._tracks)
        boot_us = self._key_boot_us.popleft()
        if abs(info.pts_us - (boot_us - self._epoch_us)) > STAMP_ROUNDING_US:
            raise CaptureError("muxer", f"the fragment of {boot_us} us is stamped {info.pts_us} us")
        return MediaFragment(data, info, boot_us)


class _Sink:
    """What libavformat writes to: it offers no seek, so that nothing once written is changed."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        self._bytes += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken

    def take_fragments(self) -> list[bytes]:
        places = list(whole_fragments(self._bytes))
        fragments = [bytes(self._bytes[start:end]) for start, end in places]
        if places:
            del self._bytes[: places[-1][1]]
        return fragments


def _add_video(container: av.container.OutputContainer, video: VideoFormat) -> VideoStream:
    """A stream for pictures encoded elsewhere, complete before the first of them.

    PyAV makes such a stream only from one that it has read, so it reads the parameter sets (Annex B).
    """
    if not video.extradata.startswith((b"\0\0\1", b"\0\0\0\1")):
        raise CaptureError("muxer", "the encoder gave no parameter sets in Annex B form")
    with av.open(BytesIO(video.extradata), format="h264") as parameter_sets:
        stream = container.add_stream_from_template(parameter_sets.streams.video[0], opaque=True)
    stream.codec_context.extradata = video.extradata
    stream.codec_context.width = video.width
    stream.codec_context.height = video.height
    stream.codec_context.pix_fmt = "yuv420p"
    flag_bt709(stream.codec_context)
    stream.time_base = VIDEO_TIME_BASE
    return stream
