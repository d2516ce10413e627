"""A unit with fixed keys: its root, a recorder, a dock. Ed25519 throughout, so every byte can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from evidence.certificates import Role, Trust
from evidence.journal import Chain, Entry, sign_token, token_hash
from evidence.model import ClockGrade, Timestamp, segment_id
from evidence.receipts import DOCK
from evidence.signing import KeySigner, PublicKey, to_base64url

RECORDER = "BWC-0001"
OTHER = "BWC-0002"
PERSON, SECOND_PERSON = "110123", "110124"
BOOT = "3f2a9c1b7d04" + "5e6f" * 5
UTC_US = 1_795_267_085_123_456
BOOT_US = 42_000_000
RECORDING = f"{BOOT[:12]}-r0001"
INTERRUPTION = f"{BOOT[:12]}-i0001"
PAUSE = f"{BOOT[:12]}-p0001"
SEGMENT = segment_id(BOOT, 1)
BEGINS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2056, 1, 1, tzinfo=UTC)


def private(name: str) -> ed25519.Ed25519PrivateKey:
    """The key called `name`: whoever reads this has it, so it proves nothing outside tests."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(sha256(f"liuhen golden {name}".encode()).digest())


def signer(name: str) -> KeySigner:
    return KeySigner(private(name))


def subject(name: str, role: str | None) -> x509.Name:
    fields = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role)] if role else []
    return x509.Name([*fields, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(name: str, role: str | None, public: PublicKey, root: str = "root") -> x509.Certificate:
    """Issued by the root of that name; the root itself when the name is the root's."""
    builder = x509.CertificateBuilder().subject_name(subject(name, role)).issuer_name(subject(root, None))
    serial = int.from_bytes(sha256(f"{name} {role} {root}".encode()).digest()[:8], "big") >> 1
    builder = builder.public_key(public).serial_number(serial).not_valid_before(BEGINS).not_valid_after(ENDS)
    authority = x509.BasicConstraints(ca=name == root, path_length=None)
    return builder.add_extension(authority, critical=True).sign(private(root), None)


def pem(one: x509.Certificate) -> bytes:
    return one.public_bytes(serialization.Encoding.PEM)


def der(one: x509.Certificate) -> bytes:
    return one.public_bytes(serialization.Encoding.DER)


def certificate_of(name: str, role: Role = Role.RECORDER, root: str = "root") -> bytes:
    """The DER certificate of the key called `name`."""
    return der(certificate(name, role.value, private(name).public_key(), root))


CA_PEM = pem(certificate("root", None, private("root").public_key()))
FOREIGN_CA_PEM = pem(certificate("foreign root", None, private("foreign root").public_key(), "foreign root"))
TRUST = Trust(CA_PEM)


def stamp(after_us: int = 0, **changes: Any) -> Timestamp:
    fields: dict[str, Any] = {
        "utc_us": UTC_US + after_us, "offset_min": 480, "grade": ClockGrade.NTP, "error_us": 1500,
        "boot": BOOT, "boot_us": BOOT_US + after_us,
    }  # fmt: skip
    return Timestamp(**fields | changes)


def hash_of(data: bytes) -> str:
    return to_base64url(sha256(data).digest())


def opened(stored: bytes) -> bytes:
    """What these stored bytes are the sealed form of, in journals of a few bytes: nobody without a key can tell."""
    return stored[:-1]


def part_fields(index: int, offset_bytes: int, stored: bytes, segment: str = SEGMENT) -> dict[str, Any]:
    """What the entry of a part says."""
    plain = opened(stored)
    fields: dict[str, Any] = {
        "segment": segment, "index": index, "offset_bytes": offset_bytes, "bytes": len(plain),
        "sha256": hash_of(plain), "stored_bytes": len(stored), "stored_sha256": hash_of(stored),
    }  # fmt: skip
    if index == 0:
        return fields | {"recording": RECORDING, "epoch_boot_us": BOOT_US, "boot": BOOT}
    return fields | {"pts_us": (index - 1) * 1_000_000, "duration_us": 1_000_000, "frames": 30, "samples": 48_000}


def seal_fields(parts: Sequence[bytes], segment: str = SEGMENT, **changes: Any) -> dict[str, Any]:
    """What the seal over these stored parts says."""
    plain = [opened(part) for part in parts]
    whole = b"".join(plain)
    fields: dict[str, Any] = {
        "segment": segment, "recording": RECORDING, "trigger": "button", "officer": "110123",
        "epoch": stamp().to_fields(), "bytes": len(whole), "sha256": hash_of(whole),
        "stored_bytes": sum(map(len, parts)),
        "parts": [[len(a), hash_of(a), len(b), hash_of(b)] for a, b in zip(parts, plain, strict=True)],
        "frames": 30 * (len(parts) - 1), "samples": 48_000 * (len(parts) - 1),
        "duration_us": 1_000_000 * (len(parts) - 1), "complete": True,
    }  # fmt: skip
    return fields | changes


PARTS = (b"init section", b"fragment one", b"fragment two is longer", b"three")
_OFFICER = {"officer": "110123", "name": "张三", "unit": "交警一大队", "regime": "pingluo"}
_BLOB = {
    "blob": hash_of(b"blob"), "bytes": 4, "stored_bytes": 11, "stored_sha256": hash_of(b"sealed blob"),
}  # fmt: skip
_RECEIVED = {"dock": DOCK, "dock_seq": 1, "dock_hash": hash_of(b"receipt")}


def statement(person: str, act: str, about: Mapping[str, Any]) -> str:
    """What a person signs, under `tests/evidence/vectors` a file of its own."""
    payload = {"v": 1, "person": person, "act": act, "about": about, "at": stamp().to_fields()}
    return sign_token(signer(person), "liuhen-statement", payload, [certificate_of(person, Role.PERSON)])


ASKING = statement(PERSON, "ask", {"recorder": RECORDER, "items": [SEGMENT], "why": "行政复议案件 2026-118"})
REQUEST = token_hash(ASKING)
APPROVAL = statement(SECOND_PERSON, "approve", {"request": REQUEST})

SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "journal_opened": {"software": "liuhen 0.1.0"},
    "power_on": {"software": "liuhen 0.1.0", "previous_end": "power_loss"},
    "clock": {"step_us": -86_400_000_000},
    "sign_on": _OFFICER,
    "recording_started": {"recording": RECORDING, "trigger": "button", "officer": "110123"},
    "recording_stopped": {"recording": RECORDING, "trigger": "button", "ended_boot_us": BOOT_US + 3_000_000},
    "init": part_fields(0, 0, PARTS[0]),
    "fragment": part_fields(1, len(PARTS[0]), PARTS[1]),
    "recovered": part_fields(1, len(PARTS[0]), PARTS[1]),
    "torn": {"segment": SEGMENT, "offset_bytes": 24, "bytes": 7, "sha256": hash_of(b"torn...")},
    "damaged": {"segment": SEGMENT, "what": "part 1 is not what was journalled"},
    "dropped": {"frames": 30, "from_boot_us": BOOT_US, "to_boot_us": BOOT_US + 1_000_000},
    "skipped": {"frames": 2, "from_boot_us": BOOT_US, "to_boot_us": BOOT_US + 66_667},
    "sound_lost": {"from_boot_us": BOOT_US, "to_boot_us": BOOT_US + 1_000_000},
    "segment": seal_fields(PARTS),
    "interruption": {
        "interruption": INTERRUPTION, "recording": RECORDING, "cause": "power_loss", "part": None,
        "began": stamp().to_fields(),
    },
    "resumed": {"interruption": INTERRUPTION, "recording": RECORDING},
    "reason_asked": {"interruption": INTERRUPTION},
    "reason": {"interruption": INTERRUPTION, "reason": "battery", "note": None},
    "reported": {
        "interruption": INTERRUPTION, "recording": RECORDING, "cause": "power_loss", "began": stamp().to_fields(),
        "officer": "110123", "name": "张三", "unit": "交警一大队",
    },
    "report_received": {"interruption": INTERRUPTION, **_RECEIVED},
    "written": {"interruption": INTERRUPTION, **_RECEIVED},
    "bookmark": {"recording": RECORDING},
    "voice_note": {
        **_BLOB, "recording": RECORDING, "interruption": INTERRUPTION,
        "from_boot_us": BOOT_US, "to_boot_us": BOOT_US + 4_000_000, "speech_ms": 2_600,
    },
    "still": {
        **_BLOB, "recording": RECORDING, "segment": SEGMENT, "index": 1,
        "captured_boot_us": BOOT_US + 500_000, "width": 1280, "height": 720,
    },
    "blob_receipt": {"blob": hash_of(b"blob"), **_RECEIVED},
    "blob_released": {"blob": hash_of(b"blob"), "stored_bytes": 11},
    "blob_torn": {"blob": hash_of(b"blob"), "bytes": 2, "sha256": hash_of(b"bl")},
    "blob_damaged": {"blob": hash_of(b"blob"), "what": "is not what was journalled"},
    "statement_asked": {"recording": RECORDING, "until_boot_us": BOOT_US + 30_000_000},
    "statement_heard": {"recording": RECORDING, "from_boot_us": BOOT_US + 2_000_000, "speech_ms": 9_400},
    "statement_reminded": {"recording": RECORDING, "reminder": 1},
    "statement_missing": {"recording": RECORDING, "from_boot_us": BOOT_US, "to_boot_us": BOOT_US + 90_000_000},
    "paused": {"pause": PAUSE, "recording": RECORDING, "limit_s": 1800},
    "pause_reason": {"pause": PAUSE, "reason": "dangerous_chemicals", "authority": "xuchang 19"},
    "pause_reminded": {"pause": PAUSE, "left_s": 300},
    "pause_ended": {"pause": PAUSE, "trigger": "button"},
    "battery": {"level_pct": 14, "minutes_left": 25, "band": "low"},
    "storage": {"free_bytes": 700_000_000, "minutes_left": 29, "band": "low"},
    "heat": {"celsius": 81, "throttled": True, "band": "hot"},
    "pre_use_check": {"fit": True, "findings": [["battery", "ok", "93 %, 610 min"], ["storage", "ok", "1300 min"]]},
    "tamper": {"what": "case_opened"},
    "fault": {"part": "microphone", "what": "gives no sound"},
    "fault_cleared": {"part": "microphone"},
    "docked": {},
    "undocked": {},
    "receipt": {"segment": SEGMENT, "dock": DOCK, "dock_seq": 1, "dock_hash": hash_of(b"receipt")},
    "released": {"segment": SEGMENT, "stored_bytes": 51},
    "power_off": {"trigger": "shutdown"},
    "vault_key": {"kid": hash_of(b"vault key")},
    "dock_key": {"kid": signer(DOCK).kid, "why": "the disc of the dock was destroyed"},
    "enrolled": {
        "recorder": RECORDER, "kid": signer(RECORDER).kid, "link_serial": "57d2a8ae41", "replaces": None,
    },
    "assignment": {"recorder": RECORDER, **_OFFICER},
    "stored": {
        "recorder": RECORDER, "segment": SEGMENT, "sha256": seal_fields(PARTS)["sha256"], "stored_bytes": 51,
        "seal_seq": 9, "seal_hash": hash_of(b"seal"),
    },
    "rejected": {
        "recorder": RECORDER, "what": f"fragment/{SEGMENT}/2", "why": "has bytes that do not fit the hash in its entry",
        "quarantine": f"quarantine/{RECORDER}/fragment_{SEGMENT}_2-0123456789abcdef",
    },
    "blob_stored": {
        "recorder": RECORDER, "blob": hash_of(b"blob"), "stored_bytes": 11,
        "entry_seq": 9, "entry_hash": hash_of(b"entry"),
    },
    "report_taken": {
        "recorder": RECORDER, "interruption": INTERRUPTION, "entry_seq": 9, "entry_hash": hash_of(b"entry"),
    },
    "explanation": {
        "recorder": RECORDER, "interruption": INTERRUPTION, "author": "110123", "text": "电池老化，已更换。",
    },
    "person_enrolled": {"person": PERSON, "kid": signer(PERSON).kid, "name": "张三", "roles": ["ask"]},
    "person_revoked": {"person": PERSON, "kid": signer(PERSON).kid, "why": "调离"},
    "view_asked": {"request": REQUEST, "statement": ASKING},
    "view_approved": {"request": REQUEST, "statement": APPROVAL},
    "opened": {"request": REQUEST, "recorder": RECORDER, "item": SEGMENT, "sha256": hash_of(b"".join(PARTS))},
    "vault_key_split": {"kid": hash_of(b"vault"), "shares": 3, "needed": 2},
    "revoked": {
        "recorder": RECORDER, "kid": signer("BWC-0001 lost key").kid, "why": "lost on duty",
        "last_seq": 41, "last_hash": hash_of(b"entry"),
    },
    "blocked": {
        "recorder": RECORDER, "why": "fork", "entry_seq": 17,
        "entry_hash": hash_of(b"entry"), "other_hash": hash_of(b"other entry"),
    },
    "cleared": {
        "recorder": RECORDER, "blocked_seq": 12,
        "statements": ["eyJhbGciOiJFUzI1NiJ9.e30.c3RhdGVtZW50", "eyJhbGciOiJFUzI1NiJ9.e30.YW5vdGhlcg"],
    },
    "clock_set_back": {
        "recorder": RECORDER, "entry_seq": 17, "entry_hash": hash_of(b"entry"), "back_us": 3_600_000_000,
    },
    "classified": {
        "recorder": RECORDER, "recording": RECORDING, "unit": "交警一大队", "officer": "110123",
        "used_from": "2026-11-21T13:18:08.123456Z", "used_to": "2026-11-21T13:42:00.000000Z",
        "party": "李四", "cause": "占用消防通道", "author": "110123",
    },
    "reviewed": {
        "recorder": RECORDER, "recording": RECORDING, "said": ["time", "place", "being_recorded"],
        "remark": "画面清晰", "author": "110200",
    },
    "away": {
        "recorder": RECORDER, "left": "2026-11-21T00:00:00.000000Z", "returned": "2026-11-24T10:00:00.000000Z",
        "reason": "异地执法", "author": "110200",
    },
    "archived": {"month": "2026-11", "medium": "光盘 2026-11-A", "author": "110200"},
    "item_list": {"matters": [["行政处罚", "现场检查", "调查取证", "音像记录"]], "author": "110200"},
    "case": {
        "case": "罚〔2026〕12号", "party": "李四", "cause": "占用消防通道", "recordings": [RECORDING],
        "ended": "2026-12-01T09:00:00.000000Z", "author": "110200",
    },
    "case_filed": {"case": "罚〔2026〕12号", "years": 10, "author": "110200"},
    "exhibit": {
        "case": "罚〔2026〕12号", "recording": RECORDING, "medium": "光盘 2026-12-A", "location": None,
        "notes": ["method", "time", "maker", "proves", "content"], "author": "110200",
    },
    "act": {
        "act": "罚〔2026〕12号 现场检查", "situations": ["site_check"], "recordings": [RECORDING], "excuse": None,
        "author": "110200",
    },
    "long_term": {"recording": RECORDING, "trigger": "objection", "medium": None, "author": "110200"},
}  # fmt: skip
"""One valid example of every kind."""


class Writer:
    """Writes a journal, one entry a second; the first and the named entries carry the certificate."""

    def __init__(self, owner: str = RECORDER, key: str | None = None, certificate: bytes | None = None) -> None:
        role = Role.DOCK if owner == DOCK else Role.RECORDER
        self.signer = signer(key or owner)
        self.certificate = certificate or certificate_of(owner, role)
        self.chain = Chain(owner, self.signer)
        self.entries: list[Entry] = []

    @property
    def tokens(self) -> list[str]:
        return [entry.token for entry in self.entries]

    @property
    def text(self) -> bytes:
        """The journal as the dock keeps it."""
        return "".join(f"{token}\n" for token in self.tokens).encode("ascii")

    def add(self, kind: str, fields: Mapping[str, Any] | None = None, *, certified: bool = False) -> Entry:
        x5c = [self.certificate] if certified or not self.entries else []
        at = stamp(1_000_000 * len(self.entries))
        entry = self.chain.make(at, kind, SAMPLES[kind] if fields is None else fields, x5c)
        self.chain.advance(entry)
        self.entries.append(entry)
        return entry

    def add_segment(self, parts: Sequence[bytes] = PARTS, segment: str = SEGMENT, *, seal: bool = True) -> None:
        """The entries of a segment: every part, and the seal."""
        offset = 0
        for index, part in enumerate(parts):
            self.add("fragment" if index else "init", part_fields(index, offset, part, segment))
            offset += len(part)
        if seal:
            self.add("segment", seal_fields(parts, segment), certified=True)


def short_journal() -> Writer:
    """Power on, one recording of one segment, power off."""
    writer = Writer()
    for kind in ("journal_opened", "power_on", "sign_on", "recording_started"):
        writer.add(kind)
    writer.add_segment()
    for kind in ("recording_stopped", "power_off"):
        writer.add(kind)
    return writer
