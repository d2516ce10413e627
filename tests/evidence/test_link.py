"""The link against a real mosquitto, over TLS 1.3 with client certificates."""

from __future__ import annotations

import queue
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.errors import LinkError
from evidence.io.mqtt import Incoming, Link, LinkConfig, LinkState, TlsBroker
from tests.broker import Authority, Broker

PATIENCE_S = 20
QUIET_S = 0.5
FRAGMENT = bytes(range(256)) * 3000


class Party:
    """A link whose callbacks fill queues, so that a test waits for what it wants and never sleeps."""

    def __init__(self, config: LinkConfig, *topics: str, acks: bool = True) -> None:
        self.messages: queue.Queue[Incoming] = queue.Queue()
        self.states: queue.Queue[LinkState] = queue.Queue()
        self.refused: queue.Queue[tuple[str, str]] = queue.Queue()
        self._acks = acks
        self.link = Link(config, self._keep, self.states.put, lambda *what: self.refused.put(what))
        self.link.subscribe(topics)
        self.link.start()

    def _keep(self, message: Incoming) -> None:
        if self._acks:
            message.ack()
        self.messages.put(message)

    def wait_until(self, *, connected: bool) -> LinkState:
        while (state := self.states.get(timeout=PATIENCE_S)).connected != connected:
            pass
        return state

    def payload(self) -> bytes:
        return self.messages.get(timeout=PATIENCE_S).payload

    def hears_nothing_more(self) -> bool:
        try:
            self.messages.get(timeout=QUIET_S)
        except queue.Empty:
            return True
        return False


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates")


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    with Broker(tmp_path, authority) as broker:
        yield broker


class Stage:
    """Opens parties of one authority at one broker."""

    def __init__(self, broker: Broker, authority: Authority) -> None:
        self.broker, self.authority = broker, authority
        self.parties: list[Party] = []

    def config(self, name: str, **changes: object) -> LinkConfig:
        certificate_path, key_path = self.authority.issue(name)
        broker = TlsBroker(self.broker.host, self.broker.port, self.authority.ca_path, certificate_path, key_path)
        of_broker = {key: value for key, value in changes.items() if hasattr(broker, key)}
        of_link = {key: value for key, value in changes.items() if key not in of_broker}
        return replace(LinkConfig(replace(broker, **of_broker), name), **of_link)  # type: ignore[arg-type]

    def enter(self, config: LinkConfig, *topics: str, acks: bool = True) -> Party:
        self.parties.append(Party(config, *topics, acks=acks))
        return self.parties[-1]

    def connected(self, name: str, *topics: str, acks: bool = True, **changes: object) -> Party:
        party = self.enter(self.config(name, **changes), *topics, acks=acks)
        party.wait_until(connected=True)
        return party


@pytest.fixture
def stage(broker: Broker, authority: Authority) -> Iterator[Stage]:
    stage = Stage(broker, authority)
    yield stage
    for party in stage.parties:
        party.link.stop()


def test_a_fragment_arrives_as_it_was_sent(stage: Stage) -> None:
    dock, device = stage.connected("dock", "up/#"), stage.connected("device", "down/#")
    device.link.publish("up/fragment", FRAGMENT)
    dock.link.publish("down/want", bytearray(b"more"))
    assert dock.messages.get(timeout=PATIENCE_S).payload == FRAGMENT
    assert device.messages.get(timeout=PATIENCE_S).topic == "down/want"


@pytest.mark.parametrize("payload", [b"", b"x", b"y" * 127, b"z" * 2_500_000], ids=len)
def test_a_payload_of_any_size_arrives(stage: Stage, payload: bytes) -> None:
    party = stage.connected("device", "留痕/#")
    party.link.publish("留痕/证据", payload)
    message = party.messages.get(timeout=PATIENCE_S)
    assert (message.topic, message.payload) == ("留痕/证据", payload)


def test_the_link_comes_back_and_listens_again_when_the_broker_was_killed(stage: Stage) -> None:
    dock, device = stage.connected("dock", "up/#"), stage.connected("device")
    stage.broker.kill()
    for party in (dock, device):
        assert party.wait_until(connected=False).reason
    stage.broker.start()
    for party in (dock, device):
        party.wait_until(connected=True)
    device.link.publish("up/status", b"back")
    assert dock.payload() == b"back"


def test_what_was_not_acknowledged_comes_again_to_the_next_receiver(stage: Stage) -> None:
    device = stage.connected("device")
    first = stage.connected("dock", "up/#", acks=False, session_expiry_s=86400)
    for number in range(3):
        device.link.publish("up/fragment", b"%d" % number)
    first.messages.get(timeout=PATIENCE_S).ack()
    first.payload()
    first.payload()
    first.link.stop()
    second = stage.connected("dock", "up/#", session_expiry_s=86400)
    assert [second.payload(), second.payload()] == [b"1", b"2"]
    assert second.hears_nothing_more()


