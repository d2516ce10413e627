"""What each item of the card is held against, and what a technician does about it: one table.

A reading that stands exactly at a limit is still within it, as with the ranges of monitoring plugins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from device.health.facts import Facts
from device.watch.clock import PLAUSIBLE_US
from evidence.health import State

NOTHING_DBFS = -96.0
"""The floor of 16 bits."""
Number = float | int | bool | str | None


@dataclass(frozen=True, slots=True)
class Range:
    """Beyond `warning` and `critical` the item is so; None where it never is. With `low` the limits are floors."""

    unit: str
    warning: float | None = None
    critical: float | None = None
    low: bool = False

    def judge(self, value: float) -> State:
        """Where the value stands."""
        for state, limit in ((State.CRITICAL, self.critical), (State.WARNING, self.warning)):
            if limit is not None and (value < limit if self.low else value > limit):
                return state
        return State.OK

    def text(self) -> str:
        """For a person: `warning < 30, critical < 10 min`."""
        sign = "<" if self.low else ">"
        named = [
            f"{state} {sign} {limit:g}"
            for state, limit in ((State.WARNING, self.warning), (State.CRITICAL, self.critical))
            if limit is not None
        ]
        return f"{', '.join(named)} {self.unit}".strip() if named else "none"


@dataclass(frozen=True, slots=True)
class Words:
    """Each word that can be read has its state; a word that is not here is not known."""

    states: Mapping[str, State]

    def judge(self, value: str) -> State:
        """How it is to be in this state."""
        return self.states.get(value, State.UNKNOWN)

    def text(self) -> str:
        """For a person: `warning: interrupted; critical: fault`."""
        bad = (State.WARNING, State.CRITICAL)
        named = {state: [word for word, one in self.states.items() if one is state] for state in bad}
        return "; ".join(f"{state}: {', '.join(words)}" for state, words in named.items() if words) or "none"


@dataclass(frozen=True, slots=True)
class Rule:
    """One item: where its value is in the facts, its limit, what to do beyond it. `needed` as in `Item`.

    `absent` is the state without a value: not known, or nothing there that could be wrong.
    """

    name: str
    value: Callable[[Facts], Number]
    limit: Range | Words
    todo: str
    needed: bool = True
    absent: State = State.UNKNOWN

    def judge(self, facts: Facts) -> State:
        """The item's state."""
        match self.limit, self.value(facts):
            case Range() as limit, int() | float() as number:
                return limit.judge(number)
            case Words() as words, str(word):
                return words.judge(word)
        return self.absent


def _card_word(facts: Facts) -> str | None:
    return None if facts.card is None else "faulty" if facts.card.errors or facts.card.read_only else "well"


def _throttled_word(facts: Facts) -> str | None:
    return None if facts.heat is None else "yes" if facts.heat.throttled else "no"


def _frame_rate_pct(facts: Facts) -> float | None:
    camera = facts.camera
    if camera is None or camera.frames_per_s is None or not camera.nominal_frames_per_s:
        return None
    return 100 * camera.frames_per_s / camera.nominal_frames_per_s


def _battery(facts: Facts) -> float | None:
    """On a charger minutes mean nothing."""
    if facts.battery is None or facts.battery.minutes_left is None:
        return None
    return None if facts.battery.charging else facts.battery.minutes_left


def _clock(facts: Facts) -> str:
    return facts.at.grade.value if facts.at.utc_us >= PLAUSIBLE_US else "impossible"


def _deadline_min(facts: Facts) -> float | None:
    left_s = facts.backlog.deadline_left_s
    return None if left_s is None else left_s / 60


def _crash_h(facts: Facts) -> float | None:
    return None if facts.crash_age_s is None else facts.crash_age_s / 3600


