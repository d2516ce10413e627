"""Over the network, against the real broker and receiver: outsiders, and a hostile device with its own certificate."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dock.authority import Authority, private_pem
from dock.clock import SystemClock
from dock.enrolment import link_key
from dock.key_command import take_back
from dock.revocation import revoke
from evidence.io.durable import PosixDisc
from evidence.io.token_file import read_lines
from evidence.wire import Offer, Up, write_offer
from tests.attacks.station import NOW, Caller, Station, topic_of
from tests.dock.desk import dock_entries
from tests.dock.fake_recorder import FakeRecorder

REFUSED = "Not authorized"
QUIET_S = 0.3


@pytest.fixture
def hostile(station: Station) -> Caller:
    return station.caller()


def entries_of(station: Station, caller: Caller) -> list[str]:
    """What the dock believes of a recorder."""
    path = station.folder.journal(caller.recorder.device)
    return list(read_lines(path)) if path.exists() else []


def outsider(station: Station, certificate: object, **changes: object) -> str:
    caller = Caller(station, FakeRecorder("BWC-0900"), certificate, **changes)  # type: ignore[arg-type]
    answer = caller.connects()
    caller.stop()
    return answer


def another_ca(station: Station) -> object:
    return station.certificate("BWC-0900", by=Authority.make(NOW).make_issuing(NOW))


OUTSIDERS: dict[str, tuple[Callable[[Station], str], tuple[str, ...]]] = {
    "comes without a certificate": (lambda one: outsider(one, None), ("CERTIFICATE_REQUIRED", "Unspecified error")),
    "comes without a certificate but with a password": (
        lambda one: outsider(one, None, password="admin"), ("CERTIFICATE_REQUIRED", "Unspecified error"),
    ),
    "comes with a certificate of another CA": (
        lambda one: outsider(one, another_ca(one)), ("UNKNOWN_CA", "Unspecified error"),
    ),
    "comes with an expired certificate": (
        lambda one: outsider(one, one.certificate("BWC-0900", datetime(2005, 1, 1, tzinfo=UTC))),
        ("CERTIFICATE_EXPIRED", "Unspecified error"),
    ),
    "comes with a certificate that is not valid yet": (
        lambda one: outsider(one, one.certificate("BWC-0900", datetime(2040, 1, 1, tzinfo=UTC))),
        ("BAD_CERTIFICATE", "Unspecified error"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDERS)
def test_an_outsider(station: Station, name: str) -> None:
    """Verdict: no connection."""
    come, expected = OUTSIDERS[name]
    answer = come(station)
    assert any(one in answer for one in expected), answer


def test_an_outsider_speaks_tls_1_2(station: Station) -> None:
    """Verdict: no connection, even with a valid certificate."""
    context = ssl.create_default_context(cafile=str(station.folder.ca_certificate))
    context.load_cert_chain(*station.certificate("BWC-0900"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", station.port), timeout=10) as plain,
        pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"),
    ):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


def answer_of(channel: socket.socket) -> bytes:
    """What comes back; nothing when the connection is closed, politely or not."""
    try:
        return channel.recv(100)
    except ConnectionResetError:
        return b""


def test_an_outsider_speaks_without_tls(station: Station) -> None:
    """Verdict: no connection."""
    with socket.create_connection(("127.0.0.1", station.port), timeout=10) as plain:
        plain.sendall(b"\x10\x13\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x06hacker")
        assert not answer_of(plain).startswith(b"\x20"), "no CONNACK"
    assert station.alive


def test_an_outsider_sends_noise_inside_tls(station: Station) -> None:
    """Verdict: disconnected, the others do not notice."""
    context = ssl.create_default_context(cafile=str(station.folder.ca_certificate))
    context.load_cert_chain(*station.certificate("BWC-0900"))
    with (
        socket.create_connection(("127.0.0.1", station.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as channel,
    ):
        channel.sendall(bytes(range(256)) * 64)
        assert answer_of(channel) == b""
    assert station.alive


# What a hostile device tries to write: the topic, made of its own and another's.

FORBIDDEN: dict[str, Callable[[Caller, Caller], str]] = {
    "offers evidence in another's name": lambda _, other: topic_of(other, "up/offer"),
    "writes into another's journal": lambda _, other: topic_of(other, "up/journal"),
    "sends another's fragment": lambda _, other: topic_of(other, "up/fragment/0123456789ab-00001/0"),
    "declares another offline": lambda _, other: topic_of(other, "up/status"),
    "reports in another's name": lambda _, other: topic_of(other, "up/report/0123456789ab-i0001"),
    "forges a receipt for another": lambda _, other: topic_of(other, "down/receipt"),
    "forges a receipt for itself": lambda own, _: topic_of(own, "down/receipt"),
    "assigns another's officer": lambda _, other: topic_of(other, "down/assign"),
    "assigns itself an officer": lambda own, _: topic_of(own, "down/assign"),
    "has another send all again": lambda _, other: topic_of(other, "down/want"),
    "writes outside of the tree": lambda *_: "liuhen/v1/anything",
    "writes to the broker's own topics": lambda *_: "$SYS/broker/version",
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_hostile_device_may_not_write(station: Station, hostile: Caller, name: str) -> None:
    """Verdict: refused by the broker; whom it was meant for hears nothing, now or later."""
    honest = station.honest
    honest.heard.queue.clear()
    topic = FORBIDDEN[name](hostile, honest)
    assert hostile.publish(topic, b"poison", retain=True) == REFUSED
    assert honest.subscribe(topic.rpartition("/")[0] + "/#") is not None
    assert not [one for one in list(honest.heard.queue) if one.payload == b"poison"]
    hostile.stop()


OVERHEARD: dict[str, Callable[[Caller], str]] = {
    "everything": lambda _: "#",
    "the broker": lambda _: "$SYS/#",
    "another's fragments": lambda other: topic_of(other, "up/#"),
    "another's receipts": lambda other: topic_of(other, "down/#"),
    "all recorders by a wildcard": lambda _: "liuhen/v1/+/+/#",
    "all reports": lambda _: "liuhen/v1/+/+/up/report/#",
}


@pytest.mark.parametrize("name", OVERHEARD)
def test_a_hostile_device_listens_to(station: Station, hostile: Caller, name: str) -> None:
    """Verdict: it hears nothing but what is said to itself."""
    honest = station.honest
    hostile.subscribe(OVERHEARD[name](honest))
    assert station.alive
    hostile.publish(topic_of(hostile, "up/offer"), write_offer(Offer(1, -1, ())))
    while (message := hostile.hears("", QUIET_S)) is not None:
        assert f"/{hostile.recorder.device}/" in message.topic
    hostile.stop()


def test_a_hostile_device_takes_anothers_client_id(station: Station) -> None:
    """Verdict: its certificate's name counts, so nobody is thrown out."""
    honest = station.honest
    thief = station.caller(client_id=honest.recorder.device)
    assert thief.publish(topic_of(thief, "up/offer"), write_offer(Offer(1, -1, ()))) == "Success"
    assert station.alive
    thief.stop()


