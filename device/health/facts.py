"""What a recorder knows of itself at one instant. Data only; what nobody measures is None, never a guess."""

from __future__ import annotations

from dataclasses import dataclass

from evidence.model import Timestamp


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """`running` from its start to its stop; the rate is counted over the last seconds, None before a first picture."""

    running: bool
    nominal_frames_per_s: int | None
    frames_per_s: float | None
    last_frame_age_s: float | None


@dataclass(frozen=True, slots=True)
class MicrophoneFacts:
    """`level_dbfs` is the loudest second of the last ten as RMS, 0 for full scale; -inf does not occur (-96)."""

    plugged: bool
    level_dbfs: float | None


@dataclass(frozen=True, slots=True)
class CardFacts:
    """The disc under the spool. `pre_eol` is the eMMC word: 1 normal, 2 warning, 3 urgent (JEDEC JESD84-B51)."""

    free_bytes: int | None
    minutes_left: int | None
    read_only: bool
    errors: bool
    wear_pct: int | None
    pre_eol: int | None
    written_bytes: int | None


@dataclass(frozen=True, slots=True)
class BatteryFacts:
    """`capacity_pct` is what the battery has learnt to hold, of what it held when new."""

    level_pct: float | None
    minutes_left: int | None
    volts: float | None
    capacity_pct: float | None
    band: str | None
    charging: bool = False


@dataclass(frozen=True, slots=True)
class HeatFacts:
    """The board's temperature, and whether it has slowed down to protect itself."""

    celsius: float | None
    throttled: bool


@dataclass(frozen=True, slots=True)
class OpenFact:
    """An interruption that nobody has explained yet."""

    interruption: str
    cause: str


@dataclass(frozen=True, slots=True)
class PauseFacts:
    """A declared pause that is running; `left_s` is negative beyond its limit."""

    pause: str
    reason: str
    left_s: float


@dataclass(frozen=True, slots=True)
class BacklogFacts:
    """Sealed segments without a receipt; `deadline_left_s` is that of the oldest, negative when it has passed."""

    segments: int
    bytes: int
    oldest_age_s: float | None
    deadline_left_s: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it. `state` is the recorder's own word (device.states), None when it is not running.

    `certificate_left_s` is the time until the first of its certificates expires, negative afterwards;
    `crash_age_s` the time since a start that found that the run before had died; `step_us` the last step of UTC.
    """

    device: str
    at: Timestamp
    software: str
    journal_seq: int
    state: str | None
    camera: CameraFacts | None
    microphone: MicrophoneFacts | None
    card: CardFacts | None
    battery: BatteryFacts | None
    heat: HeatFacts | None
    drift_ppm: float | None
    step_us: int | None
    certificate_left_s: float | None
    officer: str | None
    open: tuple[OpenFact, ...]
    backlog: BacklogFacts
    pause: PauseFacts | None
    crash_age_s: float | None
