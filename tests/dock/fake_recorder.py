"""A recorder reduced to what the dock sees of it: keys, a journal, and segments of random bytes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import NameOID

from dock.enrolment import choose_settings, enrol, init
from dock.folder import DockFolder
from evidence.certificates import chain_from_pem
from evidence.io.durable import Disc, PosixDisc
from evidence.journal import EMPTY, Chain, Entry, read_entry
from evidence.model import ClockGrade, Officer, Timestamp, segment_id
from evidence.signing import KeySigner, PrivateKey, to_base64url
from evidence.wire import Offered, Topic, Up, part_head, write_batch

BOOT = "0123456789ab" + "0" * 20
OFFICER = Officer("110123", "张三", "交警一大队")


class StillClock:
    """One microsecond passes every time somebody looks."""

    def __init__(self, boot: str = BOOT, ticks_us: int = 0) -> None:
        self.boot = boot
        self.ticks_us = ticks_us
        self.started_us = 1_795_267_085_000_000

    def now(self) -> Timestamp:
        self.ticks_us += 1
        return Timestamp(self.started_us + self.ticks_us, 480, ClockGrade.NTP, 1000, self.boot, self.ticks_us)


def hash_of(data: bytes) -> str:
    return to_base64url(sha256(data).digest())


def opened(stored: bytes) -> bytes:
    """What these stored bytes are the sealed form of: random bytes, and no dock without its vault key can tell."""
    return stored[:-1]


def blob_name(stored: bytes) -> str:
    """A photo or a note is named by its plain bytes."""
    return hash_of(opened(stored))


def make_dock(root: Path, receivers: int = 1, disc: Disc | None = None) -> DockFolder:
    folder = DockFolder(root)
    settings = choose_settings([], "127.0.0.1", 8883)
    init(folder, disc or PosixDisc(), StillClock(), settings, "127.0.0.1", [], receivers, as_root=False)
    return folder


def request_for(name: str, key: PrivateKey | rsa.RSAPrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)


@dataclass
class FakeSegment:
    """A sealed segment: its parts with their entries, and its seal."""

    name: str
    parts: list[bytes]
    entries: list[Entry]
    seal: Entry

    @property
    def content(self) -> bytes:
        return b"".join(self.parts)

    @property
    def offered(self) -> Offered:
        return Offered(self.name, len(self.parts))


@dataclass
class FakeBlob:
    """A photo or a note with its entry."""

    data: bytes
    entry: Entry


@dataclass
class FakeRecorder:
    """Its journal, its segments, made with `record`, and its photos and notes, made with `keep_blob`."""

    device: str
    signing: PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)
    link: PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)
    tokens: list[str] = field(default_factory=list)
    segments: dict[str, FakeSegment] = field(default_factory=dict)
    blobs: dict[str, FakeBlob] = field(default_factory=dict)
    clock: StillClock = field(default_factory=StillClock)
    certificates: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        head = read_entry(self.tokens[-1]).head if self.tokens else EMPTY
        self.chain = Chain(self.device, KeySigner(self.signing), head)

    def copy(self, boot: str = BOOT) -> FakeRecorder:
        """Card and keys as they are now, in another recorder, or put back into this one later, in another boot."""
        return replace(
            self, tokens=[*self.tokens], segments={**self.segments}, blobs={**self.blobs},
            clock=StillClock(boot, self.clock.ticks_us),
        )  # fmt: skip

    @property
    def request(self) -> bytes:
        return request_for(self.device, self.signing) + request_for(self.device, self.link)

    def enrol(self, folder: DockFolder, officer: Officer | None = OFFICER) -> Mapping[str, bytes]:
        """Enrol and open the journal."""
        files = enrol(folder, PosixDisc(), self.clock, self.request, "request", officer).files
        self.certificates = chain_from_pem(files["signing.pem"], "signing.pem")
        self.add("journal_opened", {"software": "test"}, x5c=self.certificates)
        return files

    def add(self, kind: str, fields: Mapping[str, Any], x5c: Sequence[bytes] = ()) -> Entry:
        entry = self.chain.make(self.clock.now(), kind, fields, x5c)
        self.chain.advance(entry)
        self.tokens.append(entry.token)
        return entry

    def part_fields(self, segment: str, index: int, offset_bytes: int, data: bytes) -> dict[str, Any]:
        plain = opened(data)
        fields: dict[str, Any] = {
            "segment": segment, "index": index, "offset_bytes": offset_bytes, "bytes": len(plain),
            "sha256": hash_of(plain), "stored_bytes": len(data), "stored_sha256": hash_of(data),
        }  # fmt: skip
        if index == 0:
            return fields | {"recording": f"{BOOT[:12]}-r0001", "epoch_boot_us": 0, "boot": self.clock.boot}
        return fields | {"pts_us": index * 1_000_000, "duration_us": 1_000_000, "frames": 30, "samples": 48_000}

    def record(self, parts: int = 3, part_bytes: int = 1000) -> FakeSegment:
        """One more sealed segment of random bytes."""
        number = len(self.segments) + 1
        name = segment_id(self.clock.boot, number)
        contents = [random.Random(f"{self.device} {name} {index}").randbytes(part_bytes) for index in range(parts)]
        offsets = accumulate((len(data) for data in contents), initial=0)
        entries = [
            self.add("fragment" if index else "init", self.part_fields(name, index, offset, data))
            for index, (offset, data) in enumerate(zip(offsets, contents, strict=False))
        ]
        plain = [opened(data) for data in contents]
        whole = b"".join(plain)
        fields = {
            "segment": name, "recording": f"{BOOT[:12]}-r0001", "trigger": "button", "officer": None,
            "epoch": self.clock.now().to_fields(), "bytes": len(whole), "sha256": hash_of(whole),
            "stored_bytes": sum(map(len, contents)),
            "parts": [[len(a), hash_of(a), len(b), hash_of(b)] for a, b in zip(contents, plain, strict=True)],
            "frames": 30 * (parts - 1), "samples": 0, "duration_us": (parts - 1) * 1_000_000, "complete": True,
        }  # fmt: skip
        self.segments[name] = FakeSegment(name, contents, entries, self.add("segment", fields))
        return self.segments[name]

    def keep_blob(self, kind: str = "still", data: bytes | None = None) -> FakeBlob:
        """One more photo or note, of these sealed bytes."""
        data = data or b"%s %d of %s" % (kind.encode(), len(self.blobs), self.device.encode())
        own: dict[str, Any] = {"recording": None, "segment": None, "index": None, "captured_boot_us": 1}
        if kind == "voice_note":
            own = {"recording": None, "interruption": None, "from_boot_us": 1, "to_boot_us": 2, "speech_ms": 1}
        sizes = {"width": 64, "height": 48} if kind == "still" else {}
        blob, described = blob_name(data), {"bytes": len(opened(data)), "stored_bytes": len(data)}
        entry = self.add(
            kind, {"blob": blob, **described, "stored_sha256": hash_of(data), **own, **sizes}, x5c=self.certificates
        )
        self.blobs[blob] = FakeBlob(data, entry)
        return self.blobs[blob]

    def report(self, number: int = 1) -> Entry:
        """An interruption that cannot be ended, and its report."""
        names = {"interruption": f"{BOOT[:12]}-i{number:04}", "recording": f"{BOOT[:12]}-r0001"}
        fields = {**names, "cause": "device_fault", "began": self.clock.now().to_fields()}
        self.add("interruption", {**fields, "part": None})
        officer = {"officer": OFFICER.number, "name": OFFICER.name, "unit": OFFICER.unit}
        return self.add("reported", {**fields, **officer}, x5c=self.certificates)

    def blob_message(self, blob: str) -> tuple[str, bytes]:
        one = self.blobs[blob]
        return self.topic(Up.BLOB, blob), part_head(one.entry.token) + one.data

    def report_message(self, reported: Entry) -> tuple[str, bytes]:
        return self.topic(Up.REPORT, reported.fields["interruption"]), reported.token.encode()

    def topic(self, name: Up, *rest: str) -> str:
        return Topic(self.device, name, rest).text()

    def journal_message(self, first: int = 0, last: int | None = None) -> tuple[str, bytes]:
        return self.topic(Up.JOURNAL), write_batch(self.tokens[first : None if last is None else last + 1])

    def part_message(self, segment: str, index: int) -> tuple[str, bytes]:
        one = self.segments[segment]
        topic = self.topic(Up.FRAGMENT, segment, str(index))
        return topic, part_head(one.entries[index].token) + one.parts[index]
