"""What must hold after any day, whatever happened in it: nothing lost unsaid, nothing twice, nothing freed too early.

Seconds are counted here from the entries alone, boot by boot, and not by the account, which is one of the accused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dock.folder import JOURNAL_OWNER, DockFolder
from evidence.errors import RejectedError
from evidence.io.token_file import read_lines
from evidence.journal import Entry, read_entry
from evidence.kinds import BLOB_KINDS, FRAGMENT_KINDS, SEALED_SEGMENT
from evidence.model import Timestamp
from evidence.receipts import ANSWERS, BLOB_STORED, STORED
from evidence.verify import Report, Verdict
from sim.day.day import Lived
from sim.day.unit import DEVICE
from sim.report import Check, Found, adds_up

CAUSES = frozenset({"battery_low", "storage_full", "device_fault", "power_loss", "tamper", "operator_stop"})
"""Every machine cause that there is (docs/FORMAT.md)."""
EDGE_US = 1_500_000
"""What is pressed takes effect with the next key frame."""
ROUNDING_US = 50
"""Time stamps of fragments are in units of a 90 kHz clock."""
FREED = {STORED: ("released", "receipt"), BLOB_STORED: ("blob_released", "blob_receipt")}

Interval = tuple[int, int]
Findings = Iterable[str]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence: the kind of the dock's word on it, its own entry, and where its file may be."""

    kind: str
    entry: Entry
    in_vault: Path
    on_card: Path

    @property
    def name(self) -> str:
        """Of the segment, photo or note."""
        return str(self.entry.fields[ANSWERS[self.kind].name])


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that the invariants look at."""

    found: Found
    lived: Lived
    dock: Sequence[Entry]

    @property
    def entries(self) -> Sequence[Entry]:
        """The recorder's journal."""
        return self.found.entries

    def of(self, *kinds: str) -> list[Entry]:
        """Entries of these kinds."""
        return [entry for entry in self.entries if entry.kind in kinds]

    def pieces(self) -> Iterator[Piece]:
        """All evidence that was sealed or kept."""
        folder, spool = DockFolder(self.found.out), self.found.out / "spool"
        for entry in self.of("segment"):
            name = entry.fields["segment"]
            yield Piece(STORED, entry, folder.segment(DEVICE, name), spool / "segments" / f"{name}{SEALED_SEGMENT}")
        for entry in self.of(*BLOB_KINDS):
            in_vault = folder.blob(DEVICE, entry.fields["blob"])
            yield Piece(BLOB_STORED, entry, in_vault, spool / "blobs" / in_vault.name)


def check_day(found: Found, lived: Lived) -> tuple[Check, ...]:
    """Every invariant; a broken one says where."""
    dock = [read_entry(token) for token in read_lines(DockFolder(found.out).journal(JOURNAL_OWNER))]
    day = Day(found, lived, dock)
    return tuple(_check(chinese, english, list(rule(day))) for (chinese, english), rule in INVARIANTS.items())


def _check(chinese: str, english: str, findings: Sequence[str]) -> Check:
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return Check(chinese, f"{english}: {findings[0]}{more}" if findings else english, not findings)


def _account(day: Day) -> Findings:
    return (f"shift {number}" for number, account in enumerate(day.found.accounts) if not adds_up(account))


def _twice(day: Day) -> Findings:
    places = Counter((entry.fields["segment"], entry.fields["index"]) for entry in day.of("init", *FRAGMENT_KINDS))
    yield from (f"part {index} of {segment}" for (segment, index), times in places.items() if times > 1)
    for boot, intervals in _recorded(day).items():
        for (_, end_us), (next_us, _) in pairwise(sorted(intervals)):
            if next_us < end_us - ROUNDING_US:
                yield f"{(end_us - next_us) / 1e6:.3f} s from {next_us / 1e6:.3f} s of boot {boot[:12]}"


def _lost(day: Day) -> Findings:
    """Every instant between the start and the stop of a recording is recorded, or an entry says that it is not."""
    recorded, known = _recorded(day), _known(day)
    for boot, wanted in _wanted(day).items():
        covered = sorted([*recorded.get(boot, ()), *known.get(boot, ())])
        for from_us, to_us in wanted:
            for left_us, right_us in _holes(from_us, to_us, covered):
                if right_us - left_us > EDGE_US:
                    yield f"{(right_us - left_us) / 1e6:.3f} s from {left_us / 1e6:.3f} s of boot {boot[:12]}"


def _recorded(day: Day) -> dict[str, list[Interval]]:
    begins = {one.fields["segment"]: (one.fields["boot"], one.fields["epoch_boot_us"]) for one in day.of("init")}
    found: dict[str, list[Interval]] = {}
    for entry in day.of(*FRAGMENT_KINDS):
        boot, epoch_us = begins[entry.fields["segment"]]
        start_us = epoch_us + entry.fields["pts_us"]
        found.setdefault(boot, []).append((start_us, start_us + entry.fields["duration_us"]))
    return found


def _wanted(day: Day) -> dict[str, list[Interval]]:
    """When a recording was running, boot by boot, from the first picture of each boot on."""
    found: dict[str, list[Interval]] = {}
    since: Timestamp | None = None
    for before, entry in pairwise(day.entries):
        if since is not None and entry.kind in ("recording_stopped", "power_on"):
            until_us = entry.fields["ended_boot_us"] if entry.kind == "recording_stopped" else before.at.boot_us
            found.setdefault(since.boot, []).append((since.boot_us, until_us))
            since = None
        if entry.kind in ("recording_started", "resumed") and since is None:
            since = entry.at
    return found


