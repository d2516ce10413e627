"""A self-test told to a person."""

from __future__ import annotations

from device.health.output import COLOURS
from device.health.self_test import SelfTest
from evidence.health import EXIT_CODES, State, counted


def exit_code(test: SelfTest) -> int:
    """0 fit, 2 not fit."""
    return EXIT_CODES[State.OK if test.fit else State.CRITICAL]


def verdict_text(test: SelfTest, colour: bool) -> str:
    """FIT or NOT FIT, every item, and what to do about those that are not as they should be."""
    word, state = ("FIT for duty", State.OK) if test.fit else ("NOT FIT for duty", State.CRITICAL)
    width = max(len(item.name) for item in test.items)
    lines = [f"{_painted(word, state, colour)} (tested in {test.took_s:.1f} s)", ""]
    for item in test.items:
        lines.append(f"{item.name:<{width}}  {_painted(f'{item.state:<8}', item.state, colour)}  {item.reading}")
    bad = [item for item in test.items if counted(item) is not State.OK]
    if bad:
        lines += ["", "What to do:", *(f"  {item.name}: {item.todo}" for item in bad)]
    return "\n".join(lines)


def _painted(text: str, state: State, colour: bool) -> str:
    return f"\x1b[{COLOURS[state]}m{text}\x1b[0m" if colour else text
