"""Days that a simulated recorder and a real dock live through, once for all tests, and the clerk in the evening."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from dock.filing import Classification, FilingDesk, utc_of
from dock.folder import DockFolder
from evidence.io.durable import PosixDisc
from evidence.model import ClockGrade, Timestamp
from evidence.regimes.facts import Note, Said, Situation, Trigger
from sim.day.day import live_day
from sim.scenario import parse_scenario
from tests.regimes.days import us

AUTHOR, CASE = "640221-0200", "罚〔2026〕12号"
GOOD = """
title = "A recording that breaks once, with a statement, the reason spoken, and a pause that is allowed"
step = [
    {{ at_s = 20, do = "press", button = "record" }},
    {{ at_s = 26, do = "speak", line = "statement" }},
    {{ at_s = 60, do = "drop", off_s = 10 }},
    {{ at_s = 85, do = "answer", reason = "weather", by = "voice" }},
    {{ at_s = 120, do = "press", button = "pause" }},
    {{ at_s = 130, do = "answer_pause", reason = "{pause}" }},
    {{ at_s = 160, do = "press", button = "record" }},
    {{ at_s = 180, do = "press", button = "stop" }},
    {{ at_s = 190, do = "dock" }},
]
"""
BAD = """
title = "Nothing is said, the microphone is dead, the break is long, and the recorder lies in a drawer for four days"
step = [
    { at_s = 8, do = "microphone_unplug", for_s = 400 },
    { at_s = 25, do = "press", button = "record" },
    { at_s = 150, do = "drop", off_s = 160 },
    { at_s = 330, do = "press", button = "pause" },
    { at_s = 350, do = "press", button = "record" },
    { at_s = 370, do = "press", button = "stop" },
    { at_s = 380, do = "switch_off", off_s = 345600 },
    { at_s = 346000, do = "dock" },
]
"""


class Evening:
    """The dock's clock when the clerk sits down: it goes on by a microsecond at each look."""

    def __init__(self, wall: str) -> None:
        self._utc_us = us(wall)

    def now(self) -> Timestamp:
        self._utc_us += 1
        return Timestamp(self._utc_us, 480, ClockGrade.NTP, 1000, "e" * 32, self._utc_us - us("2026-11-25 00:00"))


def desk_of(root: Path, wall: str = "2026-11-25 18:00") -> FilingDesk:
    return FilingDesk(DockFolder(root), PosixDisc(), Evening(wall))


def lived_root(factory: pytest.TempPathFactory) -> Path:
    """Where the days are lived, the same for all tests of a run."""
    root = factory.getbasetemp() / "lived"
    root.mkdir(exist_ok=True)
    return root


@cache
def good_day(root: Path, pause: str) -> Path:
    """Lived in a folder below `root`; in the evening a clerk files what it brought. The dock's folder."""
    out = root / f"good {pause}"
    live_day(out, parse_scenario(GOOD.format(pause=pause).encode(), "good"), 1, lambda *_: None)
    desk = desk_of(out)
    (kept,) = desk.recordings()
    desk.list_items([["行政处罚", "现场检查", "调查取证", "音像记录"]], AUTHOR)
    desk.classify(kept.facts.subject, Classification(party="李四", cause="占用消防通道"), AUTHOR)
    desk.review(kept.facts.subject, Said, None, AUTHOR)
    name = kept.facts.subject
    desk.keep_case(CASE, "李四", "占用消防通道", [name], utc_of("2026-11-25 17:00"), AUTHOR)
    desk.exhibit(CASE, name, "光盘 2026-11-A", None, Note, AUTHOR)
    desk.file_case(CASE, 10, AUTHOR)
    desk.act(f"{CASE} 现场检查", Situation, [name], None, AUTHOR)
    desk.keep_long(name, Trigger.OBJECTION, "光盘 2026-11-B", AUTHOR)
    return out


@cache
def bad_day(root: Path) -> Path:
    """Lived in a folder below `root`, and nobody files anything. The dock's folder."""
    out = root / "bad"
    live_day(out, parse_scenario(BAD.encode(), "bad"), 1, lambda *_: None)
    return out
