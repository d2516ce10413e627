"""A dock, a broker and recorders with full cards, each a process of its own that can be killed and started again."""

from __future__ import annotations

import sys
import uuid
from collections import Counter
from contextlib import ExitStack, closing
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from device.capture.encoder import SoftwareEncoder
from device.capture.muxer import FragmentMuxer, MediaFragment
from device.identity import load_identity, provision
from device.ports import Frame
from device.spool import Spool
from dock.clock import SystemClock
from dock.enrolment import enrol
from dock.folder import JOURNAL_OWNER, DockFolder
from evidence.certificates import Trust
from evidence.io.command import main
from evidence.io.durable import PosixDisc
from evidence.io.journal_store import Access, JournalStore
from evidence.io.mqtt import Incoming, Link, LinkConfig, LinkState, LocalBroker, TlsBroker
from evidence.io.token_file import read_lines
from evidence.io.verify_files import verify_path
from evidence.journal import Entry, read_entry
from evidence.model import ClockGrade, Officer, segment_id
from evidence.verify import Verdict
from sim.clock import SimClock
from sim.command import VIDEO
from sim.processes import Process, find_mosquitto, free_port, liuhen
from tests.sim.simulated import await_that

OFFICER = Officer("640221-0117", "张建国", "平罗县退役军人事务局")
CARD_BYTES = 4_000_000_000
SEGMENTS, FRAGMENTS_EACH = 12, 10
STILLS, NOTES = 20, 4
BLOB_BYTES = 100_000
CONFIG = """spool = "spool"
identity = "identity"
[camera]
width = 320
height = 180
frames_per_s = 5
bit_rate_bps = 300000
[storage]
wanted_free_minutes = 100000
"""


