"""The link: MQTT 5 over TLS 1.3 with client certificates, for the recorder and for the dock, or over a local socket.

It carries messages and says when it is up or down. It never sends a message again by itself: a connection that breaks
takes its unacknowledged messages with it, and the rules of transfer offer them again when the other end lacks them.
"""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from evidence.errors import LinkError
from evidence.io.heap import keep_heap
from evidence.io.lean_client import LeanClient
from evidence.io.tls import TalkativeSocket, in_words, tls_context

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0
GOODBYE_S = 2.0
CONNECT_S = 5.0
PACKET_FRAME_BYTES = 10
"""Command, length, topic length, message id and properties length, each at its largest."""


@dataclass(frozen=True, slots=True)
class TlsBroker:
    """A broker over the network, and what proves to each of us who the other is."""

    host: str
    """A name or address that stands in the broker's certificate."""
    port: int
    ca_path: Path
    """The one root that is trusted; the machine's own list is not."""
    certificate_path: Path
    """Its common name must be our client id: the broker takes it from there."""
    key_path: Path


@dataclass(frozen=True, slots=True)
class LocalBroker:
    """A broker on this machine, behind a socket in a folder that only its own people may enter."""

    socket_path: Path
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """Where the broker is and who we are to it."""

    broker: TlsBroker | LocalBroker
    client_id: str
    session_expiry_s: int = 0
    """How long the broker keeps messages for us while we are away; 0 begins afresh every time."""
    receive_maximum: int = 8
    """Messages that the broker may have on the way to us before we acknowledge."""
    window_messages: int = 64
    """Messages that may be on the way from us; the broker's own limit holds if it is lower."""
    keepalive_s: int = 15
    will: tuple[str, bytes] | None = None
    """Topic and payload that the broker publishes, retained, when we vanish without a word."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """Whether the broker is there, and in one line why not."""

    connected: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that came in."""

    topic: str
    payload: bytes | bytearray
    """Nobody else holds it."""
    ack: Callable[[], object] = field(repr=False, compare=False)
    """Tells the broker that it may forget the message. From any thread; without effect once the connection broke."""


class _Unacknowledged:
    """The messages that wait for a PUBACK, which may overtake the thread that sent the message."""

    def __init__(self) -> None:
        self._topics: dict[int, str] = {}
        self._early: dict[int, ReasonCode] = {}
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._topics)

    def sent(self, mid: int, topic: str) -> ReasonCode | None:
        """The answer, if it is here already."""
        with self._changed:
            if mid not in self._early:
                self._topics[mid] = topic
            return self._early.pop(mid, None)

    def answered(self, mid: int, reason: ReasonCode) -> str | None:
        """The topic, unless the answer was first."""
        with self._changed:
            if mid not in self._topics:
                self._early[mid] = reason
            self._changed.notify_all()
            return self._topics.pop(mid, None)

    def wait_until_none(self, longest_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._topics, longest_s)


@dataclass(slots=True)
class _Connection:
    """What ends with a connection: paho's client with all that it still holds, and what the broker has not taken."""

    client: Client
    window_messages: int
    largest_packet_bytes: int
    unacknowledged: _Unacknowledged = field(default_factory=_Unacknowledged)


