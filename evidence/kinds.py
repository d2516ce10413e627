"""The kinds of entries and their fields: one table, from which reader, writer and docs/FORMAT.md agree.

An unknown kind is kept and shown, so a later version may add kinds. A known kind must have all of its fields, each
possible; more fields are allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from evidence.errors import BadInputError
from evidence.model import BOOT_ID, COUNT_END, DEVICE_ID, SEGMENT_ID, Timestamp, is_whole, utc_from_text

SERIAL = re.compile(r"[0-9a-f]{1,40}")
HASH = re.compile(r"[A-Za-z0-9_-]{43}")
TOKEN = re.compile(r"([A-Za-z0-9_-]+\.){2}[A-Za-z0-9_-]+")
STATEMENT_LIMIT = 48 * 1024
"""No statement of a person is longer, in characters."""
RECORDING_ID = re.compile(r"[0-9a-f]{12}-r[0-9]{4}")
INTERRUPTION_ID = re.compile(r"[0-9a-f]{12}-i[0-9]{4}")
PAUSE_ID = re.compile(r"[0-9a-f]{12}-p[0-9]{4}")
MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
MATTERS_LIMIT = 500

FRAGMENT_KINDS = ("fragment", "recovered")
"""Entries of a fragment: written as it was captured, or found whole after a power cut."""
PART_KINDS = ("init", *FRAGMENT_KINDS)
"""Entries of a part of a segment's file."""
BLOB_SUFFIXES: Mapping[str, str] = {"voice_note": ".m4a", "still": ".jpg"}
"""What the opened files of blobs end with, by the kind of their entry."""
SEGMENT_SUFFIX = ".mp4"
"""What an opened segment ends with."""
SEALED_SEGMENT, SEALED_BLOB = ".lhs", ".lhb"
"""What sealed files end with, on the card and at the dock."""
BLOB_KINDS = tuple(BLOB_SUFFIXES)
"""Entries of a small file beside the segments: one photo or one spoken note."""
ALONE_KINDS = ("segment", *BLOB_KINDS, "reported")
"""Entries that a recorder hands on by themselves, so they carry its certificate."""

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 1024


def _number(value: Any) -> bool:
    return is_whole(value, -COUNT_END, COUNT_END)


def _count(value: Any) -> bool:
    return is_whole(value, 0, COUNT_END)


