"""The dock's copy of a recorder's journal: only entries that continue the chain get in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evidence.certificates import Role, Trust, known_time
from evidence.errors import BadInputError, ChainError, LiuhenError, UnknownKeyError
from evidence.journal import Entry, Head, check_link, read_entry
from evidence.signing import VerifyKey

TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which entries to append, and what is wrong with the one after them, if anything."""

    fresh: tuple[Entry, ...]
    wrong: LiuhenError | None = None
    wrong_token: str = ""

    @property
    def seals(self) -> list[Entry]:
        """The seals among the entries."""
        return [entry for entry in self.fresh if entry.kind == "segment"]


class Mirror:
    """Judges what a recorder sends against its copy at `path`, whose lock the caller holds."""

    def __init__(self, path: Path, device: str, key: VerifyKey, trust: Trust) -> None:
        self._path = path
        self._device = device
        self._key = key
        self._trust = trust

    def judge(self, head: Head, tokens: Sequence[str]) -> Verdict:
        """Entries in order, after `head`. Those known already are skipped, those after a gap wait for another time.

        Entries before an unreadable or badly signed one are still good. After a break of the chain nothing is.
        """
        fresh: list[Entry] = []
        known = _Known(self._path, head.seq)
        for token in tokens:
            try:
                entry = self._read(token)
                if entry.seq > head.seq + 1:
                    break
                if entry.seq <= known.last_seq:
                    known.check(entry)
                    continue
                check_link(head, entry)
            except ChainError as error:
                return Verdict((), error, token)
            except LiuhenError as error:
                return Verdict(tuple(fresh), error, token)
            fresh.append(entry)
            head = entry.head
        return Verdict(tuple(fresh))

    def _read(self, token: str) -> Entry:
        where = f"journal of {self._device}"
        entry = read_entry(token, where)
        if entry.device != self._device:
            raise BadInputError(where, f"holds an entry of {entry.device}")
        entry.verify(self._key)
        if entry.prev is None:
            self._check_first(entry)
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
    """The entries that the dock has, up to `last_seq`; read from their end, and only as far as somebody asks."""

    def __init__(self, path: Path, last_seq: int) -> None:
        self.last_seq = last_seq
        self._path = path
        self._tail: list[str] = []

    def check(self, entry: Entry) -> None:
        """Raises ChainError when the dock has another entry of this number."""
        from_end = self.last_seq - entry.seq + 1
        if from_end > len(self._tail):
            self._tail = last_tokens(self._path, from_end)
        if self._tail[-from_end] != entry.token:
            what = f"is not the entry {entry.seq} that the dock has: the recorder was cloned, set back or altered"
            raise ChainError(f"FORK: entry {entry.seq} of {entry.device}", what, "take the recorder out of service")


def last_tokens(path: Path, count: int) -> list[str]:
    """The last `count` lines, read from the end: what is sent twice is nearly always new. Raises BadInputError."""
    with path.open("rb") as file:
        size_bytes = file.seek(0, 2)
        wanted_bytes = TAIL_BYTES
        while True:
            start = max(0, size_bytes - wanted_bytes)
            file.seek(start)
            lines = file.read().splitlines()
            # The first line of a tail may be cut.
            if len(lines) > count or start == 0:
                break
            wanted_bytes *= 4
    if len(lines) < count:
        raise BadInputError(str(path), f"holds {len(lines)} entries where {count} were expected")
    return [line.decode("ascii", errors="replace") for line in lines[-count:]]