class Link:
    """One connection to the broker, made again by itself whenever it breaks.

    Callbacks come from the link's own thread; they must be quick and must not raise. `on_refused` gets the topic and
    the reason when the broker does not take a message or a subscription; it may also come from inside `publish`.
    """

    def __init__(
        self,
        config: LinkConfig,
        on_message: Callable[[Incoming], None],
        on_state: Callable[[LinkState], None],
        on_refused: Callable[[str, str], None],
    ) -> None:
        self._config = config
        self._on_message = on_message
        self._on_state = on_state
        self._on_refused = on_refused
        self._topics: dict[str, None] = {}
        self._connection: _Connection | None = None
        self._socket: socket.socket | None = None
        self._reason = ""
        self._state = LinkState(connected=False)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"link {config.client_id}", daemon=True)
        self._tls: SSLContext | None = None
        if isinstance(broker := config.broker, TlsBroker):
            self._tls = tls_context(broker.ca_path, broker.certificate_path, broker.key_path)

    def start(self) -> None:
        """Connect, and stay connected until `stop`. Returns at once."""
        keep_heap()
        self._thread.start()

    def subscribe(self, topics: Iterable[str]) -> None:
        """Ask for these topics (filters with + and # too), now and after every reconnection."""
        wanted = dict.fromkeys(topics)
        self._topics.update(wanted)
        if (connection := self._connection) is not None:
            _subscribe(connection.client, wanted)

    def publish(self, topic: str, payload: bytes | bytearray, *, retain: bool = False) -> None:
        """Send at QoS 1, from any thread. The payload has been copied, once, when this returns.

        Raises LinkError when the link is down or its window is full; then nothing was taken.
        """
        connection = self._connection
        if connection is None:
            raise LinkError(topic, "not sent, the link is down")
        if len(connection.unacknowledged) >= connection.window_messages:
            raise LinkError(topic, f"not sent, {connection.window_messages} messages wait for the broker already")
        if len(topic.encode()) + len(payload) + PACKET_FRAME_BYTES > connection.largest_packet_bytes:
            # Sent all the same, it would cost us the connection.
            self._on_refused(topic, "Packet too large")
            return
        sent = connection.client.publish(topic, payload, qos=1, retain=retain)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(topic, "not sent, the link is going down")
        reason = connection.unacknowledged.sent(sent.mid, topic)
        if reason is not None and reason.is_failure:
            self._on_refused(topic, str(reason))

    def stop(self) -> None:
        """Say goodbye once the broker has taken what was published; after a few seconds without waiting for it."""
        if (connection := self._connection) is not None:
            connection.unacknowledged.wait_until_none(GOODBYE_S)
        self._stopping.set()
        if (connection := self._connection) is not None:
            connection.client.disconnect()
        self._thread.join(CONNECT_S + GOODBYE_S)

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stopping.is_set():
            self._reason = ""
            reason = self._one_connection()
            wait_s = FIRST_WAIT_S if self._state.connected else min(2 * wait_s, LONGEST_WAIT_S)
            self._report(LinkState(connected=False, reason=reason))
            # The jitter keeps a hundred recorders from coming back to a restarted broker in the same instant.
            self._stopping.wait(wait_s * random.uniform(0.5, 1))

    def _one_connection(self) -> str:
        """From the attempt to connect to the end of the connection, and why it ended."""
        client = self._new_client()
        try:
            client.connect(
                *self._address(),
                self._config.keepalive_s,
                clean_start=self._config.session_expiry_s == 0,
                properties=self._connect_properties(),
            )
        except OSError as error:
            return in_words(error)
        while client.loop() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            if self._stopping.is_set() and self._connection is None:
                break
        self._connection = None
        client.drop_out_messages()
        return self._reason

    def _new_client(self) -> Client:
        """A client for one connection only: paho would send everything it still holds again after a reconnection."""
        client = LeanClient(
            CallbackAPIVersion.VERSION2,
            self._config.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            transport="unix" if self._tls is None else "tcp",
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(self._config.window_messages)
        if isinstance(broker := self._config.broker, LocalBroker):
            client.username_pw_set(self._config.client_id, broker.password)
        else:
            client.tls_set_context(self._tls)
        if self._config.will is not None:
            client.will_set(*self._config.will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_publish_received
        client.on_publish = self._on_puback
        client.on_subscribe = self._on_suback
        client.on_socket_open = self._on_socket_open
        # With this set, paho leaves all writing to the thread that calls `loop`, instead of to whoever publishes.
        client.on_socket_register_write = lambda *_: None
        return client

    def _address(self) -> tuple[str, int]:
        broker = self._config.broker
        # paho wants a port for a socket that has none.
        return (broker.host, broker.port) if isinstance(broker, TlsBroker) else (str(broker.socket_path), 1)

    def _connect_properties(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._config.session_expiry_s
        properties.ReceiveMaximum = self._config.receive_maximum
        return properties

    def _on_socket_open(self, _client: Client, _userdata: Any, opened: Any) -> None:
        if self._tls is not None:
            # Without it the small answers of the rules of transfer wait 40 ms each.
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = opened

    def _on_connect(
        self, client: Client, _userdata: Any, _flags: ConnectFlags, reason: ReasonCode, answer: Properties | None
    ) -> None:
        if reason.is_failure:
            self._reason = f"refused by the broker: {reason}"
            return
        if self._stopping.is_set():
            client.disconnect()
            return
        # What MQTT 5 takes for granted where the broker says nothing.
        window_messages = min(self._config.window_messages, getattr(answer, "ReceiveMaximum", 65_535))
        largest_packet_bytes = getattr(answer, "MaximumPacketSize", 268_435_455)
        self._connection = _Connection(client, window_messages, largest_packet_bytes)
        if self._topics:
            _subscribe(client, self._topics)
        else:
            self._report(LinkState(connected=True))

    def _on_disconnect(
        self, _client: Client, _userdata: Any, _flags: DisconnectFlags, reason: ReasonCode, _answer: Properties | None
    ) -> None:
        trouble = self._socket.trouble if isinstance(self._socket, TalkativeSocket) else ""
        self._reason = self._reason or trouble or str(reason)

    def _on_publish_received(self, client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._on_message(Incoming(message.topic, message.payload, partial(client.ack, message.mid, message.qos)))

    def _on_puback(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        if (connection := self._connection) is not None:
            topic = connection.unacknowledged.answered(mid, reason)
            if topic is not None and reason.is_failure:
                self._on_refused(topic, str(reason))

    def _on_suback(
        self, _client: Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                self._on_refused(", ".join(self._topics), str(reason))
        # Only now: what the other end sends on hearing that we are there must find the broker listening for us.
        self._report(LinkState(connected=True))

    def _report(self, state: LinkState) -> None:
        if state != self._state:
            self._state = state
            self._on_state(state)


def _subscribe(client: Client, topics: Iterable[str]) -> None:
    client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])
