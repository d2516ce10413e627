"""After a power loss: compare card and journal, keep everything whole, say what was torn (design section 4).

Runs at every start, before anything else opens a segment. Every step can itself be cut short and run again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from device.blob_recovery import recover_blobs
from device.numbers import Numbers
from device.spool import SegmentState, Spool, info_fields
from evidence.boxes import Tracks, describe_fragment, describe_init, whole_boxes, whole_fragments
from evidence.errors import BadInputError
from evidence.journal import Entry
from evidence.kinds import PART_KINDS
from evidence.model import SEGMENT_ID, Timestamp
from evidence.signing import to_base64url

CASE_OPENED = "case_opened"
LIFE = ("recording_started", "recording_stopped", "interruption", "resumed", "paused", "pause_ended")


@dataclass(frozen=True, slots=True)
class OpenInterruption:
    """A break that has not ended, and the recording it broke."""

    interruption: str
    recording: str
    cause: str
    began: Timestamp


@dataclass(frozen=True, slots=True)
class OpenPause:
    """A declared pause that nobody has ended, and the recording that it suspends, if any."""

    pause: str
    recording: str | None
    limit_s: int
    began: Timestamp
    reasoned: bool


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the start found: how the last run ended, and what it left open."""

    previous_end: str
    fragments: int
    torn_bytes: int
    interrupted: OpenInterruption | None
    paused: OpenPause | None


def recover(spool: Spool, numbers: Numbers, boot: str, software: str, since: Timestamp | None = None) -> Recovered:
    """Bring card and journal together and journal this start, which was at `since`, or now. Raises DiscError."""
    if spool.is_new:
        spool.note("journal_opened", since, software=software)
    last = spool.journal.last_of_kind("power_on", "power_off")
    # Not what an earlier recovery adopted: that one was cut itself, and its entries are younger than the break.
    alive = spool.journal.last_of_kind("init", "fragment", "recording_started", "resumed", "pause_ended")
    previous_end = "none" if last is None else "clean" if last.kind == "power_off" else _unclean_end(last, boot)
    # What a clean end left open was left by a card that took nothing more.
    cause = _cause(spool, previous_end, alive)
    spool.note("power_on", since, software=software, previous_end=previous_end)
    _forget_unjournalled(spool)
    found = [_recover_segment(spool, segment, cause) for segment in _unsealed(spool)]
    recover_blobs(spool)
    _finish_releases(spool)
    paused = _paused(spool)
    return Recovered(
        previous_end=previous_end,
        fragments=sum(fragments for fragments, _ in found),
        torn_bytes=sum(torn for _, torn in found),
        interrupted=None if paused else _interrupted(spool, numbers, cause, alive.at if alive else None),
        paused=paused,
    )


def _unsealed(spool: Spool) -> list[str]:
    ended = spool.journal.segments_with("segment") | spool.journal.segments_with("damaged")
    return sorted(spool.journal.segments_with("init") - ended)


def _forget_unjournalled(spool: Spool) -> None:
    """A file whose first entry was never written holds an init section at most: no picture, but it is said.

    One that holds pictures is not ours to remove: it must have lost its journal.
    """
    known = spool.journal.segments_with("init") | spool.journal.segments_with("damaged")
    for path in sorted((spool.paths.root / "segments").glob("*.mp4")):
        if path.stem in known or not SEGMENT_ID.fullmatch(path.stem):
            continue
        data = _read(path)
        if data is None or any(kind == b"moof" for kind, _, _ in whole_boxes(data)):
            spool.note("damaged", segment=path.stem, what="is not in the journal and was left alone")
            continue
        _note_torn(spool, path.stem, 0, data)
        spool.disc.remove(path)


def _recover_segment(spool: Spool, segment: str, trigger: str) -> tuple[int, int]:
    """Adopt whole fragments after the last journalled one, cut the torn rest, seal. Returns fragments and bytes cut."""
    entries = [entry for entry in spool.journal.of_segment(segment) if entry.kind in PART_KINDS]
    path = spool.paths.segment(segment)
    data = _read(path)
    if data is None:
        spool.note("damaged", segment=segment, what="cannot be read")
        return 0, 0
    officer = _officer_of(spool, entries[0].fields["recording"])
    state = SegmentState(segment, entries[0].fields["recording"], officer)
    for entry in entries:
        part = _part_of(data, entry)
        if to_base64url(sha256(part).digest()) != entry.fields["stored_sha256"]:
            spool.note("damaged", segment=segment, what=f"part {entry.fields['index']} is not what was journalled")
            return 0, 0
        state.take(entry.fields, part)
    adopted = _adopt_whole(spool, state, data)
    torn = data[state.stored_bytes :]
    if torn:
        _note_torn(spool, segment, state.stored_bytes, torn)
        spool.disc.truncate(path, state.stored_bytes)
    spool.seal(state, trigger)
    return adopted, len(torn)


