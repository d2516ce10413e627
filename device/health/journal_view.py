"""What the journal says to technicians, read entry by entry so that a long journal costs once. Pure but for reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from device.health.facts import BacklogFacts, OpenFact, PauseFacts
from evidence.io.journal_store import JournalStore
from evidence.journal import Entry
from evidence.model import Timestamp

CLOSING = ("reason", "written")
"""Kinds that explain an interruption."""
KINDS = (
    "segment", "receipt", "interruption", *CLOSING, "paused", "pause_reason", "pause_ended", "clock", "power_on",
    "sign_on", "fault", "fault_cleared",
)  # fmt: skip

NO_REASON = "no reason given"


@dataclass(frozen=True, slots=True)
class _Sealed:
    bytes: int
    began: Timestamp


class JournalView:
    """A fold over the entries of `KINDS`; `read` takes in what is new."""

    def __init__(self) -> None:
        self.device: str | None = None
        self.seq = -1
        self.software: str | None = None
        self.officer: str | None = None
        self.step_us: int | None = None
        self._seen_seq = -1
        self._waiting: dict[str, _Sealed] = {}
        self._open: dict[str, str] = {}
        self._pause: Entry | None = None
        self._pause_reason = NO_REASON
        self._crash: Timestamp | None = None
        self._faults: set[str] = set()

    def read(self, store: JournalStore) -> None:
        """Take in what has been added since. Raises DiscError, BadInputError."""
        self.seq = store.head().seq
        for entry in store.of_kind(*KINDS, after_seq=self._seen_seq):
            self.take(entry)
            self._seen_seq = entry.seq

    def take(self, entry: Entry) -> None:
        """One more entry, of whatever kind."""
        self.device = entry.device
        fields = entry.fields
        match entry.kind:
            case "segment":
                began = _earlier(entry.at, int(fields["duration_us"]))
                self._waiting[fields["segment"]] = _Sealed(fields["stored_bytes"], began)
            case "receipt":
                self._waiting.pop(fields["segment"], None)
            case "interruption":
                self._open[fields["interruption"]] = fields["cause"]
            case "reason" | "written":
                self._open.pop(fields["interruption"], None)
            case _:
                self._take_duty(entry, fields)

    def _take_duty(self, entry: Entry, fields: Mapping[str, object]) -> None:
        match entry.kind:
            case "paused":
                self._pause, self._pause_reason = entry, NO_REASON
            case "pause_reason":
                self._pause_reason = str(fields["reason"])
            case "pause_ended":
                self._pause = None
            case "clock":
                # A change of grade alone is no step.
                self.step_us = int(str(fields["step_us"])) or self.step_us
            case "power_on":
                self._power_on(entry)
            case "sign_on":
                self.officer = str(fields["officer"])
            case "fault":
                self._faults.add(str(fields["part"]))
            case "fault_cleared":
                self._faults.discard(str(fields["part"]))

    @property
    def open(self) -> tuple[OpenFact, ...]:
        """Interruptions without an explanation, oldest first."""
        return tuple(OpenFact(*one) for one in self._open.items())

    @property
    def faults(self) -> frozenset[str]:
        """Parts of this run that are out of order."""
        return frozenset(self._faults)

    def backlog(self, now: Timestamp, within_s: float) -> BacklogFacts:
        """What waits for the dock, and how long it may still wait."""
        ages = [_age_s(one.began, now) for one in self._waiting.values()]
        oldest_s = max(ages, default=None)
        left_s = None if oldest_s is None else within_s - oldest_s
        return BacklogFacts(len(ages), sum(one.bytes for one in self._waiting.values()), oldest_s, left_s)

    def pause(self, now: Timestamp) -> PauseFacts | None:
        """The pause that is running."""
        if self._pause is None:
            return None
        fields = self._pause.fields
        left_s = int(fields["limit_s"]) - _age_s(self._pause.at, now)
        return PauseFacts(fields["pause"], self._pause_reason, left_s)

    def crash_age_s(self, now: Timestamp) -> float | None:
        """How long ago the recorder started again after its own fault."""
        return None if self._crash is None else _age_s(self._crash, now)

    def _power_on(self, entry: Entry) -> None:
        self.software = entry.fields["software"]
        # Each run says its own steps and faults anew.
        self.step_us = None
        self._faults.clear()
        if entry.fields["previous_end"] == "device_fault":
            self._crash = entry.at


def _earlier(at: Timestamp, by_us: int) -> Timestamp:
    return Timestamp(at.utc_us - by_us, at.offset_min, at.grade, at.error_us, at.boot, max(0, at.boot_us - by_us))


def _age_s(then: Timestamp, now: Timestamp) -> float:
    """Within a boot by the clock that nothing steps; else by UTC, and never negative."""
    if then.boot == now.boot:
        return (now.boot_us - then.boot_us) / 1e6
    return max(0, now.utc_us - then.utc_us) / 1e6
