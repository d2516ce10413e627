"""The dock's copy of a recorder's journal: only entries that continue the chain get in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from evidence.certificates import Role, Trust, known_time
from evidence.errors import BadInputError, LiuhenError, RejectedError, UnknownKeyError
from evidence.forks import BLOCKING, Cause, ForkError, Held, cause_of, parts_here, set_back_us
from evidence.journal import TOKEN_LIMIT_BYTES, Entry, Head, read_entry, token_hash
from evidence.model import Timestamp
from evidence.signing import VerifyKey

LINE_LIMIT_BYTES = TOKEN_LIMIT_BYTES + 1
PIECE_BYTES = 16 * 1024


@dataclass(slots=True)
class Verdict:
    """Which entries to append, and what is wrong with the one after them, if anything."""

    fresh: list[Entry] = field(default_factory=list)
    wrong: LiuhenError | None = None
    wrong_token: str = ""
    counted: dict[Cause, int] = field(default_factory=dict)
    """How many entries came again, or too early."""
    set_back: list[tuple[Entry, int]] = field(default_factory=list)
    """The entries before which UTC was set back, and by how many microseconds."""
    first_seq: int = -1
    """The number of the first entry that came; -1 when that could not be read."""

    @property
    def seals(self) -> list[Entry]:
        """The seals among the entries."""
        return [entry for entry in self.fresh if entry.kind == "segment"]

    def count(self, cause: Cause) -> None:
        """One more of these."""
        self.counted[cause] = self.counted.get(cause, 0) + 1


class Mirror:
    """Judges what a recorder sends against its copy at `path`, whose lock the caller holds."""

    def __init__(self, path: Path, device: str, key: VerifyKey, trust: Trust, not_before_us: int | None) -> None:
        """`not_before_us` is the time of the dock's latest receipt that the copy knows of."""
        self._path = path
        self._device = device
        self._key = key
        self._trust = trust
        self._not_before_us = not_before_us

    def judge(self, head: Head, tokens: Sequence[str]) -> Verdict:
        """Entries in order, after `head`. Those known already are skipped, those after a gap wait for another time.

        Entries before an unreadable or badly signed one are still good. After a break of the chain nothing is.
        Raises BadInputError for a damaged copy.
        """
        verdict, known = Verdict(), _Known(self._path, head)
        for token in tokens:
            try:
                self._take(verdict, known, token)
            except ForkError as error:
                return Verdict([], error, token, first_seq=verdict.first_seq)
            except LiuhenError as error:
                verdict.wrong, verdict.wrong_token = error, token
                break
        return verdict

    def _take(self, verdict: Verdict, known: _Known, token: str) -> None:
        entry = self._read(token)
        verdict.first_seq = entry.seq if verdict.first_seq < 0 else verdict.first_seq
        same = known.hash_of(entry.seq)
        before = None if same in (None, entry.head.hash) else known.hash_of(entry.seq - 1)
        held = Held(self._device, known.head, known.last_at, same, before, self._not_before_us)
        cause = cause_of(held, entry)
        if cause in BLOCKING:
            raise ForkError(cause, entry, same, parts_here(held, entry))
        if cause in (Cause.REPLAYED, Cause.REORDERED):
            verdict.count(cause)
            return
        if entry.prev is None:
            self._check_first(entry)
        if cause is Cause.CLOCK_SET_BACK:
            verdict.set_back.append((entry, set_back_us(held, entry.at)))
        verdict.fresh.append(entry)
        known.add(entry)

    def _read(self, token: str) -> Entry:
        where = f"journal of {self._device}"
        entry = read_entry(token, where)
        if entry.device != self._device and entry.kid != self._key.kid:
            # Whoever is on the way may have put it here; that is nothing against this recorder.
            what = f"holds an entry of {entry.device} that this recorder has not signed"
            raise RejectedError(f"{Cause.FOREIGN.name}: {where}", what)
        entry.verify(self._key)
        return entry

    def _check_first(self, entry: Entry) -> None:
        """A stranger must be able to verify the journal with the root alone, so it begins with the certificate."""
        where = f"entry {entry.seq} of {self._device}"
        if not entry.x5c:
            raise UnknownKeyError(where, "begins a journal without the recorder's certificate")
        identity = self._trust.identify_der(entry.x5c, known_time(entry.at))
        if (identity.name, identity.role, identity.key.kid) != (self._device, Role.RECORDER, self._key.kid):
            raise UnknownKeyError(where, "carries a certificate other than the enrolled one")


class _Known:
    """The entries that the dock has: on its disc, read only where somebody asks, and those accepted since."""

    def __init__(self, path: Path, head: Head) -> None:
        self.head = head
        self._path = path
        self._on_disc_seq = head.seq
        self._fresh: list[str] = []
        self._last_at: Timestamp | None = None
        self._next: tuple[int, int] | None = None
        """The number of an entry on the disc and where it begins, behind the one that was looked at last."""

    @property
    def last_at(self) -> Timestamp | None:
        """When the last entry was written."""
        if self._last_at is None and self.head.seq >= 0:
            self._last_at = read_entry(self._token(self.head.seq), str(self._path)).at
        return self._last_at

    def hash_of(self, seq: int) -> str | None:
        """The hash of the entry with this number, None when there is none (yet)."""
        if not 0 <= seq <= self.head.seq:
            return None
        if seq > self._on_disc_seq:
            return self._fresh[seq - self._on_disc_seq - 1]
        return token_hash(self._token(seq))

    def add(self, entry: Entry) -> None:
        """The next one."""
        self.head, self._last_at = entry.head, entry.at
        self._fresh.append(token_hash(entry.token))

    def _token(self, seq: int) -> str:
        with self._path.open("rb") as file:
            if self._next and self._next[0] == seq:
                begin = self._next[1]
            elif seq == self._on_disc_seq:
                begin, _ = _line_around(file, file.seek(0, 2) - 1)
            else:
                begin = _find(file, seq, str(self._path))
            file.seek(begin)
            line = file.readline(LINE_LIMIT_BYTES)
        self._next = (seq + 1, begin + len(line))
        return line.decode("ascii", errors="replace").rstrip("\n")


def _find(file: BinaryIO, seq: int, where: str) -> int:
    """Where the line of this entry begins: they are numbered in order, so halving finds it in whatever long a file."""
    low, high = 0, file.seek(0, 2)
    while low < high:
        begin, line = _line_around(file, (low + high) // 2)
        found = read_entry(line.decode("ascii", errors="replace").rstrip("\n"), where).seq
        if found == seq:
            return begin
        low, high = (begin + len(line), high) if found < seq else (low, begin)
    raise BadInputError(where, f"lacks entry {seq}")


def _line_around(file: BinaryIO, place: int) -> tuple[int, bytes]:
    """The line that the byte at `place` belongs to, and where it begins."""
    begin, before = place, b""
    while begin > 0 and b"\n" not in before and len(before) <= LINE_LIMIT_BYTES:
        size = min(PIECE_BYTES, begin)
        file.seek(begin - size)
        before = file.read(size) + before
        begin -= size
    begin = place - (len(before) - before.rfind(b"\n") - 1)
    file.seek(begin)
    return begin, file.readline(LINE_LIMIT_BYTES)
