"""An urgent report finds its way from a recorder that is nowhere near its dock, whoever is away meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence.certificates import Trust
from evidence.io.command import main
from evidence.io.mqtt import Incoming, Link, LinkConfig, LinkState, TlsBroker
from evidence.io.verify_files import verify_path
from evidence.journal import Entry, read_entry
from evidence.model import shard_of
from evidence.receipts import EXPLANATION, REPORT_TAKEN
from evidence.verify import Verdict
from tests.sim.offload_world import Recorder, Station
from tests.sim.simulated import await_that

DEVICE = "LH-000001"


class Head:
    """The head of the unit, with an MQTT client and the files that `liuhen dock head` gave."""

    def __init__(self, station: Station, folder: Path) -> None:
        assert main(["dock", "head", str(station.folder.root), "--out", str(folder)]) == 0
        files = folder / "ca.pem", folder / "head.pem", folder / "head.key"
        config = LinkConfig(TlsBroker("127.0.0.1", station.port, *files), "head")
        self.heard: list[tuple[str, bytes]] = []
        self.connected = False
        self.refused: list[str] = []
        self.link = Link(config, self._hear, self._note, lambda topic, _: self.refused.append(topic))
        self.link.subscribe(["liuhen/v1/+/+/up/#"])
        self.link.start()
        await_that(lambda: self.connected, "the head is connected")

    def _hear(self, incoming: Incoming) -> None:
        self.heard.append((incoming.topic, bytes(incoming.payload)))
        incoming.ack()

    def _note(self, state: LinkState) -> None:
        self.connected = state.connected


def received(recorder: Recorder, reported: Entry) -> bool:
    return [one.fields["interruption"] for one in recorder.entries("report_received")] == [
        reported.fields["interruption"]
    ]


def explain(station: Station, reported: Entry) -> None:
    about = ["--recorder", DEVICE, "--interruption", reported.fields["interruption"], "--author", "640221-0117"]
    assert main(["dock", "explain", str(station.folder.root), *about, "--text", "电池老化，已更换。"]) == 0


def test_a_report_goes_out_at_once_stays_until_it_is_explained_and_is_then_taken_back(tmp_path: Path) -> None:
    with Station(tmp_path, [DEVICE]) as station:
        (recorder,) = station.recorders
        reported = recorder.report()
        topic = f"liuhen/v1/{shard_of(DEVICE)}/{DEVICE}/up/report/{reported.fields['interruption']}"
        recorder.start(docked=False)
        await_that(lambda: received(recorder, reported), "the recorder knows that it was taken")
        (taken,) = station.entries(REPORT_TAKEN)
        assert taken.fields["entry_hash"] == reported.head.hash
        assert station.sent == {}, "nothing else goes over the air"
        head = Head(station, tmp_path / "head")
        await_that(lambda: head.heard == [(topic, reported.token.encode())], "a head who comes late still finds it")
        explain(station, reported)
        recorder.process.tell(do="dock")
        await_that(lambda: len(recorder.entries("written")) == 1, "the recorder knows of the explanation")
        await_that(lambda: head.heard[-1] == (topic, b""), "it is taken back")
        # Every connection says anew what is still open.
        assert set(head.heard[:-1]) == {(topic, reported.token.encode())}
        assert head.refused == []
        head.link.publish(topic, b"")
        await_that(lambda: head.refused == [topic], "the head only listens")
        head.link.stop()
        station.stop()
        assert len(station.entries(EXPLANATION)) == len(station.entries(REPORT_TAKEN)) == 1


@pytest.mark.parametrize("away", ["broker", "dock"])
def test_a_report_waits_for_whoever_is_away(tmp_path: Path, away: str) -> None:
    with Station(tmp_path, [DEVICE]) as station:
        (recorder,) = station.recorders
        reported = recorder.report()
        missing = {"broker": station.broker, "dock": station.docks[0]}[away]
        missing.kill()
        recorder.start(docked=False)
        await_that(lambda: len(recorder.entries("power_on")) == 2, "the recorder is on")
        missing.start()
        await_that(lambda: received(recorder, reported), "the report was taken")
        recorder.process.stop()
        recorder.start(docked=False)
        await_that(lambda: len(recorder.entries("power_on")) == 3, "it is on again")
        recorder.process.stop()
        assert len(recorder.entries("report_received")) == len(station.entries(REPORT_TAKEN)) == 1
        path = station.folder.report(DEVICE, reported.fields["interruption"])
        assert read_entry(path.read_text().strip()) == reported
        trust = Trust(station.folder.ca_certificate.read_bytes())
        assert verify_path(recorder.spool, trust).verdict is Verdict.AUTHENTIC