def test_a_hostile_device_calls_itself_a_receiver(station: Station) -> None:
    """Verdict: the same; what is sent up it does not hear."""
    thief = station.caller(client_id="receiver-1")
    thief.subscribe("liuhen/v1/+/+/up/#")
    assert station.alive
    assert thief.hears("up/offer", QUIET_S) is None
    thief.stop()


def test_a_hostile_device_leaves_a_last_will_on_anothers_topic(station: Station) -> None:
    """Verdict: not published."""
    honest = station.honest
    hostile = station.caller(will=(topic_of(honest, "down/assign"), b"poison"))
    hostile.vanish()
    honest.heard.queue.clear()
    assert station.alive
    assert honest.hears("down/assign", QUIET_S) is None


def test_a_hostile_device_sends_a_huge_payload(station: Station, hostile: Caller) -> None:
    """Verdict: the broker takes no packet beyond 16 MiB; it is disconnected and the dock goes on."""
    answer = hostile.publish(topic_of(hostile, "up/journal"), bytes(17 << 20))
    assert answer != "Success"
    assert station.alive


@pytest.mark.parametrize("qos", [0, 1], ids=["without waiting for an answer", "as fast as it is answered"])
def test_a_hostile_device_floods(station: Station, hostile: Caller, qos: int) -> None:
    """Verdict: the receiver holds no more than its queue, and another one is still served."""
    before = station.receiver_memory_bytes
    for number in range(100):
        hostile.throw(topic_of(hostile, "up/fragment/0123456789ab-00001/0"), bytes([number]) * 500_000, qos)
    assert station.alive
    assert station.receiver_memory_bytes - before < 100 << 20
    hostile.stop()


GARBAGE = ["up/offer", "up/journal", "up/fragment/0123456789ab-00001/0", "up/fragment/../../x/0", "up/blob/x",
           "up/report/x", "up/status", "up/health", "up/nothing", "up/" + "x/" * 90]  # fmt: skip


