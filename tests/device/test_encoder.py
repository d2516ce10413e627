from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from device.capture.encoder import SoftwareEncoder
from device.ports import Frame, VideoPacket
from evidence.errors import CaptureError

BUNNY = Path(__file__).parents[2] / "sim/media/bigbuckbunny.mp4"
WIDTH, HEIGHT = 640, 360


def frame_in_one_buffer(width: int, height: int, boot_us: int, stride: int | None = None) -> Frame:
    stride = stride or width
    buffer = np.zeros(stride * height * 3 // 2, np.uint8)
    quarter = stride * height // 4
    chroma = buffer[4 * quarter :].reshape(2, height // 2, stride // 2)[:, :, : width // 2]
    return Frame(buffer[: 4 * quarter].reshape(height, stride)[:, :width], chroma[0], chroma[1], boot_us)


def frame_of_separate_planes(width: int, height: int, boot_us: int) -> Frame:
    y = np.zeros((height, width), np.uint8)
    u, v = (np.zeros((height // 2, width // 2), np.uint8) for _ in "uv")
    return Frame(y, u, v, boot_us)


def paint(frame: Frame, picture: np.ndarray) -> Frame:
    height, width = frame.y.shape
    frame.y[:] = picture[:height]
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    frame.u[:] = chroma[0]
    frame.v[:] = chroma[1]
    return frame


def bunny(count: int) -> Iterator[np.ndarray]:
    with av.open(str(BUNNY)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == count:
                return
            yield frame.reformat(WIDTH, HEIGHT).to_ndarray(format="yuv420p")


def decode(encoder: SoftwareEncoder, packets: list[VideoPacket]) -> list[av.VideoFrame]:
    codec = av.CodecContext.create("h264", "r")
    codec.extradata = encoder.format.extradata
    return [frame for packet in packets for frame in codec.decode(av.Packet(packet.data))] + codec.decode(None)


@pytest.mark.parametrize(
    "make",
    [
        frame_in_one_buffer,
        frame_of_separate_planes,
        lambda width, height, boot_us: frame_in_one_buffer(width, height, boot_us, stride=width + 64),
    ],
    ids=["one buffer", "separate planes", "padded rows"],
)
def test_what_is_decoded_is_what_was_seen(make: type[Frame]) -> None:
    encoder = SoftwareEncoder(WIDTH, HEIGHT, 25, 3_000_000)
    pictures = list(bunny(10))
    packets = [p for i, picture in enumerate(pictures) for p in encoder.encode(paint(make(WIDTH, HEIGHT, i), picture))]
    for seen, decoded in zip(pictures, decode(encoder, packets + encoder.finish()), strict=True):
        error = seen.astype(float) - decoded.to_ndarray(format="yuv420p")
        assert np.sqrt((error**2).mean()) < 4


def test_time_is_kept_to_the_microsecond_and_a_key_frame_comes_each_second_and_on_request() -> None:
    encoder = SoftwareEncoder(WIDTH, HEIGHT, 25, 1_000_000)
    times_us = [10**12 + 40_000 * i + i * i % 7_919 for i in range(80)]
    packets: list[VideoPacket] = []
    for number, boot_us in enumerate(times_us):
        if number == 60:
            encoder.request_key_frame()
        packets += encoder.encode(frame_in_one_buffer(WIDTH, HEIGHT, boot_us))
        assert len(packets) == number + 1
    packets += encoder.finish()
    assert [packet.boot_us for packet in packets] == times_us
    assert [number for number, packet in enumerate(packets) if packet.key] == [0, 25, 50, 60]
    instantaneous_refresh = [number for number, packet in enumerate(packets) if b"\0\0\1\x65" in packet.data]
    assert instantaneous_refresh == [0, 25, 50, 60]


def test_the_picture_says_how_its_colours_are_meant() -> None:
    encoder = SoftwareEncoder(WIDTH, HEIGHT, 25, 1_000_000)
    packets = encoder.encode(frame_in_one_buffer(WIDTH, HEIGHT, 0))
    codec = av.CodecContext.create("h264", "r")
    codec.extradata = encoder.format.extradata
    codec.decode(av.Packet(packets[0].data))
    assert (codec.color_range, codec.colorspace, codec.color_primaries, codec.color_trc) == (1, 1, 1, 1)
    assert codec.profile == "High"


def test_a_second_of_noise_is_not_larger_than_twice_the_bit_rate() -> None:
    encoder = SoftwareEncoder(WIDTH, HEIGHT, 25, 1_000_000)
    noise = np.random.default_rng(1)
    sizes = []
    for number in range(100):
        picture = noise.integers(16, 236, (HEIGHT * 3 // 2, WIDTH), np.uint8)
        sizes += [len(p.data) for p in encoder.encode(paint(frame_in_one_buffer(WIDTH, HEIGHT, number), picture))]
    assert max(sum(sizes[begin : begin + 25]) for begin in range(0, 100, 25)) * 8 < 2 * 1_000_000


@pytest.mark.parametrize(("width", "height"), [(641, 360), (640, 358), (0, 0)])
def test_an_impossible_size_is_refused(width: int, height: int) -> None:
    with pytest.raises(CaptureError, match=f"{width}x{height}"):
        SoftwareEncoder(width, height, 25, 1_000_000)


def test_a_frame_of_another_size_is_refused() -> None:
    encoder = SoftwareEncoder(WIDTH, HEIGHT, 25, 1_000_000)
    with pytest.raises(CaptureError, match="320x180"):
        encoder.encode(frame_in_one_buffer(320, 180, 0))
