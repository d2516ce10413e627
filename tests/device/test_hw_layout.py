import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.encoder import SoftwareEncoder
from device.hw.layout import parameter_sets, planes
from device.ports import Frame

sizes = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 20)).map(lambda s: (2 * s[0], 2 * s[1], s[2]))


@given(sizes, st.data())
def test_what_is_drawn_lands_at_the_right_byte_and_nowhere_else(
    size: tuple[int, int, int], data: st.DataObject
) -> None:
    width, height, padding = size
    stride = width + 2 * padding
    memory = bytearray(height * 3 // 2 * stride)
    buffer = np.frombuffer(memory, np.uint8).reshape(height * 3 // 2, stride)
    y, u, v = planes(buffer, width, height)
    assert (y.shape, u.shape, v.shape) == ((height, width), (height // 2, width // 2), (height // 2, width // 2))
    u_start, half = height * stride, stride // 2
    for plane, start, row_bytes in ((y, 0, stride), (u, u_start, half), (v, u_start + height // 2 * half, half)):
        row = data.draw(st.integers(0, plane.shape[0] - 1))
        column = data.draw(st.integers(0, plane.shape[1] - 1))
        plane[row, column] = 200
        assert memory.index(200) == start + row * row_bytes + column
        plane[row, column] = 0
    assert not any(memory)


def test_a_padded_camera_buffer_is_encoded_where_it_lies() -> None:
    width, height, stride = 640, 360, 704
    buffer = np.full((height * 3 // 2, stride), 255, np.uint8)
    frame = Frame(*planes(buffer, width, height), boot_us=0)
    frame.y[:], frame.u[:], frame.v[:] = 120, 90, 160
    encoder = SoftwareEncoder(width, height, 30, 1_000_000)
    (packet,) = encoder.encode(frame)
    codec = av.CodecContext.create("h264", "r")
    codec.extradata = encoder.format.extradata
    (picture,) = [*codec.decode(av.Packet(packet.data)), *codec.decode(None)]
    decoded = planes(picture.to_ndarray(format="yuv420p"), width, height)
    for plane, value in zip(decoded, (120, 90, 160), strict=True):
        assert abs(plane.astype(int) - value).max() <= 2


SPS, PPS, KEY, OTHER = b"\x67\x64\x00\x28", b"\x68\xee\x3c", b"\x65\x88\x00\x00\x03\x01", b"\x41\x9a"


@pytest.mark.parametrize("code", [b"\0\0\1", b"\0\0\0\1"])
def test_parameter_sets_are_cut_out(code: bytes) -> None:
    unit = b"".join(code + part for part in (SPS, PPS, KEY))
    assert parameter_sets(unit) == b"\0\0\0\1" + SPS + b"\0\0\0\1" + PPS


@pytest.mark.parametrize("parts", [(OTHER,), (SPS, KEY), (PPS, KEY), ()])
def test_half_a_set_is_none(parts: tuple[bytes, ...]) -> None:
    assert parameter_sets(b"".join(b"\0\0\0\1" + part for part in parts)) == b""


def test_x264s_own_parameter_sets_are_found_again() -> None:
    extradata = SoftwareEncoder(640, 360, 30, 1_000_000).format.extradata
    assert parameter_sets(extradata) in extradata
    assert parameter_sets(extradata)
