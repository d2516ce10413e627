"""Draws docs/STATES.md from the table of states: python -m device.states_diagram."""

from __future__ import annotations

from pathlib import Path

from device.states import TABLE, State

DIAGRAM = Path("docs/STATES.md")
HEAD = """# The recorder's states

Drawn from the table in `device/states.py` by `python -m device.states_diagram`; a test compares. An input that has no
arrow changes nothing: a press then gets the three short buzzes of "no use now".

```mermaid
stateDiagram-v2
    [*] --> starting
"""


def draw() -> str:
    """The page: a Mermaid diagram, then the table in words."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for (state, given), (following, _) in TABLE.items():
        if state is not following:
            arrows.setdefault((state, following), []).append(given)
    lines = [f"    {_name(a)} --> {_name(b)}: {', '.join(inputs)}" for (a, b), inputs in arrows.items()]
    rows = [f"| {state} | {given} | {following} | {action} |" for (state, given), (following, action) in TABLE.items()]
    table = "\n".join(["| in state | input | next state | what it does |", "|---|---|---|---|", *rows])
    return HEAD + "\n".join([*lines, f"    {_name(State.STOPPING)} --> [*]"]) + "\n```\n\n" + table + "\n"


def _name(state: State) -> str:
    return state.replace(" ", "_")


if __name__ == "__main__":
    DIAGRAM.write_text(draw(), encoding="utf-8")