def test_nothing_is_sent_again_behind_our_back(stage: Stage) -> None:
    dock, device = stage.connected("dock", "up/#"), stage.connected("device")
    stage.broker.freeze()
    for number in range(8):
        device.link.publish("up/fragment", b"%d" % number + FRAGMENT)
    stage.broker.kill()
    device.wait_until(connected=False)
    for number in range(8):
        with pytest.raises(LinkError, match="link is down"):
            device.link.publish("up/fragment", b"%d" % number)
    stage.broker.start()
    dock.wait_until(connected=True)
    device.wait_until(connected=True)
    device.link.publish("up/fragment", b"again")
    assert dock.payload() == b"again"
    assert dock.hears_nothing_more()


def test_a_broker_that_does_not_answer_fills_the_window_and_no_more(stage: Stage) -> None:
    device = stage.connected("device", window_messages=4)
    stage.broker.freeze()
    for _ in range(4):
        device.link.publish("up/fragment", FRAGMENT)
    with pytest.raises(LinkError, match="4 messages wait"):
        device.link.publish("up/fragment", FRAGMENT)
    stage.broker.thaw()


def test_the_window_opens_as_the_broker_answers(stage: Stage) -> None:
    dock, device = stage.connected("dock", "up/#"), stage.connected("device", window_messages=2)
    for number in range(50):
        device.link.publish("up/fragment", b"%d" % number + FRAGMENT)
        assert dock.payload().startswith(b"%d" % number)


def test_the_last_word_is_sent_when_a_party_vanishes_and_not_when_it_says_goodbye(stage: Stage) -> None:
    dock = stage.connected("dock", "up/status")
    polite = stage.connected("polite", will=("up/status", b"polite vanished"))
    polite.link.publish("up/status", b"goodbye", retain=True)
    polite.link.stop()
    assert dock.payload() == b"goodbye"
    stage.connected("device", will=("up/status", b"device vanished"))
    stage.connected("device")  # the broker drops the one before
    assert dock.payload() == b"device vanished"


def test_a_message_that_is_not_allowed_is_reported(tmp_path: Path, authority: Authority) -> None:
    with Broker(tmp_path, authority, acl="pattern write up/%u/#") as broker:
        stage = Stage(broker, authority)
        device = stage.connected("device")
        device.link.publish("up/another/fragment", b"not mine")
        assert device.refused.get(timeout=PATIENCE_S) == ("up/another/fragment", "Not authorized")
        device.link.stop()


def test_a_message_that_is_too_large_is_refused_and_the_link_stays(tmp_path: Path, authority: Authority) -> None:
    with Broker(tmp_path, authority, settings="max_packet_size 100000") as broker:
        stage = Stage(broker, authority)
        device = stage.connected("device", "up/#")
        device.link.publish("up/fragment", FRAGMENT)
        assert device.refused.get(timeout=PATIENCE_S) == ("up/fragment", "Packet too large")
        device.link.publish("up/fragment", b"small")
        assert device.payload() == b"small"
        device.link.stop()


def test_a_broker_of_another_root_is_not_trusted(stage: Stage, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger", "another root")
    device = stage.enter(stage.config("device", ca_path=stranger.ca_path))
    assert "not trusted" in device.wait_until(connected=False).reason


def test_a_broker_under_another_name_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    with Broker(tmp_path, authority, address="127.0.0.2") as broker:
        device = Stage(broker, authority).enter(Stage(broker, authority).config("device"))
        assert "IP address mismatch" in device.wait_until(connected=False).reason
        device.link.stop()


def test_a_certificate_of_another_root_is_refused_with_the_reason(stage: Stage, tmp_path: Path) -> None:
    certificate_path, key_path = Authority(tmp_path / "stranger", "another root").issue("device")
    config = stage.config("device", certificate_path=certificate_path, key_path=key_path)
    assert "unknown ca" in stage.enter(config).wait_until(connected=False).reason


def test_tls_1_2_is_refused(authority: Authority, stage: Stage) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*authority.issue("old broker"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        device = stage.enter(stage.config("device", port=server.getsockname()[1]))
        with pytest.raises(ssl.SSLError), context.wrap_socket(server.accept()[0], server_side=True):
            pass
        assert device.wait_until(connected=False).reason == "tlsv1 alert protocol version"


def test_a_missing_certificate_is_an_error_of_one_line(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"^[^\n]*: no usable certificate or key: No such file or directory$"):
        stage.enter(stage.config("device", certificate_path=tmp_path / "none.crt"))


def test_a_link_that_never_connected_stops_at_once(stage: Stage) -> None:
    stage.broker.kill()
    device = stage.enter(stage.config("device"))
    assert device.wait_until(connected=False).reason == "Connection refused"
    device.link.stop()
