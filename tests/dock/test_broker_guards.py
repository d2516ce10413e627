"""Who gets into the broker and how far, as `liuhen dock init` configures it, against a real mosquitto."""

from __future__ import annotations

import queue
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from dock.authority import Authority, Purpose, private_pem
from dock.broker import MEMORY_LIMIT_BYTES
from dock.broker_control import cut_off, reload_broker
from dock.clock import SystemClock
from dock.enrolment import link_key
from dock.folder import DockFolder, read_settings
from dock.issuing import load_issuing, time_of
from dock.key_command import take_back
from dock.renewal import Loss, renew_own, renew_recorder, replace_issuing
from evidence.errors import LinkError
from evidence.io.durable import PosixDisc
from evidence.io.mqtt import Incoming, Link, LinkConfig, LinkState, TlsBroker
from evidence.wire import ROOT
from tests.dock.fake_recorder import FakeRecorder
from tests.dock.station import make_station, running_broker, running_station

PATIENCE_S = 20
NAME, OTHER = "BWC-0001", "BWC-0002"
HELLO = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x0f\x00\x00\x03abc"
"""CONNECT of MQTT 5."""
NOW = time_of(SystemClock())


@pytest.fixture
def station(tmp_path: Path) -> Iterator[DockFolder]:
    with running_station(tmp_path / "station", receivers=1) as folder:
        yield folder


class Client:
    """A connection as somebody with these files."""

    def __init__(self, station: DockFolder, files: Path, name: str, hears: Sequence[str] = ()) -> None:
        self.messages: queue.Queue[Incoming] = queue.Queue()
        self.states: queue.Queue[LinkState] = queue.Queue()
        self.refused: queue.Queue[str] = queue.Queue()
        broker = TlsBroker(
            "127.0.0.1", read_settings(station).port, station.ca_certificate, files / "link.pem", files / "link.key"
        )
        config = LinkConfig(broker, client_id=name)
        self.link = Link(config, self.messages.put, self.states.put, lambda topic, _: self.refused.put(topic))
        if hears:
            self.link.subscribe(hears)
        self.link.start()

    def state(self) -> LinkState:
        return self.states.get(timeout=PATIENCE_S)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.stop()


def enrolled(station: DockFolder, folder: Path, name: str = NAME) -> Path:
    folder.mkdir()
    recorder = FakeRecorder(name, link=link_key())
    files = recorder.enrol(station)
    (folder / "link.key").write_bytes(private_pem(recorder.link))
    (folder / "link.pem").write_bytes(files["link.pem"])
    return folder


def issued(station: DockFolder, folder: Path, purpose: Purpose, when: timedelta = timedelta()) -> Path:
    return issued_by(load_issuing(station), folder, purpose, when)


def issued_by(authority: Authority, folder: Path, purpose: Purpose, when: timedelta = timedelta()) -> Path:
    folder.mkdir()
    key = link_key()
    certificate = authority.issue(NAME, purpose, key.public_key(), NOW + when)
    (folder / "link.key").write_bytes(private_pem(key))
    (folder / "link.pem").write_bytes(authority.chain_pem(certificate))
    return folder


def stranger(_station: DockFolder, folder: Path) -> Path:
    return issued_by(Authority.make(NOW).make_issuing(NOW), folder, Purpose.CLIENT)


def leaf_as_issuer(station: DockFolder, folder: Path) -> Path:
    """A recorder that plays CA with its own key and certificate."""
    enrolled(station, folder.with_name("insider"), OTHER)
    insider = Authority.from_pem(
        (folder.with_name("insider") / "link.key").read_bytes(),
        (folder.with_name("insider") / "link.pem").read_bytes(),
        "insider",
    )
    issued_by(insider, folder, Purpose.CLIENT)
    with (folder / "link.pem").open("ab") as chain:
        chain.write(load_issuing(station).chain_pem(load_issuing(station).certificate))
    return folder


def revoked(station: DockFolder, folder: Path) -> Path:
    enrolled(station, folder)
    take_back(station, NAME, "lost")
    return folder


INTRUDERS: dict[str, tuple[Callable[[DockFolder, Path], Path], str]] = {
    "with a certificate of another unit": (stranger, "unknown ca"),
    "with a certificate that has run out": (
        lambda station, folder: issued(station, folder, Purpose.CLIENT, -timedelta(days=2200)), "certificate expired",
    ),
    "with a certificate that has not begun": (
        lambda station, folder: issued(station, folder, Purpose.CLIENT, timedelta(days=2)), "bad certificate",
    ),
    "with the certificate of a server": (
        lambda station, folder: issued(station, folder, Purpose.BROKER), "unsupported certificate",
    ),
    "with the certificate that signs evidence": (
        lambda station, folder: issued(station, folder, Purpose.RECORDER), "unsupported certificate",
    ),
    "with a certificate that another recorder has issued": (leaf_as_issuer, "unknown ca"),
    "with a revoked certificate": (revoked, "certificate revoked"),
}  # fmt: skip


