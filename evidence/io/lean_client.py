"""paho's client without the copies that it makes of every large message, and without one leak."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, NoReturn

from paho.mqtt.client import Client, MQTTMessage, time_func
from paho.mqtt.enums import LogLevel, MQTTErrorCode
from paho.mqtt.properties import VariableByteIntegers

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessageInfo

HEAD_LIMIT_BYTES = 5
"""The command and the body's length in at most four bytes (MQTT 5, 2.1.4)."""


class LeanClient(Client):
    """It replaces inner methods of paho 2; where a later paho does not call them, the copies are back, no more."""

    _head = b""
    _body: bytearray | None = None
    _filled_bytes = 0

    def _create_unix_socket_connection(self) -> socket.socket:
        # paho leaves the socket open when nobody listens.
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.connect(self._host)
        except OSError:
            opened.close()
            raise
        return opened

    def _packet_queue(
        self, command: int, packet: bytes | bytearray, mid: int, qos: int, info: MQTTMessageInfo | None = None
    ) -> MQTTErrorCode:
        # paho slices the rest of the packet for every TLS record that it sends; a slice of a view is free.
        return super()._packet_queue(command, memoryview(packet), mid, qos, info)  # type: ignore[arg-type]

    def _packet_read(self) -> MQTTErrorCode:
        # paho makes an object of every TLS record and adds it to a buffer that grows and moves; here the body is
        # received where it stays. Each packet has a buffer of its own, which is whoever's who takes the message.
        try:
            self._receive()
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError as error:
            self._easy_log(LogLevel.MQTT_LOG_ERR, "failed to receive on socket: %s", error)
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        assert self._body is not None
        self._in_packet |= {
            "command": self._head[0],
            "have_remaining": 1,
            "remaining_length": len(self._body),
            "packet": self._body,
            "to_process": 0,
        }
        self._head, self._body, self._filled_bytes = b"", None, 0
        return super()._packet_read()

    def _receive(self) -> None:
        """Go on with the packet at hand; returns once it is whole. Raises BlockingIOError, OSError."""
        while len(self._head) < 2 or self._head[-1] & 0x80:
            self._head += self._sock_recv(1) or _closed()
            if len(self._head) > HEAD_LIMIT_BYTES:
                raise OSError("the broker sent a packet without a length")
        if self._body is None:
            self._body = bytearray(sum((byte & 0x7F) << 7 * place for place, byte in enumerate(self._head[1:])))
        with memoryview(self._body) as body:
            while self._filled_bytes < len(body):
                self._filled_bytes += self._receive_into(body[self._filled_bytes :]) or _closed()
                self._last_bytes_received = time_func()

    def _receive_into(self, room: memoryview) -> int:
        if self._sock is None:
            raise ConnectionError("not connected")
        try:
            return self._sock.recv_into(room)  # type: ignore[attr-defined,no-any-return]
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error

    def _handle_publish(self) -> MQTTErrorCode:
        # paho unpacks field by field and copies all that follows each time; here the payload is never copied: a
        # bytearray that loses its beginning leaves the rest where it is.
        packet = self._in_packet["packet"]
        qos = self._in_packet["command"] >> 1 & 0b11
        topic_end = 2 + int.from_bytes(packet[:2], "big")
        properties_start = topic_end + (2 if qos else 0)
        length = packet[properties_start : properties_start + 4]
        properties_bytes, length_bytes = VariableByteIntegers.decode(length)  # type: ignore[no-untyped-call]
        message = MQTTMessage(int.from_bytes(packet[topic_end:properties_start], "big"), bytes(packet[2:topic_end]))
        message.qos = qos
        del packet[: properties_start + length_bytes + properties_bytes]
        message.payload = packet
        self._handle_on_message(message)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def _closed() -> NoReturn:
    raise ConnectionError("the broker closed the connection")