@pytest.mark.parametrize("ending", GARBAGE, ids=[one[:24] for one in GARBAGE])
def test_a_hostile_device_sends_garbage_to(station: Station, hostile: Caller, ending: str) -> None:
    """Verdict: quarantined with its reason or dropped; the receiver lives, nothing of it is evidence."""
    for noise in (b"", b"\xff" * 4096, b"[" * 4096, b'{"v": 1}', b"a.b.c"):
        hostile.publish(topic_of(hostile, ending), noise)
    assert station.alive
    assert not entries_of(station, hostile)
    hostile.stop()


def test_a_hostile_device_leaves_retained_noise_for_the_next_receiver(station: Station, hostile: Caller) -> None:
    """Verdict: it lies at the broker under the device's own topics; whoever reads it drops it."""
    for ending in ("up/status", "up/health", "up/offer", "up/journal"):
        assert hostile.publish(topic_of(hostile, ending), b"\x00noise", retain=True) == "Success"
    assert station.alive
    hostile.stop()


def test_a_hostile_device_sends_under_a_wrong_shard(station: Station, hostile: Caller) -> None:
    """Verdict: dropped, so that no second receiver takes part in its journal."""
    own = topic_of(hostile, "up/journal")
    _, _, shard, *_ = own.split("/")
    other = own.replace(f"/v1/{shard}/", f"/v1/{int(shard, 16) ^ 1:x}/")
    hostile.publish(other, hostile.recorder.tokens[0].encode())
    assert station.alive
    assert not entries_of(station, hostile)
    hostile.stop()


def test_a_hostile_device_replays_what_it_has_heard_of_another(station: Station, hostile: Caller) -> None:
    """Verdict: another's entry in its own journal is FOREIGN, kept aside, and blocks nobody."""
    other = station.recorder()
    hostile.publish(topic_of(hostile, "up/journal"), "\n".join(other.tokens).encode())
    assert station.alive
    device = hostile.recorder.device
    found = [one for one in dock_entries(station.folder, "rejected") if one.fields["recorder"] == device]
    assert ["FOREIGN" in one.fields["why"] for one in found] == [True]
    assert not dock_entries(station.folder, "blocked")
    hostile.stop()


def test_a_hostile_device_enrols_nobody_and_is_nobody_else(station: Station, hostile: Caller) -> None:
    """Verdict: what it says under its own name stands in its own journal, signed by its own key."""
    hostile.publish(*hostile.recorder.journal_message())
    assert station.alive
    assert entries_of(station, hostile) == hostile.recorder.tokens
    assert hostile.recorder.topic(Up.JOURNAL) == topic_of(hostile, "up/journal")
    hostile.stop()


def enrolled_caller(station: Station) -> tuple[FakeRecorder, tuple[Path, Path]]:
    """A recorder and the link certificate that its enrolment gave it, which the dock's journal knows."""
    recorder = station.recorder(link_key())
    files = station.root / f"{recorder.device}.pem", station.root / f"{recorder.device}.key"
    files[0].write_bytes(station.folder.link(recorder.device).read_bytes())
    files[1].write_bytes(private_pem(recorder.link))
    return recorder, files


def test_a_revoked_device_is_thrown_out_and_does_not_come_back(station: Station) -> None:
    """Verdict: no connection, from the moment of the revocation on; honest ones stay."""
    recorder, files = enrolled_caller(station)
    caller = Caller(station, recorder, files)
    assert caller.connects() == "Success"
    assert take_back(station.folder, recorder.device, "stolen")["broker"] is True
    assert caller.is_thrown_out()
    caller.stop()
    again = Caller(station, recorder, files)
    answer = again.connects()
    assert any(one in answer for one in ("CERTIFICATE_REVOKED", "Unspecified error")), answer
    again.stop()
    assert station.alive


def test_a_revoked_device_comes_in_with_another_certificate(station: Station, hostile: Caller) -> None:
    """Verdict: the broker lets it in, for the list does not know this one; the receiver takes nothing of it."""
    hostile.publish(*hostile.recorder.journal_message(0, 0))
    assert station.alive
    assert entries_of(station, hostile) == hostile.recorder.tokens[:1]
    hostile.recorder.add("docked", {})
    revoke(station.folder, PosixDisc(), SystemClock(), hostile.recorder.device, "stolen")
    assert hostile.publish(*hostile.recorder.journal_message()) == "Success"
    assert station.alive
    assert entries_of(station, hostile) == hostile.recorder.tokens[:1]
    hostile.stop()