def _days(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 86_400


def _pre_eol(facts: Facts) -> str | None:
    if facts.card is None or facts.card.pre_eol is None:
        return None
    return {1: "normal", 2: "80 % used", 3: "90 % used"}.get(facts.card.pre_eol)


def _camera_word(facts: Facts) -> str | None:
    return None if facts.camera is None else "running" if facts.camera.running else "stopped"


def _sound_level(facts: Facts) -> float | None:
    """A microphone that gives nothing at all is deader than a silent one."""
    if facts.microphone is None:
        return None
    return NOTHING_DBFS if facts.microphone.level_dbfs is None else facts.microphone.level_dbfs


def _microphone_word(facts: Facts) -> str | None:
    return None if facts.microphone is None else "plugged" if facts.microphone.plugged else "missing"


RULES: tuple[Rule, ...] = (
    Rule(
        "recorder", lambda f: f.state,
        Words({
            "starting": State.OK, "standby": State.OK, "recording": State.OK, "paused": State.OK, "docked": State.OK,
            "stopping": State.OK, "interrupted": State.WARNING, "fault": State.CRITICAL,
        }),
        "Take it out of service and read `journalctl -u liuhen-recorder`; the item below that is critical says why.",
    ),
    Rule(
        "camera", _camera_word, Words({"running": State.OK, "stopped": State.CRITICAL}),
        "Check the camera's cable, start the recorder anew, then run `liuhen health --self-test`.",
    ),
    Rule(
        "last picture", lambda f: f.camera.last_frame_age_s if f.camera else None, Range("s", 1, 3),
        "Check the camera's cable and that no other program has the camera.",
    ),
    Rule(
        "frame rate", _frame_rate_pct, Range("%", 95, 80, low=True),
        "Look for heat, low voltage and other programs that use the processor; lower the size in [camera].",
    ),
    Rule(
        "microphone", _microphone_word, Words({"plugged": State.OK, "missing": State.CRITICAL}),
        "Plug the microphone in, or replace it; recordings have no sound until then.",
    ),
    Rule(
        "sound level", _sound_level,
        Range("dBFS", -70, -85, low=True),
        "Speak beside it: when the level does not rise, clear the microphone's opening or replace it.",
    ),
    Rule(
        "card", _card_word, Words({"well": State.OK, "faulty": State.CRITICAL}),
        "Stop using it, offload what can be read in the dock, replace the card, keep the old one as evidence.",
    ),
    Rule(
        "card room", lambda f: f.card.minutes_left if f.card else None, Range("min", 60, 15, low=True),
        "Put it into the dock: what has a receipt is released when room is wanted.",
    ),
    Rule(
        "card wear", lambda f: f.card.wear_pct if f.card else None, Range("%", 70, 90),
        "Offload everything and replace the card at the next service.", needed=False,
    ),
    Rule(
        "card spare", _pre_eol,
        Words({
            "normal": State.OK, "80 % used": State.WARNING, "90 % used": State.CRITICAL,
        }),
        "Offload everything and replace the card.", needed=False,
    ),
    Rule(
        "battery", _battery, Range("min", 30, 10, low=True),
        "Charge it in the dock before it goes out again.", needed=False,
    ),
    Rule(
        "battery level", lambda f: f.battery.level_pct if f.battery else None, Range("%", 20, 10, low=True),
        "Charge it in the dock before it goes out again.", needed=False,
    ),
    Rule(
        "battery health", lambda f: f.battery.capacity_pct if f.battery else None, Range("%", 80, 60, low=True),
        "Replace the battery: it no longer lasts a shift.", needed=False,
    ),
    Rule(
        "temperature", lambda f: f.heat.celsius if f.heat else None, Range("°C", 75, 82),
        "Take it out of the sun and its cover; when it stays hot in the shade, have it repaired.", needed=False,
    ),
    Rule(
        "throttling", _throttled_word, Words({"no": State.OK, "yes": State.WARNING}),
        "Let it cool down; when it is cool, replace the battery or its cable, because the voltage is low.",
        needed=False,
    ),
    Rule(
        "clock", _clock,
        Words({
            "impossible": State.CRITICAL, "unset": State.CRITICAL,
            "rtc": State.OK, "dock": State.OK, "ntp": State.OK, "gnss": State.OK,
        }),
        "Put it into the dock and wait a minute for the time; when this comes again, replace the RTC's battery.",
    ),
    Rule(
        "clock drift", lambda f: None if f.drift_ppm is None else abs(f.drift_ppm), Range("ppm", 35, 100),
        "Dock it daily; beyond 100 ppm have the board replaced (35 ppm are 3 s a day, GA/T 947.2).", needed=False,
    ),
    Rule(
        "clock step", lambda f: None if f.step_us is None else abs(f.step_us) / 1e6, Range("s", 3),
        "The clock was wrong before it was set: check the RTC's battery.", absent=State.OK,
    ),
    Rule(
        "certificate", lambda f: _days(f.certificate_left_s), Range("days", 60, 7, low=True),
        "Renew it: `liuhen dock renew`, then on it `liuhen device adopt` with the new files.",
    ),
    Rule(
        "officer", lambda f: "assigned" if f.officer else "unassigned",
        Words({"assigned": State.OK, "unassigned": State.WARNING}),
        "Assign it: `liuhen dock enrol ... --officer`, then put it into the dock; until then frames say UNASSIGNED.",
    ),
    Rule(
        "interruptions", lambda f: len(f.open), Range("open", 0),
        "Let the officer give the reason, by voice or MARK, or in writing at the dock (pingluo 8).",
    ),
    Rule(
        "backlog", lambda f: f.backlog.segments, Range("segments"),
        "Put it into the dock.",
    ),
    Rule(
        "offload deadline", _deadline_min,
        Range("min", 240, 0, low=True),
        "Put it into the dock now: the regulation's deadline is near or has passed (pingluo 9, weixian 14).",
        absent=State.OK,
    ),
    Rule(
        "pause", lambda f: f.pause.left_s / 60 if f.pause else None, Range("min", 5, 0, low=True),
        "End the pause by REC: beyond its limit every minute is unexplained (xuchang 19).", absent=State.OK,
    ),
    Rule(
        "last crash", _crash_h, Range("h", 24, low=True),
        "Read `journalctl -b -u liuhen-recorder`, keep it, and report it; when it comes again, take it out of service.",
        absent=State.OK,
    ),
)  # fmt: skip
