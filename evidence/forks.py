"""What was done to a recorder, judged by what the dock holds of its journal and what came in. Pure.

A recorder that was cloned, set back or altered shows itself by what its own key has signed: nobody else can make two
entries with one number. So only what the recorder's key has signed is judged here; whatever anybody on the way may
have done, lost, repeated, delayed or put under another's name, proves nothing against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from evidence.errors import ChainError
from evidence.journal import Entry, Head
from evidence.model import ClockGrade, Timestamp


class Cause(StrEnum):
    """What an entry is, beside the dock's copy of the journal; see `BLOCKING` for which of them block a recorder."""

    FORK = "fork"
    """Two entries with one number, written side by side: a cloned card or key, or an altered journal."""
    ROLLED_BACK = "rolled_back"
    """The branches part at an entry written after the last one that the dock has: the recorder was set back, as by a
    restored backup, and went on from there."""
    FOREIGN = "foreign"
    """The recorder's key has signed an entry of another recorder."""
    REPLAYED = "replayed"
    """The dock has it already: sent twice, by whomever."""
    REORDERED = "reordered"
    """It came before the entries that stand before it; the dock asks for them."""
    CLOCK_SET_BACK = "clock_set_back"
    """It continues the journal, and its UTC lies before that of earlier entries or of a receipt of the dock."""


BLOCKING = frozenset({Cause.FORK, Cause.ROLLED_BACK, Cause.FOREIGN})
"""Nothing of the recorder becomes evidence until two persons have looked into it."""

SECOND_US = 1_000_000
CLAIMED_ERROR_US: Mapping[ClockGrade, int] = {
    # A battery clock may be wrong by 3 s a day (GA/T 947.2), and half a year without a dock is long.
    ClockGrade.RTC: 600 * SECOND_US,
    ClockGrade.DOCK: 5 * SECOND_US,
    ClockGrade.NTP: 5 * SECOND_US,
    ClockGrade.GNSS: 5 * SECOND_US,
}
"""How wrong a clock of this grade may be that states no bound. One that nobody has set claims nothing."""
TOLERANCE_US = 2 * SECOND_US
"""A leap second and a slew are nobody's doing; the dock's own clock is not perfect either."""
GRADES = tuple(ClockGrade)


@dataclass(frozen=True, slots=True)
class Held:
    """What the dock holds of one recorder's journal, as far as it matters to the entry that came."""

    device: str
    head: Head
    last_at: Timestamp | None
    """When the entry at `head` was written, by the recorder's clocks; None when there is none."""
    same_hash: str | None
    """The hash of the entry that has the number of the one that came; None when the dock has none."""
    prev_hash: str | None = None
    """The hash of the dock's entry before that one; None when it has none, or nobody needs to know."""
    not_before_us: int | None = None
    """UTC of the dock's latest receipt that the journal up to `head` knows of."""


def cause_of(held: Held, came: Entry) -> Cause | None:
    """What `came`, whose signature is that of the recorder's key, is beside what is held; None: it simply follows."""
    if came.device != held.device:
        return Cause.FOREIGN
    if came.seq > held.head.seq + 1:
        return Cause.REORDERED
    if came.seq <= held.head.seq and came.head.hash == held.same_hash:
        return Cause.REPLAYED
    if came.seq <= held.head.seq or came.prev != held.head.hash:
        return _other_branch(held, came)
    return Cause.CLOCK_SET_BACK if set_back_us(held, came.at) > 0 else None


def set_back_us(held: Held, at: Timestamp) -> int:
    """By how many microseconds UTC lies further back than the clocks' errors allow; 0 when it does not."""
    error_us = _error_us(at)
    if error_us is None:
        return 0
    last, bounds = held.last_at, [0]
    if last is not None and (last_error_us := _error_us(last)) is not None and not _corrected(last, at):
        # Within a boot nothing steps the boot clock, so UTC has to go on as fast as it.
        passed_us = at.boot_us - last.boot_us if at.boot == last.boot else 0
        bounds.append(last.utc_us + passed_us - at.utc_us - last_error_us - error_us)
    if held.not_before_us is not None:
        bounds.append(held.not_before_us - at.utc_us - error_us)
    return max(bounds) if max(bounds) > TOLERANCE_US else 0


class ForkError(ChainError):
    """What the recorder's own key has signed and one unaltered recorder cannot have signed."""

    def __init__(self, cause: Cause, came: Entry, held_hash: str | None, parts_here: bool) -> None:
        """`held_hash` is that of the dock's entry of this number, None when it has none.

        `parts_here` says that the entry before it is the dock's, so that the two branches part here.
        """
        where = f"{cause.name}: entry {came.seq} signed by the recorder's key"
        super().__init__(where, _WHAT[cause].format(came=came), "take the recorder out of service")
        self.cause = cause
        self.came = came
        self.held_hash = held_hash
        self.parts_here = parts_here


_WHAT: Mapping[Cause, str] = {
    Cause.FORK: "does not fit what the dock has of {came.device}: it was cloned or altered",
    Cause.ROLLED_BACK: "does not fit what the dock has of {came.device}, which went on from an earlier state",
    Cause.FOREIGN: "is an entry of {came.device}",
}


def parts_here(held: Held, came: Entry) -> bool:
    """Whether the two branches part at this entry."""
    return came.seq <= held.head.seq and came.prev == held.prev_hash


def _other_branch(held: Held, came: Entry) -> Cause:
    """A clone lives at the same time; a recorder that was set back has lived on after all that the dock has.

    That shows only where the branches part: later on a clone has lived on as well.
    """
    same_life = held.last_at is None or came.at.boot == held.last_at.boot or came.at.utc_us <= held.last_at.utc_us
    return Cause.FORK if same_life or not parts_here(held, came) else Cause.ROLLED_BACK


def _error_us(at: Timestamp) -> int | None:
    """How wrong this UTC may be; None when it claims nothing."""
    return at.error_us if at.error_us is not None else CLAIMED_ERROR_US.get(at.grade)


def _corrected(last: Timestamp, at: Timestamp) -> bool:
    """A better clock puts a worse one right, back as well as forth."""
    return GRADES.index(at.grade) > GRADES.index(last.grade)