def _seq(value: Any) -> bool:
    return is_whole(value, -1, COUNT_END)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _matching(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _time(value: Any) -> bool:
    try:
        Timestamp.from_fields(value)
    except BadInputError:
        return False
    return True


def _utc(value: Any) -> bool:
    try:
        utc_from_text(value)
    except (TypeError, ValueError):
        return False
    return True


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(_text(one) for one in value)


def _matters(value: Any) -> bool:
    """What is to be recorded: a name that is there, and three columns of which any may be empty."""
    return (
        isinstance(value, list)
        and 0 < len(value) <= MATTERS_LIMIT
        and all(
            isinstance(row, list) and len(row) == 4 and _text(row[0]) and all(_or_empty(one) for one in row[1:])
            for row in value
        )
    )


def _or_empty(value: Any) -> bool:
    return value == "" or _text(value)


def _parts(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(part, list) and len(part) == 4 and all(map(_count, part[::2])) and all(map(_hash, part[1::2]))
        for part in value
    )


def _statement(value: Any) -> bool:
    return _token(value) and len(value) <= STATEMENT_LIMIT


def _words(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(_text, value))


def _tokens(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(_token(one) for one in value)


_hash = _matching(HASH)
_token = _matching(TOKEN)
_serial = _matching(SERIAL)
_segment = _matching(SEGMENT_ID)
_boot = _matching(BOOT_ID)
_owner = _matching(DEVICE_ID)
_recording = _matching(RECORDING_ID)
_interruption = _matching(INTERRUPTION_ID)


def _recordings(value: Any) -> bool:
    return isinstance(value, list) and all(_recording(one) for one in value)


_pause = _matching(PAUSE_ID)


def _item(value: Any) -> bool:
    return _segment(value) or _hash(value)


def _findings(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list) and len(one) == 3 and all(_text(word) for word in one) for one in value
    )


# A part is the init section (index 0) or a fragment: where it lies in the segment's file, and both its hashes.
_PART = {
    "segment": _segment, "index": _count, "offset_bytes": _count,
    "bytes": _count, "sha256": _hash, "stored_bytes": _count, "stored_sha256": _hash,
}  # fmt: skip
_FRAGMENT = {**_PART, "pts_us": _number, "duration_us": _count, "frames": _count, "samples": _count}
_OFFICER = {"officer": _text, "name": _text, "unit": _text, "regime": _or_none(_text)}
# A photo or a spoken note is named by the hash of its plain bytes.
_BLOB = {"blob": _hash, "bytes": _count, "stored_bytes": _count, "stored_sha256": _hash}
_RECEIVED = {"dock": _owner, "dock_seq": _count, "dock_hash": _hash}

KINDS: Mapping[str, Mapping[str, Check]] = {
    # the recorder's journal
    "journal_opened": {"software": _text},
    "power_on": {"software": _text, "previous_end": _text},
    "clock": {"step_us": _number},
    "sign_on": _OFFICER,
    "recording_started": {"recording": _recording, "trigger": _text, "officer": _or_none(_text)},
    "recording_stopped": {"recording": _recording, "trigger": _text, "ended_boot_us": _count},
    "init": {**_PART, "recording": _recording, "epoch_boot_us": _count, "boot": _boot},
    "fragment": _FRAGMENT,
    "recovered": _FRAGMENT,
    "torn": {"segment": _segment, "offset_bytes": _count, "bytes": _count, "sha256": _hash},
    "damaged": {"segment": _segment, "what": _text},
    "dropped": {"frames": _count, "from_boot_us": _count, "to_boot_us": _count},
    "skipped": {"frames": _count, "from_boot_us": _count, "to_boot_us": _count},
    "sound_lost": {"from_boot_us": _count, "to_boot_us": _count},
    "segment": {
        "segment": _segment, "recording": _recording, "trigger": _text, "officer": _or_none(_text),
        "epoch": _time, "bytes": _count, "sha256": _or_none(_hash), "stored_bytes": _count, "parts": _parts,
        "frames": _count, "samples": _count, "duration_us": _count, "complete": _flag,
    },
    "interruption": {
        "interruption": _interruption, "recording": _recording, "cause": _text, "part": _or_none(_text), "began": _time,
    },
    "resumed": {"interruption": _interruption, "recording": _recording},
    "reason_asked": {"interruption": _interruption},
    "reason": {"interruption": _interruption, "reason": _text, "note": _or_none(_hash)},
    "reported": {
        "interruption": _interruption, "recording": _recording, "cause": _text, "began": _time,
        "officer": _or_none(_text), "name": _or_none(_text), "unit": _or_none(_text),
    },
    "report_received": {"interruption": _interruption, **_RECEIVED},
    "written": {"interruption": _interruption, **_RECEIVED},
    "bookmark": {"recording": _or_none(_recording)},
    "voice_note": {
        **_BLOB, "recording": _or_none(_recording), "interruption": _or_none(_interruption),
        "from_boot_us": _count, "to_boot_us": _count, "speech_ms": _count,
    },
    "still": {
        **_BLOB, "recording": _or_none(_recording), "segment": _or_none(_segment), "index": _or_none(_count),
        "captured_boot_us": _count, "width": _count, "height": _count,
    },
    "blob_receipt": {"blob": _hash, **_RECEIVED},
    "blob_released": {"blob": _hash, "stored_bytes": _count},
    "blob_torn": {"blob": _hash, "bytes": _count, "sha256": _hash},
    "blob_damaged": {"blob": _hash, "what": _text},
    "statement_asked": {"recording": _recording, "until_boot_us": _count},
    "statement_heard": {"recording": _recording, "from_boot_us": _count, "speech_ms": _count},
    "statement_reminded": {"recording": _recording, "reminder": _count},
    "statement_missing": {"recording": _recording, "from_boot_us": _count, "to_boot_us": _count},
    "paused": {"pause": _pause, "recording": _or_none(_recording), "limit_s": _count},
    "pause_reason": {"pause": _pause, "reason": _text, "authority": _text},
    "pause_reminded": {"pause": _pause, "left_s": _count},
    "pause_ended": {"pause": _pause, "trigger": _text},
    "battery": {"level_pct": _or_none(_count), "minutes_left": _or_none(_count), "band": _text},
    "storage": {"free_bytes": _count, "minutes_left": _count, "band": _text},
    "heat": {"celsius": _or_none(_number), "throttled": _flag, "band": _text},
    "pre_use_check": {"fit": _flag, "findings": _findings},
    "tamper": {"what": _text},
    "fault": {"part": _text, "what": _text},
    "fault_cleared": {"part": _text},
    "docked": {},
    "undocked": {},
    "receipt": {"segment": _segment, "dock": _owner, "dock_seq": _count, "dock_hash": _hash},
    "released": {"segment": _segment, "stored_bytes": _count},
    "power_off": {"trigger": _text},
    # the dock's journal
    "vault_key": {"kid": _hash},
    "dock_key": {"kid": _hash, "why": _text},
    "enrolled": {"recorder": _owner, "kid": _hash, "link_serial": _serial, "replaces": _or_none(_owner)},
    "assignment": {"recorder": _owner, **_OFFICER},
    "stored": {
        "recorder": _owner, "segment": _segment, "sha256": _or_none(_hash), "stored_bytes": _count,
        "seal_seq": _count, "seal_hash": _hash,
    },
    "rejected": {"recorder": _owner, "what": _text, "why": _text, "quarantine": _text},
    "blob_stored": {
        "recorder": _owner, "blob": _hash, "stored_bytes": _count, "entry_seq": _count, "entry_hash": _hash,
    },
    "report_taken": {"recorder": _owner, "interruption": _interruption, "entry_seq": _count, "entry_hash": _hash},
    "explanation": {"recorder": _owner, "interruption": _interruption, "author": _text, "text": _text},
    "person_enrolled": {"person": _owner, "kid": _hash, "name": _text, "roles": _words},
    "person_revoked": {"person": _owner, "kid": _hash, "why": _text},
    "view_asked": {"request": _hash, "statement": _statement},
    "view_approved": {"request": _hash, "statement": _statement},
    "opened": {"request": _hash, "recorder": _owner, "item": _item, "sha256": _hash},
    "vault_key_split": {"kid": _hash, "shares": _count, "needed": _count},
    "revoked": {"recorder": _owner, "kid": _hash, "why": _text, "last_seq": _seq, "last_hash": _or_none(_hash)},
    "blocked": {
        "recorder": _owner, "why": _text, "entry_seq": _count, "entry_hash": _or_none(_hash), "other_hash": _hash,
    },
    "cleared": {"recorder": _owner, "blocked_seq": _count, "statements": _tokens},
    "clock_set_back": {"recorder": _owner, "entry_seq": _count, "entry_hash": _hash, "back_us": _count},
    # what people tell the dock, because nothing else knows it
    "classified": {
        "recorder": _owner, "recording": _recording, "unit": _text, "officer": _text,
        "used_from": _utc, "used_to": _utc, "party": _text, "cause": _text, "author": _text,
    },
    "reviewed": {
        "recorder": _owner, "recording": _recording, "said": _texts, "remark": _or_none(_text), "author": _text,
    },
    "away": {"recorder": _owner, "left": _utc, "returned": _or_none(_utc), "reason": _text, "author": _text},
    "archived": {"month": _matching(MONTH), "medium": _text, "author": _text},
    "item_list": {"matters": _matters, "author": _text},
    "case": {
        "case": _text, "party": _text, "cause": _text, "recordings": _recordings, "ended": _or_none(_utc),
        "author": _text,
    },
    "case_filed": {"case": _text, "years": _or_none(_count), "author": _text},
    "exhibit": {
        "case": _text, "recording": _recording, "medium": _or_none(_text), "location": _or_none(_text),
        "notes": _texts, "author": _text,
    },
    "act": {
        "act": _text, "situations": _texts, "recordings": _recordings, "excuse": _or_none(_text), "author": _text,
    },
    "long_term": {"recording": _recording, "trigger": _text, "medium": _or_none(_text), "author": _text},
}  # fmt: skip


def check_fields(kind: str, fields: Mapping[str, Any], where: str) -> None:
    """Check a known kind's fields; unknown kinds pass. Raises BadInputError that names the field."""
    for name, check in KINDS.get(kind, {}).items():
        if name not in fields:
            raise BadInputError(where, f"lacks the field {name}")
        if not check(fields[name]):
            raise BadInputError(where, f"has an impossible {name}: {str(fields[name])[:60]!r}")
