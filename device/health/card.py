"""Facts in, card out: pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from device.health.facts import Facts
from device.health.limits import RULES, Range, Rule
from evidence.health import HealthCard, Item, State
from evidence.model import utc_text

AGENT = Rule(
    "agent", lambda _: None, Range("s", 15, 30),
    "Start it: `systemctl start liuhen-recorder`; when it does not stay up, read `journalctl -u liuhen-recorder`.",
)  # fmt: skip
"""Judged by who reads the card, for only he knows how old the facts are."""


def make_card(facts: Facts) -> HealthCard:
    """What the recorder says of itself."""
    return HealthCard(
        facts.device, facts.at, facts.software, facts.journal_seq, tuple(_item(rule, facts) for rule in RULES)
    )


def with_agent(card: HealthCard, age_s: float | None) -> HealthCard:
    """The card with one more item in front: how old the recorder's own facts are, None when there are none."""
    if age_s is None:
        state, reading = State.CRITICAL, "not running: it has left no facts"
    elif age_s < 0:
        # Written in the future: the clock was set back, and nobody has written since.
        state, reading = State.CRITICAL, "not running: its last facts are from before the clock was set back"
    else:
        assert isinstance(AGENT.limit, Range)
        state = AGENT.limit.judge(age_s)
        reading = f"facts {age_s:.0f} s old" if state is not State.CRITICAL else f"silent for {spoken(age_s)}"
    agent = Item(AGENT.name, state, reading, AGENT.limit.text(), AGENT.todo)
    return HealthCard(card.device, card.at, card.software, card.journal_seq, (agent, *card.items))


def _item(rule: Rule, facts: Facts) -> Item:
    reading = _READINGS.get(rule.name, _plain(rule))(facts)
    return Item(rule.name, rule.judge(facts), reading, rule.limit.text(), rule.todo, rule.needed)


def _plain(rule: Rule) -> Callable[[Facts], str]:
    def read(facts: Facts) -> str:
        value = rule.value(facts)
        match rule.limit, value:
            case Range(unit=unit), int() | float():
                return f"{round(value, 2) if abs(value) < 100 else round(value):g} {unit}"
        return "unknown" if value is None else str(value)

    return read


def spoken(seconds: float) -> str:
    """A length of time for a person: 40 s, 12 min, 3 h 05 min, 4 days."""
    whole = abs(int(seconds))
    if whole < 90:
        return f"{whole} s"
    if whole < 5400:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole // 60 % 60:02d} min"
    return f"{whole // 86_400} days"


def _card(facts: Facts) -> str:
    card = facts.card
    if card is None:
        return "unknown"
    said = [text for flag, text in ((card.read_only, "read-only"), (card.errors, "errors seen")) if flag]
    written = [] if card.written_bytes is None else [f"{card.written_bytes / 1e9:.0f} GB written"]
    return ", ".join([*(said or ["no errors"]), *written])


def _room(facts: Facts) -> str:
    if facts.card is None or facts.card.minutes_left is None:
        return "unknown"
    free = "" if facts.card.free_bytes is None else f", {facts.card.free_bytes / 1e9:.1f} GB free"
    return f"{facts.card.minutes_left} min{free}"


def _battery(facts: Facts) -> str:
    battery = facts.battery
    if battery is None or battery.minutes_left is None:
        return "charging" if battery and battery.charging else "unknown"
    band = f", band {battery.band}" if battery.band else ""
    return f"{battery.minutes_left} min{' on charge' if battery.charging else ''}{band}"


def _level(facts: Facts) -> str:
    battery = facts.battery
    if battery is None or battery.level_pct is None:
        return "unknown"
    return f"{battery.level_pct:.0f} %" + ("" if battery.volts is None else f", {battery.volts:.2f} V")


def _frame_rate(facts: Facts) -> str:
    camera = facts.camera
    if camera is None or camera.frames_per_s is None:
        return "unknown"
    return f"{camera.frames_per_s:.1f} of {camera.nominal_frames_per_s} /s"


def _sound(facts: Facts) -> str:
    if facts.microphone is None:
        return "unknown"
    level = facts.microphone.level_dbfs
    return "no sound at all" if level is None else f"{level:.0f} dBFS"


def _clock(facts: Facts) -> str:
    error = "" if facts.at.error_us is None else f" ± {facts.at.error_us / 1000:.0f} ms"
    return f"{facts.at.grade}{error}, {utc_text(facts.at.utc_us)[:19]}Z"


def _interruptions(facts: Facts) -> str:
    named = ", ".join(f"{one.interruption} {one.cause}" for one in facts.open[:3])
    return f"{len(facts.open)} open" + (f": {named}" if named else "") + (" ..." if len(facts.open) > 3 else "")


def _backlog(facts: Facts) -> str:
    backlog = facts.backlog
    age = "" if backlog.oldest_age_s is None else f", oldest {spoken(backlog.oldest_age_s)}"
    return f"{backlog.segments} segments, {backlog.bytes / 1e6:.0f} MB{age}"


def _deadline(facts: Facts) -> str:
    left_s = facts.backlog.deadline_left_s
    if left_s is None:
        return "nothing waits"
    return f"passed {spoken(left_s)} ago" if left_s < 0 else f"in {spoken(left_s)}"


def _pause(facts: Facts) -> str:
    if facts.pause is None:
        return "none"
    left_s = facts.pause.left_s
    return f"{facts.pause.reason}, {spoken(left_s)} {'beyond its limit' if left_s < 0 else 'left'}"


def _certificate(facts: Facts) -> str:
    left_s = facts.certificate_left_s
    if left_s is None:
        return "unknown"
    return f"expired {spoken(left_s)} ago" if left_s < 0 else f"{left_s // 86_400:.0f} days left"


_READINGS: Mapping[str, Callable[[Facts], str]] = {
    "frame rate": _frame_rate,
    "sound level": _sound,
    "card": _card,
    "card room": _room,
    "battery": _battery,
    "battery level": _level,
    "clock": _clock,
    "clock step": lambda f: "none" if f.step_us is None else f"{f.step_us / 1e6:+.3f} s",
    "certificate": _certificate,
    "officer": lambda f: f"assigned to {f.officer}" if f.officer else "unassigned",
    "interruptions": _interruptions,
    "backlog": _backlog,
    "offload deadline": _deadline,
    "pause": _pause,
    "last crash": lambda f: "none" if f.crash_age_s is None else f"{spoken(f.crash_age_s)} ago",
}
"""Where a number alone says too little."""