@cache
def footage() -> tuple[bytes, list[MediaFragment]]:
    """An init section and a few fragments of about half a megabyte: noise, which no encoder makes small."""
    width, height, frames_per_s = 640, 360, 30
    encoder, noise = SoftwareEncoder(width, height, frames_per_s, 4_000_000), np.random.default_rng(1)
    muxer = FragmentMuxer(encoder.format, sound=False, epoch_boot_us=0)
    sizes = (height, width), (height // 2, width // 2), (height // 2, width // 2)
    fragments: list[MediaFragment] = []
    for number in range(4 * frames_per_s):
        y, u, v = (noise.integers(0, 256, size, np.uint8) for size in sizes)
        for packet in encoder.encode(Frame(y, u, v, number * 1_000_000 // frames_per_s)):
            fragments += muxer.add_video(packet)
    for packet in encoder.finish():
        fragments += muxer.add_video(packet)
    return muxer.init, fragments + muxer.finish()


class Recorder:
    """One enrolled recorder with a full card. `whole` are the hashes of its segments and blobs as recorded."""

    def __init__(self, root: Path, dock: DockFolder, device: str) -> None:
        self.device = device
        self.spool = root / "spool"
        identity = root / "identity"
        request = provision(identity, device, PosixDisc())
        enrolment = enrol(dock, PosixDisc(), SystemClock(), request.read_bytes(), str(request), OFFICER)
        for name, content in enrolment.files.items():
            PosixDisc().replace(identity / name, content)
        (root / "recorder.toml").write_text(CONFIG)
        self.identity = load_identity(identity)
        self._fill_card()
        files = sorted((*(self.spool / "segments").iterdir(), *(self.spool / "blobs").iterdir()))
        self.whole = {path.name: sha256(path.read_bytes()).hexdigest() for path in files}
        self.total_bytes = sum(path.stat().st_size for path in files)
        given = "--config", str(root / "recorder.toml"), "--video", str(VIDEO), "--card-bytes", str(CARD_BYTES)
        command = [sys.executable, "-m", "sim.recorder_process", *given]
        self.process = Process(device, command, root / "recorder.log")

    def start(self, docked: bool = True) -> None:
        """Switched on, in the dock or elsewhere."""
        self.process.start(lambda _line: None)
        if docked:
            self.process.tell(do="dock")

    def entries(self, kind: str) -> list[Entry]:
        """What its journal says."""
        with closing(JournalStore(self.spool / "journal.db", Access.READ)) as journal:
            return list(journal.of_kind(kind))

    def report(self) -> Entry:
        """While it is off: an interruption that could not be ended was reported, and nobody has heard of it."""
        clock = SimClock(uuid.uuid4().hex, 480, ClockGrade.NTP)
        spool = self._open_spool(clock)
        recording = next(spool.journal.of_kind("recording_started")).fields["recording"]
        broken = {"interruption": f"{clock.now().boot[:12]}-i0001", "recording": recording, "cause": "device_fault"}
        fields = {**broken, "began": clock.now().to_fields()}
        spool.note("interruption", **fields, part=None)
        reported = spool.note("reported", **fields, officer=OFFICER.number, name=OFFICER.name, unit=OFFICER.unit)
        spool.close()
        return reported

    def count(self, kind: str) -> int:
        """Segments with such an entry."""
        with closing(JournalStore(self.spool / "journal.db", Access.READ)) as journal:
            return len(journal.segments_with(kind))

    def _open_spool(self, clock: SimClock) -> Spool:
        own = self.identity
        return Spool(self.spool, self.device, PosixDisc(), clock, own.signer, own.certificates, own.vault_key)

    def _fill_card(self) -> None:
        boot = uuid.uuid4().hex
        clock = SimClock(boot, 480, ClockGrade.NTP)
        spool = self._open_spool(clock)
        recording = f"{boot[:12]}-r0001"
        init, fragments = footage()
        spool.note("journal_opened", software="test")
        spool.note("power_on", software="test", previous_end="none")
        spool.note("recording_started", recording=recording, trigger="button", officer=OFFICER.number)
        for number in range(1, SEGMENTS + 1):
            state = spool.open_segment(segment_id(boot, number), recording, OFFICER, init, clock.now())
            for index in range(FRAGMENTS_EACH):
                # Neighbouring segments are not the same bytes.
                spool.append(state, fragments[(number + index * (1 + number // 4)) % len(fragments)])
            spool.seal(state, "length")
        for number in range(STILLS + NOTES):
            self._keep_blob(spool, clock, "still" if number < STILLS else "voice_note")
        ended_us = clock.now().boot_us
        spool.note("recording_stopped", recording=recording, trigger="button", ended_boot_us=ended_us)
        spool.note("power_off", trigger="shutdown")
        spool.close()

    def _keep_blob(self, spool: Spool, clock: SimClock, kind: str) -> None:
        fields: dict[str, object] = {"recording": None, "interruption": None, "speech_ms": 900}
        fields |= {"from_boot_us": 1, "to_boot_us": 2}
        if kind == "still":
            fields = {"recording": None, "segment": None, "index": None, "captured_boot_us": 1}
            fields |= {"width": 1280, "height": 720}

        def make(seq: int) -> bytes:
            return np.random.default_rng(seq).bytes(BLOB_BYTES)

        spool.keep_blob(kind, make, clock.now(), **fields)


class Station:
    """As a context manager: broker and receivers run, and an observer counts what recorders send."""

    def __init__(self, root: Path, devices: list[str], receivers: int = 1) -> None:
        self.folder = DockFolder(root / "dock")
        self.port = free_port()
        # The last key is the observer's.
        keys = "--receivers", str(receivers + 1)
        assert main(["dock", "init", str(self.folder.root), "--port", str(self.port), *keys]) == 0
        for device in devices:
            (root / device).mkdir()
        self.recorders = [Recorder(root / device, self.folder, device) for device in devices]
        self.broker = Process(
            "broker", [find_mosquitto(), "-c", "mosquitto.conf"], root / "broker.log", self.folder.broker
        )
        run = liuhen("dock", "run", str(self.folder.root), "--of", str(receivers), "--receiver")
        self.docks = [Process("dock", [*run, str(one)], root / f"dock{one}.log") for one in range(1, receivers + 1)]
        self.sent: Counter[str] = Counter()
        self._connected = False
        name = f"receiver-{receivers + 1}"
        broker = LocalBroker(self.folder.broker_socket, self.folder.password(name).read_text("ascii"))
        link = LinkConfig(broker, name, receive_maximum=64)
        self.observer = Link(link, self._count, self._note, lambda *_: None)
        self.observer.subscribe([f"liuhen/v1/+/+/up/{kind}/#" for kind in ("fragment", "blob")])
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            for process in (self.broker, *self.docks, *(one.process for one in self.recorders)):
                opening.callback(process.kill)
            self.broker.start()
            for dock in self.docks:
                dock.start()
            self.observer.start()
            opening.callback(self.observer.stop)
            await_that(lambda: self._connected, "the observer is connected")
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def link_config(self, name: str, certificate: Path, key: Path) -> LinkConfig:
        """To this broker, with one of the certificates that it knows."""
        root = self.folder.ca_certificate
        return LinkConfig(TlsBroker("127.0.0.1", self.port, root, certificate, key), name, receive_maximum=64)

    def received_bytes(self) -> int:
        """What the dock has, complete or coming in."""
        incoming = (self.folder.private / "incoming").glob("*/*.part")
        vault = self.folder.vault
        return sum(size_bytes(path) for path in (*incoming, *vault.glob("*/*.lhs"), *vault.glob("*/blobs/*.lhb")))

    def entries(self, kind: str) -> list[Entry]:
        """The dock's own journal."""
        entries = (read_entry(token) for token in read_lines(self.folder.journal(JOURNAL_OWNER)))
        return [entry for entry in entries if entry.kind == kind]

    def await_released(self) -> None:
        """Everything has its receipt and is freed."""
        await_that(lambda: all(one.count("released") == SEGMENTS for one in self.recorders), "the cards are empty")
        gone = STILLS + NOTES
        await_that(lambda: all(len(one.entries("blob_released")) == gone for one in self.recorders), "of blobs too")

    def stop(self) -> None:
        """Everything ends politely."""
        for one in self.recorders:
            one.process.stop()
        for dock in self.docks:
            dock.stop()
        self.broker.stop()

    def assert_whole(self) -> None:
        """Every segment byte by byte, one receipt each, nothing beside, all authentic."""
        for one in self.recorders:
            folder = self.folder.vault / one.device
            files = sorted((*folder.glob("*.lhs"), *folder.glob("blobs/*.lhb")))
            assert {path.name: sha256(path.read_bytes()).hexdigest() for path in files} == one.whole
        stored = Counter((e.fields["recorder"], e.fields["segment"]) for e in self.entries("stored"))
        stored += Counter((e.fields["recorder"], e.fields["blob"]) for e in self.entries("blob_stored"))
        assert stored == Counter((one.device, Path(name).stem) for one in self.recorders for name in one.whole)
        assert self.entries("rejected") == []
        assert [path for path in (self.folder.private / "incoming").rglob("*") if path.is_file()] == []
        trust = Trust(self.folder.ca_certificate.read_bytes(), "ca.pem")
        for path in (self.folder.vault, *(one.spool for one in self.recorders)):
            report = verify_path(path, trust)
            assert report.verdict is Verdict.AUTHENTIC, report.defects

    def _count(self, incoming: Incoming) -> None:
        self.sent[incoming.topic] += 1
        incoming.ack()

    def _note(self, state: LinkState) -> None:
        self._connected = state.connected


def size_bytes(path: Path) -> int:
    """0 for a file that has just been moved."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def peak_bytes(pid: int) -> int:
    """The most memory that a running process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
