"""The leaner client against a stream of bytes that may be cut anywhere."""

from __future__ import annotations

import itertools
import ssl
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from evidence.io.lean_client import LeanClient

PAYLOADS = (b"", b"small", b"x" * 127, bytes(range(256)) * 90)


class Stream:
    """A socket that has a piece at a time, and then nothing until it is asked again."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [bytearray(piece) for piece in pieces]
        self.ends = False

    @property
    def dry(self) -> bool:
        return not self._pieces

    def recv(self, size_bytes: int) -> bytes:
        room = bytearray(size_bytes)
        return bytes(room[: self.recv_into(room)])

    def recv_into(self, room: Any) -> int:
        if self.dry and self.ends:
            return 0
        if self.dry or not self._pieces[0]:
            self._pieces = self._pieces[1:]
            raise ssl.SSLWantReadError
        data = self._pieces[0][: len(room)]
        del self._pieces[0][: len(data)]
        memoryview(room)[: len(data)] = data
        return len(data)

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.ends = True


def publish(number: int, payload: bytes, *, qos: int = 1) -> bytes:
    """A PUBLISH packet (MQTT 5, 3.3) of a topic that says its number."""
    topic = b"up/%d" % number
    body = len(topic).to_bytes(2, "big") + topic + (number.to_bytes(2, "big") if qos else b"") + b"\0" + payload
    length, rest = bytearray(), len(body)
    while True:
        rest, low = divmod(rest, 128)
        length.append(low | (0x80 if rest else 0))
        if not rest:
            return bytes([0x30 | qos << 1]) + bytes(length) + body


def client_on(stream: Stream) -> tuple[LeanClient, list[MQTTMessage]]:
    client = LeanClient(CallbackAPIVersion.VERSION2, "device", protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)
    client._sock = stream  # type: ignore[assignment]
    taken: list[MQTTMessage] = []
    client.on_message = lambda _client, _userdata, message: taken.append(message)
    return client, taken


@given(cuts=st.lists(st.integers(0, sum(map(len, PAYLOADS)) + 60), max_size=40), qos=st.sampled_from([0, 1]))
def test_messages_are_whole_wherever_the_stream_is_cut(cuts: list[int], qos: int) -> None:
    """Every message is held to the end: none may be written over by the next one."""
    data = b"".join(publish(number, payload, qos=qos) for number, payload in enumerate(PAYLOADS, 1))
    places = [0, *sorted(cuts), len(data)]
    stream = Stream([data[start:end] for start, end in itertools.pairwise(places)])
    client, taken = client_on(stream)
    while not stream.dry:
        assert client._packet_read() in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_AGAIN)
    assert [(message.topic, message.payload) for message in taken] == [
        (f"up/{number}", payload) for number, payload in enumerate(PAYLOADS, 1)
    ]
    assert [message.mid for message in taken] == ([1, 2, 3, 4] if qos else [0] * 4)


def test_a_stream_that_ends_or_makes_no_sense_ends_the_connection() -> None:
    for data in (b"", b"\x32", publish(1, b"cut short")[:-1], b"\x32\xff\xff\xff\xff\xff"):
        stream = Stream([data] if data else [])
        stream.ends = True
        client, taken = client_on(stream)
        results = [client._packet_read() for _ in range(3)]
        assert MQTTErrorCode.MQTT_ERR_CONN_LOST in results
        assert not taken
