"""The ends of one transfer as processes of their own, so that each can be weighed: see offload.py.

Each prints `ready`, begins at a line on standard input, prints the seconds that it took, and ends at the next line.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import ssl
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from device.identity import load_identity
from device.spool import SpoolPaths
from device.uplink import Uplink
from dock.folder import DockFolder
from evidence.io.durable import PosixDisc
from evidence.io.heap import keep_heap, share_one_heap
from evidence.io.journal_store import Access, JournalStore
from evidence.model import ClockGrade
from evidence.wire import Down, Topic, Up
from sim.clock import SimClock

LONGEST_S = 120


def begin() -> float:
    """Wait for the line that says so; the time then."""
    print("ready", flush=True)
    sys.stdin.readline()
    return time.perf_counter()


def end(began: float) -> None:
    """Say how long it took, and stay to be weighed."""
    print(time.perf_counter() - began, flush=True)
    sys.stdin.readline()


async def offload(spool: Path, identity: Path, window: int) -> None:
    """The recorder's uplink, from the connection to the last receipt in the spool."""
    share_one_heap()
    paths = SpoolPaths(spool)
    with closing(JournalStore(paths.journal, Access.READ)) as journal:
        sealed = journal.segments_with("segment")
    docked, done = asyncio.Event(), asyncio.Event()

    def look() -> None:
        if all(paths.receipt(segment).exists() for segment in sealed):
            done.set()

    clock = SimClock(uuid.uuid4().hex, 480, ClockGrade.NTP)
    uplink = Uplink(
        load_identity(identity), paths, PosixDisc(), clock, window, on_receipt=look, run_folder=spool / "run"
    )
    running = asyncio.create_task(uplink.run(docked, asyncio.Event(), asyncio.Event()))
    began = begin()
    docked.set()
    await asyncio.wait_for(done.wait(), LONGEST_S)
    end(began)
    running.cancel()


def publish(spool: Path, identity: Path, window: int) -> None:
    """Bare paho: every part's bytes, never more than the window ahead of the other end's own acknowledgements."""
    mine = load_identity(identity)
    device = mine.device
    topic = Topic(device, Up.FRAGMENT, ("bare", "0")).text()
    room, connected = threading.Semaphore(window), threading.Event()
    client = _client(device, identity / "ca.pem", identity / "link.pem", identity / "link.key")
    client.on_message = lambda *_: room.release()
    client.on_subscribe = lambda *_: connected.set()
    began = begin()
    client.connect(mine.host, mine.port)
    client.loop_start()
    client.subscribe(Topic(device, Down.WANT).text(), qos=1)
    connected.wait(LONGEST_S)
    for part in _parts(spool):
        take(room)
        client.publish(topic, part, qos=1)
    for _ in range(window):
        take(room)
    end(began)
    client.disconnect()


def take(room: threading.Semaphore) -> None:
    if not room.acquire(timeout=LONGEST_S):
        raise SystemExit("the other end is silent")


def subscribe(dock: Path, device: str) -> None:
    """Bare paho: takes every message and says so."""
    name, answer = "receiver-1", Topic(device, Down.WANT).text()
    folder, connected = DockFolder(dock), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5, transport="unix")
    client.username_pw_set(name, folder.password(name).read_text("ascii"))

    def say_so(*_: object) -> None:
        client.publish(answer, b"1", qos=1)

    client.on_message = say_so
    client.on_subscribe = lambda *_: connected.set()
    keep_heap()
    client.connect(str(folder.broker_socket))
    client.loop_start()
    client.subscribe(Topic(device, Up.FRAGMENT).text() + "/#", qos=1)
    connected.wait(LONGEST_S)
    begin()
    sys.stdin.readline()
    client.disconnect()


def _client(name: str, ca: Path, certificate: Path, key: Path) -> Client:
    """Tuned like ours: TLS 1.3, no Nagle, freed memory kept."""
    keep_heap()
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set_context(context)
    client.max_inflight_messages_set(64)
    client.on_socket_open = _no_delay
    return client


def _no_delay(_client: Client, _userdata: Any, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _parts(spool: Path) -> Iterator[bytes]:
    with closing(JournalStore(spool / "journal.db", Access.READ)) as journal:
        for seal in list(journal.of_kind("segment")):
            with SpoolPaths(spool).segment(seal.fields["segment"]).open("rb", buffering=0) as file:
                for size_bytes, *_ in seal.fields["parts"]:
                    yield file.read(size_bytes)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("offload", "publish", "subscribe"))
    parser.add_argument("--spool", type=Path)
    parser.add_argument("--identity", type=Path)
    parser.add_argument("--window", type=int)
    parser.add_argument("--dock", type=Path)
    parser.add_argument("--device")
    given = parser.parse_args()
    if given.role == "offload":
        asyncio.run(offload(given.spool, given.identity, given.window))
    elif given.role == "publish":
        publish(given.spool, given.identity, given.window)
    else:
        subscribe(given.dock, given.device)


if __name__ == "__main__":
    main()