def _adopt_whole(spool: Spool, state: SegmentState, data: bytes) -> int:
    tail = data[state.stored_bytes :]
    tracks = describe_init(data[: state.parts[0][0]])
    begins_at = state.stored_bytes
    whole = list(_described(tail, tracks))
    if whole:
        # The bytes were read from the page cache; only now are they known to be on the card.
        spool.disc.sync(spool.paths.segment(state.segment))
    for start, end, fields in whole:
        part = data[begins_at + start : begins_at + end]
        spool.adopt(state, part, part, fields)
    return len(whole)


def _described(tail: bytes, tracks: Tracks) -> Iterable[tuple[int, int, dict[str, int]]]:
    """Whole fragments at the start of the tail; one whose boxes contradict themselves ends them."""
    for start, end in whole_fragments(tail):
        try:
            info = describe_fragment(tail[start:end], tracks)
        except BadInputError:
            return
        yield start, end, info_fields(info)


def _finish_releases(spool: Spool) -> None:
    """A release that was journalled but not carried out is carried out now."""
    for path in sorted(map(spool.paths.segment, spool.journal.segments_with("released"))):
        if path.exists():
            spool.disc.remove(path)


def _unclean_end(last: Entry, boot: str) -> str:
    """The same boot means that only the agent died; another one that the machine lost its power."""
    return "device_fault" if last.at.boot == boot else "power_loss"


def _cause(spool: Spool, previous_end: str, alive: Entry | None) -> str:
    """Why a recording that was running then broke; behind an open case every end is a tampering."""
    tried = next(spool.journal.of_kind("power_on", after_seq=alive.seq), None) if alive else None
    if tried is not None:
        # A recovery that the card refused in its middle: the first one saw how the recording ended.
        previous_end = tried.fields["previous_end"]
    told = (one for one in spool.journal.of_kind("tamper", "power_on") if tried is None or one.seq < tried.seq)
    case = deque(told, maxlen=1)
    if previous_end in {"power_loss", "device_fault"} and case and case[0].fields.get("what") == CASE_OPENED:
        return "tamper"
    return "power_loss" if previous_end == "power_loss" else "device_fault"


def _paused(spool: Spool) -> OpenPause | None:
    """The declared pause that was running when the last run ended: it goes on, for the place may still be the same."""
    ended = {entry.fields["pause"] for entry in spool.journal.of_kind("pause_ended")}
    last = spool.journal.last_of_kind("paused")
    if last is None or last.fields["pause"] in ended:
        return None
    reasoned = {entry.fields["pause"] for entry in spool.journal.of_kind("pause_reason")}
    pause: str = last.fields["pause"]
    return OpenPause(pause, last.fields["recording"], last.fields["limit_s"], last.at, pause in reasoned)


def _interrupted(spool: Spool, numbers: Numbers, cause: str, cut_at: Timestamp | None) -> OpenInterruption | None:
    """The recording that was running when the last run ended, or that an earlier break left waiting."""
    entries = list(spool.journal.of_kind(*LIFE))
    started = [entry for entry in entries if entry.kind == "recording_started"]
    if not started:
        return None
    recording = started[-1].fields["recording"]
    about = [entry for entry in entries if entry.fields.get("recording") == recording]
    if about[-1].kind == "recording_stopped":
        return None
    if about[-1].kind == "interruption":
        fields = about[-1].fields
        began = Timestamp.from_fields(fields["began"])
        return OpenInterruption(fields["interruption"], recording, fields["cause"], began)
    broken, began = numbers.next_interruption(), cut_at or about[-1].at
    part = "agent" if cause == "device_fault" else None
    spool.note(
        "interruption", interruption=broken, recording=recording, cause=cause, part=part, began=began.to_fields()
    )
    return OpenInterruption(broken, recording, cause, began)


def _officer_of(spool: Spool, recording: str) -> str | None:
    for entry in spool.journal.of_kind("recording_started"):
        if entry.fields["recording"] == recording:
            officer: str | None = entry.fields["officer"]
            return officer
    return None


def _part_of(data: bytes, entry: Entry) -> bytes:
    offset = entry.fields["offset_bytes"]
    return data[offset : offset + entry.fields["stored_bytes"]]


def _read(path: Path) -> bytes | None:
    """A whole file, None when the card does not give it."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _note_torn(spool: Spool, segment: str, offset_bytes: int, data: bytes) -> None:
    """Say what will be cut off, once: a recovery that was cut itself may have said it."""
    digest = to_base64url(sha256(data).digest())
    fields: dict[str, Any] = {"segment": segment, "offset_bytes": offset_bytes, "bytes": len(data), "sha256": digest}
    if not any(entry.kind == "torn" and entry.fields == fields for entry in spool.journal.of_segment(segment)):
        spool.note("torn", **fields)
