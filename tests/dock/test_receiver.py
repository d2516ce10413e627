"""A receiver process with the broker that `liuhen dock init` configures."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dock.authority import private_pem
from dock.folder import DockFolder
from dock.intake import Answer
from dock.receiver import shards_of
from evidence.errors import ConfigError
from evidence.io.mqtt import Incoming, Link, LinkConfig, TlsBroker
from evidence.wire import ROOT, Up
from tests.dock.desk import Uplink
from tests.dock.fake_recorder import FakeRecorder
from tests.dock.station import running_station
from tests.dock.test_intake import check_vault

RUN = (
    "import sys; from argparse import ArgumentParser; from dock.command import DOCK; p = ArgumentParser(); "
    "DOCK.configure(p); sys.exit(DOCK.run(p.parse_args()))"
)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[DockFolder]:
    with running_station(tmp_path / "station") as folder:
        yield folder


@pytest.fixture
def receivers(station: DockFolder) -> Iterator[list[subprocess.Popen[str]]]:
    """Two of them, ready."""
    command = [sys.executable, "-c", RUN, "run", str(station.root), "--of", "2", "--receiver"]
    running = [subprocess.Popen([*command, str(one)], stdout=subprocess.PIPE, text=True) for one in (1, 2)]
    for number, one in enumerate(running, 1):
        assert one.stdout is not None
        assert one.stdout.readline().startswith(f"receiver {number} of 2 ready: shards {number - 1},")
    yield running
    for one in running:
        one.kill()
        one.wait()
        assert one.stdout is not None
        one.stdout.close()


class Caller:
    """A recorder's end of the link."""

    def __init__(self, recorder: FakeRecorder, folder: DockFolder, place: Path) -> None:
        place.mkdir()
        for name, content in recorder.enrol(folder).items():
            (place / name).write_bytes(content)
        (place / "link.key").write_bytes(private_pem(recorder.link))
        port = int((place / "dock.toml").read_text().rpartition("= ")[2])
        broker = TlsBroker("127.0.0.1", port, place / "ca.pem", place / "link.pem", place / "link.key")
        self.heard: queue.Queue[Incoming] = queue.Queue()
        self.refused: queue.Queue[str] = queue.Queue()
        connected: queue.Queue[bool] = queue.Queue()
        self.link = Link(
            LinkConfig(broker, recorder.device),
            self.heard.put,
            lambda state: connected.put(state.connected),
            lambda topic, _: self.refused.put(topic),
        )
        self.link.subscribe([f"{ROOT}/+/{recorder.device}/down/#"])
        self.link.start()
        while not connected.get(timeout=10):
            pass

    def say(self, messages: list[tuple[str, bytes]]) -> None:
        for message in messages:
            self.link.publish(*message)


def test_two_receivers_share_the_recorders_and_stop_when_told(
    station: DockFolder, receivers: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    recorders = [FakeRecorder(name) for name in ("BWC-0001", "BWC-0002", "BWC-0003")]
    for recorder in recorders:
        caller, uplink = Caller(recorder, station, tmp_path / recorder.device), Uplink(recorder)
        recorder.record()
        recorder.record(parts=9)
        caller.say(uplink.offer())
        while not uplink.done:
            incoming = caller.heard.get(timeout=10)
            incoming.ack()
            caller.say(uplink.hear(Answer(incoming.topic, incoming.payload)))
        caller.link.stop()
    for one in receivers:
        one.send_signal(signal.SIGTERM)
    assert [one.wait(10) for one in receivers] == [0, 0]
    for recorder in recorders:
        check_vault(station, recorder)


def test_a_recorder_cannot_speak_for_another(station: DockFolder, tmp_path: Path) -> None:
    caller = Caller(FakeRecorder("BWC-0001"), station, tmp_path / "keys")
    foreign = FakeRecorder("BWC-0002").topic(Up.OFFER)
    caller.say([(foreign, b"{}")])
    assert caller.refused.get(timeout=10) == foreign
    caller.link.stop()


def test_every_shard_has_one_receiver() -> None:
    for receivers in (1, 2, 3, 16):
        shards = [shard for one in range(1, receivers + 1) for shard in shards_of(one, receivers)]
        assert sorted(shards) == [f"{shard:x}" for shard in range(16)]


@pytest.mark.parametrize(("receiver", "receivers"), [(0, 1), (2, 1), (1, 17), (-1, 0)])
def test_an_impossible_share_is_refused(receiver: int, receivers: int) -> None:
    with pytest.raises(ConfigError, match="is impossible"):
        shards_of(receiver, receivers)
