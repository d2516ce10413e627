"""A dock with the broker that `liuhen dock init` configures and one receiver, and who comes to it over the network."""

from __future__ import annotations

import queue
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from dock.authority import Authority, Purpose, private_pem
from dock.enrolment import choose_settings, init
from dock.folder import DockFolder
from dock.issuing import load_issuing
from evidence.io.durable import PosixDisc
from evidence.signing import PrivateKey
from evidence.wire import Offer, Topic, Up, write_offer
from tests.broker import MOSQUITTO, free_port
from tests.dock.fake_recorder import FakeRecorder, StillClock
from tests.dock.test_receiver import RUN

PATIENCE_S = 10
NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Station:
    """`with Station(root) as station`: both processes run until the block ends."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = DockFolder(root / "station")
        self.port = free_port()
        settings = choose_settings([], "127.0.0.1", self.port)
        init(self.folder, PosixDisc(), StillClock(), settings, "127.0.0.1", [], 1, as_root=True)
        self._processes: list[subprocess.Popen[str]] = []
        self._made = 0
        self.callers: list[Caller] = []
        """Everybody who called: a client that nobody stops goes on sending what it could not."""

    def __enter__(self) -> Self:
        broker = [MOSQUITTO, "-c", "mosquitto.conf"]
        self._processes.append(subprocess.Popen(broker, cwd=self.folder.broker, stderr=subprocess.DEVNULL, text=True))
        command = [sys.executable, "-c", RUN, "run", str(self.folder.root)]
        receiver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._processes.append(receiver)
        assert receiver.stdout is not None
        assert "ready" in receiver.stdout.readline()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for caller in self.callers:
            caller.stop()
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()

    @property
    def receiver_memory_bytes(self) -> int:
        """What the receiver holds in memory now."""
        status = Path(f"/proc/{self._processes[1].pid}/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    @property
    def alive(self) -> bool:
        """Whether broker and receiver run and the receiver answers."""
        honest = self.honest
        honest.heard.queue.clear()
        honest.publish(honest.recorder.topic(Up.OFFER), write_offer(Offer(1, -1, ())))
        answered = honest.hears("down/want") is not None
        return answered and all(process.poll() is None for process in self._processes)

    @cached_property
    def honest(self) -> Caller:
        """A recorder that does what it should."""
        return self.caller()

    def recorder(self, link: PrivateKey | None = None) -> FakeRecorder:
        """A new one, enrolled."""
        self._made += 1
        name = f"BWC-{self._made:04}"
        recorder = FakeRecorder(name) if link is None else FakeRecorder(name, link=link)
        recorder.enrol(self.folder)
        return recorder

    def caller(self, **changes: Any) -> Caller:
        """A new recorder, or whoever has its link key, connected and listening to what is said to it."""
        recorder = self.recorder()
        caller = Caller(self, recorder, self.certificate(recorder.device), **changes)
        assert caller.connects() == "Success"
        caller.subscribe(f"liuhen/v1/+/{recorder.device}/down/#")
        return caller

    def certificate(self, name: str, now: datetime = NOW, by: Authority | None = None) -> tuple[Path, Path]:
        """A link certificate and its key, issued by the unit's CA at this time, or by another one."""
        key = ec.generate_private_key(ec.SECP256R1())
        authority = by or load_issuing(self.folder)
        issued = authority.issue(name, Purpose.CLIENT, key.public_key(), now)
        self._made += 1
        paths = self.root / f"{self._made}.pem", self.root / f"{self._made}.key"
        paths[0].write_bytes(authority.chain_pem(issued))
        paths[1].write_bytes(private_pem(key))
        return paths


class Caller:
    """An MQTT client without any of our manners."""

    def __init__(
        self, station: Station, recorder: FakeRecorder, certificate: tuple[Path, Path] | None,
        client_id: str | None = None, will: tuple[str, bytes] | None = None,
        password: str | None = None,
    ) -> None:  # fmt: skip
        station.callers.append(self)
        self.recorder = recorder
        self._port = station.port
        self.heard: queue.Queue[MQTTMessage] = queue.Queue()
        self._answers: queue.Queue[str] = queue.Queue()
        self._gone: queue.Queue[str] = queue.Queue()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id or recorder.device,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(station.folder.ca_certificate)
        if certificate:
            context.load_cert_chain(*certificate)
        self._client.tls_set_context(context)
        if will:
            self._client.will_set(*will, qos=1, retain=True)
        if password:
            self._client.username_pw_set(recorder.device, password)
        self._client.on_message = lambda _client, _data, message: self.heard.put(message)
        self._client.on_connect = lambda _client, _data, _flags, code, _more: self._answers.put(str(code))
        self._client.on_disconnect = lambda _client, _data, _flags, code, _more: self._gone.put(str(code))
        self._client.on_publish = lambda _client, _data, _mid, code, _more: self._answers.put(str(code))
        self._client.on_subscribe = lambda _client, _data, _mid, codes, _more: self._answers.put(str(codes[0]))

    def connects(self) -> str:
        """What the broker says, or why there is no connection."""
        try:
            self._client.connect("127.0.0.1", self._port)
        except OSError as error:
            return f"TLS: {error}"
        self._client.loop_start()
        return self._answer()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> str:
        """What the broker says to it."""
        self._client.publish(topic, payload, qos=1, retain=retain)
        return self._answer()

    def throw(self, topic: str, payload: bytes, qos: int) -> None:
        """Without looking at the answer, if there is one."""
        self._client.publish(topic, payload, qos=qos)

    def subscribe(self, topic: str) -> str:
        """What the broker says to it."""
        properties = Properties(PacketTypes.SUBSCRIBE)
        self._client.subscribe(topic, qos=1, properties=properties)
        return self._answer()

    def hears(self, ending: str, seconds: float = PATIENCE_S) -> MQTTMessage | None:
        """The next message under a topic with this ending; None when there is none for so long."""
        try:
            while not (message := self.heard.get(timeout=seconds)).topic.endswith(ending):
                pass
        except queue.Empty:
            return None
        return message

    def is_thrown_out(self) -> bool:
        """Whether the broker ends the connection."""
        try:
            self._gone.get(timeout=PATIENCE_S)
        except queue.Empty:
            return False
        return True

    def vanish(self) -> None:
        """Without a word, so that the broker publishes the last will."""
        self._client.loop_stop()
        sock = self._client.socket()
        assert sock is not None
        sock.close()

    def stop(self) -> None:
        """As one should."""
        self._client.disconnect()
        self._client.loop_stop()
        if sock := self._client.socket():
            sock.close()

    def _answer(self) -> str:
        while True:
            for answers in (self._answers, self._gone):
                try:
                    return answers.get(timeout=PATIENCE_S / 100)
                except queue.Empty:
                    pass


def topic_of(caller: Caller, ending: str) -> str:
    """A topic below the caller's own."""
    return Topic(caller.recorder.device, Up.OFFER).text().removesuffix("up/offer") + ending