def _known(day: Day) -> dict[str, list[Interval]]:
    """What entries say was not recorded."""
    last = {entry.at.boot: entry.at.boot_us + EDGE_US for entry in day.entries}
    ends = {entry.fields["interruption"]: entry.at for entry in day.of("resumed")}
    ends |= {entry.fields["pause"]: entry.at for entry in day.of("pause_ended")}
    found: dict[str, list[Interval]] = {}
    for entry in day.of("interruption", "paused"):
        began = Timestamp.from_fields(entry.fields["began"]) if entry.kind == "interruption" else entry.at
        end = ends.get(entry.fields["interruption" if entry.kind == "interruption" else "pause"])
        until_us = end.boot_us if end is not None and end.boot == began.boot else last[began.boot]
        found.setdefault(began.boot, []).append((began.boot_us, until_us))
        if end is not None and end.boot != began.boot:
            found.setdefault(end.boot, []).append((0, end.boot_us))
    for entry in day.of("skipped", "dropped"):
        interval = entry.fields["from_boot_us"], entry.fields["to_boot_us"]
        found.setdefault(entry.at.boot, []).append(interval)
    return found


def _holes(from_us: int, to_us: int, covered: Sequence[Interval]) -> Iterator[Interval]:
    for start_us, end_us in covered:
        if start_us > from_us:
            yield from_us, min(start_us, to_us)
        from_us = max(from_us, end_us)
        if from_us >= to_us:
            return
    yield from_us, to_us


def _unended(day: Day) -> Findings:
    begun = {entry.fields["segment"] for entry in day.of("init")}
    yield from sorted(begun - {entry.fields["segment"] for entry in day.of("segment", "damaged")})
    if day.lived.docked:
        stopped = {entry.fields["recording"] for entry in day.of("recording_stopped")}
        yield from sorted({entry.fields["recording"] for entry in day.of("recording_started")} - stopped)


def _misplaced(day: Day) -> Findings:
    stored = {(entry.kind, entry.fields.get(ANSWERS[entry.kind].name)) for entry in day.dock if entry.kind in FREED}
    for piece in day.pieces():
        rule = ANSWERS[piece.kind]
        freed = any(entry.fields[rule.name] == piece.name for entry in day.of(FREED[piece.kind][0]))
        if freed is piece.on_card.exists():
            yield f"{piece.name} was {'freed and is' if freed else 'not freed and is not'} on the card"
        if (piece.kind, piece.name) in stored and not piece.in_vault.exists():
            yield f"{piece.name} is not in the vault although the dock says so"
        if freed and not piece.in_vault.exists():
            yield f"{piece.name} is nowhere"


def _stored_twice(day: Day) -> Findings:
    names = Counter((one.kind, one.fields[ANSWERS[one.kind].name]) for one in day.dock if one.kind in FREED)
    return (f"{name} as {kind}" for (kind, name), times in names.items() if times > 1)


def _freed_early(day: Day) -> Findings:
    """Each release follows a receipt in the journal, and that names a word of the dock which fits the evidence."""
    words = {entry.seq: entry for entry in day.dock}
    for piece in day.pieces():
        rule, (freed, noted) = ANSWERS[piece.kind], FREED[piece.kind]
        mine = [entry for entry in day.of(freed, noted) if entry.fields[rule.name] == piece.name]
        kinds = [entry.kind for entry in mine]
        if kinds not in ([], [noted], [noted, freed]):
            yield f"{piece.name}: {', '.join(kinds)}"
        for receipt in mine[:1]:
            word = words.get(receipt.fields["dock_seq"])
            if word is None or word.head.hash != receipt.fields["dock_hash"] or not _fits(piece, word):
                yield f"{piece.name}: its receipt is no word of the dock"


def _fits(piece: Piece, word: Entry) -> bool:
    try:
        ANSWERS[piece.kind].check(word, piece.entry)
    except RejectedError:
        return False
    return word.kind == piece.kind


def _causeless(day: Day) -> Findings:
    return (str(one.fields) for one in day.of("interruption") if one.fields["cause"] not in CAUSES)


def _defects(day: Day, report: Report) -> Findings:
    """A segment that the card failed in mid-write is sealed as incomplete, and says so: a gap that is explained."""
    incomplete = tuple(entry.fields["segment"] for entry in day.of("segment") if not entry.fields["complete"])
    for one in report.defects:
        if one.verdict is not Verdict.GAPS or not any(segment in one.where for segment in incomplete):
            yield f"{one.where} {one.what}"


INVARIANTS: Mapping[tuple[str, str], Callable[[Day], Findings]] = {
    ("时间账目平衡", "the account adds up and nothing overlaps"): _account,
    ("无一秒重复", "no second was recorded twice"): _twice,
    ("无一秒无声丢失", "no second was lost without an entry that says so"): _lost,
    ("录像均已结束并封存", "whatever was begun was ended and sealed"): _unended,
    ("证据各在其处", "all evidence is on the card until it is freed, and in the vault before"): _misplaced,
    ("入库仅一次", "nothing was stored twice"): _stored_twice,
    ("凭回执释放", "nothing was freed without a receipt that fits"): _freed_early,
    ("每次中断均有原因", "every interruption has a machine cause"): _causeless,
    ("库中证据真实完整", "the vault is authentic"): lambda day: _defects(day, day.found.vault),
    ("本机日志真实完整", "the recorder's card is authentic"): lambda day: _defects(day, day.found.spool),
    ("程序未自行退出", "the recorder's program never ended by itself"): lambda day: day.lived.deaths,
}