@pytest.mark.parametrize("who", INTRUDERS)
def test_nobody_gets_in(station: DockFolder, tmp_path: Path, who: str) -> None:
    make, reason = INTRUDERS[who]
    with Client(station, make(station, tmp_path / "files"), NAME) as client:
        state = client.state()
        assert not state.connected
        assert reason in state.reason


def handshake(station: DockFolder, context: ssl.SSLContext) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", read_settings(station).port), timeout=PATIENCE_S)
    return context.wrap_socket(raw, server_hostname="127.0.0.1")


def context_of(station: DockFolder, files: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(station.ca_certificate))
    if files is not None:
        context.load_cert_chain(files / "link.pem", files / "link.key")
    return context


def test_nobody_gets_in_without_a_certificate(station: DockFolder) -> None:
    with handshake(station, context_of(station, None)) as line, pytest.raises(ssl.SSLError, match="REQUIRED"):
        line.recv(1)


def test_nobody_gets_in_with_an_older_tls(station: DockFolder, tmp_path: Path) -> None:
    context = context_of(station, enrolled(station, tmp_path / "files"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        handshake(station, context)


def test_nobody_gets_in_without_tls(station: DockFolder) -> None:
    """A plain MQTT 3.1.1 CONNECT without a name."""
    with socket.create_connection(("127.0.0.1", read_settings(station).port), timeout=PATIENCE_S) as line:
        line.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x0f\x00\x00")
        try:
            answer = line.recv(64)
        except ConnectionResetError:
            answer = b""
        assert not answer.startswith(b"\x20")


def test_a_revoked_recorder_does_not_come_back_by_resuming_its_session(station: DockFolder, tmp_path: Path) -> None:
    """TLS resumption sends no certificate, so nobody looks at a list."""
    context = context_of(station, enrolled(station, tmp_path / "files"))
    with handshake(station, context) as line:
        line.settimeout(1)
        line.sendall(HELLO)
        assert line.recv(64)[:1] == b"\x20"
        session = line.session
    take_back(station, NAME, "stolen")
    answer = b""
    raw = socket.create_connection(("127.0.0.1", read_settings(station).port), timeout=PATIENCE_S)
    with suppress(OSError), context.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as line:
        line.sendall(HELLO)
        answer = line.recv(64)
    assert answer == b""


def test_a_connected_recorder_is_cut_off_when_it_is_revoked_and_others_stay(
    station: DockFolder, tmp_path: Path
) -> None:
    bad = Client(station, enrolled(station, tmp_path / "bad"), NAME)
    good = Client(station, enrolled(station, tmp_path / "good", OTHER), OTHER)
    with bad, good:
        assert bad.state().connected
        assert good.state().connected
        done = take_back(station, NAME, "stolen")
        assert done["broker"] is True
        assert not bad.state().connected
        assert "certificate revoked" in bad.state().reason
        assert good.states.empty()


TOPICS = {
    "reads what another recorder says": ("hears", f"{ROOT}/+/{OTHER}/up/#"),
    "reads what another recorder is told": ("hears", f"{ROOT}/+/{OTHER}/down/#"),
    "reads everything": ("hears", "#"),
    "reads every recorder's reports": ("hears", f"{ROOT}/+/+/up/report/#"),
    "reads the broker's own figures": ("hears", "$SYS/#"),
    "speaks as another recorder": ("says", f"{ROOT}/2/{OTHER}/up/journal"),
    "forges a receipt for itself": ("says", f"{ROOT}/1/{NAME}/down/receipt"),
    "forges an assignment for another recorder": ("says", f"{ROOT}/2/{OTHER}/down/assign"),
}


@pytest.mark.parametrize("what", TOPICS)
def test_a_recorder_with_a_valid_certificate_keeps_to_its_own_tree(
    station: DockFolder, tmp_path: Path, what: str
) -> None:
    verb, topic = TOPICS[what]
    files = enrolled(station, tmp_path / "files")
    mine, others = f"{ROOT}/1/{NAME}/up/report/mine", f"{ROOT}/2/{OTHER}/up/report/secret"
    with Client(station, files, NAME, [topic, mine] if verb == "hears" else ()) as client:
        assert client.state().connected
        if verb == "says":
            client.link.publish(topic, b"{}")
            assert client.refused.get(timeout=PATIENCE_S) == topic
            return
        # The broker takes every subscription, and lets nothing through that is not allowed.
        with Client(station, enrolled(station, tmp_path / "other", OTHER), OTHER, [others]) as other:
            assert other.state().connected
            other.link.publish(others, b"secret")
            assert other.messages.get(timeout=PATIENCE_S).payload == b"secret"
        client.link.publish(mine, b"mine")
        assert client.messages.get(timeout=PATIENCE_S).topic == mine


def test_nobody_can_be_another_one_by_calling_itself_so(station: DockFolder, tmp_path: Path) -> None:
    """The broker takes the name from the certificate, whatever the client says."""
    files = enrolled(station, tmp_path / "files")
    with Client(station, files, OTHER) as client:
        assert client.state().connected
        client.link.publish(f"{ROOT}/2/{OTHER}/up/journal", b"x")
        assert client.refused.get(timeout=PATIENCE_S)


def test_a_message_beyond_the_limit_ends_the_connection(station: DockFolder, tmp_path: Path) -> None:
    """The broker tells its limit; a client that minds it not is cut off before the message is in memory."""
    with handshake(station, context_of(station, enrolled(station, tmp_path / "files"))) as line:
        line.sendall(HELLO)
        assert line.recv(64)[:1] == b"\x20"
        # PUBLISH with a remaining length of 268 million bytes.
        line.sendall(b"\x30\xff\xff\xff\x7f" + b"\x00\x01a\x00" + b"x" * 4096)
        assert line.recv(64)[:1] in (b"", b"\xe0")


def test_renewed_certificates_are_served_without_a_restart(station: DockFolder, tmp_path: Path) -> None:
    with handshake(station, context_of(station, None)) as line:
        before = line.getpeercert(binary_form=True)
    renew_own(station, PosixDisc(), SystemClock())
    assert reload_broker(station)
    with Client(station, enrolled(station, tmp_path / "files"), NAME) as client:
        assert client.state().connected
    with handshake(station, context_of(station, None)) as line:
        assert line.getpeercert(binary_form=True) != before


@pytest.mark.parametrize("loss", Loss)
def test_a_new_issuing_ca_lets_old_certificates_in_only_when_the_old_key_was_not_stolen(
    tmp_path: Path, loss: Loss
) -> None:
    station = make_station(tmp_path / "station")
    old = enrolled(station, tmp_path / "old")
    replace_issuing(station, PosixDisc(), SystemClock(), station.carried_away, loss)
    with running_broker(station):
        with Client(station, old, NAME) as client:
            assert client.state().connected is (loss is Loss.LOST)
        (old / "link.pem").write_bytes(renew_recorder(station, PosixDisc(), SystemClock(), NAME).files["link.pem"])
        with Client(station, old, NAME) as client:
            assert client.state().connected


def test_a_broker_that_does_not_run_is_told_nothing(tmp_path: Path) -> None:
    with running_station(tmp_path / "station") as station:
        pass
    assert station.broker_pid.exists()
    assert not reload_broker(station)
    assert not reload_broker(make_station(tmp_path / "new"))


def test_a_recorder_that_cannot_be_cut_off_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"may still be connected.*restart the broker"):
        cut_off(make_station(tmp_path / "station"), SystemClock(), NAME)


def test_a_recorder_that_fills_the_brokers_memory_is_cut_off_at_the_limit(tmp_path: Path) -> None:
    """Retained messages under ever new names, which no queue bounds; the others stay."""
    station, limit_bytes = make_station(tmp_path / "station"), 16 * 1024 * 1024
    config = station.broker / "mosquitto.conf"
    config.write_text(config.read_text().replace(f"memory_limit {MEMORY_LIMIT_BYTES}", f"memory_limit {limit_bytes}"))
    with (
        running_broker(station),
        Client(station, enrolled(station, tmp_path / "bad"), NAME) as bad,
        Client(station, enrolled(station, tmp_path / "good", OTHER), OTHER) as good,
    ):
        assert bad.state().connected
        assert good.state().connected
        with suppress(LinkError):  # when it is cut off before the last of them
            for number in range(40):
                bad.link.publish(f"{ROOT}/1/{NAME}/up/report/{number}", bytes(1_000_000), retain=True)
        assert not bad.state().connected
        assert held_bytes(int(station.broker_pid.read_text())) < 2 * limit_bytes
        assert good.states.empty()


def held_bytes(pid: int) -> int:
    """The memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
