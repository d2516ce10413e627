"""A segment that is being written: how far it has come, and what its entries say of each of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from evidence.model import FragmentInfo, Timestamp
from evidence.sealing import Octets, Sealer
from evidence.signing import to_base64url


@dataclass(slots=True)
class SegmentState:
    """A segment that is being written: where its file ends, and what its seal will say.

    `epoch` is the instant of time stamp zero, as the clock stood when the segment began. `torn` while bytes may lie
    behind the file's end that no entry speaks of. `digest` is over the plain file; recovery, which holds no key and
    sees no plain byte, has none.
    """

    segment: str
    recording: str
    officer: str | None
    epoch: Timestamp
    sealer: Sealer | None = None
    stored_bytes: int = 0
    plain_bytes: int = 0
    frames: int = 0
    samples: int = 0
    duration_us: int = 0
    complete: bool = True
    torn: bool = False
    parts: list[list[Any]] = field(default_factory=list)
    digest: Any = None

    def take(self, fields: Mapping[str, Any]) -> None:
        """Count one part in, as its entry describes it."""
        self.stored_bytes += fields["stored_bytes"]
        self.plain_bytes += fields["bytes"]
        self.frames += fields.get("frames", 0)
        self.samples += fields.get("samples", 0)
        self.duration_us += fields.get("duration_us", 0)
        self.parts.append([fields[name] for name in ("stored_bytes", "stored_sha256", "bytes", "sha256")])


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A part as it goes to the card, and what its entry says of both its forms."""

    stored: bytes
    fields: Mapping[str, Any]

    @classmethod
    def make(cls, sealer: Sealer, plain: bytes, info: Mapping[str, int]) -> SealedPart:
        digest = to_base64url(sha256(plain).digest())
        stored = sealer.seal(plain, info, digest)
        return cls(stored, {"bytes": len(plain), "sha256": digest, **stored_fields(stored), **info})


def stored_fields(stored: Octets) -> dict[str, Any]:
    """The fields of an entry that describe the bytes as they lie on the card."""
    return {"stored_bytes": len(stored), "stored_sha256": to_base64url(sha256(stored).digest())}


def info_fields(info: FragmentInfo) -> dict[str, int]:
    """The fields of a fragment's entry that come from its own boxes."""
    return {
        "pts_us": info.pts_us,
        "duration_us": info.duration_us,
        "frames": info.frames,
        "samples": info.samples,
    }
