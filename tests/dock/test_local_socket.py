"""The socket over which receivers reach their broker, as `liuhen dock init` configures it, against a real mosquitto."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dock.folder import DockFolder
from evidence.io.mqtt import Incoming, Link, LinkConfig, LinkState, LocalBroker
from evidence.wire import ROOT
from tests.dock.station import running_station

PATIENCE_S = 20
UP, DOWN = f"{ROOT}/0/BWC-0001/up/offer", f"{ROOT}/0/BWC-0001/down/want"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[DockFolder]:
    with running_station(tmp_path / "a station") as folder:
        yield folder


class Party:
    def __init__(self, config: LinkConfig, topic: str) -> None:
        self.messages: queue.Queue[Incoming] = queue.Queue()
        self.states: queue.Queue[LinkState] = queue.Queue()
        self.refused: queue.Queue[str] = queue.Queue()
        self.link = Link(config, self.messages.put, self.states.put, lambda topic, _: self.refused.put(topic))
        self.link.subscribe([topic])
        self.link.start()

    def state(self) -> LinkState:
        return self.states.get(timeout=PATIENCE_S)


def config_of(station: DockFolder, name: str) -> LinkConfig:
    return LinkConfig(LocalBroker(station.broker_socket, station.password(name).read_text("ascii")), name)


def reason_of(config: LinkConfig) -> str:
    party = Party(config, UP)
    state = party.state()
    party.link.stop()
    assert not state.connected
    return state.reason


def test_a_receiver_hears_recorders_and_answers_and_is_no_recorder_itself(station: DockFolder) -> None:
    receiver = Party(config_of(station, "receiver-1"), UP)
    assert receiver.state().connected
    receiver.link.publish(DOWN, b"more")
    receiver.link.publish(UP, b"an offer that no recorder made")
    assert receiver.refused.get(timeout=PATIENCE_S) == UP
    receiver.link.stop()


def test_a_wrong_password_opens_nothing(station: DockFolder) -> None:
    right = config_of(station, "receiver-1")
    wrong = replace(right, broker=LocalBroker(station.broker_socket, "guessed"))
    assert reason_of(wrong) == "refused by the broker: Not authorized"


def test_one_receivers_password_does_not_make_another_receiver(station: DockFolder) -> None:
    assert reason_of(replace(config_of(station, "receiver-1"), client_id="receiver-2")).startswith("refused")


def test_a_socket_that_is_not_there_is_said_in_words(station: DockFolder) -> None:
    nowhere = LocalBroker(station.broker / "none", "any")
    assert reason_of(LinkConfig(nowhere, "receiver-1")) == "No such file or directory"


def test_the_password_is_not_shown_where_the_configuration_is(station: DockFolder) -> None:
    assert station.password("receiver-1").read_text("ascii") not in repr(config_of(station, "receiver-1"))
