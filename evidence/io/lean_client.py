"""paho's client without the copies that it makes of every large message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import VariableByteIntegers

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessageInfo


class LeanClient(Client):
    """It replaces two inner methods of paho 2; where a later paho does not call them, the copies are back, no more."""

    def _packet_queue(
        self, command: int, packet: bytes | bytearray, mid: int, qos: int, info: MQTTMessageInfo | None = None
    ) -> MQTTErrorCode:
        # paho slices the rest of the packet for every TLS record that it sends; a slice of a view is free.
        return super()._packet_queue(command, memoryview(packet), mid, qos, info)  # type: ignore[arg-type]

    def _handle_publish(self) -> MQTTErrorCode:
        # paho unpacks field by field and copies all that follows each time; here the payload is copied once.
        packet = memoryview(self._in_packet["packet"])
        qos = self._in_packet["command"] >> 1 & 0b11
        topic_end = 2 + int.from_bytes(packet[:2], "big")
        properties_start = topic_end + (2 if qos else 0)
        length = packet[properties_start : properties_start + 4]
        properties_bytes, length_bytes = VariableByteIntegers.decode(length)  # type: ignore[no-untyped-call]
        message = MQTTMessage(int.from_bytes(packet[topic_end:properties_start], "big"), bytes(packet[2:topic_end]))
        message.qos = qos
        message.payload = bytes(packet[properties_start + length_bytes + properties_bytes :])
        self._handle_on_message(message)
        return MQTTErrorCode.MQTT_ERR_SUCCESS
