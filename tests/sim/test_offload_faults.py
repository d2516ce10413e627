"""Broker, dock or recorder die while evidence moves: nothing is lost, nothing is there twice, little is sent again."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.io.mqtt import Incoming, Link, LinkState
from evidence.model import shard_of
from sim.processes import Process
from tests.sim.offload_world import BLOB_BYTES, NOTES, SEGMENTS, STILLS, Station, peak_bytes
from tests.sim.simulated import await_that

WINDOW = 8
DEATHS = 3
MEMORY_LIMIT_BYTES = 200_000_000
VICTIMS: dict[str, Callable[[Station], Process]] = {
    "broker": lambda station: station.broker,
    "dock": lambda station: station.docks[0],
    "recorder": lambda station: station.recorders[0].process,
}


def revive(station: Station, victim: str) -> None:
    if victim == "recorder":
        station.recorders[0].start()
    else:
        VICTIMS[victim](station).start()


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 3))])
@pytest.mark.parametrize("victim", VICTIMS)
def test_whoever_dies_while_evidence_moves_it_arrives_once(tmp_path: Path, victim: str, seed: int) -> None:
    chance = random.Random(f"{victim} {seed}")
    with Station(tmp_path, ["LH-000001"]) as station:
        (recorder,) = station.recorders
        # Photos and notes go first: one death is among them.
        moments = [chance.uniform(0, 0.8) * (STILLS + NOTES) * BLOB_BYTES]
        moments += sorted(chance.uniform(0.02, 0.6) * recorder.total_bytes for _ in range(DEATHS - 1))
        recorder.start()
        for moment_bytes in moments:
            await_that(lambda least=moment_bytes: station.received_bytes() >= least, "it goes on")  # type: ignore[misc]
            assert len(station.entries("stored")) < SEGMENTS, "it is still under way"
            VICTIMS[victim](station).kill()
            revive(station, victim)
        station.await_released()
        peaks = [peak_bytes(process.pid) for process in (recorder.process, *station.docks)]
        station.stop()
        station.assert_whole()
    assert max(peaks) < MEMORY_LIMIT_BYTES, peaks
    assert sum(times - 1 for times in station.sent.values()) <= DEATHS * WINDOW


def test_two_recorders_and_two_receivers_share_the_work(tmp_path: Path) -> None:
    devices = ["LH-000001", "LH-000004"]
    assert [int(shard_of(device), 16) % 2 for device in devices] == [1, 0], "one for each receiver"
    with Station(tmp_path, devices, receivers=2) as station:
        for recorder in station.recorders:
            recorder.start()
        station.await_released()
        station.stop()
        station.assert_whole()
        assert set(station.sent.values()) == {1}
        assert sum("/up/blob/" in topic for topic in station.sent) == 2 * (STILLS + NOTES)


class Client:
    """Somebody with a recorder's own valid certificate and key."""

    def __init__(self, station: Station, identity: Path, device: str, topics: list[str]) -> None:
        self.heard: list[str] = []
        self.refused: list[str] = []
        self.connected = False
        config = station.link_config(device, identity / "link.pem", identity / "link.key")
        self.link = Link(config, self._hear, self._note, lambda topic, _reason: self.refused.append(topic))
        self.link.subscribe(topics)
        self.link.start()
        await_that(lambda: self.connected, f"{device} is connected")

    def _hear(self, incoming: Incoming) -> None:
        self.heard.append(incoming.topic)
        incoming.ack()

    def _note(self, state: LinkState) -> None:
        self.connected = state.connected


def test_a_recorder_cannot_speak_for_another_nor_hear_it(tmp_path: Path) -> None:
    own, other = "LH-000001", "LH-000004"
    tree = {device: f"liuhen/v1/{shard_of(device)}/{device}" for device in (own, other)}
    with Station(tmp_path, [own, other]) as station:
        everything = ["#", "liuhen/v1/+/+/down/#", f"{tree[other]}/down/want", f"{tree[own]}/down/#"]
        intruder = Client(station, tmp_path / own / "identity", own, everything)
        victim = Client(station, tmp_path / other / "identity", other, [f"{tree[other]}/down/#"])
        part = "up/fragment/0123456789ab-00001/0"
        for device in (other, own):
            intruder.link.publish(f"{tree[device]}/{part}", b"evidence?")
            station.observer.publish(f"{tree[device]}/down/want", b"?")
        # What was sent last has arrived, so what was sent first is not still on its way.
        await_that(lambda: f"{tree[own]}/{part}" in station.sent, "its own part arrives")
        await_that(lambda: f"{tree[own]}/down/want" in intruder.heard, "it hears its own dock")
        await_that(lambda: f"{tree[other]}/down/want" in victim.heard, "and the other hears it too")
        assert f"{tree[other]}/{part}" in intruder.refused
        assert set(station.sent) == {f"{tree[own]}/{part}"}
        assert set(intruder.heard) == {f"{tree[own]}/down/want"}
        for client in (intruder, victim):
            client.link.stop()
