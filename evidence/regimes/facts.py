"""What is known of a recording, an interruption, a shift, a case and so on, as far as the regulations ask for it.

The catalogue fills these from journals; each names the entries that prove it. An instant is `Moment`: UTC, and the
grade of the clock that told it, so that no rule believes a clock that nobody had set.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evidence.model import ClockGrade
from evidence.regimes.model import Proof
from evidence.standing import Standing
from evidence.verify import Verdict as Authenticity


class Field(StrEnum):
    """By what recordings are classified (weixian 17, xuchang 17)."""

    UNIT = "unit"
    RECORDER = "recorder"
    OFFICER = "officer"
    TIME_OF_USE = "time_of_use"
    PARTY = "party"
    CAUSE = "cause"


class Said(StrEnum):
    """What an opening statement says (changzhi 20, pingluo 8)."""

    TIME = "time"
    PLACE = "place"
    OFFICERS = "officers"
    CAUSE = "cause"
    OBJECT = "object"
    STAGE = "stage"
    ACT = "act"
    BEING_RECORDED = "being_recorded"


class Situation(StrEnum):
    """What kind of act it is; every act is `ENFORCEMENT` besides."""

    ENFORCEMENT = "enforcement"
    PRESERVING_EVIDENCE = "preserving_evidence"
    LEAVING_DOCUMENTS = "leaving_documents"
    SITE_CHECK = "site_check"
    HEARING = "hearing"
    MAJOR_CASE = "major_case"
    LEFT_OVER = "left_over"
    DISPUTED = "disputed"


class Excuse(StrEnum):
    """Why an act or a part of it may go unrecorded."""

    DANGEROUS_CHEMICALS = "dangerous_chemicals"
    SECRETS = "secrets"
    UNSUITABLE = "unsuitable"
    CONDITIONS = "conditions"
    """Objective conditions do not allow it; key steps are recorded and the documents say so (weixian 12)."""


class Trigger(StrEnum):
    """What makes evidence long-term (general 17, weixian 19, xuchang 13)."""

    OBJECTION = "objection"
    """Objection, complaint or petition."""
    RESISTANCE = "resistance"
    """Evasion, refusal, obstruction, abuse or assault."""
    MASS_INCIDENT = "mass_incident"
    """Mass or sudden incident."""
    OTHER = "other"


class Cause(StrEnum):
    """Why a recording broke off; the recorder's own words for reasons."""

    DEVICE_FAULT = "device_fault"
    WEATHER = "weather"
    BATTERY = "battery"
    STORAGE = "storage"
    OBSTRUCTION = "obstruction"
    OTHER = "other"
    SPOKEN = "spoken"


class Note(StrEnum):
    """What the statement beside a piece of evidence says (pingluo 7, 10)."""

    METHOD = "method"
    TIME = "time"
    MAKER = "maker"
    PROVES = "proves"
    CONTENT = "content"


class Statement(StrEnum):
    """What has become of the opening statement."""

    AWAITED = "awaited"
    HEARD = "heard"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant and how far it is to be believed."""

    utc_us: int
    grade: ClockGrade

    @property
    def believed(self) -> bool:
        """False when nobody had set the clock."""
        return self.grade is not ClockGrade.UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What all facts have: the name of what they are about, and the entries behind them."""

    subject: str
    entries: tuple[Proof, ...] = ()

    def proofs(self, *kinds: str) -> tuple[Proof, ...]:
        """The entries of these kinds."""
        return tuple(entry for entry in self.entries if entry.kind in kinds)


@dataclass(frozen=True, slots=True)
class Away:
    """Continuous, remote or out-of-area duty, as declared (pingluo 9). `returned` is None until they are back."""

    returned: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFacts(Facts):
    """One recording. `stored` is when the last of it was durable at the dock, `ended` is None while it runs.

    `said` is what a reviewer heard in the opening statement, None while nobody has listened.
    """

    began: Moment
    ended: Moment | None
    statement: Statement
    said: frozenset[Said] | None = None
    unexplained_us: int = 0
    breaks: int = 0
    stored: Moment | None = None
    away: Away | None = None
    classified: frozenset[Field] = frozenset()
    authenticity: Authenticity | None = None
    """Of all that is stored of it; None while nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptionFacts(Facts):
    """One interruption. `report_due`: it lasted longer than the head of the unit may wait to be told (pingluo 8)."""

    began: Moment
    reason: Cause | None
    standing: Standing
    resumed: bool
    written: Moment | None = None
    reported: bool = False
    report_due: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseFacts(Facts):
    """One declared pause. `reason` is None until one was chosen; an ordered pause has one that no regulation names."""

    reason: str | None
    overrun: bool


@dataclass(frozen=True, slots=True)
class FaultFacts:
    """A fault of a recorder within a shift."""

    part: str
    cleared: bool
    used_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftFacts(Facts):
    """One shift of one recorder. `fit` is what the check before use said, None when there was none."""

    officer: str | None
    fit: bool | None
    recorded: bool
    faults: tuple[FaultFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActFacts(Facts):
    """One act of enforcement as the case names it, with the recordings of it (their names)."""

    situations: frozenset[Situation]
    recordings: tuple[str, ...]
    excuse: Excuse | None = None


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A recording that serves as evidence in a case: on disc, or stored at a stated place, with a statement."""

    item: str
    on_disc: bool
    location: bool
    notes: frozenset[Note]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts(Facts):
    """One case. `ended` is the end of the enforcement act, `filed` when the file was handed to the archive."""

    ended: Moment | None
    filed: Moment | None
    exhibits: tuple[Exhibit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts(Facts):
    """One stored thing (segment, still, note) and its long-term triggers.

    `kept_until_us` is the end of retention as `retention.retention_end` says, None when it has none.
    """

    in_case: bool = False
    triggers: frozenset[Trigger] = frozenset()
    on_disc: bool = False
    destroyed: Moment | None = None
    kept_until_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookFacts(Facts):
    """One look at evidence, or one copy that left: who allowed it, and what was asked before."""

    approved: bool
    leaves: bool = False
    by_copying_unit: bool = False
    copy_kept: bool = False
    secrets_asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFacts(Facts):
    """One calendar month (in China) with recordings, and when they went to the archive."""

    year: int
    month: int
    archived: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts(Facts):
    """The unit as a whole, from its first recording on.

    `listed` is whether every matter on the item list has its scope, stage and manner; None without a list.
    """

    working_since: Moment
    spot_checked: Moment | None
    listed: bool | None
