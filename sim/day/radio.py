"""The radio, the cable in the dock and the broker of a day, in memory: what is on the way takes time, and may be lost.

It keeps what an MQTT broker promises to this house: messages of one sender arrive in order, those for the dock wait for
it while it is away, retained ones are told to whoever subscribes, and what was on the way when a connection broke is
lost without a word (design section 7).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from paho.mqtt.client import topic_matches_sub

from evidence.errors import LinkError
from evidence.io.mqtt import Incoming, LinkConfig, LinkState

CONNECT_S = 0.3
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0
DELAY_S = 0.004
BYTES_PER_S = 4_000_000
KEEPALIVES = 1.5

Said = tuple[str, bytes]


class Radio:
    """Broker and network. `inbox` is what waits for the dock."""

    def __init__(self) -> None:
        self.inbox: deque[Said] = deque()
        self.arrived = asyncio.Event()
        self._reachable = True
        self._broker_up = True
        self._roads: list[WorldRoad] = []
        self._retained: dict[str, bytes] = {}

    @property
    def up(self) -> bool:
        """Whether a recorder reaches the broker."""
        return self._reachable and self._broker_up

    def open(
        self,
        config: LinkConfig,
        on_message: Callable[[Incoming], None],
        on_state: Callable[[LinkState], None],
        on_refused: Callable[[str, str], None],
    ) -> WorldRoad:
        """What `evidence.io.mqtt.Link` is over a network; this broker refuses nothing."""
        del on_refused
        return WorldRoad(self, config, on_message, on_state)

    def lose(self) -> None:
        """No network for the recorder: the cable is out, or the router is off."""
        self._reachable = False
        self.break_all("the network is unreachable")

    def find(self) -> None:
        """The network is back."""
        self._reachable = True

    def kill_broker(self) -> None:
        """The broker dies. It keeps what waits for the dock on its disc."""
        self._broker_up = False
        self.break_all("connection refused")

    def start_broker(self) -> None:
        """The broker is started again."""
        self._broker_up = True

    def break_all(self, reason: str) -> None:
        """Every connection breaks."""
        for road in tuple(self._roads):
            road.lost(reason)

    def power_gone(self) -> None:
        """The recorder vanishes without a word; after a while the broker speaks its will."""
        for road in tuple(self._roads):
            road.vanish()

    def join(self, road: WorldRoad) -> None:
        """A recorder is there."""
        self._roads.append(road)
        for topic, payload in self._retained.items():
            road.bring(topic, payload)

    def leave(self, road: WorldRoad) -> None:
        """It is gone."""
        if road in self._roads:
            self._roads.remove(road)

    def take(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """A message of a recorder has reached the broker."""
        if retain:
            self._retained[topic] = payload
        self.inbox.append((topic, payload))
        self.arrived.set()

    def answer(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """The dock publishes. While the broker is dead it is lost; the recorder offers again."""
        if not self._broker_up:
            return
        if retain:
            self._retained[topic] = payload
        for road in self._roads:
            road.bring(topic, payload)


class WorldRoad:
    """One recorder's connection, made again by itself whenever it breaks, as `Link` does it."""

    def __init__(
        self, radio: Radio, config: LinkConfig, on_message: Callable[[Incoming], None],
        on_state: Callable[[LinkState], None],
    ) -> None:  # fmt: skip
        self._radio = radio
        self._config = config
        self._on_message = on_message
        self._on_state = on_state
        self._topics: list[str] = []
        self._state = LinkState(connected=False)
        self._connection = 0
        """The number of the present connection: what another one carried does not arrive."""
        self._under_way = 0
        self._free_at_s = 0.0
        self._wait_s = FIRST_WAIT_S
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""
        self._timer = self._loop.call_later(CONNECT_S, self._connect)

    def subscribe(self, topics: Iterable[str]) -> None:
        """Ask for these topics."""
        self._topics += topics

    def publish(self, topic: str, payload: bytes | bytearray, *, retain: bool = False) -> None:
        """Send. Raises LinkError when the link is down or its window is full."""
        if not self._state.connected:
            raise LinkError(topic, "not sent, the link is down")
        if self._under_way >= self._config.window_messages:
            raise LinkError(topic, f"not sent, {self._under_way} messages wait for the broker already")
        self._under_way += 1
        self._carry(len(payload), self._arrive, topic, bytes(payload), retain)

    def stop(self) -> None:
        """Say goodbye."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._close()

    def bring(self, topic: str, payload: bytes) -> None:
        """The broker sends something down, if it is wanted."""
        if any(topic_matches_sub(wanted, topic) for wanted in self._topics):
            self._carry(len(payload), self._hand_over, topic, payload)

    def lost(self, reason: str) -> None:
        """The connection breaks."""
        self._close()
        self._report(LinkState(connected=False, reason=reason))
        self._connect_later()

    def vanish(self) -> None:
        """The recorder has lost its power."""
        connected = self._state.connected
        self.stop()
        if connected and self._config.will is not None:
            topic, payload = self._config.will
            later_s = self._config.keepalive_s * KEEPALIVES
            self._loop.call_later(later_s, lambda: self._radio.take(topic, payload, retain=True))

    def _connect(self) -> None:
        if not self._radio.up:
            self._report(LinkState(connected=False, reason="the broker cannot be reached"))
            self._connect_later()
            return
        self._wait_s = FIRST_WAIT_S
        self._connection += 1
        self._under_way = 0
        self._report(LinkState(connected=True))
        self._radio.join(self)

    def _connect_later(self) -> None:
        self._timer = self._loop.call_later(self._wait_s + CONNECT_S, self._connect)
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)

    def _close(self) -> None:
        self._connection += 1
        self._radio.leave(self)
        self._state = LinkState(connected=False, reason=self._state.reason)

    def _report(self, state: LinkState) -> None:
        if state != self._state:
            self._state = state
            self._on_state(state)

    def _carry(self, size_bytes: int, deliver: Callable[..., None], *what: object) -> None:
        """One after the other, each as long as its bytes take, and a delay on top."""
        self._free_at_s = max(self._free_at_s, self._loop.time()) + size_bytes / BYTES_PER_S
        connection = self._connection

        def arrive() -> None:
            if connection == self._connection:
                deliver(*what)

        self._loop.call_at(self._free_at_s + DELAY_S, arrive)

    def _arrive(self, topic: str, payload: bytes, retain: bool) -> None:
        self._under_way -= 1
        self._radio.take(topic, payload, retain=retain)

    def _hand_over(self, topic: str, payload: bytes) -> None:
        self._on_message(Incoming(topic, payload, lambda: None))
