import subprocess
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from device.capture.encoder import SoftwareEncoder
from device.capture.muxer import FragmentMuxer, MediaFragment
from device.ports import Frame, SoundBlock, VideoFormat, VideoPacket
from evidence.boxes import describe_fragment, describe_init, whole_boxes
from evidence.errors import CaptureError

WIDTH, HEIGHT, FRAMES_PER_S = 320, 180, 25
EPOCH_US = 77_000_000
FRAME_US = 1_000_000 // FRAMES_PER_S
BLOCK_SAMPLES = 960


def picture(number: int, boot_us: int) -> Frame:
    buffer = np.full(WIDTH * HEIGHT * 3 // 2, 128, np.uint8)
    size = WIDTH * HEIGHT
    y = buffer[:size].reshape(HEIGHT, WIDTH)
    y[:] = (np.arange(WIDTH) + 7 * number) % 200 + 20
    chroma = buffer[size:].reshape(2, HEIGHT // 2, WIDTH // 2)
    return Frame(y, chroma[0], chroma[1], boot_us)


def encoded(times_us: list[int]) -> tuple[VideoFormat, list[VideoPacket]]:
    encoder = SoftwareEncoder(WIDTH, HEIGHT, FRAMES_PER_S, 300_000)
    packets = [packet for n, time_us in enumerate(times_us) for packet in encoder.encode(picture(n, time_us))]
    return encoder.format, packets + encoder.finish()


def sound_until(end_us: int) -> list[SoundBlock]:
    count = (end_us - EPOCH_US) * 48_000 // 1_000_000 // BLOCK_SAMPLES
    tone = (np.sin(np.arange(BLOCK_SAMPLES) / 20) * 8_000).astype(np.int16)
    return [SoundBlock(tone, n * BLOCK_SAMPLES, EPOCH_US + (n + 1) * 20_000) for n in range(count)]


@dataclass
class Recording:
    muxer: FragmentMuxer
    fragments: list[MediaFragment] = field(default_factory=list)
    sound_lost_from_us: list[int] = field(default_factory=list)

    def file(self, begin: int = 0, end: int | None = None) -> bytes:
        return self.muxer.init + b"".join(each.data for each in self.fragments[begin:end])


def record(video: VideoFormat, packets: list[VideoPacket], blocks: list[SoundBlock], sound: bool = True) -> Recording:
    """Mux everything in order of time, as it would arrive."""
    recording = Recording(FragmentMuxer(video, sound, EPOCH_US))
    muxer = recording.muxer
    for event in sorted([*packets, *blocks], key=lambda each: each.boot_us):
        if isinstance(event, VideoPacket):
            recording.fragments += muxer.add_video(event)
        else:
            recording.fragments += muxer.add_sound(event)
        if muxer.sound_lost:
            recording.sound_lost_from_us.append(event.boot_us)
    recording.fragments += muxer.finish()
    return recording


def jittered(count: int) -> list[int]:
    random = np.random.default_rng(5)
    return [EPOCH_US + 213_457 + n * FRAME_US + int(random.integers(-9_000, 9_000)) for n in range(count)]


TIMES_US = jittered(152)
VIDEO, PACKETS = encoded(TIMES_US)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record(VIDEO, PACKETS, sound_until(TIMES_US[-1]))


def decoded(path: Path, data: bytes, kind: str) -> list[av.VideoFrame | av.AudioFrame]:
    path.write_bytes(data)
    with av.open(str(path)) as container:
        return list(container.decode(**{kind: 0}))


def test_init_describes_both_tracks_before_any_picture(recording: Recording) -> None:
    tracks = describe_init(recording.muxer.init)
    assert [kind for kind, _, _ in whole_boxes(recording.muxer.init)] == [b"ftyp", b"moov"]
    assert tracks.video.timescale_hz == 90_000
    assert tracks.sound is not None
    assert tracks.sound.timescale_hz == 48_000
    assert b"avcC\x01\x64" in recording.muxer.init


def test_a_fragment_is_a_group_of_pictures_and_knows_its_own_time(recording: Recording) -> None:
    assert [each.info.frames for each in recording.fragments] == [25] * 6 + [2]
    for number, each in enumerate(recording.fragments):
        assert each.first_frame_boot_us == TIMES_US[25 * number]
        assert each.info.pts_us == pytest.approx(each.first_frame_boot_us - EPOCH_US, abs=6)
        assert each.info == describe_fragment(each.data, describe_init(recording.muxer.init))
    for before, after in pairwise(recording.fragments):
        assert before.info.pts_us + before.info.duration_us == after.info.pts_us


def test_every_picture_keeps_its_time_and_nothing_is_moved_to_zero(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "whole.mp4").write_bytes(recording.file())
    with av.open(str(tmp_path / "whole.mp4")) as container:
        stamps_us = [p.pts * 1e6 * p.time_base for p in container.demux(video=0) if p.pts is not None]
    assert stamps_us == pytest.approx([time_us - EPOCH_US for time_us in TIMES_US], abs=6)


def test_the_whole_run_has_every_picture_and_every_sound_sample(recording: Recording, tmp_path: Path) -> None:
    assert len(decoded(tmp_path / "a.mp4", recording.file(), "video")) == len(TIMES_US)
    heard = sum(frame.samples for frame in decoded(tmp_path / "a.mp4", recording.file(), "audio"))
    fed = sum(len(block.samples) for block in sound_until(TIMES_US[-1]))
    assert heard == sum(each.info.samples for each in recording.fragments)
    assert fed <= heard < fed + 2 * 1_024
    assert recording.muxer.take_lost_sound() == []
    assert recording.sound_lost_from_us == []


@pytest.mark.parametrize(("begin", "end"), [(0, 1), (0, 3), (2, 4), (3, 7), (6, 7)])
def test_any_run_of_fragments_behind_init_plays_alone(
    recording: Recording, tmp_path: Path, begin: int, end: int
) -> None:
    path = tmp_path / "segment.mp4"
    path.write_bytes(recording.file(begin, end))
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-of", "csv=p=0"]
    entries = "stream=nb_read_frames,start_time"
    shown = subprocess.run([*command, "-show_entries", entries, path], capture_output=True, text=True, check=True)
    start_s, frames = shown.stdout.strip().split(",")
    assert shown.stderr == ""
    assert int(frames) == sum(each.info.frames for each in recording.fragments[begin:end])
    assert float(start_s) * 1e6 == pytest.approx(recording.fragments[begin].info.pts_us, abs=1)


def test_sound_and_picture_stay_together(tmp_path: Path) -> None:
    """A click is found in the file at the time at which it was heard."""
    blocks = sound_until(TIMES_US[-1])
    click_us = EPOCH_US + 3_010_000
    blocks = [SoundBlock(np.zeros_like(block.samples), block.first_sample, block.boot_us) for block in blocks]
    blocks[150].samples[480:] = 12_000
    whole = record(VIDEO, PACKETS, blocks).file()
    for frame in decoded(tmp_path / "click.mp4", whole, "audio"):
        loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.1)
        if len(loud):
            heard_us = float(frame.pts * frame.time_base) * 1e6 + loud[0] * 1e6 / 48_000
            break
    assert heard_us == pytest.approx(click_us - EPOCH_US, abs=2_000)


def test_video_goes_on_when_the_microphone_dies_and_sound_comes_back_in_its_place(tmp_path: Path) -> None:
    dead_us, back_us = EPOCH_US + 2_000_000, EPOCH_US + 4_000_000
    blocks = [block for block in sound_until(TIMES_US[-1]) if not dead_us < block.boot_us <= back_us]
    recording = record(VIDEO, PACKETS, blocks)
    assert [each.info.frames for each in recording.fragments] == [25] * 6 + [2]
    assert recording.sound_lost_from_us[0] == pytest.approx(dead_us + 300_000, abs=FRAME_US + 20_000)
    assert recording.sound_lost_from_us[-1] <= back_us + 20_000
    assert recording.muxer.take_lost_sound() == [(pytest.approx(dead_us, abs=100), pytest.approx(back_us, abs=100))]
    assert recording.muxer.take_lost_sound() == []
    heard = sum(frame.samples for frame in decoded(tmp_path / "a.mp4", recording.file(), "audio"))
    assert heard == pytest.approx((TIMES_US[-1] - EPOCH_US) * 0.048, abs=2_048)


def test_a_fragment_is_never_more_than_a_second_late_without_a_microphone() -> None:
    muxer = FragmentMuxer(VIDEO, True, EPOCH_US)
    seen = 0
    for packet in PACKETS:
        for each in muxer.add_video(packet):
            seen += 1
            assert packet.boot_us - (each.first_frame_boot_us + each.info.duration_us) <= 1_000_000
    muxer.finish()
    assert seen >= len(PACKETS) // FRAMES_PER_S - 1


def test_without_a_sound_track_there_are_only_pictures(tmp_path: Path) -> None:
    recording = record(VIDEO, PACKETS, sound_until(TIMES_US[-1]), sound=False)
    assert describe_init(recording.muxer.init).sound is None
    assert [each.info.samples for each in recording.fragments] == [0] * 7
    assert len(decoded(tmp_path / "a.mp4", recording.file(), "video")) == len(TIMES_US)


def test_ten_hours_in_the_stamps_are_still_exact() -> None:
    later_us = 36_000_000_000
    packets = [VideoPacket(packet.data, packet.boot_us + later_us, packet.key) for packet in PACKETS]
    (first, *_) = record(VIDEO, packets, [], sound=False).fragments
    assert first.info.pts_us == pytest.approx(TIMES_US[0] + later_us - EPOCH_US, abs=6)


@pytest.mark.parametrize(
    ("packets", "complaint"),
    [
        ([PACKETS[1]], "before the first key frame"),
        ([VideoPacket(PACKETS[0].data, EPOCH_US - 1, True)], "before"),
        ([PACKETS[0], PACKETS[2], PACKETS[1]], "muxer"),
        ([PACKETS[0], PACKETS[0]], "muxer"),
    ],
    ids=["no key frame", "before the epoch", "time runs back", "the same time twice"],
)
def test_wrong_packets_are_refused_aloud(packets: list[VideoPacket], complaint: str) -> None:
    muxer = FragmentMuxer(VIDEO, False, EPOCH_US)
    *good, bad = packets
    for packet in good:
        muxer.add_video(packet)
    with pytest.raises(CaptureError, match=complaint):
        muxer.add_video(bad)
    assert sum(each.info.frames for each in muxer.finish()) == len(good)


def test_a_format_without_parameter_sets_is_refused() -> None:
    with pytest.raises(CaptureError, match="parameter sets"):
        FragmentMuxer(VideoFormat(WIDTH, HEIGHT, FRAMES_PER_S, b""), True, EPOCH_US)


def test_sound_that_no_picture_comes_to_is_no_fragment() -> None:
    assert record(VIDEO, [], sound_until(EPOCH_US + 2_000_000)).fragments == []
